package app

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// metrics counts requests by operation, never by user.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	failures *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atrium_requests_total", Help: "API requests by service, operation, HTTP status and error code.",
		}, []string{"service", "operation", "status", "code"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atrium_failures_total", Help: "API requests that failed for a reason of Atrium's own, such as a database that is away; some services answer those with a status of 400.",
		}, []string{"service", "operation"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "atrium_request_duration_seconds", Help: "Time to answer an API request.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}, []string{"service", "operation"}),
	}
	m.registry.MustRegister(m.requests, m.failures, m.duration,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watchKeys shows how the node stands to the root key.
func (m *metrics) watchKeys(status func() keys.Status) {
	gauge := func(name, help string, value func(keys.Status) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(status()) }))
	}
	gauge("atrium_root_key_differs", "1 while the database's keys are wrapped by another root key than the node is configured with.", func(s keys.Status) float64 {
		if s.Stored != s.Configured {
			return 1
		}
		return 0
	})
	gauge("atrium_key_generations_unreadable", "Generations of keys that the node lacks because it has not their root key.", func(s keys.Status) float64 {
		return float64(s.Unreadable)
	})
}

func (m *metrics) observe(e gateway.Event) {
	m.requests.WithLabelValues(e.Service, e.Operation, strconv.Itoa(e.Status), e.Code).Inc()
	if e.Failed {
		m.failures.WithLabelValues(e.Service, e.Operation).Inc()
	}
	m.duration.WithLabelValues(e.Service, e.Operation).Observe(e.Duration.Seconds())
}

// handler serves /metrics, and the health probes for those who reach only the
// admin listener.
func (m *metrics) handler(health http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", health)
	mux.HandleFunc("GET /readyz", health)
	return mux
}
