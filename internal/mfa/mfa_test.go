package mfa_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/hotp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// box seals so that what is bound, and what is sealed at all, shows.
type box struct{}

var errShut = errors.New("it does not open")

func (box) Seal(plaintext, aad []byte) ([]byte, error) {
	turned := slices.Clone(plaintext)
	for i := range turned {
		turned[i] ^= 0x5a
	}
	return slices.Concat(aad, []byte{0}, turned), nil
}

func (box) Open(sealed, aad []byte) ([]byte, error) {
	turned, ok := strings.CutPrefix(string(sealed), string(aad)+"\x00")
	if !ok {
		return nil, errShut
	}
	plain := []byte(turned)
	for i := range plain {
		plain[i] ^= 0x5a
	}
	return plain, nil
}

func (box) Sign(data []byte) ([]byte, error) { return append([]byte("signed "), data...), nil }
func (b box) Verify(data, tag []byte) error {
	if want, _ := b.Sign(data); string(want) != string(tag) {
		return errShut
	}
	return nil
}

// bench is a store with one person, and what registers second factors.
type bench struct {
	t       testing.TB
	store   *store.Store
	factors *mfa.Factors
	ids     ident.Source
	sam     directory.User
	now     time.Time
}

const storeID = "d-1234567890"

func run(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, s *store.Store) { test(t, newBench(t, s)) })
}

func newBench(t testing.TB, s *store.Store) *bench {
	t.Helper()
	b := &bench{t: t, store: s, now: storetest.Now(), ids: ident.NewSource(rand.Reader)}
	b.factors = factorsAt(t, "https://portal.example.com:8443")
	b.update(func(tx *store.Tx) (err error) {
		if err = tx.InsertInstance(instance.Instance{ID: "ssoins-0123456789abcdef", IdentityStoreID: storeID, OwnerAccountID: "123456789012", Region: "eu-west-1", CreatedAt: b.now, Version: 1}); err != nil {
			return err
		}
		b.sam, err = b.user(tx, "sam.lee")
		return err
	})
	return b
}

func factorsAt(t testing.TB, address string) *mfa.Factors {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	f, err := mfa.New(mfa.Options{URL: u, Name: "Atrium", Seeds: box{}, Cookies: box{}, IDs: ident.NewSource(rand.Reader)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (b *bench) user(tx *store.Tx, name string) (directory.User, error) {
	return directory.CreateUser(tx, b.ids, directory.Stamp{At: b.now, By: "test"}, storeID, directory.NewUser{Attributes: directory.Attributes{
		UserName: name, DisplayName: name, Name: directory.Name{GivenName: "Sam", FamilyName: "Lee"},
	}})
}

func (b *bench) update(f func(*store.Tx) error) {
	b.t.Helper()
	if err := b.store.UpdateSnapshot(b.t.Context(), f); err != nil {
		b.t.Fatal(err)
	}
}

// code is what an app with a secret shows some steps after the bench's time.
func (b *bench) code(secret string, steps int64) string {
	b.t.Helper()
	code, err := hotp.GenerateCode(secret, uint64(b.now.Unix()/30+steps))
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

// app registers an authenticator app and returns its secret.
func (b *bench) app(name string) (secret string, d mfa.Device) {
	b.t.Helper()
	b.update(func(tx *store.Tx) error {
		app, err := b.factors.BeginApp(tx, b.now, "holder "+name, storeID, b.sam.ID, "sam.lee")
		secret = app.Secret
		return err
	})
	var right bool
	b.update(func(tx *store.Tx) (err error) {
		d, right, err = b.factors.FinishApp(tx, b.now, "holder "+name, storeID, b.sam.ID, name, b.code(secret, -1), b.code(secret, 0))
		return err
	})
	if !right {
		b.t.Fatalf("the app %s was not registered", name)
	}
	return secret, d
}

func (b *bench) verify(code string) (d mfa.Device, right bool) {
	b.t.Helper()
	b.update(func(tx *store.Tx) (err error) {
		d, right, err = b.factors.VerifyCode(tx, b.now, storeID, b.sam.ID, code)
		return err
	})
	return d, right
}

func (b *bench) list() (devices []mfa.Device) {
	b.t.Helper()
	b.update(func(tx *store.Tx) (err error) {
		devices, err = mfa.List(tx, storeID, b.sam.ID)
		return err
	})
	return devices
}

func TestApps(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var first, again mfa.NewApp
		b.update(func(tx *store.Tx) (err error) {
			if first, err = b.factors.BeginApp(tx, b.now, "h1", storeID, b.sam.ID, "sam lee@example.com"); err != nil {
				return err
			}
			again, err = b.factors.BeginApp(tx, b.now.Add(mfa.ChallengeLifetime-1), "h1", storeID, b.sam.ID, "sam lee@example.com")
			return err
		})
		if first != again {
			t.Error("looking again gave another secret, of which the app knows nothing")
		}
		if want := "otpauth://totp/Atrium:sam%20lee@example.com?secret=" + first.Secret + "&issuer=Atrium"; first.URI != want {
			t.Errorf("got %s, want %s", first.URI, want)
		}
		if len(first.Secret) != 32 {
			t.Errorf("a secret of %d characters, want 32 (160 bits)", len(first.Secret))
		}

		secret, d := b.app("phone")
		if diff := cmp.Diff([]mfa.Device{d}, b.list()); diff != "" {
			t.Error(diff)
		}
		for _, c := range []struct {
			name  string
			steps int64
			right bool
		}{
			{"the second code of the registration", 0, false},
			{"the first", -1, false},
			{"two steps ahead", 2, false},
			{"a clock that is ahead", 1, true},
			{"the same again", 1, false},
		} {
			if got, right := b.verify(b.code(secret, c.steps)); right != c.right || right && got.ID != d.ID {
				t.Errorf("%s: %v", c.name, right)
			}
		}
		b.now = b.now.Add(3 * time.Minute)
		for _, code := range []string{"", "123", "abcdef", b.code(secret, -2), b.code(secret, 0) + "0"} {
			if _, right := b.verify(code); right {
				t.Errorf("%q was right", code)
			}
		}
		spaced := b.code(secret, -1)
		if got, right := b.verify(" " + spaced[:3] + " " + spaced[3:]); !right || !got.LastUsedAt.Equal(b.now) {
			t.Errorf("a clock that is behind: %v, %+v", right, got)
		}
		if _, right := b.verify(b.code(secret, 0)); !right {
			t.Error("the code after it")
		}
	})
}

// TestNoCodeTwice sends one code many times at once.
func TestNoCodeTwice(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		secret, _ := b.app("phone")
		code := b.code(secret, 1)
		var wg sync.WaitGroup
		rights := make([]bool, 8)
		for i := range rights {
			wg.Go(func() {
				err := b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) error {
					_, right, err := b.factors.VerifyCode(tx, b.now, storeID, b.sam.ID, code)
					rights[i] = right
					return err
				})
				if err != nil {
					rights[i] = false
				}
			})
		}
		wg.Wait()
		n := 0
		for _, right := range rights {
			if right {
				n++
			}
		}
		if n != 1 {
			t.Errorf("one code was right %d times", n)
		}
	})
}

// TestCodesGoForwardOnly holds the verification to its rule, whatever codes
// are tried at whatever time.
func TestCodesGoForwardOnly(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	secret, d := b.app("phone")
	last := b.now.Unix() / 30
	rapid.Check(t, func(t *rapid.T) {
		b.now = b.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
		steps := rapid.Int64Range(-3, 3).Draw(t, "steps")
		step := b.now.Unix()/30 + steps
		got, right := b.verify(b.code(secret, steps))
		if want := -1 <= steps && steps <= 1 && step > last; right != want {
			t.Fatalf("step %d after %d, %d from now: %v", step, last, steps, right)
		}
		if right {
			last = step
			if got.ID != d.ID {
				t.Fatalf("it was the device %s", got.ID)
			}
		}
	})
}

func TestQuotas(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.app("one")
		b.app("two")
		err := b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) error {
			_, err := b.factors.BeginApp(tx, b.now, "h", storeID, b.sam.ID, "sam.lee")
			return err
		})
		if !fault.Is(err, fault.Quota) {
			t.Errorf("a third authenticator app: %v", err)
		}
		for i := range mfa.MaxDevices - 2 {
			b.key(fmt.Sprintf("key %d", i))
		}
		err = b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) error {
			_, err := b.factors.BeginKey(tx, b.now, "h", b.sam, false)
			return err
		})
		if !fault.Is(err, fault.Quota) || len(b.list()) != mfa.MaxDevices {
			t.Errorf("a device too many: %v, %d devices", err, len(b.list()))
		}
	})
}

// TestQuotasAtOnce has a person register two apps at the same time as the last
// one that may be.
func TestQuotasAtOnce(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.app("one")
		secrets := make([]string, 4)
		for i := range secrets {
			b.update(func(tx *store.Tx) error {
				app, err := b.factors.BeginApp(tx, b.now, fmt.Sprint(i), storeID, b.sam.ID, "sam.lee")
				secrets[i] = app.Secret
				return err
			})
		}
		var wg sync.WaitGroup
		for i, secret := range secrets {
			first, second := b.code(secret, -1), b.code(secret, 0)
			wg.Go(func() {
				// Which of them fail is not known, nor how.
				_ = b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) error {
					_, _, err := b.factors.FinishApp(tx, b.now, fmt.Sprint(i), storeID, b.sam.ID, "another", first, second)
					return err
				})
			})
		}
		wg.Wait()
		if n := len(b.list()); n != mfa.MaxApps {
			t.Errorf("%d apps are registered", n)
		}
	})
}

func TestNames(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		_, d := b.app("phone")
		rename := func(name string) (got mfa.Device, err error) {
			err = b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) (err error) {
				got, err = mfa.Rename(tx, storeID, b.sam.ID, d.ID, name)
				return err
			})
			return got, err
		}
		for _, name := range []string{"", "  ", "a\nb", "a\x00", "\xff", strings.Repeat("ä", mfa.MaxName+1)} {
			if _, err := rename(name); !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", name, err)
			}
		}
		long := strings.Repeat("ä", mfa.MaxName)
		if got, err := rename(" " + long + " "); err != nil || got.Name != long || b.list()[0].Name != long {
			t.Errorf("%q, %v", got.Name, err)
		}
		if d.ID = "no-such-device"; true {
			if _, err := rename("other"); !fault.Is(err, fault.NotFound) {
				t.Errorf("a device that does not exist: %v", err)
			}
		}
	})
}

func TestRemoving(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		secret, d := b.app("phone")
		token := b.trust("", home())
		other := directory.User{}
		b.update(func(tx *store.Tx) (err error) {
			other, err = b.user(tx, "alex")
			return err
		})
		err := b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) error {
			_, err := mfa.Remove(tx, storeID, other.ID, d.ID)
			return err
		})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("somebody else's device: %v", err)
		}
		var open session.Session
		var before, after int64
		b.update(func(tx *store.Tx) (err error) {
			if open, _, err = session.Start(tx, b.now, b.ids, storeID, b.sam.ID, time.Hour, session.Client{}); err != nil {
				return err
			}
			before, err = tx.Change()
			return err
		})
		b.update(func(tx *store.Tx) error {
			_, err := mfa.Reset(tx, storeID, b.sam.ID, d.ID)
			return err
		})
		if _, right := b.verify(b.code(secret, 1)); right || len(b.list()) != 0 {
			t.Error("a removed device works")
		}
		if b.trusted(token, home()) {
			t.Error("a browser is trusted after the device that was proved in it was removed")
		}
		var found bool
		b.update(func(tx *store.Tx) (err error) {
			if _, found, err = session.ByID(tx, b.now, open.ID); err != nil {
				return err
			}
			after, err = tx.Change()
			return err
		})
		if found || after == before {
			t.Errorf("after an administrator removed a device the session is there: %v, credentials went on: %v", found, after == before)
		}
	})
}

// TestSecretsAreSealed looks for seeds in the store.
func TestSecretsAreSealed(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		_, d := b.app("phone")
		b.update(func(tx *store.Tx) error {
			records, err := tx.MfaDevices(storeID, b.sam.ID)
			if err != nil {
				return err
			}
			r := records[0]
			if prefix := "mfa device v1:" + storeID + "/" + b.sam.ID + "/" + d.ID + "\x00"; !strings.HasPrefix(string(r.Secret), prefix) {
				t.Errorf("sealed as %q", r.Secret)
			}
			// Whoever can write to the store cannot give one person's seed to another device.
			r.ID, r.Handle = "another", "another"
			return tx.InsertMfaDevice(r)
		})
		err := b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) error {
			_, _, err := b.factors.VerifyCode(tx, b.now, storeID, b.sam.ID, "wrong!")
			return err
		})
		if err == nil || strings.Contains(err.Error(), "mfa device v1") {
			t.Errorf("a moved secret: %v", err)
		}
	})
}

func TestUsable(t *testing.T) {
	devices := []mfa.Device{{ID: "a", Type: authsettings.Totp}, {ID: "b", Type: authsettings.Webauthn}}
	s := authsettings.Settings{MfaTypes: []authsettings.MfaType{authsettings.Webauthn}}
	if got := mfa.Usable(devices, s); len(got) != 1 || got[0].ID != "b" || len(devices) != 2 || devices[0].ID != "a" {
		t.Errorf("%+v of %+v", got, devices)
	}
}

func TestExpiredIsSwept(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.trust("", home())
		b.update(func(tx *store.Tx) error {
			_, err := b.factors.BeginApp(tx, b.now, "h", storeID, b.sam.ID, "sam.lee")
			return err
		})
		for _, c := range []struct {
			name     string
			sweep    func(tx *store.Tx, now time.Time, limit int) (int64, error)
			lifetime time.Duration
		}{
			{"challenges", (*store.Tx).DeleteExpiredMfaChallenges, mfa.ChallengeLifetime},
			{"browsers", (*store.Tx).DeleteExpiredTrustedBrowsers, mfa.TrustLifetime},
		} {
			for after, want := range map[time.Duration]int64{c.lifetime - time.Millisecond: 0, c.lifetime: 1} {
				err := b.store.Update(t.Context(), func(tx *store.Tx) error {
					n, err := c.sweep(tx, b.now.Add(after), 10)
					if err == nil && n != want {
						err = fmt.Errorf("%d went, want %d", n, want)
					}
					if err == nil {
						err = errShut // keep it for the next
					}
					return err
				})
				if !errors.Is(err, errShut) {
					t.Errorf("%s after %s: %v", c.name, after, err)
				}
			}
		}
	})
}
