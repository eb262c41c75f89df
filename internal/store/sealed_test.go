package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// notSealed are the columns of bytes that no key of the installation seals, and
// what they are.
func notSealed() map[string]string {
	return map[string]string{
		"audit_batch.content":             "records, compressed",
		"audit_batch.signature":           "signed, and never changed: see SealedColumns",
		"audit_pending.body":              "a record",
		"authorization_codes.code_hash":   "a hash",
		"device_authorizations.code_hash": "a hash",
		"idempotency.request_hash":        "a hash",
		"idempotency.response":            "an answer",
		"key_generation.wrapped":          "wrapped by the root key: see keys.Ring.ReplaceRoot",
		"mail_links.token_hash":           "a hash",
		"portal_sessions.token_hash":      "a hash",
		"root_links.token_hash":           "a hash",
		"signin_attempts.browser_hash":    "a hash",
	}
}

// TestSealedColumnsAreKnown finds every column of bytes in the schema: each is
// sealed anew after a rotation, or something that needs it not. A new one that
// keys seal goes to SealedColumns, or the keys could never be removed.
func TestSealedColumnsAreKnown(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	known := notSealed()
	for _, c := range store.SealedColumns() {
		known[c.Table+"."+c.Column] = "sealed"
	}
	var found []string
	for _, c := range readColumns(t, s, `SELECT t.name, c.name, c.type, c."notnull" FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' ORDER BY t.name, c.cid`) {
		if c.Type == "bytea" {
			found = append(found, c.Table+"."+c.Name)
		}
	}
	slices.Sort(found)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(known)), found); diff != "" {
		t.Errorf("columns of bytes (-known +in the schema): say what a new one is, in SealedColumns if keys seal it\n%s", diff)
	}
}

// TestSealedColumnsAreReadInOrder reads every column in pages of two, on both
// engines, and expects its rows of older generations alone, each once.
func TestSealedColumnsAreReadInOrder(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		for _, c := range store.SealedColumns() {
			err := s.View(t.Context(), func(tx *store.Tx) error {
				rows, err := tx.SealedBefore(c, 2, slices.Repeat([]string{"a"}, len(c.Key)), 2)
				if err != nil || len(rows) != 0 {
					return fmt.Errorf("%s: %d rows, %w", c.Table, len(rows), err)
				}
				if _, err := tx.SealedBefore(c, 2, []string{"a", "b", "c", "d"}, 2); err == nil {
					return fmt.Errorf("%s: a key of four columns", c.Table)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}
