package signin_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestAnOfficeSignsInAtOnce has many people behind one address come to work
// in the same moment: nobody is slowed down by the others.
func TestAnOfficeSignsInAtOnce(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		const people = 60
		b := newBench(t, s)
		b.hire(people)
		var wg sync.WaitGroup
		for i := range people {
			wg.Go(func() {
				v := signin.Visit{Browser: fmt.Sprint("browser", i), Address: netip.MustParseAddr("203.0.113.9"), RequestID: "request"}
				a, err := b.flow.Begin(context.Background(), v, b.in.IdentityStoreID, fmt.Sprint("user", i), "/start")
				if err != nil {
					t.Errorf("person %d begins: %v", i, err)
					return
				}
				if out, err := b.flow.Password(context.Background(), v, a.ID, chosen); err != nil || out.Token == "" {
					t.Errorf("person %d: %v", i, err)
				}
			})
		}
		wg.Wait()
	})
}

// hire creates people user0, user1, … with a password of their own.
func (b *bench) hire(people int) {
	b.t.Helper()
	hash, err := b.flow.Hasher.Hash(b.t.Context(), chosen)
	if err != nil {
		b.t.Fatal(err)
	}
	b.update(func(tx *store.Tx) error {
		for i := range people {
			name := fmt.Sprint("user", i)
			u, err := directory.CreateUser(tx, b.flow.IDs, directory.Stamp{At: b.now, By: "test"}, b.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
				UserName: name, DisplayName: name, Name: directory.Name{GivenName: name, FamilyName: name},
			}})
			if err != nil {
				return err
			}
			err = tx.InsertPassword(credential.Password{StoreID: b.in.IdentityStoreID, UserID: u.ID, Hash: hash, ChangedAt: b.now, Version: 1})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
