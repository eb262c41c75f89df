package signin_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestAThousandGuesses has an attacker guess from many networks, while the
// person signs in from a browser that has been theirs before, and from one in
// the attacker's own network.
func TestAThousandGuesses(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		home := from("203.0.113.9")
		out, err := b.flow.Password(t.Context(), home, b.begin(home, "sam.lee").ID, chosen)
		if err != nil || out.Known == "" {
			t.Fatalf("%+v %v", out, err)
		}
		looked := 0 // guesses that a password was computed for
		for i := range 1000 {
			v := from(fmt.Sprintf("198.51.%d.%d", i%100, i%200))
			switch _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, fmt.Sprint("guess", i)); {
			case wrong(err):
				looked++
			case !fault.Is(err, fault.Throttled):
				t.Fatal(err)
			}
			b.now = b.now.Add(time.Second)
		}
		// 1,000 seconds hold the free tries and those after each wait.
		if looked > 120 {
			t.Errorf("%d of 1000 guesses were looked at", looked)
		}
		office := from("198.51.7.7")
		for where, v := range map[string]signin.Visit{"at home": home, "in the attacker's network": office} {
			v.Known = out.Known
			if again, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen); err != nil || again.Known != "" {
				t.Errorf("%s: %+v %v", where, again, err)
			}
		}
		// Elsewhere the person waits at most as long as one wait lasts.
		b.now = b.now.Add(5 * time.Minute)
		if _, err := b.flow.Password(t.Context(), office, b.begin(office, "sam.lee").ID, chosen); err != nil {
			t.Errorf("in an unknown browser, after the longest wait: %v", err)
		}
	})
}

// TestAnAttackerElsewhereKeepsNobodyOut has an attacker in one network take
// every try at an account that there is, while the person signs in from another
// network, in a browser that nobody knows.
func TestAnAttackerElsewhereKeepsNobodyOut(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		attack := func() {
			for i := range 20 {
				v := from(fmt.Sprintf("198.51.100.%d", i))
				if _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, "guess"); !wrong(err) && !fault.Is(err, fault.Throttled) {
					t.Fatal(err)
				}
			}
		}
		for i := range 10 {
			attack()
			v := from(fmt.Sprintf("203.0.113.%d", i))
			if _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen); err != nil {
				t.Errorf("during the attack, time %d: %v", i, err)
			}
			b.now = b.now.Add(time.Second)
		}
	})
}

// TestALinkMakesABrowserKnown has a person whom an attacker in the same network
// keeps out choose a password by mail: that browser is then known.
func TestALinkMakesABrowserKnown(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		v := from("203.0.113.9")
		for range 7 {
			_, _ = b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, "guess") // until it is slowed down
		}
		if _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen); !fault.Is(err, fault.Throttled) {
			t.Fatalf("the attack keeps nobody out: %v", err)
		}
		var err error
		if v.Known, err = b.flow.KnowBrowser(v, b.sam); err != nil {
			t.Fatal(err)
		}
		if _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen); err != nil {
			t.Errorf("in a browser that is known: %v", err)
		}
	})
}

// TestAKnownBrowserIsItsPersonsOnly tries the cookie for others, changed ones,
// and more guesses than it is good for.
func TestAKnownBrowserIsItsPersonsOnly(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.update(func(tx *store.Tx) error {
			_, err := authsettings.Change(tx, b.in.IdentityStoreID, func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
			return err
		})
		b.hire(1)
		v := from("203.0.113.9")
		out, err := b.flow.Password(t.Context(), v, b.begin(v, "SAM.lee").ID, chosen)
		if err != nil {
			t.Fatal(err)
		}
		guess := func(known, name string, times int) (last error) {
			v := from("203.0.113.10")
			v.Known = known
			for range times {
				_, last = b.flow.Password(t.Context(), v, b.begin(v, name).ID, "wrong")
			}
			return last
		}
		for what, known := range map[string]string{"of another person": out.Known, "changed": changed(out.Known), "cut": out.Known[:10], "garbage": "!"} {
			name := "user0"
			if what != "of another person" {
				name = "sam.lee"
			}
			if err := guess(known, name, 7); !fault.Is(err, fault.Throttled) {
				t.Errorf("%s: seven wrong guesses lead to %v", what, err)
			}
		}
		if err := guess(out.Known, "sam.lee", 11); !wrong(err) {
			t.Errorf("the eleventh guess of a known browser: %v", err)
		}
		if err := guess(out.Known, "sam.lee", 1); !fault.Is(err, fault.Throttled) {
			t.Errorf("the twelfth guess of a known browser: %v", err)
		}
	})
}

// TestAskingForLettersKeepsNobodyOut has an attacker ask for letters to the
// person, from one network and from many, while the person asks for one: from
// another network, and in a browser that has been theirs before.
func TestAskingForLettersKeepsNobodyOut(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		v := from("203.0.113.9")
		out, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen)
		if err != nil {
			t.Fatal(err)
		}
		ask := func(v signin.Visit, name string) error {
			return b.flow.Forgot(t.Context(), v, b.begin(v, name).ID)
		}
		flood := func(networks int) {
			for i := range 20 {
				if err := ask(from(fmt.Sprintf("198.51.%d.%d", i%networks, i)), "sam.lee"); err != nil && !fault.Is(err, fault.Throttled) {
					t.Fatal(err)
				}
			}
		}
		flood(1)
		if n := len(b.letters(mail.PasswordReset)); n > 5 {
			t.Errorf("one network had %d letters sent at once", n)
		}
		if err := ask(v, "sam.lee"); err != nil {
			t.Errorf("from another network: %v", err)
		}
		flood(40)
		if n := len(b.letters(mail.PasswordReset)); n > 15 {
			t.Errorf("many networks had %d letters sent at once", n)
		}
		sent := len(b.letters(mail.PasswordReset))
		if err := ask(from("192.0.2.1"), "sam.lee"); err != nil || len(b.letters(mail.PasswordReset)) != sent {
			t.Errorf("nothing keeps many networks from filling a mailbox: %v", err)
		}
		home := from("198.51.3.3") // among the attackers
		home.Known = out.Known
		if err := ask(home, "sam.lee"); err != nil || len(b.letters(mail.PasswordReset)) != sent+1 {
			t.Errorf("in the person's own browser: %v", err)
		}
		if err := ask(home, "nobody"); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if err := ask(home, "sam.lee"); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(b.letters(mail.PasswordReset)); n > sent+5 {
			t.Errorf("the browser may ask for ever: %d letters", n-sent)
		}
	})
}

// TestAThousandGuessesGoOn has an attacker guess without an end, a thousand times
// while the person looks for a way in, in browsers that nobody knows: from
// another network at once; and from the attacker's own, or when the attacker
// has very many of them, by a link that is mailed to nobody but the person.
func TestAThousandGuessesGoOn(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.setOwn(chosen)
	tries, looked := 0, 0
	attack := func(networks int) {
		for range 50 {
			v := from(fmt.Sprintf("198.51.%d.%d", tries%networks, tries%200))
			switch _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, fmt.Sprint("guess", tries)); {
			case wrong(err):
				looked++
			case !fault.Is(err, fault.Throttled):
				t.Fatal(err)
			}
			tries++
		}
		b.now = b.now.Add(time.Second)
	}
	for i := range 10 {
		attack(1)
		v := from(fmt.Sprintf("203.0.113.%d", i))
		if _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen); err != nil {
			t.Fatalf("from another network, after %d guesses: %v", tries, err)
		}
	}
	for range 10 {
		attack(200)
	}
	if tries != 1000 || looked > 120 {
		t.Errorf("%d of %d guesses were looked at", looked, tries)
	}
	v := from("198.51.7.7")
	if _, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen); !fault.Is(err, fault.Throttled) {
		t.Fatalf("among the attackers: %v", err)
	}
	if err := b.flow.Forgot(t.Context(), v, b.begin(v, "sam.lee").ID); err != nil {
		t.Fatal(err)
	}
	attack(200)
	const another = "Wk9-birch-Tide"
	u, err := b.flow.LinkedPassword(t.Context(), v, linkOf(b.letters(mail.PasswordReset)[0].Path), another)
	if err != nil {
		t.Fatal(err)
	}
	if v.Known, err = b.flow.KnowBrowser(v, u); err != nil {
		t.Fatal(err)
	}
	attack(200)
	if out, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, another); err != nil || !b.open(out.Token) {
		t.Errorf("after the link: %v", err)
	}
}

// changed returns a token of which one character is another.
func changed(token string) string {
	if token[0] == 'A' {
		return "B" + token[1:]
	}
	return "A" + token[1:]
}
