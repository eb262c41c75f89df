// Package smtp hands messages to a mail server, by SMTP over TLS.
package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/outbound"
)

// Security is how a connection is protected.
type Security string

// The ways.
const (
	// StartTLS begins in the clear and refuses to go on unless the server
	// changes to TLS before anything else.
	StartTLS Security = "starttls"
	// Implicit is TLS from the first byte.
	Implicit Security = "tls"
	// Plain has no TLS. Nothing is authenticated over it.
	Plain Security = "none"
)

// Port is the usual port of a way.
func (s Security) Port() int {
	switch s {
	case Implicit:
		return 465
	case Plain:
		return 25
	default:
		return 587
	}
}

// Options say where mail goes out.
type Options struct {
	Host     string
	Port     int // 0: the usual one
	Security Security
	// UserName and Password are for servers that ask for them; both or none.
	UserName, Password string
	// From is the sender, with or without a name.
	From netmail.Address
	// Roots are the certificate authorities that are trusted; nil for the
	// system's.
	Roots *x509.CertPool
	// Timeout is how long any one step may take.
	Timeout time.Duration
}

// Transport sends by a mail server. It is safe for concurrent use; each message
// has a connection of its own.
type Transport struct {
	options []gomail.Option
	Options
}

// New returns a transport.
func New(o Options) (*Transport, error) {
	var err error
	if o.From.Address, err = mail.Envelope(o.From.Address); err != nil {
		return nil, fmt.Errorf("smtp: the sender: %w", err)
	}
	if o.Port == 0 {
		o.Port = o.Security.Port()
	}
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	secured := &tls.Config{ServerName: o.Host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	t := &Transport{Options: o, options: []gomail.Option{
		gomail.WithPort(o.Port), gomail.WithTimeout(o.Timeout), gomail.WithHELO(helo(o.From.Address)),
		gomail.WithTLSConfig(secured), gomail.WithDialContextFunc(outbound.Configured.Dial),
		gomail.WithoutNoop(),
	}}
	switch o.Security {
	case Implicit:
		// The client is to see that there is TLS already, which it does not
		// look for with the policy NoTLS: it would not send a password.
		t.options = append(t.options, gomail.WithDialContextFunc(outbound.Configured.DialTLS(secured)), gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	case StartTLS:
		t.options = append(t.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case Plain:
		if o.UserName != "" {
			return nil, errors.New("smtp: a password must not travel in the clear")
		}
		t.options = append(t.options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("smtp: no such security: %q", o.Security)
	}
	if o.UserName != "" {
		t.options = append(t.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(o.UserName), gomail.WithPassword(o.Password))
	}
	_, err = gomail.NewClient(o.Host, t.options...)
	return t, err
}

// helo is the name with which the server is greeted: the sender's domain, since
// that of the machine is often none.
func helo(from string) string {
	_, domain, _ := strings.Cut(from, "@")
	return domain
}

// Deliver is part of mail.Transport. What the server refuses for good is a
// mail.ErrRefused; a refusal of the connection or of the password is not: an
// operator may mend it. SMTPUTF8 is asked for by those addresses only that need
// it, since not every server on the way may have it (RFC 6531).
func (t *Transport) Deliver(ctx context.Context, m mail.Message) error {
	message, err := t.compose(m)
	if err != nil {
		return fmt.Errorf("%w: %w", mail.ErrRefused, err)
	}
	ascii := mail.IsASCII(m.To[:strings.LastIndexByte(m.To, '@')]) && mail.IsASCII(t.From.Address)
	options := t.options
	if ascii {
		options = append(slices.Clip(options), gomail.WithoutSMTPUTF8())
	}
	client, err := gomail.NewClient(t.Host, options...)
	if err != nil {
		return err
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("smtp: reaching the server: %w", err)
	}
	// What the server says to the end of a connection changes nothing.
	defer func() { _ = client.CloseWithSMTPClient(connection) }()
	if takes, _ := connection.Extension("SMTPUTF8"); !ascii && !takes {
		return mail.ErrNotASCII
	}
	err = client.SendWithSMTPClient(connection, message)
	if failure, ok := errors.AsType[*gomail.SendError](err); ok && permanent(failure) {
		return fmt.Errorf("%w: %w", mail.ErrRefused, err)
	}
	return err
}

// permanent tells whether the server will never take this message: it refuses
// the person's address, or the content.
func permanent(e *gomail.SendError) bool {
	if e.IsTemp() || e.ErrorCode() < 500 {
		return false
	}
	switch e.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return true
	default:
		return false
	}
}

// compose writes the message. Addresses are parsed, and only the address of the
// recipient is a header: what people are called stands in the text alone.
func (t *Transport) compose(m mail.Message) (*gomail.Msg, error) {
	to, err := mail.Envelope(m.To)
	if err != nil || !mail.Deliverable(m.To) {
		return nil, errors.New("smtp: the address is none that mail can be sent to")
	}
	if strings.ContainsFunc(m.Subject, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("smtp: the subject is not one line")
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(&t.From)
	message.ToMailAddress(&netmail.Address{Address: to})
	message.Subject(m.Subject)
	message.SetDateWithValue(m.Date)
	message.SetMessageIDWithValue(m.ID + "@" + helo(t.From.Address))
	// Automatic answers go to nobody (RFC 3834).
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetGenHeader("X-Auto-Response-Suppress", "All")
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	message.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return message, nil
}
