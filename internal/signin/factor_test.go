package signin_test

import (
	"encoding/base32"
	"net/url"
	"strings"
	"testing"

	"github.com/pquerna/otp/hotp"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
)

// plainKey keeps secrets as they are: enough for tests of the steps.
type plainKey struct{}

func (plainKey) Seal(plaintext, _ []byte) ([]byte, error) { return plaintext, nil }
func (plainKey) Open(sealed, _ []byte) ([]byte, error)    { return sealed, nil }
func (plainKey) Sign(data []byte) ([]byte, error)         { return data, nil }
func (plainKey) Verify(data, tag []byte) error {
	if string(data) != string(tag) {
		return fault.New(fault.Denied, "", "not signed")
	}
	return nil
}

func newFactors(t *testing.T, ids ident.Source) *mfa.Factors {
	t.Helper()
	f, err := mfa.New(mfa.Options{
		URL: &url.URL{Scheme: "https", Host: "portal.example.com"}, Name: "Atrium", Seeds: plainKey{}, Cookies: plainKey{}, IDs: ids,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (b *bench) settings(edit func(*authsettings.Settings)) {
	b.t.Helper()
	b.update(func(tx *store.Tx) error {
		_, err := authsettings.Change(tx, b.in.IdentityStoreID, edit)
		return err
	})
}

// code is what an app with a secret shows, some steps from now.
func (b *bench) code(secret string, steps int64) string {
	b.t.Helper()
	code, err := hotp.GenerateCode(strings.ReplaceAll(secret, " ", ""), uint64(b.now.Unix()/30+steps))
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

func TestRegisteringAtTheSignIn(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) {
			s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEnroll
		})
		v := from("203.0.113.9")
		a := b.begin(v, "sam.lee")
		out, err := b.flow.Password(t.Context(), v, a.ID, chosen)
		if err != nil || out.Attempt.Next() != signin.StepRegister || out.Token != "" {
			t.Fatalf("after the password: step %d, %v", out.Attempt.Next(), err)
		}
		app, err := b.flow.BeginApp(t.Context(), v, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := base32.StdEncoding.DecodeString(app.Secret); err != nil {
			t.Errorf("secret %q: %v", app.Secret, err)
		}
		for name, codes := range map[string][2]string{
			"nothing": {}, "one code": {b.code(app.Secret, 0), b.code(app.Secret, 0)},
			"the wrong order": {b.code(app.Secret, 1), b.code(app.Secret, 0)}, "old ones": {b.code(app.Secret, -5), b.code(app.Secret, -4)},
		} {
			if _, err := b.flow.Register(t.Context(), v, a.ID, signin.NewDevice{Name: "phone", First: codes[0], Second: codes[1]}); !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v", name, err)
			}
		}
		out, err = b.flow.Register(t.Context(), v, a.ID, signin.NewDevice{Name: "phone", First: b.code(app.Secret, -1), Second: b.code(app.Secret, 0)})
		if err != nil || !b.open(out.Token) || !out.Session.MFAAt.Equal(b.now) {
			t.Fatalf("after registering: %+v, %v", out, err)
		}

		again := b.begin(v, "sam.lee")
		out, err = b.flow.Password(t.Context(), v, again.ID, chosen)
		if err != nil || out.Attempt.Next() != signin.StepFactor {
			t.Fatalf("the next time: step %d, %v", out.Attempt.Next(), err)
		}
		for name, code := range map[string]string{"the code of the registration": b.code(app.Secret, 0), "an older one": b.code(app.Secret, -1), "too new": b.code(app.Secret, 2), "nothing": ""} {
			if _, err := b.flow.Factor(t.Context(), v, again.ID, signin.Proof{Code: code}); !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v", name, err)
			}
		}
		out, err = b.flow.Factor(t.Context(), v, again.ID, signin.Proof{Code: b.code(app.Secret, 1)})
		if err != nil || !b.open(out.Token) || !out.Session.MFAAt.Equal(b.now) {
			t.Fatalf("with a code: %+v, %v", out, err)
		}
	})
}
