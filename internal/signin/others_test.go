package signin_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
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
