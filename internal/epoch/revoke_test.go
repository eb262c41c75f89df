package epoch_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// people are amy, who is in ops and dev, and ben.
type people struct{ amy, ben, ops, dev assignment.Principal }

// change gives amy an access and takes something away.
type change struct {
	name string
	give func(w *world, p people, s permissionset.PermissionSet)
	take func(w *world, p people, s permissionset.PermissionSet)
	ends bool
	// others says that ben's sessions end as well.
	others bool
}

// changesOfAccess are those of assignments and memberships.
func changesOfAccess() []change {
	return []change{
		{
			name: "own assignment",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.amy, s, member) },
			take: func(w *world, p people, s permissionset.PermissionSet) { w.unassign(p.amy, s, member) },
			ends: true,
		},
		{
			name: "group's assignment",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, p people, s permissionset.PermissionSet) { w.unassign(p.ops, s, member) },
			ends: true,
		},
		{
			name: "membership",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, p people, _ permissionset.PermissionSet) { w.leave(p.ops, p.amy) },
			ends: true,
		},
		{
			name: "group",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, p people, _ permissionset.PermissionSet) { w.deleteGroup(p.ops) },
			ends: true,
		},
		{
			name: "own assignment, of the group's access",
			give: func(w *world, p people, s permissionset.PermissionSet) {
				w.assign(p.ops, s, member)
				w.assign(p.amy, s, member)
			},
			take: func(w *world, p people, s permissionset.PermissionSet) { w.unassign(p.amy, s, member) },
		},
		{
			name: "membership, of an access of her own",
			give: func(w *world, p people, s permissionset.PermissionSet) {
				w.assign(p.ops, s, member)
				w.assign(p.amy, s, member)
			},
			take: func(w *world, p people, _ permissionset.PermissionSet) { w.leave(p.ops, p.amy) },
		},
		{
			name: "one of two groups",
			give: func(w *world, p people, s permissionset.PermissionSet) {
				w.assign(p.ops, s, member)
				w.assign(p.dev, s, member)
			},
			take: func(w *world, p people, _ permissionset.PermissionSet) { w.deleteGroup(p.dev) },
		},
		{
			name: "one of two groups' assignments",
			give: func(w *world, p people, s permissionset.PermissionSet) {
				w.assign(p.ops, s, member)
				w.assign(p.dev, s, member)
			},
			take: func(w *world, p people, s permissionset.PermissionSet) { w.unassign(p.dev, s, member) },
		},
		{
			name: "both groups, one after the other",
			give: func(w *world, p people, s permissionset.PermissionSet) {
				w.assign(p.ops, s, member)
				w.assign(p.dev, s, member)
			},
			take: func(w *world, p people, s permissionset.PermissionSet) {
				w.unassign(p.dev, s, member)
				w.leave(p.ops, p.amy)
			},
			ends: true,
		},
		{
			name: "the same set in another account",
			give: func(w *world, p people, s permissionset.PermissionSet) {
				w.assign(p.ops, s, member)
				w.assign(p.amy, s, management)
			},
			take: func(w *world, p people, s permissionset.PermissionSet) { w.unassign(p.amy, s, management) },
		},
		{
			name: "given again",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, p people, s permissionset.PermissionSet) {
				w.leave(p.ops, p.amy)
				w.join(p.ops, p.amy)
			},
			ends: true,
		},
	}
}

// changesOfThings are those of users and accounts themselves.
func changesOfThings() []change {
	return []change{
		{
			name: "disabled and enabled",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, p people, _ permissionset.PermissionSet) {
				w.do(func(tx *store.Tx) error {
					if _, _, err := directory.DisableUser(tx, stamp(), w.in.IdentityStoreID, p.amy.ID); err != nil {
						return err
					}
					_, _, err := directory.EnableUser(tx, stamp(), w.in.IdentityStoreID, p.amy.ID)
					return err
				})
			},
			ends: true,
		},
		{
			name: "user",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, p people, _ permissionset.PermissionSet) {
				w.do(func(tx *store.Tx) error {
					_, _, err := directory.DeleteUser(tx, w.in.IdentityStoreID, p.amy.ID)
					return err
				})
			},
			ends: true,
		},
		{
			name: "account",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, _ people, _ permissionset.PermissionSet) {
				w.do(func(tx *store.Tx) error { return organization.CloseAccount(tx, w.org, member) })
			},
			ends: true, others: true,
		},
		{
			name: "all of the account's access",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, _ people, _ permissionset.PermissionSet) {
				w.do(func(tx *store.Tx) error { return assignment.WithdrawAccount(tx, w.in, member) })
			},
			ends: true, others: true,
		},
		{
			name: "rename",
			give: func(w *world, p people, s permissionset.PermissionSet) { w.assign(p.ops, s, member) },
			take: func(w *world, p people, _ permissionset.PermissionSet) {
				w.do(func(tx *store.Tx) error {
					_, _, err := directory.UpdateUser(tx, stamp(), w.in.IdentityStoreID, p.amy.ID,
						[]directory.Operation{{Path: "displayName", Value: "Amy A."}})
					return err
				})
			},
		},
	}
}

// TestChangesThatEndSessions gives amy every kind of way to an access and
// takes it. ben, who has the same access in a way of his own, keeps his
// sessions.
func TestChangesThatEndSessions(t *testing.T) {
	for _, tt := range slices.Concat(changesOfAccess(), changesOfThings()) {
		t.Run(tt.name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, s *store.Store) {
				w := newWorld(t, s)
				p := people{amy: w.user("amy"), ben: w.user("ben")}
				p.ops, p.dev = w.group("ops", p.amy), w.group("dev", p.amy)
				set := w.set("Admin")
				tt.give(w, p, set)
				w.assign(p.ben, set, member)
				amy, ben := w.open(p.amy, set, member), w.open(p.ben, set, member)
				if !w.valid(amy) || !w.valid(ben) {
					t.Fatal("fresh credentials are not good")
				}
				tt.take(w, p, set)
				if got := !w.valid(amy); got != tt.ends {
					t.Errorf("amy's session has ended: %v, want %v", got, tt.ends)
				}
				if got := !w.valid(ben); got != tt.others {
					t.Errorf("ben's session has ended: %v, want %v", got, tt.others)
				}
			})
		})
	}
}

// The last assignment of a permission set in an account ends every session of
// its role, and assigning it again does not bring one back.
func TestRoleEndsWithLastAssignment(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		amy, set := w.user("amy"), w.set("Admin")
		w.assign(amy, set, member)
		before := w.open(amy, set, member)
		w.unassign(amy, set, member)
		w.assign(amy, set, member)
		if w.valid(before) || !w.valid(w.open(amy, set, member)) {
			t.Error("old credentials are good again, or new ones are not")
		}
	})
}

// TestChangesThatEndNothing looks at the change counter: what takes no access
// away makes no node look.
func TestChangesThatEndNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		amy, set := w.user("amy"), w.set("Admin")
		ops := w.group("ops", amy)
		w.assign(ops, set, member)
		w.assign(amy, set, member)
		w.leave(ops, amy)
		w.join(ops, amy)
		w.unassign(amy, set, member)
		w.deleteGroup(w.group("dev", amy))
		if n, err := s.Change(t.Context()); err != nil || n != 0 {
			t.Errorf("the change counter is %d, %v", n, err)
		}
	})
}

// Of a group with very many accesses it is the roles that end.
func TestEndOfALargeGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("makes many people")
	}
	s := storetest.Open(t, store.Config{})
	w := newWorld(t, s)
	amy, ben := w.user("amy"), w.user("ben")
	ops, dev := w.group("ops", amy, ben), w.group("dev", ben)
	w.do(func(tx *store.Tx) error {
		for i := range 4100 {
			name := fmt.Sprintf("user%d", i)
			u, err := directory.CreateUser(tx, w.ids, stamp(), w.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
				UserName: name, DisplayName: name, Name: directory.Name{GivenName: name, FamilyName: name},
			}})
			if err != nil {
				return err
			}
			if _, err := directory.CreateMembership(tx, w.ids, stamp(), w.in.IdentityStoreID, ops.ID, u.ID); err != nil {
				return err
			}
		}
		return nil
	})
	var first permissionset.PermissionSet
	for i := range 5 {
		set := w.set(fmt.Sprintf("Set%d", i))
		w.assign(ops, set, member)
		if i == 0 {
			first = set
			w.assign(dev, set, member)
		}
	}
	other := w.set("Other")
	w.assign(ben, other, member)
	lost, kept, untouched := w.open(amy, first, member), w.open(ben, first, member), w.open(ben, other, member)
	w.deleteGroup(ops)
	if w.valid(lost) || w.valid(kept) || !w.valid(untouched) {
		t.Errorf("valid: %v, %v, %v; want only the last", w.valid(lost), w.valid(kept), w.valid(untouched))
	}
	if !w.valid(w.open(ben, first, member)) {
		t.Error("who has another way cannot open a session")
	}
	if n := len(epochs(t, s)); n != 5 {
		t.Errorf("%d epochs were raised, want one for each role", n)
	}
}

func TestPortalSessions(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		amy := w.user("amy")
		begin := func() (id string) {
			w.do(func(tx *store.Tx) error {
				one, _, err := session.Start(tx, storetest.Now(), w.ids, w.in.IdentityStoreID, amy.ID, session.DefaultDuration, session.Client{})
				id = one.ID
				return err
			})
			return id
		}
		first, second, third := begin(), begin(), begin()
		w.do(func(tx *store.Tx) error { return session.End(tx, first) })
		ended := func() (out []bool) {
			for _, id := range []string{first, second, third} {
				out = append(out, !w.valid(credentials{refs: sessionRefs(id, amy.ID)}))
			}
			return out
		}
		if got := ended(); !slices.Equal(got, []bool{true, false, false}) {
			t.Errorf("ended: %v", got)
		}
		w.do(func(tx *store.Tx) error { _, err := session.EndAll(tx, w.in.IdentityStoreID, amy.ID); return err })
		if got := ended(); !slices.Equal(got, []bool{true, true, true}) {
			t.Errorf("ended: %v", got)
		}
	})
}

// TestSessionsEndWithAccess makes changes at random and compares with a model
// that knows nothing of epochs: credentials end when, after a change, their
// person has no way to what they are for.
func TestSessionsEndWithAccess(t *testing.T) {
	w := newWorld(t, storetest.Open(t, store.Config{}))
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		m := newModel(w, round)
		for range rapid.IntRange(1, 25).Draw(rt, "changes") {
			m.change(rt)
			m.check(rt)
		}
		m.clear()
	})
}
