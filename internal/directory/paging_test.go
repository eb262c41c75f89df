package directory_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// walk reads all pages of a listing, at most limit ids each.
func walk(t *testing.T, w *world, limit int, list func(tx directory.Tx, after string, limit int) ([]string, string, error)) (all []string) {
	t.Helper()
	type result struct {
		ids  []string
		next string
	}
	for after := ""; ; {
		r := must(view(t, w, func(tx directory.Tx) (r result, err error) {
			r.ids, r.next, err = list(tx, after, limit)
			return r, err
		}))(t)
		if len(r.ids) > limit || r.next != "" && len(r.ids) != limit {
			t.Fatalf("a page of %d has %d items and goes on after %q", limit, len(r.ids), r.next)
		}
		all = append(all, r.ids...)
		if r.next == "" {
			return all
		}
		if r.next <= after {
			t.Fatalf("the page after %q goes on after %q", after, r.next)
		}
		after = r.next
	}
}

func listUsers(tx directory.Tx, after string, limit int) ([]string, string, error) {
	users, next, err := directory.ListUsers(tx, testStore, directory.Filter{}, after, limit)
	ids := make([]string, len(users))
	for i := range users {
		ids[i] = users[i].ID
	}
	return ids, next, err
}

func listGroups(tx directory.Tx, after string, limit int) ([]string, string, error) {
	groups, next, err := directory.ListGroups(tx, testStore, directory.Filter{}, after, limit)
	ids := make([]string, len(groups))
	for i := range groups {
		ids[i] = groups[i].ID
	}
	return ids, next, err
}

func membershipIDs(found []directory.Membership) []string {
	ids := make([]string, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	return ids
}

func TestPagesHoldEverythingOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		const n = 23
		var users, groups, ofGroup, ofUser []string
		for i := range n {
			users = append(users, w.mustUser(t, fmt.Sprint("user-", i)).ID)
			groups = append(groups, w.mustGroup(t, fmt.Sprint("group-", i)).ID)
		}
		for i := range n {
			ofGroup = append(ofGroup, must(w.createMembership(t, groups[0], users[i]))(t).ID)
			if i > 0 {
				ofUser = append(ofUser, must(w.createMembership(t, groups[i], users[0]))(t).ID)
			}
		}
		ofUser = append([]string{ofGroup[0]}, ofUser...)
		other := *w
		other.store = "d-ffffffffff"
		other.mustUser(t, "stranger")
		for _, limit := range []int{1, 7, n - 1, n, n + 1, 100} {
			for name, test := range map[string]struct {
				want []string
				list func(tx directory.Tx, after string, limit int) ([]string, string, error)
			}{
				"users": {users, listUsers}, "groups": {groups, listGroups},
				"memberships of a group": {ofGroup, func(tx directory.Tx, after string, limit int) ([]string, string, error) {
					found, next, err := directory.ListMemberships(tx, testStore, groups[0], after, limit)
					return membershipIDs(found), next, err
				}},
				"memberships of a user": {ofUser, func(tx directory.Tx, after string, limit int) ([]string, string, error) {
					found, next, err := directory.ListMembershipsOfUser(tx, testStore, users[0], after, limit)
					return membershipIDs(found), next, err
				}},
			} {
				if diff := cmp.Diff(test.want, walk(t, w, limit, test.list)); diff != "" {
					t.Errorf("%s in pages of %d:\n%s", name, limit, diff)
				}
			}
		}
	})
}

func TestPagingWhileOthersWrite(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		var existing []string
		for i := range 60 {
			existing = append(existing, w.mustUser(t, fmt.Sprint("existing-", i)).ID)
		}
		ctx, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		for n := range 4 {
			writers.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					u := w.mustUser(t, fmt.Sprint("new-", n, "-", i))
					if i%3 == 0 {
						must(update(t, w, func(tx directory.Tx) (directory.User, error) {
							u, _, err := directory.DeleteUser(tx, testStore, u.ID)
							return u, err
						}))(t)
					}
				}
			})
		}
		for range 10 {
			seen := walk(t, w, 7, listUsers)
			if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) {
				t.Error("a walk shows a user twice")
			}
			if !cmp.Equal(seen[:len(existing)], existing) {
				t.Error("a walk misses a user who was there all the time")
			}
		}
		stop()
		writers.Wait()
	})
}
