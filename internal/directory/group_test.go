package directory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func (w *world) group(t fataler, id string) (directory.Group, error) {
	t.Helper()
	return view(t, w, func(tx directory.Tx) (directory.Group, error) { return directory.GroupByID(tx, w.store, id) })
}

func (w *world) updateGroup(t fataler, id string, operations ...directory.Operation) (directory.Group, error) {
	t.Helper()
	by := w.stamp()
	return update(t, w, func(tx directory.Tx) (directory.Group, error) {
		_, after, err := directory.UpdateGroup(tx, by, w.store, id, operations)
		return after, err
	})
}

func TestGroupsKeepTheirAttributes(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		in := directory.NewGroup{
			DisplayName: "Équipe 東京 (ops)\tno-break\u00a0space", Description: "línea 1\nline 2",
			ExternalIDs: []directory.ExternalID{{Issuer: "idp", ID: "G/1"}},
		}
		created := must(w.createGroup(t, in))(t)
		want := directory.Group{
			StoreID: testStore, ID: created.ID, DisplayName: in.DisplayName, Description: in.Description,
			ExternalIDs: in.ExternalIDs, Record: created.Record,
		}
		if diff := cmp.Diff(want, must(w.group(t, created.ID))(t)); diff != "" {
			t.Errorf("the group read differs:\n%s", diff)
		}
		for _, find := range []func(tx directory.Tx) (string, error){
			func(tx directory.Tx) (string, error) {
				return directory.GroupIDByAttribute(tx, testStore, "DisplayName", strings.ToUpper(in.DisplayName))
			},
			func(tx directory.Tx) (string, error) {
				return directory.GroupIDByExternalID(tx, testStore, in.ExternalIDs[0])
			},
		} {
			if id := must(view(t, w, find))(t); id != created.ID {
				t.Errorf("found %s, want %s", id, created.ID)
			}
		}
		_, err := view(t, w, func(tx directory.Tx) (string, error) {
			return directory.GroupIDByAttribute(tx, testStore, "description", "x")
		})
		wantFailure(t, err, invalid("The attribute description is not a unique attribute"))
		_, err = view(t, w, func(tx directory.Tx) (string, error) {
			return directory.GroupIDByExternalID(tx, testStore, directory.ExternalID{Issuer: "idp", ID: "g/1"})
		})
		wantFailure(t, err, notFound("GROUP", ""))
	})
}

func TestGroupRules(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		// 4,096 bytes of name: more than an index entry may have.
		long := strings.Repeat("𝔘", 1023)
		must(w.createGroup(t, directory.NewGroup{DisplayName: "Ops", ExternalIDs: []directory.ExternalID{{Issuer: "idp", ID: "Ops"}}}))(t)
		_, err := w.createGroup(t, directory.NewGroup{DisplayName: "OPS"})
		wantFailure(t, err, duplicate("Duplicate GroupDisplayName"))
		must(w.createGroup(t, directory.NewGroup{DisplayName: long + "a"}))(t)
		must(w.createGroup(t, directory.NewGroup{DisplayName: long + "b"}))(t)
		_, err = w.createGroup(t, directory.NewGroup{DisplayName: long + "B"})
		wantFailure(t, err, duplicate("Duplicate GroupDisplayName"))

		_, err = w.createGroup(t, directory.NewGroup{DisplayName: "Other", ExternalIDs: []directory.ExternalID{{Issuer: "idp", ID: "Ops"}}})
		wantFailure(t, err, duplicate("Duplicate ExternalId"))
		_, err = w.createGroup(t, directory.NewGroup{Description: "nameless"})
		wantFailure(t, err, invalid("displayname: The attribute displayname is required"))
		_, err = w.createGroup(t, directory.NewGroup{DisplayName: "awsadministrators"})
		wantFailure(t, err, invalid("awsadministrators is a reserved name and can't be used for users or groups."))
		_, err = w.createGroup(t, directory.NewGroup{DisplayName: "x", Description: strings.Repeat("x", 1025)})
		wantFailure(t, err, invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1024"))
	})
}

func TestUpdateGroup(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		ops := must(w.createGroup(t, directory.NewGroup{DisplayName: "Ops", Description: "old"}))(t)
		w.mustGroup(t, "Dev")
		for _, refused := range []struct {
			path  string
			value any
			want  failure
		}{
			{"displayName", "DEV", duplicate("Duplicate GroupDisplayName")},
			{"displayName", nil, invalid("displayname: The attribute displayname is required")},
			{"displayName", "Administrator", invalid("Administrator is a reserved name and can't be used for users or groups.")},
			{"displayName", list{}, invalid("The value of the attribute displayName must be a string.")},
			{"members", list{}, invalid("The attribute members is not supported.")},
			{"displayName.x", "y", invalid("The attribute displayName.x is not supported.")},
		} {
			_, err := w.updateGroup(t, ops.ID, directory.Operation{Path: "description", Value: "new"}, directory.Operation{Path: refused.path, Value: refused.value})
			wantFailure(t, err, refused.want)
		}
		if diff := cmp.Diff(ops, must(w.group(t, ops.ID))(t)); diff != "" {
			t.Errorf("a refused update changed the group:\n%s", diff)
		}
		for _, step := range []struct {
			operation         directory.Operation
			name, description string
		}{
			{directory.Operation{Path: "displayName", Value: "OPS"}, "OPS", "old"},
			{directory.Operation{Path: "Description", Value: "new"}, "OPS", "new"},
			{directory.Operation{Path: "description"}, "OPS", ""},
			{directory.Operation{Path: "displayName", Value: "Operations"}, "Operations", ""},
		} {
			must(w.updateGroup(t, ops.ID, step.operation))(t)
			if g := must(w.group(t, ops.ID))(t); g.DisplayName != step.name || g.Description != step.description {
				t.Errorf("after %v the group is %q, %q", step.operation, g.DisplayName, g.Description)
			}
		}
		must(w.createGroup(t, directory.NewGroup{DisplayName: "ops"}))(t)
		_, err := w.updateGroup(t, "1234567890-none", directory.Operation{Path: "description"})
		wantFailure(t, err, notFound("GROUP", "1234567890-none"))
	})
}

func TestMemberships(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		jane, jack := w.mustUser(t, "jane"), w.mustUser(t, "jack")
		ops, dev := w.mustGroup(t, "ops"), w.mustGroup(t, "dev")
		const nobody, nothing = "1234567890-nobody", "1234567890-nothing"
		m := must(w.createMembership(t, ops.ID, jane.ID))(t)

		_, err := w.createMembership(t, ops.ID, jane.ID)
		wantFailure(t, err, duplicate("Member and Group relationship already exists"))
		_, err = w.createMembership(t, nothing, jane.ID)
		wantFailure(t, err, notFound("GROUP", nothing))
		_, err = w.createMembership(t, ops.ID, nobody)
		wantFailure(t, err, notFound("USER", nobody))
		w.store = "d-ffffffffff" // another store knows neither
		_, err = w.createMembership(t, ops.ID, jane.ID)
		wantFailure(t, err, notFound("GROUP", ops.ID))
		w.store = testStore

		of := func(group, user string) (directory.Membership, error) {
			return view(t, w, func(tx directory.Tx) (directory.Membership, error) {
				return directory.MembershipOf(tx, testStore, group, user)
			})
		}
		if diff := cmp.Diff(m, must(of(ops.ID, jane.ID))(t)); diff != "" {
			t.Errorf("the membership found differs:\n%s", diff)
		}
		for _, test := range []struct {
			group, user string
			want        failure
		}{
			{ops.ID, jack.ID, notFound("GROUP_MEMBERSHIP", "")},
			{nothing, jane.ID, notFound("GROUP", nothing)},
			{ops.ID, nobody, notFound("USER", nobody)},
		} {
			_, err := of(test.group, test.user)
			wantFailure(t, err, test.want)
		}
		testIsMember(t, w, jane.ID, ops.ID, dev.ID)
		testEmptyListings(t, w, dev.ID, jack.ID)

		remove := func() (directory.Membership, error) {
			return update(t, w, func(tx directory.Tx) (directory.Membership, error) {
				return directory.DeleteMembership(tx, testStore, m.ID)
			})
		}
		if diff := cmp.Diff(m, must(remove())(t)); diff != "" {
			t.Errorf("the membership deleted differs:\n%s", diff)
		}
		_, err = remove()
		wantFailure(t, err, notFound("GROUP_MEMBERSHIP", m.ID))
		must(w.createMembership(t, ops.ID, jane.ID))(t)
	})
}

// testIsMember asks about lists of groups of every size, of which in is the
// only one that the user is in.
func testIsMember(t *testing.T, w *world, user, in, out string) {
	t.Helper()
	ask := func(user string, groups []string) ([]bool, error) {
		return view(t, w, func(tx directory.Tx) ([]bool, error) {
			return directory.IsMemberInGroups(tx, testStore, user, groups)
		})
	}
	for size := 1; size <= 100; size += 9 {
		groups, want := slices.Repeat([]string{out}, size), make([]bool, size)
		for _, i := range []int{size / 2, size - 1} {
			groups[i], want[i] = in, true
		}
		groups[0], want[0] = "1234567890-nothing", false
		if got := must(ask(user, groups))(t); !cmp.Equal(got, want) {
			t.Errorf("of %d groups: %v, want %v", size, got, want)
		}
	}
	_, err := ask("1234567890-nobody", []string{in})
	wantFailure(t, err, notFound("USER", "1234567890-nobody"))
}

// testEmptyListings lists what is empty and what does not exist.
func testEmptyListings(t *testing.T, w *world, group, user string) {
	t.Helper()
	listGroup := func(tx directory.Tx, id string) ([]directory.Membership, string, error) {
		return directory.ListMemberships(tx, testStore, id, "", 10)
	}
	listUser := func(tx directory.Tx, id string) ([]directory.Membership, string, error) {
		return directory.ListMembershipsOfUser(tx, testStore, id, "", 10)
	}
	for _, test := range []struct {
		list func(tx directory.Tx, id string) ([]directory.Membership, string, error)
		kind string
		id   string
	}{{listGroup, "GROUP", group}, {listUser, "USER", user}} {
		for id, exists := range map[string]bool{test.id: true, "1234567890-none": false} {
			found, err := view(t, w, func(tx directory.Tx) ([]directory.Membership, error) {
				found, _, err := test.list(tx, id)
				return found, err
			})
			if exists && (err != nil || len(found) != 0) {
				t.Errorf("the memberships of an empty %s are %v, %v", test.kind, found, err)
			} else if !exists {
				wantFailure(t, err, notFound(test.kind, id))
			}
		}
	}
}

func TestDeleteGroup(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		jane, jack := w.mustUser(t, "jane"), w.mustUser(t, "jack")
		ops, dev := w.mustGroup(t, "ops"), w.mustGroup(t, "dev")
		must(w.createMembership(t, ops.ID, jack.ID))(t)
		must(w.createMembership(t, ops.ID, jane.ID))(t)
		must(w.createMembership(t, dev.ID, jane.ID))(t)
		type deletion struct {
			Group directory.Group
			Users []string
		}
		remove := func() (deletion, error) {
			return update(t, w, func(tx directory.Tx) (d deletion, err error) {
				d.Group, d.Users, err = directory.DeleteGroup(tx, testStore, ops.ID)
				return d, err
			})
		}
		if diff := cmp.Diff(deletion{ops, []string{jane.ID, jack.ID}}, must(remove())(t)); diff != "" {
			t.Errorf("what was deleted differs:\n%s", diff)
		}
		_, err := remove()
		wantFailure(t, err, notFound("GROUP", ops.ID))
		if groups := must(view(t, w, func(tx directory.Tx) ([]string, error) {
			return directory.GroupsOfUser(tx, testStore, jane.ID)
		}))(t); !cmp.Equal(groups, []string{dev.ID}) {
			t.Errorf("the groups left are %v", groups)
		}
		w.mustGroup(t, "OPS")
	})
}
