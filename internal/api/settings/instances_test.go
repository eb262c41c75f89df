package settings_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// TestDeleteAndStart deletes IAM Identity Center, which takes everything along,
// and enables it again.
func TestDeleteAndStart(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, arn := n.Administrator(t, node.Management), n.Instance.ARN()
		status := func() wire.GetSSOStatusResponse {
			return done[wire.GetSSOStatusResponse](t, n, admin, "GetSSOStatus", &wire.GetSSOStatusInput{})
		}
		want := wire.GetSSOStatusResponse{
			Status: new("ENABLED"), InstanceArn: &arn, IdentityStoreId: &n.Instance.IdentityStoreID,
			OwnerAccountId: new(node.Management), Region: new(node.Region),
		}
		if diff := cmp.Diff(want, status()); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
		refused(t, call(t, n, admin, "StartSSO", &wire.StartSSOInput{}), "ConflictException", "already enabled")
		sam := userID(t, n, "sam.lee")
		signIn(t, n, sam, 1000)

		refused(t, call(t, n, admin, "DeleteInstance", &wire.DeleteInstanceRequest{InstanceArn: &arn, Confirmation: new("yes")}), "ValidationException", "give its id")
		done[nothing](t, n, admin, "DeleteInstance", &wire.DeleteInstanceRequest{InstanceArn: &arn, Confirmation: &n.Instance.ID})
		if got := status(); *got.Status != "NOT_ENABLED" || got.InstanceArn != nil {
			t.Errorf("afterwards: %+v", got)
		}
		read(t, n, func(tx *store.Tx) error {
			sessions, err := tx.PortalSessionsOfUser(n.Instance.IdentityStoreID, sam, "", 10)
			if len(sessions) != 0 {
				t.Errorf("%d sessions are left", len(sessions))
			}
			roles, roleErr := tx.ProvisionsOfInstance(n.Instance.ID, 10)
			if len(roles) != 0 || roleErr != nil {
				t.Errorf("%d roles are left, %v", len(roles), roleErr)
			}
			return err
		})

		started := done[wire.StartSSOResponse](t, n, admin, "StartSSO", &wire.StartSSOInput{})
		if got := status(); *got.InstanceArn != *started.InstanceArn || *started.InstanceArn == arn || *got.IdentityStoreId != *started.IdentityStoreId {
			t.Errorf("enabled again: %+v, was answered %+v", got, started)
		}
	})
}

// TestInstancesAreTheirOwners has those ask to enable and to delete who must
// not.
func TestInstancesAreTheirOwners(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		who := n.Callers(t)
		remove := &wire.DeleteInstanceRequest{InstanceArn: new(n.Instance.ARN()), Confirmation: &n.Instance.ID}
		for name, c := range map[string]*node.Caller{"member": who.Member, "delegated administrator": who.Delegated, "outsider": who.Outsider} {
			refused(t, call(t, n, c, "StartSSO", &wire.StartSSOInput{}), "AccessDeniedException", "only the management account")
			if a := call(t, n, c, "DeleteInstance", remove); a.Code != "AccessDeniedException" {
				t.Errorf("%s deletes the instance: %d %s", name, a.Status, a.Body)
			}
		}
		if a := call(t, n, who.Member, "GetSSOStatus", &wire.GetSSOStatusInput{}); a.Status != http.StatusOK {
			t.Errorf("a member does not get to know the status: %s", a.Body)
		}
		got := done[wire.GetSSOStatusResponse](t, n, who.Outsider, "GetSSOStatus", &wire.GetSSOStatusInput{})
		if *got.Status != "NOT_ENABLED" {
			t.Errorf("an account outside: %+v", got)
		}
	})
}

func TestAliasAndDirectory(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		who := n.Callers(t)
		admin, id := who.Admin, &n.Instance.IdentityStoreID
		refused(t, call(t, n, admin, "CreateAlias", &wire.CreateAliasRequest{IdentityStoreId: id, Alias: new("D-12")}), "ValidationException", "must not begin with d-")
		got := done[wire.CreateAliasResponse](t, n, admin, "CreateAlias", &wire.CreateAliasRequest{IdentityStoreId: id, Alias: new("Example-Corp")})
		if *got.Alias != "example-corp" {
			t.Errorf("alias %s", *got.Alias)
		}
		refused(t, call(t, n, admin, "CreateAlias", &wire.CreateAliasRequest{IdentityStoreId: id, Alias: new("another")}), "ConflictException", "cannot be changed")

		directory := done[wire.DescribeDirectoryResponse](t, n, admin, "DescribeDirectory", &wire.DescribeDirectoryRequest{IdentityStoreId: id})
		want := wire.DescribeDirectoryResponse{
			IdentityStoreId: id, InstanceArn: new(n.Instance.ARN()), DirectoryType: new("UserPool"), AuthenticationMethod: new("PASSWORD"),
			ProvisioningMethod: new("DIRECT"), Alias: new("example-corp"),
			PortalUrls: []string{n.URL + "/start", "https://" + *id + ".awsapps.com/start", "https://example-corp.awsapps.com/start"},
		}
		if diff := cmp.Diff(want, directory); diff != "" {
			t.Errorf("directory (-want +got):\n%s", diff)
		}
		associations := done[wire.ListDirectoryAssociationsResponse](t, n, admin, "ListDirectoryAssociations", &wire.ListDirectoryAssociationsRequest{InstanceArn: new(n.Instance.ARN())})
		if diff := cmp.Diff([]wire.DirectoryAssociation{{DirectoryId: id, DirectoryType: new("UserPool")}}, associations.DirectoryAssociations); diff != "" {
			t.Errorf("associations (-want +got):\n%s", diff)
		}

		// The alias is one portal's: another instance cannot have it, and it leads
		// to the one it was given to.
		var own instance.Instance
		err := n.Store.Update(t.Context(), func(tx *store.Tx) (err error) {
			own, err = instance.Create(tx, n.Clock.Now(), nodeIDs(), instance.New{AccountID: node.Outside, Region: node.Region})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		refused(t, call(t, n, who.Outsider, "CreateAlias", &wire.CreateAliasRequest{IdentityStoreId: &own.IdentityStoreID, Alias: new("example-corp")}), "ConflictException", "is taken")
		done[wire.CreateAliasResponse](t, n, who.Outsider, "CreateAlias", &wire.CreateAliasRequest{IdentityStoreId: &own.IdentityStoreID, Alias: new("outside")})
		address, _ := url.Parse(n.URL)
		read(t, n, func(tx *store.Tx) error {
			for alias, want := range map[string]string{"outside": own.ID, "Example-corp": n.Instance.ID, "unknown": n.Instance.ID} {
				if i, err := instance.ByStartURL(tx, address, instance.AliasURL(alias)); err != nil || i.ID != want {
					t.Errorf("the start URL with %s leads to %s, %v", alias, i.ID, err)
				}
			}
			return nil
		})
	})
}
