package settings_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/test/node"
)

// everyCall is a call of each operation that can succeed on a node that sends
// no mail; the last ones change the instance itself.
func everyCall(t *testing.T, n *node.Node) (order []string, inputs map[string]any) {
	arn, storeID := new(n.Instance.ARN()), &n.Instance.IdentityStoreID
	sam := new(userID(t, n, "sam.lee"))
	renamed, removed := addDevice(t, n, *sam, authsettings.Totp), addDevice(t, n, *sam, authsettings.Webauthn)
	inputs = map[string]any{
		"GetSSOStatus":              &wire.GetSSOStatusInput{},
		"DescribeDirectory":         &wire.DescribeDirectoryRequest{IdentityStoreId: storeID},
		"ListDirectoryAssociations": &wire.ListDirectoryAssociationsRequest{InstanceArn: arn},
		"CreateAlias":               &wire.CreateAliasRequest{IdentityStoreId: storeID, Alias: new("example-corp")},
		"GetSsoConfiguration":       &wire.GetSsoConfigurationRequest{InstanceArn: arn},
		"UpdateSSOConfiguration": &wire.UpdateSSOConfigurationRequest{
			InstanceArn: arn, ConfigurationType: new("PORTAL"), SsoConfiguration: &wire.SsoConfiguration{PortalConfiguration: &wire.PortalConfiguration{Contact: new("private words")}},
		},
		"GetMfaDeviceManagementForDirectory": &wire.GetMfaDeviceManagementForDirectoryRequest{InstanceArn: arn},
		"PutMfaDeviceManagementForDirectory": &wire.PutMfaDeviceManagementForDirectoryRequest{InstanceArn: arn, UserPermission: new("READ_ACTIONS")},
		"PutAccountAppearance": &wire.PutAccountAppearanceRequest{
			InstanceArn: arn, AccountId: new(node.Production), Label: new("workloads"), AccountColor: new("red"),
		},
		"DescribeAccountAppearance": &wire.DescribeAccountAppearanceRequest{InstanceArn: arn, AccountId: new(node.Production)},
		"ListAccountAppearances":    &wire.ListAccountAppearancesRequest{InstanceArn: arn},
		"DeleteAccountAppearance":   &wire.DeleteAccountAppearanceRequest{InstanceArn: arn, AccountId: new(node.Production)},
		"PutPortalDestinations":     &wire.PutPortalDestinationsRequest{InstanceArn: arn, Destinations: []string{"https://example.com"}},
		"ListPortalDestinations":    &wire.ListPortalDestinationsRequest{InstanceArn: arn},
		"DescribeUser":              &wire.DescribeUserRequest{IdentityStoreId: storeID, UserId: sam},
		"UpdatePassword":            &wire.UpdatePasswordRequest{IdentityStoreId: storeID, UserId: sam, PasswordMode: new("OTP")},
		"DisableUser":               &wire.DisableUserRequest{IdentityStoreId: storeID, UserId: sam},
		"EnableUser":                &wire.EnableUserRequest{IdentityStoreId: storeID, UserId: sam},
		"ListMfaDevicesForUser":     &wire.ListMfaDevicesForUserRequest{IdentityStoreId: storeID, UserId: sam},
		"UpdateMfaDeviceForUser":    &wire.UpdateMfaDeviceForUserRequest{IdentityStoreId: storeID, UserId: sam, DeviceId: &renamed, DeviceName: new("private words")},
		"DeleteMfaDeviceForUser":    &wire.DeleteMfaDeviceForUserRequest{IdentityStoreId: storeID, UserId: sam, DeviceId: &removed},
		"ListSessions":              &wire.ListSessionsRequest{IdentityStoreId: storeID, UserId: sam},
		"BatchGetSession":           &wire.BatchGetSessionRequest{IdentityStoreId: storeID, UserId: sam, SessionIds: []string{strings.Repeat("0", 32)}},
		"BatchDeleteSession":        &wire.BatchDeleteSessionRequest{IdentityStoreId: storeID, UserId: sam, AllSessions: new(true)},
	}
	order = append(order, "PutAccountAppearance", "PutPortalDestinations")
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if !slices.Contains(order, name) && name != "DeleteAccountAppearance" {
			order = append(order, name)
		}
	}
	inputs["DeleteInstance"] = &wire.DeleteInstanceRequest{InstanceArn: arn, Confirmation: &n.Instance.ID}
	inputs["StartSSO"] = &wire.StartSSOInput{}
	return append(order, "DeleteAccountAppearance", "DeleteInstance", "StartSSO"), inputs
}

// TestEveryOperation calls every operation once, with success, and holds the
// trail to what the operations' allow-lists name: one record each, and no words
// of people or secrets.
func TestEveryOperation(t *testing.T) {
	letters := []string{"StartVirtualMfaDeviceRegistration", "VerifyEmail"} // TestLetters has those
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, s := n.Administrator(t, node.Management), wire.Descriptor()
		order, inputs := everyCall(t, n)
		secrets := []string{"private words", "sam.lee", seed}
		for _, o := range s.Operations {
			if _, called := inputs[o.Name]; !called && !slices.Contains(letters, o.Name) {
				t.Errorf("%s is called by no test here", o.Name)
			}
		}
		for _, name := range order {
			out := done[map[string]any](t, n, admin, name, inputs[name])
			if password, ok := out["OneTimePassword"].(string); ok {
				secrets = append(secrets, password)
			}
		}
		records := map[string][]map[string]any{}
		n.Audit(t, func(all []audit.Entry) bool {
			clear(records)
			for _, e := range all {
				var r map[string]any
				if err := json.Unmarshal(e.JSON, &r); err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprint(r["eventName"])
				records[name] = append(records[name], r)
				for _, secret := range secrets {
					if strings.Contains(string(e.JSON), secret) {
						t.Errorf("%q is in the record of %s: %s", secret, name, e.JSON)
					}
				}
			}
			return !slices.ContainsFunc(order, func(name string) bool { return records[name] == nil })
		})
		for _, name := range order {
			o := s.OperationByName(name)
			if len(records[name]) != 1 {
				t.Errorf("%s has %d records", name, len(records[name]))
				continue
			}
			checkRecord(t, o, records[name][0])
		}
	})
}

// checkRecord holds a record to its operation's allow-lists.
func checkRecord(t *testing.T, o *schema.Operation, r map[string]any) {
	t.Helper()
	if r["errorCode"] != nil || r["readOnly"] != o.ReadOnly {
		t.Errorf("%s: error %v, read only: %v", o.Name, r["errorCode"], r["readOnly"])
	}
	for part, allowed := range map[string][]string{"requestParameters": o.AuditRequest, "responseElements": o.AuditResponse} {
		recorded, _ := r[part].(map[string]any)
		for name := range recorded {
			if !slices.ContainsFunc(allowed, func(path string) bool {
				first, _, _ := strings.Cut(path, ".")
				return strings.EqualFold(first, name)
			}) {
				t.Errorf("%s: %s of the %s is recorded, allowed are %q", o.Name, name, part, allowed)
			}
		}
		if len(allowed) > 0 && part == "requestParameters" && len(recorded) == 0 {
			t.Errorf("%s: nothing of the request is recorded", o.Name)
		}
	}
}
