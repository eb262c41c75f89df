package organization_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestTags(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		account, unit := w.account(1), w.unit(w.org.RootID, "Unit")
		many := make([]organization.Tag, organization.MaxTags)
		for i := range many {
			many[i] = organization.Tag{Key: fmt.Sprintf("key%02d", i)}
		}
		tag := func(id string, tags ...organization.Tag) func(organization.Tx) error {
			return func(tx organization.Tx) error { return organization.TagResource(tx, w.org, id, tags) }
		}
		untag := func(id string, keys ...string) func(organization.Tx) error {
			return func(tx organization.Tx) error { return organization.UntagResource(tx, w.org, id, keys) }
		}
		a, a2, A, b := organization.Tag{Key: "a", Value: "1"}, organization.Tag{Key: "a", Value: "2"}, organization.Tag{Key: "A"}, organization.Tag{Key: "b"}
		for _, c := range []struct {
			name string
			do   func(organization.Tx) error
			want string
		}{
			{"account", tag(account, a, b), "ok"},
			{"replace and add", tag(account, a2, A), "ok"},
			{"remove", untag(account, "b", "none"), "ok"},
			{"unit", tag(unit, many...), "ok"},
			{"unit, same keys again", tag(unit, many...), "ok"},
			{"unit, one more", tag(unit, b), "quota MAX_TAG_LIMIT_EXCEEDED"},
			{"too many at once", tag(w.org.RootID, append(many, b)...), "quota MAX_TAG_LIMIT_EXCEEDED"},
			{"root", tag(w.org.RootID, b), "ok"},
			{"twice", tag(account, a, a2), "invalid DUPLICATE_TAG_KEY"},
			{"system", tag(account, organization.Tag{Key: "AWS:x"}), "invalid INVALID_SYSTEM_TAGS_PARAMETER"},
			{"remove system", untag(account, "aws:x"), "invalid INVALID_SYSTEM_TAGS_PARAMETER"},
			{"unknown account", tag("999999999999", b), "not_found:target"},
			{"unknown unit", untag("ou-none-00000000", "b"), "not_found:target"},
			{"a policy", tag("p-12345678", b), "not_found:target"},
			{"list unknown", func(tx organization.Tx) error {
				_, err := organization.ListTags(tx, w.org, "r-none")
				return err
			}, "not_found:target"},
		} {
			if got := brief(w.do(c.do)); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		w.must(func(tx organization.Tx) error {
			for id, want := range map[string][]organization.Tag{account: {A, a2}, unit: many, w.org.RootID: {b}} {
				got, err := organization.ListTags(tx, w.org, id)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%s: %v (-want +got):\n%s", id, err, diff)
				}
			}
			return nil
		})
	})
}

// Tags go with what they are on: an account that leaves drops them, and the
// same key on another resource stays.
func TestTagsGoWithTheirResource(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		account, other, unit := w.account(1), w.account(2), w.unit(w.org.RootID, "Unit")
		w.must(func(tx organization.Tx) error {
			for _, id := range []string{account, other, unit} {
				if err := organization.TagResource(tx, w.org, id, []organization.Tag{{Key: "k", Value: "v"}}); err != nil {
					return err
				}
			}
			if err := organization.RemoveAccount(tx, w.org, account); err != nil {
				return err
			}
			return organization.DeleteOrganizationalUnit(tx, w.org, unit)
		})
		w.must(func(tx organization.Tx) error {
			for id, want := range map[string]int{account: 0, unit: 0, other: 1} {
				tags, err := tx.OrganizationTags(w.org.ID, id)
				if err != nil || len(tags) != want {
					t.Errorf("%s has %v, %v; want %d tags", id, tags, err, want)
				}
			}
			return nil
		})
	})
}
