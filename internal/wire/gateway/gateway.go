// Package gateway is the one path that every AWS API request takes: resolve
// the operation, authenticate the caller, decode and validate the input, and
// then, in one transaction, authorise, run the operation and record it; at
// last encode the answer. It is the only package of the wire that knows the
// domain: it holds the one translator from the domain's errors to the wire's.
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// maxBody is the largest API request body that is read, in bytes. The largest
// valid request (100 attribute operations of an identity store user) is far
// below it.
const maxBody = 1 << 20

// maxKept is the size in bytes up to which the buffer of an answer is kept for
// another one. The answer to a list of 100 is below it.
const maxKept = 128 << 10

// signingKeys is how many derived signing keys are remembered.
const signingKeys = 10_000

// Options is what a Gateway is made of.
type Options struct {
	Services []Service
	// Keys finds the secret and the principal of an access key.
	Keys KeyDatabase
	// Policies compiles what decides about a caller.
	Policies *iam.Compiler
	// Tokens seals paging tokens.
	Tokens TokenSealer
	// Admit, when set, is asked before an operation that needs no signature is
	// run; its error is the answer.
	Admit func(operation string, from netip.Addr) error
	// Audit takes the records of reads and refusals, which are not part of an
	// operation's transaction.
	Audit AuditSink
	// Observe is told of every request once it is answered. May be nil.
	Observe func(Event)
	IDs     ident.Source
	Now     func() time.Time
	Log     *slog.Logger
	// Region is the region of the instance; requests of global services may
	// be signed for any region.
	Region string
	// ClientIP tells the address a request came from, with forwarded
	// addresses taken from trusted proxies only.
	ClientIP func(*http.Request) netip.Addr
	// Secure tells whether a request arrived over TLS.
	Secure func(*http.Request) bool
}

// Gateway serves the AWS APIs.
type Gateway struct {
	Options
	services []*service
	resolver *resolver
	verifier *sigv4.Verifier
	keys     *iam.GlobalKeys
	// bodies are buffers for answers, used again and again.
	bodies sync.Pool
	// pages are the operations that pages may call, by name.
	pages map[string]target
	// fallback answers requests whose service is not known.
	fallback map[kind]protocolCodec
}

// New returns a gateway. It fails when a service's model cannot be compiled.
func New(o Options) (*Gateway, error) {
	g := &Gateway{Options: o, verifier: sigv4.NewVerifier(signingKeys), keys: iam.NewGlobalKeys(), pages: make(map[string]target), fallback: make(map[kind]protocolCodec)}
	g.bodies.New = func() any { return new([]byte) }
	for _, s := range o.Services {
		svc, err := newService(s)
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", s.desc.ID, err)
		}
		if err := g.addPages(svc); err != nil {
			return nil, fmt.Errorf("service %s: %w", s.desc.ID, err)
		}
		g.services = append(g.services, svc)
		g.fallback[kindOf(s.desc.Protocol)] = svc.codec
	}
	g.resolver = newResolver(g.services)
	return g, nil
}

// Handles reports whether r is an API request, to be given to ServeHTTP.
func (g *Gateway) Handles(r *http.Request) bool { return g.resolver.classify(r) != kindNone }

// ServeHTTP answers an API request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.newCall(r)
	g.serve(w, r, c, func() *wireError { return c.run(r) })
}

// serve answers a call with what run makes of it.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, c *call, run func() *wireError) {
	w.Header().Set("X-Amzn-Requestid", c.request.ID)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	err := run()
	c.answer(w, err)
	c.auditOutcome(err)
	c.observe(r.Context(), err)
}

// Event is the one event that a request leaves in the log and the metrics.
type Event struct {
	Service, Operation string
	Status             int
	Code               string // error code, "" when well
	// Failed tells that Atrium failed, not the caller, whatever status the
	// service has for that.
	Failed   bool
	Duration time.Duration
}

func (c *call) observe(ctx context.Context, err *wireError) {
	e := Event{Operation: c.target.name, Status: c.status, Duration: c.gateway.Now().Sub(c.request.Time)}
	if c.target.op == nil {
		e.Operation = "unknown" // names that callers invent must not become labels
	}
	if c.target.service != nil {
		e.Service = c.target.service.desc.ID
	}
	if err != nil {
		e.Code, e.Failed = err.failure.Code, err.ours()
	}
	c.log(ctx, e, err)
	if c.gateway.Observe != nil {
		c.gateway.Observe(e)
	}
}

// log writes the request's one line.
func (c *call) log(ctx context.Context, e Event, err *wireError) {
	level, cause := slog.LevelInfo, ""
	if e.Failed {
		level = slog.LevelError
		if err.cause != nil {
			cause = err.cause.Error()
		}
	}
	if !c.gateway.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", c.request.ID), slog.String("service", e.Service), slog.String("operation", e.Operation),
		slog.String("source_ip", c.request.SourceIP), slog.String("account", c.actor().AccountID),
		slog.String("access_key", c.caller.AccessKeyID), slog.Duration("duration", e.Duration),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", e.Code))
	}
	if cause != "" {
		attrs = append(attrs, slog.String("cause", cause))
	}
	attrs = append(attrs, slog.Int("status", e.Status))
	c.gateway.Log.LogAttrs(ctx, level, "request", attrs...)
}
