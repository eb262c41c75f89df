package directory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// complete is a user with every attribute.
func complete() directory.NewUser {
	return directory.NewUser{
		Attributes: directory.Attributes{
			UserName: "zoë.ångström", DisplayName: "Zoë 東京 Ångström", NickName: "Zo", ProfileURL: "https://example.com/zoe",
			Name: directory.Name{
				Formatted: "Dr. Zoë M. Ångström Ph.D.", FamilyName: "Ångström", GivenName: "Zoë", MiddleName: "Märta",
				HonorificPrefix: "Dr.", HonorificSuffix: "Ph.D.",
			},
			Emails: []directory.Email{{Value: "Zoe@Example.com", Type: "work", Primary: new(true)}},
			Addresses: []directory.Address{{
				StreetAddress: "1 Main Street <&>", Locality: "Malmö", Region: "Skåne", PostalCode: "211 00",
				Country: "SE", Formatted: "1 Main Street\n211 00 Malmö", Type: "home", Primary: new(false),
			}},
			PhoneNumbers: []directory.PhoneNumber{{Value: "+46 40 123", Type: "mobile"}},
			UserType:     "Employee", Title: "Engineer", PreferredLanguage: "sv-SE", Locale: "sv", Timezone: "Europe/Stockholm",
			Photos: []directory.Photo{
				{Value: "https://example.com/1.png", Type: "photo", Display: "at work", Primary: new(true)},
				{Value: "https://example.com/2.png"},
				{Value: "data:image/gif;base64,R0lGOD", Primary: new(false)},
			},
			Website: "https://zoe.example.com", Birthdate: "1980-02-29",
			Roles: []directory.Role{{Value: "Researcher", Type: "work", Primary: new(true)}},
			Extensions: directory.Extensions{Enterprise: directory.Enterprise{
				EmployeeNumber: "701984", CostCenter: "4130", Organization: "Universal", Division: "Theme Park", Department: "Tours",
				Manager: directory.Manager{Value: "26118915", Ref: "../Users/26118915", DisplayName: "John Smith"},
			}},
		},
		ExternalIDs: []directory.ExternalID{{Issuer: "https://idp.example.com", ID: "Z-1"}, {Issuer: "other", ID: "z"}},
	}
}

func TestCreateUserKeepsEveryAttribute(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		in := complete()
		created := must(w.createUser(t, in))(t)
		read := must(w.user(t, created.ID))(t)
		if diff := cmp.Diff(created, read); diff != "" {
			t.Errorf("the user read differs from the user created:\n%s", diff)
		}
		want := directory.User{
			StoreID: testStore, ID: created.ID, Attributes: in.Attributes, ExternalIDs: in.ExternalIDs, Status: directory.Enabled,
			Record: created.Record,
		}
		if diff := cmp.Diff(want, read); diff != "" {
			t.Errorf("the user differs from what was asked for:\n%s", diff)
		}
		r := read.Record
		if r.Version != 1 || r.CreatedBy != "arn:aws:iam::123456789012:user/admin" || r.CreatedAt.IsZero() ||
			r.CreatedAt != r.UpdatedAt || r.CreatedBy != r.UpdatedBy {
			t.Errorf("the record of a new user is %+v", r)
		}
		list := must(view(t, w, func(tx directory.Tx) ([]directory.User, error) {
			users, _, err := directory.ListUsers(tx, testStore, directory.Filter{}, "", 10)
			return users, err
		}))(t)
		if diff := cmp.Diff([]directory.User{want}, list); diff != "" {
			t.Errorf("the user listed differs:\n%s", diff)
		}
	})
}

func TestCreateUserRules(t *testing.T) {
	const reserved = " is a reserved name and can't be used for users or groups."
	for name, test := range map[string]struct {
		change func(*directory.NewUser)
		want   string
	}{
		"no user name":       {func(u *directory.NewUser) { u.UserName = "" }, "userName is a required attribute"},
		"no display name":    {func(u *directory.NewUser) { u.DisplayName = "" }, "displayname: The attribute displayname is required"},
		"no name":            {func(u *directory.NewUser) { u.Name = directory.Name{} }, "name: The attribute name is required"},
		"no given name":      {func(u *directory.NewUser) { u.Name.GivenName = "" }, "givenname: The attribute givenname is required"},
		"no family name":     {func(u *directory.NewUser) { u.Name.FamilyName = "" }, "familyname: The attribute familyname is required"},
		"neither name":       {func(u *directory.NewUser) { u.Name = directory.Name{MiddleName: "M"} }, "givenname: The attribute givenname is required, familyname: The attribute familyname is required"},
		"nothing but a name": {func(u *directory.NewUser) { *u = directory.NewUser{Attributes: directory.Attributes{UserName: "x"}} }, "displayname: The attribute displayname is required, name: The attribute name is required"},
		"reserved name":      {func(u *directory.NewUser) { u.UserName = "administrator" }, "administrator" + reserved},
		"other reserved":     {func(u *directory.NewUser) { u.UserName = "AWSAdministrators" }, "AWSAdministrators" + reserved},
		"spaces in name": {
			func(u *directory.NewUser) { u.UserName = "a b" },
			`1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`,
		},
		"long name": {
			func(u *directory.NewUser) { u.UserName = strings.Repeat("é", 129) },
			"1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 128",
		},
		"two addresses": {
			func(u *directory.NewUser) { u.Emails = append(u.Emails, directory.Email{Value: "b@example.com"}) },
			"List attribute emails exceeds allowed limit of 1",
		},
		"four photos": {
			func(u *directory.NewUser) {
				u.Photos = []directory.Photo{{Value: "1"}, {Value: "2"}, {Value: "3"}, {Value: "4"}}
			},
			"List attribute photos exceeds allowed limit of 3",
		},
		"two primary photos": {func(u *directory.NewUser) {
			u.Photos = []directory.Photo{{Value: "1", Primary: new(true)}, {Value: "2", Primary: new(true)}}
		}, "The attribute photos can have only one primary value."},
		"an address without value": {
			func(u *directory.NewUser) { u.Emails = []directory.Email{{Type: "work"}} },
			"emails.value: The attribute emails.value is required",
		},
		"no date of birth": {
			func(u *directory.NewUser) { u.Birthdate = "1980-02-30" },
			"The value of the attribute birthdate must be a date in the form YYYY-MM-DD.",
		},
		"long issuer": {
			func(u *directory.NewUser) {
				u.ExternalIDs = []directory.ExternalID{{Issuer: strings.Repeat("i", 257), ID: "1"}}
			},
			"1 validation error detected: Value at 'externalIds.issuer' failed to satisfy constraint: Member must have length less than or equal to 256",
		},
		"empty external id": {
			func(u *directory.NewUser) { u.ExternalIDs = []directory.ExternalID{{Issuer: "i"}} },
			"1 validation error detected: Value at 'externalIds.id' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		"eleven external ids": {
			func(u *directory.NewUser) { u.ExternalIDs = make([]directory.ExternalID, 11) },
			"List attribute externalIds exceeds allowed limit of 10",
		},
		"control character": {
			func(u *directory.NewUser) { u.Extensions.Enterprise.Department = "a\x02" },
			`1 validation error detected: Value at 'extensions.aws:identitystore:enterprise.department' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ` + "\u00a0\u3000]+",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(storetest.Open(t, store.Config{RunTwice: true}))
			in := person("jane")
			test.change(&in)
			_, err := w.createUser(t, in)
			wantFailure(t, err, invalid(test.want))
			if users := must(view(t, w, func(tx directory.Tx) ([]directory.User, error) {
				return tx.DirectoryUsers(testStore, "", 10)
			}))(t); len(users) != 0 {
				t.Errorf("the refused user was stored: %v", users)
			}
		})
	}
}

func TestUsersAreUnique(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		first := person("Jürgen")
		first.ExternalIDs = []directory.ExternalID{{Issuer: "idp", ID: "1"}}
		must(w.createUser(t, first))(t)
		other := func(change func(*directory.NewUser)) directory.NewUser {
			in := person("someone-else")
			change(&in)
			return in
		}
		for name, test := range map[string]struct {
			in   directory.NewUser
			want string
		}{
			"same name":         {other(func(u *directory.NewUser) { u.UserName = "Jürgen" }), "Duplicate UserName"},
			"name, other case":  {other(func(u *directory.NewUser) { u.UserName = "JÜRGEN" }), "Duplicate UserName"},
			"address":           {other(func(u *directory.NewUser) { u.Emails[0].Value = "jürgen@EXAMPLE.com" }), "Duplicate Email"},
			"secondary address": {other(func(u *directory.NewUser) { u.Emails[0] = directory.Email{Value: "Jürgen@example.com"} }), "Duplicate Email"},
			"both":              {person("jürgen"), "Duplicate UserName"},
			"external id":       {other(func(u *directory.NewUser) { u.ExternalIDs = first.ExternalIDs }), "Duplicate ExternalId"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.createUser(t, test.in)
				wantFailure(t, err, duplicate(test.want))
			})
		}
		// What is taken is taken per store, and nothing of a refused user stays.
		must(w.createUser(t, other(func(u *directory.NewUser) {
			u.ExternalIDs = []directory.ExternalID{{Issuer: "IDP", ID: "1"}, {Issuer: "idp", ID: "01"}}
		})))(t)
		w.store = "d-ffffffffff"
		must(w.createUser(t, first))(t)
	})
}

func TestUsersWithoutAddressDoNotCollide(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		for _, name := range []string{"a", "b"} {
			in := person(name)
			in.Emails = nil
			must(w.createUser(t, in))(t)
		}
	})
}

func TestFindUser(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		in := person("Müller")
		in.ExternalIDs = []directory.ExternalID{{Issuer: "https://idp", ID: "Ab"}}
		u := must(w.createUser(t, in))(t)
		w.mustUser(t, "bystander")
		for _, test := range []struct {
			path  string
			value any
			want  failure
		}{
			{"userName", "Müller", failure{}},
			{"UserName", "MÜLLER", failure{}},
			{"emails.value", "müller@EXAMPLE.com", failure{}},
			{"Emails.Value", "Müller@example.com", failure{}},
			{"userName", "Muller", notFound("USER", "")},
			{"emails.value", "nobody@example.com", notFound("USER", "")},
			{"userName", "", invalid("attribute value cannot be empty or null for attribute path")},
			{"userName", nil, invalid("attribute value cannot be empty or null for attribute path")},
			{"userName", true, invalid("The value of the attribute userName must be a string.")},
			{"displayName", "Display Müller", invalid("The attribute displayName is not a unique attribute")},
		} {
			id, err := view(t, w, func(tx directory.Tx) (string, error) {
				return directory.UserIDByAttribute(tx, testStore, test.path, test.value)
			})
			if test.want == (failure{}) {
				if err != nil || id != u.ID {
					t.Errorf("%s = %v: %q, %v; want %q", test.path, test.value, id, err, u.ID)
				}
				continue
			}
			wantFailure(t, err, test.want)
		}
		for external, found := range map[directory.ExternalID]bool{
			{Issuer: "https://idp", ID: "Ab"}: true, {Issuer: "https://idp", ID: "ab"}: false, {Issuer: "https://IDP", ID: "Ab"}: false,
		} {
			id, err := view(t, w, func(tx directory.Tx) (string, error) {
				return directory.UserIDByExternalID(tx, testStore, external)
			})
			if found && (err != nil || id != u.ID) {
				t.Errorf("%v: %q, %v; want %q", external, id, err, u.ID)
			} else if !found {
				wantFailure(t, err, notFound("USER", ""))
			}
		}
	})
}

func TestFilters(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		w.mustUser(t, "jane")
		jack := w.mustUser(t, "Jack")
		ops := w.mustGroup(t, "Ops")
		users := func(f directory.Filter) ([]directory.User, error) {
			return view(t, w, func(tx directory.Tx) ([]directory.User, error) {
				found, next, err := directory.ListUsers(tx, testStore, f, "", 1)
				if next != "" {
					t.Errorf("a filtered listing goes on after %q", next)
				}
				return found, err
			})
		}
		if got := must(users(directory.Filter{Path: "UserName", Value: "jack"}))(t); len(got) != 1 || got[0].ID != jack.ID {
			t.Errorf("filtering by UserName found %v", got)
		}
		if got := must(users(directory.Filter{Path: "userName", Value: "nobody"}))(t); len(got) != 0 {
			t.Errorf("filtering by an unknown UserName found %v", got)
		}
		_, err := users(directory.Filter{Path: "DisplayName", Value: "x"})
		wantFailure(t, err, invalid("The attribute DisplayName is not a supported filter. Filter by UserName."))
		groups := must(view(t, w, func(tx directory.Tx) ([]directory.Group, error) {
			found, _, err := directory.ListGroups(tx, testStore, directory.Filter{Path: "DisplayName", Value: "OPS"}, "", 1)
			return found, err
		}))(t)
		if len(groups) != 1 || groups[0].ID != ops.ID {
			t.Errorf("filtering by DisplayName found %v", groups)
		}
	})
}

func TestDeleteUser(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		in := person("jane")
		in.ExternalIDs = []directory.ExternalID{{Issuer: "idp", ID: "1"}}
		jane, jack := must(w.createUser(t, in))(t), w.mustUser(t, "jack")
		ops, dev := w.mustGroup(t, "ops"), w.mustGroup(t, "dev")
		gone := must(w.createMembership(t, ops.ID, jane.ID))(t)
		must(w.createMembership(t, dev.ID, jane.ID))(t)
		kept := must(w.createMembership(t, dev.ID, jack.ID))(t)

		type deletion struct {
			User   directory.User
			Groups []string
		}
		remove := func(id string) (deletion, error) {
			return update(t, w, func(tx directory.Tx) (d deletion, err error) {
				d.User, d.Groups, err = directory.DeleteUser(tx, testStore, id)
				return d, err
			})
		}
		if diff := cmp.Diff(deletion{jane, []string{ops.ID, dev.ID}}, must(remove(jane.ID))(t)); diff != "" {
			t.Errorf("what was deleted differs:\n%s", diff)
		}
		_, err := remove(jane.ID)
		wantFailure(t, err, notFound("USER", jane.ID))
		_, err = w.user(t, jane.ID)
		wantFailure(t, err, notFound("USER", jane.ID))
		_, err = view(t, w, func(tx directory.Tx) (directory.Membership, error) {
			return directory.MembershipByID(tx, testStore, gone.ID)
		})
		wantFailure(t, err, notFound("GROUP_MEMBERSHIP", gone.ID))
		if members := must(view(t, w, func(tx directory.Tx) ([]string, error) {
			return directory.UsersOfGroup(tx, testStore, dev.ID)
		}))(t); !cmp.Equal(members, []string{kept.UserID}) {
			t.Errorf("the members left are %v", members)
		}
		again := must(w.createUser(t, in))(t) // name, address and external id are free again
		if again.ID == jane.ID {
			t.Error("an id was used twice")
		}
	})
}

func TestEnableAndDisable(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		jane := w.mustUser(t, "jane")
		type change func(directory.UserTx, directory.Stamp, string, string) (directory.User, bool, error)
		for _, step := range []struct {
			change  change
			status  directory.Status
			changed bool
			version int64
		}{
			{directory.EnableUser, directory.Enabled, false, 1},
			{directory.DisableUser, directory.Disabled, true, 2},
			{directory.DisableUser, directory.Disabled, false, 2},
			{directory.EnableUser, directory.Enabled, true, 3},
		} {
			by := w.stamp()
			changed := must(update(t, w, func(tx directory.Tx) (bool, error) {
				_, changed, err := step.change(tx, by, testStore, jane.ID)
				return changed, err
			}))(t)
			u := must(w.user(t, jane.ID))(t)
			if u.Status != step.status || changed != step.changed || u.Version != step.version {
				t.Errorf("status %s, changed %t, version %d; want %+v", u.Status, changed, u.Version, step)
			}
		}
		_, err := update(t, w, func(tx directory.Tx) (bool, error) {
			_, changed, err := directory.DisableUser(tx, w.stamp(), testStore, "1234567890-none")
			return changed, err
		})
		wantFailure(t, err, notFound("USER", "1234567890-none"))
	})
}
