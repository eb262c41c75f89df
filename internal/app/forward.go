package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/store"
)

// Forwarding is a target of the audit trail. Its name is that of its place in
// the trail: a target with the same name goes on where the one before was.
type Forwarding struct {
	Name   string
	Target audit.Target
}

// newForwarders makes who forwards the trail.
func (p *Program) newForwarders() (list []*audit.Forwarder) {
	// The embedded database has one process: what held the trail before has
	// ended, and this one need not wait until its lease does.
	holder := "node"
	if p.Store.Dialect() == store.PostgreSQL {
		holder = p.ids.Hex(32)
	}
	for _, f := range p.Forward {
		list = append(list, audit.NewForwarder(audit.ForwardOptions{
			DB: store.Bind[audit.ForwardTx](p.Store), Name: f.Name, Target: f.Target, Holder: holder, Now: p.Now,
			Report: p.report("audit"),
		}))
	}
	return list
}

// forwarded returns what tells how far the trail was forwarded; nil when it is
// not.
func (p *Program) forwarded() func(context.Context) (int64, error) {
	if len(p.Forward) == 0 {
		return nil
	}
	var names []string
	for _, f := range p.Forward {
		names = append(names, f.Name)
	}
	return func(ctx context.Context) (int64, error) {
		return audit.Forwarded(ctx, store.Bind[audit.ForwardTx](p.Store), names)
	}
}

// keepTrail writes the trail until ctx ends, and forwards it until that is done.
func (p *Program) keepTrail(ctx context.Context) {
	written, end := context.WithCancel(context.WithoutCancel(ctx))
	var forwarding sync.WaitGroup
	for _, f := range p.forwarders {
		forwarding.Go(func() { f.Run(written) })
	}
	p.trail.Run(ctx)
	end()
	forwarding.Wait()
}

// ReopenFiles has the files that the trail is forwarded to opened anew: after
// they were rotated.
func (p *Program) ReopenFiles() {
	for _, f := range p.Forward {
		if r, ok := f.Target.(interface{ Reopen() }); ok {
			r.Reopen()
		}
	}
}

// watchForwarding shows how forwarding goes.
func (m *metrics) watchForwarding(list []*audit.Forwarder, now func() time.Time) {
	for _, f := range list {
		labels := prometheus.Labels{"target": f.Name()}
		gauge := func(name, help string, value func(audit.ForwardStats) float64) {
			m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return value(f.Stats()) }))
		}
		counter := func(name, help string, value func(audit.ForwardStats) int64) {
			m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(value(f.Stats())) }))
		}
		gauge("atrium_audit_forward_lag_records", "Audit records that the target lacks.", func(s audit.ForwardStats) float64 { return float64(s.Waiting) })
		gauge("atrium_audit_forward_lag_seconds", "Age of the oldest audit record that the target lacks.", func(s audit.ForwardStats) float64 {
			if s.Since.IsZero() {
				return 0
			}
			return max(0, now().Sub(s.Since).Seconds())
		})
		counter("atrium_audit_forwarded_records_total", "Audit records that this node has forwarded.", func(s audit.ForwardStats) int64 { return s.Delivered })
		counter("atrium_audit_forward_failures_total", "Deliveries of audit records that failed on this node.", func(s audit.ForwardStats) int64 { return s.Failures })
	}
}
