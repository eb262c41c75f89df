package signin_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// siege attacks one account from ever new networks, without an end: it guesses
// and asks for letters whenever the person does something.
type siege struct {
	*bench
	name  string
	tries int
}

func (s *siege) goOn() {
	s.t.Helper()
	pass := func(err error) {
		if err != nil && !wrong(err) && !fault.Is(err, fault.Throttled) {
			s.t.Fatal(err)
		}
	}
	for range 25 {
		s.tries++
		v := from(fmt.Sprintf("10.%d.%d.7", s.tries/250, s.tries%250))
		a := s.begin(v, s.name)
		_, err := s.flow.Password(s.t.Context(), v, a.ID, "guess")
		pass(err)
		_, err = s.flow.Password(s.t.Context(), v, a.ID, "aaaa-bbbb-cccc-2222")
		pass(err)
		pass(s.flow.Forgot(s.t.Context(), v, a.ID))
		pass(s.flow.SendPasswordCode(s.t.Context(), v, a.ID))
	}
	s.now = s.now.Add(time.Second)
}

// besiege attacks until every limit of the account is spent.
func (b *bench) besiege(name string) *siege {
	b.t.Helper()
	s := &siege{bench: b, name: name}
	for range 6 {
		s.goOn()
	}
	v := from("192.0.2.1")
	if _, err := b.flow.Password(b.t.Context(), v, b.begin(v, name).ID, "Some-guess-77"); !fault.Is(err, fault.Throttled) {
		b.t.Fatalf("the siege does not hold: %v", err)
	}
	return s
}

// linked chooses a password at the newest letter's link, as the page does, and
// signs in with it, all under siege.
func (s *siege) linked(v signin.Visit, u directory.User, letters []mail.Content) {
	s.t.Helper()
	s.goOn()
	newest := slices.MaxFunc(letters, func(a, b mail.Content) int { return a.Until.Compare(b.Until) })
	const another = "Wk9-birch-Tide"
	if _, err := s.flow.LinkedPassword(s.t.Context(), v, linkOf(newest.Path), another); err != nil {
		s.t.Fatalf("the newest link: %v", err)
	}
	var err error
	if v.Known, err = s.flow.KnowBrowser(v, u); err != nil {
		s.t.Fatal(err)
	}
	s.goOn()
	out, err := s.flow.Password(s.t.Context(), v, s.begin(v, u.UserName).ID, another)
	if err != nil || out.Session.UserID != u.ID {
		s.t.Errorf("signing in after the link: %v", err)
	}
}

// TestNobodyIsLockedOut has the person come in, by each of the ways, while the
// attack goes on. None of them waits.
func TestNobodyIsLockedOut(t *testing.T) {
	for name, test := range map[string]func(b *bench){
		"in a known browser": func(b *bench) {
			b.setOwn(chosen)
			v := from("203.0.113.9")
			v.Known = b.pass(v).Known
			s := b.besiege("sam.lee")
			for range 5 {
				s.goOn()
				if out := b.pass(v); !b.open(out.Token) {
					b.t.Error("kept out")
				}
			}
		},
		"with a link": func(b *bench) {
			b.setOwn(chosen)
			v, s := from("203.0.113.9"), b.besiege("sam.lee")
			for range 20 { // as long as the longest wait for another letter
				s.goOn()
				b.now = b.now.Add(2 * time.Minute)
			}
			if err := b.flow.Forgot(b.t.Context(), v, b.begin(v, "sam.lee").ID); err != nil {
				b.t.Fatalf("asking for the link: %v", err)
			}
			s.linked(v, b.sam, b.letters(mail.PasswordReset))
		},
		"with the link of a code": func(b *bench) {
			b.update(func(tx *store.Tx) error { return credential.Void(tx, b.now, b.sam.StoreID, b.sam.ID) })
			v, s := from("203.0.113.9"), b.besiege("sam.lee")
			if err := b.flow.SendPasswordCode(b.t.Context(), v, b.begin(v, "sam.lee").ID); err != nil {
				b.t.Fatalf("asking for the code: %v", err)
			}
			s.linked(v, b.sam, b.letters(mail.PasswordCode))
		},
		"with a one-time password": func(b *bench) {
			b.setOwn(chosen)
			v, s := from("203.0.113.9"), b.besiege("sam.lee")
			b.setOneTime(oneTime)
			s.goOn()
			a := b.begin(v, "sam.lee")
			if _, err := b.flow.Password(b.t.Context(), v, a.ID, oneTime); err != nil {
				b.t.Fatal(err)
			}
			s.goOn()
			if out, err := b.flow.NewPassword(b.t.Context(), v, a.ID, "Wk9-birch-Tide"); err != nil || !b.open(out.Token) {
				b.t.Errorf("choosing the password: %v", err)
			}
		},
		"after an administrator has helped": func(b *bench) {
			b.setOwn(chosen)
			v := from("203.0.113.9")
			b.besiege("sam.lee")
			b.update(func(tx *store.Tx) error { return signin.ForgetGuesses(tx, b.sam) })
			if out := b.pass(v); !b.open(out.Token) {
				b.t.Error("what was guessed counts still")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.Open(t, store.Config{}))
			b.settings(func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
			test(b)
		})
	}
}

// TestASiegeTellsNothing has nobody, and somebody whose own password has the form
// of a one-time one, answer the same under siege: right or wrong, they wait.
func TestASiegeTellsNothing(t *testing.T) {
	const own = "Vt7k-Mxxn-kemp-Wr9x"
	if !credential.LooksOneTime(own) || !credential.LooksOneTime(oneTime) || credential.LooksOneTime(chosen) {
		t.Fatal("the forms of one-time passwords")
	}
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.setOwn(own)
	b.settings(func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
	for _, name := range []string{"sam.lee", "nobody"} {
		b.besiege(name)
		for i, password := range []string{own, oneTime, chosen} {
			v := from(fmt.Sprintf("203.0.%d.9", i))
			if _, err := b.flow.Password(t.Context(), v, b.begin(v, name).ID, password); !fault.Is(err, fault.Throttled) {
				t.Errorf("%s with %s: %v", name, password, err)
			}
			if err := b.flow.Forgot(t.Context(), v, b.begin(v, name).ID); err != nil {
				t.Errorf("%s asks for a link: %v", name, err)
			}
		}
	}
}

// TestAMailboxGuessesNoFactors has somebody who reads a person's mail choose one
// password after the other, each in a new browser, to guess at the person's app:
// the guesses count together.
func TestAMailboxGuessesNoFactors(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.setOwn(chosen)
	b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaAlwaysOn })
	b.register("phone")
	looked := 0
	var last string
	for i := range 40 {
		v := from(fmt.Sprintf("10.9.%d.7", i))
		v.Known = last // or the letters are soon spent
		if err := b.flow.Forgot(t.Context(), v, b.begin(v, "sam.lee").ID); err != nil {
			t.Fatal(err)
		}
		letters := b.letters(mail.PasswordReset)
		own := fmt.Sprintf("Eve-takes-%d-more", i)
		if _, err := b.flow.LinkedPassword(t.Context(), v, linkOf(letters[len(letters)-1].Path), own); err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
		v.Known = ""
		var err error
		if last, err = b.flow.KnowBrowser(v, b.sam); err != nil {
			t.Fatal(err)
		}
		v.Known = last
		out, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, own)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 5 {
			_, err := b.flow.Factor(t.Context(), v, out.Attempt.ID, signin.Proof{Code: fmt.Sprintf("%06d", n)})
			if fault.Is(err, fault.Denied) {
				looked++
			}
		}
		b.now = b.now.Add(time.Second)
	}
	if looked == 0 || looked > 15 {
		t.Errorf("%d codes were looked at in 40 seconds", looked)
	}
}
