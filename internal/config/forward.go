package config

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// AuditForward says where the records of the audit trail go, as soon as they
// are in it.
type AuditForward struct {
	// File is a file that they are appended to; "" for none.
	File string
	// Stdout has them printed.
	Stdout bool
	// Syslog is a syslog server, host:port, spoken to over TLS; "" for none.
	Syslog string
	// SyslogCAFile names certificate authorities that are trusted in the place of
	// the system's, SyslogRoots are those.
	SyslogCAFile string
	SyslogRoots  *x509.CertPool
}

func forwardKeys() []key {
	text := func(at func(*AuditForward) *string) func(*Config, string) error {
		return setText(func(c *Config) *string { return at(&c.AuditForward) })
	}
	return []key{
		{name: "audit.forward_file", help: "File that audit records are appended to; none when empty.", set: text(func(a *AuditForward) *string { return &a.File })},
		{name: "audit.forward_stdout", preset: "false", help: "true prints audit records on standard output.", set: setForwardStdout},
		{name: "audit.forward_syslog", help: "Syslog server that audit records are sent to, over TLS, host:port; none when empty.", set: setForwardSyslog},
		{name: "audit.forward_syslog_ca_file", help: "Certificate authorities of the syslog server, PEM; the system's when empty.", set: text(func(a *AuditForward) *string { return &a.SyslogCAFile })},
	}
}

func setForwardStdout(c *Config, text string) error {
	if text != "true" && text != "false" {
		return fmt.Errorf("give true or false")
	}
	c.AuditForward.Stdout = text == "true"
	return nil
}

func setForwardSyslog(c *Config, text string) error {
	if text != "" {
		host, port, err := net.SplitHostPort(text)
		if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 || host == "" {
			return fmt.Errorf("give host:port, e.g. logs.example.com:6514")
		}
	}
	c.AuditForward.Syslog = text
	return nil
}

// checkForward finds what is wrong with the keys together, and reads the file.
func (l *loader) checkForward(c *Config) {
	a := &c.AuditForward
	if a.File != "" {
		if info, err := os.Stat(filepath.Dir(a.File)); err != nil || !info.IsDir() {
			l.problems.add("audit.forward_file: there is no directory %s", filepath.Dir(a.File))
		}
	}
	if a.SyslogCAFile == "" {
		return
	}
	if a.Syslog == "" {
		l.problems.add("audit.forward_syslog is missing: audit.forward_syslog_ca_file is set")
	}
	pem, err := os.ReadFile(a.SyslogCAFile)
	if err != nil {
		l.readable("audit.forward_syslog_ca_file", a.SyslogCAFile)
		return
	}
	if a.SyslogRoots = x509.NewCertPool(); !a.SyslogRoots.AppendCertsFromPEM(pem) {
		l.problems.add("audit.forward_syslog_ca_file: %s holds no certificate in PEM", a.SyslogCAFile)
	}
}

// showForward returns the value of one of forwardKeys as text.
func (c *Config) showForward(name string) string {
	a := &c.AuditForward
	switch name {
	case "audit.forward_file":
		return a.File
	case "audit.forward_stdout":
		return strconv.FormatBool(a.Stdout)
	case "audit.forward_syslog":
		return a.Syslog
	default:
		return a.SyslogCAFile
	}
}
