package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// accessWorld is who has access to what, as tests write it to a store.
type accessWorld struct {
	in       instance.Instance
	accounts []string
	closed   map[string]bool
	sets     []string // ids and names of permission sets
	users    []string
	groupsOf map[string][]string // of a user
	assigned []accessGrant
}

// accessGrant is an assignment to a user or a group.
type accessGrant struct{ set, account, principal string }

func (w *accessWorld) isUser(principal string) bool {
	_, yes := w.groupsOf[principal]
	return yes
}

// write stores the world. It may be called again with more.
func (w *accessWorld) write(tx *store.Tx) error {
	i := w.in
	groups, provisioned := map[string]bool{}, map[[2]string]bool{}
	e := func(query string, args ...any) {
		if _, err := tx.Exec(query+` ON CONFLICT DO NOTHING`, args...); err != nil {
			panic(err)
		}
	}
	e(`INSERT INTO instances (id, identity_store_id, owner_account_id, organization_id, region, name, created_at, version) VALUES ($1, $2, '', 'o-1', '', '', 0, 1)`, i.ID, i.IdentityStoreID)
	for n, a := range w.accounts {
		state := "ACTIVE"
		if w.closed[a] {
			state = "CLOSED"
		}
		e(`INSERT INTO account (id, name, email, email_key, state, created_at) VALUES ($1, $2, $3, $3, $4, 0)`, a, fmt.Sprint("account-", n), a+"@example.com", state)
	}
	for _, s := range w.sets {
		e(`INSERT INTO permission_sets (id, instance_id, name, description, session_duration, relay_state, inline_policy, boundary_arn, boundary_path, boundary_name, created_at, version)
			VALUES ($1, $2, $1, '', 'PT1H', '', '', '', '', '', 0, 1)`, s, i.ID)
	}
	for _, u := range w.users {
		e(`INSERT INTO directory_users (store_id, user_id, user_name_key, email_key, status, attributes, external_ids, created_at, created_by, updated_at, updated_by, version)
			VALUES ($1, $2, $2, '', 'ENABLED', '{}', '[]', 0, '', 0, '', 1)`, i.IdentityStoreID, u)
		for _, g := range w.groupsOf[u] {
			if !groups[g] {
				groups[g] = true
				e(`INSERT INTO directory_groups (store_id, group_id, display_name, display_name_key, description, external_ids, created_at, created_by, updated_at, updated_by, version)
					VALUES ($1, $2, $2, $2, '', '[]', 0, '', 0, '', 1)`, i.IdentityStoreID, g)
			}
			e(`INSERT INTO directory_memberships (store_id, group_id, user_id, membership_id, created_at, created_by) VALUES ($1, $2, $3, $4, 0, '')`, i.IdentityStoreID, g, u, g+"/"+u)
		}
	}
	for _, a := range w.assigned {
		if at := [2]string{a.set, a.account}; !provisioned[at] {
			provisioned[at] = true
			role := "AROA-" + a.set + a.account
			e(`INSERT INTO provisioned_permission_sets (permission_set_id, account_id, instance_id, role_name, role_id, version, provisioned_at) VALUES ($1, $2, $3, $4, $5, 1, 0)`, a.set, a.account, i.ID, "Role-"+a.set, role)
			e(`INSERT INTO iam_roles (account_id, role_id, name, name_key, path, description, trust_policy, max_session_duration, session_duration, policies, created_at, version)
				VALUES ($1, $2, $3, $3, '/', '', '', 3600, 3600, '{}', 0, 1)`, a.account, role, "Role-"+a.set)
		}
		kind := "GROUP"
		if w.isUser(a.principal) {
			kind = "USER"
		}
		e(`INSERT INTO account_assignments (permission_set_id, account_id, principal_type, principal_id, created_at) VALUES ($1, $2, $3, $4, 0)`, a.set, a.account, kind, a.principal)
	}
	return nil
}

// reaches reports whether an assignment is the user's, directly or through a
// group, and in an account that is open.
func (w *accessWorld) reaches(user string, g accessGrant) bool {
	return !w.closed[g.account] && (g.principal == user || slices.Contains(w.groupsOf[user], g.principal))
}

// page is the first limit of names after one, in their order.
func page(names map[string]bool, after string, limit int) []string {
	list := slices.Sorted(maps.Keys(names))
	list = slices.DeleteFunc(list, func(name string) bool { return name <= after })
	return append([]string{}, list[:min(limit, len(list))]...)
}

// accountsOf and setsOf tell what a user may use.
func (w *accessWorld) accountsOf(user string) map[string]bool {
	all := map[string]bool{}
	for _, g := range w.assigned {
		if w.reaches(user, g) {
			all[g.account] = true
		}
	}
	return all
}

func (w *accessWorld) setsOf(user, account string) map[string]bool {
	all := map[string]bool{}
	for _, g := range w.assigned {
		if w.reaches(user, g) && g.account == account {
			all[g.set] = true
		}
	}
	return all
}

// drawAccess draws a world in which some accounts have many assignments and
// others none.
func drawAccess(t *rapid.T) *accessWorld {
	w := &accessWorld{in: instance.Instance{ID: "ssoins-1", IdentityStoreID: "d-1"}, closed: map[string]bool{}, groupsOf: map[string][]string{}}
	number := func(label string, from, to int) int { return rapid.IntRange(from, to).Draw(t, label) }
	for n := range number("accounts", 1, 24) {
		id := fmt.Sprintf("%012d", n*37)
		w.accounts = append(w.accounts, id)
		w.closed[id] = number("closed", 0, 9) == 0
	}
	w.sets = []string{"ps-a", "ps-b", "ps-c"}[:number("sets", 1, 3)]
	var principals []string
	for n := range number("groups", 0, 40) {
		principals = append(principals, fmt.Sprint("group-", n))
	}
	w.users = []string{"amy", "ben", "group-user"}
	for _, u := range w.users {
		w.groupsOf[u] = nil
		for _, g := range principals {
			if rapid.Bool().Draw(t, u+" in "+g) {
				w.groupsOf[u] = append(w.groupsOf[u], g)
			}
		}
	}
	principals = append(principals, w.users...)
	for range number("rounds", 0, 6) {
		from, to := number("from", 0, len(w.accounts)), number("to", 0, len(w.accounts))
		p := rapid.SliceOf(rapid.SampledFrom(principals)).Draw(t, "principals")
		set := rapid.SampledFrom(w.sets).Draw(t, "set")
		for n := from; n < to; n++ {
			for _, principal := range p {
				w.assigned = append(w.assigned, accessGrant{set, w.accounts[n], principal})
			}
		}
	}
	// So many that the account's side is the longer one.
	for _, account := range rapid.SliceOfN(rapid.SampledFrom(w.accounts), 0, 2).Draw(t, "crowded") {
		for n := range 65 {
			w.assigned = append(w.assigned, accessGrant{w.sets[0], account, fmt.Sprint("crowd-", n)})
		}
	}
	return w
}

// TestAccessIsWhatAssignmentsSay draws organizations and holds pages of what
// people may use against all that is assigned, whichever way the pages are
// found.
func TestAccessIsWhatAssignmentsSay(t *testing.T) {
	takenBack := errors.New("taken back")
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		rapid.Check(t, func(r *rapid.T) {
			w := drawAccess(r)
			few, thin, growth := rapid.IntRange(0, 30).Draw(r, "few"), rapid.IntRange(0, 4).Draw(r, "thin"), rapid.IntRange(1, 3).Draw(r, "growth")
			user := rapid.SampledFrom(w.users).Draw(r, "user")
			account := rapid.SampledFrom(w.accounts).Draw(r, "account")
			after := rapid.SampledFrom(append([]string{"", "0000000000371"}, w.accounts...)).Draw(r, "after")
			limit := rapid.IntRange(1, 26).Draw(r, "limit")
			err := s.Update(r.Context(), func(tx *store.Tx) error {
				if err := w.write(tx); err != nil {
					return err
				}
				got, err := tx.AccountsWithin(few, thin, growth, w.in, user, after, limit)
				if diff := cmp.Diff(page(w.accountsOf(user), after, limit), got); diff != "" || err != nil {
					r.Errorf("accounts: %v (-want +got)\n%s", err, diff)
				}
				usual, err := tx.AccountsOfUser(w.in, user, after, limit)
				if len(usual) != len(got) || err != nil {
					r.Errorf("%d accounts, want %d; %v", len(usual), len(got), err)
				}
				checkRoles(r, tx, w, user, account)
				return takenBack
			})
			if !errors.Is(err, takenBack) {
				r.Fatal(err)
			}
		})
	})
}

// TestAccessOfOthers has every account asked whether it is the user's, from
// either side: what the groups of somebody else may use is nobody else's.
func TestAccessOfOthers(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		const one, two, three, four = "111111111111", "222222222222", "333333333333", "444444444444"
		w := &accessWorld{
			in: instance.Instance{ID: "ssoins-1", IdentityStoreID: "d-1"}, accounts: []string{one, two, three, four}, sets: []string{"ps-a"},
			users: []string{"amy", "ben"}, groupsOf: map[string][]string{"amy": {"hers"}, "ben": {"his"}},
			assigned: []accessGrant{
				{"ps-a", one, "hers"}, {"ps-a", one, "his"}, {"ps-a", two, "his"}, {"ps-a", three, "hers"}, {"ps-a", four, "his"},
			},
		}
		for n := range 65 { // so that the fourth is asked from the user's side
			w.assigned = append(w.assigned, accessGrant{"ps-a", four, fmt.Sprint("crowd-", n)})
		}
		if err := s.Update(t.Context(), w.write); err != nil {
			t.Fatal(err)
		}
		for user, want := range map[string][]string{"amy": {one, three}, "ben": {one, two, four}} {
			var got []string
			err := s.View(t.Context(), func(tx *store.Tx) (err error) {
				got, err = tx.AccountsWithin(0, 0, 1, w.in, user, "", 10)
				return err
			})
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got)\n%s", user, err, diff)
			}
		}
	})
}

func checkRoles(t *rapid.T, tx *store.Tx, w *accessWorld, user, account string) {
	all := w.setsOf(user, account)
	roles, err := tx.RolesOfUser(w.in, user, account, "ps-a", 10)
	got := []string{}
	for _, r := range roles {
		got = append(got, r.PermissionSetName)
	}
	if diff := cmp.Diff(page(all, "ps-a", 10), got); diff != "" || err != nil {
		t.Errorf("roles: %v (-want +got)\n%s", err, diff)
	}
	for _, set := range w.sets {
		if _, found, err := tx.RoleOfUser(w.in, user, account, set); found != all[set] || err != nil {
			t.Errorf("%s: %v, %v", set, found, err)
		}
	}
}

// largeAccess has a person in each of 500 groups, which have a role in 100 of
// 1,000 accounts each; and one in a group that has a role in every account.
func largeAccess() *accessWorld {
	w := &accessWorld{in: instance.Instance{ID: "ssoins-1", IdentityStoreID: "d-1"}, sets: []string{"ps-1", "ps-2"}, users: []string{"many", "one", "few"}, groupsOf: map[string][]string{}}
	for n := range 1000 {
		w.accounts = append(w.accounts, fmt.Sprintf("%012d", n*7919))
		w.assigned = append(w.assigned, accessGrant{"ps-1", w.accounts[n], "everywhere"})
	}
	w.groupsOf["one"] = []string{"everywhere"}
	for g := range 500 {
		// Ids in an order of their own, as the program's are.
		group := fmt.Sprintf("%08x-group", uint32(g)*2654435761)
		w.groupsOf["many"] = append(w.groupsOf["many"], group)
		if g%100 == 0 {
			w.groupsOf["few"] = append(w.groupsOf["few"], group)
		}
		for n := range 100 {
			w.assigned = append(w.assigned, accessGrant{"ps-1", w.accounts[(g*50+n)%1000], group})
		}
	}
	return w
}

func BenchmarkAccess(b *testing.B) {
	benchmark(b, func(b *testing.B, s *store.Store) {
		w := largeAccess()
		if err := s.Update(b.Context(), w.write); err != nil {
			b.Fatal(err)
		}
		for _, user := range w.users {
			for name, read := range map[string]func(tx *store.Tx) (int, error){
				"AccountsOfUser": func(tx *store.Tx) (int, error) {
					list, err := tx.AccountsOfUser(w.in, user, "", 101)
					return len(list), err
				},
				"AccountsOfUser-last": func(tx *store.Tx) (int, error) {
					list, err := tx.AccountsOfUser(w.in, user, w.accounts[900], 101)
					return len(list), err
				},
				"RolesOfUser": func(tx *store.Tx) (int, error) {
					list, err := tx.RolesOfUser(w.in, user, w.accounts[500], "", 101)
					return len(list), err
				},
				"RoleOfUser": func(tx *store.Tx) (int, error) {
					_, found, err := tx.RoleOfUser(w.in, user, w.accounts[500], "ps-1")
					if found {
						return 1, err
					}
					return 0, err
				},
			} {
				b.Run(name+"/"+user, func(b *testing.B) {
					b.ReportAllocs()
					n := 0
					for b.Loop() {
						if err := s.View(b.Context(), func(tx *store.Tx) (err error) { n, err = read(tx); return err }); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(n), "rows")
				})
			}
		}
	})
}
