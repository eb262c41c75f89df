package sdk

import (
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
	"github.com/atrium-iam/atrium/test/workload"
)

// clients is how many clients work at once.
const clients = 64

// TestConcurrency lets 64 clients create and delete users, groups, memberships,
// permission sets and assignments at once. Afterwards the database holds what
// was acknowledged, all of it and nothing else.
func TestConcurrency(t *testing.T) {
	node.RunDatabase(t, store.Config{RunTwice: true}, func(t *testing.T, n *node.Node, database node.Database) {
		admin := n.Administrator(t, node.Management)
		for i := range 3 {
			_, err := admin.SSOAdmin.CreatePermissionSet(t.Context(), &ssoadmin.CreatePermissionSetInput{
				InstanceArn: new(n.Instance.ARN()), Name: new(fmt.Sprintf("shared-%d", i)),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		db := workload.Open(t, database)
		load := workload.New(n.Instance.IdentityStoreID, n.Instance.ARN())
		load.Share(t, db)
		var all sync.WaitGroup
		for i := range clients {
			w := load.Worker(n.Session(t, admin.KeyID, admin.Secret, ""), fmt.Sprintf("w%d", i))
			all.Go(func() { w.Run(t.Context(), 25) })
		}
		all.Wait()
		done, unanswered := load.Report(t)
		t.Logf("%d changes acknowledged", done)
		if done < clients*12 || unanswered > 0 {
			t.Errorf("%d changes acknowledged, %d not answered", done, unanswered)
		}
		load.Check(t, db)
		load.CheckAudit(t, db)
		n.VerifyAudit(t)
	})
}

// TestOneWinner lets many clients ask for the same thing at once: one gets it,
// all others hear why not.
func TestOneWinner(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		name, storeID := new("the-one"), &n.Instance.IdentityStoreID
		for what, call := range map[string]func() error{
			"user": func() error {
				_, err := admin.IdentityStore.CreateUser(t.Context(), &identitystore.CreateUserInput{
					IdentityStoreId: storeID, UserName: name, DisplayName: name,
					Name: &identitytypes.Name{GivenName: name, FamilyName: name},
				})
				return err
			},
			"group": func() error {
				_, err := admin.IdentityStore.CreateGroup(t.Context(), &identitystore.CreateGroupInput{IdentityStoreId: storeID, DisplayName: name})
				return err
			},
			"permission set": func() error {
				_, err := admin.SSOAdmin.CreatePermissionSet(t.Context(), &ssoadmin.CreatePermissionSetInput{
					InstanceArn: new(n.Instance.ARN()), Name: name,
				})
				return err
			},
		} {
			var all sync.WaitGroup
			outcomes := make(chan error, clients)
			for range clients {
				all.Go(func() { outcomes <- call() })
			}
			all.Wait()
			close(outcomes)
			won := 0
			for err := range outcomes {
				if err == nil {
					won++
				} else if codeOf(err) != "ConflictException" {
					t.Errorf("%s: %v", what, err)
				}
			}
			if won != 1 {
				t.Errorf("%d clients were told that they made the %s", won, what)
			}
		}
	})
}
