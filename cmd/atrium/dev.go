package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
)

// devRegion is the region of a dev node's instance.
const devRegion = "us-east-1"

type devCommand struct {
	DataDir     string `default:".atrium" type:"path" help:"Directory of the node's data."`
	Listen      string `default:"127.0.0.1:8484" help:"Loopback address to listen on."`
	DatabaseDSN string `name:"database-dsn" env:"ATRIUM_DATABASE_DSN" help:"PostgreSQL connection string; the embedded database when empty."`
	S3Endpoint  string `name:"s3-endpoint" help:"S3 server that holds what accounts store, instead of the node's own storage."`
	S3Accounts  string `name:"s3-accounts-file" type:"path" help:"File of each account's access key at the S3 server, YAML, mode 0600."`
	Verbose     bool   `short:"v" help:"Log every request."`
}

// Run runs a dev node until it is interrupted.
func (d devCommand) Run(ctx context.Context, s streams) error {
	listener, err := d.listen(ctx)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := makeDataDir(d.DataDir); err != nil {
		return err
	}
	level := slog.LevelWarn
	if d.Verbose {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	db, err := d.openStore(ctx, log)
	if err != nil {
		return err
	}
	storage, closeStorage, err := d.storage(ctx, log)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer closeStorage()
	program, err := d.program(ctx, db, storage, listener, log)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	err = d.prepare(ctx, program, listener, s)
	if err == nil {
		err = program.Run(ctx)
	}
	return errors.Join(err, os.Remove(filepath.Join(d.DataDir, nodeFile)), db.Close())
}

func (d devCommand) listen(ctx context.Context) (net.Listener, error) {
	host, _, err := net.SplitHostPort(d.Listen)
	if err != nil {
		return nil, usageError{fmt.Errorf("--listen %s: give host:port", d.Listen)}
	}
	if host != "localhost" && host != "127.0.0.1" {
		return nil, usageError{fmt.Errorf("--listen %s: a dev node listens on 127.0.0.1 only, whose two names keep people and data apart; use atrium serve for others", d.Listen)}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", d.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w (is another node running? choose another port with --listen 127.0.0.1:PORT)", err)
	}
	return l, nil
}

// makeDataDir creates the directory, readable by its owner only, with a
// .gitignore that keeps it out of anybody's repository.
func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(ignore); errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(ignore, []byte("*\n"), 0o600)
	}
	return nil
}

func (d devCommand) openStore(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	cfg := store.Config{PostgresDSN: d.DatabaseDSN, Clock: time.Now, Log: log}
	if d.DatabaseDSN == "" {
		cfg.SQLitePath = filepath.Join(d.DataDir, "atrium.db")
	}
	return store.Open(ctx, cfg)
}

func (d devCommand) program(ctx context.Context, db *store.Store, storage s3.Connector, l net.Listener, log *slog.Logger) (*app.Program, error) {
	root, err := devRoot(filepath.Join(d.DataDir, "root.key"))
	if err != nil {
		return nil, err
	}
	e := devEndpoints(l)
	people, err := url.Parse(e.People)
	if err != nil {
		return nil, err
	}
	data, err := url.Parse(e.Data)
	if err != nil {
		return nil, err
	}
	return app.New(ctx, app.Options{
		Listener: l, PeopleURL: people, DataURL: data, Region: devRegion,
		Storage: storage, Store: db, Root: root, Log: log, Now: time.Now, Rand: rand.Reader,
	})
}

func devRoot(path string) (keys.Root, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := keys.CreateRootFile(path, rand.Reader); err != nil {
			return nil, err
		}
	}
	return keys.ReadRootFile(path, rand.Reader)
}

// devEndpoints are the two hosts of a dev node: the same listener under two
// names, which browsers keep apart.
func devEndpoints(l net.Listener) clientenv.Endpoints {
	port := l.Addr().(*net.TCPAddr).Port
	return clientenv.Endpoints{
		People: fmt.Sprintf("http://localhost:%d", port),
		Data:   fmt.Sprintf("http://127.0.0.1:%d", port),
	}
}

// prepare creates the sample data on the first start, leaves for atrium env
// what it needs, and says how to go on.
func (d devCommand) prepare(ctx context.Context, p *app.Program, l net.Listener, s streams) error {
	sample, err := p.CreateSample(ctx)
	if err != nil {
		return err
	}
	if err := d.keepPasswords(sample.Passwords); err != nil {
		return err
	}
	admin, err := d.administrator(ctx, p)
	if err != nil {
		return err
	}
	e := devEndpoints(l)
	if err := clientenv.WriteRuleSets(ruleSetDir(d.DataDir), e); err != nil {
		return err
	}
	if err := writeCLIModel(ruleSetDir(d.DataDir)); err != nil {
		return err
	}
	if err := writeNode(d.DataDir, node{Endpoints: e, Region: devRegion, Administrator: admin}); err != nil {
		return err
	}
	return d.greet(s, e, sample)
}

// passwordFile holds the one-time passwords of the sample's people, in the data
// directory.
const passwordFile = "credentials.txt"

// keepPasswords writes new one-time passwords to a file that only its owner
// can read.
func (d devCommand) keepPasswords(passwords []app.OneTimePassword) error {
	if len(passwords) == 0 {
		return nil
	}
	var b strings.Builder
	for _, p := range passwords {
		fmt.Fprintf(&b, "%s: %s\n", p.UserName, p.Password)
	}
	return os.WriteFile(filepath.Join(d.DataDir, passwordFile), []byte(b.String()), 0o600)
}

// administrator returns the administrator's access key, from the last start
// or new.
func (d devCommand) administrator(ctx context.Context, p *app.Program) (app.AccessKey, error) {
	path := filepath.Join(d.DataDir, keyFile)
	var key app.AccessKey
	err := readJSON(path, &key)
	if err == nil {
		usable, err := p.KeyWorks(ctx, key)
		if err != nil || usable {
			return key, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = p.NewAdministratorKey(ctx, app.SampleManagementAccount); err != nil {
		return key, err
	}
	return key, writeJSON(path, key)
}

// greet says how to sign in and what to paste.
func (d devCommand) greet(s streams, e clientenv.Endpoints, sample app.Sample) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nAtrium is running at %s\n\n", e.People)
	if sample.Created {
		b.WriteString("A sample organization was created: accounts management (123456789012),\nproduction (111111111111) and development (222222222222).\n\n")
	}
	passwords := filepath.Join(d.DataDir, passwordFile)
	fmt.Fprintf(&b, "Sign in to the AWS access portal at %s/start", e.People)
	if sample.Created {
		fmt.Fprintf(&b, "\nwith a one-time password (also in %s):\n\n", relative(passwords))
		for _, p := range sample.Passwords {
			fmt.Fprintf(&b, "  %-9s %s\n", p.UserName, p.Password)
		}
	} else if _, err := os.Stat(passwords); err == nil {
		fmt.Fprintf(&b, "\nThe one-time passwords for the first sign-in are in %s\n", relative(passwords))
	} else {
		b.WriteString("\n")
	}
	program, dir := d.commandLine()
	config := clientenv.Quote(filepath.Join(d.DataDir, "sam.config"))
	fmt.Fprintf(&b, `
In another terminal, work as a person who signs in:

  %s aws-config --user sam.lee%s > %s
  export AWS_CONFIG_FILE=%s AWS_DATA_PATH=%s
  aws sso login --profile Builder-222222222222
  aws sts get-caller-identity --profile Builder-222222222222

or as the administrator of the management account:

  eval "$(%s env%s)"
  aws sts get-caller-identity
  aws sso-admin list-instances

Stop with Ctrl-C; the data stays in %s.

`, program, dir, config, config, clientenv.Quote(ruleSetDir(d.DataDir)), program, dir, d.DataDir)
	_, err := fmt.Fprint(s.out, b.String())
	return err
}

// commandLine returns how the program is called, and the flag that names this
// node's data directory, with a space before it; empty for the usual one.
func (d devCommand) commandLine() (program, dir string) {
	program = "atrium"
	if exe, err := os.Executable(); err == nil {
		program = clientenv.Quote(relative(exe))
	}
	if d.DataDir != absolute(".atrium") {
		dir = " --data-dir " + clientenv.Quote(d.DataDir)
	}
	return program, dir
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// relative shortens path when it lies below the working directory.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

type healthcheckCommand struct {
	URL string `arg:"" optional:"" default:"http://127.0.0.1:8484" help:"Address of the node."`
}

// Run asks the node whether it is ready.
func (h healthcheckCommand) Run(ctx context.Context, s streams) error {
	if err := checkReady(ctx, h.URL); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, "ready")
	return err
}

func checkReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/readyz", nil)
	if err != nil {
		return usageError{err}
	}
	resp, err := (&http.Client{}).Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready (HTTP status %d)", address, resp.StatusCode)
	}
	return nil
}
