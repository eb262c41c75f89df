package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What AllowInsecure may have: the database's server, which is not verified then
// or reached in the clear; an S3 server by http; and admin_listen by http.
const (
	InsecureDatabase = "database"
	InsecureS3       = "s3"
	InsecureMetrics  = "metrics"
)

func setAllowInsecure(c *Config, text string) error {
	c.AllowInsecure = nil
	for item := range strings.SplitSeq(text, ",") {
		switch item = strings.TrimSpace(item); item {
		case "":
		case InsecureDatabase, InsecureS3, InsecureMetrics:
			c.AllowInsecure = append(c.AllowInsecure, item)
		default:
			return fmt.Errorf("give any of %s, %s, %s", InsecureDatabase, InsecureS3, InsecureMetrics)
		}
	}
	return nil
}

// Insecure tells whether a connection may go without TLS.
func (c *Config) Insecure(what string) bool { return slices.Contains(c.AllowInsecure, what) }

// checkSecure finds the connections over a network that lack TLS, or do not look
// whom they reach, although nobody has allowed that.
func (l *loader) checkSecure(c *Config, env map[string]string) {
	dsn := c.Database.DSN.Reveal()
	if c.Database.Driver == Postgres && dsn != "" && !c.Insecure(InsecureDatabase) && !verifies(dsn, env) {
		l.problems.add("database.dsn names another machine and does not verify it: add sslmode=verify-full (and sslrootcert, for an authority of your own), or allow_insecure: [database] where the network between is trusted")
	}
	if s := c.S3.Endpoint; s != nil && s.Scheme == "http" && !c.Insecure(InsecureS3) && !isNear(s.Hostname()) {
		l.problems.add("s3.endpoint is http: content and names would travel in the clear; make it https, or allow_insecure: [s3] where the network between is trusted")
	}
	if c.AdminListen != "" && c.TLS.CertFile == "" && !c.Insecure(InsecureMetrics) && !c.AdminIsLocal() {
		l.problems.add("admin_listen is on the network, and there is no certificate (tls) for it: listen on 127.0.0.1, or allow_insecure: [metrics] where the network is trusted")
	}
}

// AdminIsLocal tells whether AdminListen is reached from this machine only.
func (c *Config) AdminIsLocal() bool {
	host, _, err := net.SplitHostPort(c.AdminListen)
	return err == nil && isLocal(host)
}

// verifies tells whether a connection string has the server verified, or stays
// on this machine. Without a word PostgreSQL's clients use TLS when they can,
// check no certificate, and go on without when they are told to; with
// sslmode=require they still do not look whose certificate it is.
func verifies(dsn string, env map[string]string) bool {
	mode := env["PGSSLMODE"]
	if m := dsnMode.FindAllStringSubmatch(dsn, -1); m != nil {
		mode = m[len(m)-1][1]
	}
	return mode == "verify-full" || !slices.ContainsFunc(dsnHosts(dsn, env), func(host string) bool { return !isLocal(host) })
}

// The parts of a connection string: of keywords and values, or of a URL's query.
var (
	dsnMode = regexp.MustCompile(`(?:^|[\s?&])sslmode\s*=\s*'?([a-z-]+)`)
	dsnHost = regexp.MustCompile(`(?:^|[\s?&])host\s*=\s*'?([^\s'&]+)`)
	dsnURL  = regexp.MustCompile(`^postgres(?:ql)?://(?:[^/?]*@)?([^/?]*)`)
)

// dsnHosts returns the hosts of a connection string; none for a socket of this
// machine.
func dsnHosts(dsn string, env map[string]string) []string {
	list := ""
	if m := dsnURL.FindStringSubmatch(dsn); m != nil {
		list = m[1]
	}
	if m := dsnHost.FindAllStringSubmatch(dsn, -1); m != nil {
		list = m[len(m)-1][1]
		if plain, err := url.QueryUnescape(list); err == nil && strings.Contains(dsn, "://") {
			list = plain
		}
	}
	if list == "" {
		list = env["PGHOST"]
	}
	var hosts []string
	for host := range strings.SplitSeq(list, ",") {
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host = strings.Trim(host, "[]"); host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// isLocal tells whether a host is this machine, or a socket on it.
func isLocal(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || err == nil && addr.IsLoopback()
}

// isNear tells whether a host is this machine or an address of a private
// network. A name may be anything.
func isNear(host string) bool {
	addr, err := netip.ParseAddr(host)
	return isLocal(host) || err == nil && addr.Unmap().IsPrivate()
}
