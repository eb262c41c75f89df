package signin

import (
	"context"
	"encoding/json"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/session"
)

// endOlder ends the session that the visitor's browser has, as signing out
// does: another one begins in its place.
func (f *Flow) endOlder(tx Tx, v Visit) error {
	s, found, err := session.ByToken(tx, f.now(), v.Session)
	if err != nil || !found {
		return err
	}
	if err := session.SignOut(tx, s.ID); err != nil {
		if fault.Is(err, fault.NotFound) { // it ended by itself
			return nil
		}
		return err
	}
	in, err := instanceOf(tx, s.StoreID)
	if err != nil {
		return err
	}
	r := f.personRecord(in, v, s.UserID, s.ID, "Logout")
	r.EventSource = portalSource
	return audit.Append(tx, r)
}

// EndOthers ends everything that the person of a session is signed in to but
// the session itself: other sessions, the logins of clients, sessions in
// accounts. It is offered to whoever has changed what guards the account. ended
// is how many other sessions there were. The error is that of Fresh when the
// person has not proved who they are lately.
func (f *Flow) EndOthers(ctx context.Context, v Visit, sessionID string) (ended int64, err error) {
	err = f.DB.Update(ctx, func(tx Tx) error {
		a, err := f.act(tx, sessionID)
		if err != nil {
			return err
		}
		if err := a.fresh(f.now()); err != nil {
			return err
		}
		if ended, err = session.EndOthers(tx, a.session); err != nil {
			return err
		}
		in, err := instanceOf(tx, a.user.StoreID)
		if err != nil {
			return err
		}
		r := f.personRecord(in, v, a.user.ID, a.session.ID, "BatchDeleteSession")
		if r.AdditionalEventData, err = json.Marshal(map[string]any{"otherSessions": true, "deletedCount": ended}); err != nil {
			return err
		}
		return audit.Append(tx, r)
	})
	return ended, err
}
