package signin_test

import (
	"context"
	"testing"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// beforeUpdate does something before the n-th transaction that writes.
type beforeUpdate struct {
	signin.DB
	n  int
	do func()
}

func (d *beforeUpdate) Update(ctx context.Context, f func(signin.Tx) error) error {
	if d.n--; d.n == 0 {
		d.do()
	}
	return d.DB.Update(ctx, f)
}

// TestChangesWhileThePasswordIsChecked changes what the right password opens
// while it is hashed, which takes place between two transactions: it opens
// nothing any more.
func TestChangesWhileThePasswordIsChecked(t *testing.T) {
	for name, change := range map[string]func(b *bench){
		"reset":    func(b *bench) { b.setOneTime(oneTime) },
		"replaced": func(b *bench) { b.setOwn("Another-1-own") },
		"disabled": func(b *bench) {
			b.update(func(tx *store.Tx) error {
				_, _, err := directory.DisableUser(tx, directory.Stamp{At: b.now, By: "test"}, b.in.IdentityStoreID, b.sam.ID)
				return err
			})
		},
		"deleted": func(b *bench) {
			b.update(func(tx *store.Tx) error {
				_, _, err := directory.DeleteUser(tx, b.in.IdentityStoreID, b.sam.ID)
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.Open(t, store.Config{}))
			b.setOwn(chosen)
			v := from("203.0.113.9")
			a := b.begin(v, "sam.lee")
			changed := false
			b.flow.DB = &beforeUpdate{b.flow.DB, 2, func() {
				changed = true
				change(b)
			}}
			out, err := b.flow.Password(t.Context(), v, a.ID, chosen)
			if !changed {
				t.Fatal("nothing was changed: the transactions are others now")
			}
			if out.Token != "" || err == nil || !wrong(err) && !gone(err) {
				t.Errorf("the password of before opened: step %d, token %q, %v", out.Attempt.Next(), out.Token, err)
			}
		})
	}
}
