package sdk

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"

	"github.com/atrium-iam/atrium/test/node"
)

// newUser is the input of a user with a name and what it needs.
func (w *world) newUser(name string) *identitystore.CreateUserInput {
	return &identitystore.CreateUserInput{
		IdentityStoreId: w.store, UserName: &name, DisplayName: new("Display " + name),
		Name: &types.Name{GivenName: new("Given"), FamilyName: &name},
	}
}

// user makes a user and returns its id.
func (w *world) user(t *testing.T, name string) *string {
	t.Helper()
	return must(w.Admin.IdentityStore.CreateUser(t.Context(), w.newUser(name))).or(t).UserId
}

// enterprise is the enterprise extension of a user.
var enterprise = map[string]any{
	"employeeNumber": "701984", "costCenter": "4130", "organization": "Universal", "division": "Theme", "department": "Tours",
	"manager": map[string]any{"value": "26118915", "displayName": "John Smith"},
}

// full is a user with every attribute.
func (w *world) full() *identitystore.CreateUserInput {
	return &identitystore.CreateUserInput{
		IdentityStoreId: w.store, UserName: new("Zoë.Example"), DisplayName: new("Zoë 漢字 😀"),
		Name: &types.Name{
			Formatted: new("Dr. Zoë M. Example Jr."), FamilyName: new("Example"), GivenName: new("Zoë"), MiddleName: new("M."),
			HonorificPrefix: new("Dr."), HonorificSuffix: new("Jr."),
		},
		NickName: new("Zo"), ProfileUrl: new("https://example.com/zoe"), UserType: new("Employee"), Title: new("Engineer"),
		PreferredLanguage: new("fr-CH"), Locale: new("fr_CH"), Timezone: new("Europe/Zurich"), Website: new("https://zoe.example"),
		Birthdate:    new("1999-12-31"),
		Emails:       []types.Email{{Value: new("zoe@example.com"), Type: new("work"), Primary: true}},
		Addresses:    []types.Address{{StreetAddress: new("1 Rue"), Locality: new("Genève"), Region: new("GE"), PostalCode: new("1200"), Country: new("CH"), Formatted: new("1 Rue\nGenève"), Type: new("home"), Primary: true}},
		PhoneNumbers: []types.PhoneNumber{{Value: new("+41 22 000 00 00"), Type: new("work"), Primary: true}},
		Photos:       []types.Photo{{Value: new("https://zoe.example/a.jpg"), Type: new("photo"), Display: new("A"), Primary: true}, {Value: new("https://zoe.example/b.jpg"), Type: new("thumbnail"), Display: new("B")}},
		Roles:        []types.Role{{Value: new("Researcher"), Type: new("main"), Primary: true}},
		Extensions: map[string]document.Interface{
			"aws:identitystore:enterprise": document.NewLazyDocument(enterprise),
		},
	}
}

// users creates, describes, finds, lists and deletes a user with every
// attribute.
func users(t *testing.T, w *world) {
	c, ctx, in := w.Admin.IdentityStore, t.Context(), w.full()
	made := must(c.CreateUser(ctx, in)).or(t)
	same(t, "store", made.IdentityStoreId, w.store)
	matches(t, "user id", made.UserId, idForm)

	got := must(c.DescribeUser(ctx, &identitystore.DescribeUserInput{
		IdentityStoreId: w.store, UserId: made.UserId, Extensions: []string{"aws:identitystore:enterprise"},
	})).or(t)
	recent(t, "CreatedAt", got.CreatedAt)
	recent(t, "UpdatedAt", got.UpdatedAt)
	var extension map[string]any
	if err := got.Extensions["aws:identitystore:enterprise"].UnmarshalSmithyDocument(&extension); err != nil {
		t.Fatal(err)
	}
	same(t, "enterprise extension", extension, enterprise)
	want := &identitystore.DescribeUserOutput{
		IdentityStoreId: w.store, UserId: made.UserId, UserName: in.UserName, DisplayName: in.DisplayName, Name: in.Name,
		NickName: in.NickName, ProfileUrl: in.ProfileUrl, UserType: in.UserType, Title: in.Title, PreferredLanguage: in.PreferredLanguage,
		Locale: in.Locale, Timezone: in.Timezone, Website: in.Website, Birthdate: in.Birthdate, Emails: in.Emails, Addresses: in.Addresses,
		PhoneNumbers: in.PhoneNumbers, Photos: in.Photos, Roles: in.Roles, UserStatus: types.UserStatusEnabled,
		CreatedAt: got.CreatedAt, UpdatedAt: got.UpdatedAt, CreatedBy: &w.Admin.ARN, UpdatedBy: &w.Admin.ARN,
	}
	got.Extensions = nil
	same(t, "user", got, want)

	plain := must(c.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: w.store, UserId: made.UserId})).or(t)
	if len(plain.Extensions) != 0 {
		t.Error("extensions were not asked for, and came")
	}
	for path, value := range map[string]string{"userName": "zoË.EXAMPLE", "emails.value": "zoe@example.com"} {
		found := must(c.GetUserId(ctx, &identitystore.GetUserIdInput{IdentityStoreId: w.store, AlternateIdentifier: unique(path, value)})).or(t)
		same(t, "user by "+path, found.UserId, made.UserId)
	}
	list := must(c.ListUsers(ctx, &identitystore.ListUsersInput{
		IdentityStoreId: w.store, Filters: []types.Filter{{AttributePath: new("UserName"), AttributeValue: in.UserName}},
	})).or(t)
	if len(list.Users) != 1 || aws.ToString(list.Users[0].UserId) != *made.UserId || list.NextToken != nil {
		t.Errorf("filtered list: %+v", list)
	}

	in.UserName = new("zoë.example") // the same name in another case
	_, err := c.CreateUser(ctx, in)
	refusedAs(t, "the same name", err, "ConflictException")
	in.UserName = new("another")
	_, err = c.CreateUser(ctx, in)
	refusedAs(t, "the same e-mail address", err, "ConflictException")

	must(c.DeleteUser(ctx, &identitystore.DeleteUserInput{IdentityStoreId: w.store, UserId: made.UserId})).or(t)
	for what, call := range map[string]func() error{
		"describe": func() error {
			_, err := c.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: w.store, UserId: made.UserId})
			return err
		},
		"delete": func() error {
			_, err := c.DeleteUser(ctx, &identitystore.DeleteUserInput{IdentityStoreId: w.store, UserId: made.UserId})
			return err
		},
		"find": func() error {
			_, err := c.GetUserId(ctx, &identitystore.GetUserIdInput{IdentityStoreId: w.store, AlternateIdentifier: unique("userName", "Zoë.Example")})
			return err
		},
		"update": func() error {
			return w.setUser(t, made.UserId, "title", "x")
		},
	} {
		refusedAs(t, what+" after deletion", call(), "ResourceNotFoundException")
	}
	again := must(c.CreateUser(ctx, w.full())).or(t)
	if *again.UserId == *made.UserId {
		t.Error("the id of a deleted user was used again")
	}
}

func unique(path, value string) types.AlternateIdentifier {
	return &types.AlternateIdentifierMemberUniqueAttribute{Value: types.UniqueAttribute{
		AttributePath: &path, AttributeValue: document.NewLazyDocument(value),
	}}
}

// setUser sets one attribute of a user; nil takes it away.
func (w *world) setUser(t *testing.T, id *string, path string, value any) error {
	t.Helper()
	return w.setUserAs(t, w.Admin, id, path, value)
}

// setUserAs is setUser by any caller.
func (w *world) setUserAs(t *testing.T, c *node.Caller, id *string, path string, value any) error {
	t.Helper()
	op := types.AttributeOperation{AttributePath: &path}
	if value != nil {
		op.AttributeValue = document.NewLazyDocument(value)
	}
	_, err := c.IdentityStore.UpdateUser(t.Context(), &identitystore.UpdateUserInput{
		IdentityStoreId: w.store, UserId: id, Operations: []types.AttributeOperation{op},
	})
	return err
}

// userAttributes changes and removes attributes by their paths.
func userAttributes(t *testing.T, w *world) {
	id, c, ctx := w.user(t, "pat"), w.Admin.IdentityStore, t.Context()
	describe := func() *identitystore.DescribeUserOutput {
		return must(c.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: w.store, UserId: id})).or(t)
	}
	for path, read := range map[string]func(*identitystore.DescribeUserOutput) *string{
		"userName":             func(u *identitystore.DescribeUserOutput) *string { return u.UserName },
		"displayName":          func(u *identitystore.DescribeUserOutput) *string { return u.DisplayName },
		"nickName":             func(u *identitystore.DescribeUserOutput) *string { return u.NickName },
		"title":                func(u *identitystore.DescribeUserOutput) *string { return u.Title },
		"userType":             func(u *identitystore.DescribeUserOutput) *string { return u.UserType },
		"locale":               func(u *identitystore.DescribeUserOutput) *string { return u.Locale },
		"timezone":             func(u *identitystore.DescribeUserOutput) *string { return u.Timezone },
		"preferredLanguage":    func(u *identitystore.DescribeUserOutput) *string { return u.PreferredLanguage },
		"profileUrl":           func(u *identitystore.DescribeUserOutput) *string { return u.ProfileUrl },
		"name.familyName":      func(u *identitystore.DescribeUserOutput) *string { return u.Name.FamilyName },
		"name.givenName":       func(u *identitystore.DescribeUserOutput) *string { return u.Name.GivenName },
		"name.middleName":      func(u *identitystore.DescribeUserOutput) *string { return u.Name.MiddleName },
		"name.formatted":       func(u *identitystore.DescribeUserOutput) *string { return u.Name.Formatted },
		"name.honorificPrefix": func(u *identitystore.DescribeUserOutput) *string { return u.Name.HonorificPrefix },
		"name.honorificSuffix": func(u *identitystore.DescribeUserOutput) *string { return u.Name.HonorificSuffix },
	} {
		if err := w.setUser(t, id, path, "new-value"); err != nil {
			t.Errorf("setting %s: %v", path, err)
			continue
		}
		same(t, path, aws.ToString(read(describe())), "new-value")
		err := w.setUser(t, id, path, nil)
		switch path {
		case "userName", "displayName", "name.familyName", "name.givenName":
			refusedAs(t, "removing "+path, err, "ValidationException")
			same(t, path+" after the refusal", aws.ToString(read(describe())), "new-value")
		default:
			refusedAs(t, "removing "+path, err, "")
			same(t, path+" after its removal", read(describe()), nil)
		}
	}
	for what, op := range map[string]struct {
		path  string
		value any
	}{
		"an unknown path": {"shoeSize", "44"}, "a wrong type": {"title", 12}, "a structure for text": {"title", map[string]any{"a": "b"}},
		"text for a structure": {"name", "Pat"}, "text for a list": {"emails", "pat@example.com"}, "an id": {"userId", "x"},
		"two addresses": {"emails", []any{map[string]any{"value": "a@example.com"}, map[string]any{"value": "b@example.com"}}},
	} {
		refusedAs(t, what, w.setUser(t, id, op.path, op.value), "ValidationException")
	}
	if err := w.setUser(t, id, "emails", []any{map[string]any{"value": "pat@example.com", "type": "work", "primary": true}}); err != nil {
		t.Error(err)
	}
	same(t, "emails", describe().Emails, []types.Email{{Value: new("pat@example.com"), Type: new("work"), Primary: true}})
	other := w.user(t, "other")
	refusedAs(t, "a name that is taken", w.setUser(t, other, "userName", "NEW-value"), "ConflictException")
	refusedAs(t, "an address that is taken", w.setUser(t, other, "emails", []any{map[string]any{"value": "PAT@example.com"}}), "ConflictException")

	// All of a request's operations are made, or none.
	_, err := c.UpdateUser(ctx, &identitystore.UpdateUserInput{IdentityStoreId: w.store, UserId: id, Operations: []types.AttributeOperation{
		{AttributePath: new("title"), AttributeValue: document.NewLazyDocument("half")},
		{AttributePath: new("nothing"), AttributeValue: document.NewLazyDocument("x")},
	}})
	refusedAs(t, "one good and one bad operation", err, "ValidationException")
	same(t, "title", describe().Title, nil)
}

// userPaging walks the list of users, and misuses its tokens.
func userPaging(t *testing.T, w *world) {
	c, ctx := w.Admin.IdentityStore, t.Context()
	want := map[string]bool{"admin": true, "sam.lee": true}
	for i := range 7 {
		w.user(t, fmt.Sprintf("user%d", i))
		want[fmt.Sprintf("user%d", i)] = true
	}
	list := func(size int32) []string {
		return pages(t, int(size), func(token *string) ([]string, *string, error) {
			out, err := c.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: w.store, MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return each(out.Users, func(u types.User) string { return *u.UserName }), out.NextToken, nil
		})
	}
	for _, size := range []int32{1, 2, 3, 9, 10, 100} {
		got := map[string]bool{}
		for _, name := range list(size) {
			got[name] = true
		}
		same(t, fmt.Sprintf("users by %d", size), got, want)
	}

	first := must(c.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: w.store, MaxResults: new(int32(2))})).or(t)
	token := first.NextToken
	refuse := func(what string, err error) { t.Helper(); refusedAs(t, what, err, "ValidationException") }
	_, err := c.ListGroups(ctx, &identitystore.ListGroupsInput{IdentityStoreId: w.store, NextToken: token})
	refuse("the token of another operation", err)
	_, err = c.ListUsers(ctx, &identitystore.ListUsersInput{
		IdentityStoreId: w.store, NextToken: token, Filters: []types.Filter{{AttributePath: new("UserName"), AttributeValue: new("admin")}},
	})
	refuse("the token of another filter", err)
	_, err = w.Member.IdentityStore.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: w.store, NextToken: token})
	refuse("the token of another account", err)
	_, err = c.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: w.store, NextToken: new("x" + *token)})
	refuse("a token that was changed", err)
	_, err = c.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: w.store, NextToken: new("nonsense")})
	refuse("a token that is none", err)

	// A page may start after somebody who is gone.
	last := first.Users[len(first.Users)-1].UserId
	must(c.DeleteUser(ctx, &identitystore.DeleteUserInput{IdentityStoreId: w.store, UserId: last})).or(t)
	rest := must(c.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: w.store, NextToken: token})).or(t)
	same(t, "users after one that is gone", len(rest.Users), 7)
}
