package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// secrets is a program with values in every column that keys seal.
type secrets struct {
	*Program
	t     *testing.T
	at    time.Time
	key   AccessKey
	user  directory.User
	seed  string // of the app that the user has
	begun string // of the one that is being set up
}

const letters = resealBatch + 5

func newSecrets(t *testing.T, s *store.Store) *secrets {
	t.Helper()
	w := &secrets{t: t, at: storetest.Now()}
	w.Program = unmanaged(t, s, func() time.Time { return w.at })
	ctx := t.Context()
	if _, err := w.CreateSample(ctx); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.key, err = w.NewAdministratorKey(ctx, sampleManagement); err != nil {
		t.Fatal(err)
	}
	w.do(func(tx *store.Tx) error {
		in, found, err := tx.PortalInstance()
		if err != nil || !found {
			return fmt.Errorf("no instance: %w", err)
		}
		users, err := tx.DirectoryUsers(in.IdentityStoreID, "", 1)
		if err != nil || len(users) == 0 {
			return fmt.Errorf("no user: %w", err)
		}
		w.user = users[0]
		return nil
	})
	w.addDevice()
	w.do(func(tx *store.Tx) error {
		box := &mail.Outbox{Keys: w.mailKeys(), IDs: w.ids}
		for i := range letters {
			if err := box.Put(tx, w.at, mail.Letter{Kind: mail.PasswordReset, To: "a@example.com", Content: mail.Content{About: fmt.Sprint(i)}}); err != nil {
				return err
			}
		}
		tag, err := w.mailKeys().Sign([]byte("code"))
		if err != nil {
			return err
		}
		return tx.PutMailCode(maillink.Code{Subject: "s", Tag: tag, ExpiresAt: w.at.Add(maillink.CodeLifetime)})
	})
	return w
}

func (w *secrets) do(f func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.Store.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// addDevice registers an authenticator app, and begins with another.
func (w *secrets) addDevice() {
	w.t.Helper()
	factors, err := w.newFactors()
	if err != nil {
		w.t.Fatal(err)
	}
	w.do(func(tx *store.Tx) error {
		for _, holder := range []string{"h1", "h2"} {
			app, err := factors.BeginApp(tx, w.at, holder, w.user.StoreID, w.user.ID, w.user.UserName)
			if err != nil {
				return err
			}
			if w.begun = app.Secret; holder == "h2" {
				return nil
			}
			w.seed = app.Secret
			_, right, err := factors.FinishApp(tx, w.at, holder, w.user.StoreID, w.user.ID, "app", w.code(w.at.Add(-30*time.Second)), w.code(w.at))
			if err != nil || !right {
				return fmt.Errorf("the app is not registered: %w", err)
			}
		}
		return nil
	})
}

func (w *secrets) code(at time.Time) string {
	w.t.Helper()
	code, err := totp.GenerateCode(w.seed, at)
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// works expects that everything opens.
func (w *secrets) works() {
	w.t.Helper()
	if works, err := w.KeyWorks(w.t.Context(), w.key); err != nil || !works {
		w.t.Errorf("the access key works: %t, %v", works, err)
	}
	factors, err := w.newFactors()
	if err != nil {
		w.t.Fatal(err)
	}
	undone := errors.New("a code is right once")
	err = w.Store.Update(w.t.Context(), func(tx *store.Tx) error {
		if _, right, err := factors.VerifyCode(tx, w.at, w.user.StoreID, w.user.ID, w.code(w.at)); err != nil || !right {
			w.t.Errorf("the app's code is right: %t, %v", right, err)
		}
		return undone
	})
	if !errors.Is(err, undone) {
		w.t.Error(err)
	}
}

// goesOn expects that the app which is being set up can still be.
func (w *secrets) goesOn() {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		factors, err := w.newFactors()
		if err != nil {
			return err
		}
		app, err := factors.BeginApp(tx, w.at, "h2", w.user.StoreID, w.user.ID, w.user.UserName)
		if app.Secret != w.begun {
			w.t.Error("the app that is being set up has another seed")
		}
		return err
	})
}

// letters reads the outbox through, as who sends it does.
func (w *secrets) letters() (read []string) {
	w.t.Helper()
	sender := &mail.Sender{
		DB: store.Bind[mail.QueueTx](w.Store), Keys: w.mailKeys(), IDs: w.ids, Now: w.Now,
		Write:  func(l mail.Letter) (mail.Message, error) { return mail.Message{ID: l.Content.About}, nil },
		Report: func(err error) { w.t.Error(err) },
	}
	sent := make(chan string, 2*letters)
	sender.Transport = nowhere{sent}
	for taken := 1; taken > 0; {
		var err error
		if taken, err = sender.Once(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	close(sent)
	for about := range sent {
		read = append(read, about)
	}
	return read
}

// nowhere takes messages.
type nowhere struct{ sent chan string }

func (n nowhere) Deliver(_ context.Context, m mail.Message) error {
	n.sent <- m.ID
	return nil
}

func (w *secrets) generations() map[string]map[uint32]int64 {
	w.t.Helper()
	found := map[string]map[uint32]int64{}
	err := w.Store.View(w.t.Context(), func(tx *store.Tx) (err error) {
		for _, c := range store.SealedColumns() {
			rows, err := tx.SealedBefore(c, 1<<32-1, nil, 10*letters)
			if err != nil {
				return err
			}
			found[c.Table] = map[uint32]int64{}
			for _, r := range rows {
				found[c.Table][keys.SealedBy(r.Value)]++
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// reseal seals everything anew, a batch at a time: each step begins where the
// one before was given up.
func (w *secrets) resealAll() (values, damaged, steps int) {
	w.t.Helper()
	for next, more := "", true; more; more = next != "" {
		step, err := w.reseal(w.t.Context(), Operator{"ann", "db2"}, next, 1)
		if err != nil {
			w.t.Fatal(err)
		}
		next, values, damaged, steps = step.Next, values+step.Values, damaged+step.Damaged, steps+1
	}
	return values, damaged, steps
}

func (w *secrets) rotate() {
	w.t.Helper()
	if _, err := w.RotateKeys(w.t.Context(), Operator{"ann", "db2"}, false); err != nil {
		w.t.Fatal(err)
	}
	soon := "factor 1 generation 2 takes its place at " + w.at.Add(rotationDelay).Format(time.RFC3339)
	if got := w.retired(w); !slices.Contains(got, soon) {
		w.t.Errorf("before the new keys are used: %q, want %q", got, soon)
	}
	w.at = w.at.Add(rotationDelay)
}

func (w *secrets) retired(o Operations) (lines []string) {
	w.t.Helper()
	list, err := o.RetireKeys(w.t.Context(), Operator{"ann", "db2"})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range list {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %d %s", r.Purpose, r.Generation, r.Kept)))
	}
	return lines
}

// TestStoredSecretsAreSealedAnew rotates the keys and seals everything that is
// stored anew: no value names the old generation, everything opens, and the old
// keys can go.
func TestStoredSecretsAreSealedAnew(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newSecrets(t, s)
		counts := map[string]int64{"iam_access_keys": 1, "mail_outbox": letters, "mail_codes": 1, "mfa_devices": 1, "mfa_challenges": 1}
		expect := func(what string, generation, codes uint32) {
			t.Helper()
			want := map[string]map[uint32]int64{}
			for table, n := range counts {
				want[table] = map[uint32]int64{generation: n}
			}
			want["mail_codes"] = map[uint32]int64{codes: 1}
			if diff := cmp.Diff(want, w.generations()); diff != "" {
				t.Errorf("%s: values by generation (-want +got):\n%s", what, diff)
			}
		}
		expect("at first", 1, 1)
		w.rotate()
		values, damaged, steps := w.resealAll()
		if values != letters+3 || damaged != 0 || steps < len(resealable()) {
			t.Errorf("%d values sealed anew, %d damaged, in %d steps", values, damaged, steps)
		}
		expect("sealed anew", 2, 1)
		if values, _, _ := w.resealAll(); values != 0 {
			t.Errorf("%d values were sealed anew twice", values)
		}
		began := w.at
		until := "nodes may use it until " + began.Add(keys.Settled).Format(time.RFC3339)
		want := []string{"stored-secret 1 " + until, "factor 1 " + until, "audit-digest 1 " + until}
		if diff := cmp.Diff(want, w.retired(w)); diff != "" {
			t.Errorf("right after (-want +got):\n%s", diff)
		}
		first := recorded(t, w.Program) // sealed into the trail
		w.at = began.Add(keys.Settled)
		want = []string{"stored-secret 1 values of mail_codes need it, and end within minutes", "factor 1", "audit-digest 1 it signed the audit trail's records from " + storetest.Now().Format(time.RFC3339) + " on; retention removes those"}
		if diff := cmp.Diff(want, w.retired(w)); diff != "" {
			t.Errorf("when everybody has the new keys (-want +got):\n%s", diff)
		}
		w.goesOn()
		w.do(func(tx *store.Tx) error {
			_, err := tx.DeleteExpiredMailCodes(storetest.Now().Add(maillink.CodeLifetime), 10)
			return err
		})
		trail := recorded(t, w.Program)[len(first):]
		if line := `operator:ann db2 RemoveKeys {"generations":[1],"purpose":"factor"}`; !slices.Contains(trail, line) {
			t.Errorf("the trail lacks %s:\n%s", line, strings.Join(trail, "\n"))
		}
		if line := `operator:ann db2 ResealSecrets {"generation":2,"table":"mfa_devices","values":1}`; !slices.Contains(first, line) {
			t.Errorf("the trail lacks %s:\n%s", line, strings.Join(first, "\n"))
		}
		trim(t, w)
		if diff := cmp.Diff([]string{"stored-secret 1", "audit-digest 1"}, w.retired(operations(t, w.Program)["socket"])); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
		stored := map[keys.Purpose][]uint32{}
		err := w.Store.View(t.Context(), func(tx *store.Tx) error {
			list, err := tx.KeyGenerations()
			for _, g := range list {
				stored[g.Purpose] = append(stored[g.Purpose], g.Number)
			}
			return err
		})
		for p, numbers := range stored {
			if p.AtRest() && !slices.Equal(slices.Compact(numbers), []uint32{2}) {
				t.Errorf("%s has the generations %v, %v", p, numbers, err)
			}
		}
		// Without the old keys, as after a restart.
		if w.ring, err = keys.Load(t.Context(), store.Bind[keys.Tx](s), w.Root, w.Now, rand.Reader); err != nil {
			t.Fatal(err)
		}
		w.works()
		if read := w.letters(); len(read) != letters {
			t.Errorf("%d letters were read, not %d", len(read), letters)
		}
		report, err := audit.Verify(t.Context(), store.Bind[audit.ChainTx](s), auditSigner{w.ring})
		if err != nil || !report.Good() {
			t.Errorf("the trail: %+v, %v", report, err)
		}
	})
}

// trim lets retention remove what was recorded before everybody had the new
// keys.
func trim(t *testing.T, w *secrets) {
	t.Helper()
	if _, err := w.AdministratorKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.at = w.at.Add(24 * time.Hour)
	w.do(func(tx *store.Tx) error { return w.recordOperation(tx, Operator{}, "Later", "", nil) })
	if err := w.trail.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Retain(t.Context(), store.Bind[audit.ChainTx](w.Store), auditSigner{w.ring}, w.at, w.at); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedSecretsKeepTheirKeys expects a value that does not open to stay as
// it is, and its generation too.
func TestDamagedSecretsKeepTheirKeys(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newSecrets(t, s)
		c := resealable()[0]
		w.do(func(tx *store.Tx) error {
			rows, err := tx.SealedBefore(c, 2, nil, 1)
			if err != nil {
				return err
			}
			damaged := slices.Clone(rows[0].Value)
			damaged[len(damaged)-1] ^= 1
			_, err = tx.ReplaceSealed(c, rows[0], damaged)
			return err
		})
		w.rotate()
		values, damaged, _ := w.resealAll()
		if values != letters+2 || damaged != 1 {
			t.Errorf("%d values sealed anew, %d damaged", values, damaged)
		}
		w.at = w.at.Add(keys.Settled)
		if got := w.retired(w); !slices.Contains(got, "stored-secret 1 values of iam_access_keys are sealed with it") {
			t.Errorf("%q", got)
		}
	})
}

// TestHousekeepingSealsAnew expects a node to seal stored secrets anew by
// itself, once, when every node knows the new keys.
func TestHousekeepingSealsAnew(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newSecrets(t, s)
		done := map[keys.Purpose]uint32{}
		old := func() int64 { return w.generations()["mfa_devices"][1] }
		due := func() {
			t.Helper()
			if err := w.resealDue(t.Context(), done); err != nil {
				t.Fatal(err)
			}
		}
		due()
		w.rotate()
		if due(); old() != 1 {
			t.Error("values are sealed before every node knows the new keys")
		}
		w.at = w.at.Add(keys.Settled)
		if due(); old() != 0 {
			t.Error("the old keys are still in use")
		}
		if want := map[keys.Purpose]uint32{keys.StoredSecrets: 2, keys.Factors: 2}; !cmp.Equal(want, done) {
			t.Errorf("done %v, want %v", done, want)
		}
		w.works()
	})
}

// TestGenerationsInUseAreNotRemoved asks for the removal of what may be needed.
func TestGenerationsInUseAreNotRemoved(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	w := newSecrets(t, s)
	w.rotate()
	for _, n := range []uint32{1, 2, 3} {
		if err := w.ring.Remove(t.Context(), keys.Factors, []uint32{n}); err == nil || !strings.Contains(err.Error(), "may still be in use") {
			t.Errorf("removing generation %d: %v", n, err)
		}
	}
	w.works()
}
