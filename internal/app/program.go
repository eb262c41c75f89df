// Package app puts Atrium together: it is the one place that knows every
// part, and it only connects them.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/policy/awsmanaged"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/text"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Options is what a Program is made of.
type Options struct {
	Listener net.Listener // people, APIs and data; closed by Run or Close
	Admin    net.Listener // metrics; nil for none
	Control  net.Listener // commands of operators, see ListenControl; nil for none
	Operator Operator     // who runs the program, for the records of what it does by itself
	// PeopleURL and DataURL are where clients find the two kinds of host.
	PeopleURL, DataURL *url.URL
	// ClientFiles are the files of a dev node for clients on its machine.
	ClientFiles    clientenv.Files
	Region         string
	TLS            *tls.Config // nil: plain HTTP
	AdminTLS       *tls.Config // of Admin; nil: plain HTTP
	TrustedProxies []netip.Prefix
	// SubdomainsOverTLS tells that all hosts below those of the two URLs are
	// served over TLS too.
	SubdomainsOverTLS bool
	AuditRetention    time.Duration // 0: for ever
	Forward           []Forwarding  // where the audit trail goes besides
	// Storage holds what accounts store through S3; nil for none.
	Storage s3.Connector
	// BreachedFile is a list of passwords known from breaches, as package
	// breach reads it; "" for none.
	BreachedFile string
	// Mail sends mail; nil for none.
	Mail mail.Transport
	// Mailbox shows the mail of a dev node; nil for none.
	Mailbox interface{ Mount(*http.ServeMux) }

	Store *store.Store
	Root  keys.Root
	// PreviousRoots are root keys that Root is to replace, or has replaced.
	PreviousRoots []keys.Root
	Log           *slog.Logger
	Now           func() time.Time
	Rand          io.Reader
}

// Program is one node of Atrium.
type Program struct {
	Options
	ids       ident.Source
	ring      *keys.Ring
	passwords *credential.Hasher
	trail     *audit.Writer
	// forwarders take the trail elsewhere.
	forwarders []*audit.Forwarder
	post       *mail.Sender // nil for none
	epochs     *epoch.Watcher
	metrics    *metrics
	handler    *front
}

// New loads the keys and builds the services. Run serves.
func New(ctx context.Context, o Options) (*Program, error) {
	p := &Program{
		Options: o, ids: ident.NewSource(o.Rand), metrics: newMetrics(),
		passwords: credential.NewHasher(credential.Recommended(), runtime.GOMAXPROCS(0), o.Rand),
	}
	var err error
	if p.ring, err = keys.Load(ctx, store.Bind[keys.Tx](o.Store), o.Root, o.Now, o.Rand, o.PreviousRoots...); err != nil {
		return nil, fmt.Errorf("loading the keys: %w", err)
	}
	p.metrics.watchKeys(p.ring.Status)
	p.trail = audit.NewWriter(audit.Options{
		DB: store.Bind[audit.ChainTx](o.Store), Signer: auditSigner{p.ring}, Now: o.Now, IDs: p.ids,
		Retention: o.AuditRetention, Forwarded: p.forwarded(), Report: p.report("audit"),
	})
	p.forwarders = p.newForwarders()
	p.metrics.watchForwarding(p.forwarders, o.Now)
	p.epochs = epoch.NewWatcher(store.Bind[epoch.Reader](o.Store), o.Store.HeardChange, o.Now)
	found := &credentials{
		db: store.Bind[iam.KeyReader](p.Store), sealer: p.secrets(), sessions: p.sessionKeys(), epochs: p.epochs, now: p.Now,
	}
	policies := iam.NewCompiler(awsManaged, compiledPolicies)
	g, err := p.newGateway(found, policies)
	if err != nil {
		return nil, err
	}
	if p.post, err = p.newSender(); err != nil {
		return nil, err
	}
	shown, err := p.newPages(ctx)
	if err != nil {
		return nil, err
	}
	texts, err := text.English()
	if err != nil {
		return nil, err
	}
	data := p.newS3(found, policies)
	p.handler = &front{
		hosts: newHosts(o.PeopleURL, data.Serves, o.Region), s3: data, gateway: g, people: mount(shown, p.authorization(shown), p.portal(g, shown), p.mailbox()),
		ready: func(r *http.Request) error { return p.ready(r.Context()) }, note: p.note,
		exposed: exposed(o.PeopleURL, secure(o.TrustedProxies), clientIP(o.TrustedProxies)), texts: texts,
	}
	return p, nil
}

func (p *Program) newGateway(found *credentials, policies *iam.Compiler) (*gateway.Gateway, error) {
	return gateway.New(gateway.Options{
		Services: p.services(),
		Keys:     found,
		Policies: policies,
		Tokens:   sealer{p.ring, keys.PagingTokens},
		Admit:    newAdmission(p.Now).admit,
		Audit:    p.trail, Observe: p.metrics.observe,
		IDs: p.ids, Now: p.Now, Log: p.Log, Region: p.Region,
		ClientIP: clientIP(p.TrustedProxies), Secure: secure(p.TrustedProxies),
	})
}

// secrets seals what is stored.
func (p *Program) secrets() sealer { return sealer{p.ring, keys.StoredSecrets} }

// awsManaged finds the document of one of AWS's managed policies.
func awsManaged(arn string) (string, bool) {
	managed, found := awsmanaged.Lookup(arn)
	if !found {
		return "", false
	}
	return managed.Document(), true
}

// compiledPolicies is how many compiled policy documents are kept in memory.
const compiledPolicies = 4096

// Run serves until ctx ends, then finishes what is under way.
func (p *Program) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var background sync.WaitGroup
	// The trail and the keys outlive the servers, whose last requests use them.
	lasting, end := context.WithCancel(context.WithoutCancel(ctx))
	background.Go(func() { p.keepTrail(lasting) })
	background.Go(func() { p.ring.Follow(lasting, keysInterval, p.reportKeys) })
	background.Go(func() { p.epochs.Run(lasting, p.report("epochs")) })
	background.Go(func() { p.Store.Listen(lasting, p.report("listening for changes")) })
	background.Go(func() { p.keepHouse(lasting) })
	if p.post != nil {
		background.Go(func() { p.post.Run(ctx) })
	}

	servers := []*http.Server{p.server(p.handler)}
	failed := make(chan error, 3)
	go func() { failed <- p.serve(servers[0], p.Listener, p.TLS) }()
	beside := func(l net.Listener, secured *tls.Config, h http.Handler) {
		if l == nil {
			return
		}
		s := p.server(h)
		servers = append(servers, s)
		go func() { failed <- p.serve(s, l, secured) }()
	}
	beside(p.Admin, p.AdminTLS, p.metrics.handler(p.handler.operatorsHealth))
	beside(p.Control, nil, http.HandlerFunc(p.control))
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, s := range servers {
		err = errors.Join(err, shutdown(s))
	}
	end()
	background.Wait()
	return err
}

// Close gives the store back; after Run.
func (p *Program) Close() error { return p.Store.Close() }

// keysInterval is how often a node looks for keys that another one has made.
const keysInterval = 30 * time.Second

func (p *Program) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           p.hardened(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug),
	}
}

func (p *Program) serve(s *http.Server, l net.Listener, config *tls.Config) error {
	if config != nil {
		l = tls.NewListener(l, config)
	}
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func shutdown(s *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}

func (p *Program) report(part string) func(error) {
	return func(err error) { p.Log.Error("background work failed; it is tried again", "part", part, "error", err) }
}
