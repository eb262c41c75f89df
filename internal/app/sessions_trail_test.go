package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestSessionsInTheTrail reads what the trail says of opening roles: who and
// which, and no secret.
func TestSessionsInTheTrail(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		n := c.nodes[0]
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); n.trail.Run(ctx) }()
		defer func() { stop(); <-ended }()

		admin := c.person("admin")
		portal := c.signIn(admin)
		token := c.logIn(portal)
		got, err := n.roleCredentials(t.Context(), token, sampleManagement, "Administrator")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.roleCredentials(t.Context(), token, sampleManagement, "Nothing"); err == nil {
			t.Fatal("a role that does not exist was opened")
		}
		first := keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}
		out, err := n.assume(t, first, accessRole)
		if err != nil {
			t.Fatal(err)
		}
		second := pairOf(out.Credentials)

		records, all := c.trailOf("GetRoleCredentials", "GetRoleCredentials", "AssumeRole")
		// A record is enqueued after its request was answered, so the next
		// request's may be before it.
		slices.SortFunc(records, func(a, b map[string]any) int {
			order := func(r map[string]any) string { return fmt.Sprint(r["eventSource"], r["errorCode"] != nil) }
			return strings.Compare(order(a), order(b))
		})
		person := map[string]any{
			"type": "IdentityCenterUser", "accountId": sampleManagement, "credentialId": portal.ID,
			"onBehalfOf": map[string]any{"userId": admin, "identityStoreArn": "arn:aws:identitystore::123456789012:identitystore/" + c.in.IdentityStoreID},
		}
		for i, want := range []map[string]any{
			{
				"eventName": "GetRoleCredentials", "eventSource": "sso.amazonaws.com", "userIdentity": person,
				"requestParameters": map[string]any{"accountId": sampleManagement, "roleName": "Administrator"},
				"responseElements":  map[string]any{"roleCredentials": map[string]any{"accessKeyId": first.id, "expiration": float64(got.Expiration)}},
			},
			{
				"eventName": "GetRoleCredentials", "eventSource": "sso.amazonaws.com", "userIdentity": person, "errorCode": "ForbiddenException", "errorMessage": "No access",
				"requestParameters": map[string]any{"accountId": sampleManagement, "roleName": "Nothing"},
			},
			{"eventName": "AssumeRole", "eventSource": "sts.amazonaws.com", "readOnly": true, "recipientAccountId": sampleManagement},
		} {
			for key, value := range want {
				if diff := cmp.Diff(value, records[i][key]); diff != "" {
					t.Errorf("record %d, %s (-want +got):\n%s", i, key, diff)
				}
			}
		}
		identity, _ := records[2]["userIdentity"].(map[string]any)
		session, _ := identity["sessionContext"].(map[string]any)
		attributes, _ := session["attributes"].(map[string]any)
		if identity["type"] != "AssumedRole" || identity["accessKeyId"] != first.id || attributes["creationDate"] == nil || attributes["mfaAuthenticated"] != "false" {
			t.Errorf("the caller of AssumeRole: %v", identity)
		}
		for name, secret := range map[string]string{
			"access token": token, "secret key": first.secret, "session token": first.token,
			"assumed secret key": second.secret, "assumed session token": second.token,
		} {
			if strings.Contains(all, secret) {
				t.Errorf("the %s is in the trail", name)
			}
		}
	})
}

// trailOf waits until the trail has records of these operations, in this order
// among the operations named, and returns them with the text of the trail.
func (c *cluster) trailOf(names ...string) (records []map[string]any, all string) {
	c.t.Helper()
	wanted := make(map[string]bool)
	for _, name := range names {
		wanted[name] = true
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		records, all = nil, ""
		err := c.nodes[0].Store.View(c.t.Context(), func(tx *store.Tx) error {
			entries, _, err := audit.Read(tx, 0, 10_000)
			for _, e := range entries {
				all += string(e.JSON) + "\n"
				var r map[string]any
				if err := json.Unmarshal(e.JSON, &r); err != nil {
					return err
				}
				if name, _ := r["eventName"].(string); wanted[name] {
					records = append(records, r)
				}
			}
			return err
		})
		if err != nil {
			c.t.Fatal(err)
		}
		if len(records) == len(names) {
			return records, all
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("the trail has %d of %d records:\n%s", len(records), len(names), all)
		}
	}
}
