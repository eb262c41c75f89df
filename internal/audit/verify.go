package audit

import (
	"context"
	"encoding/json"
	"fmt"
)

// maxProblems bounds a Report: one damaged batch can make many follow.
const maxProblems = 100

// Problem is one thing that is wrong with the trail.
type Problem struct {
	// Batch is the number of the batch where it shows.
	Batch int64
	What  string
}

// Report is what Verify found.
type Report struct {
	Batches, Records int64
	// RemovedThrough is the sequence number up to which retention has removed
	// records; 0 when it has not.
	RemovedThrough int64
	// LastBatch and LastHash name the newest batch. Who keeps them elsewhere
	// and gives them to a later Verify also finds a trail that was cut off or
	// rewound as a whole, which the trail alone cannot show.
	LastBatch int64
	LastHash  string
	// Problems lists at most 100; More is set when there are others.
	Problems []Problem
	More     bool
}

// Good reports whether nothing is wrong.
func (r *Report) Good() bool { return len(r.Problems) == 0 }

func (r *Report) add(batch int64, format string, args ...any) {
	if len(r.Problems) == maxProblems {
		r.More = true
		return
	}
	r.Problems = append(r.Problems, Problem{batch, fmt.Sprintf(format, args...)})
}

// Anchor is a batch's number and hash, kept outside of the trail.
type Anchor struct {
	Number int64
	Hash   string
}

// Verify walks the trail and reports every batch that was altered, and every
// gap. anchors are batches that must be in it, unless retention has removed
// them. It returns an error only when the trail cannot be read.
func Verify(ctx context.Context, db DB, signer Signer, anchors ...Anchor) (*Report, error) {
	v := &verifier{signer: signer, hashes: map[int64]string{}}
	for _, a := range anchors {
		v.hashes[a.Number] = ""
	}
	for done := false; !done; {
		var page []Batch
		err := db.View(ctx, func(tx ChainTx) (err error) {
			page, err = tx.AuditBatches(v.report.LastBatch, 64)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the audit trail: %w", err)
		}
		for i := range page {
			v.batch(&page[i])
		}
		done = len(page) == 0
	}
	v.beginning()
	v.anchors(anchors)
	return &v.report, nil
}

type verifier struct {
	signer  Signer
	report  Report
	first   Batch // the oldest that is there
	last    Batch
	removed removal          // the newest statement of it
	hashes  map[int64]string // of the batches that anchors name
}

// batch checks b by itself and against the one before it.
func (v *verifier) batch(b *Batch) {
	r := &v.report
	switch {
	case r.Batches == 0:
		v.first = *b
	case b.Number != v.last.Number+1:
		r.add(b.Number, "batches %d to %d are missing", v.last.Number+1, b.Number-1)
	case b.PreviousHash != v.last.Hash:
		r.add(b.Number, "does not follow on the batch before it: one of them was replaced")
	}
	if r.Batches > 0 && b.FirstSequence != v.last.LastSequence+1 {
		r.add(b.Number, "begins with record %d, but %d would be next", b.FirstSequence, v.last.LastSequence+1)
	}
	if b.computeHash() != b.Hash {
		r.add(b.Number, "was altered: its content does not have its hash")
	} else if v.signer.Verify([]byte(b.Hash), b.Signature) != nil {
		r.add(b.Number, "was not signed by this installation's keys")
	}
	v.content(b)
	if _, asked := v.hashes[b.Number]; asked {
		v.hashes[b.Number] = b.Hash
	}
	r.Batches++
	r.LastBatch, r.LastHash = b.Number, b.Hash
	v.last = *b
	v.last.Content, v.first.Content = nil, nil
}

// content checks that the records are as many as the batch says.
func (v *verifier) content(b *Batch) {
	lines, err := b.lines()
	if err != nil {
		v.report.add(b.Number, "its content cannot be read")
		return
	}
	switch b.Kind {
	case Records:
		if int64(len(lines)) != b.LastSequence-b.FirstSequence+1 {
			v.report.add(b.Number, "has %d records where its numbers say %d", len(lines), b.LastSequence-b.FirstSequence+1)
		}
		v.report.Records += int64(len(lines))
	case Removal:
		if len(lines) != 1 || json.Unmarshal(lines[0], &v.removed) != nil {
			v.report.add(b.Number, "does not say what retention removed")
		}
		v.report.RemovedThrough = v.removed.ThroughSequence
	default:
		v.report.add(b.Number, "is of the unknown kind %q", b.Kind)
	}
}

// beginning checks that the trail begins where it should: with batch 1, or
// after what the newest statement of retention says was removed.
func (v *verifier) beginning() {
	if v.report.Batches == 0 {
		return
	}
	if v.first.Number != v.removed.ThroughNumber+1 {
		v.report.add(v.first.Number, "batches %d to %d are missing: retention has not removed them", v.removed.ThroughNumber+1, v.first.Number-1)
	} else if v.first.PreviousHash != v.removed.Hash {
		v.report.add(v.first.Number, "does not follow on what retention removed")
	}
	if want := v.removed.ThroughSequence + 1; v.first.FirstSequence != want {
		v.report.add(v.first.Number, "begins with record %d, but %d would be next", v.first.FirstSequence, want)
	}
}

func (v *verifier) anchors(anchors []Anchor) {
	for _, a := range anchors {
		switch {
		case a.Number <= v.removed.ThroughNumber:
		case v.hashes[a.Number] == "":
			v.report.add(a.Number, "is missing: the trail was cut off before it")
		case v.hashes[a.Number] != a.Hash:
			v.report.add(a.Number, "is not the batch that was noted: the trail was rewritten")
		}
	}
}
