package signin_test

import (
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
)

// lives tells whether a session goes on.
func (b *bench) lives(id string) (found bool) {
	b.t.Helper()
	b.update(func(tx *store.Tx) (err error) {
		_, found, err = session.ByID(tx, b.now, id)
		return err
	})
	return found
}

// raised tells whether what depends on something was ended.
func (b *bench) raised(ref epoch.Ref) (ended bool) {
	b.t.Helper()
	b.update(func(tx *store.Tx) error {
		ended = false
		all, err := tx.EpochsAfter(epoch.Epoch{}, 100)
		for _, e := range all {
			ended = ended || e.Ref == ref
		}
		return err
	})
	return ended
}

func TestEndOtherSessions(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
		here, there, elsewhere := b.signedIn(from("203.0.113.9")), b.signedIn(from("203.0.113.10")), b.signedIn(from("198.51.100.7"))
		v := from("203.0.113.9")
		ended, err := b.flow.EndOthers(t.Context(), v, here.ID)
		if err != nil || ended != 2 {
			t.Errorf("%d ended, %v", ended, err)
		}
		if !b.lives(here.ID) || b.lives(there.ID) || b.lives(elsewhere.ID) {
			t.Error("not exactly the others have ended")
		}
		if !b.raised(epoch.Ref{Scope: epoch.User, ID: b.sam.ID}) {
			t.Error("sessions in accounts go on")
		}
		if ended := count(b.trail(), "BatchDeleteSession"); ended != 1 {
			t.Errorf("recorded %d times", ended)
		}
		b.now = b.now.Add(signin.StepUpAge)
		if _, err := b.flow.EndOthers(t.Context(), v, here.ID); !stepUp(err) {
			t.Errorf("a quarter of an hour later: %v", err)
		}
		if _, err := b.flow.EndOthers(t.Context(), v, there.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("from a session that has ended: %v", err)
		}
	})
}

// count is how many records there are of an event.
func count(trail []string, event string) (n int) {
	for _, r := range trail {
		if r == event {
			n++
		}
	}
	return n
}

func (b *bench) proveAgain(v signin.Visit, session string, p signin.Proof) error {
	_, err := b.flow.ProveAgain(b.t.Context(), v, session, p)
	return err
}

func (b *bench) passwordAgain(v signin.Visit, session, password string) error {
	_, err := b.flow.PasswordAgain(b.t.Context(), v, session, password)
	return err
}

// TestSigningInAgainEndsTheOlderSession signs in in a browser that has a session
// already, as the same person and as another one: that session ends, with what
// programs were given in it, as by signing out, and no other.
func TestSigningInAgainEndsTheOlderSession(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
		v := from("203.0.113.9")
		first, elsewhere := b.pass(v), b.pass(from("198.51.100.7"))
		familyHere, familyElsewhere := b.login(first.Session), b.login(elsewhere.Session)
		v.Session = first.Token
		second := b.pass(v)
		if b.lives(first.Session.ID) || !b.lives(second.Session.ID) || !b.lives(elsewhere.Session.ID) {
			t.Error("not exactly the older session of the browser has ended")
		}
		if b.hasLogin(familyHere) || !b.hasLogin(familyElsewhere) {
			t.Error("not exactly the older session's programs have lost their tokens")
		}
		for _, ref := range []epoch.Ref{{Scope: epoch.PortalSession, ID: first.Session.ID}, {Scope: epoch.User, ID: b.sam.ID}} {
			if b.raised(ref) {
				t.Errorf("roles end with %v: signing out ends none", ref)
			}
		}
		if n := count(b.trail(), "Logout"); n != 1 {
			t.Errorf("recorded %d times: %q", n, b.trail())
		}
		// Nobody is signed out by a token that is none, or by trying to sign in.
		v.Session = "made up"
		third := b.pass(v)
		v.Session = third.Token
		_, _ = b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, "wrong")
		if !b.lives(third.Session.ID) {
			t.Error("a wrong password ends the session that the browser has")
		}
	})
}

// TestProvingAgainRenewsTheToken proves the password and a device in a session:
// each time another token opens it, and the one before does not.
func TestProvingAgainRenewsTheToken(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
		v := from("203.0.113.9")
		out := b.pass(v)
		renewed := func(token string, err error) {
			t.Helper()
			if err != nil || token == "" || token == v.Session || !b.open(token) {
				t.Errorf("token %q, %v", token, err)
			}
			if b.open(v.Session) {
				t.Error("the token before still opens the session")
			}
			v.Session = token
		}
		v.Session = out.Token
		renewed(b.flow.PasswordAgain(t.Context(), v, out.Session.ID, chosen))
		secret := b.register("phone")
		renewed(b.flow.ProveAgain(t.Context(), v, out.Session.ID, signin.Proof{Code: b.code(secret, 0)}))

		if token, err := b.flow.ProveAgain(t.Context(), v, out.Session.ID, signin.Proof{Code: "wrong!"}); err == nil || token != "" || !b.open(v.Session) {
			t.Errorf("a wrong code: token %q, %v", token, err)
		}
		// A form that was sent twice: the first answer has the token.
		twice := v
		twice.Session = out.Token
		b.now = b.now.Add(time.Minute)
		if token, err := b.flow.ProveAgain(t.Context(), twice, out.Session.ID, signin.Proof{Code: b.code(secret, 0)}); err != nil || token != "" || !b.open(v.Session) {
			t.Errorf("with a token that was renewed: token %q, %v", token, err)
		}
	})
}

// login gives a program tokens in a session and returns the id of its login.
func (b *bench) login(s session.Session) string {
	b.t.Helper()
	f := oauth.Family{
		ID: b.flow.IDs.Hex(32), StoreID: s.StoreID, UserID: s.UserID, SessionID: s.ID,
		ClientID: "c1", Scopes: []string{oauth.ScopeAccountAccess}, CreatedAt: b.now, ExpiresAt: s.ExpiresAt,
	}
	b.update(func(tx *store.Tx) error { return tx.InsertTokenFamily(f) })
	return f.ID
}

func (b *bench) hasLogin(id string) (found bool) {
	b.t.Helper()
	b.update(func(tx *store.Tx) (err error) {
		_, found, err = tx.TokenFamily(id)
		return err
	})
	return found
}
