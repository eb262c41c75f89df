// Package config reads what an operator configures: a YAML file, ATRIUM_…
// environment variables and flags, each overriding the one before. Everything
// that is wrong is reported at once, and nothing unknown is ignored.
//
// The keys stand in one table, from which the file's keys, the variables and
// the flags all follow.
package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config is a configuration that was found good.
type Config struct {
	// PublicURL is where people and clients find the node: scheme and host,
	// without a path. Links are built from it, never from a request.
	PublicURL *url.URL
	// DataURL is where stored content is served: another host.
	DataURL *url.URL
	// Listen is the address of people and APIs, AdminListen that of metrics
	// and health; "" for none.
	Listen, AdminListen string
	// DataDir holds the embedded database and other files of the node.
	DataDir  string
	Database Database
	RootKey  RootKey
	// PreviousRootKey is the one that RootKey replaces: while it is being
	// replaced the database's keys may be wrapped by either. Empty when none is.
	PreviousRootKey RootKey
	TLS             TLS
	// TrustedProxies are the peers whose X-Forwarded headers are believed.
	TrustedProxies []netip.Prefix
	Region         string
	S3             S3
	SMTP           SMTP
	Passwords      Passwords
	Log            Log
	// AllowInsecure are the connections over the network that may go without
	// TLS: InsecureDatabase and the like.
	AllowInsecure []string
	// AuditRetention is how long audit records are kept; 0 for ever.
	AuditRetention time.Duration
	AuditForward   AuditForward

	sources map[string]string // where each key's value is from
}

// Drivers of databases.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Database says where the data is: in a file (Path) with SQLite, behind DSN
// with Postgres.
type Database struct {
	Driver, Path string
	DSN          Secret
}

// RootKey names a root key: a file, or an environment variable that holds
// it. One is set.
type RootKey struct{ File, Env string }

// Passwords says what new passwords are compared with.
type Passwords struct {
	// BreachedFile is a list of passwords known from breaches, as package
	// breach reads it; "" for none.
	BreachedFile string
}

// TLS names the server's certificate chain and key, in PEM; both or none.
type TLS struct {
	CertFile, KeyFile string
	// Subdomains tells that every host below those of the node is served over
	// TLS too.
	Subdomains bool
}

// Log says what is logged and how.
type Log struct {
	Level slog.Level
	JSON  bool
}

// Secret is text that is not shown: printed or logged it is masked.
type Secret string

const mask = "(secret)"

// String returns a mask.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// GoString returns a mask.
func (s Secret) GoString() string { return s.String() }

// MarshalText returns a mask.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// Problems are everything that is wrong with a configuration.
type Problems []string

// Error returns a line for each problem.
func (p Problems) Error() string {
	if len(p) == 1 {
		return "the configuration has a problem: " + p[0]
	}
	return fmt.Sprintf("the configuration has %d problems:\n  - %s", len(p), strings.Join(p, "\n  - "))
}

func (p *Problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// Load returns the configuration in the file at path (none when it is ""),
// overridden by the variables in environ, which has the form of os.Environ,
// and then by overrides, whose keys are those of the file with dots, as in
// "database.dsn". The error is of type Problems unless the file cannot be
// read.
func Load(path string, environ []string, overrides map[string]string) (*Config, error) {
	l := loader{table: table(), values: map[string]value{}}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		l.file(path, text)
	}
	env := l.environment(environ)
	l.overrides(overrides)
	c := l.build()
	l.check(c, env)
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	return c, nil
}
