package settings_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/api/settings"
	"github.com/atrium-iam/atrium/internal/api/ssoadmin"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	ssoadminwire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/test/node"
)

// TestDeletingIsTold deletes Identity Center by each of the two operations, and
// expects that the letters about it outlive it: to the administrators, and to
// who did it.
func TestDeletingIsTold(t *testing.T) {
	box := &mail.Outbox{Keys: plainKeys{}, IDs: nodeIDs()}
	for name, remove := range map[string]func(context.Context, *node.Node, iam.Principal, gateway.Request) error{
		"settings": func(ctx context.Context, n *node.Node, caller iam.Principal, r gateway.Request) error {
			return store.Bind[settings.Tx](n.Store).Update(ctx, func(tx settings.Tx) error {
				_, err := settings.Service{Policies: everything{}, Mail: box}.DeleteInstance(&gateway.Context[settings.Tx]{
					Context: ctx, Tx: tx, Caller: caller, Request: r, Op: wire.Descriptor().OperationByName("DeleteInstance"),
				}, &wire.DeleteInstanceRequest{InstanceArn: new(n.Instance.ARN()), Confirmation: &n.Instance.ID})
				return err
			})
		},
		"sso-admin": func(ctx context.Context, n *node.Node, caller iam.Principal, r gateway.Request) error {
			return store.Bind[ssoadmin.Tx](n.Store).Update(ctx, func(tx ssoadmin.Tx) error {
				_, err := ssoadmin.Service{Farewell: administrator.Farewell{Mail: box, Policies: everything{}}}.DeleteInstance(&gateway.Context[ssoadmin.Tx]{
					Context: ctx, Tx: tx, Caller: caller, Request: r, Op: ssoadminwire.Descriptor().OperationByName("DeleteInstance"),
				}, &ssoadminwire.DeleteInstanceRequest{InstanceArn: new(n.Instance.ARN())})
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			node.Run(t, func(t *testing.T, n *node.Node) {
				now := ident.Millis(n.Clock.Now())
				second := secondAdministrator(t, n)
				change(t, n, func(tx *store.Tx) error {
					return credential.SetOneTime(tx, now, n.Instance.IdentityStoreID, second, "hash")
				})
				by := iam.Principal{
					Kind: iam.KindRoleSession, AccountID: node.Management, ARN: "arn:aws:sts::123456789012:assumed-role/Role/sam.lee",
					IdentityStoreUserID: userID(t, n, "sam.lee"), MFAAt: now,
				}
				err := remove(t.Context(), n, by, gateway.Request{Time: now, SourceIP: "192.0.2.7", UserAgent: "aws-cli/2"})
				if err != nil {
					t.Fatal(err)
				}
				want := mail.Content{About: n.Instance.ARN(), By: by.ARN, From: "192.0.2.7", Client: "aws-cli/2", At: now}
				var to []string
				for _, l := range farewells(t, n, now) {
					to = append(to, l.To)
					got := l.Content
					got.Name = ""
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("to %s (-want +got):\n%s", l.To, diff)
					}
				}
				slices.Sort(to)
				if diff := cmp.Diff([]string{"admin@example.com", "sam.lee@example.com", "second@example.com"}, to); diff != "" {
					t.Errorf("written to (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// farewells are the letters that tell of a deletion.
func farewells(t *testing.T, n *node.Node, now time.Time) (letters []mail.Letter) {
	t.Helper()
	read(t, n, func(tx *store.Tx) error {
		all, err := tx.DueLetters(now.Add(time.Hour), 100)
		letters = nil
		for _, l := range all {
			if l.Kind != mail.Deleted {
				continue
			}
			var c mail.Content
			if err := json.Unmarshal(l.Sealed, &c); err != nil {
				return err
			}
			letters = append(letters, mail.Letter{To: l.To, Content: c})
		}
		return err
	})
	return letters
}
