package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Tx is what appending needs of a store transaction.
type Tx interface {
	// InsertPendingAudit stores records that are in no batch yet.
	InsertPendingAudit(records ...Pending) error
}

// ChainTx is what sealing, reading and verifying need of a store transaction.
type ChainTx interface {
	// BeginAuditSeal must come before any other statement of a transaction
	// that seals; it keeps mutations that run meanwhile from failing.
	BeginAuditSeal() error
	// PendingAudit returns the oldest records that are in no batch.
	PendingAudit(limit int) ([]Pending, error)
	// DeletePendingAudit removes records and returns how many were there.
	DeletePendingAudit(eventIDs []string) (int64, error)
	// LastAuditBatch returns the newest batch, without its content.
	LastAuditBatch() (batch Batch, found bool, err error)
	// InsertAuditBatch is a fault.Conflict when the number is taken.
	InsertAuditBatch(Batch) error
	// AuditBatches returns batches with a higher number, in order.
	AuditBatches(afterNumber int64, limit int) ([]Batch, error)
	// AuditBatchesOf returns the batches that hold records with a higher
	// sequence number, in order.
	AuditBatchesOf(afterSequence int64, limit int) ([]Batch, error)
	// AuditBatchBefore returns, without its content, the newest of those
	// batches that are older than every batch which reaches to time t.
	AuditBatchBefore(t time.Time) (batch Batch, found bool, err error)
	// DeleteAuditBatches removes the batches up to a number.
	DeleteAuditBatches(throughNumber int64) (int64, error)
}

// DB runs transactions on the trail. Their functions may run more than once.
type DB interface {
	Update(ctx context.Context, f func(ChainTx) error) error
	View(ctx context.Context, f func(ChainTx) error) error
}

// Append stores r in the transaction of the mutation that it records: both
// are there, or neither.
func Append(tx Tx, r Record) error {
	body, err := r.encode()
	if err != nil {
		return err
	}
	return tx.InsertPendingAudit(Pending{EventID: r.EventID, Time: millis(r.EventTime), Body: body})
}

// Read returns the records after a sequence number, oldest first, and the
// number to go on after: fewer than limit come only at the end of the trail.
// Records of the last second may not be in it yet.
func Read(tx ChainTx, after int64, limit int) (entries []Entry, next int64, err error) {
	next = after
	for len(entries) < limit {
		batches, err := tx.AuditBatchesOf(next, 8)
		if err != nil || len(batches) == 0 {
			return entries, next, err
		}
		for _, b := range batches {
			found, err := b.entries(next)
			if err != nil {
				return nil, 0, err
			}
			if room := limit - len(entries); len(found) >= room {
				entries = append(entries, found[:room]...)
				return entries, entries[len(entries)-1].Sequence, nil
			}
			entries, next = append(entries, found...), b.LastSequence
		}
	}
	return entries, next, nil
}

// seal makes records, of which those named by pending are stored already, the
// next batch. It is a fault.Conflict when another node sealed some of them
// first; then nothing has changed.
func seal(ctx context.Context, db DB, signer Signer, batch *Batch, count int, pending []string) error {
	return db.Update(ctx, func(tx ChainTx) error {
		if err := tx.BeginAuditSeal(); err != nil {
			return err
		}
		last, found, err := tx.LastAuditBatch()
		if err != nil {
			return err
		}
		next := *batch
		if err := next.follow(when(found, &last), count, signer); err != nil {
			return err
		}
		if err := tx.InsertAuditBatch(next); err != nil {
			return err
		}
		removed, err := tx.DeletePendingAudit(pending)
		if err == nil && removed != int64(len(pending)) {
			err = fault.New(fault.Conflict, "audit", "another node has sealed these records")
		}
		return err
	})
}

func when(found bool, b *Batch) *Batch {
	if !found {
		return nil
	}
	return b
}

// removal is the content of a batch that tells what retention removed.
type removal struct {
	ThroughNumber   int64  `json:"throughNumber"`
	ThroughSequence int64  `json:"throughSequence"`
	Hash            string `json:"hash"` // of the last batch removed
	Before          string `json:"before"`
}

// Retain removes the batches in which every record is older than the time
// before, and states that in the chain, signed: so Verify can tell retention
// from theft. The newest batch always stays. It returns how many batches went.
func Retain(ctx context.Context, db DB, signer Signer, before, now time.Time) (removed int64, err error) {
	return retain(ctx, db, signer, before, now, math.MaxInt64)
}

// retain is Retain. It removes nothing while that would take records after
// forwarded.
func retain(ctx context.Context, db DB, signer Signer, before, now time.Time, forwarded int64) (removed int64, err error) {
	err = db.Update(ctx, func(tx ChainTx) error {
		removed = 0
		if err := tx.BeginAuditSeal(); err != nil {
			return err
		}
		through, found, err := tx.AuditBatchBefore(before)
		if err != nil || !found || through.LastSequence > forwarded {
			return err
		}
		last, _, err := tx.LastAuditBatch()
		if err != nil {
			return err
		}
		line, err := json.Marshal(removal{through.Number, through.LastSequence, through.Hash, before.UTC().Format(time.RFC3339)})
		if err != nil {
			return fmt.Errorf("state what retention removed: %w", err)
		}
		content, err := new(compressor).compress([][]byte{line})
		if err != nil {
			return err
		}
		at := millis(now)
		statement := Batch{Kind: Removal, Content: content, Sealed: at, FirstTime: at, LastTime: at}
		if err := statement.follow(&last, 0, signer); err != nil {
			return err
		}
		if err := tx.InsertAuditBatch(statement); err != nil {
			return err
		}
		removed, err = tx.DeleteAuditBatches(through.Number)
		return err
	})
	return removed, err
}
