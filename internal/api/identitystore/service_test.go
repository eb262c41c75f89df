package identitystore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const enterprise = "aws:identitystore:enterprise"

var plain = cmpopts.IgnoreUnexported(
	types.Address{}, types.Email{}, types.Group{}, types.GroupMembership{}, types.GroupMembershipExistenceResult{},
	types.Name{}, types.PhoneNumber{}, types.Photo{}, types.Role{}, types.User{}, types.MemberIdMemberUserId{},
)

// completeUser is a request with every attribute.
func completeUser(store string) *sdk.CreateUserInput {
	return &sdk.CreateUserInput{
		IdentityStoreId: &store, UserName: aws.String("zoë"), DisplayName: aws.String("Zoë 東京"), NickName: aws.String("Zo"),
		Name: &types.Name{
			Formatted: aws.String("Dr. Zoë"), FamilyName: aws.String("Ångström"), GivenName: aws.String("Zoë"),
			MiddleName: aws.String("M"), HonorificPrefix: aws.String("Dr."), HonorificSuffix: aws.String("Ph.D."),
		},
		ProfileUrl: aws.String("https://example.com"), Emails: []types.Email{{Value: aws.String("zoe@example.com"), Type: aws.String("work"), Primary: true}},
		Addresses: []types.Address{{
			StreetAddress: aws.String("1 Main Street"), Locality: aws.String("Malmö"), Region: aws.String("Skåne"), PostalCode: aws.String("211 00"),
			Country: aws.String("SE"), Formatted: aws.String("1 Main Street\nMalmö"), Type: aws.String("home"), Primary: true,
		}},
		PhoneNumbers: []types.PhoneNumber{{Value: aws.String("+46 40"), Type: aws.String("mobile"), Primary: true}},
		UserType:     aws.String("Employee"), Title: aws.String("Engineer"), PreferredLanguage: aws.String("sv-SE"),
		Locale: aws.String("sv"), Timezone: aws.String("Europe/Stockholm"),
		Photos:  []types.Photo{{Value: aws.String("https://example.com/1.png"), Type: aws.String("photo"), Display: aws.String("at work"), Primary: true}, {Value: aws.String("2")}},
		Website: aws.String("https://zoe.example.com"), Birthdate: aws.String("1980-02-29"),
		Roles: []types.Role{{Value: aws.String("Researcher"), Type: aws.String("work"), Primary: true}},
		Extensions: map[string]document.Interface{enterprise: document.NewLazyDocument(map[string]any{
			"department": "Tours", "employeeNumber": "1", "costCenter": "2", "organization": "3", "division": "4",
			"manager": map[string]any{"value": "5", "displayName": "6", "$ref": "7"},
		})},
	}
}

func TestUsersOnTheWire(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		s := newServer(t, db)
		c, ctx := s.as(management), t.Context()
		in := completeUser(s.store)
		id := *must(c.CreateUser(ctx, in))(t).UserId
		now, by := aws.Time(storetest.Now()), aws.String("arn:aws:iam::123456789012:root")
		want := types.User{
			IdentityStoreId: &s.store, UserId: &id, UserName: in.UserName, Name: in.Name, DisplayName: in.DisplayName, NickName: in.NickName,
			ProfileUrl: in.ProfileUrl, Emails: in.Emails, Addresses: in.Addresses, PhoneNumbers: in.PhoneNumbers, UserType: in.UserType,
			Title: in.Title, PreferredLanguage: in.PreferredLanguage, Locale: in.Locale, Timezone: in.Timezone, UserStatus: "ENABLED",
			Photos: in.Photos, Website: in.Website, Birthdate: in.Birthdate, Roles: in.Roles,
			CreatedAt: now, CreatedBy: by, UpdatedAt: now, UpdatedBy: by,
		}
		users := must(c.ListUsers(ctx, &sdk.ListUsersInput{IdentityStoreId: &s.store}))(t).Users
		if diff := cmp.Diff([]types.User{want}, users, plain); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}
		described := must(c.DescribeUser(ctx, &sdk.DescribeUserInput{IdentityStoreId: &s.store, UserId: &id, Extensions: []string{enterprise}}))(t)
		var extension map[string]any
		if err := described.Extensions[enterprise].UnmarshalSmithyDocument(&extension); err != nil {
			t.Fatal(err)
		}
		wantExtension := map[string]any{
			"department": "Tours", "employeeNumber": "1", "costCenter": "2", "organization": "3", "division": "4",
			"manager": map[string]any{"value": "5", "displayName": "6", "$ref": "7"},
		}
		if diff := cmp.Diff(wantExtension, extension); diff != "" {
			t.Errorf("extension (-want +got):\n%s", diff)
		}
		got := types.User{
			IdentityStoreId: described.IdentityStoreId, UserId: described.UserId, UserName: described.UserName, Name: described.Name,
			DisplayName: described.DisplayName, NickName: described.NickName, ProfileUrl: described.ProfileUrl, Emails: described.Emails,
			Addresses: described.Addresses, PhoneNumbers: described.PhoneNumbers, UserType: described.UserType, Title: described.Title,
			PreferredLanguage: described.PreferredLanguage, Locale: described.Locale, Timezone: described.Timezone, UserStatus: described.UserStatus,
			Photos: described.Photos, Website: described.Website, Birthdate: described.Birthdate, Roles: described.Roles,
			CreatedAt: described.CreatedAt, CreatedBy: described.CreatedBy, UpdatedAt: described.UpdatedAt, UpdatedBy: described.UpdatedBy,
		}
		if diff := cmp.Diff(want, got, plain); diff != "" {
			t.Errorf("described (-want +got):\n%s", diff)
		}
	})
}

func TestUpdateOnTheWire(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{RunTwice: true}))
	c, ctx := s.as(management), t.Context()
	id := must(c.CreateUser(ctx, completeUser(s.store)))(t).UserId
	set := func(path string, value any) types.AttributeOperation {
		return types.AttributeOperation{AttributePath: &path, AttributeValue: document.NewLazyDocument(value)}
	}
	must(c.UpdateUser(ctx, &sdk.UpdateUserInput{IdentityStoreId: &s.store, UserId: id, Operations: []types.AttributeOperation{
		set("name.familyName", "Öst"), set("title", nil),
		{AttributePath: aws.String("nickName")},
		set("emails", []any{map[string]any{"value": "new@example.com", "primary": true}}),
		set("phoneNumbers", []any(nil)), set(enterprise+".department", "D"),
	}}))(t)
	u := must(c.DescribeUser(ctx, &sdk.DescribeUserInput{IdentityStoreId: &s.store, UserId: id}))(t)
	if *u.Name.FamilyName != "Öst" || u.Title != nil || u.NickName != nil || *u.Emails[0].Value != "new@example.com" || u.Emails[0].Type != nil || u.PhoneNumbers != nil {
		t.Errorf("after the update: %+v", u)
	}
	_, err := c.UpdateUser(ctx, &sdk.UpdateUserInput{IdentityStoreId: &s.store, UserId: id, Operations: []types.AttributeOperation{set("title", 3)}})
	wantError(t, err, "ValidationException: The value of the attribute title must be a string.")

	group := must(c.CreateGroup(ctx, &sdk.CreateGroupInput{IdentityStoreId: &s.store, DisplayName: aws.String("Ops"), Description: aws.String("old")}))(t).GroupId
	must(c.UpdateGroup(ctx, &sdk.UpdateGroupInput{IdentityStoreId: &s.store, GroupId: group, Operations: []types.AttributeOperation{
		set("displayName", "Operations"), set("description", nil),
	}}))(t)
	g := must(c.DescribeGroup(ctx, &sdk.DescribeGroupInput{IdentityStoreId: &s.store, GroupId: group}))(t)
	if *g.DisplayName != "Operations" || g.Description != nil || *g.IdentityStoreId != s.store || *g.CreatedBy != "arn:aws:iam::123456789012:root" {
		t.Errorf("after the update: %+v", g)
	}
}

// wantError compares an error's code and message.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Errorf("got %v, want %s", err, want)
		return
	}
	if got := e.ErrorCode() + ": " + e.ErrorMessage(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestErrorsOnTheWire(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{RunTwice: true}))
	c, ctx := s.as(management), t.Context()
	in := completeUser(s.store)
	id := must(c.CreateUser(ctx, in))(t).UserId

	_, err := c.CreateUser(ctx, in)
	wantError(t, err, "ConflictException: Duplicate UserName")
	if e, ok := errors.AsType[*types.ConflictException](err); !ok || e.Reason != types.ConflictExceptionReasonUniquenessConstraintViolation || e.RequestId == nil {
		t.Errorf("the conflict is %+v", e)
	}
	nobody := aws.String("0123456789-00000000-0000-4000-8000-000000000000")
	_, err = c.DescribeUser(ctx, &sdk.DescribeUserInput{IdentityStoreId: &s.store, UserId: nobody})
	wantError(t, err, "ResourceNotFoundException: USER not found.")
	if e, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok || e.ResourceType != types.ResourceTypeUser || aws.ToString(e.ResourceId) != *nobody || e.RequestId == nil {
		t.Errorf("not found: %+v", e)
	}
	other := aws.String("d-0000000000")
	_, err = c.ListUsers(ctx, &sdk.ListUsersInput{IdentityStoreId: other})
	wantError(t, err, "ResourceNotFoundException: IdentityStore not present for IdentityStoreId: d-0000000000")
	if e, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok || e.ResourceType != types.ResourceTypeIdentityStore || aws.ToString(e.ResourceId) != *other {
		t.Errorf("unknown store: %+v", e)
	}
	_, err = c.CreateUser(ctx, &sdk.CreateUserInput{IdentityStoreId: &s.store, UserName: aws.String("x")})
	wantError(t, err, "ValidationException: displayname: The attribute displayname is required, name: The attribute name is required")
	_, err = c.DescribeUser(ctx, &sdk.DescribeUserInput{IdentityStoreId: &s.store, UserId: id, Extensions: []string{"aws:identitystore:other"}})
	wantError(t, err, "ValidationException: The extension aws:identitystore:other is not supported. The supported extension is aws:identitystore:enterprise.")
	_, err = c.GetUserId(ctx, &sdk.GetUserIdInput{IdentityStoreId: &s.store, AlternateIdentifier: &types.AlternateIdentifierMemberUniqueAttribute{
		Value: types.UniqueAttribute{AttributePath: aws.String("userName"), AttributeValue: document.NewLazyDocument(1)},
	}})
	wantError(t, err, "ValidationException: The value of the attribute userName must be a string.")
}

func TestGroupsAndMembershipsOnTheWire(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		s := newServer(t, db)
		c, ctx := s.as(management), t.Context()
		user := must(c.CreateUser(ctx, completeUser(s.store)))(t).UserId
		ops := must(c.CreateGroup(ctx, &sdk.CreateGroupInput{IdentityStoreId: &s.store, DisplayName: aws.String("Ops")}))(t).GroupId
		dev := must(c.CreateGroup(ctx, &sdk.CreateGroupInput{IdentityStoreId: &s.store, DisplayName: aws.String("Dev")}))(t).GroupId
		jane := &types.MemberIdMemberUserId{Value: *user}
		id := must(c.CreateGroupMembership(ctx, &sdk.CreateGroupMembershipInput{IdentityStoreId: &s.store, GroupId: ops, MemberId: jane}))(t).MembershipId
		now, by := aws.Time(storetest.Now()), aws.String("arn:aws:iam::123456789012:root")
		want := types.GroupMembership{
			IdentityStoreId: &s.store, MembershipId: id, GroupId: ops, MemberId: jane, CreatedAt: now, CreatedBy: by, UpdatedAt: now, UpdatedBy: by,
		}
		d := must(c.DescribeGroupMembership(ctx, &sdk.DescribeGroupMembershipInput{IdentityStoreId: &s.store, MembershipId: id}))(t)
		described := types.GroupMembership{
			IdentityStoreId: d.IdentityStoreId, MembershipId: d.MembershipId, GroupId: d.GroupId, MemberId: d.MemberId,
			CreatedAt: d.CreatedAt, CreatedBy: d.CreatedBy, UpdatedAt: d.UpdatedAt, UpdatedBy: d.UpdatedBy,
		}
		ofGroup := must(c.ListGroupMemberships(ctx, &sdk.ListGroupMembershipsInput{IdentityStoreId: &s.store, GroupId: ops}))(t).GroupMemberships
		ofUser := must(c.ListGroupMembershipsForMember(ctx, &sdk.ListGroupMembershipsForMemberInput{IdentityStoreId: &s.store, MemberId: jane}))(t).GroupMemberships
		for name, got := range map[string][]types.GroupMembership{"described": {described}, "of the group": ofGroup, "of the user": ofUser} {
			if diff := cmp.Diff([]types.GroupMembership{want}, got, plain); diff != "" {
				t.Errorf("membership %s (-want +got):\n%s", name, diff)
			}
		}
		found := must(c.GetGroupMembershipId(ctx, &sdk.GetGroupMembershipIdInput{IdentityStoreId: &s.store, GroupId: ops, MemberId: jane}))(t)
		if *found.MembershipId != *id {
			t.Errorf("found membership %s, want %s", *found.MembershipId, *id)
		}
		is := must(c.IsMemberInGroups(ctx, &sdk.IsMemberInGroupsInput{IdentityStoreId: &s.store, MemberId: jane, GroupIds: []string{*dev, *ops}}))(t).Results
		wantIs := []types.GroupMembershipExistenceResult{{GroupId: dev, MemberId: jane}, {GroupId: ops, MemberId: jane, MembershipExists: true}}
		if diff := cmp.Diff(wantIs, is, plain); diff != "" {
			t.Errorf("membership in groups (-want +got):\n%s", diff)
		}
		must(c.DeleteGroupMembership(ctx, &sdk.DeleteGroupMembershipInput{IdentityStoreId: &s.store, MembershipId: id}))(t)
		_, err := c.GetGroupMembershipId(ctx, &sdk.GetGroupMembershipIdInput{IdentityStoreId: &s.store, GroupId: ops, MemberId: jane})
		wantError(t, err, "ResourceNotFoundException: GROUP_MEMBERSHIP not found.")
		must(c.DeleteGroup(ctx, &sdk.DeleteGroupInput{IdentityStoreId: &s.store, GroupId: ops}))(t)
		must(c.DeleteUser(ctx, &sdk.DeleteUserInput{IdentityStoreId: &s.store, UserId: user}))(t)
		_, err = c.DeleteUser(ctx, &sdk.DeleteUserInput{IdentityStoreId: &s.store, UserId: user})
		wantError(t, err, "ResourceNotFoundException: USER not found.")
	})
}

func TestFindOnTheWire(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{RunTwice: true}))
	c, ctx := s.as(management), t.Context()
	user := must(c.CreateUser(ctx, completeUser(s.store)))(t).UserId
	group := must(c.CreateGroup(ctx, &sdk.CreateGroupInput{IdentityStoreId: &s.store, DisplayName: aws.String("Ops")}))(t).GroupId
	unique := func(path, value string) types.AlternateIdentifier {
		return &types.AlternateIdentifierMemberUniqueAttribute{Value: types.UniqueAttribute{AttributePath: &path, AttributeValue: document.NewLazyDocument(value)}}
	}
	for path, value := range map[string]string{"userName": "ZOË", "UserName": "zoë", "emails.value": "ZOE@example.com"} {
		got := must(c.GetUserId(ctx, &sdk.GetUserIdInput{IdentityStoreId: &s.store, AlternateIdentifier: unique(path, value)}))(t)
		if *got.UserId != *user || *got.IdentityStoreId != s.store {
			t.Errorf("%s %s: %+v", path, value, got)
		}
	}
	if got := must(c.GetGroupId(ctx, &sdk.GetGroupIdInput{IdentityStoreId: &s.store, AlternateIdentifier: unique("DisplayName", "ops")}))(t); *got.GroupId != *group {
		t.Errorf("found group %s, want %s", *got.GroupId, *group)
	}
	external := &types.AlternateIdentifierMemberExternalId{Value: types.ExternalId{Issuer: aws.String("idp"), Id: aws.String("1")}}
	_, err := c.GetUserId(ctx, &sdk.GetUserIdInput{IdentityStoreId: &s.store, AlternateIdentifier: external})
	wantError(t, err, "ResourceNotFoundException: USER not found.")
	_, err = c.GetGroupId(ctx, &sdk.GetGroupIdInput{IdentityStoreId: &s.store, AlternateIdentifier: external})
	wantError(t, err, "ResourceNotFoundException: GROUP not found.")
	filter := []types.Filter{{AttributePath: aws.String("UserName"), AttributeValue: aws.String("zoë")}}
	if got := must(c.ListUsers(ctx, &sdk.ListUsersInput{IdentityStoreId: &s.store, Filters: filter}))(t).Users; len(got) != 1 || *got[0].UserId != *user {
		t.Errorf("filtered: %+v", got)
	}
	filter = []types.Filter{{AttributePath: aws.String("DisplayName"), AttributeValue: aws.String("nobody")}}
	if got := must(c.ListGroups(ctx, &sdk.ListGroupsInput{IdentityStoreId: &s.store, Filters: filter}))(t).Groups; len(got) != 0 {
		t.Errorf("filtered: %+v", got)
	}
}

func TestPagesOnTheWire(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{RunTwice: true}))
	c, ctx := s.as(management), t.Context()
	const n = 5
	var first string
	for i := range n {
		in := &sdk.CreateGroupInput{IdentityStoreId: &s.store, DisplayName: aws.String(fmt.Sprint("group ", i))}
		first = *must(c.CreateGroup(ctx, in))(t).GroupId
	}
	var sizes []int
	seen := map[string]bool{}
	pages := sdk.NewListGroupsPaginator(c, &sdk.ListGroupsInput{IdentityStoreId: &s.store, MaxResults: aws.Int32(2)})
	var token *string
	for pages.HasMorePages() {
		page := must(pages.NextPage(ctx))(t)
		sizes = append(sizes, len(page.Groups))
		for _, g := range page.Groups {
			seen[*g.GroupId] = true
		}
		if page.NextToken != nil {
			token = page.NextToken
		}
	}
	if !cmp.Equal(sizes, []int{2, 2, 1}) || len(seen) != n {
		t.Errorf("pages of %v with %d groups", sizes, len(seen))
	}
	// A token is for the listing that gave it.
	_, err := c.ListUsers(ctx, &sdk.ListUsersInput{IdentityStoreId: &s.store, NextToken: token})
	wantInvalid(t, err)
	_, err = c.ListGroupMemberships(ctx, &sdk.ListGroupMembershipsInput{IdentityStoreId: &s.store, GroupId: &first, NextToken: token})
	wantInvalid(t, err)
	_, err = s.as(member).ListGroups(ctx, &sdk.ListGroupsInput{IdentityStoreId: &s.store, NextToken: token})
	wantInvalid(t, err)
}

func wantInvalid(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*types.ValidationException](err); !ok {
		t.Errorf("got %v, want a ValidationException", e)
	}
}

// operations calls every operation with input that passes validation.
func operations(s *server, user, group, membership string) map[string]func(context.Context, *sdk.Client) error {
	jane := &types.MemberIdMemberUserId{Value: user}
	title := types.AttributeOperation{AttributePath: aws.String("title"), AttributeValue: document.NewLazyDocument("x")}
	description := types.AttributeOperation{AttributePath: aws.String("description"), AttributeValue: document.NewLazyDocument("x")}
	unique := func(path string) types.AlternateIdentifier {
		return &types.AlternateIdentifierMemberUniqueAttribute{Value: types.UniqueAttribute{AttributePath: &path, AttributeValue: document.NewLazyDocument("zoë")}}
	}
	return map[string]func(context.Context, *sdk.Client) error{
		"CreateUser": func(ctx context.Context, c *sdk.Client) error {
			in := completeUser(s.store)
			in.UserName, in.Emails = aws.String("new"), nil
			_, err := c.CreateUser(ctx, in)
			return err
		},
		"CreateGroup": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.CreateGroup(ctx, &sdk.CreateGroupInput{IdentityStoreId: &s.store, DisplayName: aws.String("new")})
			return err
		},
		"CreateGroupMembership": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.CreateGroupMembership(ctx, &sdk.CreateGroupMembershipInput{IdentityStoreId: &s.store, GroupId: &group, MemberId: jane})
			return err
		},
		"UpdateUser": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.UpdateUser(ctx, &sdk.UpdateUserInput{IdentityStoreId: &s.store, UserId: &user, Operations: []types.AttributeOperation{title}})
			return err
		},
		"UpdateGroup": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.UpdateGroup(ctx, &sdk.UpdateGroupInput{IdentityStoreId: &s.store, GroupId: &group, Operations: []types.AttributeOperation{description}})
			return err
		},
		"DeleteUser": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.DeleteUser(ctx, &sdk.DeleteUserInput{IdentityStoreId: &s.store, UserId: &user})
			return err
		},
		"DeleteGroup": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.DeleteGroup(ctx, &sdk.DeleteGroupInput{IdentityStoreId: &s.store, GroupId: &group})
			return err
		},
		"DeleteGroupMembership": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.DeleteGroupMembership(ctx, &sdk.DeleteGroupMembershipInput{IdentityStoreId: &s.store, MembershipId: &membership})
			return err
		},
		"DescribeUser": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.DescribeUser(ctx, &sdk.DescribeUserInput{IdentityStoreId: &s.store, UserId: &user})
			return err
		},
		"DescribeGroup": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.DescribeGroup(ctx, &sdk.DescribeGroupInput{IdentityStoreId: &s.store, GroupId: &group})
			return err
		},
		"DescribeGroupMembership": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.DescribeGroupMembership(ctx, &sdk.DescribeGroupMembershipInput{IdentityStoreId: &s.store, MembershipId: &membership})
			return err
		},
		"GetUserId": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.GetUserId(ctx, &sdk.GetUserIdInput{IdentityStoreId: &s.store, AlternateIdentifier: unique("userName")})
			return err
		},
		"GetGroupId": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.GetGroupId(ctx, &sdk.GetGroupIdInput{IdentityStoreId: &s.store, AlternateIdentifier: unique("displayName")})
			return err
		},
		"GetGroupMembershipId": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.GetGroupMembershipId(ctx, &sdk.GetGroupMembershipIdInput{IdentityStoreId: &s.store, GroupId: &group, MemberId: jane})
			return err
		},
		"IsMemberInGroups": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.IsMemberInGroups(ctx, &sdk.IsMemberInGroupsInput{IdentityStoreId: &s.store, MemberId: jane, GroupIds: []string{group}})
			return err
		},
		"ListUsers": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.ListUsers(ctx, &sdk.ListUsersInput{IdentityStoreId: &s.store})
			return err
		},
		"ListGroups": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.ListGroups(ctx, &sdk.ListGroupsInput{IdentityStoreId: &s.store})
			return err
		},
		"ListGroupMemberships": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.ListGroupMemberships(ctx, &sdk.ListGroupMembershipsInput{IdentityStoreId: &s.store, GroupId: &group})
			return err
		},
		"ListGroupMembershipsForMember": func(ctx context.Context, c *sdk.Client) error {
			_, err := c.ListGroupMembershipsForMember(ctx, &sdk.ListGroupMembershipsForMemberInput{IdentityStoreId: &s.store, MemberId: jane})
			return err
		},
	}
}

// mutates tells whether an operation changes anything.
func mutates(operation string) bool {
	return strings.HasPrefix(operation, "Create") || strings.HasPrefix(operation, "Update") || strings.HasPrefix(operation, "Delete")
}

// furnish creates a user, a group called like the user, and a membership.
func furnish(t *testing.T, s *server) (user, group, membership string) {
	t.Helper()
	c, ctx := s.as(management), t.Context()
	user = *must(c.CreateUser(ctx, completeUser(s.store)))(t).UserId
	group = *must(c.CreateGroup(ctx, &sdk.CreateGroupInput{IdentityStoreId: &s.store, DisplayName: aws.String("zoë")}))(t).GroupId
	membership = *must(c.CreateGroupMembership(ctx, &sdk.CreateGroupMembershipInput{
		IdentityStoreId: &s.store, GroupId: &group, MemberId: &types.MemberIdMemberUserId{Value: user},
	}))(t).MembershipId
	return user, group, membership
}

func TestGates(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{}))
	user, group, membership := furnish(t, s)
	nobody := s.asUser("nobody", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}`)
	calls := operations(s, user, group, membership)
	if len(calls) != 19 {
		t.Fatalf("%d operations are tested", len(calls))
	}
	for name, call := range calls {
		if err := call(t.Context(), s.as(member)); mutates(name) {
			wantDenied(t, name+" from a member account", err)
		} else if err != nil {
			t.Errorf("%s from a member account: %v", name, err)
		}
		wantDenied(t, name+" from an account outside", call(t.Context(), s.as(outsider)))
		wantDenied(t, name+" without permission", call(t.Context(), nobody))
	}
}

func wantDenied(t *testing.T, what string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*types.AccessDeniedException](err); !ok {
		t.Errorf("%s: got %v, want an AccessDeniedException", what, err)
	}
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*types.ResourceNotFoundException](err)
	return ok
}

// TestResources calls every operation with a policy that allows just what the
// operation names, and with one that denies any part of it.
func TestResources(t *testing.T) {
	const owner = "arn:aws:identitystore::123456789012:identitystore/"
	const users, groups, memberships = "arn:aws:identitystore:::user/", "arn:aws:identitystore:::group/", "arn:aws:identitystore:::membership/"
	s := newServer(t, storetest.Open(t, store.Config{}))
	user, group, membership := furnish(t, s)
	u, g, m, all := users+user, groups+group, memberships+membership, "*"
	for name, resources := range map[string][]string{
		"CreateUser": {}, "CreateGroup": {}, "DescribeUser": {u}, "DescribeGroup": {g}, "DescribeGroupMembership": {m},
		"UpdateUser": {u}, "UpdateGroup": {g}, "GetUserId": {users + all}, "GetGroupId": {groups + all},
		"ListUsers": {users + all}, "ListGroups": {groups + all}, "ListGroupMemberships": {g, memberships + all},
		"ListGroupMembershipsForMember": {u, memberships + all}, "GetGroupMembershipId": {u, g, memberships + all},
		"IsMemberInGroups": {u, groups + all, memberships + all}, "DeleteGroupMembership": {m, users + all, groups + all},
		"CreateGroupMembership": {u, g}, "DeleteGroup": {g}, "DeleteUser": {u},
	} {
		call := operations(s, user, group, membership)[name]
		allowed := append(resources, owner+s.store)
		statement := func(effect string, resources ...string) string {
			return fmt.Sprintf(`{"Effect":%q,"Action":"identitystore:%s","Resource":["%s"]}`, effect, name, strings.Join(resources, `","`))
		}
		for i := range allowed {
			denied := s.asUser(fmt.Sprint(name, i), `{"Version":"2012-10-17","Statement":[`+statement("Allow", "*")+","+statement("Deny", allowed[i])+`]}`)
			wantDenied(t, name+" denied on "+allowed[i], call(t.Context(), denied))
		}
		err := call(t.Context(), s.asUser(name, `{"Version":"2012-10-17","Statement":[`+statement("Allow", allowed...)+`]}`))
		if _, ok := errors.AsType[*types.AccessDeniedException](err); ok {
			t.Errorf("%s with just its resources: %v", name, err)
		}
	}
}
