package assignment_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestFirstAssignmentMakesTheRole(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		err := w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.AttachManagedPolicy(tx, s, administrator)
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.assign(w.admin.ID, production, w.ops)
		w.settled(r, err, "")
		role, found := w.role(w.admin.ID, production)
		if !found {
			t.Fatal("there is no role")
		}
		if !regexp.MustCompile(`^AWSReservedSSO_Admin_[0-9a-f]{16}$`).MatchString(role.Name) || !regexp.MustCompile(`^AROA[A-Z2-7]{17}$`).MatchString(role.ID) {
			t.Errorf("the role is %s with the id %s", role.Name, role.ID)
		}
		want := iam.Role{
			AccountID: production, ID: role.ID, Name: role.Name, Path: "/aws-reserved/sso.amazonaws.com/eu-west-1/",
			TrustPolicy: role.TrustPolicy, MaxSessionDuration: 12 * time.Hour, SessionDuration: 4 * time.Hour,
			Policies: iam.Policies{Managed: []string{administrator}}, CreatedAt: storetest.Now(), Version: 1,
		}
		if diff := cmp.Diff(want, role); diff != "" {
			t.Error(diff)
		}
		checkTrust(t, role.TrustPolicy)
	})
}

func checkTrust(t *testing.T, document string) {
	t.Helper()
	var trust struct {
		Statement []struct {
			Effect    string
			Principal struct{ Federated string }
			Action    []string
			Condition map[string]map[string]string
		}
	}
	if err := json.Unmarshal([]byte(document), &trust); err != nil || len(trust.Statement) != 1 {
		t.Fatalf("%s: %v", document, err)
	}
	st := trust.Statement[0]
	if !regexp.MustCompile(`^arn:aws:iam::111111111111:saml-provider/AWSSSO_[0-9a-f]{16}_DO_NOT_DELETE$`).MatchString(st.Principal.Federated) {
		t.Errorf("the role trusts %s", st.Principal.Federated)
	}
	if st.Effect != "Allow" || !slices.Equal(st.Action, []string{"sts:AssumeRoleWithSAML", "sts:TagSession"}) ||
		st.Condition["StringEquals"]["SAML:aud"] != "https://signin.aws.amazon.com/saml" {
		t.Errorf("the trust policy is %s", document)
	}
}

func TestRolePathInUsEast1(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, "us-east-1")
		r, err := w.assign(w.admin.ID, management, w.amy)
		w.settled(r, err, "")
		role, _ := w.role(w.admin.ID, management)
		if want := "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/" + role.Name; role.ARN() != want {
			t.Errorf("the role is %s, want %s", role.ARN(), want)
		}
	})
}

func TestLastAssignmentTakesTheRoleAlong(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for _, p := range []assignment.Principal{w.amy, w.ops} {
			r, err := w.assign(w.admin.ID, production, p)
			w.settled(r, err, "")
		}
		first, _ := w.role(w.admin.ID, production)
		r, err := w.unassign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		if role, found := w.role(w.admin.ID, production); !found || role.ID != first.ID {
			t.Errorf("with an assignment left the role is %+v, %v", role, found)
		}
		r, err = w.unassign(w.admin.ID, production, w.ops)
		w.settled(r, err, "")
		w.must(func(tx *store.Tx) error {
			_, found, err := tx.RoleByName(production, first.Name)
			if found {
				t.Error("the role outlived its last assignment")
			}
			return err
		})
		r, err = w.assign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		again, _ := w.role(w.admin.ID, production)
		if again.Name == first.Name || again.ID == first.ID {
			t.Errorf("the role came back as %s, %s", again.Name, again.ID)
		}
		if again.TrustPolicy != first.TrustPolicy {
			t.Error("the account's SAML provider changed")
		}
	})
}

func TestAssigningTwice(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for range 2 {
			r, err := w.assign(w.admin.ID, production, w.amy)
			w.settled(r, err, "")
		}
		want := []assignment.Assignment{{AccountID: production, PermissionSetID: w.admin.ID, Principal: w.amy}}
		if diff := cmp.Diff(want, w.assignments(w.admin.ID, production)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAssignRefuses(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		closed := "222222222222"
		w.must(func(tx *store.Tx) error {
			if _, err := organization.CreateAccount(tx, storetest.Now(), w.ids, w.org, account(closed)); err != nil {
				return err
			}
			return organization.CloseAccount(tx, w.org, closed)
		})
		_, err := w.assign(w.admin.ID, "333333333333", w.amy)
		refused(t, err, fault.NotFound, "333333333333")
		_, err = w.assign(w.admin.ID, outside, w.amy)
		refused(t, err, fault.NotFound, outside)
		w.must(func(tx *store.Tx) error {
			_, err := organization.CreateOrganization(tx, storetest.Now(), w.ids, outside, "")
			return err
		})
		_, err = w.assign(w.admin.ID, outside, w.amy)
		refused(t, err, fault.NotFound, outside)
		_, err = w.assign(w.admin.ID, closed, w.amy)
		refused(t, err, fault.Invalid, "suspended")

		store := w.in.IdentityStoreID
		none := assignment.Principal{Type: assignment.Group, ID: w.amy.ID}
		r, err := w.assign(w.admin.ID, production, none)
		w.settled(r, err, "Received a 404 status error: the GROUP assignee "+none.ID+" was not found in directory "+store)
		none = assignment.Principal{Type: assignment.User, ID: w.ops.ID}
		r, err = w.assign(w.admin.ID, production, none)
		w.settled(r, err, "Received a 404 status error: the USER assignee "+none.ID+" was not found in directory "+store)

		if got := w.assignments(w.admin.ID, production); got != nil {
			t.Errorf("there are assignments: %v", got)
		}
		if _, found := w.role(w.admin.ID, production); found {
			t.Error("there is a role")
		}
	})
}

func TestUnassignMissing(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		r, err := w.assign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		r, err = w.unassign(w.admin.ID, production, w.ben)
		w.settled(r, err, "Received a 404 status error: EntitlementItem doesn't exist with the given entitlement key")
		if _, found := w.role(w.admin.ID, production); !found {
			t.Error("the role went")
		}
	})
}

func TestUnassignOutlivesPrincipalAndAccount(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for _, p := range []assignment.Principal{w.ben, w.ops} {
			r, err := w.assign(w.admin.ID, production, p)
			w.settled(r, err, "")
		}
		w.must(func(tx *store.Tx) error {
			if _, _, err := directory.DeleteUser(tx, w.in.IdentityStoreID, w.ben.ID); err != nil {
				return err
			}
			return organization.CloseAccount(tx, w.org, production)
		})
		r, err := w.unassign(w.admin.ID, production, w.ben)
		w.settled(r, err, "")
		r, err = w.unassign(w.admin.ID, production, w.ops)
		w.settled(r, err, "")
		if _, found := w.role(w.admin.ID, production); found {
			t.Error("the role stayed")
		}
	})
}

func TestUnassignTellsNodes(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		change := func() int64 {
			n, err := w.s.Change(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		start := change()
		r, err := w.assign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		if got := change(); got != start {
			t.Errorf("giving access moved the counter from %d to %d", start, got)
		}
		r, err = w.unassign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		if got := change(); got <= start {
			t.Errorf("taking access away left the counter at %d", got)
		}
	})
}

func TestEditsWaitForProvisioning(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for _, id := range []string{management, production} {
			r, err := w.assign(w.admin.ID, id, w.amy)
			w.settled(r, err, "")
		}
		err := w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.Update(tx, s, permissionset.Change{SessionDuration: new("PT8H"), Description: new("edited")})
		})
		if err != nil {
			t.Fatal(err)
		}
		err = w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.PutInlinePolicy(tx, s, allowAll)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.currency(nil, []string{production, management})
		if role, _ := w.role(w.admin.ID, production); role.SessionDuration != 4*time.Hour || role.Policies.Inline != nil {
			t.Errorf("an edit reached the role: %+v", role)
		}
		r, err := w.provision(w.admin.ID, production)
		w.settled(r, err, "")
		w.currency([]string{production}, []string{management})
		role, _ := w.role(w.admin.ID, production)
		if role.SessionDuration != 8*time.Hour || role.Description != "edited" || role.Policies.Inline["AwsSSOInlinePolicy"] != allowAll {
			t.Errorf("provisioned is %+v", role)
		}
		r, err = w.provision(w.admin.ID, "")
		w.settled(r, err, "")
		w.currency([]string{production, management}, nil)
	})
}

// currency checks in which accounts Admin is provisioned as it is now, and in
// which as it was.
func (w *world) currency(latest, old []string) {
	w.t.Helper()
	w.must(func(tx *store.Tx) error {
		all := append(append([]string(nil), latest...), old...)
		slices.Sort(all)
		for _, c := range []struct {
			currency assignment.Currency
			want     []string
		}{{assignment.Latest, latest}, {assignment.NotLatest, old}, {"", all}} {
			got, _, err := assignment.ListAccounts(tx, w.admin, c.currency, "", 10)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.t.Errorf("%q accounts: %s", c.currency, diff)
			}
			for _, id := range []string{management, production} {
				sets, _, err := assignment.ListPermissionSets(tx, w.in, id, c.currency, "", 10)
				if err != nil {
					return err
				}
				if got := slices.Contains(sets, w.admin.ID); got != slices.Contains(c.want, id) {
					w.t.Errorf("%q permission sets of %s: %v", c.currency, id, sets)
				}
			}
		}
		return nil
	})
}

func TestProvisionWhereItIsNot(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		r, err := w.provision(w.admin.ID, production)
		w.settled(r, err, "Received a 404 status error: Permission set provision not found in AWS account 111111111111.")
		r, err = w.provision(w.admin.ID, "")
		w.settled(r, err, "")
		if _, found := w.role(w.admin.ID, production); found {
			t.Error("provisioning made a role that no one is assigned")
		}
	})
}

func TestNewAssignmentProvisionsTheLatest(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		r, err := w.assign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		err = w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.AttachManagedPolicy(tx, s, billing)
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err = w.assign(w.admin.ID, production, w.ben)
		w.settled(r, err, "")
		if role, _ := w.role(w.admin.ID, production); !slices.Contains(role.Policies.Managed, billing) {
			t.Errorf("the role has %v", role.Policies.Managed)
		}
		w.currency([]string{production}, nil)
	})
}

func TestCustomerManagedPolicies(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		err := w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.AttachCustomerPolicy(tx, s, permissionset.PolicyReference{Path: "/team/", Name: "own"})
		})
		if err != nil {
			t.Fatal(err)
		}
		missing := "Received a 404 status error: Not supported policy arn:aws:iam::111111111111:policy/team/own."
		w.customerPolicy(management, "/team/", "own")
		r, err := w.assign(w.admin.ID, production, w.amy)
		w.settled(r, err, missing)
		if _, found := w.role(w.admin.ID, production); found || w.assignments(w.admin.ID, production) != nil {
			t.Error("the failed assignment left something")
		}
		w.customerPolicy(production, "/team/", "own")
		r, err = w.assign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		r, err = w.assign(w.admin.ID, management, w.amy)
		w.settled(r, err, "")
		if role, _ := w.role(w.admin.ID, production); !slices.Equal(role.Policies.Managed, []string{"arn:aws:iam::111111111111:policy/team/own"}) {
			t.Errorf("the role has %v", role.Policies.Managed)
		}

		// A boundary that only one of the accounts has.
		w.customerPolicy(management, "/", "limit")
		err = w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.PutBoundary(tx, s, permissionset.Boundary{Customer: permissionset.PolicyReference{Name: "limit"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err = w.provision(w.admin.ID, "")
		w.settled(r, err, "Received a 404 status error: Not supported policy arn:aws:iam::111111111111:policy/limit.")
		w.currency([]string{management}, []string{production})
		if role, _ := w.role(w.admin.ID, management); role.Policies.Boundary != "arn:aws:iam::123456789012:policy/limit" {
			t.Errorf("the boundary is %q", role.Policies.Boundary)
		}
		if role, _ := w.role(w.admin.ID, production); role.Policies.Boundary != "" {
			t.Errorf("the boundary is %q", role.Policies.Boundary)
		}
	})
}

func TestManagedBoundary(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		err := w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.PutBoundary(tx, s, permissionset.Boundary{ManagedPolicyARN: billing})
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.assign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		if role, _ := w.role(w.admin.ID, production); role.Policies.Boundary != billing {
			t.Errorf("the boundary is %q", role.Policies.Boundary)
		}
	})
}

func TestPermissionSetInUse(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		remove := func() error {
			return w.edit(w.admin.ID, func(tx *store.Tx, s permissionset.PermissionSet) error { return permissionset.Delete(tx, w.in, s) })
		}
		r, err := w.assign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		refused(t, remove(), fault.Conflict, "Could not delete because PermissionSet")
		r, err = w.unassign(w.admin.ID, production, w.amy)
		w.settled(r, err, "")
		if err := remove(); err != nil {
			t.Error(err)
		}
		// What was asked is still told.
		w.settled(r, nil, "")
	})
}

func TestWithdraw(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		other := w.set("Other")
		for _, set := range []string{w.admin.ID, other.ID} {
			for _, id := range []string{management, production} {
				for _, p := range []assignment.Principal{w.amy, w.ops} {
					r, err := w.assign(set, id, p)
					w.settled(r, err, "")
				}
			}
		}
		w.must(func(tx *store.Tx) error { return assignment.WithdrawAccount(tx, w.in, production) })
		for _, set := range []string{w.admin.ID, other.ID} {
			if _, found := w.role(set, production); found || w.assignments(set, production) != nil {
				t.Error("access to the account stayed")
			}
			if _, found := w.role(set, management); !found || len(w.assignments(set, management)) != 2 {
				t.Error("access to the other account went")
			}
		}
		role, _ := w.role(other.ID, management)
		w.must(func(tx *store.Tx) error { return assignment.Withdraw(tx, w.in) })
		w.must(func(tx *store.Tx) error {
			_, found, err := tx.RoleByID(management, role.ID)
			if found {
				t.Error("a role stayed")
			}
			return err
		})
	})
}

func TestProvisionsWhatIsStored(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		// A caller may hold the permission set as it was before its edits.
		w.must(func(tx *store.Tx) error {
			for _, arn := range []string{administrator, billing} {
				if err := permissionset.AttachManagedPolicy(tx, w.admin, arn); err != nil {
					return err
				}
			}
			if err := permissionset.PutInlinePolicy(tx, w.admin, allowAll); err != nil {
				return err
			}
			r, err := assignment.Create(tx, storetest.Now(), w.ids, w.in, w.admin, production, w.amy)
			if r.Status != assignment.Succeeded {
				t.Errorf("the request is %s: %s", r.Status, r.FailureReason)
			}
			return err
		})
		w.currency([]string{production}, nil)
		role, _ := w.role(w.admin.ID, production)
		want := iam.Policies{Managed: []string{administrator, billing}, Inline: map[string]string{"AwsSSOInlinePolicy": allowAll}}
		if diff := cmp.Diff(want, role.Policies); diff != "" {
			t.Error(diff)
		}
	})
}
