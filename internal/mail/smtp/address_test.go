package smtp_test

import (
	"errors"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mail/smtp"
	"github.com/atrium-iam/atrium/test/mailsink"
)

// TestAddressesThatAreNotASCII sends to, and from, people and domains with other
// characters, by servers that offer SMTPUTF8 and by such that do not: those
// never see a character that they do not take.
func TestAddressesThatAreNotASCII(t *testing.T) {
	for _, c := range []struct {
		from, to string
		offers   bool   // SMTPUTF8
		want     string // of the envelope; "" for given up
		asks     bool   // for SMTPUTF8
	}{
		{"no-reply@sso.example.com", "sam@exämple.com", false, "sam@xn--exmple-cua.com", false},
		{"no-reply@sso.example.com", "sam@exämple.com", true, "sam@xn--exmple-cua.com", false},
		{"no-reply@sso.example.com", "sam@example.com", true, "sam@example.com", false},
		{"no-reply@sso.example.com", "jürgen@example.com", true, "jürgen@example.com", true},
		{"no-reply@sso.example.com", "jürgen@exämple.com", true, "jürgen@xn--exmple-cua.com", true},
		{"no-reply@sso.example.com", "jürgen@example.com", false, "", false},
		{"no-reply@sso.exämple.com", "sam@example.com", false, "sam@example.com", false},
		{"grüße@example.com", "sam@example.com", true, "sam@example.com", true},
		{"grüße@example.com", "sam@example.com", false, "", false},
	} {
		name := c.from + " to " + c.to
		if !c.offers {
			name += " without SMTPUTF8"
		}
		t.Run(name, func(t *testing.T) {
			s := sink(t, mailsink.Options{UTF8: c.offers})
			o := to(s, smtp.StartTLS)
			o.From = netmail.Address{Name: "Atrium", Address: c.from}
			m := message()
			m.To = c.to
			err := send(t, o, m)
			all := s.Messages()
			if c.want == "" {
				if !errors.Is(err, mail.ErrNotASCII) || !errors.Is(err, mail.ErrRefused) || !strings.Contains(err.Error(), "SMTPUTF8") || s.Begun() != 0 {
					t.Errorf("%v, %d begun", err, s.Begun())
				}
				return
			}
			if err != nil || len(all) != 1 {
				t.Fatalf("%v, %d arrived", err, len(all))
			}
			got := all[0]
			if got.To != c.want || got.UTF8 != c.asks || got.Subject != m.Subject || got.Text != m.Text {
				t.Errorf("to %s, SMTPUTF8 %v", got.To, got.UTF8)
			}
			if h := got.Header.Get("To"); h != "<"+c.want+">" {
				t.Errorf("To: %s", h)
			}
			header, _, _ := strings.Cut(string(got.Raw), "\r\n\r\n")
			if !c.asks && !mail.IsASCII(header) {
				t.Errorf("a header is not ASCII:\n%s", header)
			}
		})
	}
}
