package app

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/store"
)

const (
	// housekeepingEvery is how often what has expired is removed.
	housekeepingEvery = 10 * time.Minute
	// sweepBatch is how many rows one transaction removes, so that none keeps
	// the writer for long.
	sweepBatch = 500
	// requestsKept is how long the status of an assignment or provisioning
	// request can be asked for.
	requestsKept = 90 * 24 * time.Hour
	// linksKept is how long after its end a link is known to have expired.
	linksKept = 30 * 24 * time.Hour
)

// sweep removes at most limit rows of one kind that are of no use any longer
// and tells how many there were. Several nodes may sweep at once.
type sweep struct {
	name   string
	remove func(tx *store.Tx, now time.Time, limit int) (int64, error)
}

func sweeps() []sweep {
	return []sweep{
		{"idempotent responses", func(tx *store.Tx, _ time.Time, limit int) (int64, error) {
			return tx.DeleteExpiredResponses(limit)
		}},
		{"assignment requests", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteAssignmentRequests(now.Add(-requestsKept), limit)
		}},
		{"device authorizations", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			// Their clients may ask once more, and then hear that it is too late.
			return tx.DeleteExpiredDevices(now.Add(-oauth.DeviceLifetime), limit)
		}},
		{"authorization codes", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteExpiredAuthorizationCodes(now, limit)
		}},
		{"sign-ins under way", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteExpiredSigninAttempts(now, limit)
		}},
		{"MFA challenges", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteExpiredMfaChallenges(now, limit)
		}},
		{"trusted browsers", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteExpiredTrustedBrowsers(now, limit)
		}},
		{"portal sessions", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteExpiredPortalSessions(now, limit)
		}},
		{"epochs", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteEpochs(now.Add(-epoch.Retention), limit)
		}},
		{"links that were mailed", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			// Who comes late is told so, for a while.
			return tx.DeleteExpiredMailLinks(now.Add(-linksKept), limit)
		}},
		{"codes that were mailed", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteExpiredMailCodes(now, limit)
		}},
		{"policy documents", func(tx *store.Tx, _ time.Time, limit int) (int64, error) {
			return tx.DeleteUnusedDocuments(limit)
		}},
		{"throttles", func(tx *store.Tx, now time.Time, limit int) (int64, error) {
			return tx.DeleteForgottenThrottles(now, limit)
		}},
	}
}

// keepHouse sweeps, and seals anew what older keys sealed, until ctx ends.
func (p *Program) keepHouse(ctx context.Context) {
	ticker := time.NewTicker(housekeepingEvery)
	defer ticker.Stop()
	resealed := map[keys.Purpose]uint32{}
	for {
		for _, s := range sweeps() {
			if err := p.sweep(ctx, s); err != nil && ctx.Err() == nil {
				p.report("housekeeping")(fmt.Errorf("%s: %w", s.name, err))
			}
		}
		if err := p.resealDue(ctx, resealed); err != nil && ctx.Err() == nil {
			p.report("housekeeping")(fmt.Errorf("sealing stored secrets anew: %w", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *Program) sweep(ctx context.Context, s sweep) error {
	for {
		var removed int64
		err := p.Store.Update(ctx, func(tx *store.Tx) (err error) {
			removed, err = s.remove(tx, p.Now(), sweepBatch)
			return err
		})
		if err != nil || removed < sweepBatch {
			return err
		}
	}
}
