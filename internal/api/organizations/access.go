package organizations

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// batch is how many permission sets or assignments are read at a time.
const batch = 100

// withdraw takes from an account all access that the organization's instance
// of IAM Identity Center gives to it, and the roles with it.
func withdraw(c *gateway.Context[Tx], o organization.Organization, accountID string) error {
	in, found, err := c.Tx.InstanceOfOrganization(o.ID)
	if err != nil || !found {
		return err
	}
	for after, more := "", true; more; more = after != "" {
		var sets []string
		sets, after, err = assignment.ListPermissionSets(c.Tx, in, accountID, "", after, batch)
		if err != nil {
			return err
		}
		for _, id := range sets {
			if err := withdrawSet(c, in, id, accountID); err != nil {
				return err
			}
		}
	}
	return nil
}

func withdrawSet(c *gateway.Context[Tx], in instance.Instance, permissionSetID, accountID string) error {
	set, err := permissionset.ByARN(c.Tx, in, in.PermissionSetARN(permissionSetID))
	if err != nil {
		return err
	}
	for after, more := "", true; more; more = after != "" {
		var list []assignment.Assignment
		list, after, err = assignment.List(c.Tx, set, accountID, after, batch)
		if err != nil {
			return err
		}
		for _, a := range list {
			if _, err := assignment.Delete(c.Tx, c.Request.Time, c.IDs, in, set, accountID, a.Principal); err != nil {
				return err
			}
		}
	}
	return nil
}
