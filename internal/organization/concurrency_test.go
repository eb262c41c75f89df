package organization_test

import (
	"crypto/rand"
	"fmt"
	"sync"
	"testing"

	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// Of many clients that ask for the same thing at once one gets it, and every
// other one is told why it does not.
func TestConcurrentCreation(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.ids = ident.NewSource(rand.Reader) // unlike the seeded one, safe for concurrent use
		const clients = 16
		states := make([]string, clients)
		units := make([]string, clients)
		var group sync.WaitGroup
		for i := range clients {
			group.Go(func() {
				_, later, err := w.request(organization.AccountRequest{Name: fmt.Sprint("client ", i), Email: "same@example.com"})
				states[i] = brief(err) + " " + string(later.State) + " " + string(later.FailureReason)
				units[i] = brief(w.do(func(tx organization.Tx) error {
					_, err := organization.CreateOrganizationalUnit(tx, w.now, w.ids, w.org, w.org.RootID, "Same", nil)
					return err
				}))
			})
		}
		group.Wait()
		for name, outcomes := range map[string][]string{
			"ok SUCCEEDED , ok FAILED EMAIL_ALREADY_EXISTS": states,
			"ok, conflict:organizational_unit":              units,
		} {
			won, lost := 0, 0
			for _, outcome := range outcomes {
				switch outcome {
				case "ok SUCCEEDED ", "ok":
					won++
				case "ok FAILED EMAIL_ALREADY_EXISTS", "conflict:organizational_unit":
					lost++
				}
			}
			if won != 1 || lost != clients-1 {
				t.Errorf("want one and %d of %q, got %q", clients-1, name, outcomes)
			}
		}
		w.must(func(tx organization.Tx) error {
			n, err := tx.CountMembers(w.org.ID)
			if n != 2 {
				t.Errorf("%d accounts, want the management account and one more", n)
			}
			return err
		})
	})
}
