package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
)

var (
	_ audit.Tx        = (*Tx)(nil)
	_ audit.ForwardTx = (*Tx)(nil)
)

// auditChunk is how many records one statement deletes.
const auditChunk = 64

// InsertPendingAudit stores records that are in no batch yet.
func (t *Tx) InsertPendingAudit(records ...audit.Pending) error {
	for _, r := range records {
		if _, err := t.exec(`INSERT INTO audit_pending (event_id, event_time, body) VALUES ($1, $2, $3)`,
			r.EventID, r.Time.UnixMilli(), r.Body); err != nil {
			return err
		}
	}
	return nil
}

// BeginAuditSeal must be the first statement of a transaction that seals.
//
// Sealing reads the records that mutations insert at the same moment. Were it
// serializable, PostgreSQL would count each of them as a possible anomaly and
// abort some of the mutations. It does not need to be: the batches' primary
// key alone puts the sealing of several nodes in order.
func (t *Tx) BeginAuditSeal() error {
	if t.dialect != PostgreSQL {
		return nil
	}
	_, err := t.exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`)
	return err
}

// PendingAudit returns the oldest records that are in no batch.
func (t *Tx) PendingAudit(limit int) ([]audit.Pending, error) {
	var out []audit.Pending
	err := t.rows(`SELECT event_id, event_time, body FROM audit_pending ORDER BY event_time, event_id LIMIT CAST($1 AS BIGINT)`,
		[]any{limit}, func(scan func(...any) error) error {
			var p audit.Pending
			var at int64
			if err := scan(&p.EventID, &at, &p.Body); err != nil {
				return err
			}
			p.Time = time.UnixMilli(at).UTC()
			out = append(out, p)
			return nil
		})
	return out, err
}

// DeletePendingAudit removes records and returns how many were there.
func (t *Tx) DeletePendingAudit(eventIDs []string) (removed int64, err error) {
	for len(eventIDs) > 0 {
		// A short last chunk is deleted one by one, so that there are two
		// statements to prepare and not as many as there are lengths.
		n := 1
		if len(eventIDs) >= auditChunk {
			n = auditChunk
		}
		args := make([]any, n)
		for i, id := range eventIDs[:n] {
			args[i] = id
		}
		k, err := t.exec(`DELETE FROM audit_pending WHERE event_id IN (`+placeholders(n)+`)`, args...)
		if err != nil {
			return 0, err
		}
		removed, eventIDs = removed+k, eventIDs[n:]
	}
	return removed, nil
}

// placeholders returns "$1,$2,…,$n".
func placeholders(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		if i > 1 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i))
	}
	return b.String()
}

// InsertAuditBatch adds a batch; it is a fault.Conflict when its number is
// taken.
func (t *Tx) InsertAuditBatch(b audit.Batch) error {
	_, err := t.exec(`INSERT INTO audit_batch (number, kind, first_sequence, last_sequence,
			first_time, last_time, sealed_at, content, previous_hash, hash, signature)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		b.Number, string(b.Kind), b.FirstSequence, b.LastSequence,
		b.FirstTime.UnixMilli(), b.LastTime.UnixMilli(), b.Sealed.UnixMilli(),
		b.Content, b.PreviousHash, b.Hash, b.Signature)
	return err
}

// LastAuditBatch returns the newest batch, without its content.
func (t *Tx) LastAuditBatch() (audit.Batch, bool, error) {
	return t.auditBatch(`SELECT number, kind, first_sequence, last_sequence, first_time, last_time, sealed_at,
		previous_hash, hash, signature FROM audit_batch ORDER BY number DESC LIMIT 1`)
}

// AuditBatchBefore returns, without its content, the newest of those batches
// that are older than every batch which reaches to time at. The newest batch
// of all is never among them.
func (t *Tx) AuditBatchBefore(at time.Time) (audit.Batch, bool, error) {
	return t.auditBatch(`SELECT number, kind, first_sequence, last_sequence, first_time, last_time, sealed_at,
		previous_hash, hash, signature FROM audit_batch
		WHERE number = COALESCE(
			(SELECT number FROM audit_batch WHERE last_time >= $1 ORDER BY number LIMIT 1),
			(SELECT MAX(number) FROM audit_batch)) - 1`, at.UnixMilli())
}

func (t *Tx) auditBatch(query string, args ...any) (b audit.Batch, found bool, err error) {
	var firstTime, lastTime, sealed int64
	found, err = t.row(query, args, &b.Number, &b.Kind, &b.FirstSequence, &b.LastSequence,
		&firstTime, &lastTime, &sealed, &b.PreviousHash, &b.Hash, &b.Signature)
	b.FirstTime, b.LastTime, b.Sealed = time.UnixMilli(firstTime).UTC(), time.UnixMilli(lastTime).UTC(), time.UnixMilli(sealed).UTC()
	return b, found, err
}

// AuditBatches returns batches with a higher number, in order.
func (t *Tx) AuditBatches(afterNumber int64, limit int) ([]audit.Batch, error) {
	return t.auditBatches(`SELECT number, kind, first_sequence, last_sequence, first_time, last_time, sealed_at,
		content, previous_hash, hash, signature FROM audit_batch WHERE number > $1 ORDER BY number LIMIT CAST($2 AS BIGINT)`,
		afterNumber, limit)
}

// AuditBatchesOf returns the batches that hold records with a higher sequence
// number, in order.
func (t *Tx) AuditBatchesOf(afterSequence int64, limit int) ([]audit.Batch, error) {
	return t.auditBatches(`SELECT number, kind, first_sequence, last_sequence, first_time, last_time, sealed_at,
		content, previous_hash, hash, signature FROM audit_batch WHERE last_sequence > $1
		ORDER BY last_sequence, number LIMIT CAST($2 AS BIGINT)`, afterSequence, limit)
}

func (t *Tx) auditBatches(query string, args ...any) ([]audit.Batch, error) {
	var out []audit.Batch
	err := t.rows(query, args, func(scan func(...any) error) error {
		var b audit.Batch
		var firstTime, lastTime, sealed int64
		if err := scan(&b.Number, &b.Kind, &b.FirstSequence, &b.LastSequence, &firstTime, &lastTime, &sealed,
			&b.Content, &b.PreviousHash, &b.Hash, &b.Signature); err != nil {
			return err
		}
		b.FirstTime, b.LastTime, b.Sealed = time.UnixMilli(firstTime).UTC(), time.UnixMilli(lastTime).UTC(), time.UnixMilli(sealed).UTC()
		out = append(out, b)
		return nil
	})
	return out, err
}

// DeleteAuditBatches removes the batches up to a number and returns how many
// there were.
func (t *Tx) DeleteAuditBatches(throughNumber int64) (int64, error) {
	return t.exec(`DELETE FROM audit_batch WHERE number <= $1`, throughNumber)
}

// AuditCursor is part of audit.ForwardTx.
func (t *Tx) AuditCursor(target string) (c audit.Cursor, found bool, err error) {
	var until int64
	c.Target = target
	found, err = t.row(`SELECT sequence, holder, held_until FROM audit_cursors WHERE target = $1`, []any{target}, &c.Sequence, &c.Holder, &until)
	c.HeldUntil = time.UnixMilli(until).UTC()
	return c, found, err
}

// InsertAuditCursor is part of audit.ForwardTx.
func (t *Tx) InsertAuditCursor(c audit.Cursor) error {
	_, err := t.exec(`INSERT INTO audit_cursors (target, sequence, holder, held_until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (target) DO NOTHING`, c.Target, c.Sequence, c.Holder, c.HeldUntil.UnixMilli())
	return err
}

// UpdateAuditCursor is part of audit.ForwardTx.
func (t *Tx) UpdateAuditCursor(c, before audit.Cursor) (bool, error) {
	n, err := t.exec(`UPDATE audit_cursors SET sequence = $1, holder = $2, held_until = $3
		WHERE target = $4 AND sequence = $5 AND holder = $6 AND held_until = $7`,
		c.Sequence, c.Holder, c.HeldUntil.UnixMilli(), c.Target, before.Sequence, before.Holder, before.HeldUntil.UnixMilli())
	return n == 1, err
}
