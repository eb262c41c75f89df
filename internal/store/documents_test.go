package store_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestUnusedDocuments edits and deletes what uses policy documents: those that
// nobody uses go, and no other.
func TestUnusedDocuments(t *testing.T) {
	const account, trust = "111111111111", `{"Statement":"trust"}`
	role := func(id, document string) iam.Role {
		return iam.Role{AccountID: account, ID: id, Name: id, Path: "/", TrustPolicy: trust, Policies: iam.Policies{Inline: map[string]string{"inline": document}}, CreatedAt: storetest.Now(), Version: 1}
	}
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		do := func(fn func(tx *store.Tx) error) {
			t.Helper()
			if err := s.Update(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		swept := func(want int64) {
			t.Helper()
			do(func(tx *store.Tx) error {
				n, err := tx.DeleteUnusedDocuments(10)
				if n != want {
					t.Errorf("%d documents went, want %d", n, want)
				}
				return err
			})
		}
		inserted := func(ok bool, err error) error {
			if !ok {
				t.Error("not stored")
			}
			return err
		}
		do(func(tx *store.Tx) error {
			if err := inserted(tx.InsertRole(role("AROA1", "one"))); err != nil {
				return err
			}
			if err := inserted(tx.InsertRole(role("AROA2", "one"))); err != nil {
				return err
			}
			return inserted(tx.InsertIAMUser(iam.User{AccountID: account, ID: "AIDA1", Name: "ann", Path: "/", Policies: iam.Policies{Inline: map[string]string{"a": "one", "b": "user"}}, CreatedAt: storetest.Now(), Version: 1}))
		})
		swept(0)
		do(func(tx *store.Tx) error { return tx.UpdateRole(role("AROA1", "two")) })
		swept(0) // the other role has "one" still
		do(func(tx *store.Tx) error { return tx.UpdateRole(role("AROA1", "three")) })
		swept(1) // "two"
		do(func(tx *store.Tx) error { return tx.DeleteRole(account, "AROA2") })
		do(func(tx *store.Tx) error { return tx.UpdateIAMUserPolicies(account, "AIDA1", iam.Policies{}) })
		swept(2) // "one" and "user"
		do(func(tx *store.Tx) error {
			got, found, err := tx.RoleByID(account, "AROA1")
			if !found || got.TrustPolicy != trust || got.Policies.Inline["inline"] != "three" {
				t.Errorf("the role became %+v", got)
			}
			return err
		})
		do(func(tx *store.Tx) error { return tx.DeleteRole(account, "AROA1") })
		swept(2) // "three" and the trust policy
		swept(0)
	})
}
