package signin_test

import (
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/hotp"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
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

// register gives sam.lee an authenticator app and returns its secret.
func (b *bench) register(name string) (secret string) {
	b.t.Helper()
	b.update(func(tx *store.Tx) error {
		app, err := b.flow.Factors.BeginApp(tx, b.now, "registering "+name, b.sam.StoreID, b.sam.ID, "sam.lee")
		secret = app.Secret
		return err
	})
	b.update(func(tx *store.Tx) error {
		_, right, err := b.flow.Factors.FinishApp(tx, b.now, "registering "+name, b.sam.StoreID, b.sam.ID, name, b.code(secret, -1), b.code(secret, 0))
		if !right && err == nil {
			err = errors.New("the app was not registered")
		}
		return err
	})
	b.now = b.now.Add(time.Minute)
	return secret
}

// pass takes sam.lee past the password.
func (b *bench) pass(v signin.Visit) signin.Outcome {
	b.t.Helper()
	out, err := b.flow.Password(b.t.Context(), v, b.begin(v, "sam.lee").ID, chosen)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// step is what sam.lee has to do after the password.
func (b *bench) step(v signin.Visit) signin.Step {
	b.t.Helper()
	out := b.pass(v)
	return out.Attempt.Next()
}

// letters returns the letters of a kind that wait to be sent, oldest first.
func (b *bench) letters(kind mail.Kind) (contents []mail.Content) {
	b.t.Helper()
	b.update(func(tx *store.Tx) error {
		contents = nil
		due, err := tx.DueLetters(b.now, 100_000)
		for _, l := range due {
			var c mail.Content
			if l.Kind != kind {
				continue
			}
			if err := json.Unmarshal(l.Sealed, &c); err != nil {
				return err
			}
			contents = append(contents, c)
		}
		return err
	})
	return contents
}

// trail returns what was recorded with changes, sorted, as "name type details".
func (b *bench) trail() (records []string) {
	b.t.Helper()
	b.update(func(tx *store.Tx) error {
		records = nil
		pending, err := tx.PendingAudit(100)
		for _, p := range pending {
			var r struct {
				EventName, EventSource string
				AdditionalEventData    map[string]any
				ServiceEventDetails    map[string]string
			}
			if err := json.Unmarshal(p.Body, &r); err != nil {
				return err
			}
			credentialType, _ := r.AdditionalEventData["CredentialType"].(string)
			records = append(records, strings.TrimSpace(r.EventName+" "+credentialType+" "+r.ServiceEventDetails[r.EventName]))
		}
		slices.Sort(records)
		return err
	})
	return records
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
		if err := b.flow.Fresh(t.Context(), out.Session.ID); err != nil {
			t.Errorf("the session does not know of the factor: %v", err)
		}
	})
}

// TestWhatComesNext goes through the settings: each mode, each rule for who has
// no device, with and without a device and trust.
func TestWhatComesNext(t *testing.T) {
	modes := []authsettings.MfaMode{authsettings.MfaDisabled, authsettings.MfaContextAware, authsettings.MfaAlwaysOn}
	none := map[authsettings.NoMfa]signin.Step{
		authsettings.NoMfaAllow: signin.StepDone, authsettings.NoMfaEnroll: signin.StepRegister,
		authsettings.NoMfaEmail: signin.StepEmailCode, authsettings.NoMfaBlock: signin.StepBlocked,
	}
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaContextAware })
		secret := b.register("phone")
		trusted := from("203.0.113.9")
		out, err := b.flow.Factor(t.Context(), trusted, b.pass(trusted).Attempt.ID, signin.Proof{Code: b.code(secret, 0), Trust: true})
		if err != nil || out.Trusted == "" {
			t.Fatalf("%+v, %v", out, err)
		}
		trusted.Trusted = out.Trusted
		for _, device := range []bool{true, false} {
			for _, mode := range modes {
				for rule, without := range none {
					b.settings(func(s *authsettings.Settings) {
						s.MfaMode, s.NoMfa, s.MfaTypes = mode, rule, []authsettings.MfaType{authsettings.Webauthn}
						if device {
							s.MfaTypes = append(s.MfaTypes, authsettings.Totp)
						}
					})
					b.now = b.now.Add(time.Hour) // for the limits of mail
					for _, trust := range []bool{true, false} {
						v := trusted
						if !trust {
							v.Trusted = ""
						}
						want := without
						switch {
						case mode == authsettings.MfaDisabled, mode == authsettings.MfaContextAware && trust:
							want = signin.StepDone
						case device:
							want = signin.StepFactor
						}
						out := b.pass(v)
						if out.Attempt.Next() != want || (out.Token != "") != (want == signin.StepDone) || !out.Session.MFAAt.IsZero() {
							t.Errorf("%s, %s, device %v, trusted %v: step %d, want %d", mode, rule, device, trust, out.Attempt.Next(), want)
						}
					}
				}
			}
		}
	})
}

// TestTrustIsOfOneContext signs in with the same cookie from elsewhere.
func TestTrustIsOfOneContext(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaContextAware })
		secret := b.register("phone")
		v := from("203.0.113.9")
		out, err := b.flow.Factor(t.Context(), v, b.pass(v).Attempt.ID, signin.Proof{Code: b.code(secret, 0), Trust: true})
		if err != nil {
			t.Fatal(err)
		}
		if want := b.now.Add(mfa.TrustLifetime); !out.TrustedUntil.Equal(want) {
			t.Errorf("trusted until %s, want %s", out.TrustedUntil, want)
		}
		v.Trusted = out.Trusted
		for name, change := range map[string]func(*signin.Visit){
			"another network": func(v *signin.Visit) { v.Address = from("198.51.100.9").Address },
			"another browser": func(v *signin.Visit) { v.UserAgent = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0" },
			"no cookie":       func(v *signin.Visit) { v.Trusted = "" },
		} {
			v := v
			change(&v)
			if got := b.step(v); got != signin.StepFactor {
				t.Errorf("%s: step %d", name, got)
			}
		}
		if got := b.step(v); got != signin.StepDone {
			t.Errorf("the same context: step %d", got)
		}
		b.now = b.now.Add(time.Second)
		b.setOneTime(oneTime)
		b.setOwn(chosen)
		if got := b.step(v); got != signin.StepFactor {
			t.Errorf("after an administrator's reset: step %d", got)
		}
		if out, err = b.flow.Factor(t.Context(), v, b.pass(v).Attempt.ID, signin.Proof{Code: b.code(secret, 1), Trust: true}); err != nil {
			t.Fatal(err)
		}
		v.Trusted = out.Trusted
		if got := b.step(v); got != signin.StepDone {
			t.Errorf("trusted again: step %d", got)
		}
		b.update(func(tx *store.Tx) error {
			_, err := mfa.ForgetBrowsers(tx, b.sam.StoreID, b.sam.ID)
			return err
		})
		if got := b.step(v); got != signin.StepFactor {
			t.Errorf("forgotten: step %d", got)
		}
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaAlwaysOn })
		b.now = b.now.Add(time.Minute)
		out, err = b.flow.Factor(t.Context(), v, b.pass(v).Attempt.ID, signin.Proof{Code: b.code(secret, 0), Trust: true})
		if err != nil || out.Trusted != "" {
			t.Errorf("trust where every sign-in is asked: %q, %v", out.Trusted, err)
		}
	})
}

// TestGuessingFactors has somebody who knows the password try codes: how many
// are looked at is bounded, and the person still gets in.
func TestGuessingFactors(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaAlwaysOn })
		secret := b.register("phone")
		right := b.code(secret, 0)
		thief := from("198.51.100.7")
		id := b.pass(thief).Attempt.ID
		looked := 0
		for i := range 1000 {
			code := fmt.Sprintf("%06d", i)
			if code == right {
				continue
			}
			_, err := b.flow.Factor(t.Context(), thief, id, signin.Proof{Code: code})
			switch {
			case fault.Is(err, fault.Denied):
				looked++
			case !fault.Is(err, fault.Throttled):
				t.Fatal(err)
			}
			b.now = b.now.Add(time.Second)
			right = b.code(secret, 0)
		}
		if looked == 0 || looked > 20 {
			t.Errorf("%d of 1000 codes in as many seconds were looked at", looked)
		}
		sam := from("203.0.113.9")
		id = b.pass(sam).Attempt.ID
		_, err := b.flow.Factor(t.Context(), sam, id, signin.Proof{Code: b.code(secret, 0)})
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.RetryAfter <= 0 || e.RetryAfter > 5*time.Minute {
			t.Fatalf("the person waits: %v", err)
		}
		b.now = b.now.Add(e.RetryAfter)
		if out, err := b.flow.Factor(t.Context(), sam, id, signin.Proof{Code: b.code(secret, 0)}); err != nil || !b.open(out.Token) {
			t.Errorf("the person after the wait: %v", err)
		}
	})
}

// TestChangesBeforeTheFactor changes what the second step rests on, between the
// steps.
func TestChangesBeforeTheFactor(t *testing.T) {
	for name, change := range map[string]func(*bench, *store.Tx) error{
		"an administrator resets the password": func(b *bench, tx *store.Tx) error {
			return credential.SetOneTime(tx, b.now, b.sam.StoreID, b.sam.ID, "$argon2id$other")
		},
		"an administrator removes the device": func(b *bench, tx *store.Tx) error {
			devices, err := mfa.List(tx, b.sam.StoreID, b.sam.ID)
			if err != nil {
				return err
			}
			_, err = mfa.Reset(tx, b.sam.StoreID, b.sam.ID, devices[0].ID)
			return err
		},
		"devices of the type are not allowed any more": func(b *bench, tx *store.Tx) error {
			_, err := authsettings.Change(tx, b.in.IdentityStoreID, func(s *authsettings.Settings) { s.MfaTypes = []authsettings.MfaType{authsettings.Webauthn} })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.Open(t, store.Config{}))
			b.setOwn(chosen)
			b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaAlwaysOn })
			secret := b.register("phone")
			v := from("203.0.113.9")
			id := b.pass(v).Attempt.ID
			b.update(func(tx *store.Tx) error { return change(b, tx) })
			if out, err := b.flow.Factor(t.Context(), v, id, signin.Proof{Code: b.code(secret, 0)}); !gone(err) {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

// TestNoStepIsSkipped takes the steps in the wrong order.
func TestNoStepIsSkipped(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.setOwn(chosen)
	b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaAlwaysOn })
	secret := b.register("phone")
	v := from("203.0.113.9")
	fresh := b.begin(v, "sam.lee")
	if _, err := b.flow.Factor(t.Context(), v, fresh.ID, signin.Proof{Code: b.code(secret, 0)}); !gone(err) {
		t.Errorf("a second factor before the password: %v", err)
	}
	asked := b.pass(v).Attempt
	if _, err := b.flow.BeginApp(t.Context(), v, asked.ID); !gone(err) {
		t.Errorf("registering in the place of proving: %v", err)
	}
	if _, err := b.flow.Register(t.Context(), v, asked.ID, signin.NewDevice{Name: "x", First: "1", Second: "2"}); !gone(err) {
		t.Errorf("registering in the place of proving: %v", err)
	}
	if _, err := b.flow.EmailCode(t.Context(), v, asked.ID, signin.Proof{Code: "1"}); !gone(err) {
		t.Errorf("a mailed code in the place of a device: %v", err)
	}
	thief := from("198.51.100.7")
	if _, err := b.flow.Factor(t.Context(), thief, asked.ID, signin.Proof{Code: b.code(secret, 0)}); !gone(err) {
		t.Errorf("in another browser: %v", err)
	}
	b.settings(func(s *authsettings.Settings) { s.MfaTypes = []authsettings.MfaType{authsettings.Totp} })
	if _, err := b.flow.Factor(t.Context(), v, asked.ID, signin.Proof{Key: []byte("{}")}); !fault.Is(err, fault.Denied) {
		t.Errorf("a type that is not allowed: %v", err)
	}
}

func TestEmailCodes(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEmail })
		v := from("203.0.113.9")
		a := b.pass(v).Attempt
		asked, err := b.flow.AskEmailCode(t.Context(), v, a.ID)
		if err != nil || asked.To != "s•••@example.com" {
			t.Errorf("%+v, %v", asked, err)
		}
		sent := b.letters(mail.FactorCode)
		if len(sent) != 1 {
			t.Fatalf("%d letters", len(sent))
		}
		for _, code := range []string{"", "1", sent[0].Code[1:]} {
			if _, err := b.flow.EmailCode(t.Context(), v, a.ID, signin.Proof{Code: code}); !fault.Is(err, fault.Denied) {
				t.Errorf("%q: %v", code, err)
			}
		}
		if err := b.flow.ResendEmailCode(t.Context(), v, a.ID); err != nil {
			t.Fatal(err)
		}
		if sent = b.letters(mail.FactorCode); len(sent) != 2 {
			t.Fatalf("%d letters after asking for another", len(sent))
		}
		codes := map[string]bool{sent[0].Code: true, sent[1].Code: true}
		var out signin.Outcome
		for code := range codes {
			got, err := b.flow.EmailCode(t.Context(), v, a.ID, signin.Proof{Code: code})
			if err == nil {
				out = got
			}
		}
		if !b.open(out.Token) || !out.Session.MFAAt.IsZero() {
			t.Errorf("with the code: %+v", out)
		}
		other := b.pass(v).Attempt
		for code := range codes {
			if _, err := b.flow.EmailCode(t.Context(), v, other.ID, signin.Proof{Code: code}); err == nil {
				t.Error("the code of one sign-in works in another")
			}
		}
		// Nobody's mailbox is filled.
		var throttled error
		for range 10 {
			throttled = b.flow.ResendEmailCode(t.Context(), v, other.ID)
		}
		if !fault.Is(throttled, fault.Throttled) {
			t.Errorf("the tenth code: %v", throttled)
		}
	})
}

// TestWithoutMailNoCodes blocks who needs a code where none can be sent.
func TestWithoutMailNoCodes(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.setOwn(chosen)
	b.settings(func(s *authsettings.Settings) { s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEmail })
	b.flow.Mail = nil
	if got := b.step(from("203.0.113.9")); got != signin.StepBlocked {
		t.Errorf("step %d", got)
	}
}

func TestSessionsLastAsSet(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.setOwn(chosen)
	b.settings(func(s *authsettings.Settings) { s.SessionLimit = 900 })
	out := b.pass(from("203.0.113.9"))
	if want := b.now.Add(15 * time.Minute); !out.Session.ExpiresAt.Equal(want) {
		t.Errorf("until %s, want %s", out.Session.ExpiresAt, want)
	}
	b.settings(func(s *authsettings.Settings) { s.SessionLimit = 90 * 24 * 3600 })
	b.now = b.now.Add(14 * time.Minute)
	if !b.open(out.Token) {
		t.Error("it ended too early")
	}
	b.now = b.now.Add(time.Minute)
	if b.open(out.Token) {
		t.Error("a longer setting made an open session longer")
	}
}

func TestFactorsInTheTrail(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaAlwaysOn })
		secret := b.register("phone")
		v := from("203.0.113.9")
		id := b.pass(v).Attempt.ID
		_, _ = b.flow.Factor(t.Context(), v, id, signin.Proof{Code: "wrong!"})
		if _, err := b.flow.Factor(t.Context(), v, id, signin.Proof{Code: b.code(secret, 0)}); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"CredentialChallenge TOTP Success", "CredentialVerification PASSWORD Success", "CredentialVerification TOTP Failure",
			"CredentialVerification TOTP Success", "UserAuthentication PASSWORD,TOTP Success",
		}
		if diff := cmp.Diff(want, b.trail()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestWhyBlocked has sam.lee, who has no device, stopped for each reason.
func TestWhyBlocked(t *testing.T) {
	for name, tt := range map[string]struct {
		noMfa authsettings.NoMfa
		mails bool
		want  signin.Blocked
	}{
		"a device is needed": {authsettings.NoMfaBlock, true, signin.BlockedDevice},
		"no mail is sent":    {authsettings.NoMfaEmail, false, signin.BlockedMail},
		"the address is new": {authsettings.NoMfaEmail, true, signin.BlockedAddress},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(b *bench) {
				b.setOwn(chosen)
				b.settings(func(s *authsettings.Settings) { s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, tt.noMfa })
				b.update(func(tx *store.Tx) error {
					return tx.PutVerifiedEmail(b.sam.StoreID, b.sam.ID, "former@example.com", b.now)
				})
				if !tt.mails {
					b.flow.Mail = nil
				}
				if step := b.step(from("203.0.113.9")); step != signin.StepBlocked {
					t.Fatalf("step %d", step)
				}
				if why, err := b.flow.Blocked(t.Context(), b.in.IdentityStoreID); err != nil || why != tt.want {
					t.Errorf("%d, %v; want %d", why, err, tt.want)
				}
			})
		})
	}
}
