package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"slices"
	"strconv"
	"strings"
)

// SMTP says by which server mail goes out. No mail is sent when Host is empty.
type SMTP struct {
	Host string
	// Port is 0 for the usual one of Security.
	Port int
	// Security is starttls, tls or none.
	Security string
	// UserName and Password are both set, or none.
	UserName string
	Password Secret
	// PasswordFile names the file that Password was read from, if it was.
	PasswordFile string
	// From is the sender.
	From mail.Address
	// CAFile names certificate authorities that are trusted in the place of the
	// system's, Roots are those.
	CAFile string
	Roots  *x509.CertPool
}

// The ways in which a connection to a mail server is protected.
const (
	smtpStartTLS = "starttls"
	smtpTLS      = "tls"
	smtpNone     = "none"
)

func smtpKeys() []key {
	text := func(at func(*SMTP) *string) func(*Config, string) error {
		return setText(func(c *Config) *string { return at(&c.SMTP) })
	}
	return []key{
		{name: "smtp.host", help: "Mail server; no mail is sent when empty.", set: text(func(s *SMTP) *string { return &s.Host })},
		{name: "smtp.port", help: "Its port; 587, or 465 with tls, or 25 with none, when empty.", set: setSMTPPort},
		{name: "smtp.tls", preset: smtpStartTLS, help: "starttls, tls (from the first byte) or none.", set: setSMTPSecurity},
		{name: "smtp.username", help: "User name at the mail server.", set: text(func(s *SMTP) *string { return &s.UserName })},
		{name: "smtp.password", secret: true, help: "Password at the mail server.", set: func(c *Config, text string) error { c.SMTP.Password = Secret(text); return nil }},
		{name: "smtp.password_file", help: "File of the password at the mail server, mode 0600.", set: text(func(s *SMTP) *string { return &s.PasswordFile })},
		{name: "smtp.from", help: "Sender of mail, e.g. Atrium <no-reply@example.com>.", set: setSMTPFrom},
		{name: "smtp.ca_file", help: "Certificate authorities of the mail server, PEM; the system's when empty.", set: text(func(s *SMTP) *string { return &s.CAFile })},
	}
}

func setSMTPPort(c *Config, text string) error {
	if text == "" {
		c.SMTP.Port = 0
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return errors.New("give a port, from 1 to 65535")
	}
	c.SMTP.Port = int(n)
	return nil
}

func setSMTPSecurity(c *Config, text string) error {
	if ways := []string{smtpStartTLS, smtpTLS, smtpNone}; !slices.Contains(ways, text) {
		return fmt.Errorf("give one of %s", strings.Join(ways, ", "))
	}
	c.SMTP.Security = text
	return nil
}

func setSMTPFrom(c *Config, text string) error {
	if text == "" {
		c.SMTP.From = mail.Address{}
		return nil
	}
	a, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("give an address, e.g. no-reply@example.com or Atrium <no-reply@example.com>")
	}
	c.SMTP.From = *a
	return nil
}

// ReadSMTP reads the configuration of a mail server from values of its keys,
// without the "smtp." before them. The error is of type Problems.
func ReadSMTP(values map[string]string) (SMTP, error) {
	l, c := new(loader), new(Config)
	for _, k := range smtpKeys() {
		text := values[strings.TrimPrefix(k.name, "smtp.")]
		if text == "" {
			text = k.preset
		}
		if err := k.set(c, text); err != nil {
			l.problems.add("%s is not good: %s", k.name, err)
		}
	}
	l.checkSMTP(c)
	if len(l.problems) > 0 {
		return SMTP{}, l.problems
	}
	return c.SMTP, nil
}

// checkSMTP finds what is wrong with the keys together, and reads the files.
func (l *loader) checkSMTP(c *Config) {
	s := &c.SMTP
	if s.Host == "" {
		if s.Port != 0 || s.UserName != "" || s.Password != "" || s.PasswordFile != "" || s.From.Address != "" || s.CAFile != "" {
			l.problems.add("smtp.host is missing: other keys of smtp are set")
		}
		return
	}
	if strings.ContainsAny(s.Host, " :/\t\r\n") && !strings.HasPrefix(s.Host, "[") {
		l.problems.add("smtp.host: %q is no host name: give the port as smtp.port", s.Host)
	}
	if s.From.Address == "" {
		l.problems.add("smtp.from is missing: it is the sender of mail, e.g. Atrium <no-reply@example.com>")
	}
	l.readSMTPPassword(s)
	if (s.UserName == "") != (s.Password == "") {
		l.problems.add("smtp.username and smtp.password (or smtp.password_file) go together: set both or none")
	}
	if s.UserName != "" && s.Security == smtpNone {
		l.problems.add("smtp.tls is none, but smtp.username is set: a password must not travel in the clear")
	}
	if s.CAFile == "" {
		return
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		l.readable("smtp.ca_file", s.CAFile)
		return
	}
	if s.Roots = x509.NewCertPool(); !s.Roots.AppendCertsFromPEM(pem) {
		l.problems.add("smtp.ca_file: %s holds no certificate in PEM", s.CAFile)
	}
}

func (l *loader) readSMTPPassword(s *SMTP) {
	path := s.PasswordFile
	if path == "" {
		return
	}
	if s.Password != "" {
		l.problems.add("smtp.password and smtp.password_file are both set; set one")
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		l.readable("smtp.password_file", path)
		return
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		l.problems.add("smtp.password_file: %s holds a secret, but others can read it (mode %04o): chmod 600 %s", path, mode, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		l.readable("smtp.password_file", path)
		return
	}
	if s.Password = Secret(strings.TrimRight(string(text), "\r\n")); s.Password == "" {
		l.problems.add("smtp.password_file: %s is empty", path)
	}
}

// showSMTP returns the value of one of smtpKeys as text.
func (c *Config) showSMTP(name string) string {
	s := &c.SMTP
	switch name {
	case "smtp.host":
		return s.Host
	case "smtp.port":
		if s.Port == 0 {
			return ""
		}
		return strconv.Itoa(s.Port)
	case "smtp.tls":
		return s.Security
	case "smtp.username":
		return s.UserName
	case "smtp.password":
		if s.PasswordFile != "" {
			return ""
		}
		return s.Password.String()
	case "smtp.password_file":
		return s.PasswordFile
	case "smtp.from":
		if s.From.Address == "" {
			return ""
		}
		return s.From.String()
	default:
		return s.CAFile
	}
}
