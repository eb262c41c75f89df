package sdk

import (
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
	"github.com/atrium-iam/atrium/test/workload"
)

// race makes calls at the same moment and counts their outcomes by error code.
// Throttled calls are made again, as SDKs do.
func race(calls int, call func(i int) error) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	outcomes := map[string]int{}
	start := make(chan struct{})
	for i := range calls {
		all.Go(func() {
			<-start
			code := codeOf(call(i))
			for attempt := 0; attempt < 20 && (code == "ThrottlingException" || code == "TooManyRequestsException"); attempt++ {
				code = codeOf(call(i))
			}
			mu.Lock()
			defer mu.Unlock()
			outcomes[code]++
		})
	}
	close(start)
	all.Wait()
	return outcomes
}

// TestRaces lets callers run for what only one, or only so many, may have.
func TestRaces(t *testing.T) {
	node.RunDatabase(t, store.Config{RunTwice: true}, func(t *testing.T, n *node.Node, database node.Database) {
		w := &world{n, n.Callers(t), new(n.Instance.ARN()), &n.Instance.IdentityStoreID}
		db := workload.Open(t, database)
		for name, run := range map[string]func(*testing.T, *world){
			"one token": raceForToken, "one organization": raceForOrganization, "one delegated administrator": raceForDelegation,
			"twenty policies": raceForPolicies, "fifty tags": raceForTags, "one e-mail address": raceForAddress,
			"join and leave": raceOfMemberships, "assign and delete": raceOfAssignments, "move and delete": raceOfUnits,
			"first and last assignment": raceForRole,
		} {
			t.Run(name, func(t *testing.T) { run(t, w) })
		}
		workload.CheckWhole(t, db)
		n.VerifyAudit(t)
	})
}

const racers = 16

func raceForToken(t *testing.T, w *world) {
	var mu sync.Mutex
	made := map[string]bool{}
	got := race(racers, func(int) error {
		out, err := w.Member.SSOAdmin.CreateInstance(t.Context(), &ssoadmin.CreateInstanceInput{ClientToken: new("one")})
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			made[*out.InstanceArn] = true
		}
		return err
	})
	same(t, "outcomes", got, map[string]int{"": racers})
	same(t, "instances", len(made), 1)
}

func raceForOrganization(t *testing.T, w *world) {
	got := race(racers, func(int) error {
		_, err := w.Outsider.Organizations.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{})
		return err
	})
	same(t, "outcomes", got, map[string]int{"": 1, "AlreadyInOrganizationException": racers - 1})
}

func raceForDelegation(t *testing.T, w *world) {
	c, ctx, service := w.Admin.Organizations, t.Context(), new("sso.amazonaws.com")
	must(c.DeregisterDelegatedAdministrator(ctx, &organizations.DeregisterDelegatedAdministratorInput{AccountId: new(node.Development), ServicePrincipal: service})).or(t)
	got := race(racers, func(i int) error {
		_, err := c.RegisterDelegatedAdministrator(ctx, &organizations.RegisterDelegatedAdministratorInput{
			AccountId: new([]string{node.Production, node.Development}[i%2]), ServicePrincipal: service,
		})
		return err
	})
	admins := must(c.ListDelegatedAdministrators(ctx, &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: service})).or(t)
	if got[""] != 1 || len(admins.DelegatedAdministrators) != 1 {
		t.Errorf("%v; %d administrators", got, len(admins.DelegatedAdministrators))
	}
}

func raceForPolicies(t *testing.T, w *world) {
	names := []string{
		"AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "IAMFullAccess", "IAMReadOnlyAccess",
		"AmazonS3FullAccess", "AmazonS3ReadOnlyAccess", "AmazonEC2FullAccess", "AmazonEC2ReadOnlyAccess", "AmazonRDSFullAccess",
		"AmazonRDSReadOnlyAccess", "AmazonVPCFullAccess", "AmazonVPCReadOnlyAccess", "AmazonSQSFullAccess", "AmazonSNSFullAccess",
		"AmazonDynamoDBFullAccess", "AmazonDynamoDBReadOnlyAccess", "CloudWatchFullAccess", "CloudWatchReadOnlyAccess",
	}
	set, ctx := w.set(t, "Crowded"), t.Context()
	got := race(len(names)+8, func(i int) error {
		if i >= len(names) {
			_, err := w.Admin.SSOAdmin.AttachCustomerManagedPolicyReferenceToPermissionSet(ctx, &ssoadmin.AttachCustomerManagedPolicyReferenceToPermissionSetInput{
				InstanceArn: w.instance, PermissionSetArn: set, CustomerManagedPolicyReference: &types.CustomerManagedPolicyReference{Name: new(fmt.Sprintf("own%d", i))},
			})
			return err
		}
		_, err := w.Admin.SSOAdmin.AttachManagedPolicyToPermissionSet(ctx, &ssoadmin.AttachManagedPolicyToPermissionSetInput{
			InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: new("arn:aws:iam::aws:policy/" + names[i]),
		})
		return err
	})
	delete(got, "ResourceNotFoundException") // policies that are not among those we have
	if got[""] > 20 || got[""]+got["ServiceQuotaExceededException"] < 20 || len(got) > 2 {
		t.Errorf("%v", got)
	}
}

func raceForTags(t *testing.T, w *world) {
	set := w.set(t, "Tagged")
	got := race(56, func(i int) error {
		_, err := w.Admin.SSOAdmin.TagResource(t.Context(), &ssoadmin.TagResourceInput{ResourceArn: set, Tags: []types.Tag{{Key: new(fmt.Sprint(i)), Value: new("")}}})
		return err
	})
	same(t, "outcomes", got, map[string]int{"": 50, "ServiceQuotaExceededException": 6})
}

func raceForAddress(t *testing.T, w *world) {
	c, ctx := w.Admin.Organizations, t.Context()
	got := race(racers, func(int) error {
		_, err := c.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: new("same"), Email: new("same@example.com")})
		return err
	})
	same(t, "outcomes", got, map[string]int{"": racers})
	out := must(c.ListCreateAccountStatus(ctx, &organizations.ListCreateAccountStatusInput{States: []orgtypes.CreateAccountState{orgtypes.CreateAccountStateFailed}})).or(t)
	same(t, "requests that failed", len(out.CreateAccountStatuses), racers-1)
}

// raceOfMemberships lets users join a group while the group or the user goes.
func raceOfMemberships(t *testing.T, w *world) {
	c, ctx := w.Admin.IdentityStore, t.Context()
	for i := range 4 {
		group, user := w.group(t, fmt.Sprintf("racing%d", i)), w.user(t, fmt.Sprintf("racer%d", i))
		got := race(9, func(i int) error {
			var err error
			switch i % 3 {
			case 0:
				_, err = c.CreateGroupMembership(ctx, &identitystore.CreateGroupMembershipInput{IdentityStoreId: w.store, GroupId: group, MemberId: memberID(user)})
			case 1:
				_, err = c.DeleteGroup(ctx, &identitystore.DeleteGroupInput{IdentityStoreId: w.store, GroupId: group})
			default:
				_, err = c.DeleteUser(ctx, &identitystore.DeleteUserInput{IdentityStoreId: w.store, UserId: user})
			}
			return err
		})
		if got[""] < 2 || got[""] > 3 || got[""]+got["ResourceNotFoundException"]+got["ConflictException"] != 9 {
			t.Errorf("%v", got)
		}
	}
}

// raceOfAssignments lets a permission set be assigned while it is deleted.
func raceOfAssignments(t *testing.T, w *world) {
	c, ctx, user := w.Admin.SSOAdmin, t.Context(), w.user(t, "assigned")
	for i := range 4 {
		set := w.set(t, fmt.Sprintf("Racing%d", i))
		got := race(8, func(i int) error {
			var err error
			if i%2 == 0 {
				_, err = c.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
					InstanceArn: w.instance, PermissionSetArn: set, TargetId: new(node.Production), TargetType: types.TargetTypeAwsAccount,
					PrincipalType: types.PrincipalTypeUser, PrincipalId: user,
				})
			} else {
				_, err = c.DeletePermissionSet(ctx, &ssoadmin.DeletePermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set})
			}
			return err
		})
		deleted := got[""] == 1 && got["ResourceNotFoundException"] == 7
		assigned := got[""] == 4 && got["ConflictException"] == 4
		if !deleted && !assigned {
			t.Errorf("neither deleted nor assigned: %v", got)
		}
	}
}

// raceOfUnits lets an account be moved into units while they are deleted.
func raceOfUnits(t *testing.T, w *world) {
	c, ctx, root := w.Admin.Organizations, t.Context(), w.root(t)
	out := must(c.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: new("nomad"), Email: new("nomad@example.com")})).or(t)
	account := must(c.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: out.CreateAccountStatus.Id})).or(t).CreateAccountStatus.AccountId
	for i := range 4 {
		unit := w.unit(t, root.Id, fmt.Sprintf("Camp%d", i))
		race(9, func(i int) error {
			var err error
			switch i % 3 {
			case 0:
				_, err = c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: account, SourceParentId: root.Id, DestinationParentId: unit.Id})
			case 1:
				_, err = c.DeleteOrganizationalUnit(ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: unit.Id})
			default:
				_, err = c.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: unit.Id, Name: new("Tent")})
			}
			return err
		})
		parent := must(c.ListParents(ctx, &organizations.ListParentsInput{ChildId: account})).or(t).Parents[0]
		if *parent.Id == *root.Id {
			continue
		}
		must(c.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: parent.Id})).or(t)
		must(c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: account, SourceParentId: parent.Id, DestinationParentId: root.Id})).or(t)
	}
}

// raceForRole assigns and unassigns several users at once, so that the role comes
// and goes.
func raceForRole(t *testing.T, w *world) {
	c, ctx, set := w.Admin.SSOAdmin, t.Context(), w.set(t, "Flicker")
	var users []*string
	for i := range 4 {
		users = append(users, w.user(t, fmt.Sprintf("flicker%d", i)))
	}
	got := race(len(users), func(i int) error {
		for range 5 {
			_, err := c.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
				InstanceArn: w.instance, PermissionSetArn: set, TargetId: new(node.Production), TargetType: types.TargetTypeAwsAccount,
				PrincipalType: types.PrincipalTypeUser, PrincipalId: users[i],
			})
			if err == nil {
				_, err = c.DeleteAccountAssignment(ctx, &ssoadmin.DeleteAccountAssignmentInput{
					InstanceArn: w.instance, PermissionSetArn: set, TargetId: new(node.Production), TargetType: types.TargetTypeAwsAccount,
					PrincipalType: types.PrincipalTypeUser, PrincipalId: users[i],
				})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	same(t, "outcomes", got, map[string]int{"": len(users)})
	left := must(c.ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{InstanceArn: w.instance, AccountId: new(node.Production), PermissionSetArn: set})).or(t)
	if w.role(t, set, node.Production) != "" || len(left.AccountAssignments) != 0 {
		t.Errorf("left: %+v", left.AccountAssignments)
	}
}
