package app

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestAttributesForAccessControl gives two people one permission set, whose
// policy lets in those of one cost centre only.
func TestAttributesForAccessControl(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		mia, noa := c.inCostCentre("mia", "4711"), c.inCostCentre("noa", "4712")
		c.do(func(tx *store.Tx) error {
			set, err := permissionset.Create(tx, ident.Millis(c.now()), c.ids, c.in, permissionset.New{Name: "ByCostCentre"})
			if err != nil {
				return err
			}
			return permissionset.PutInlinePolicy(tx, set, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"identitystore:*","Resource":"*",
				"Condition":{"StringEquals":{"aws:PrincipalTag/CostCentre":"4711"}}}]}`)
		})
		for _, user := range []string{mia, noa} {
			c.assign(user, "ByCostCentre", sampleManagement)
		}
		list := func(user string) string {
			_, err := c.nodes[0].directory(c.open(user, sampleManagement, "ByCostCentre")).ListUsers(t.Context(), &identitystore.ListUsersInput{IdentityStoreId: &c.in.IdentityStoreID})
			return codeOf(err)
		}
		if got := list(mia); got != "AccessDeniedException" {
			t.Errorf("before attributes are passed on: %q", got)
		}
		enable := func(source string) {
			c.do(func(tx *store.Tx) error {
				return tx.PutAccessControlAttributes(c.in.ID, []instance.AccessControlAttribute{{Key: "CostCentre", Source: source}})
			})
		}
		enable("${path:enterprise.costCenter}")
		if got := list(mia); got != "" {
			t.Errorf("the right cost centre: %q", got)
		}
		if got := list(noa); got != "AccessDeniedException" {
			t.Errorf("another cost centre: %q", got)
		}
		// What an administrator writes instead of a path is no tag.
		enable("4711")
		if got := list(noa); got != "AccessDeniedException" {
			t.Errorf("a constant: %q", got)
		}
		// What cannot be a tag is said, not left out.
		enable("${path:nickName}")
		_, err := c.nodes[0].roleCredentials(t.Context(), c.logIn(c.signIn(mia)), sampleManagement, "ByCostCentre")
		if codeOf(err) != "InvalidRequestException" || !strings.Contains(err.Error(), "CostCentre") {
			t.Errorf("a value that cannot be a tag: %v", err)
		}
	})
}

// inCostCentre makes a person with a cost centre.
func (c *cluster) inCostCentre(name, centre string) (id string) {
	c.t.Helper()
	c.do(func(tx *store.Tx) error {
		u, err := directory.CreateUser(tx, c.ids, c.stamp(), c.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
			UserName: name, DisplayName: name, Name: directory.Name{GivenName: name, FamilyName: name}, NickName: "*" + name,
			Extensions: directory.Extensions{Enterprise: directory.Enterprise{CostCenter: centre}},
		}})
		id = u.ID
		return err
	})
	return id
}
