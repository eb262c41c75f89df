package maillink

import (
	"errors"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
)

// ReplayGrace is how long after a link was used the button on its page may be
// pressed again without anybody being told: forms are sent twice.
const ReplayGrace = time.Minute

// Replayed is what happens when somebody presses the button of a link that sets
// a password and that was used before: the person is told, with a link to undo
// what was done with it, once for each link. It does nothing for links that
// cannot be followed for another reason. told reports whether it did.
//
// Nothing is undone at once: whoever has an old link, and the person who has a
// page open twice, could have the person locked out.
func Replayed(tx Tx, now time.Time, box *mail.Outbox, token string, from Notice) (u directory.User, told bool, err error) {
	l, u, err := Look(tx, now, token)
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Reason != ReasonUsed {
		return u, false, passNotFound(err)
	}
	if !l.Purpose.SetsPassword() || !now.Before(l.ExpiresAt) || now.Sub(l.UsedAt) < ReplayGrace {
		return u, false, nil
	}
	first, err := tx.NoteMailLinkReplay(l.Hash, now)
	if err != nil || !first {
		return u, false, err
	}
	from.Kind = mail.LinkReplayed
	return u, true, Notify(tx, now, box, u, from)
}

// passNotFound drops the errors of links that cannot be followed.
func passNotFound(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
