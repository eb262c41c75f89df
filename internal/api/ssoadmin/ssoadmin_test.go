package ssoadmin_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/api/ssoadmin"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

const (
	management = "123456789012"
	delegate   = "111111111111"

	administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// world is a store with an organization, its instance, a member account that
// may administer it, and a user.
type world struct {
	t    testing.TB
	s    *store.Store
	ids  ident.Source
	in   instance.Instance
	user string
}

func run(t *testing.T, test func(t *testing.T, w *world)) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := &world{t: t, s: s, ids: ident.NewSource(rand.NewChaCha8([32]byte{1}))}
		if err := s.Update(t.Context(), w.fill); err != nil {
			t.Fatal(err)
		}
		test(t, w)
	})
}

func (w *world) fill(tx *store.Tx) error {
	now := storetest.Now()
	if _, err := organization.CreateStandaloneAccount(tx, now, w.ids, organization.NewAccount{ID: management, Name: "m", Email: "m@example.com"}); err != nil {
		return err
	}
	o, err := organization.CreateOrganization(tx, now, w.ids, management, "")
	if err != nil {
		return err
	}
	if _, err := organization.CreateAccount(tx, now, w.ids, o, organization.NewAccount{ID: delegate, Name: "d", Email: "d@example.com"}); err != nil {
		return err
	}
	if w.in, err = instance.Enable(tx, now, w.ids, o, "us-east-1"); err != nil {
		return err
	}
	var in directory.NewUser
	in.UserName, in.DisplayName, in.Name.GivenName, in.Name.FamilyName = "amy", "Amy", "Amy", "A"
	u, err := directory.CreateUser(tx, w.ids, directory.Stamp{At: now, By: "test"}, w.in.IdentityStoreID, in)
	w.user = u.ID
	return err
}

// call runs an operation as the root of an account.
func call[I, O any](w *world, account string, op func(ssoadmin.Context, I) (O, error), in I) (out O, err error) {
	err = store.Bind[ssoadmin.Tx](w.s).Update(w.t.Context(), func(tx ssoadmin.Tx) (err error) {
		out, err = op(&gateway.Context[ssoadmin.Tx]{
			Context: w.t.Context(), Tx: tx, Caller: iam.Root(account), IDs: w.ids,
			Request: gateway.Request{Time: storetest.Now(), Region: "us-east-1"},
			Op:      wire.Descriptor().OperationByName("UpdatePermissionSet"),
		}, in)
		return err
	})
	return out, err
}

// done is call for the management account where success is expected.
func done[I, O any](w *world, op func(ssoadmin.Context, I) (O, error), in I) O {
	w.t.Helper()
	out, err := call(w, management, op, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func refused(t testing.TB, name string, err error, c fault.Category, text string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Category != c || !strings.Contains(f.Message, text) {
		t.Errorf("%s: got the error %v, want one of category %v saying %q", name, err, c, text)
	}
}

var service ssoadmin.Service

func (w *world) set(name string) *string {
	out := done(w, service.CreatePermissionSet, &wire.CreatePermissionSetRequest{InstanceArn: new(w.in.ARN()), Name: &name})
	return out.PermissionSet.PermissionSetArn
}

func (w *world) assignment(set *string, account string) *wire.CreateAccountAssignmentRequest {
	return &wire.CreateAccountAssignmentRequest{
		InstanceArn: new(w.in.ARN()), PermissionSetArn: set, TargetId: &account, TargetType: new(wire.TargetTypeAwsAccount),
		PrincipalType: new(wire.PrincipalTypeUser), PrincipalId: &w.user,
	}
}

func TestPermissionSetRoundTrip(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		arn := new(w.in.ARN())
		created := done(w, service.CreatePermissionSet, &wire.CreatePermissionSetRequest{
			InstanceArn: arn, Name: new("Full"), Description: new("All"), SessionDuration: new("PT4H"), RelayState: new("https://x.example"),
			Tags: []wire.Tag{{Key: new("k"), Value: new("v")}},
		})
		set := created.PermissionSet.PermissionSetArn
		described := done(w, service.DescribePermissionSet, &wire.DescribePermissionSetRequest{InstanceArn: arn, PermissionSetArn: set})
		want := &wire.PermissionSet{
			Name: new("Full"), PermissionSetArn: set, Description: new("All"), CreatedDate: new(storetest.Now()),
			SessionDuration: new("PT4H"), RelayState: new("https://x.example"),
		}
		if diff := cmp.Diff(want, created.PermissionSet) + cmp.Diff(want, described.PermissionSet); diff != "" {
			t.Error(diff)
		}
		tags := done(w, service.ListTagsForResource, &wire.ListTagsForResourceRequest{ResourceArn: set})
		if diff := cmp.Diff([]wire.Tag{{Key: new("k"), Value: new("v")}}, tags.Tags); diff != "" {
			t.Error(diff)
		}
		done(w, service.UpdatePermissionSet, &wire.UpdatePermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, Description: new("Less")})
		described = done(w, service.DescribePermissionSet, &wire.DescribePermissionSetRequest{InstanceArn: arn, PermissionSetArn: set})
		want.Description, want.RelayState = new("Less"), nil
		if diff := cmp.Diff(want, described.PermissionSet); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPolicies(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		arn, set := new(w.in.ARN()), w.set("Set")
		inline := done(w, service.GetInlinePolicyForPermissionSet, &wire.GetInlinePolicyForPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set})
		if inline.InlinePolicy == nil || *inline.InlinePolicy != "" {
			t.Errorf("without an inline policy: %v", inline.InlinePolicy)
		}
		document := `{"Version":"2012-10-17","Statement":[]}`
		_, err := call(w, management, service.PutInlinePolicyToPermissionSet, &wire.PutInlinePolicyToPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, InlinePolicy: &document})
		refused(t, "an empty policy", err, fault.Invalid, "")

		done(w, service.AttachManagedPolicyToPermissionSet, &wire.AttachManagedPolicyToPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, ManagedPolicyArn: new(administrator)})
		done(w, service.AttachCustomerManagedPolicyReferenceToPermissionSet, &wire.AttachCustomerManagedPolicyReferenceToPermissionSetRequest{
			InstanceArn: arn, PermissionSetArn: set, CustomerManagedPolicyReference: &wire.CustomerManagedPolicyReference{Name: new("own")},
		})
		managed := done(w, service.ListManagedPoliciesInPermissionSet, &wire.ListManagedPoliciesInPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set})
		if diff := cmp.Diff([]wire.AttachedManagedPolicy{{Name: new("AdministratorAccess"), Arn: new(administrator)}}, managed.AttachedManagedPolicies); diff != "" {
			t.Error(diff)
		}
		own := done(w, service.ListCustomerManagedPolicyReferencesInPermissionSet, &wire.ListCustomerManagedPolicyReferencesInPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set})
		if diff := cmp.Diff([]wire.CustomerManagedPolicyReference{{Name: new("own"), Path: new("/")}}, own.CustomerManagedPolicyReferences); diff != "" {
			t.Error(diff)
		}
		_, err = call(w, management, service.PutPermissionsBoundaryToPermissionSet, &wire.PutPermissionsBoundaryToPermissionSetRequest{
			InstanceArn: arn, PermissionSetArn: set, PermissionsBoundary: &wire.PermissionsBoundary{},
		})
		refused(t, "an empty boundary", err, fault.Invalid, "Only ManagedPolicyArn or CustomerManagedPolicyReference should be given")
		done(w, service.PutPermissionsBoundaryToPermissionSet, &wire.PutPermissionsBoundaryToPermissionSetRequest{
			InstanceArn: arn, PermissionSetArn: set, PermissionsBoundary: &wire.PermissionsBoundary{ManagedPolicyArn: new(administrator)},
		})
		boundary := done(w, service.GetPermissionsBoundaryForPermissionSet, &wire.GetPermissionsBoundaryForPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set})
		if diff := cmp.Diff(&wire.PermissionsBoundary{ManagedPolicyArn: new(administrator)}, boundary.PermissionsBoundary); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAssignmentIsAnsweredInProgress(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		arn, set := new(w.in.ARN()), w.set("Set")
		out := done(w, service.CreateAccountAssignment, w.assignment(set, delegate))
		got := out.AccountAssignmentCreationStatus
		want := &wire.AccountAssignmentOperationStatus{
			Status: new(wire.StatusValuesInProgress), RequestId: got.RequestId, TargetId: new(delegate), TargetType: new(wire.TargetTypeAwsAccount),
			PermissionSetArn: set, PrincipalType: new(wire.PrincipalTypeUser), PrincipalId: &w.user, CreatedDate: new(storetest.Now()),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		described := done(w, service.DescribeAccountAssignmentCreationStatus, &wire.DescribeAccountAssignmentCreationStatusRequest{
			InstanceArn: arn, AccountAssignmentCreationRequestId: got.RequestId,
		})
		want.Status = new(wire.StatusValuesSucceeded)
		if diff := cmp.Diff(want, described.AccountAssignmentCreationStatus); diff != "" {
			t.Error(diff)
		}
		list := done(w, service.ListAccountAssignments, &wire.ListAccountAssignmentsRequest{InstanceArn: arn, PermissionSetArn: set, AccountId: new(delegate)})
		if diff := cmp.Diff([]wire.AccountAssignment{{
			AccountId: new(delegate), PermissionSetArn: set, PrincipalType: new(wire.PrincipalTypeUser), PrincipalId: &w.user,
		}}, list.AccountAssignments); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFailureIsToldOnlyAfterwards(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		arn, set := new(w.in.ARN()), w.set("Set")
		in := w.assignment(set, delegate)
		in.PrincipalId = new("00000000-0000-4000-8000-000000000000")
		out := done(w, service.CreateAccountAssignment, in).AccountAssignmentCreationStatus
		if *out.Status != wire.StatusValuesInProgress || out.FailureReason != nil {
			t.Errorf("the answer is %s, %v", *out.Status, out.FailureReason)
		}
		got := done(w, service.DescribeAccountAssignmentCreationStatus, &wire.DescribeAccountAssignmentCreationStatusRequest{
			InstanceArn: arn, AccountAssignmentCreationRequestId: out.RequestId,
		}).AccountAssignmentCreationStatus
		if *got.Status != wire.StatusValuesFailed || !strings.HasPrefix(*got.FailureReason, "Received a 404 status error: the USER assignee") {
			t.Errorf("the request is %s, %v", *got.Status, got.FailureReason)
		}
		list := done(w, service.ListAccountAssignmentCreationStatus, &wire.ListAccountAssignmentCreationStatusRequest{
			InstanceArn: arn, Filter: &wire.OperationStatusFilter{Status: new(wire.StatusValuesFailed)},
		})
		if diff := cmp.Diff([]wire.AccountAssignmentOperationStatusMetadata{{
			Status: new(wire.StatusValuesFailed), RequestId: out.RequestId, CreatedDate: new(storetest.Now()),
		}}, list.AccountAssignmentsCreationStatus); diff != "" {
			t.Error(diff)
		}
	})
}

func TestProvision(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		arn, set := new(w.in.ARN()), w.set("Set")
		_, err := call(w, management, service.ProvisionPermissionSet, &wire.ProvisionPermissionSetRequest{
			InstanceArn: arn, PermissionSetArn: set, TargetType: new(wire.ProvisionTargetTypeAwsAccount),
		})
		refused(t, "no target", err, fault.Invalid, "TargetId is required")
		out := done(w, service.ProvisionPermissionSet, &wire.ProvisionPermissionSetRequest{
			InstanceArn: arn, PermissionSetArn: set, TargetType: new(wire.ProvisionTargetTypeAllProvisionedAccounts),
		}).PermissionSetProvisioningStatus
		if *out.Status != wire.StatusValuesInProgress || out.AccountId != nil {
			t.Errorf("the answer is %s for %v", *out.Status, out.AccountId)
		}
		got := done(w, service.DescribePermissionSetProvisioningStatus, &wire.DescribePermissionSetProvisioningStatusRequest{
			InstanceArn: arn, ProvisionPermissionSetRequestId: out.RequestId,
		}).PermissionSetProvisioningStatus
		if *got.Status != wire.StatusValuesSucceeded || got.FailureReason != nil {
			t.Errorf("the request is %s, %v", *got.Status, got.FailureReason)
		}
	})
}

// TestDelegatedAdministrator holds that a delegated administrator has no hand
// in what leads to the management account.
func TestDelegatedAdministrator(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		arn, free, guarded := new(w.in.ARN()), w.set("Free"), w.set("Guarded")
		done(w, service.CreateAccountAssignment, w.assignment(guarded, management))
		remove := func(set *string, account string) *wire.DeleteAccountAssignmentRequest {
			return (*wire.DeleteAccountAssignmentRequest)(w.assignment(set, account))
		}
		reference := &wire.CustomerManagedPolicyReference{Name: new("own")}
		operations := func(set *string, account string) map[string]func(ssoadmin.Context) error {
			return map[string]func(ssoadmin.Context) error{
				"CreateAccountAssignment": op(service.CreateAccountAssignment, w.assignment(set, account)),
				"DeleteAccountAssignment": op(service.DeleteAccountAssignment, remove(set, account)),
				"ProvisionPermissionSet":  op(service.ProvisionPermissionSet, &wire.ProvisionPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, TargetType: new(wire.ProvisionTargetTypeAllProvisionedAccounts)}),
				"UpdatePermissionSet":     op(service.UpdatePermissionSet, &wire.UpdatePermissionSetRequest{InstanceArn: arn, PermissionSetArn: set}),
				"AttachManaged":           op(service.AttachManagedPolicyToPermissionSet, &wire.AttachManagedPolicyToPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, ManagedPolicyArn: new(administrator)}),
				"DetachManaged":           op(service.DetachManagedPolicyFromPermissionSet, &wire.DetachManagedPolicyFromPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, ManagedPolicyArn: new(administrator)}),
				"AttachCustomer":          op(service.AttachCustomerManagedPolicyReferenceToPermissionSet, &wire.AttachCustomerManagedPolicyReferenceToPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, CustomerManagedPolicyReference: reference}),
				"DetachCustomer":          op(service.DetachCustomerManagedPolicyReferenceFromPermissionSet, &wire.DetachCustomerManagedPolicyReferenceFromPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, CustomerManagedPolicyReference: reference}),
				"PutInline":               op(service.PutInlinePolicyToPermissionSet, &wire.PutInlinePolicyToPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, InlinePolicy: new(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)}),
				"DeleteInline":            op(service.DeleteInlinePolicyFromPermissionSet, &wire.DeleteInlinePolicyFromPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set}),
				"PutBoundary":             op(service.PutPermissionsBoundaryToPermissionSet, &wire.PutPermissionsBoundaryToPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set, PermissionsBoundary: &wire.PermissionsBoundary{ManagedPolicyArn: new(administrator)}}),
				"DeleteBoundary":          op(service.DeletePermissionsBoundaryFromPermissionSet, &wire.DeletePermissionsBoundaryFromPermissionSetRequest{InstanceArn: arn, PermissionSetArn: set}),
				"TagResource":             op(service.TagResource, &wire.TagResourceRequest{ResourceArn: set, Tags: []wire.Tag{{Key: new("k"), Value: new("v")}}}),
				"UntagResource":           op(service.UntagResource, &wire.UntagResourceRequest{ResourceArn: set, TagKeys: []string{"k"}}),
				"DeletePermissionSet":     op(service.DeletePermissionSet, &wire.DeletePermissionSetRequest{InstanceArn: arn, PermissionSetArn: set}),
			}
		}
		for name, fn := range operations(guarded, delegate) {
			_, err := call(w, delegate, bare, fn)
			refused(t, name+" with a guarded permission set", err, fault.Denied, "not authorized to perform")
		}
		for _, name := range []string{"CreateAccountAssignment", "DeleteAccountAssignment"} {
			_, err := call(w, delegate, bare, operations(free, management)[name])
			refused(t, name+" in the management account", err, fault.Denied, "not authorized to perform")
		}
		for name, fn := range operations(free, delegate) {
			if _, err := call(w, delegate, bare, fn); fault.Is(err, fault.Denied) {
				t.Errorf("%s with a free permission set: %v", name, err)
			}
		}
		attributes := func(change string) func(ssoadmin.Context) error {
			config := &wire.InstanceAccessControlAttributeConfiguration{AccessControlAttributes: []wire.AccessControlAttribute{
				{Key: new("team"), Value: &wire.AccessControlAttributeValue{Source: []string{"${path:userName}"}}},
			}}
			return map[string]func(ssoadmin.Context) error{
				"create": op(service.CreateInstanceAccessControlAttributeConfiguration, &wire.CreateInstanceAccessControlAttributeConfigurationRequest{InstanceArn: arn, InstanceAccessControlAttributeConfiguration: config}),
				"update": op(service.UpdateInstanceAccessControlAttributeConfiguration, &wire.UpdateInstanceAccessControlAttributeConfigurationRequest{InstanceArn: arn, InstanceAccessControlAttributeConfiguration: config}),
				"delete": op(service.DeleteInstanceAccessControlAttributeConfiguration, &wire.DeleteInstanceAccessControlAttributeConfigurationRequest{InstanceArn: arn}),
			}[change]
		}
		for _, change := range []string{"create", "update", "delete"} {
			_, err := call(w, delegate, bare, attributes(change))
			refused(t, change+" attributes", err, fault.Denied, "sessions in the management account")
		}
		done(w, service.DeleteAccountAssignment, remove(guarded, management))
		for _, change := range []string{"create", "update", "delete"} {
			if _, err := call(w, delegate, bare, attributes(change)); err != nil {
				t.Errorf("%s attributes while nobody has access to the management account: %v", change, err)
			}
		}
		_, err := call(w, delegate, service.DeleteInstance, &wire.DeleteInstanceRequest{InstanceArn: arn})
		refused(t, "DeleteInstance", err, fault.Denied, "only the account that owns the instance")
	})
}

// op fixes the input of an operation; bare runs it.
func op[I, O any](fn func(ssoadmin.Context, I) (O, error), in I) func(ssoadmin.Context) error {
	return func(c ssoadmin.Context) error { _, err := fn(c, in); return err }
}

func bare(c ssoadmin.Context, fn func(ssoadmin.Context) error) (struct{}, error) {
	return struct{}{}, fn(c)
}

func TestInstances(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		none := new("arn:aws:sso:::instance/ssoins-0000000000000000")
		_, err := call(w, management, service.DescribeInstance, &wire.DescribeInstanceRequest{InstanceArn: none})
		refused(t, "describing what is not", err, fault.Denied, "neither owns this instance")
		_, err = call(w, management, service.ListPermissionSets, &wire.ListPermissionSetsRequest{InstanceArn: none})
		refused(t, "listing what is not", err, fault.NotFound, *none)

		own := as(w, delegate, service.CreateInstance, &wire.CreateInstanceRequest{Name: new("own")})
		list := as(w, delegate, service.ListInstances, &wire.ListInstancesRequest{})
		got := map[string]string{}
		for _, i := range list.Instances {
			got[*i.InstanceArn] = *i.OwnerAccountId + " " + *i.Status
		}
		want := map[string]string{w.in.ARN(): management + " ACTIVE", *own.InstanceArn: delegate + " ACTIVE"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		as(w, delegate, service.UpdateInstance, &wire.UpdateInstanceRequest{InstanceArn: own.InstanceArn, Name: new("renamed")})
		described := as(w, delegate, service.DescribeInstance, &wire.DescribeInstanceRequest{InstanceArn: own.InstanceArn})
		if *described.Name != "renamed" {
			t.Errorf("the name is %s", *described.Name)
		}
		_, err = call(w, delegate, service.UpdateInstance, &wire.UpdateInstanceRequest{
			InstanceArn: own.InstanceArn, EncryptionConfiguration: &wire.EncryptionConfiguration{KeyType: new(wire.KmsKeyTypeCustomerManagedKey)},
		})
		refused(t, "a customer managed key", err, fault.Invalid, "not supported")
	})
}

func as[I, O any](w *world, account string, op func(ssoadmin.Context, I) (O, error), in I) O {
	w.t.Helper()
	out, err := call(w, account, op, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestDeleteInstanceTakesAllAlong(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		set := w.set("Set")
		done(w, service.CreateAccountAssignment, w.assignment(set, delegate))
		done(w, service.DeleteInstance, &wire.DeleteInstanceRequest{InstanceArn: new(w.in.ARN())})
		err := w.s.View(t.Context(), func(tx *store.Tx) error {
			if found, err := tx.DirectoryUserExists(w.in.IdentityStoreID, w.user); err != nil || found {
				t.Errorf("the user is there: %v, %v", found, err)
			}
			ids, err := tx.PermissionSetIDs(w.in.ID, "", 10)
			if len(ids) > 0 {
				t.Errorf("permission sets are there: %v", ids)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestTagsStayInTheirInstance(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		own := as(w, delegate, service.CreateInstance, &wire.CreateInstanceRequest{})
		set := w.set("Set")
		tags := []wire.Tag{{Key: new("k"), Value: new("v")}}
		_, err := call(w, delegate, service.TagResource, &wire.TagResourceRequest{InstanceArn: own.InstanceArn, ResourceArn: set, Tags: tags})
		refused(t, "another instance's permission set", err, fault.NotFound, *set)
		_, err = call(w, delegate, service.ListTagsForResource, &wire.ListTagsForResourceRequest{InstanceArn: own.InstanceArn, ResourceArn: new(w.in.ARN())})
		refused(t, "another instance", err, fault.NotFound, w.in.ARN())
		_, err = call(w, management, service.UntagResource, &wire.UntagResourceRequest{ResourceArn: new(w.in.PermissionSetARN("ps-0000000000000000")), TagKeys: []string{"k"}})
		refused(t, "no permission set", err, fault.NotFound, "ps-0000000000000000")
	})
}

func TestEmptyListsAreSent(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		arn := new(w.in.ARN())
		if done(w, service.ListPermissionSets, &wire.ListPermissionSetsRequest{InstanceArn: arn}).PermissionSets == nil {
			t.Error("no list of permission sets")
		}
		if done(w, service.ListTagsForResource, &wire.ListTagsForResourceRequest{ResourceArn: arn}).Tags == nil {
			t.Error("no list of tags")
		}
		if done(w, service.ListAccountAssignmentsForPrincipal, &wire.ListAccountAssignmentsForPrincipalRequest{
			InstanceArn: arn, PrincipalType: new(wire.PrincipalTypeUser), PrincipalId: &w.user,
		}).AccountAssignments == nil {
			t.Error("no list of assignments")
		}
		if done(w, service.ListPermissionSetsProvisionedToAccount, &wire.ListPermissionSetsProvisionedToAccountRequest{
			InstanceArn: arn, AccountId: new(delegate),
		}).PermissionSets == nil {
			t.Error("no list of provisioned permission sets")
		}
	})
}
