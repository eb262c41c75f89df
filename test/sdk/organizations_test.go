package sdk

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/atrium-iam/atrium/test/node"
)

func (w *world) unit(t *testing.T, parent *string, name string) *types.OrganizationalUnit {
	t.Helper()
	return must(w.Admin.Organizations.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: parent, Name: &name})).or(t).OrganizationalUnit
}

func (w *world) root(t *testing.T) types.Root {
	t.Helper()
	roots := must(w.Admin.Organizations.ListRoots(t.Context(), &organizations.ListRootsInput{})).or(t).Roots
	if len(roots) != 1 {
		t.Fatalf("%d roots", len(roots))
	}
	return roots[0]
}

// organizationTree walks and changes the tree of units.
func organizationTree(t *testing.T, w *world) {
	c, ctx, root := w.Admin.Organizations, t.Context(), w.root(t)
	org := must(c.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})).or(t).Organization
	matches(t, "organization id", org.Id, `o-[a-z0-9]{10,32}`)
	same(t, "organization", []*string{org.Arn, org.MasterAccountId, org.MasterAccountArn, org.MasterAccountEmail}, []*string{
		new("arn:aws:organizations::" + node.Management + ":organization/" + *org.Id), new(node.Management),
		new("arn:aws:organizations::" + node.Management + ":account/" + *org.Id + "/" + node.Management), new("management@example.com"),
	})
	same(t, "features", org.FeatureSet, types.OrganizationFeatureSetAll)
	matches(t, "root id", root.Id, `r-[0-9a-z]{4,32}`)
	same(t, "root ARN", *root.Arn, "arn:aws:organizations::"+node.Management+":root/"+*org.Id+"/"+*root.Id)

	top := w.unit(t, root.Id, "Top")
	matches(t, "unit id", top.Id, `ou-`+(*root.Id)[2:]+`-[a-z0-9]{8,32}`)
	same(t, "unit ARN", *top.Arn, "arn:aws:organizations::"+node.Management+":ou/"+*org.Id+"/"+*top.Id)
	same(t, "unit", must(c.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: top.Id})).or(t).OrganizationalUnit, top)
	_, err := c.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: root.Id, Name: new("Top")})
	refusedAs(t, "the same name under one parent", err, "DuplicateOrganizationalUnitException")
	inner := w.unit(t, top.Id, "Top") // the same name elsewhere
	parents := must(c.ListParents(ctx, &organizations.ListParentsInput{ChildId: inner.Id})).or(t).Parents
	same(t, "parents", parents, []types.Parent{{Id: top.Id, Type: types.ParentTypeOrganizationalUnit}})
	same(t, "parent of the top", must(c.ListParents(ctx, &organizations.ListParentsInput{ChildId: top.Id})).or(t).Parents, []types.Parent{{Id: root.Id, Type: types.ParentTypeRoot}})
	for depth, at := 3, inner.Id; ; depth++ {
		out, err := c.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: at, Name: new("Deep")})
		if err != nil {
			refusedAs(t, "too deep", err, "ConstraintViolationException")
			same(t, "depth", depth, 6)
			break
		}
		at = out.OrganizationalUnit.Id
	}
	renamed := must(c.UpdateOrganizationalUnit(ctx, &organizations.UpdateOrganizationalUnitInput{OrganizationalUnitId: top.Id, Name: new("Renamed")})).or(t)
	same(t, "name", renamed.OrganizationalUnit.Name, new("Renamed"))
	_, err = c.UpdateOrganizationalUnit(ctx, &organizations.UpdateOrganizationalUnitInput{OrganizationalUnitId: top.Id, Name: new("Production")})
	refusedAs(t, "a name that is taken", err, "DuplicateOrganizationalUnitException")
	_, err = c.DeleteOrganizationalUnit(ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: top.Id})
	refusedAs(t, "delete a unit with units", err, "OrganizationalUnitNotEmptyException")
	empty := w.unit(t, root.Id, "Empty")
	must(c.DeleteOrganizationalUnit(ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: empty.Id})).or(t)
	_, err = c.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: empty.Id})
	refusedAs(t, "describe after deletion", err, "OrganizationalUnitNotFoundException")

	units := pages(t, 1, func(token *string) ([]string, *string, error) {
		out, err := c.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: root.Id, MaxResults: new(int32(1)), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return each(out.OrganizationalUnits, func(u types.OrganizationalUnit) string { return *u.Id }), out.NextToken, nil
	})
	children := pages(t, 2, func(token *string) ([]string, *string, error) {
		out, err := c.ListChildren(ctx, &organizations.ListChildrenInput{ParentId: root.Id, ChildType: types.ChildTypeOrganizationalUnit, MaxResults: new(int32(2)), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return each(out.Children, func(c types.Child) string { return *c.Id }), out.NextToken, nil
	})
	same(t, "units and children", units, children)
	same(t, "number of units", len(units), 3)
}

// accounts moves, creates, closes and removes accounts.
func accounts(t *testing.T, w *world) {
	c, ctx, root := w.Admin.Organizations, t.Context(), w.root(t)
	out := must(c.CreateAccount(ctx, &organizations.CreateAccountInput{
		AccountName: new("Lab"), Email: new("lab@example.com"), Tags: []types.Tag{{Key: new("k"), Value: new("v")}},
	})).or(t).CreateAccountStatus
	matches(t, "request id", out.Id, `car-[a-z0-9]{8,32}`)
	status := must(c.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: out.Id})).or(t).CreateAccountStatus
	same(t, "state", status.State, types.CreateAccountStateSucceeded)
	recent(t, "CompletedTimestamp", status.CompletedTimestamp)
	matches(t, "account id", status.AccountId, `\d{12}`)
	got := must(c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: status.AccountId})).or(t).Account
	recent(t, "JoinedTimestamp", got.JoinedTimestamp)
	same(t, "account", got, &types.Account{
		Id: status.AccountId, Arn: new(w.Organization.AccountARN(*status.AccountId)), Name: new("Lab"), Email: new("lab@example.com"),
		Status: types.AccountStatusActive, State: types.AccountStateActive, JoinedMethod: types.AccountJoinedMethodCreated, JoinedTimestamp: got.JoinedTimestamp,
		Paths: got.Paths,
	})
	again := must(c.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: new("Lab 2"), Email: new("lab@example.com")})).or(t).CreateAccountStatus
	failed := must(c.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: again.Id})).or(t).CreateAccountStatus
	same(t, "the same e-mail address", []any{failed.State, failed.FailureReason}, []any{types.CreateAccountStateFailed, types.CreateAccountFailureReasonEmailAlreadyExists})
	ended := func(state types.CreateAccountState) int {
		return len(pages(t, 1, func(token *string) ([]string, *string, error) {
			out, err := c.ListCreateAccountStatus(ctx, &organizations.ListCreateAccountStatusInput{States: []types.CreateAccountState{state}, MaxResults: new(int32(1)), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return each(out.CreateAccountStatuses, func(s types.CreateAccountStatus) string { return *s.Id }), out.NextToken, nil
		}))
	}
	same(t, "failed requests", ended(types.CreateAccountStateFailed), 1)
	if n := ended(types.CreateAccountStateSucceeded); n < 1 {
		t.Errorf("%d requests succeeded", n)
	}
	moveAndLeave(t, w, root.Id, status.AccountId)
}

func moveAndLeave(t *testing.T, w *world, root, account *string) {
	c, ctx, unit := w.Admin.Organizations, t.Context(), w.unit(t, root, "Labs")
	in := func(parent *string) (ids []string) {
		out := must(c.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: parent})).or(t)
		return each(out.Accounts, func(a types.Account) string { return *a.Id })
	}
	must(c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: account, SourceParentId: root, DestinationParentId: unit.Id})).or(t)
	same(t, "accounts in the unit", in(unit.Id), []string{*account})
	same(t, "children of the unit", must(c.ListChildren(ctx, &organizations.ListChildrenInput{ParentId: unit.Id, ChildType: types.ChildTypeAccount})).or(t).Children,
		[]types.Child{{Id: account, Type: types.ChildTypeAccount}})
	_, err := c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: account, SourceParentId: root, DestinationParentId: unit.Id})
	refusedAs(t, "move from where it is not", err, "AccountNotFoundException")
	_, err = c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: account, SourceParentId: unit.Id, DestinationParentId: unit.Id})
	refusedAs(t, "move to where it is", err, "DuplicateAccountException")
	_, err = c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: account, SourceParentId: unit.Id, DestinationParentId: new("ou-aaaa-00000000")})
	refusedAs(t, "move to nowhere", err, "DestinationParentNotFoundException")
	_, err = c.DeleteOrganizationalUnit(ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: unit.Id})
	refusedAs(t, "delete a unit with an account", err, "OrganizationalUnitNotEmptyException")

	// An account that leaves takes no access with it.
	set, user := w.set(t, "Lab"), w.user(t, "pat")
	w.assign(t, set, *account, admintypes.PrincipalTypeUser, user)
	if w.role(t, set, *account) == "" {
		t.Error("no role")
	}
	must(c.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: account})).or(t)
	same(t, "role in an account that was removed", w.role(t, set, *account), "")
	_, err = c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: account})
	refusedAs(t, "describe an account that was removed", err, "AccountNotFoundException")
	_, err = c.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: new(node.Management)})
	refusedAs(t, "remove the management account", err, "MasterCannotLeaveOrganizationException")

	must(c.CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: new(node.Production)})).or(t)
	closed := must(c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: new(node.Production)})).or(t).Account
	same(t, "status of a closed account", closed.Status, types.AccountStatusSuspended)
	_, err = c.CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: new(node.Production)})
	refusedAs(t, "close again", err, "AccountAlreadyClosedException")
	_, err = w.Admin.SSOAdmin.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: w.instance, PermissionSetArn: set, TargetId: new(node.Production), TargetType: admintypes.TargetTypeAwsAccount,
		PrincipalType: admintypes.PrincipalTypeUser, PrincipalId: user,
	})
	refusedAs(t, "assign in a closed account", err, "ValidationException")
}

// accountPaging walks the list of accounts.
func accountPaging(t *testing.T, w *world) {
	c, ctx := w.Admin.Organizations, t.Context()
	for i := range 4 {
		must(c.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: new("more"), Email: new(fmt.Sprintf("more%d@example.com", i))})).or(t)
	}
	for _, size := range []int32{1, 3, 7, 20} {
		got := pages(t, int(size), func(token *string) ([]string, *string, error) {
			out, err := c.ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return each(out.Accounts, func(a types.Account) string { return *a.Id }), out.NextToken, nil
		})
		same(t, fmt.Sprintf("accounts by %d", size), len(got), 7)
	}
	_, err := c.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: new("nonsense")})
	refusedAs(t, "a token that is none", err, "InvalidInputException")
}

// delegation makes an account administrator of a service and takes it back.
func delegation(t *testing.T, w *world) {
	c, ctx, service := w.Admin.Organizations, t.Context(), new("config.amazonaws.com")
	register := func() error {
		_, err := c.RegisterDelegatedAdministrator(ctx, &organizations.RegisterDelegatedAdministratorInput{AccountId: new(node.Production), ServicePrincipal: service})
		return err
	}
	refusedAs(t, "a service without access", register(), "ConstraintViolationException")
	must(c.EnableAWSServiceAccess(ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: service})).or(t)
	services := must(c.ListAWSServiceAccessForOrganization(ctx, &organizations.ListAWSServiceAccessForOrganizationInput{})).or(t).EnabledServicePrincipals
	same(t, "services", each(services, func(s types.EnabledServicePrincipal) string { return *s.ServicePrincipal }), []string{"config.amazonaws.com", "sso.amazonaws.com"})
	recent(t, "DateEnabled", services[0].DateEnabled)
	refusedAs(t, "register", register(), "")
	refusedAs(t, "register again", register(), "AccountAlreadyRegisteredException")
	admins := func(service *string) []string {
		out := must(c.ListDelegatedAdministrators(ctx, &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: service})).or(t)
		return each(out.DelegatedAdministrators, func(a types.DelegatedAdministrator) string { return *a.Id })
	}
	same(t, "administrators of the service", admins(service), []string{node.Production})
	same(t, "administrators", admins(nil), []string{node.Production, node.Development})
	delegated := must(c.ListDelegatedServicesForAccount(ctx, &organizations.ListDelegatedServicesForAccountInput{AccountId: new(node.Production)})).or(t).DelegatedServices
	same(t, "services of the account", each(delegated, func(s types.DelegatedService) string { return *s.ServicePrincipal }), []string{*service})
	_, err := c.DisableAWSServiceAccess(ctx, &organizations.DisableAWSServiceAccessInput{ServicePrincipal: service})
	refusedAs(t, "disable what is delegated", err, "ConstraintViolationException")
	_, err = c.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: new(node.Production)})
	refusedAs(t, "remove a delegated administrator", err, "ConstraintViolationException")
	_, err = c.RegisterDelegatedAdministrator(ctx, &organizations.RegisterDelegatedAdministratorInput{AccountId: new(node.Management), ServicePrincipal: service})
	refusedAs(t, "register the management account", err, "ConstraintViolationException")
	if _, err := w.Member.Organizations.ListAccounts(ctx, &organizations.ListAccountsInput{}); err != nil {
		t.Errorf("a delegated administrator lists accounts: %v", err)
	}
	deregister := &organizations.DeregisterDelegatedAdministratorInput{AccountId: new(node.Production), ServicePrincipal: service}
	must(c.DeregisterDelegatedAdministrator(ctx, deregister)).or(t)
	_, err = c.DeregisterDelegatedAdministrator(ctx, deregister)
	refusedAs(t, "deregister again", err, "AccountNotRegisteredException")
	_, err = w.Member.Organizations.ListAccounts(ctx, &organizations.ListAccountsInput{})
	refusedAs(t, "list accounts afterwards", err, "AccessDeniedException")
	must(c.DisableAWSServiceAccess(ctx, &organizations.DisableAWSServiceAccessInput{ServicePrincipal: service})).or(t)
}

// organizationTags tags accounts, units and the root.
func organizationTags(t *testing.T, w *world) {
	c, ctx, root := w.Admin.Organizations, t.Context(), w.root(t)
	for _, id := range []*string{root.Id, w.unit(t, root.Id, "Tagged").Id, new(node.Production)} {
		list := func() []types.Tag {
			return must(c.ListTagsForResource(ctx, &organizations.ListTagsForResourceInput{ResourceId: id})).or(t).Tags
		}
		must(c.TagResource(ctx, &organizations.TagResourceInput{ResourceId: id, Tags: []types.Tag{{Key: new("b"), Value: new("")}, {Key: new("a"), Value: new("1")}}})).or(t)
		must(c.TagResource(ctx, &organizations.TagResourceInput{ResourceId: id, Tags: []types.Tag{{Key: new("a"), Value: new("2")}}})).or(t)
		same(t, "tags", list(), []types.Tag{{Key: new("a"), Value: new("2")}, {Key: new("b"), Value: new("")}})
		must(c.UntagResource(ctx, &organizations.UntagResourceInput{ResourceId: id, TagKeys: []string{"b"}})).or(t)
		same(t, "tags", list(), []types.Tag{{Key: new("a"), Value: new("2")}})
		_, err := c.TagResource(ctx, &organizations.TagResourceInput{ResourceId: id, Tags: []types.Tag{{Key: new("aws:x"), Value: new("")}}})
		refusedAs(t, "a reserved key", err, "InvalidInputException")
	}
}

// standaloneOrganization makes an organization of an account that is in none.
func standaloneOrganization(t *testing.T, w *world) {
	c, ctx := w.Outsider.Organizations, t.Context()
	_, err := c.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	refusedAs(t, "no organization", err, "AWSOrganizationsNotInUseException")
	made := must(c.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetAll})).or(t).Organization
	same(t, "management account", made.MasterAccountId, new(node.Outside))
	_, err = c.CreateOrganization(ctx, &organizations.CreateOrganizationInput{})
	refusedAs(t, "a second one", err, "AlreadyInOrganizationException")
	_, err = w.Member.Organizations.CreateOrganization(ctx, &organizations.CreateOrganizationInput{})
	refusedAs(t, "one of a member", err, "AlreadyInOrganizationException")
	_, err = c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: new(node.Production)})
	refusedAs(t, "an account of another organization", err, "AccountNotFoundException")
	account := must(c.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: new("a"), Email: new("a@outside.example")})).or(t)
	_, err = c.DeleteOrganization(ctx, &organizations.DeleteOrganizationInput{})
	refusedAs(t, "delete one with members", err, "OrganizationNotEmptyException")
	status := must(c.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: account.CreateAccountStatus.Id})).or(t)
	must(c.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: status.CreateAccountStatus.AccountId})).or(t)
	must(c.DeleteOrganization(ctx, &organizations.DeleteOrganizationInput{})).or(t)
	_, err = c.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	refusedAs(t, "after its deletion", err, "AWSOrganizationsNotInUseException")
	_, err = w.Admin.Organizations.DeleteOrganization(ctx, &organizations.DeleteOrganizationInput{})
	refusedAs(t, "delete the one with Identity Center", err, "OrganizationNotEmptyException")
}
