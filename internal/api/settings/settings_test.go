package settings_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// updatePassword asks for a one-time password of a user of the sample data.
func updatePassword(t *testing.T, n *node.Node, who *node.Caller, userName, mode string) (password string, a node.Answer) {
	t.Helper()
	s := wire.Descriptor()
	a = n.Send(t, who, node.NewCall(s, s.OperationByName("UpdatePassword"), &wire.UpdatePasswordRequest{
		IdentityStoreId: &n.Instance.IdentityStoreID, UserId: new(userID(t, n, userName)), PasswordMode: &mode,
	}))
	var told struct{ OneTimePassword string }
	if err := json.Unmarshal(a.Body, &told); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	return told.OneTimePassword, a
}

func userID(t *testing.T, n *node.Node, userName string) (id string) {
	t.Helper()
	read(t, n, func(tx *store.Tx) (err error) {
		id, _, err = tx.DirectoryUserIDByName(n.Instance.IdentityStoreID, userName)
		return err
	})
	return id
}

func read(t *testing.T, n *node.Node, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := n.Store.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func passwordOf(t *testing.T, n *node.Node, userName string) (p credential.Password) {
	t.Helper()
	id := userID(t, n, userName)
	read(t, n, func(tx *store.Tx) (err error) {
		p, _, err = tx.PasswordOf(n.Instance.IdentityStoreID, id)
		return err
	})
	return p
}

func TestUpdatePasswordSetsAOneTimePassword(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		hasher := credential.NewHasher(credential.Recommended(), 1, rand.Reader)
		earlier := ""
		for range 2 {
			password, answer := updatePassword(t, n, admin, "sam.lee", "OTP")
			if answer.Status != http.StatusOK {
				t.Fatalf("%d %s", answer.Status, answer.Body)
			}
			if err := credential.Check(password, "sam.lee"); err != nil {
				t.Errorf("the password %q is not acceptable: %v", password, err)
			}
			stored := passwordOf(t, n, "sam.lee")
			if opens, err := hasher.Matches(t.Context(), stored.Hash, password); err != nil || !opens {
				t.Errorf("the password that was answered does not open (%v)", err)
			}
			if !stored.OneTime {
				t.Error("the person could keep a password that an administrator knows")
			}
			if password == earlier {
				t.Error("the same password was given out twice")
			}
			earlier = password
		}
	})
}

func TestUpdatePasswordEndsSessions(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		sam := userID(t, n, "sam.lee")
		var token string
		err := n.Store.Update(t.Context(), func(tx *store.Tx) (err error) {
			_, token, err = session.Start(tx, n.Clock.Now(), ident.NewSource(rand.Reader), n.Instance.IdentityStoreID, sam, time.Hour, session.Client{})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, answer := updatePassword(t, n, admin, "sam.lee", "OTP"); answer.Status != http.StatusOK {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		read(t, n, func(tx *store.Tx) error {
			_, found, err := session.ByToken(tx, n.Clock.Now(), token)
			if found {
				t.Error("the person is still signed in")
			}
			if err != nil {
				return err
			}
			raised, err := tx.EpochsAfter(epoch.Epoch{}, 100)
			for _, e := range raised {
				if e.Ref == (epoch.Ref{Scope: epoch.User, ID: sam}) {
					return err
				}
			}
			t.Error("the person's credentials still hold")
			return err
		})
	})
}

// TestUpdatePasswordIsRefused has callers ask for what they may not have, and
// expects that nothing changes.
func TestUpdatePasswordIsRefused(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		who := n.Callers(t)
		for name, c := range map[string]struct {
			by             *node.Caller
			userName, mode string
			code, message  string
		}{
			"by mail":                    {who.Admin, "sam.lee", "EMAIL", "ValidationException", "sends no e-mail"},
			"without permission":         {who.Powerless, "sam.lee", "OTP", "AccessDeniedException", "not authorized to perform: sso-directory:UpdatePassword"},
			"by a member account":        {who.Member, "sam.lee", "OTP", "AccessDeniedException", "neither owns this instance"},
			"of an owner, by a delegate": {who.Delegated, "admin", "OTP", "AccessDeniedException", "has access to the management account"},
			"of nobody":                  {who.Admin, "nobody", "OTP", "ValidationException", ""},
		} {
			t.Run(name, func(t *testing.T) {
				before := passwordOf(t, n, c.userName)
				_, answer := updatePassword(t, n, c.by, c.userName, c.mode)
				if answer.Code != c.code || !strings.Contains(answer.Message, c.message) {
					t.Errorf("%s %q, want %s %q", answer.Code, answer.Message, c.code, c.message)
				}
				if after := passwordOf(t, n, c.userName); after.Hash != before.Hash {
					t.Error("the password was changed")
				}
			})
		}
		if _, answer := updatePassword(t, n, who.Delegated, "sam.lee", "OTP"); answer.Status != http.StatusOK {
			t.Errorf("the delegated administrator, for a user without access to the management account: %s", answer.Body)
		}
	})
}

func TestUpdatePasswordIsRecordedWithoutThePassword(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		password, _ := updatePassword(t, n, n.Administrator(t, node.Management), "sam.lee", "OTP")
		var found json.RawMessage
		n.Audit(t, func(all []audit.Entry) bool {
			for _, e := range all {
				if strings.Contains(string(e.JSON), password) {
					t.Errorf("the trail holds the password: %s", e.JSON)
				}
				if strings.Contains(string(e.JSON), `"UpdatePassword"`) {
					found = e.JSON
				}
			}
			return found != nil
		})
		var record struct {
			EventSource       string
			RequestParameters map[string]string
			ResponseElements  any
		}
		if err := json.Unmarshal(found, &record); err != nil {
			t.Fatalf("%v: %s", err, found)
		}
		if record.EventSource != "sso-directory.amazonaws.com" || record.ResponseElements != nil ||
			record.RequestParameters["userId"] != userID(t, n, "sam.lee") || record.RequestParameters["passwordMode"] != "OTP" {
			t.Errorf("recorded as %s", found)
		}
	})
}

// TestEventSources holds that records name the event source under which AWS
// records the console's calls.
func TestEventSources(t *testing.T) {
	s := wire.Descriptor()
	for _, o := range s.Operations {
		prefix, _, _ := strings.Cut(o.Action, ":")
		source := o.EventSource
		if source == "" {
			source = s.EventSource
		}
		want := map[string]string{
			"sso": "sso.amazonaws.com", "sso-directory": "sso-directory.amazonaws.com", "identitystore-auth": "sso.amazonaws.com",
		}[prefix]
		if source != want {
			t.Errorf("%s, which asks for %s, is recorded under %s, want %s", o.Name, o.Action, source, want)
		}
	}
	node.Run(t, func(t *testing.T, n *node.Node) {
		call(t, n, n.Administrator(t, node.Management), "PutMfaDeviceManagementForDirectory", &wire.PutMfaDeviceManagementForDirectoryRequest{
			InstanceArn: new(n.Instance.ARN()), UserPermission: new("READ_ACTIONS"),
		})
		var record struct{ EventSource string }
		n.Audit(t, func(all []audit.Entry) bool {
			for _, e := range all {
				if strings.Contains(string(e.JSON), `"PutMfaDeviceManagementForDirectory"`) {
					return json.Unmarshal(e.JSON, &record) == nil
				}
			}
			return false
		})
		if record.EventSource != "sso.amazonaws.com" {
			t.Errorf("recorded under %q", record.EventSource)
		}
	})
}
