package settings_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// together has transactions wait for one another, once each, after the first
// thing that they have read: from then on each sees what there was before any
// of them changed something.
type together struct {
	signin.DB
	once sync.Once
	all  *sync.WaitGroup
}

// Update is part of signin.DB.
func (d *together) Update(ctx context.Context, f func(signin.Tx) error) error {
	return d.DB.Update(ctx, func(tx signin.Tx) error { return f(&waiting{tx, d}) })
}

type waiting struct {
	signin.Tx
	d *together
}

// PortalSession is part of signin.Tx.
func (w *waiting) PortalSession(id string) (session.Session, bool, error) {
	s, found, err := w.Tx.PortalSession(id)
	w.d.once.Do(func() {
		w.d.all.Done()
		w.d.all.Wait()
	})
	return s, found, err
}

// TestTwoLastAdministratorsAtOnce has the only two administrators remove their
// only devices at the same moment, where whoever has none is blocked: one of
// them has to stay.
func TestTwoLastAdministratorsAtOnce(t *testing.T) {
	node.RunConfig(t, store.Config{}, func(t *testing.T, n *node.Node) {
		lockOut(t, n) // gives admin a device, and sets that one is needed
		people := []string{userID(t, n, "admin"), secondAdministrator(t, n)}
		addDevice(t, n, people[1], authsettings.Totp)
		change(t, n, func(tx *store.Tx) error {
			return credential.SetOneTime(tx, ident.Millis(n.Clock.Now()), n.Instance.IdentityStoreID, people[1], "hash")
		})
		flow := &signin.Flow{DB: store.BindSnapshot[signin.Tx](n.Store), Policies: everything{}, IDs: nodeIDs(), Now: n.Clock.Now}
		var all sync.WaitGroup
		all.Add(len(people))
		answers := make([]error, len(people))
		var done sync.WaitGroup
		for i, person := range people {
			s, device := signIn(t, n, person, time.Hour), devicesOf(t, n, person)[0]
			change(t, n, func(tx *store.Tx) error { return session.Strengthen(tx, ident.Millis(n.Clock.Now()), s.ID) })
			one := *flow
			if n.Store.Dialect() == store.PostgreSQL { // SQLite runs one after the other
				one.DB = &together{DB: flow.DB, all: &all}
			}
			done.Go(func() { answers[i] = one.RemoveDevice(t.Context(), signin.Visit{}, s.ID, device.ID) })
		}
		done.Wait()
		refusals := 0
		for _, err := range answers {
			if fault.Is(err, fault.Conflict) {
				refusals++
			} else if err != nil {
				t.Error(err)
			}
		}
		left := len(devicesOf(t, n, people[0])) + len(devicesOf(t, n, people[1]))
		if refusals != 1 || left != 1 {
			t.Errorf("%d were refused and %d devices are left, want one each: %v", refusals, left, answers)
		}
	})
}

func devicesOf(t *testing.T, n *node.Node, user string) (devices []mfa.Device) {
	t.Helper()
	read(t, n, func(tx *store.Tx) (err error) {
		devices, err = mfa.List(tx, n.Instance.IdentityStoreID, user)
		return err
	})
	return devices
}
