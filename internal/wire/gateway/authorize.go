package gateway

import (
	"reflect"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// realm is what an operation acts upon: the account that owns it, and the
// organization around that account.
type realm struct {
	owner        string // account id; "" when the operation names nothing that exists
	organization string // "o-…"; "" outside an organization
	region       string
}

// authorize is both gates: from which account an operation may be called, and
// what the caller's policies say.
func (c *call) authorize(tx Tx) error {
	op := c.target.op
	if op.Gate == schema.GateNone || (op.Gate == schema.GateAny && op.Action == "") {
		return nil
	}
	rl, err := c.passAccountGate(tx)
	if err != nil {
		return err
	}
	if op.Action == "" {
		return nil
	}
	set, values, resources, err := c.policies(tx, rl)
	if err != nil {
		return err
	}
	return iam.Authorize(set, c.caller, op.Action, resources, values)
}

// passAccountGate refuses calls from accounts that have no business with what
// the operation acts upon, whatever their policies say.
func (c *call) passAccountGate(tx Tx) (realm, error) {
	switch c.target.op.Gate {
	case schema.GateManagement, schema.GateDelegated, schema.GateMember:
		if c.target.service.desc.SigningName == "organizations" {
			return c.passOrganizationGate(tx)
		}
		return c.passInstanceGate(tx)
	case schema.GateOwner:
		return c.passInstanceGate(tx)
	default:
		org, found, err := tx.OrganizationOfAccount(c.caller.AccountID)
		rl := realm{owner: c.caller.AccountID, region: c.gateway.Region}
		if found {
			rl.organization = org.ID
		}
		return rl, err
	}
}

// passInstanceGate is the gate of operations on an instance or its directory.
func (c *call) passInstanceGate(tx Tx) (realm, error) {
	in, found, err := c.instance(tx)
	if err != nil || !found {
		// What does not exist has no owner: the policies decide whether the
		// caller gets to hear that it does not.
		return realm{region: c.gateway.Region}, err
	}
	rl := realm{owner: in.OwnerAccountID, organization: in.OrganizationID, region: in.Region}
	account := c.caller.AccountID
	if account == in.OwnerAccountID {
		return rl, nil
	}
	because := "neither owns this instance of IAM Identity Center nor is its delegated administrator"
	switch {
	case c.target.op.Gate == schema.GateManagement:
		because = "does not own this instance of IAM Identity Center"
	case in.IsOrganization():
		allowed, err := c.allowedFromMember(tx, in)
		if err != nil || allowed {
			return rl, err
		}
	}
	return rl, fault.New(fault.Denied, "", "User: %s is not authorized to perform: %s because the account %s %s", c.caller.ARN, c.target.op.Action, account, because)
}

// allowedFromMember tells whether the caller's account may call the operation
// on its organization's instance.
func (c *call) allowedFromMember(tx Tx, in instance.Instance) (bool, error) {
	if c.target.op.Gate == schema.GateMember {
		org, found, err := tx.OrganizationOfAccount(c.caller.AccountID)
		return found && org.ID == in.OrganizationID, err
	}
	return organization.IsDelegatedAdministrator(tx, in.OrganizationID, c.caller.AccountID, organization.IdentityCenter)
}

// instance finds the instance that the input names, by whichever of its
// members does.
func (c *call) instance(tx Tx) (instance.Instance, bool, error) {
	for _, name := range []string{"IdentityStoreId", "InstanceArn", "ResourceArn", "ApplicationArn", "TrustedTokenIssuerArn"} {
		value, ok := c.inputMember(name).(string)
		if !ok {
			continue
		}
		if name == "IdentityStoreId" {
			return tx.InstanceByIdentityStore(value)
		}
		return tx.InstanceByID(instance.IDOfARN(value))
	}
	return instance.Instance{}, false, nil
}

// passOrganizationGate is the gate of operations on the caller's organization.
func (c *call) passOrganizationGate(tx Tx) (realm, error) {
	org, found, err := tx.OrganizationOfAccount(c.caller.AccountID)
	if err != nil {
		return realm{}, err
	}
	if !found {
		return realm{}, fault.New(fault.NotFound, "organization", "Your account is not a member of an organization.")
	}
	rl := realm{owner: org.ManagementAccountID, organization: org.ID, region: c.gateway.Region}
	if c.caller.AccountID == org.ManagementAccountID || c.target.op.Gate == schema.GateMember {
		return rl, nil
	}
	if c.target.op.Gate == schema.GateDelegated {
		delegated, err := organization.IsDelegatedAdministrator(tx, org.ID, c.caller.AccountID, "")
		if err != nil || delegated {
			return rl, err
		}
	}
	return rl, fault.New(fault.Denied, "", "You don't have permissions to access this resource.")
}

// inputMember is the value of an input member, nil when absent.
func (c *call) inputMember(path string) any {
	return member(c.target.service.desc, c.target.op.Input, reflect.ValueOf(c.input), path)
}
