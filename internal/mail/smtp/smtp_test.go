package smtp_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mail/smtp"
	"github.com/atrium-iam/atrium/internal/outbound"
	"github.com/atrium-iam/atrium/test/mailsink"
)

func sink(t *testing.T, o mailsink.Options) *mailsink.Server {
	t.Helper()
	s, err := mailsink.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// to returns the options that reach a server.
func to(s *mailsink.Server, how smtp.Security) smtp.Options {
	return smtp.Options{
		Host: s.Host, Port: s.Port, Security: how, Roots: s.Roots, Timeout: 5 * time.Second,
		From: netmail.Address{Name: "Atrium", Address: "no-reply@sso.example.com"},
	}
}

func message() mail.Message {
	return mail.Message{
		ID: "0123456789abcdef0123456789abcdef", To: "sam.lee@example.com", Subject: "Grüße · your code", Date: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC),
		Text: "Hello Sam,\n\n.a line that begins with a dot\n" + strings.Repeat("long ", 400) + "\n", HTML: "<!doctype html><p>Hello Sam – <b>bold</b></p>",
	}
}

func send(t *testing.T, o smtp.Options, m mail.Message) error {
	t.Helper()
	transport, err := smtp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return transport.Deliver(t.Context(), m)
}

func TestDeliver(t *testing.T) {
	for name, c := range map[string]struct {
		server mailsink.Options
		how    smtp.Security
		tls    bool
	}{
		"STARTTLS":                {mailsink.Options{}, smtp.StartTLS, true},
		"STARTTLS, authenticated": {mailsink.Options{UserName: "atrium", Password: "s3cret"}, smtp.StartTLS, true},
		"implicit TLS":            {mailsink.Options{Implicit: true, UserName: "atrium", Password: "s3cret"}, smtp.Implicit, true},
		"in the clear":            {mailsink.Options{NoTLS: true}, smtp.Plain, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := sink(t, c.server)
			o := to(s, c.how)
			o.UserName, o.Password = c.server.UserName, c.server.Password
			m := message()
			if err := send(t, o, m); err != nil {
				t.Fatal(err)
			}
			all := s.Messages()
			if len(all) != 1 {
				t.Fatalf("%d messages arrived", len(all))
			}
			got := all[0]
			if got.From != "no-reply@sso.example.com" || got.To != m.To || got.TLS != c.tls {
				t.Errorf("from %s to %s, TLS %v", got.From, got.To, got.TLS)
			}
			if got.Subject != m.Subject || got.Text != m.Text || got.HTML != m.HTML {
				t.Errorf("the message was changed on its way:\n%s", got.Raw)
			}
			for name, want := range map[string]string{
				"From": `"Atrium" <no-reply@sso.example.com>`, "To": "<sam.lee@example.com>", "Date": "Fri, 01 May 2026 12:00:00 +0000",
				"Message-Id": "<0123456789abcdef0123456789abcdef@sso.example.com>", "Auto-Submitted": "auto-generated", "Bcc": "", "Cc": "",
			} {
				if got.Header.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
				}
			}
		})
	}
}

// TestDeliverIsSafe has servers that are not what they should be. Nothing of a
// message, and no password, may reach them.
func TestDeliverIsSafe(t *testing.T) {
	for name, c := range map[string]struct {
		server mailsink.Options
		change func(*smtp.Options)
	}{
		"a server without STARTTLS":     {mailsink.Options{NoTLS: true}, func(*smtp.Options) {}},
		"an unknown certificate":        {mailsink.Options{}, func(o *smtp.Options) { o.Roots = x509.NewCertPool() }},
		"a certificate of another host": {mailsink.Options{}, func(o *smtp.Options) { o.Host = "127.0.0.2" }},
		"TLS, an unknown certificate":   {mailsink.Options{Implicit: true}, func(o *smtp.Options) { o.Security, o.Roots = smtp.Implicit, x509.NewCertPool() }},
		"TLS, one of another host":      {mailsink.Options{Implicit: true}, func(o *smtp.Options) { o.Security, o.Host = smtp.Implicit, "127.0.0.2" }},
		"TLS, a wrong password": {mailsink.Options{Implicit: true, UserName: "atrium", Password: "s3cret"}, func(o *smtp.Options) {
			o.Security, o.UserName, o.Password = smtp.Implicit, "atrium", "wrong"
		}},
		"a wrong password":              {mailsink.Options{UserName: "atrium", Password: "s3cret"}, func(o *smtp.Options) { o.UserName, o.Password = "atrium", "wrong" }},
		"no password":                   {mailsink.Options{UserName: "atrium", Password: "s3cret"}, func(*smtp.Options) {}},
		"a password that is not wanted": {mailsink.Options{NoTLS: true}, func(o *smtp.Options) { o.UserName, o.Password = "atrium", "s3cret" }},
	} {
		t.Run(name, func(t *testing.T) {
			listen := ""
			if strings.Contains(name, "of another host") {
				listen = "127.0.0.2:0"
			}
			c.server.Listen = listen
			s := sink(t, c.server)
			o := to(s, smtp.StartTLS)
			c.change(&o)
			err := send(t, o, message())
			if err == nil || errors.Is(err, mail.ErrRefused) {
				t.Errorf("the error is %v; an operator may mend this, so it has to be tried again", err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error tells the password: %v", err)
			}
			if len(s.Messages()) != 0 {
				t.Error("the message arrived")
			}
		})
	}
	o := smtp.Options{Host: "localhost", Security: smtp.Plain, UserName: "atrium", Password: "s3cret"}
	if _, err := smtp.New(o); err == nil {
		t.Error("a password may travel in the clear")
	}
}

// TestAddressesThatNoMailServerHas is about addresses at which clouds hand out
// credentials.
func TestAddressesThatNoMailServerHas(t *testing.T) {
	for _, how := range []smtp.Security{smtp.StartTLS, smtp.Implicit, smtp.Plain} {
		o := smtp.Options{Host: "169.254.169.254", Security: how, From: netmail.Address{Address: "no-reply@sso.example.com"}}
		err := send(t, o, message())
		if refused, ok := errors.AsType[*outbound.Refused](err); !ok || !strings.HasPrefix(refused.Address, o.Host+":") {
			t.Errorf("%s: %v, want the address refused", how, err)
		}
	}
}

// TestWhatIsForGood tells what the sender gives up from what it tries again.
func TestWhatIsForGood(t *testing.T) {
	for _, c := range []struct {
		code  int
		final bool
	}{{421, false}, {450, false}, {451, false}, {452, false}, {550, true}, {553, true}} {
		t.Run(fmt.Sprint(c.code), func(t *testing.T) {
			s := sink(t, mailsink.Options{Refuse: func(int, *mailsink.Message) error {
				return &gosmtp.SMTPError{Code: c.code, EnhancedCode: gosmtp.EnhancedCode{c.code / 100, 0, 0}, Message: "no"}
			}})
			if err := send(t, to(s, smtp.StartTLS), message()); err == nil || errors.Is(err, mail.ErrRefused) != c.final {
				t.Errorf("%d: %v, for good: want %v", c.code, err, c.final)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		o := smtp.Options{Host: "localhost", Port: port, Security: smtp.StartTLS, From: netmail.Address{Address: "a@example.com"}}
		if err := send(t, o, message()); err == nil || errors.Is(err, mail.ErrRefused) {
			t.Errorf("the error is %v; it has to be tried again", err)
		}
	})
}

// TestNothingIsInjected has addresses and names that try to become headers,
// commands or other recipients.
func TestNothingIsInjected(t *testing.T) {
	s := sink(t, mailsink.Options{})
	o := to(s, smtp.StartTLS)
	for _, address := range []string{
		"sam@example.com\r\nBcc: eve@example.org", "sam@example.com\nRCPT TO:<eve@example.org>", "sam@example.com, eve@example.org",
		"Eve <eve@example.org>", "sam@example.com\x00", "<sam@example.com>", "", "sam", "@example.com", "sam@example.com>\r\nDATA\r\n.",
		"sam@exa mple.com", "\"sam\r\n\"@example.com", strings.Repeat("a", 250) + "@example.com", "group: sam@example.com;",
	} {
		m := message()
		m.To = address
		if err := send(t, o, m); !errors.Is(err, mail.ErrRefused) {
			t.Errorf("%q: %v, want it refused", address, err)
		}
	}
	m := message()
	m.Subject = "Hello\r\nBcc: eve@example.org"
	if err := send(t, o, m); !errors.Is(err, mail.ErrRefused) {
		t.Errorf("a subject of two lines: %v", err)
	}
	m = message()
	m.Text = "one\r\n.\r\nMAIL FROM:<eve@example.org>\r\nQUIT\r\n"
	if err := send(t, o, m); err != nil {
		t.Fatal(err)
	}
	if all := s.Messages(); len(all) != 1 || s.Begun() != 1 || !strings.Contains(all[0].Text, "MAIL FROM:<eve@example.org>") {
		t.Errorf("%d messages begun, %d arrived: a text became commands", s.Begun(), len(all))
	}
}
