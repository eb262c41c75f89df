package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
)

// Message is a letter as mail programs get it.
type Message struct {
	ID      string // unique to the letter, the same whenever it is sent
	To      string
	Subject string
	Text    string
	HTML    string
	Date    time.Time
}

// Transport hands a message to a mail server. An error that wraps ErrRefused
// is for good; any other may pass.
type Transport interface {
	Deliver(ctx context.Context, m Message) error
}

// The errors of messages that no later try will bring home.
var (
	ErrRefused = errors.New("mail: the message is refused")
	// ErrNotASCII is an ErrRefused: the name in the address has characters that
	// the mail server does not take.
	ErrNotASCII = fmt.Errorf("%w: what is before the @ of the address is not ASCII, and the mail server does not offer SMTPUTF8", ErrRefused)
)

// The reasons, in the trail, for which a letter is given up.
const (
	reasonRefused  = "REFUSED"
	reasonNotASCII = "SMTPUTF8_NOT_OFFERED"
	reasonExpired  = "EXPIRED"
)

// reasonOf is why a letter is given up after a failure.
func reasonOf(failure error) string {
	switch {
	case errors.Is(failure, ErrNotASCII):
		return reasonNotASCII
	case errors.Is(failure, ErrRefused):
		return reasonRefused
	default:
		return reasonExpired
	}
}

// QueueTx is what emptying the outbox needs of a transaction.
type QueueTx interface {
	audit.Tx
	InstanceByIdentityStore(storeID string) (instance.Instance, bool, error)
	// DueLetters returns at most limit letters that are due, the longest due
	// first.
	DueLetters(now time.Time, limit int) ([]Stored, error)
	// UpdateLetter stores DueAt and Tries of l over the version before
	// l.Version and reports false when that is not what is stored.
	UpdateLetter(l Stored) (bool, error)
	// DeleteLetter deletes a letter of this version and reports whether it was
	// there.
	DeleteLetter(id string, version int64) (bool, error)
}

// DB runs transactions. Their functions may run more than once.
type DB interface {
	Update(ctx context.Context, f func(QueueTx) error) error
	View(ctx context.Context, f func(QueueTx) error) error
}

// Sender empties the outbox. All fields are required.
type Sender struct {
	DB   DB
	Keys Keys
	// Write makes the message of a letter.
	Write     func(Letter) (Message, error)
	Transport Transport
	IDs       ident.Source
	Now       func() time.Time
	// Report is told of what went wrong with a letter, and of every letter that
	// is given up.
	Report func(error)
}

const (
	// idle is how often an empty outbox is looked at.
	idle = time.Second
	// atOnce is how many letters a node sends at the same time.
	atOnce = 8
	// timeout is how long sending a letter may take.
	timeout = time.Minute
	// lease is how long a letter is one node's. Longer than timeout.
	lease = 5 * time.Minute
	// The waits after a failure: the first, and the longest.
	firstWait = 15 * time.Second
	mostWait  = time.Hour
)

// Run sends letters as they become due, until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	ticker := time.NewTicker(idle)
	defer ticker.Stop()
	for {
		sent, err := s.Once(ctx)
		if err != nil && ctx.Err() == nil {
			s.Report(err)
		}
		if sent > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Once sends what is due, some letters at most, and returns how many it took.
func (s *Sender) Once(ctx context.Context) (taken int, err error) {
	letters, err := s.take(ctx)
	if err != nil {
		return 0, err
	}
	var group sync.WaitGroup
	failures := make([]error, len(letters))
	for i, l := range letters {
		group.Go(func() { failures[i] = s.send(ctx, l) })
	}
	group.Wait()
	return len(letters), errors.Join(failures...)
}

// take leases letters that are due.
func (s *Sender) take(ctx context.Context) (letters []Stored, err error) {
	now := s.now()
	var due []Stored
	err = s.DB.View(ctx, func(tx QueueTx) (err error) {
		due, err = tx.DueLetters(now, atOnce)
		return err
	})
	if err != nil || len(due) == 0 {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx QueueTx) error {
		letters = nil
		for _, l := range due {
			l.Tries++
			l.Version++
			l.DueAt = now.Add(lease)
			taken, err := tx.UpdateLetter(l)
			if err != nil {
				return err
			}
			if taken { // no other node was faster
				letters = append(letters, l)
			}
		}
		return nil
	})
	return letters, err
}

// send sends a letter that is leased, and notes what came of it.
func (s *Sender) send(ctx context.Context, l Stored) error {
	if l.Kind == Nothing {
		return s.remove(ctx, l)
	}
	failure := s.deliver(ctx, l)
	now := s.now()
	retry := now.Add(wait(l.Tries))
	switch {
	case failure == nil:
		return s.remove(ctx, l)
	case ctx.Err() != nil: // the node stops: another one goes on
		return s.again(context.WithoutCancel(ctx), l, now)
	case errors.Is(failure, ErrRefused) || retry.After(l.ExpiresAt):
		s.Report(fmt.Errorf("the letter %s (%s) to the user %s is given up after %d tries: %w", l.ID, l.Kind, l.UserID, l.Tries, failure))
		return s.giveUp(ctx, l, reasonOf(failure))
	default:
		s.Report(fmt.Errorf("the letter %s (%s) to the user %s could not be sent, try %d: %w", l.ID, l.Kind, l.UserID, l.Tries, failure))
		return s.again(ctx, l, retry)
	}
}

func (s *Sender) deliver(ctx context.Context, l Stored) error {
	if !s.now().Before(l.ExpiresAt) {
		return fmt.Errorf("%w: it is too late for it", ErrRefused)
	}
	letter, err := open(s.Keys, l)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	m, err := s.Write(letter)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return s.Transport.Deliver(ctx, m)
}

func (s *Sender) again(ctx context.Context, l Stored, at time.Time) error {
	l.DueAt = at
	l.Version++
	return s.DB.Update(ctx, func(tx QueueTx) error {
		_, err := tx.UpdateLetter(l)
		return err
	})
}

func (s *Sender) remove(ctx context.Context, l Stored) error {
	// A letter that is sent must not be sent again because the node stops.
	return s.DB.Update(context.WithoutCancel(ctx), func(tx QueueTx) error {
		_, err := tx.DeleteLetter(l.ID, l.Version)
		return err
	})
}

// giveUp throws a letter away, and leaves a record of it in the trail.
func (s *Sender) giveUp(ctx context.Context, l Stored, reason string) error {
	details, err := json.Marshal(map[string]string{"EmailDelivery": "Failure"})
	if err != nil {
		return err
	}
	parameters, err := json.Marshal(map[string]any{"identityStoreId": l.StoreID, "userId": l.UserID, "letter": l.Kind, "tries": l.Tries, "reason": reason})
	if err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx QueueTx) error {
		deleted, err := tx.DeleteLetter(l.ID, l.Version)
		if err != nil || !deleted {
			return err
		}
		in, found, err := tx.InstanceByIdentityStore(l.StoreID)
		if err != nil || !found {
			return err
		}
		return audit.Append(tx, audit.Record{
			UserIdentity: audit.UserIdentity{Type: "AWSService", AccountID: in.OwnerAccountID, InvokedBy: "sso-directory.amazonaws.com"},
			EventTime:    s.now(), EventSource: "sso-directory.amazonaws.com", EventName: "EmailDelivery", EventType: audit.ServiceEvent,
			Region: in.Region, RequestParameters: parameters, ServiceEventDetails: details,
			EventID: s.IDs.UUID(), RecipientAccountID: in.OwnerAccountID,
		})
	})
}

// wait is how long to wait after so many failures.
func wait(tries int64) time.Duration {
	d := firstWait
	for range min(tries-1, 16) {
		d *= 2
	}
	return min(d, mostWait)
}

func (s *Sender) now() time.Time { return ident.Millis(s.Now()) }
