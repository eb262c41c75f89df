package assignment_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// walk reads all pages that next gives, of at most two items each.
func walk[T any](t *testing.T, w *world, next func(tx *store.Tx, after string, limit int) ([]T, string, error)) (all []T) {
	t.Helper()
	for after, first := "", true; first || after != ""; first = false {
		var (
			page []T
			then string
		)
		w.must(func(tx *store.Tx) (err error) {
			page, then, err = next(tx, after, 2)
			return err
		})
		if len(page) > 2 || (then != "" && len(page) < 2) || (then != "" && then == after) {
			t.Fatalf("a page of %d from %q goes on at %q", len(page), after, then)
		}
		all = append(all, page...)
		after = then
	}
	return all
}

func TestListAssignments(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		var want []assignment.Assignment
		for n := range 5 {
			p := w.user(fmt.Sprint("user", n))
			if n%2 == 0 {
				p = w.group(fmt.Sprint("group", n))
			}
			r, err := w.assign(w.admin.ID, production, p)
			w.settled(r, err, "")
			want = append(want, assignment.Assignment{AccountID: production, PermissionSetID: w.admin.ID, Principal: p})
		}
		r, err := w.assign(w.admin.ID, management, w.amy)
		w.settled(r, err, "")
		got := walk(t, w, func(tx *store.Tx, after string, limit int) ([]assignment.Assignment, string, error) {
			return assignment.List(tx, w.admin, production, after, limit)
		})
		slices.SortFunc(want, func(a, b assignment.Assignment) int {
			return slices.Compare([]string{string(a.Type), a.Principal.ID}, []string{string(b.Type), b.Principal.ID})
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestListForPrincipal(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		other := w.set("Other")
		give := func(s permissionset.PermissionSet, id string, p assignment.Principal) assignment.Assignment {
			r, err := w.assign(s.ID, id, p)
			w.settled(r, err, "")
			return assignment.Assignment{AccountID: id, PermissionSetID: s.ID, Principal: p}
		}
		amy := []assignment.Assignment{give(w.admin, production, w.amy), give(other, management, w.amy)}
		ops := []assignment.Assignment{give(w.admin, production, w.ops), give(w.admin, management, w.ops)}
		ben := []assignment.Assignment{give(w.admin, management, w.ben)}
		for _, c := range []struct {
			name    string
			p       assignment.Principal
			account string
			want    []assignment.Assignment
		}{
			{"a user's with the group's", w.amy, "", slices.Concat(amy, ops)},
			{"a user's own", w.ben, "", ben},
			{"a group's", w.ops, "", ops},
			{"of one account", w.amy, production, []assignment.Assignment{amy[0], ops[0]}},
			{"of an account without any", w.ben, production, nil},
		} {
			got := walk(t, w, func(tx *store.Tx, after string, limit int) ([]assignment.Assignment, string, error) {
				return assignment.ListForPrincipal(tx, w.in, c.p, c.account, after, limit)
			})
			slices.SortFunc(c.want, func(a, b assignment.Assignment) int {
				return slices.Compare([]string{a.AccountID, a.PermissionSetID, a.Principal.ID}, []string{b.AccountID, b.PermissionSetID, b.Principal.ID})
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
		err := w.s.View(t.Context(), func(tx *store.Tx) error {
			_, _, err := assignment.ListForPrincipal(tx, w.in, assignment.Principal{Type: assignment.User, ID: w.ops.ID}, "", "", 1)
			return err
		})
		refused(t, err, fault.NotFound, "Could not find USER with id "+w.ops.ID)
	})
}

func TestAccessOfAUser(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		other, third := w.set("Other"), w.set("Third")
		for _, c := range []struct {
			s  permissionset.PermissionSet
			id string
			p  assignment.Principal
		}{
			{w.admin, production, w.amy},
			{w.admin, production, w.ops},
			{third, production, w.ops},
			{other, production, w.ops},
			{other, production, w.ben},
			{other, management, w.ops},
		} {
			r, err := w.assign(c.s.ID, c.id, c.p)
			w.settled(r, err, "")
		}
		accounts := func(p assignment.Principal) (ids []string) {
			for _, a := range walk(t, w, func(tx *store.Tx, after string, limit int) ([]assignment.Account, string, error) {
				return assignment.AccountsOf(tx, w.in, p.ID, after, limit)
			}) {
				if a.Name == "" || a.Email != a.ID+"@example.com" {
					t.Errorf("account %+v", a)
				}
				ids = append(ids, a.ID)
			}
			return ids
		}
		if diff := cmp.Diff([]string{production, management}, accounts(w.amy)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{production}, accounts(w.ben)); diff != "" {
			t.Error(diff)
		}
		if got := accounts(w.user("carl")); got != nil {
			t.Errorf("carl has access to %v", got)
		}
		roles := walk(t, w, func(tx *store.Tx, after string, limit int) ([]assignment.Role, string, error) {
			return assignment.RolesOf(tx, w.in, w.amy.ID, production, after, limit)
		})
		var names []string
		for _, r := range roles {
			names = append(names, r.PermissionSetName)
			role, _ := w.role(r.PermissionSetID, production)
			if r.RoleID != role.ID || r.RoleName != role.Name || r.AccountID != production {
				t.Errorf("got %+v, the role is %+v", r, role)
			}
		}
		if diff := cmp.Diff([]string{"Admin", "Other", "Third"}, names); diff != "" {
			t.Error(diff)
		}
		w.must(func(tx *store.Tx) error {
			for p, want := range map[assignment.Principal]bool{w.ops: true, w.amy: false, w.ben: false} {
				if got, err := assignment.LeadsTo(tx, p, management); err != nil || got != want {
					t.Errorf("%v leads to the management account: %v, %v", p, got, err)
				}
			}
			return nil
		})
	})
}

func TestRequests(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		var ids []string
		for n, p := range []assignment.Principal{w.amy, {Type: assignment.User, ID: "none"}, w.ben, w.ops} {
			err := w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error {
				r, err := assignment.Create(tx, minutes(n/2), w.ids, w.in, s, production, p)
				ids = append(ids[:n], r.ID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		list := func(kind assignment.Kind, status assignment.Status) (got []string) {
			for _, r := range walk(t, w, func(tx *store.Tx, after string, limit int) ([]assignment.Request, string, error) {
				return assignment.ListRequests(tx, w.in, kind, status, after, limit)
			}) {
				got = append(got, r.ID)
			}
			return got
		}
		newest, oldest := ids[2:], ids[:2]
		slices.Sort(newest)
		slices.Reverse(newest)
		failed := oldest[1]
		slices.Sort(oldest)
		slices.Reverse(oldest)
		all := slices.Concat(newest, oldest)
		for status, want := range map[assignment.Status][]string{
			"": all, assignment.Failed: {failed}, assignment.InProgress: nil,
			assignment.Succeeded: slices.DeleteFunc(slices.Clone(all), func(id string) bool { return id == failed }),
		} {
			if diff := cmp.Diff(want, list(assignment.Creation, status)); diff != "" {
				t.Errorf("%q: %s", status, diff)
			}
		}
		if got := list(assignment.Deletion, ""); got != nil {
			t.Errorf("requests to create are told as requests to delete: %v", got)
		}
		err := w.s.View(t.Context(), func(tx *store.Tx) error {
			_, err := assignment.Describe(tx, w.in, assignment.Deletion, failed)
			return err
		})
		refused(t, err, fault.NotFound, failed)
		w.must(func(tx *store.Tx) error {
			n, err := tx.DeleteAssignmentRequests(minutes(1), 10)
			if n != 2 {
				t.Errorf("%d old requests were deleted", n)
			}
			return err
		})
		if diff := cmp.Diff(newest, list(assignment.Creation, "")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestListAccountsPages(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, "us-east-1")
		want := w.accounts(5)
		sets := []permissionset.PermissionSet{w.admin, w.set("B"), w.set("C")}
		for _, id := range want {
			r, err := w.assign(w.admin.ID, id, w.amy)
			w.settled(r, err, "")
		}
		got := walk(t, w, func(tx *store.Tx, after string, limit int) ([]string, string, error) {
			return assignment.ListAccounts(tx, w.admin, assignment.Latest, after, limit)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var ids []string
		for _, s := range sets {
			ids = append(ids, s.ID)
			r, err := w.assign(s.ID, want[0], w.amy)
			w.settled(r, err, "")
		}
		slices.Sort(ids)
		gotSets := walk(t, w, func(tx *store.Tx, after string, limit int) ([]string, string, error) {
			return assignment.ListPermissionSets(tx, w.in, want[0], "", after, limit)
		})
		if diff := cmp.Diff(ids, gotSets); diff != "" {
			t.Error(diff)
		}
	})
}
