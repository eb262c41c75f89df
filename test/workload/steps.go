package workload

import (
	"context"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/atrium-iam/atrium/test/node"
)

func (w *Worker) createUser() {
	name := w.unique("user")
	in := &identitystore.CreateUserInput{
		IdentityStoreId: &w.load.StoreID, UserName: &name, DisplayName: &name,
		Name: &identitytypes.Name{GivenName: &name, FamilyName: &w.name},
	}
	w.change("CreateUser", map[string]State{"user/" + name: Present}, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.IdentityStore.CreateUser(ctx, in)
		if err != nil {
			return m, err
		}
		w.users[name] = *out.UserId
		return out.ResultMetadata, nil
	})
}

func (w *Worker) createGroup() {
	name := w.unique("group")
	in := &identitystore.CreateGroupInput{IdentityStoreId: &w.load.StoreID, DisplayName: &name}
	w.change("CreateGroup", map[string]State{"group/" + name: Present}, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.IdentityStore.CreateGroup(ctx, in)
		if err != nil {
			return m, err
		}
		w.groups[name] = *out.GroupId
		return out.ResultMetadata, nil
	})
}

func (w *Worker) createSet() {
	name := w.unique("set")
	in := &ssoadmin.CreatePermissionSetInput{InstanceArn: &w.load.InstanceARN, Name: &name}
	w.change("CreatePermissionSet", map[string]State{"set/" + name: Present}, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.SSOAdmin.CreatePermissionSet(ctx, in)
		if err != nil {
			return m, err
		}
		w.sets[name] = *out.PermissionSet.PermissionSetArn
		return out.ResultMetadata, nil
	})
}

// join puts a user into a group.
func (w *Worker) join() {
	_, user, someone := pick(w, w.users)
	_, group, somewhere := pick(w, w.groups)
	key := "member/" + group + "/" + user
	if !someone || !somewhere || w.load.state(key) != Absent {
		return
	}
	in := &identitystore.CreateGroupMembershipInput{
		IdentityStoreId: &w.load.StoreID, GroupId: &group, MemberId: &identitytypes.MemberIdMemberUserId{Value: user},
	}
	w.change("CreateGroupMembership", map[string]State{key: Present}, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.IdentityStore.CreateGroupMembership(ctx, in)
		if err != nil {
			return m, err
		}
		w.members[key] = member{*out.MembershipId, user, group}
		return out.ResultMetadata, nil
	})
}

func (w *Worker) leave() {
	key, m, ok := pick(w, w.members)
	if !ok {
		return
	}
	delete(w.members, key)
	in := &identitystore.DeleteGroupMembershipInput{IdentityStoreId: &w.load.StoreID, MembershipId: &m.id}
	w.change("DeleteGroupMembership", map[string]State{key: Absent}, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.IdentityStore.DeleteGroupMembership(ctx, in)
		if err != nil {
			return m, err
		}
		return out.ResultMetadata, nil
	})
}

// deleteUser deletes a user, and with it the user's memberships.
func (w *Worker) deleteUser() {
	name, id, ok := pick(w, w.users)
	if !ok {
		return
	}
	delete(w.users, name)
	becomes := w.without(map[string]State{"user/" + name: Absent}, func(m member) bool { return m.user == id })
	in := &identitystore.DeleteUserInput{IdentityStoreId: &w.load.StoreID, UserId: &id}
	w.change("DeleteUser", becomes, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.IdentityStore.DeleteUser(ctx, in)
		if err != nil {
			return m, err
		}
		return out.ResultMetadata, nil
	})
}

func (w *Worker) deleteGroup() {
	name, id, ok := pick(w, w.groups)
	if !ok {
		return
	}
	delete(w.groups, name)
	becomes := w.without(map[string]State{"group/" + name: Absent}, func(m member) bool { return m.group == id })
	in := &identitystore.DeleteGroupInput{IdentityStoreId: &w.load.StoreID, GroupId: &id}
	w.change("DeleteGroup", becomes, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.IdentityStore.DeleteGroup(ctx, in)
		if err != nil {
			return m, err
		}
		return out.ResultMetadata, nil
	})
}

// without adds the memberships that go with what is deleted: also those of
// which the worker never heard that they were made.
func (w *Worker) without(becomes map[string]State, gone func(member) bool) map[string]State {
	w.load.mu.Lock()
	defer w.load.mu.Unlock()
	for key, state := range w.load.things {
		parts := strings.Split(key, "/")
		if parts[0] == "member" && state != Absent && gone(member{group: parts[1], user: parts[2]}) {
			becomes[key] = Absent
			delete(w.members, key)
		}
	}
	return becomes
}

// assign gives a user or group of ours access to an account with a permission
// set of ours or, twice as often, one of those that all share: so that the same
// roles come and go for several clients at once.
func (w *Worker) assign() {
	_, set, ok := pick(w, w.sets)
	if shared := w.load.shared(); len(shared) > 0 && (!ok || w.random.IntN(3) > 0) {
		set, ok = shared[w.random.IntN(len(shared))], true
	}
	principals, kind := w.users, "USER"
	if w.random.IntN(3) == 0 {
		principals, kind = w.groups, "GROUP"
	}
	_, principal, someone := pick(w, principals)
	account := []string{node.Production, node.Development}[w.random.IntN(2)]
	key := "assignment/" + path.Base(set) + "/" + account + "/" + principal
	if !ok || !someone || w.load.state(key) != Absent {
		return
	}
	in := &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: &w.load.InstanceARN, PermissionSetArn: &set, TargetId: &account, TargetType: admintypes.TargetTypeAwsAccount,
		PrincipalId: &principal, PrincipalType: admintypes.PrincipalType(kind),
	}
	w.change("CreateAccountAssignment", map[string]State{key: Present}, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.SSOAdmin.CreateAccountAssignment(ctx, in)
		if err != nil {
			return m, err
		}
		w.assignments[key] = assigned{set, account, kind, principal}
		return out.ResultMetadata, nil
	})
}

func (w *Worker) unassign() {
	key, a, ok := pick(w, w.assignments)
	if !ok {
		return
	}
	delete(w.assignments, key)
	in := &ssoadmin.DeleteAccountAssignmentInput{
		InstanceArn: &w.load.InstanceARN, PermissionSetArn: &a.set, TargetId: &a.account, TargetType: admintypes.TargetTypeAwsAccount,
		PrincipalId: &a.principal, PrincipalType: admintypes.PrincipalType(a.kind),
	}
	w.change("DeleteAccountAssignment", map[string]State{key: Absent}, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.SSOAdmin.DeleteAccountAssignment(ctx, in)
		if err != nil {
			return m, err
		}
		return out.ResultMetadata, nil
	})
}

// deleteSet deletes a permission set of ours that nobody is assigned.
func (w *Worker) deleteSet() {
	name, set, ok := pick(w, w.sets)
	if !ok || w.load.assigned(path.Base(set)) {
		return
	}
	delete(w.sets, name)
	in := &ssoadmin.DeletePermissionSetInput{InstanceArn: &w.load.InstanceARN, PermissionSetArn: &set}
	w.change("DeletePermissionSet", map[string]State{"set/" + name: Absent}, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.SSOAdmin.DeletePermissionSet(ctx, in)
		if err != nil {
			return m, err
		}
		return out.ResultMetadata, nil
	})
}

// editSet attaches a policy to a permission set of ours and provisions it.
func (w *Worker) editSet() {
	_, set, ok := pick(w, w.sets)
	if !ok {
		return
	}
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	in := &ssoadmin.PutInlinePolicyToPermissionSetInput{InstanceArn: &w.load.InstanceARN, PermissionSetArn: &set, InlinePolicy: &policy}
	w.change("PutInlinePolicyToPermissionSet", nil, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.SSOAdmin.PutInlinePolicyToPermissionSet(ctx, in)
		if err != nil {
			return m, err
		}
		return out.ResultMetadata, nil
	})
	if w.lost {
		return
	}
	all := &ssoadmin.ProvisionPermissionSetInput{
		InstanceArn: &w.load.InstanceARN, PermissionSetArn: &set, TargetType: admintypes.ProvisionTargetTypeAllProvisionedAccounts,
	}
	w.change("ProvisionPermissionSet", nil, func(ctx context.Context) (m middleware.Metadata, err error) {
		out, err := w.client.SSOAdmin.ProvisionPermissionSet(ctx, all)
		if err != nil {
			return m, err
		}
		return out.ResultMetadata, nil
	})
}
