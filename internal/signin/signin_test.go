package signin_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const (
	oneTime = "kT7m-Qw9x-Rb4n-Zp3c"
	chosen  = "Vt7-kelp-Moon"
)

// bench is a Flow on a store with one instance and one person, sam.lee, who
// has a one-time password.
type bench struct {
	t     *testing.T
	flow  *signin.Flow
	store *store.Store
	in    instance.Instance
	sam   directory.User
	now   time.Time
	sink  *sink
}

// sink keeps the records of what changed nothing.
type sink struct {
	mu              sync.Mutex
	enqueued, noise []audit.Record
}

func (s *sink) Enqueue(r audit.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueued = append(s.enqueued, r)
}

func (s *sink) Noise(r audit.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noise = append(s.noise, r)
}

func run(t *testing.T, test func(b *bench)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, s *store.Store) { test(newBench(t, s)) })
}

func newBench(t *testing.T, s *store.Store) *bench {
	t.Helper()
	b := &bench{t: t, store: s, now: storetest.Now(), sink: new(sink)}
	ids := ident.NewSource(rand.Reader)
	b.flow = &signin.Flow{
		DB: store.BindSnapshot[signin.Tx](s), Hasher: credential.NewHasher(credential.Parameters{Memory: 8, Passes: 1, Lanes: 1}, 2, rand.Reader),
		Factors: newFactors(t, ids), Known: plainKey{}, Mail: &mail.Outbox{Keys: plainKey{}, IDs: ids}, Audit: b.sink, Admit: func(netip.Addr) error { return nil }, IDs: ids, Now: func() time.Time { return b.now },
	}
	b.in = instance.Instance{ID: "ssoins-0123456789abcdef", IdentityStoreID: "d-1234567890", OwnerAccountID: "123456789012", OrganizationID: "o-abcdefghij", Region: "eu-west-1", CreatedAt: b.now, Version: 1}
	b.update(func(tx *store.Tx) (err error) {
		if err = tx.InsertInstance(b.in); err != nil {
			return err
		}
		if _, err = authsettings.Change(tx, b.in.IdentityStoreID, func(s *authsettings.Settings) { s.NoMfa = authsettings.NoMfaAllow }); err != nil {
			return err
		}
		b.sam, err = directory.CreateUser(tx, ids, directory.Stamp{At: b.now, By: "test"}, b.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
			UserName: "sam.lee", DisplayName: "Sam Lee", Name: directory.Name{GivenName: "Sam", FamilyName: "Lee"},
			Emails: []directory.Email{{Value: "sam.lee@example.com", Type: "work", Primary: new(true)}},
		}})
		return err
	})
	b.setOneTime(oneTime)
	return b
}

func (b *bench) update(f func(*store.Tx) error) {
	b.t.Helper()
	if err := b.store.Update(b.t.Context(), f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) setOneTime(password string) {
	b.t.Helper()
	hash, err := b.flow.Hasher.Hash(b.t.Context(), password)
	if err != nil {
		b.t.Fatal(err)
	}
	b.update(func(tx *store.Tx) error {
		return credential.SetOneTime(tx, b.now, b.in.IdentityStoreID, b.sam.ID, hash)
	})
}

// setOwn gives sam.lee a password that needs no replacing.
func (b *bench) setOwn(password string) {
	b.t.Helper()
	hash, err := b.flow.Hasher.Hash(b.t.Context(), password)
	if err != nil {
		b.t.Fatal(err)
	}
	b.update(func(tx *store.Tx) error {
		p, _, err := tx.PasswordOf(b.in.IdentityStoreID, b.sam.ID)
		if err != nil {
			return err
		}
		return credential.Replace(tx, b.now, p, hash)
	})
}

// from is a visit from an address by a browser with a secret of its own.
func from(address string) signin.Visit {
	return signin.Visit{Browser: "secret of " + address, Address: netip.MustParseAddr(address), UserAgent: "Browser/1", RequestID: "request-1"}
}

func (b *bench) begin(v signin.Visit, name string) signin.Attempt {
	b.t.Helper()
	a, err := b.flow.Begin(b.t.Context(), v, b.in.IdentityStoreID, name, "/start")
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

// open tells whether a token opens a session of sam.lee.
func (b *bench) open(token string) bool {
	b.t.Helper()
	var s session.Session
	var found bool
	b.update(func(tx *store.Tx) (err error) {
		s, found, err = session.ByToken(tx, b.now, token)
		return err
	})
	return found && s.UserID == b.sam.ID
}

func TestFirstSignIn(t *testing.T) {
	run(t, func(b *bench) {
		v := from("203.0.113.9")
		a := b.begin(v, "Sam.LEE") // names have no case
		if a.Next() != signin.StepPassword {
			t.Fatalf("a new attempt is at step %d", a.Next())
		}
		out, err := b.flow.Password(t.Context(), v, a.ID, oneTime)
		if err != nil {
			t.Fatal(err)
		}
		if out.Attempt.Next() != signin.StepNewPassword || out.Token != "" {
			t.Fatalf("a one-time password led to step %d, token %q", out.Attempt.Next(), out.Token)
		}
		for password, reason := range map[string]string{
			"short":          credential.ReasonLength,
			"Sam.Lee-2026!":  credential.ReasonCommon,
			"nouppercase-77": credential.ReasonCharacters,
			oneTime:          credential.ReasonReused,
		} {
			_, err := b.flow.NewPassword(t.Context(), v, a.ID, password)
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Reason != reason {
				t.Errorf("new password %q: %v, want %s", password, err, reason)
			}
		}
		out, err = b.flow.NewPassword(t.Context(), v, a.ID, chosen)
		if err != nil {
			t.Fatal(err)
		}
		if out.Attempt.Next() != signin.StepDone || !b.open(out.Token) {
			t.Fatalf("no session after all steps: %+v", out)
		}
		if want := b.now.Add(session.DefaultDuration); !out.Session.ExpiresAt.Equal(want) || out.Session.Client != (session.Client{IP: "203.0.113.9", UserAgent: "Browser/1"}) {
			t.Errorf("session %+v", out.Session)
		}
		if _, err := b.flow.Find(t.Context(), v, a.ID); !gone(err) {
			t.Errorf("the attempt goes on after its end: %v", err)
		}

		again := b.begin(v, "sam.lee")
		if _, err := b.flow.Password(t.Context(), v, again.ID, oneTime); !wrong(err) {
			t.Errorf("the one-time password works twice: %v", err)
		}
		out, err = b.flow.Password(t.Context(), v, again.ID, chosen)
		if err != nil || !b.open(out.Token) {
			t.Errorf("the person's own password: %v", err)
		}
	})
}

func gone(err error) bool { return fault.Is(err, fault.NotFound) }

func wrong(err error) bool {
	e, ok := errors.AsType[*fault.Error](err)
	return ok && e.Category == fault.Denied && e.Subject == "password"
}

// TestOneAnswer has everybody who may not come in hear the same words.
func TestOneAnswer(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		var without directory.User
		b.update(func(tx *store.Tx) (err error) {
			without, err = directory.CreateUser(tx, b.flow.IDs, directory.Stamp{At: b.now, By: "test"}, b.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
				UserName: "kim", DisplayName: "Kim", Name: directory.Name{GivenName: "Kim", FamilyName: "Kim"},
			}})
			return err
		})
		v := from("203.0.113.9")
		var answers []string
		try := func(name, password string) {
			t.Helper()
			_, err := b.flow.Password(t.Context(), v, b.begin(v, name).ID, password)
			if !wrong(err) {
				t.Fatalf("%s with %q: %v", name, password, err)
			}
			answers = append(answers, err.Error())
		}
		try("sam.lee", "wrong")
		try("sam.lee", "")
		try("nobody", chosen)
		try("", chosen)
		try(without.UserName, "")
		b.update(func(tx *store.Tx) error {
			_, _, err := directory.DisableUser(tx, directory.Stamp{At: b.now, By: "test"}, b.in.IdentityStoreID, b.sam.ID)
			return err
		})
		try("sam.lee", chosen)
		if all := slices.Compact(answers); len(all) != 1 {
			t.Errorf("there is more than one answer: %q", all)
		}
	})
}

func TestGuessingSlowsDown(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		for _, name := range []string{"sam.lee", "nobody"} {
			for i := range 6 {
				v := from("203.0.113." + string(rune('1'+i))) // an address each
				if _, err := b.flow.Password(t.Context(), v, b.begin(v, name).ID, "wrong"); !wrong(err) {
					t.Fatalf("%s, guess %d: %v", name, i, err)
				}
			}
		}
		v := from("203.0.113.77") // of the same network
		for _, name := range []string{"sam.lee", "nobody"} {
			_, err := b.flow.Password(t.Context(), v, b.begin(v, name).ID, chosen)
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Category != fault.Throttled || e.RetryAfter != 2*time.Second {
				t.Fatalf("%s after six wrong guesses: %v", name, err)
			}
		}
		b.now = b.now.Add(2 * time.Second)
		if out, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen); err != nil || !b.open(out.Token) {
			t.Fatalf("the right password after the wait: %v", err)
		}
		if _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, "wrong"); !wrong(err) {
			t.Errorf("the right password did not clear the account: %v", err)
		}
	})
}

func TestAddressesAreThrottledAcrossAccounts(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	refused := func(v signin.Visit, name string) bool {
		_, err := b.flow.Password(t.Context(), v, b.begin(v, name).ID, "wrong")
		if !wrong(err) && !fault.Is(err, fault.Throttled) {
			t.Fatal(err)
		}
		return fault.Is(err, fault.Throttled)
	}
	v := from("2001:db8:1:2::1")
	for i := range 51 {
		if refused(v, "nobody"+string(rune('A'+i))) {
			t.Fatalf("guess %d was refused", i)
		}
	}
	if !refused(from("2001:db8:1:2:ffff::9"), "sam.lee") {
		t.Error("another address of the same 64-bit network is not slowed down")
	}
	if refused(from("2001:db8:1:3::1"), "sam.lee") {
		t.Error("another network is slowed down")
	}
}

// TestAttemptBelongsToItsBrowser tries every step with another browser, and
// with none.
func TestAttemptBelongsToItsBrowser(t *testing.T) {
	run(t, func(b *bench) {
		v := from("203.0.113.9")
		stranger := v
		stranger.Browser = "another"
		none := v
		none.Browser = ""
		a := b.begin(v, "sam.lee")
		steps := map[string]func(v signin.Visit) error{
			"find":         func(v signin.Visit) error { _, err := b.flow.Find(t.Context(), v, a.ID); return err },
			"password":     func(v signin.Visit) error { _, err := b.flow.Password(t.Context(), v, a.ID, oneTime); return err },
			"new password": func(v signin.Visit) error { _, err := b.flow.NewPassword(t.Context(), v, a.ID, chosen); return err },
		}
		check := func() {
			t.Helper()
			for name, step := range steps {
				for _, other := range []signin.Visit{stranger, none} {
					if err := step(other); !gone(err) {
						t.Errorf("%s in another browser (%q): %v", name, other.Browser, err)
					}
				}
			}
		}
		check()
		if err := steps["new password"](v); !gone(err) {
			t.Errorf("a step was skipped: %v", err)
		}
		if err := steps["password"](v); err != nil {
			t.Fatal(err)
		}
		check()
		if err := steps["password"](v); !gone(err) {
			t.Errorf("a step was taken twice: %v", err)
		}
		b.now = b.now.Add(signin.AttemptLifetime)
		for name, step := range steps {
			if err := step(v); !gone(err) {
				t.Errorf("%s after the attempt expired: %v", name, err)
			}
		}
	})
}

// TestChangesMeanwhile changes what an attempt stands on between its steps.
func TestChangesMeanwhile(t *testing.T) {
	changes := map[string]func(b *bench){
		"reset":    func(b *bench) { b.setOneTime("nX4v-Bq8s-Lk2j-Tr6w") },
		"replaced": func(b *bench) { b.setOwn("Another-1-own") },
		"disabled": func(b *bench) {
			b.update(func(tx *store.Tx) error {
				_, _, err := directory.DisableUser(tx, directory.Stamp{At: b.now, By: "test"}, b.in.IdentityStoreID, b.sam.ID)
				return err
			})
		},
		"deleted": func(b *bench) {
			b.update(func(tx *store.Tx) error {
				_, _, err := directory.DeleteUser(tx, b.in.IdentityStoreID, b.sam.ID)
				return err
			})
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.Open(t, store.Config{RunTwice: true}))
			v := from("203.0.113.9")
			a := b.begin(v, "sam.lee")
			if _, err := b.flow.Password(t.Context(), v, a.ID, oneTime); err != nil {
				t.Fatal(err)
			}
			change(b)
			if out, err := b.flow.NewPassword(t.Context(), v, a.ID, chosen); !gone(err) || out.Token != "" {
				t.Errorf("the attempt went on: %v", err)
			}
		})
	}
}

// TestOnlyOneSession gives the right password many times at once.
func TestOnlyOneSession(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		v := from("203.0.113.9")
		a := b.begin(v, "sam.lee")
		var wg sync.WaitGroup
		tokens := make(chan string, 5)
		for range cap(tokens) {
			wg.Go(func() {
				out, err := b.flow.Password(context.Background(), v, a.ID, chosen)
				if err == nil {
					tokens <- out.Token
				} else if !gone(err) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(tokens) != 1 {
			t.Errorf("one attempt gave %d sessions", len(tokens))
		}
	})
}

func TestHashesAreRenewed(t *testing.T) {
	run(t, func(b *bench) {
		b.flow.Hasher = credential.NewHasher(credential.Parameters{Memory: 16, Passes: 1, Lanes: 1}, 2, rand.Reader)
		v := from("203.0.113.9")
		a := b.begin(v, "sam.lee")
		if _, err := b.flow.Password(t.Context(), v, a.ID, oneTime); err != nil {
			t.Fatal(err)
		}
		var p credential.Password
		b.update(func(tx *store.Tx) (err error) {
			p, _, err = tx.PasswordOf(b.in.IdentityStoreID, b.sam.ID)
			return err
		})
		if b.flow.Hasher.Outdated(p.Hash) || !p.OneTime {
			t.Errorf("after its use: %+v", p)
		}
		if _, err := b.flow.NewPassword(t.Context(), v, a.ID, chosen); err != nil {
			t.Errorf("the attempt did not survive the renewal: %v", err)
		}
	})
}

func TestAudit(t *testing.T) {
	run(t, func(b *bench) {
		v := from("203.0.113.9")
		a := b.begin(v, "my-pass-word-typed-as-name")
		_, _ = b.flow.Password(t.Context(), v, a.ID, "wrong-secret")
		a = b.begin(v, "sam.lee")
		_, _ = b.flow.Password(t.Context(), v, a.ID, "wrong-secret")
		if _, err := b.flow.Password(t.Context(), v, a.ID, oneTime); err != nil {
			t.Fatal(err)
		}
		out, err := b.flow.NewPassword(t.Context(), v, a.ID, chosen)
		if err != nil {
			t.Fatal(err)
		}
		names := func(records []audit.Record) (out []string) {
			for _, r := range records {
				out = append(out, r.EventName+" "+r.UserIdentity.Type+" "+string(r.ServiceEventDetails))
			}
			return out
		}
		if diff := cmp.Diff([]string{
			`CredentialChallenge Unknown {"CredentialChallenge":"Success"}`,
			`CredentialVerification Unknown {"CredentialVerification":"Failure"}`,
			`CredentialChallenge Unknown {"CredentialChallenge":"Success"}`,
		}, names(b.sink.noise)); diff != "" {
			t.Errorf("unauthenticated (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{`CredentialVerification IdentityCenterUser {"CredentialVerification":"Failure"}`}, names(b.sink.enqueued)); diff != "" {
			t.Errorf("of sam.lee (-want +got):\n%s", diff)
		}

		var bodies []string
		b.update(func(tx *store.Tx) error {
			pending, err := tx.PendingAudit(100)
			bodies = nil
			for _, p := range pending {
				bodies = append(bodies, string(p.Body))
			}
			return err
		})
		all := strings.Join(bodies, "\n")
		if len(bodies) != 3 {
			t.Fatalf("%d records of changes, want 3:\n%s", len(bodies), all)
		}
		for _, r := range slices.Concat(b.sink.noise, b.sink.enqueued) {
			raw, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			all += string(raw)
		}
		for _, secret := range []string{"my-pass-word", "wrong-secret", oneTime, chosen, out.Token, v.Browser, "sam.lee", "argon2"} {
			if strings.Contains(all, secret) {
				t.Errorf("%q is in the audit trail", secret)
			}
		}
		for _, want := range []string{
			`"eventName":"CredentialVerification"`, `"eventName":"UpdatePassword"`, `"eventName":"UserAuthentication"`,
			`"userId":"` + b.sam.ID + `"`, `"identityStoreArn":"arn:aws:identitystore::123456789012:identitystore/d-1234567890"`,
			`"credentialId":"` + out.Session.ID + `"`, `"AuthWorkflowID":"` + a.ID + `"`, `"recipientAccountId":"123456789012"`,
			`"eventSource":"signin.amazonaws.com"`, `"eventSource":"sso-directory.amazonaws.com"`, `"awsRegion":"eu-west-1"`,
		} {
			if !strings.Contains(strings.Join(bodies, "\n"), want) {
				t.Errorf("%s is not in the audit trail:\n%s", want, strings.Join(bodies, "\n"))
			}
		}
	})
}

func TestBeginningIsThrottled(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	full := netip.MustParseAddr("203.0.113.9")
	b.flow.Admit = func(from netip.Addr) error {
		if from == full {
			return fault.New(fault.Throttled, "", "Wait.")
		}
		return nil
	}
	if _, err := b.flow.Begin(t.Context(), from("203.0.113.9"), b.in.IdentityStoreID, "sam.lee", "/start"); !fault.Is(err, fault.Throttled) {
		t.Errorf("from a full address: %v", err)
	}
	b.begin(from("203.0.113.10"), "sam.lee")
	b.update(func(tx *store.Tx) error {
		n, err := tx.DeleteExpiredSigninAttempts(b.now.Add(signin.AttemptLifetime), 10)
		if n != 1 {
			t.Errorf("%d attempts were stored, want 1", n)
		}
		return err
	})
}

func TestExpiredAttemptsAreCleared(t *testing.T) {
	run(t, func(b *bench) {
		v := from("203.0.113.9")
		old := b.begin(v, "sam.lee")
		b.now = b.now.Add(time.Second)
		live := b.begin(v, "sam.lee")
		b.update(func(tx *store.Tx) error {
			n, err := tx.DeleteExpiredSigninAttempts(old.ExpiresAt, 10)
			if n != 1 {
				t.Errorf("cleared %d attempts, want 1", n)
			}
			return err
		})
		if _, err := b.flow.Find(t.Context(), v, live.ID); err != nil {
			t.Errorf("an attempt was cleared before its time: %v", err)
		}
	})
}
