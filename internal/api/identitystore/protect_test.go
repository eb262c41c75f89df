package identitystore_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestDelegatedAdministrator calls every operation as a delegated
// administrator: on people who have access to the member account, where it
// may do everything, and to the management account, where it may look.
func TestDelegatedAdministrator(t *testing.T) {
	for name, test := range map[string]struct {
		account string
		toUser  bool // access is direct, not through the group
		refused []string
	}{
		"member account":               {member, false, nil},
		"member account, direct":       {member, true, nil},
		"management account, by group": {management, false, []string{"UpdateUser", "DeleteUser", "DeleteGroup", "UpdateGroup", "CreateGroupMembership", "DeleteGroupMembership"}},
		"management account, direct":   {management, true, []string{"UpdateUser", "DeleteUser"}},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.RunConfig(t, store.Config{}, func(t *testing.T, db *store.Store) {
				s := newServer(t, db)
				s.delegate()
				user, group, membership := furnish(t, s)
				to := assignment.Principal{Type: assignment.Group, ID: group}
				if test.toUser {
					to = assignment.Principal{Type: assignment.User, ID: user}
				}
				s.assign(test.account, to)
				calls := operations(s, user, group, membership)
				refused := map[string]bool{}
				for _, name := range test.refused {
					refused[name] = true
					wantDenied(t, name, calls[name](t.Context(), s.as(member)))
				}
				// What deletes comes last.
				for _, destructive := range []bool{false, true} {
					for name, call := range calls {
						deletes := name == "DeleteUser" || name == "DeleteGroup" || name == "DeleteGroupMembership"
						if refused[name] || deletes != destructive || name == "CreateGroupMembership" {
							continue
						}
						if err := call(t.Context(), s.as(member)); err != nil && !(deletes && isNotFound(err)) {
							t.Errorf("%s: %v", name, err)
						}
					}
				}
			})
		})
	}
}

// TestProtectedPeopleAreTheOwners checks that the account that owns the
// directory is not held back by what holds back its delegate.
func TestProtectedPeopleAreTheOwners(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{}))
	s.delegate()
	user, group, _ := furnish(t, s)
	s.assign(management, assignment.Principal{Type: assignment.Group, ID: group})
	other := completeUser(s.store)
	other.UserName, other.Emails = aws.String("other"), nil
	delegate, owner := s.as(member), s.as(management)
	id := *must(delegate.CreateUser(t.Context(), other))(t).UserId
	join := &sdk.CreateGroupMembershipInput{IdentityStoreId: &s.store, GroupId: &group, MemberId: &types.MemberIdMemberUserId{Value: id}}
	_, err := delegate.CreateGroupMembership(t.Context(), join)
	wantError(t, err, "AccessDeniedException: User: arn:aws:iam::111111111111:root is not authorized to perform: identitystore:CreateGroupMembership on resource: arn:aws:identitystore:::group/"+group+" because the group has access to the management account")
	must(owner.CreateGroupMembership(t.Context(), join))(t)
	must(owner.DeleteUser(t.Context(), &sdk.DeleteUserInput{IdentityStoreId: &s.store, UserId: &user}))(t)
	must(owner.DeleteGroup(t.Context(), &sdk.DeleteGroupInput{IdentityStoreId: &s.store, GroupId: &group}))(t)
	// Without the group, the other is no longer protected.
	must(delegate.DeleteUser(t.Context(), &sdk.DeleteUserInput{IdentityStoreId: &s.store, UserId: &id}))(t)
}
