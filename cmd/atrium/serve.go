package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/config"
	"github.com/atrium-iam/atrium/internal/keys"
)

// configured is the part of a command that reads the configuration.
type configured struct {
	Config      string `type:"path" placeholder:"FILE" help:"Configuration file (YAML)."`
	PrintConfig bool   `help:"Print the effective configuration, secrets masked, and stop."`
	// The configuration's keys as flags.
	kong.Plugins
}

// load reads the configuration. done is true when printing it was all that
// was asked for.
func (c *configured) load(f config.Flags, s streams) (cfg *config.Config, done bool, err error) {
	cfg, err = config.Load(c.Config, os.Environ(), f.Overrides())
	if err != nil {
		if problems, ok := errors.AsType[config.Problems](err); ok {
			return nil, false, usageError{problems}
		}
		return nil, false, err
	}
	if c.PrintConfig {
		return cfg, true, cfg.Print(s.out)
	}
	return cfg, false, nil
}

func logger(cfg *config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Log.Level}
	if cfg.Log.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

type serveCommand struct{ configured }

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	cfg, done, err := c.load(f, s)
	if err != nil || done {
		return err
	}
	log := logger(cfg, s.err)
	program, err := openNode(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := listen(ctx, cfg, program); err != nil {
		return errors.Join(err, program.Close())
	}
	keepWithoutReaders()
	reopenOnHangup(ctx, program)
	log.Info("serving", "public_url", cfg.PublicURL.String(), "listen", program.Listener.Addr().String())
	return errors.Join(program.Run(ctx), program.Close())
}

func listen(ctx context.Context, cfg *config.Config, p *app.Program) (err error) {
	if cfg.TLS.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(cfg.TLS.CertFile, cfg.TLS.KeyFile)
		if err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		p.TLS = serverTLS(certificate)
	}
	var opened []net.Listener
	defer func() {
		if err != nil {
			for _, l := range opened {
				err = errors.Join(err, l.Close())
			}
		}
	}()
	var lc net.ListenConfig
	if p.Listener, err = lc.Listen(ctx, "tcp", cfg.Listen); err != nil {
		return err
	}
	opened = append(opened, p.Listener)
	if cfg.AdminListen != "" {
		if p.Admin, err = lc.Listen(ctx, "tcp", cfg.AdminListen); err != nil {
			return err
		}
		opened = append(opened, p.Admin)
		if !cfg.AdminIsLocal() && !cfg.Insecure(config.InsecureMetrics) {
			p.AdminTLS = p.TLS
		}
	}
	if !embedded(cfg) {
		return nil // commands reach the database beside the nodes
	}
	if p.Control, err = app.ListenControl(ctx, cfg.DataDir); err != nil {
		p.Log.Warn("there is no control socket: commands such as keys rotate need this node stopped", "error", err)
		p.Control = nil
	}
	return nil
}

type initCommand struct {
	configured
	AccountName  string `default:"management" help:"Name of the management account."`
	AccountEmail string `required:"" help:"E-mail address of the management account."`
	AccountID    string `help:"Its id, 12 digits; drawn at random when not given."`
}

// Run creates the management account, once.
func (c *initCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	cfg, done, err := c.load(f, s)
	if err != nil || done {
		return err
	}
	if err := c.ensureRootKey(cfg, s); err != nil {
		return err
	}
	program, err := openNewNode(ctx, cfg, logger(cfg, s.err))
	if err != nil {
		return err
	}
	made, err := program.Initialize(ctx, app.ManagementAccount{ID: c.AccountID, Name: c.AccountName, Email: c.AccountEmail})
	if err != nil {
		return errors.Join(err, program.Close())
	}
	fmt.Fprintf(s.out, "Created the management account %s with an organization and IAM Identity Center.\n\n", made.AccountID)
	if err = showRoot(made.Root, s); err == nil {
		fmt.Fprintln(s.out)
		err = showKey(cfg, made.Administrator, s)
	}
	return errors.Join(err, program.Close())
}

// ensureRootKey makes the root key's file on the first use.
func (c *initCommand) ensureRootKey(cfg *config.Config, s streams) error {
	if cfg.RootKey.File == "" {
		return nil
	}
	if _, err := os.Stat(cfg.RootKey.File); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(cfg.RootKey.File), 0o700); err != nil {
		return err
	}
	if err := keys.CreateRootFile(cfg.RootKey.File, rand.Reader); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "Created the root key %s. Without it the database's secrets cannot be read: keep a copy apart from the database's backups.\n\n", cfg.RootKey.File)
	return err
}

type migrateCommand struct{ configured }

// Run migrates the schema, which opening the store does.
func (c *migrateCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	cfg, done, err := c.load(f, s)
	if err != nil || done {
		return err
	}
	db, err := app.OpenStore(ctx, database(cfg), time.Now, logger(cfg, s.err))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "The schema is up to date.")
	return errors.Join(err, db.Close())
}

// serverTLS offers a certificate with the suites that RFC 9325, section 4.2,
// recommends for TLS 1.2; those of TLS 1.3 are all good.
func serverTLS(certificate tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}
