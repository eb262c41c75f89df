package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// key is one thing that can be configured.
type key struct {
	name   string // as in the file, with dots: "database.dsn"
	help   string
	preset string // the value when nothing is configured
	list   bool
	secret bool
	// set reads text into c. Its error says what is expected, not what was
	// given: that is shown beside it, unless it is secret.
	set func(c *Config, text string) error
}

// variable returns the key's environment variable: "ATRIUM_DATABASE_DSN".
func (k *key) variable() string {
	return "ATRIUM_" + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}

// flag returns the key's flag, without its dashes: "database-dsn".
func (k *key) flag() string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(k.name)
}

// table returns all keys, in the order in which they are printed.
func table() []key {
	return slices.Concat([]key{
		{name: "public_url", help: "Where people and clients find this node, e.g. https://sso.example.com.", set: setPublicURL},
		{name: "data_url", help: "Where stored content is served, on a host of its own; data. before public_url's host when empty.", set: setOrigin(func(c *Config) **url.URL { return &c.DataURL }, "https://data.sso.example.com")},
		{name: "listen", preset: ":8484", help: "Address for people and APIs.", set: setAddress(func(c *Config) *string { return &c.Listen }, false)},
		{name: "admin_listen", preset: "127.0.0.1:8485", help: "Address for metrics and health; empty for none.", set: setAddress(func(c *Config) *string { return &c.AdminListen }, true)},
		{name: "data_dir", preset: "/var/lib/atrium", help: "Directory of the node's files.", set: setText(func(c *Config) *string { return &c.DataDir })},
		{name: "database.driver", preset: SQLite, help: "sqlite or postgres.", set: setDriver},
		{name: "database.path", help: "SQLite's file; atrium.db in data_dir when empty.", set: setText(func(c *Config) *string { return &c.Database.Path })},
		{name: "database.dsn", secret: true, help: "PostgreSQL's connection string.", set: func(c *Config, text string) error { c.Database.DSN = Secret(text); return nil }},
		{name: "root_key.file", help: "File of the root key, mode 0600.", set: setText(func(c *Config) *string { return &c.RootKey.File })},
		{name: "root_key.env", help: "Environment variable that holds the root key.", set: setText(func(c *Config) *string { return &c.RootKey.Env })},
		{name: "root_key.previous_file", help: "File of the root key that root_key replaces, while it does.", set: setText(func(c *Config) *string { return &c.PreviousRootKey.File })},
		{name: "root_key.previous_env", help: "Environment variable that holds the root key that root_key replaces.", set: setText(func(c *Config) *string { return &c.PreviousRootKey.Env })},
		{name: "tls.cert_file", help: "Certificate chain, PEM.", set: setText(func(c *Config) *string { return &c.TLS.CertFile })},
		{name: "tls.key_file", help: "The certificate's key, PEM.", set: setText(func(c *Config) *string { return &c.TLS.KeyFile })},
		{name: "tls.hsts_subdomains", preset: "false", help: "true when every host below public_url's and data_url's is served over TLS, so that browsers may insist on it there too.", set: setBool(func(c *Config) *bool { return &c.TLS.Subdomains })},
		{name: "trusted_proxies", list: true, help: "Addresses and networks of proxies whose X-Forwarded headers are believed.", set: setProxies},
		{name: "allow_insecure", list: true, help: "Connections that may cross a network that you trust without TLS, or without looking whom they reach: database, s3, metrics.", set: setAllowInsecure},
		{name: "region", preset: "us-east-1", help: "The AWS region that this installation is.", set: setRegion},
		{name: "s3.endpoint", help: "S3 server that holds what accounts store; no storage when empty.", set: setOrigin(func(c *Config) **url.URL { return &c.S3.Endpoint }, "https://s3.example.com")},
		{name: "s3.region", preset: "us-east-1", help: "Region that the S3 server wants requests to be signed for.", set: setText(func(c *Config) *string { return &c.S3.Region })},
		{name: "s3.accounts_file", help: "File of each account's access key at the S3 server, YAML, mode 0600.", set: setText(func(c *Config) *string { return &c.S3.AccountsFile })},
	}, smtpKeys(), []key{
		{name: "passwords.breached_file", help: "List of passwords known from breaches, which are refused: Pwned Passwords, SHA-1, ordered by hash; none when empty.", set: setText(func(c *Config) *string { return &c.Passwords.BreachedFile })},
		{name: "log.level", preset: "info", help: "debug, info, warn or error.", set: setLevel},
		{name: "log.format", preset: "text", help: "text or json.", set: setFormat},
		{name: "audit.retention", preset: "365d", help: "How long audit records are kept, e.g. 90d; 0 for ever.", set: setRetention},
	}, forwardKeys())
}

func setBool(at func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, text string) error {
		if text != "true" && text != "false" {
			return fmt.Errorf("give true or false")
		}
		*at(c) = text == "true"
		return nil
	}
}

func setText(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error { *at(c) = text; return nil }
}

func setPublicURL(c *Config, text string) error {
	expected := fmt.Errorf("give a scheme and a host name, and nothing after them, e.g. https://sso.example.com")
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return expected
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return fmt.Errorf("an IP address cannot be the name of security keys and passkeys: give a host name, such as https://sso.example.com or http://localhost:8484")
	}
	if u.Scheme == "http" && u.Hostname() != "localhost" && !strings.HasSuffix(u.Hostname(), ".localhost") {
		return fmt.Errorf("passwords must not travel in the clear: use https, or http with localhost only")
	}
	u.Path, u.Host = "", strings.ToLower(u.Host)
	c.PublicURL = u
	return nil
}

func setAddress(at func(*Config) *string, optional bool) func(*Config, string) error {
	return func(c *Config, text string) error {
		if text != "" || !optional {
			_, port, err := net.SplitHostPort(text)
			if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 {
				return fmt.Errorf("give host:port, or :port for every address of the machine")
			}
		}
		*at(c) = text
		return nil
	}
}

func setDriver(c *Config, text string) error {
	if text != SQLite && text != Postgres {
		return fmt.Errorf("give %s or %s", SQLite, Postgres)
	}
	c.Database.Driver = text
	return nil
}

func setProxies(c *Config, text string) error {
	c.TrustedProxies = nil
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(item)
		if addr, e := netip.ParseAddr(item); e == nil {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("give addresses (192.0.2.7) and networks (192.0.2.0/24)")
		}
		if prefix.Bits() == 0 {
			return fmt.Errorf("%s would believe everybody: name the proxies' own networks", item)
		}
		c.TrustedProxies = append(c.TrustedProxies, prefix.Masked())
	}
	return nil
}

var regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+){1,2}-[1-9]$`)

func setRegion(c *Config, text string) error {
	if !regionForm.MatchString(text) {
		return fmt.Errorf("give a region's name, e.g. us-east-1")
	}
	c.Region = text
	return nil
}

func setLevel(c *Config, text string) error {
	levels := []string{"debug", "info", "warn", "error"}
	if !slices.Contains(levels, text) {
		return fmt.Errorf("give one of %s", strings.Join(levels, ", "))
	}
	return c.Log.Level.UnmarshalText([]byte(text))
}

func setFormat(c *Config, text string) error {
	if text != "text" && text != "json" {
		return fmt.Errorf("give text or json")
	}
	c.Log.JSON = text == "json"
	return nil
}

// maxRetentionDays keeps a retention within a time.Duration.
const maxRetentionDays = 36500

func setRetention(c *Config, text string) error {
	if text == "0" {
		c.AuditRetention = 0
		return nil
	}
	days, isDays := strings.CutSuffix(text, "d")
	n, err := strconv.ParseUint(days, 10, 32)
	if !isDays || err != nil || n == 0 || n > maxRetentionDays {
		return fmt.Errorf("give a number of days up to %d, e.g. 90d, or 0 to keep records for ever", maxRetentionDays)
	}
	c.AuditRetention = time.Duration(n) * 24 * time.Hour
	return nil
}
