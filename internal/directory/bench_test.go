package directory_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// populate creates n users, many in a transaction.
func populate(b *testing.B, w *world, n int) {
	b.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		must(update(b, w, func(tx directory.Tx) (struct{}, error) {
			for i := from; i < min(from+batch, n); i++ {
				if _, err := directory.CreateUser(tx, w.ids, w.stamp(), testStore, person(fmt.Sprint("user-", i))); err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, nil
		}))(b)
	}
}

func BenchmarkCreateUser(b *testing.B) {
	w := newWorld(storetest.Open(b, store.Config{}))
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w.mustUser(b, fmt.Sprint("user-", n.Add(1)))
		}
	})
}

// BenchmarkRead shows that the cost of reading does not depend on the size of
// the directory, nor on the page.
func BenchmarkRead(b *testing.B) {
	for _, size := range []int{100, 100_000} {
		w := newWorld(storetest.Open(b, store.Config{}))
		populate(b, w, size)
		users := must(view(b, w, func(tx directory.Tx) ([]directory.User, error) { return tx.DirectoryUsers(testStore, "", size) }))(b)
		for name, read := range map[string]func(tx directory.Tx) (directory.User, error){
			"DescribeUser": func(tx directory.Tx) (directory.User, error) {
				return directory.UserByID(tx, testStore, users[size/2].ID)
			},
			"GetUserId": func(tx directory.Tx) (u directory.User, err error) {
				u.ID, err = directory.UserIDByAttribute(tx, testStore, "userName", users[size/2].UserName)
				return u, err
			},
			"ListUsers first page": func(tx directory.Tx) (u directory.User, err error) {
				_, _, err = directory.ListUsers(tx, testStore, directory.Filter{}, "", 100)
				return u, err
			},
			"ListUsers last page": func(tx directory.Tx) (u directory.User, err error) {
				_, _, err = directory.ListUsers(tx, testStore, directory.Filter{}, users[max(0, size-101)].ID, 100)
				return u, err
			},
		} {
			b.Run(fmt.Sprint(name, " of ", size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					must(view(b, w, read))(b)
				}
			})
		}
	}
}
