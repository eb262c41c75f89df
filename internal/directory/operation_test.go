package directory_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

type (
	object = map[string]any
	list   = []any
)

func TestUpdateUser(t *testing.T) {
	db := storetest.Open(t, store.Config{RunTwice: true})
	for name, test := range map[string]struct {
		operations []directory.Operation
		want       func(*directory.Attributes)
	}{
		"plain":           {[]directory.Operation{{"displayName", "Zoë"}}, func(a *directory.Attributes) { a.DisplayName = "Zoë" }},
		"any case":        {[]directory.Operation{{"DISPLAYNAME", "Zoë"}}, func(a *directory.Attributes) { a.DisplayName = "Zoë" }},
		"user name":       {[]directory.Operation{{"userName", "zoë"}}, func(a *directory.Attributes) { a.UserName = "zoë" }},
		"dotted":          {[]directory.Operation{{"name.familyName", "Ö"}, {"Name.GivenName", "É"}}, func(a *directory.Attributes) { a.Name.FamilyName, a.Name.GivenName = "Ö", "É" }},
		"remove":          {[]directory.Operation{{"nickName", nil}, {"name.middleName", nil}}, func(a *directory.Attributes) { a.NickName, a.Name.MiddleName = "", "" }},
		"remove again":    {[]directory.Operation{{"nickName", nil}, {"nickName", nil}}, func(a *directory.Attributes) { a.NickName = "" }},
		"in order":        {[]directory.Operation{{"title", "1"}, {"title", nil}, {"title", "3"}}, func(a *directory.Attributes) { a.Title = "3" }},
		"required anew":   {[]directory.Operation{{"displayName", nil}, {"displayName", "D"}}, func(a *directory.Attributes) { a.DisplayName = "D" }},
		"whole structure": {[]directory.Operation{{"name", object{"givenName": "G", "FAMILYNAME": "F"}}}, func(a *directory.Attributes) { a.Name = directory.Name{GivenName: "G", FamilyName: "F"} }},
		"emails": {
			[]directory.Operation{{"emails", list{object{"Value": "new@example.com", "type": "home", "Primary": true}}}},
			func(a *directory.Attributes) {
				a.Emails = []directory.Email{{Value: "new@example.com", Type: "home", Primary: new(true)}}
			},
		},
		"no emails": {[]directory.Operation{{"emails", nil}}, func(a *directory.Attributes) { a.Emails = nil }},
		"addresses": {[]directory.Operation{{"addresses", list{object{"streetAddress": "S", "primary": false}}}}, func(a *directory.Attributes) {
			a.Addresses = []directory.Address{{StreetAddress: "S", Primary: new(false)}}
		}},
		"phoneNumbers": {[]directory.Operation{{"phoneNumbers", list{object{"value": "1"}}}}, func(a *directory.Attributes) { a.PhoneNumbers = []directory.PhoneNumber{{Value: "1"}} }},
		"photos":       {[]directory.Operation{{"photos", list{object{"value": "1"}, object{"value": "2"}}}}, func(a *directory.Attributes) { a.Photos = []directory.Photo{{Value: "1"}, {Value: "2"}} }},
		"roles":        {[]directory.Operation{{"roles", list{object{"value": "R"}}}}, func(a *directory.Attributes) { a.Roles = []directory.Role{{Value: "R"}} }},
		"birthdate":    {[]directory.Operation{{"birthdate", "2000-01-31"}}, func(a *directory.Attributes) { a.Birthdate = "2000-01-31" }},
		"extension attribute": {
			[]directory.Operation{{"aws:identitystore:enterprise.department", "D"}, {"aws:identitystore:enterprise.manager.value", "M"}},
			func(a *directory.Attributes) {
				a.Extensions.Enterprise.Department, a.Extensions.Enterprise.Manager.Value = "D", "M"
			},
		},
		"remove extension attribute": {[]directory.Operation{{"aws:identitystore:enterprise.manager", nil}}, func(a *directory.Attributes) { a.Extensions.Enterprise.Manager = directory.Manager{} }},
		"whole extension": {
			[]directory.Operation{{"aws:identitystore:enterprise", object{"CostCenter": "C", "manager": object{"$ref": "R"}}}},
			func(a *directory.Attributes) {
				a.Extensions.Enterprise = directory.Enterprise{CostCenter: "C", Manager: directory.Manager{Ref: "R"}}
			},
		},
		"remove extension": {[]directory.Operation{{"aws:identitystore:enterprise", nil}}, func(a *directory.Attributes) { a.Extensions = directory.Extensions{} }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(db)
			w.store = w.ids.IdentityStoreID()
			before := must(w.createUser(t, complete()))(t)
			after := must(w.updateUser(t, before.ID, test.operations...))(t)
			want := before
			test.want(&want.Attributes)
			want.UpdatedAt, want.Version = after.UpdatedAt, 2
			if !after.UpdatedAt.After(before.UpdatedAt) {
				t.Errorf("updated at %v, created at %v", after.UpdatedAt, before.UpdatedAt)
			}
			if diff := cmp.Diff(want, must(w.user(t, before.ID))(t)); diff != "" {
				t.Errorf("the user after the update differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUpdateUserRules(t *testing.T) {
	w := newWorld(storetest.Open(t, store.Config{RunTwice: true}))
	jane := must(w.createUser(t, complete()))(t)
	jack := w.mustUser(t, "Jack")
	for name, test := range map[string]struct {
		path  string
		value any
		want  failure
	}{
		"no user name":     {"userName", nil, invalid("userName is a required attribute")},
		"no display name":  {"displayName", nil, invalid("displayname: The attribute displayname is required")},
		"no name":          {"name", nil, invalid("name: The attribute name is required")},
		"no given name":    {"name.givenName", nil, invalid("givenname: The attribute givenname is required")},
		"less name":        {"name", object{"givenName": "G"}, invalid("familyname: The attribute familyname is required")},
		"taken name":       {"userName", "JACK", duplicate("Duplicate UserName")},
		"taken address":    {"emails", list{object{"value": "jack@EXAMPLE.com"}}, duplicate("Duplicate Email")},
		"reserved":         {"userName", "Administrator", invalid("Administrator is a reserved name and can't be used for users or groups.")},
		"element":          {"emails.value", "x@example.com", invalid("Unsupported update operation on multi-value attribute emails, please provide full replacement of Multi-Value attribute types")},
		"element removed":  {"Addresses.region", nil, invalid("Unsupported update operation on multi-value attribute addresses, please provide full replacement of Multi-Value attribute types")},
		"number":           {"displayName", json.Number("1"), invalid("The value of the attribute displayName must be a string.")},
		"bool":             {"title", true, invalid("The value of the attribute title must be a string.")},
		"object":           {"title", object{}, invalid("The value of the attribute title must be a string.")},
		"text for object":  {"name", "Jane", invalid("The value of the attribute name must be an object.")},
		"object for list":  {"emails", object{"value": "x"}, invalid("The value of the attribute emails must be a list.")},
		"text in list":     {"emails", list{"x@example.com"}, invalid("The value of the attribute emails must be an object.")},
		"text for flag":    {"emails", list{object{"value": "x", "primary": "true"}}, invalid("The value of the attribute emails.primary must be a boolean.")},
		"null in object":   {"emails", list{object{"value": "x", "type": nil}}, invalid("The value of the attribute emails.type must be a string.")},
		"empty list":       {"emails", list{}, invalid("1 validation error detected: Value at 'emails' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		"long list":        {"addresses", list{object{}, object{}}, invalid("List attribute addresses exceeds allowed limit of 1")},
		"empty text":       {"name.familyName", "", invalid("1 validation error detected: Value at 'name.familyName' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		"unknown":          {"shoeSize", "44", invalid("The attribute shoeSize is not supported.")},
		"unknown part":     {"name.nick", "x", invalid("The attribute name.nick is not supported.")},
		"part of a text":   {"title.x", "x", invalid("The attribute title.x is not supported.")},
		"unknown in value": {"name", object{"givenName": "G", "familyName": "F", "nick": "N"}, invalid("The attribute name.nick is not supported.")},
		"twice in value":   {"emails", list{object{"value": "x", "Value": "y"}}, failure{}},
		"status":           {"userStatus", "DISABLED", invalid("The attribute userStatus is not supported.")},
		"external ids":     {"externalIds", list{}, invalid("The attribute externalIds is not supported.")},
		"extensions":       {"Extensions", object{}, invalid("The attribute Extensions is not supported.")},
		"other extension":  {"aws:identitystore:other.x", "x", invalid("The attribute aws:identitystore:other.x is not supported.")},
		"bad date":         {"birthdate", "31.1.2000", invalid("The value of the attribute birthdate must be a date in the form YYYY-MM-DD.")},
	} {
		t.Run(name, func(t *testing.T) {
			// The first operation is fine, and must not stay either.
			_, err := w.updateUser(t, jane.ID, directory.Operation{Path: "title", Value: "Boss"}, directory.Operation{Path: test.path, Value: test.value})
			if test.want == (failure{}) {
				if failureOf(err).Message == "no error" {
					t.Error("accepted")
				}
			} else {
				wantFailure(t, err, test.want)
			}
			if diff := cmp.Diff(jane, must(w.user(t, jane.ID))(t)); diff != "" {
				t.Errorf("a refused update changed the user:\n%s", diff)
			}
		})
	}
	_, err := w.updateUser(t, "1234567890-none", directory.Operation{Path: "title", Value: "x"})
	wantFailure(t, err, notFound("USER", "1234567890-none"))
	// One's own name in another case, and one's own address, are not taken.
	must(w.updateUser(t, jack.ID, directory.Operation{Path: "userName", Value: "jack"},
		directory.Operation{Path: "emails", Value: list{object{"value": "JACK@example.com"}}}))(t)
}

func TestStaleWritesAreRefused(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		jane, ops := w.mustUser(t, "jane"), w.mustGroup(t, "ops")
		for _, step := range []struct {
			version int64
			stored  bool
		}{{1, false}, {3, false}, {2, true}, {2, false}} {
			jane.Version, ops.Version = step.version, step.version
			stored := must(update(t, w, func(tx directory.Tx) (stored [2]bool, err error) {
				if stored[0], err = tx.UpdateDirectoryUser(jane); err != nil {
					return stored, err
				}
				stored[1], err = tx.UpdateDirectoryGroup(ops)
				return stored, err
			}))(t)
			if stored != [2]bool{step.stored, step.stored} {
				t.Errorf("writing version %d: %v, want %t", step.version, stored, step.stored)
			}
		}
	})
}

func TestFreedValuesCanBeTaken(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		jane, jack := w.mustUser(t, "jane"), w.mustUser(t, "jack")
		must(w.updateUser(t, jane.ID, directory.Operation{Path: "userName", Value: "janet"}, directory.Operation{Path: "emails"}))(t)
		must(w.updateUser(t, jack.ID, directory.Operation{Path: "userName", Value: "Jane"},
			directory.Operation{Path: "emails", Value: list{object{"value": "Jane@example.com"}}}))(t)
		for path, value := range map[string]string{"userName": "jane", "emails.value": "jane@example.com"} {
			id := must(view(t, w, func(tx directory.Tx) (string, error) {
				return directory.UserIDByAttribute(tx, testStore, path, value)
			}))(t)
			if id != jack.ID {
				t.Errorf("%s %s is user %s, want %s", path, value, id, jack.ID)
			}
		}
	})
}

func TestExtensionDocuments(t *testing.T) {
	read := func(documents map[string]any) (directory.Extensions, error) {
		return directory.ReadExtensions(documents)
	}
	got := must(read(object{directory.EnterpriseExtension: object{"Department": "D", "manager": object{"Value": "1", "displayName": "M"}}}))(t)
	want := directory.Extensions{Enterprise: directory.Enterprise{Department: "D", Manager: directory.Manager{Value: "1", DisplayName: "M"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the extensions read differ:\n%s", diff)
	}
	document := must(got.Document(directory.EnterpriseExtension))(t)
	if diff := cmp.Diff(object{"department": "D", "manager": object{"value": "1", "displayName": "M"}}, document); diff != "" {
		t.Errorf("the document differs:\n%s", diff)
	}
	if document := must(directory.Extensions{}.Document(directory.EnterpriseExtension))(t); document != nil {
		t.Errorf("the document of no attributes is %v", document)
	}
	const other = "The extension aws:identitystore:other is not supported. The supported extension is aws:identitystore:enterprise."
	_, err := read(object{"aws:identitystore:other": object{}})
	wantFailure(t, err, invalid(other))
	_, err = got.Document("aws:identitystore:other")
	wantFailure(t, err, invalid(other))
	_, err = read(object{directory.EnterpriseExtension: object{"shoeSize": "44"}})
	wantFailure(t, err, invalid("The attribute aws:identitystore:enterprise.shoeSize is not supported."))
	_, err = read(object{directory.EnterpriseExtension: nil})
	wantFailure(t, err, invalid("The value of the attribute aws:identitystore:enterprise must be an object."))
}
