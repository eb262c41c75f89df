package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/breach"
	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/config"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/localca"
	"github.com/atrium-iam/atrium/internal/outbound"
)

// devRegion is the region of a dev node's instance.
const devRegion = "us-east-1"

type devCommand struct {
	DataDir       string   `default:".atrium" type:"path" help:"Directory of the node's data."`
	Listen        string   `default:"127.0.0.1:8484" help:"Loopback address to listen on."`
	DatabaseDSN   string   `name:"database-dsn" env:"ATRIUM_DATABASE_DSN" help:"PostgreSQL connection string; the embedded database when empty."`
	S3Endpoint    string   `name:"s3-endpoint" help:"S3 server that holds what accounts store, instead of the node's own storage."`
	S3Accounts    string   `name:"s3-accounts-file" type:"path" help:"File of each account's access key at the S3 server, YAML, mode 0600."`
	AllowInsecure []string `name:"allow-insecure" enum:"database,s3" help:"Connections that may cross a network that you trust without TLS, or without looking whom they reach: database, s3."`
	BreachedFile  string   `name:"passwords-breached-file" type:"path" help:"List of passwords known from breaches, which are refused: Pwned Passwords, SHA-1, ordered by hash."`
	Empty         bool     `help:"On the first start make a management account with its root user and nothing else, and print the root user's link: to enable IAM Identity Center by hand."`
	TLS           bool     `name:"tls" help:"Serve HTTPS, with a certificate authority of the node's own in the data directory."`
	Verbose       bool     `short:"v" help:"Log every request."`
	devMail
}

// Run runs a dev node until it is interrupted.
func (d devCommand) Run(ctx context.Context, s streams) error {
	if d.BreachedFile != "" {
		if err := breach.Check(d.BreachedFile); err != nil {
			return usageError{fmt.Errorf("--passwords-breached-file %s: %w", d.BreachedFile, err)}
		}
	}
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
	db, err := app.OpenStore(ctx, d.database(), time.Now, log)
	if err != nil {
		return err
	}
	storage, closeStorage, err := d.storage(ctx, log)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer closeStorage()
	o := app.Options{
		Store: db, Storage: storage, Listener: listener, Log: log, BreachedFile: d.BreachedFile,
		ClientFiles: clientenv.Files{DataPath: ruleSetDir(d.DataDir), CABundle: d.caBundle()},
	}
	if err := d.mail(&o, s.out); err != nil {
		return errors.Join(err, db.Close())
	}
	if o.Control, err = app.ListenControl(ctx, d.DataDir); err != nil {
		log.Warn("there is no control socket: commands such as root reset need this node stopped", "error", err)
		o.Control = nil
	}
	program, err := d.program(ctx, o)
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

func (d devCommand) database() app.Database {
	if d.DatabaseDSN != "" {
		return app.Database{PostgresDSN: d.DatabaseDSN, PostgresInsecure: slices.Contains(d.AllowInsecure, config.InsecureDatabase)}
	}
	return app.Database{SQLitePath: filepath.Join(d.DataDir, "atrium.db")}
}

// program is what o has, as a dev node.
func (d devCommand) program(ctx context.Context, o app.Options) (*app.Program, error) {
	root, err := devRoot(filepath.Join(d.DataDir, "root.key"))
	if err != nil {
		return nil, err
	}
	e := d.endpoints(o.Listener)
	people, err := url.Parse(e.People)
	if err != nil {
		return nil, err
	}
	data, err := url.Parse(e.Data)
	if err != nil {
		return nil, err
	}
	if o.TLS, err = d.tlsConfig(); err != nil {
		return nil, err
	}
	o.PeopleURL, o.DataURL, o.Region, o.Root, o.Operator = people, data, devRegion, root, operator()
	o.Now, o.Rand = time.Now, rand.Reader
	return app.New(ctx, o)
}

func devRoot(path string) (keys.Root, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := keys.CreateRootFile(path, rand.Reader); err != nil {
			return nil, err
		}
	}
	return keys.ReadRootFile(path, rand.Reader)
}

// endpoints are the two hosts of a dev node: the same listener under two
// names, which browsers keep apart.
func (d devCommand) endpoints(l net.Listener) clientenv.Endpoints {
	scheme, port := "http", l.Addr().(*net.TCPAddr).Port
	if d.TLS {
		scheme = "https"
	}
	return clientenv.Endpoints{
		People: fmt.Sprintf("%s://localhost:%d", scheme, port),
		Data:   fmt.Sprintf("%s://127.0.0.1:%d", scheme, port),
	}
}

// tlsConfig returns the node's certificate; nil without --tls.
func (d devCommand) tlsConfig() (*tls.Config, error) {
	if !d.TLS {
		return nil, nil
	}
	authority, err := localca.Ensure(d.DataDir, time.Now(), rand.Reader)
	if err != nil {
		return nil, err
	}
	certificate, err := authority.Issue(time.Now())
	if err != nil {
		return nil, err
	}
	return serverTLS(certificate), nil
}

// caBundle is the file of what clients have to trust; "" without --tls.
func (d devCommand) caBundle() string {
	if !d.TLS {
		return ""
	}
	return absolute(filepath.Join(d.DataDir, localca.CertificateFile))
}

// prepare creates the sample data on the first start, leaves for atrium env
// what it needs, and says how to go on.
func (d devCommand) prepare(ctx context.Context, p *app.Program, l net.Listener, s streams) error {
	sample, err := d.create(ctx, p)
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
	e := d.endpoints(l)
	if err := clientenv.WriteRuleSets(ruleSetDir(d.DataDir), e); err != nil {
		return err
	}
	if err := writeCLIModel(ruleSetDir(d.DataDir)); err != nil {
		return err
	}
	if err := writeNode(d.DataDir, node{Endpoints: e, CABundle: d.caBundle(), Region: devRegion, Administrator: admin}); err != nil {
		return err
	}
	return d.greet(s, e, sample)
}

// firstData is what the first start made.
type firstData struct {
	app.Sample
	Root *app.RootLink // of an empty node
}

func (d devCommand) create(ctx context.Context, p *app.Program) (made firstData, err error) {
	if !d.Empty {
		made.Sample, err = p.CreateSample(ctx)
		return made, err
	}
	root, created, err := p.CreateEmpty(ctx)
	if created {
		made.Root = &root
	}
	return made, err
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
func (d devCommand) greet(s streams, e clientenv.Endpoints, sample firstData) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nAtrium is running at %s\n\n", e.People)
	if sample.Created {
		b.WriteString("A sample organization was created: accounts management (123456789012),\nproduction (111111111111) and development (222222222222).\n\n")
	}
	if d.TLS {
		fmt.Fprintf(&b, "Its certificate is vouched for by %s;\nbrowsers trust it once you import that file.\n\n", relative(d.caBundle()))
	}
	if d.Empty {
		return d.greetEmpty(&b, s, e, sample)
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

// greetEmpty says how to begin on a node without sample data.
func (d devCommand) greetEmpty(b *strings.Builder, s streams, e clientenv.Endpoints, made firstData) error {
	program, dir := d.commandLine()
	fmt.Fprintf(b, "Sign in as the root user at %s/root and enable IAM Identity Center there.\n", e.People)
	if _, err := fmt.Fprint(s.out, b.String()); err != nil {
		return err
	}
	if made.Root != nil {
		if err := showRoot(*made.Root, s); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(s.out, `
In another terminal, a new link for the root user:

  %s root reset --dev %s

and the administrator of the management account:

  eval "$(%s env%s)"
  aws sso-admin list-instances

Stop with Ctrl-C; the data stays in %s.

`, program, clientenv.Quote(d.DataDir), program, dir, d.DataDir)
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
	CABundle string `name:"ca-bundle" type:"path" placeholder:"FILE" help:"Certificates to trust (PEM), instead of the system's."`
	URL      string `arg:"" optional:"" default:"http://127.0.0.1:8484" help:"Address of the node."`
}

// Run asks the node whether it is ready.
func (h healthcheckCommand) Run(ctx context.Context, s streams) error {
	client, err := trusting(h.CABundle)
	if err != nil {
		return err
	}
	if err := checkReady(ctx, client, h.URL); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "ready")
	return err
}

// trusting returns a client that trusts the certificates in a file; the
// system's when bundle is "".
func trusting(bundle string) (*http.Client, error) {
	if bundle == "" {
		return outbound.Configured.Client(nil), nil
	}
	raw, err := os.ReadFile(bundle)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s holds no certificate", bundle)
	}
	return outbound.Configured.Client(pool), nil
}

func checkReady(ctx context.Context, client *http.Client, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/readyz", nil)
	if err != nil {
		return usageError{err}
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready (HTTP status %d)", address, resp.StatusCode)
	}
	return nil
}
