package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/config"
	"github.com/atrium-iam/atrium/internal/keys"
)

// embedded tells whether a configuration names the embedded database, which
// one process at a time writes.
func embedded(cfg *config.Config) bool { return cfg.Database.Driver != config.Postgres }

func database(cfg *config.Config) app.Database {
	if embedded(cfg) {
		return app.Database{SQLitePath: cfg.Database.Path}
	}
	return app.Database{PostgresDSN: cfg.Database.DSN.Reveal(), PostgresInsecure: cfg.Insecure(config.InsecureDatabase)}
}

// rootKeys returns the configured root key, and the one that it replaces, if
// any.
func rootKeys(cfg *config.Config) (root keys.Root, previous []keys.Root, err error) {
	if root, err = readRootKey(cfg.RootKey); err != nil {
		return nil, nil, err
	}
	if cfg.PreviousRootKey == (config.RootKey{}) {
		return root, nil, nil
	}
	before, err := readRootKey(cfg.PreviousRootKey)
	if err != nil {
		return nil, nil, fmt.Errorf("the previous root key: %w", err)
	}
	return root, []keys.Root{before}, nil
}

func readRootKey(k config.RootKey) (keys.Root, error) {
	text, err := rootKeyText(k)
	if err != nil {
		return nil, err
	}
	root, err := keys.ParseRoot(string(text), rand.Reader)
	if err != nil && k.File != "" {
		err = fmt.Errorf("root key file %s: %w", k.File, err)
	}
	return root, err
}

func rootKeyText(k config.RootKey) (app.RootKeyText, error) {
	if k.Env != "" {
		return app.RootKeyText(os.Getenv(k.Env)), nil
	}
	text, err := keys.ReadRootText(k.File)
	return app.RootKeyText(text), err
}

// operator is who runs this process.
func operator() app.Operator {
	o := app.Operator{User: strconv.Itoa(os.Getuid())}
	if u, err := user.Current(); err == nil {
		o.User = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		o.Host = host
	}
	return o
}

// openNode is openNewNode for an installation that atrium init has set up.
func openNode(ctx context.Context, cfg *config.Config, log *slog.Logger) (*app.Program, error) {
	d := database(cfg)
	d.MustExist = true
	p, err := openDatabase(ctx, cfg, d, log)
	if err != nil {
		return nil, err
	}
	initialized, err := p.Initialized(ctx)
	if err == nil && !initialized {
		err = app.ErrNotInitialized
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// openNewNode builds a program on the configured database, which is made when
// it is not there. Close it when done.
func openNewNode(ctx context.Context, cfg *config.Config, log *slog.Logger) (*app.Program, error) {
	return openDatabase(ctx, cfg, database(cfg), log)
}

func openDatabase(ctx context.Context, cfg *config.Config, d app.Database, log *slog.Logger) (*app.Program, error) {
	root, previous, err := rootKeys(cfg)
	if err != nil {
		return nil, err
	}
	db, err := app.OpenStore(ctx, d, time.Now, log)
	if err != nil {
		return nil, err
	}
	server, err := mailServer(cfg.SMTP)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	p, err := app.New(ctx, app.Options{
		Mail: server, BreachedFile: cfg.Passwords.BreachedFile,
		PeopleURL: cfg.PublicURL, DataURL: cfg.DataURL, Storage: remoteStorage(cfg.S3), Region: cfg.Region,
		TrustedProxies: cfg.TrustedProxies, SubdomainsOverTLS: cfg.TLS.Subdomains, AuditRetention: cfg.AuditRetention, Forward: forwarding(cfg.AuditForward), Operator: operator(),
		Store: db, Root: root, PreviousRoots: previous, Log: log, Now: time.Now, Rand: rand.Reader,
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return p, nil
}

// operate gives run the installation's operations: the running node's, where
// the embedded database is in its hands, or else its own.
func operate(ctx context.Context, cfg *config.Config, log *slog.Logger, run func(app.Operations) error) error {
	if embedded(cfg) {
		if node, running := app.DialControl(ctx, cfg.DataDir); running {
			return run(node)
		}
	}
	p, err := openNode(ctx, cfg, log)
	if err != nil {
		return err
	}
	return errors.Join(run(p), p.Close())
}
