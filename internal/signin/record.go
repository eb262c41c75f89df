package signin

import (
	"encoding/json"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/rootuser"
)

// The services in whose name sign-ins are recorded, as AWS has them.
const (
	signinSource    = "signin.amazonaws.com"
	directorySource = "sso-directory.amazonaws.com"
	portalSource    = "sso.amazonaws.com"
)

// The CredentialTypes of AWS.
const (
	typePassword  = "PASSWORD"
	typeTotp      = string(authsettings.Totp)
	typeWebauthn  = string(authsettings.Webauthn)
	typeEmailCode = "EMAIL_OTP"
)

// record describes an event of an attempt: CredentialChallenge,
// CredentialVerification or UserAuthentication, as AWS records them. The user
// is named by id, and only once the attempt knows; what was typed as a user
// name may be anything, a password too, and is never recorded.
func (f *Flow) record(tx Tx, v Visit, a Attempt, event, credentialType string, well bool) (audit.Record, error) {
	in, err := instanceOf(tx, a.StoreID)
	if err != nil {
		return audit.Record{}, err
	}
	result := "Success"
	if !well {
		result = "Failure"
	}
	data, err := json.Marshal(map[string]string{"AuthWorkflowID": a.ID, "CredentialType": credentialType})
	if err != nil {
		return audit.Record{}, err
	}
	details, err := json.Marshal(map[string]string{event: result})
	if err != nil {
		return audit.Record{}, err
	}
	return audit.Record{
		UserIdentity: IdentityOf(in, a.UserID), EventTime: f.now(),
		EventSource: signinSource, EventName: event, EventType: audit.ServiceEvent, Region: in.Region,
		SourceIPAddress: v.Address.String(), UserAgent: v.Client().UserAgent,
		AdditionalEventData: data, ServiceEventDetails: details,
		RequestID: v.RequestID, EventID: f.IDs.UUID(), RecipientAccountID: in.OwnerAccountID,
	}, nil
}

// rootRegion is where AWS records that root users sign in.
const rootRegion = "us-east-1"

// instanceOf returns the instance that an identity store belongs to. A root
// user's belongs to none: what is returned then names its account.
func instanceOf(tx Tx, storeID string) (instance.Instance, error) {
	if account, isRoot := rootuser.AccountOf(storeID); isRoot {
		return instance.Instance{IdentityStoreID: storeID, OwnerAccountID: account, Region: rootRegion}, nil
	}
	in, _, err := tx.InstanceByIdentityStore(storeID)
	return in, err
}

// IdentityOf is a person of an instance's directory in an audit record's
// words; userID is empty for somebody unknown.
func IdentityOf(in instance.Instance, userID string) audit.UserIdentity {
	if userID == "" {
		return audit.UserIdentity{Type: "Unknown", AccountID: in.OwnerAccountID}
	}
	if account, isRoot := rootuser.AccountOf(in.IdentityStoreID); isRoot {
		return audit.UserIdentity{Type: "Root", PrincipalID: account, ARN: rootuser.ARN(account), AccountID: account}
	}
	return audit.UserIdentity{
		Type: "IdentityCenterUser", AccountID: in.OwnerAccountID,
		OnBehalfOf: &audit.OnBehalfOf{
			UserID:           userID,
			IdentityStoreARN: "arn:aws:identitystore::" + in.OwnerAccountID + ":identitystore/" + in.IdentityStoreID,
		},
	}
}
