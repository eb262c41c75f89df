package mfa_test

import (
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/store"
)

// token is an authenticator with one credential, as a browser at a place uses
// it.
type token struct {
	place         virtualwebauthn.RelyingParty
	authenticator virtualwebauthn.Authenticator
	credential    virtualwebauthn.Credential
}

func newToken() *token {
	return &token{
		place:         virtualwebauthn.RelyingParty{ID: "portal.example.com", Name: "Atrium", Origin: "https://portal.example.com:8443"},
		authenticator: virtualwebauthn.NewAuthenticator(),
		credential:    newCredential(),
	}
}

// newCredential makes a key pair whose public key has 77 bytes, which all keys
// of authenticators have: the library leaves leading zeros of coordinates out,
// as it must not (RFC 9053, section 7.1.1), and such a key is refused.
func newCredential() virtualwebauthn.Credential {
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(c.Key.AttestationData()) == 77 {
			return c
		}
	}
}

// answer is what the token answers to options of an authentication.
func (k *token) answer(t testing.TB, options []byte) []byte {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	k.credential.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(k.place, k.authenticator, k.credential, *o))
}

// register is what the token answers to options of a registration.
func (k *token) register(t testing.TB, options []byte) []byte {
	t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(k.place, k.authenticator, k.credential, *o))
}

func (b *bench) beginKey(holder string) (options []byte) {
	b.t.Helper()
	b.update(func(tx *store.Tx) (err error) {
		options, err = b.factors.BeginKey(tx, b.now, holder, b.sam, false)
		return err
	})
	return options
}

func (b *bench) finishKey(holder, name string, response []byte) (d mfa.Device, right bool, err error) {
	err = b.store.UpdateSnapshot(b.t.Context(), func(tx *store.Tx) (err error) {
		d, right, err = b.factors.FinishKey(tx, b.now, holder, b.sam, name, response)
		return err
	})
	return d, right, err
}

// key registers a token.
func (b *bench) key(name string) (*token, mfa.Device) {
	b.t.Helper()
	k := newToken()
	d, right, err := b.finishKey("holder "+name, name, k.register(b.t, b.beginKey("holder "+name)))
	if err != nil || !right {
		b.t.Fatalf("the key %s was not registered: %v", name, err)
	}
	return k, d
}

func (b *bench) ask(holder string) (options []byte) {
	b.t.Helper()
	b.update(func(tx *store.Tx) (err error) {
		options, err = b.factors.AskKey(tx, b.now, holder, b.sam)
		return err
	})
	return options
}

func (b *bench) use(holder string, response []byte) (d mfa.Device, right bool, err error) {
	err = b.store.UpdateSnapshot(b.t.Context(), func(tx *store.Tx) (err error) {
		d, right, err = b.factors.VerifyKey(tx, b.now, holder, b.sam, response)
		return err
	})
	return d, right, err
}

func TestKeys(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		k, d := b.key("blue")
		if d.Type != authsettings.Webauthn {
			t.Errorf("%+v", d)
		}
		b.now = b.now.Add(time.Hour)
		options := b.ask("h")
		response := k.answer(t, options)
		got, right, err := b.use("h", response)
		if err != nil || !right || got.ID != d.ID || !got.LastUsedAt.Equal(b.now) {
			t.Fatalf("%+v, %v, %v", got, right, err)
		}
		if _, _, err := b.use("h", response); !fault.Is(err, fault.NotFound) {
			t.Errorf("the same answer again: %v", err)
		}
	})
}

// TestRegistrationOptions holds what the browser is asked to what we want of
// authenticators.
func TestRegistrationOptions(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		k, _ := b.key("blue")
		var options struct {
			RP                     struct{ ID, Name string }
			User                   struct{ ID, Name string }
			AuthenticatorSelection struct{ AuthenticatorAttachment, ResidentKey, UserVerification string }
			Attestation            string
			ExcludeCredentials     []struct{ ID string }
			Challenge              string
		}
		if err := json.Unmarshal(b.beginKey("h"), &options); err != nil {
			t.Fatal(err)
		}
		if options.AuthenticatorSelection.AuthenticatorAttachment != "cross-platform" {
			t.Errorf("a security key that is %s", options.AuthenticatorSelection.AuthenticatorAttachment)
		}
		if options.RP.ID != "portal.example.com" || options.User.Name != "sam.lee" || options.AuthenticatorSelection.ResidentKey != "preferred" ||
			options.AuthenticatorSelection.UserVerification != "preferred" || len(options.ExcludeCredentials) != 1 || len(options.Challenge) < 43 {
			t.Errorf("%+v", options)
		}
		if options.Attestation != "" && options.Attestation != "none" {
			t.Errorf("attestation %q tells which key somebody has", options.Attestation)
		}
		// A browser that registers the same key all the same.
		_, right, err := b.finishKey("h", "again", k.register(t, b.beginKey("h")))
		if right || err == nil && len(b.list()) != 1 {
			t.Errorf("a key was registered twice: %v, %v", right, err)
		}
	})
}

// TestKeysFromElsewhere has answers that are not to what was asked, or not from
// where it was asked.
func TestKeysFromElsewhere(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		k, _ := b.key("blue")
		stranger := newToken()
		for name, answer := range map[string]func(options []byte) []byte{
			"another origin": func(o []byte) []byte {
				k := *k
				k.place.Origin = "https://portal.example.com.evil.example"
				return k.answer(t, o)
			},
			"another port": func(o []byte) []byte { k := *k; k.place.Origin = "https://portal.example.com"; return k.answer(t, o) },
			"no TLS": func(o []byte) []byte {
				k := *k
				k.place.Origin = "http://portal.example.com:8443"
				return k.answer(t, o)
			},
			"another host's credential": func(o []byte) []byte {
				k := *k
				k.place.ID = "example.com"
				return k.answer(t, o)
			},
			"an earlier challenge": func([]byte) []byte {
				old := b.ask("other")
				b.ask("h")
				return k.answer(t, old)
			},
			"somebody else's key": func(o []byte) []byte { return stranger.answer(t, o) },
			"a key with the id of another": func(o []byte) []byte {
				s := *stranger
				s.credential.ID = k.credential.ID
				return s.answer(t, o)
			},
			"nobody there": func(o []byte) []byte { k := *k; k.authenticator.Options.UserNotPresent = true; return k.answer(t, o) },
			"another user handle": func(o []byte) []byte {
				k := *k
				k.authenticator.Options.UserHandle = []byte("another")
				return k.answer(t, o)
			},
			"a changed signature": func(o []byte) []byte {
				return []byte(strings.Replace(string(k.answer(t, o)), `"authenticatorData":"`, `"authenticatorData":"AA`, 1))
			},
			"an answer to a registration": func(o []byte) []byte { return k.register(t, b.beginKey("h")) },
			"no JSON":                     func([]byte) []byte { return []byte("{") },
			"nothing":                     func([]byte) []byte { return nil },
		} {
			if _, right, err := b.use("h", answer(b.ask("h"))); right || err != nil {
				t.Errorf("%s: %v, %v", name, right, err)
			}
		}
		if _, right, err := b.use("h", k.answer(t, b.ask("h"))); err != nil || !right {
			t.Errorf("the key itself afterwards: %v, %v", right, err)
		}
	})
}

// TestChallengesAreForOne has challenges that are answered too late, in another
// sign-in, or for something else.
func TestChallengesAreForOne(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		k, _ := b.key("blue")
		response := k.answer(t, b.ask("h"))
		if _, _, err := b.use("other", response); !fault.Is(err, fault.NotFound) {
			t.Errorf("another holder: %v", err)
		}
		if _, _, err := b.finishKey("h", "x", response); !fault.Is(err, fault.NotFound) {
			t.Errorf("another purpose: %v", err)
		}
		b.now = b.now.Add(mfa.ChallengeLifetime)
		if _, _, err := b.use("h", response); !fault.Is(err, fault.NotFound) {
			t.Errorf("too late: %v", err)
		}
		// One wrong answer uses a challenge up.
		options := b.ask("h")
		if _, right, err := b.use("h", []byte("{}")); right || err != nil {
			t.Fatalf("a wrong answer: %v, %v", right, err)
		}
		if _, _, err := b.use("h", k.answer(t, options)); !fault.Is(err, fault.NotFound) {
			t.Errorf("a second answer: %v", err)
		}
	})
}

// TestAnOpenChallengeStays opens a page that asks for a key twice, as a link on
// another site can have a browser do: who answers at the first one still may,
// once.
func TestAnOpenChallengeStays(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		k, first := b.key("blue")
		shown := b.ask("h")
		if again := b.ask("h"); string(again) != string(shown) {
			t.Errorf("asked anew:\n%s\n%s", shown, again)
		}
		if _, right, err := b.use("h", k.answer(t, shown)); err != nil || !right {
			t.Errorf("an answer to what was asked first: %v, %v", right, err)
		}
		after := b.ask("h")
		if string(after) == string(shown) {
			t.Error("a challenge that was answered is asked again")
		}
		// What may answer has changed: so has the challenge.
		second, _ := b.key("green")
		both := b.ask("h")
		if string(both) == string(after) {
			t.Error("a key that was registered meanwhile is not asked")
		}
		if _, right, err := b.use("h", second.answer(t, both)); err != nil || !right {
			t.Errorf("the new key: %v, %v", right, err)
		}
		both = b.ask("h")
		b.update(func(tx *store.Tx) error {
			_, err := mfa.Remove(tx, b.sam.StoreID, b.sam.ID, first.ID)
			return err
		})
		if _, right, err := b.use("h", second.answer(t, b.ask("h"))); err != nil || !right {
			t.Errorf("the key that is left: %v, %v", right, err)
		}
		if string(both) == string(b.ask("h")) {
			t.Error("a key that was removed is asked")
		}
		b.now = b.now.Add(mfa.ChallengeLifetime)
		if _, right, err := b.use("h", second.answer(t, b.ask("h"))); err != nil || !right {
			t.Errorf("after the challenge has expired: %v, %v", right, err)
		}

		third, options := newToken(), b.beginKey("r")
		b.beginKey("r")
		if _, right, err := b.finishKey("r", "third", third.register(t, options)); err != nil || !right {
			t.Errorf("a registration, whose page was opened twice: %v, %v", right, err)
		}
	})
}

// TestOneAnswerAtOnce sends one answer many times at the same time.
func TestOneAnswerAtOnce(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		k, _ := b.key("blue")
		response := k.answer(t, b.ask("h"))
		var wg sync.WaitGroup
		var rights atomic.Int32
		for range 8 {
			wg.Go(func() {
				var right bool
				err := b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) (err error) {
					_, right, err = b.factors.VerifyKey(tx, b.now, "h", b.sam, response)
					return err
				})
				if err == nil && right {
					rights.Add(1)
				}
			})
		}
		wg.Wait()
		if n := rights.Load(); n != 1 {
			t.Errorf("one answer was right %d times", n)
		}
	})
}

// TestCopiedKeys has a key whose counter goes backwards.
func TestCopiedKeys(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		k, d := b.key("blue")
		k.credential.Counter = 10
		if _, right, err := b.use("h", k.answer(t, b.ask("h"))); err != nil || !right {
			t.Fatalf("counter 11: %v, %v", right, err)
		}
		k.credential.Counter = 10
		if _, right, err := b.use("h", k.answer(t, b.ask("h"))); right || err != nil {
			t.Errorf("counter 11 again: %v, %v", right, err)
		}
		if got := b.list()[0]; !got.Suspect || got.ID != d.ID {
			t.Errorf("nobody is told: %+v", got)
		}
		k.credential.Counter = 100
		if _, right, err := b.use("h", k.answer(t, b.ask("h"))); right || err != nil {
			t.Errorf("once there is a copy, neither is accepted: %v, %v", right, err)
		}
		b.update(func(tx *store.Tx) error {
			_, err := mfa.Remove(tx, storeID, b.sam.ID, d.ID)
			return err
		})
		if len(b.list()) != 0 {
			t.Error("it cannot be removed")
		}
	})
}

func TestRegistrationsFromElsewhere(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		for name, change := range map[string]func(*token){
			"another origin": func(k *token) { k.place.Origin = "https://evil.example" },
			"another host":   func(k *token) { k.place.ID = "evil.example" },
			"nobody there":   func(k *token) { k.authenticator.Options.UserNotPresent = true },
		} {
			k := newToken()
			change(k)
			if _, right, err := b.finishKey("h", "x", k.register(t, b.beginKey("h"))); right || err != nil {
				t.Errorf("%s: %v, %v", name, right, err)
			}
		}
		k := newToken()
		response := k.register(t, b.beginKey("h"))
		if _, _, err := b.finishKey("h", "", response); !fault.Is(err, fault.Invalid) {
			t.Errorf("no name: %v", err)
		}
		if _, right, err := b.finishKey("h", "blue", response); err != nil || !right {
			t.Errorf("with a name, afterwards: %v, %v", right, err)
		}
		if _, _, err := b.finishKey("h", "again", response); !fault.Is(err, fault.NotFound) {
			t.Errorf("the same registration again: %v", err)
		}
	})
}
