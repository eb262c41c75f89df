package signin_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// passed is how many tries a limit lets pass, and how long the next one has to
// wait. Each try is another visitor's.
func passed(t *testing.T, most int, try func(i int) error) (n int, wait time.Duration) {
	t.Helper()
	for n = range most {
		if e, ok := errors.AsType[*fault.Error](try(n)); ok && e.Category == fault.Throttled {
			return n, e.RetryAfter
		}
	}
	t.Fatalf("%d tries were let pass, without an end", most)
	return 0, 0
}

// TestLettersFromOnePlace has one address, and then one network, ask for letters
// to ever other people: where there is none to fill an account's limit, those of
// addresses and networks hold.
func TestLettersFromOnePlace(t *testing.T) {
	for name, at := range map[string]struct {
		same    func(i int) string
		other   string // of another network
		atLeast int    // a household or office asks for that many in an hour
		most    int
	}{
		"one address":         {func(int) string { return "203.0.113.9" }, "203.0.113.10", 10, 30},
		"one IPv6 customer":   {func(i int) string { return fmt.Sprintf("2001:db8:1:2::%x", i+1) }, "2001:db8:1:3::1", 10, 30},
		"one network":         {func(i int) string { return fmt.Sprintf("203.0.113.%d", i+1) }, "203.0.114.1", 50, 150},
		"one network of IPv6": {func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i+1) }, "2001:db8:2::1", 50, 150},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.Open(t, store.Config{}))
			b.settings(func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
			ask := func(address, person string, i int) error {
				v := from(address)
				a := b.begin(v, person)
				if i%2 == 0 { // both kinds count
					return b.flow.SendPasswordCode(t.Context(), v, a.ID)
				}
				return b.flow.Forgot(t.Context(), v, a.ID)
			}
			n, wait := passed(t, at.most, func(i int) error { return ask(at.same(i), fmt.Sprint("person", i), i) })
			if n < at.atLeast {
				t.Errorf("only %d letters were let pass", n)
			}
			if err := ask(at.same(n+1), "sam.lee", 1); !fault.Is(err, fault.Throttled) {
				t.Errorf("asking for somebody real: %v", err)
			}
			if err := ask(at.other, "sam.lee", 1); err != nil {
				t.Errorf("from elsewhere: %v", err)
			}
			b.now = b.now.Add(wait)
			if err := ask(at.same(n+1), "somebody.else", 0); err != nil {
				t.Errorf("after the wait of %s: %v", wait, err)
			}
		})
	}
}

// TestGuessingMailedFactors has somebody who knows the password try codes that
// were mailed, and ask for others whenever there may be: how many are looked at
// is bounded, and the person still gets in.
func TestGuessingMailedFactors(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEmail })
		thief := from("198.51.100.7")
		ids := []string{b.pass(thief).Attempt.ID, b.pass(thief).Attempt.ID, b.pass(thief).Attempt.ID}
		looked := 0
		for i := range 1000 {
			_, err := b.flow.EmailCode(t.Context(), thief, ids[i%len(ids)], signin.Proof{Code: fmt.Sprint("guess", i)})
			switch {
			case fault.Is(err, fault.Denied):
				looked++
			case !fault.Is(err, fault.Throttled):
				t.Fatal(err)
			}
			b.now = b.now.Add(time.Second)
		}
		if looked == 0 || looked > 20 {
			t.Errorf("%d of 1000 codes in as many seconds were looked at", looked)
		}
		b.now = b.now.Add(time.Hour) // for another letter
		sam := from("203.0.113.9")
		a := b.pass(sam).Attempt
		letters := b.letters(mail.FactorCode)
		if out, err := b.flow.EmailCode(t.Context(), sam, a.ID, signin.Proof{Code: letters[len(letters)-1].Code}); err != nil || !b.open(out.Token) {
			t.Errorf("the person afterwards: %v", err)
		}
	})
}

// TestGuessingFirstPasswordCodes has one address guess at the codes for a first
// password of ever other people, in ever other sign-ins.
func TestGuessingFirstPasswordCodes(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.settings(func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
	var kim directory.User
	b.update(func(tx *store.Tx) (err error) {
		kim, err = directory.CreateUser(tx, b.flow.IDs, directory.Stamp{At: b.now, By: "test"}, b.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
			UserName: "kim.poe", DisplayName: "Kim Poe", Name: directory.Name{GivenName: "Kim", FamilyName: "Poe"},
			Emails: []directory.Email{{Value: "kim.poe@example.com"}},
		}})
		return err
	})
	guess := func(v signin.Visit, person string) error {
		_, err := b.flow.PasswordCode(t.Context(), v, b.begin(v, person).ID, "00000000")
		return err
	}
	v := from("203.0.113.9")
	n, wait := passed(t, 100, func(i int) error { return guess(v, fmt.Sprint("person", i)) })
	if n < 20 {
		t.Errorf("only %d wrong codes were let pass", n)
	}
	// What was counted is guesses: those at passwords wait, too.
	if _, err := b.flow.Password(t.Context(), v, b.begin(v, "nobody").ID, "wrong"); !fault.Is(err, fault.Throttled) {
		t.Errorf("guessing at a password from there: %v", err)
	}
	home := from("198.51.100.7")
	a := b.begin(home, kim.UserName)
	if err := b.flow.SendPasswordCode(t.Context(), home, a.ID); err != nil {
		t.Fatal(err)
	}
	code := b.letters(mail.PasswordCode)[0].Code
	if _, err := b.flow.PasswordCode(t.Context(), home, a.ID, code); err != nil {
		t.Errorf("the right code from elsewhere: %v", err)
	}
	b.now = b.now.Add(wait)
	if err := guess(v, "somebody.else"); fault.Is(err, fault.Throttled) {
		t.Errorf("after the wait of %s: %v", wait, err)
	}
}

// TestLettersWithoutMail asks for letters where none are sent, as a form can
// that was kept: it is refused, for everybody and nobody.
func TestLettersWithoutMail(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.setOwn(chosen)
	b.settings(func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
	b.flow.Mail = nil
	v := from("203.0.113.9")
	for _, name := range []string{"sam.lee", "nobody"} {
		a := b.begin(v, name)
		if err := b.flow.Forgot(t.Context(), v, a.ID); !gone(err) {
			t.Errorf("forgot password, %s: %v", name, err)
		}
		if err := b.flow.SendPasswordCode(t.Context(), v, a.ID); !gone(err) {
			t.Errorf("a code, %s: %v", name, err)
		}
		if _, err := b.flow.Password(t.Context(), v, a.ID, "wrong"); !wrong(err) {
			t.Errorf("the sign-in of %s does not go on: %v", name, err)
		}
	}
}
