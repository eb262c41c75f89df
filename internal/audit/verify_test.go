package audit_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// trail returns a store whose trail has six batches of two records, and its
// database for whoever wants to tamper with it.
func trail(t *testing.T) (*store.Store, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "atrium.db")
	s := storetest.Open(t, store.Config{SQLitePath: path})
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for day := range 6 {
		at := start().AddDate(0, 0, day)
		w := newWriter(t, s, func() time.Time { return at })
		for i := range 2 {
			w.Enqueue(record(fmt.Sprintf("%d-%d", day, i), at))
		}
		flush(t, w)
	}
	if report := verify(t, s); !report.Good() || report.Batches != 6 || report.Records != 12 {
		t.Fatalf("the untouched trail: %+v", report)
	}
	return s, db
}

func tamper(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func TestTamperingIsFound(t *testing.T) {
	for name, tc := range map[string]struct{ query, want string }{
		"content replaced":    {`UPDATE audit_batch SET content = (SELECT content FROM audit_batch WHERE number = 2) WHERE number = 3`, "batch 3: was altered"},
		"content damaged":     {`UPDATE audit_batch SET content = x'00' WHERE number = 3`, "batch 3: its content cannot be read"},
		"time moved":          {`UPDATE audit_batch SET last_time = last_time + 1 WHERE number = 3`, "batch 3: was altered"},
		"kind changed":        {`UPDATE audit_batch SET kind = 'removal' WHERE number = 3`, "batch 3: was altered"},
		"signature forged":    {`UPDATE audit_batch SET signature = x'0011' WHERE number = 3`, "batch 3: was not signed by this installation's keys"},
		"one batch removed":   {`DELETE FROM audit_batch WHERE number = 3`, "batch 4: batches 3 to 3 are missing"},
		"beginning removed":   {`DELETE FROM audit_batch WHERE number < 3`, "batch 3: batches 1 to 2 are missing"},
		"removed, renumbered": {`DELETE FROM audit_batch WHERE number = 6; UPDATE audit_batch SET number = 6 WHERE number = 5`, "batch 6: batches 5 to 5 are missing"},
		"two swapped": {`UPDATE audit_batch SET number = 100 WHERE number = 3; UPDATE audit_batch SET number = 3 WHERE number = 4;
			UPDATE audit_batch SET number = 4 WHERE number = 100`, "batch 3: does not follow on the batch before it"},
		"hash and content replaced": {
			`UPDATE audit_batch SET (content, hash, signature) = (SELECT content, hash, signature FROM audit_batch WHERE number = 2) WHERE number = 3`,
			"batch 4: does not follow on the batch before it",
		},
		"end cut off":  {`DELETE FROM audit_batch WHERE number > 4`, "batch 6: is missing: the trail was cut off before it"},
		"all replaced": {`DELETE FROM audit_batch`, "batch 6: is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s, db := trail(t)
			known := verify(t, s)
			tamper(t, db, tc.query)
			report := verify(t, s, audit.Anchor{Number: known.LastBatch, Hash: known.LastHash})
			var said strings.Builder
			for _, p := range report.Problems {
				fmt.Fprintf(&said, "batch %d: %s\n", p.Batch, p.What)
			}
			if !strings.Contains(said.String(), tc.want) {
				t.Errorf("Verify says %q, want %q", said.String(), tc.want)
			}
		})
	}
}

func TestATrailWrittenWithOtherKeysIsFound(t *testing.T) {
	s, _ := trail(t)
	report, err := audit.Verify(t.Context(), store.Bind[audit.ChainTx](s), signer("other"))
	if err != nil || len(report.Problems) != 6 {
		t.Errorf("Verify = %+v, %v; want a problem for each of 6 batches", report, err)
	}
}

func TestRetentionIsToldFromTheft(t *testing.T) {
	s, db := trail(t)
	bound := store.Bind[audit.ChainTx](s)
	known := verify(t, s)
	retain := func(before, now time.Time, want int64) {
		t.Helper()
		if n, err := audit.Retain(t.Context(), bound, signer("key"), before, now); err != nil || n != want {
			t.Errorf("Retain = %d, %v; want %d", n, err, want)
		}
	}
	now := start().AddDate(0, 0, 10)
	retain(start(), now, 0)
	retain(start().AddDate(0, 0, 2), now, 2)
	retain(start().AddDate(0, 0, 2), now, 0) // nothing more to do: states nothing
	report := verify(t, s, audit.Anchor{Number: known.LastBatch, Hash: known.LastHash}, audit.Anchor{Number: 1, Hash: "gone"})
	if !report.Good() || report.Records != 8 || report.RemovedThrough != 4 || report.Batches != 5 {
		t.Errorf("after retention Verify = %+v", report)
	}
	entries, _ := read(t, s, 0, 100)
	if len(entries) != 8 || entries[0].Sequence != 5 {
		t.Errorf("%d entries, the first %d; want 8 from 5", len(entries), entries[0].Sequence)
	}
	retain(start().AddDate(0, 0, 4), now, 2)
	w := newWriter(t, s, func() time.Time { return now })
	w.Enqueue(record("late", now))
	flush(t, w)
	if report := verify(t, s); !report.Good() || report.RemovedThrough != 8 {
		t.Errorf("after a second retention Verify = %+v", report)
	}
	// Everything is old now: the newest batch stays, and so does the number to
	// go on from.
	retain(now.AddDate(1, 0, 0), now.AddDate(1, 0, 0), 4)
	if report := verify(t, s); !report.Good() || report.RemovedThrough != 12 {
		t.Errorf("after everything was removed Verify = %+v", report)
	}
	tamper(t, db, `DELETE FROM audit_batch WHERE number = (SELECT MIN(number) FROM audit_batch)`)
	if report := verify(t, s); report.Good() {
		t.Error("more was removed than retention stated, and Verify does not see it")
	}
}

func TestProblemsAreBounded(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	w := newWriter(t, s, start)
	for i := range 101 {
		w.Enqueue(record(fmt.Sprint(i), start()))
		flush(t, w)
	}
	report, err := audit.Verify(t.Context(), store.Bind[audit.ChainTx](s), signer("other"))
	if err != nil || len(report.Problems) != 100 || !report.More {
		t.Errorf("%d problems, more: %v, %v; want 100 and more", len(report.Problems), report.More, err)
	}
}
