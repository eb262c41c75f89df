package sdk

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

func (w *world) assign(t *testing.T, set *string, account string, kind types.PrincipalType, principal *string) *types.AccountAssignmentOperationStatus {
	t.Helper()
	return must(w.Admin.SSOAdmin.CreateAccountAssignment(t.Context(), &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: w.instance, PermissionSetArn: set, TargetId: &account, TargetType: types.TargetTypeAwsAccount,
		PrincipalType: kind, PrincipalId: principal,
	})).or(t).AccountAssignmentCreationStatus
}

func (w *world) unassign(t *testing.T, set *string, account string, kind types.PrincipalType, principal *string) *types.AccountAssignmentOperationStatus {
	t.Helper()
	return must(w.Admin.SSOAdmin.DeleteAccountAssignment(t.Context(), &ssoadmin.DeleteAccountAssignmentInput{
		InstanceArn: w.instance, PermissionSetArn: set, TargetId: &account, TargetType: types.TargetTypeAwsAccount,
		PrincipalType: kind, PrincipalId: principal,
	})).or(t).AccountAssignmentDeletionStatus
}

func (w *world) created(t *testing.T, request *string) *types.AccountAssignmentOperationStatus {
	t.Helper()
	return must(w.Admin.SSOAdmin.DescribeAccountAssignmentCreationStatus(t.Context(), &ssoadmin.DescribeAccountAssignmentCreationStatusInput{
		InstanceArn: w.instance, AccountAssignmentCreationRequestId: request,
	})).or(t).AccountAssignmentCreationStatus
}

func (w *world) deleted(t *testing.T, request *string) *types.AccountAssignmentOperationStatus {
	t.Helper()
	return must(w.Admin.SSOAdmin.DescribeAccountAssignmentDeletionStatus(t.Context(), &ssoadmin.DescribeAccountAssignmentDeletionStatusInput{
		InstanceArn: w.instance, AccountAssignmentDeletionRequestId: request,
	})).or(t).AccountAssignmentDeletionStatus
}

// role returns the name of the role of a permission set in an account, "" when
// there is none.
func (w *world) role(t *testing.T, set *string, account string) (name string) {
	t.Helper()
	err := w.Store.View(t.Context(), func(tx *store.Tx) error {
		p, found, err := tx.ProvisionOf((*set)[len(*set)-len("ps-0123456789abcdef"):], account)
		if err != nil || !found {
			return err
		}
		r, found, err := tx.RoleByID(account, p.RoleID)
		if found {
			name = r.Name
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// assignments gives access to users and groups and takes it away.
func assignments(t *testing.T, w *world) {
	c, ctx := w.Admin.SSOAdmin, t.Context()
	set, user, group := w.set(t, "Set"), w.user(t, "pat"), w.group(t, "team")
	must(w.Admin.IdentityStore.CreateGroupMembership(ctx, &identitystore.CreateGroupMembershipInput{IdentityStoreId: w.store, GroupId: group, MemberId: memberID(user)})).or(t)

	got := w.assign(t, set, node.Production, types.PrincipalTypeUser, user)
	matches(t, "request id", got.RequestId, uuidForm)
	recent(t, "CreatedDate", got.CreatedDate)
	want := &types.AccountAssignmentOperationStatus{
		Status: types.StatusValuesInProgress, RequestId: got.RequestId, CreatedDate: got.CreatedDate, TargetId: new(node.Production),
		TargetType: types.TargetTypeAwsAccount, PermissionSetArn: set, PrincipalType: types.PrincipalTypeUser, PrincipalId: user,
	}
	same(t, "answer", got, want)
	want.Status = types.StatusValuesSucceeded
	same(t, "status", w.created(t, got.RequestId), want)
	if name := w.role(t, set, node.Production); name == "" {
		t.Error("there is no role")
	} else {
		matches(t, "role", &name, `AWSReservedSSO_Set_[0-9a-f]{16}`)
	}
	same(t, "the same assignment again", w.created(t, w.assign(t, set, node.Production, types.PrincipalTypeUser, user).RequestId).Status, types.StatusValuesSucceeded)
	w.assign(t, set, node.Production, types.PrincipalTypeGroup, group)
	w.assign(t, set, node.Development, types.PrincipalTypeGroup, group)

	list := func(account string) []string {
		return pages(t, 1, func(token *string) ([]string, *string, error) {
			out, err := c.ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{
				InstanceArn: w.instance, AccountId: &account, PermissionSetArn: set, MaxResults: new(int32(1)), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return each(out.AccountAssignments, func(a types.AccountAssignment) string {
				return fmt.Sprint(*a.AccountId, *a.PermissionSetArn, a.PrincipalType, *a.PrincipalId)
			}), out.NextToken, nil
		})
	}
	ofUser, ofGroup := node.Production+*set+"USER"+*user, node.Production+*set+"GROUP"+*group
	same(t, "assignments", list(node.Production), []string{ofGroup, ofUser})
	same(t, "assignments in an account without", list(node.Management), nil)
	forPrincipal := func(kind types.PrincipalType, id *string, filter *types.ListAccountAssignmentsFilter) []string {
		return pages(t, 2, func(token *string) ([]string, *string, error) {
			out, err := c.ListAccountAssignmentsForPrincipal(ctx, &ssoadmin.ListAccountAssignmentsForPrincipalInput{
				InstanceArn: w.instance, PrincipalType: kind, PrincipalId: id, Filter: filter, MaxResults: new(int32(2)), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return each(out.AccountAssignments, func(a types.AccountAssignmentForPrincipal) string {
				return fmt.Sprint(*a.AccountId, *a.PermissionSetArn, a.PrincipalType, *a.PrincipalId)
			}), out.NextToken, nil
		})
	}
	ofBoth := forPrincipal(types.PrincipalTypeUser, user, nil)
	slices.Sort(ofBoth)
	same(t, "assignments of the user, by the group too", ofBoth, []string{ofGroup, ofUser, node.Development + *set + "GROUP" + *group})
	same(t, "in one account", len(forPrincipal(types.PrincipalTypeUser, user, &types.ListAccountAssignmentsFilter{AccountId: new(node.Development)})), 1)
	same(t, "assignments of the group", len(forPrincipal(types.PrincipalTypeGroup, group, nil)), 2)

	_, err := c.DeletePermissionSet(ctx, &ssoadmin.DeletePermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set})
	refusedAs(t, "delete a permission set that is assigned", err, "ConflictException")
	gone := w.unassign(t, set, node.Production, types.PrincipalTypeUser, user)
	same(t, "answer", gone.Status, types.StatusValuesInProgress)
	same(t, "status", w.deleted(t, gone.RequestId).Status, types.StatusValuesSucceeded)
	first := w.role(t, set, node.Production)
	if first == "" {
		t.Error("the role went before the last assignment")
	}
	w.unassign(t, set, node.Production, types.PrincipalTypeGroup, group)
	same(t, "role after the last assignment", w.role(t, set, node.Production), "")
	w.assign(t, set, node.Production, types.PrincipalTypeUser, user)
	if again := w.role(t, set, node.Production); again == "" || again == first {
		t.Errorf("the role of a new assignment is %q, the old one was %q", again, first)
	}
	statusLists(t, w)
}

// statusLists lists what became of requests, by their status.
func statusLists(t *testing.T, w *world) {
	c, ctx := w.Admin.SSOAdmin, t.Context()
	count := func(status types.StatusValues) (creations, deletions int) {
		var filter *types.OperationStatusFilter
		if status != "" {
			filter = &types.OperationStatusFilter{Status: status}
		}
		item := func(m types.AccountAssignmentOperationStatusMetadata) string {
			recent(t, "CreatedDate", m.CreatedDate)
			if status != "" && m.Status != status {
				t.Errorf("status %s in a list of %s", m.Status, status)
			}
			return *m.RequestId
		}
		creations = len(pages(t, 2, func(token *string) ([]string, *string, error) {
			out, err := c.ListAccountAssignmentCreationStatus(ctx, &ssoadmin.ListAccountAssignmentCreationStatusInput{InstanceArn: w.instance, Filter: filter, MaxResults: new(int32(2)), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return each(out.AccountAssignmentsCreationStatus, item), out.NextToken, nil
		}))
		deletions = len(pages(t, 2, func(token *string) ([]string, *string, error) {
			out, err := c.ListAccountAssignmentDeletionStatus(ctx, &ssoadmin.ListAccountAssignmentDeletionStatusInput{InstanceArn: w.instance, Filter: filter, MaxResults: new(int32(2)), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return each(out.AccountAssignmentsDeletionStatus, item), out.NextToken, nil
		}))
		return creations, deletions
	}
	all, allGone := count("")
	good, goodGone := count(types.StatusValuesSucceeded)
	bad, badGone := count(types.StatusValuesFailed)
	if all != good+bad || allGone != goodGone+badGone || all < 5 || allGone != 2 {
		t.Errorf("%d = %d + %d creations, %d = %d + %d deletions", all, good, bad, allGone, goodGone, badGone)
	}
}

// failedAssignments asks for what cannot be: the request is taken, and fails.
func failedAssignments(t *testing.T, w *world) {
	c, ctx, set, user := w.Admin.SSOAdmin, t.Context(), w.set(t, "Set"), w.user(t, "pat")
	nobody := new("94482488-3041-7026-18f3-aaaaaaaaaaaa")
	for _, kind := range []types.PrincipalType{types.PrincipalTypeUser, types.PrincipalTypeGroup} {
		got := w.created(t, w.assign(t, set, node.Production, kind, nobody).RequestId)
		if got.Status != types.StatusValuesFailed || got.FailureReason == nil || *got.FailureReason == "" {
			t.Errorf("an unknown %s: %+v", kind, got)
		}
	}
	same(t, "role after failures", w.role(t, set, node.Production), "")
	must(c.AttachCustomerManagedPolicyReferenceToPermissionSet(ctx, &ssoadmin.AttachCustomerManagedPolicyReferenceToPermissionSetInput{
		InstanceArn: w.instance, PermissionSetArn: set, CustomerManagedPolicyReference: &types.CustomerManagedPolicyReference{Name: new("not-there")},
	})).or(t)
	got := w.created(t, w.assign(t, set, node.Production, types.PrincipalTypeUser, user).RequestId)
	same(t, "a policy that the account has not", got.Status, types.StatusValuesFailed)
	same(t, "role after a failure", w.role(t, set, node.Production), "")
	gone := w.deleted(t, w.unassign(t, set, node.Production, types.PrincipalTypeUser, user).RequestId)
	same(t, "no such assignment", gone.Status, types.StatusValuesFailed)
	_, err := c.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: w.instance, PermissionSetArn: set, TargetId: new(node.Outside), TargetType: types.TargetTypeAwsAccount,
		PrincipalType: types.PrincipalTypeUser, PrincipalId: user,
	})
	refusedAs(t, "an account outside the organization", err, "ResourceNotFoundException")
	_, err = c.DescribeAccountAssignmentCreationStatus(ctx, &ssoadmin.DescribeAccountAssignmentCreationStatusInput{
		InstanceArn: w.instance, AccountAssignmentCreationRequestId: gone.RequestId,
	})
	refusedAs(t, "the request of a deletion as that of a creation", err, "ResourceNotFoundException")
}

// provisioning edits a permission set and brings its roles up to date.
func provisioning(t *testing.T, w *world) {
	c, ctx, set, user := w.Admin.SSOAdmin, t.Context(), w.set(t, "Set"), w.user(t, "pat")
	for _, account := range []string{node.Production, node.Development, node.Management} {
		w.assign(t, set, account, types.PrincipalTypeUser, user)
	}
	accounts := func(status types.ProvisioningStatus) []string {
		return pages(t, 1, func(token *string) ([]string, *string, error) {
			out, err := c.ListAccountsForProvisionedPermissionSet(ctx, &ssoadmin.ListAccountsForProvisionedPermissionSetInput{
				InstanceArn: w.instance, PermissionSetArn: set, ProvisioningStatus: status, MaxResults: new(int32(1)), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.AccountIds, out.NextToken, nil
		})
	}
	everywhere := []string{node.Production, node.Management, node.Development}
	const latest, old = types.ProvisioningStatusLatestPermissionSetProvisioned, types.ProvisioningStatusLatestPermissionSetNotProvisioned
	same(t, "accounts", accounts(""), everywhere)
	same(t, "accounts up to date", accounts(latest), everywhere)
	must(c.PutInlinePolicyToPermissionSet(ctx, &ssoadmin.PutInlinePolicyToPermissionSetInput{
		InstanceArn: w.instance, PermissionSetArn: set, InlinePolicy: new(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`),
	})).or(t)
	same(t, "accounts up to date after an edit", accounts(latest), nil)
	same(t, "accounts out of date after an edit", accounts(old), everywhere)

	provision := func(kind types.ProvisionTargetType, target *string) *types.PermissionSetProvisioningStatus {
		out := must(c.ProvisionPermissionSet(ctx, &ssoadmin.ProvisionPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set, TargetType: kind, TargetId: target})).or(t)
		same(t, "answer", out.PermissionSetProvisioningStatus.Status, types.StatusValuesInProgress)
		matches(t, "request id", out.PermissionSetProvisioningStatus.RequestId, uuidForm)
		return must(c.DescribePermissionSetProvisioningStatus(ctx, &ssoadmin.DescribePermissionSetProvisioningStatusInput{
			InstanceArn: w.instance, ProvisionPermissionSetRequestId: out.PermissionSetProvisioningStatus.RequestId,
		})).or(t).PermissionSetProvisioningStatus
	}
	got := provision(types.ProvisionTargetTypeAwsAccount, new(node.Production))
	same(t, "status", got, &types.PermissionSetProvisioningStatus{
		Status: types.StatusValuesSucceeded, RequestId: got.RequestId, AccountId: new(node.Production), PermissionSetArn: set, CreatedDate: got.CreatedDate,
	})
	same(t, "accounts up to date", accounts(latest), []string{node.Production})
	same(t, "provisioning all", provision(types.ProvisionTargetTypeAllProvisionedAccounts, nil).Status, types.StatusValuesSucceeded)
	same(t, "accounts up to date", accounts(latest), everywhere)
	same(t, "provisioning where it is not", provision(types.ProvisionTargetTypeAwsAccount, new(node.Outside)).Status, types.StatusValuesFailed)
	_, err := c.ProvisionPermissionSet(ctx, &ssoadmin.ProvisionPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set, TargetType: types.ProvisionTargetTypeAwsAccount})
	refusedAs(t, "no account", err, "ValidationException")

	listed := pages(t, 2, func(token *string) ([]string, *string, error) {
		out, err := c.ListPermissionSetProvisioningStatus(ctx, &ssoadmin.ListPermissionSetProvisioningStatusInput{InstanceArn: w.instance, MaxResults: new(int32(2)), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return each(out.PermissionSetsProvisioningStatus, func(m types.PermissionSetProvisioningStatusMetadata) string { return *m.RequestId }), out.NextToken, nil
	})
	same(t, "provisioning requests", len(listed), 3)
	sets := pages(t, 1, func(token *string) ([]string, *string, error) {
		out, err := c.ListPermissionSetsProvisionedToAccount(ctx, &ssoadmin.ListPermissionSetsProvisionedToAccountInput{
			InstanceArn: w.instance, AccountId: new(node.Development), ProvisioningStatus: latest, MaxResults: new(int32(1)), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.PermissionSets, out.NextToken, nil
	})
	same(t, "permission sets in development", len(sets), 4) // with the sample's

	// A delegated administrator keeps off what reaches the management account.
	d := w.Delegated.SSOAdmin
	_, err = d.DeleteInlinePolicyFromPermissionSet(ctx, &ssoadmin.DeleteInlinePolicyFromPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set})
	refusedAs(t, "edit by the delegated administrator", err, "AccessDeniedException")
	_, err = d.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: w.instance, PermissionSetArn: w.set(t, "Other"), TargetId: new(node.Management), TargetType: types.TargetTypeAwsAccount,
		PrincipalType: types.PrincipalTypeUser, PrincipalId: user,
	})
	refusedAs(t, "assign in the management account by the delegated administrator", err, "AccessDeniedException")
	must(d.CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{InstanceArn: w.instance, Name: new("Delegated")})).or(t)
}
