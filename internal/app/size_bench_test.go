//go:build unix

package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// BenchmarkSize measures reads of the directory from the handler inwards, each
// time of another user, in directories of very different sizes: what they cost
// must hardly depend on it. The large one takes minutes to fill; -short leaves
// it out.
func BenchmarkSize(b *testing.B) {
	sizes := []int{100, 10_000}
	if !testing.Short() {
		sizes = append(sizes, 1_000_000)
	}
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) { benchmarkSize(b, size) })
	}
}

func benchmarkSize(b *testing.B, size int) {
	db := storetest.Open(b, store.Config{Clock: time.Now})
	n := newBenchNodeOn(b, db)
	size -= 2 // and the sample's people, so that the last page is full
	ids := populate(b, db, n.store, size)
	base := fmt.Sprintf(`{"IdentityStoreId":%q`, n.store)
	last := base + `,"MaxResults":100`
	for page := (struct{ NextToken string }{"first"}); page.NextToken != ""; {
		if page.NextToken != "first" {
			last = base + fmt.Sprintf(`,"MaxResults":100,"NextToken":%q`, page.NextToken)
		}
		page.NextToken = ""
		n.read(b, operation{"identitystore", "AWSIdentityStore.ListUsers", last + "}"}, &page)
	}
	spread := func(i int) int { return int(uint64(i) * 0x9E3779B97F4A7C15 % uint64(size)) }
	for _, q := range []struct {
		name, target string
		body         func(i int) string
	}{
		{"DescribeUser", "DescribeUser", func(i int) string { return base + fmt.Sprintf(`,"UserId":%q}`, ids[spread(i)]) }},
		{"GetUserId", "GetUserId", func(i int) string {
			return base + fmt.Sprintf(`,"AlternateIdentifier":{"UniqueAttribute":{"AttributePath":"userName","AttributeValue":"seed-%d"}}}`, spread(i))
		}},
		{"ListUsersFirst", "ListUsers", func(int) string { return base + `,"MaxResults":100}` }},
		{"ListUsersLast", "ListUsers", func(int) string { return last + "}" }},
	} {
		b.Run(q.name, func(b *testing.B) {
			requests := make([]*http.Request, 512)
			bodies := make([]string, len(requests))
			for i := range requests {
				bodies[i] = q.body(i)
				requests[i] = n.request(b, operation{"identitystore", "AWSIdentityStore." + q.target, bodies[i]})
			}
			a, i := &answer{header: http.Header{}}, 0
			defer reportCPU(b)()
			for b.Loop() {
				r := requests[i%len(requests)]
				r.Body = readCloser{strings.NewReader(bodies[i%len(requests)])}
				n.serve(b, a, r)
				i++
			}
		})
	}
}

// populate creates size users, many in a transaction, and returns their ids.
func populate(b *testing.B, db *store.Store, storeID string, size int) []string {
	b.Helper()
	const batch = 2000
	all, source := make([]string, size), ident.NewSource(rand.Reader)
	for from := 0; from < size; from += batch {
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			for i := from; i < min(from+batch, size); i++ {
				name := fmt.Sprint("seed-", i)
				u, err := directory.CreateUser(tx, source, directory.Stamp{At: ident.Millis(time.Now()), By: "arn:aws:iam::123456789012:user/administrator"}, storeID, directory.NewUser{Attributes: directory.Attributes{
					UserName: name, DisplayName: "Display " + name, Name: directory.Name{GivenName: "Given", FamilyName: "Family"},
					Emails: []directory.Email{{Value: name + "@example.com", Type: "work", Primary: new(true)}},
				}})
				if err != nil {
					return err
				}
				all[i] = u.ID
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return all
}
