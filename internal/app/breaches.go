package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/atrium-iam/atrium/internal/breach"
	"github.com/atrium-iam/atrium/internal/signin"
)

// comparing has a flow of signing in compare new passwords with those known
// from breaches, if there is a list.
func (p *Program) comparing(f *signin.Flow) *signin.Flow {
	if p.BreachedFile != "" {
		list := breach.NewList(p.BreachedFile, p.Log)
		p.metrics.compared(list)
		f.Breaches = list
	}
	return f
}

// compared counts what looking passwords up in a list has shown.
func (m *metrics) compared(l *breach.List) {
	for name, result := range map[string]int{"absent": breach.Absent, "found": breach.Found, "failed": breach.Failed} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "atrium_breached_password_checks_total", ConstLabels: prometheus.Labels{"result": name},
			Help: "New passwords compared with those known from breaches: found (and refused), absent, or failed because the list could not be read.",
		}, func() float64 { return float64(l.Count(result)) }))
	}
}
