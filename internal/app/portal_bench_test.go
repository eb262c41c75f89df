package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// The directory that the portal is measured on: each person is in one group,
// and each group has a permission set in some of the accounts. That makes a
// million accesses of a person to an account.
const (
	benchPeople   = 10_000
	benchGroups   = 500
	benchAccounts = 1_000
	benchAccess   = 100 // accounts of a group
	benchLogins   = 256 // people who have an access token
)

// login is a person's access token, and one of the accounts that it opens.
type login struct{ token, account string }

// fill makes the directory and returns the logins, and that of somebody who is
// in every group.
func (c *cluster) fill(b *testing.B) (logins []login, busy login) {
	b.Helper()
	now := ident.Millis(c.now())
	var accounts, groups, people []string
	c.do(func(tx *store.Tx) error {
		accounts = nil
		for i := range benchAccounts {
			a, err := organization.CreateAccount(tx, now, c.ids, c.org, organization.NewAccount{
				ID: fmt.Sprintf("4%011d", i), Name: fmt.Sprintf("account-%d", i), Email: fmt.Sprintf("account-%d@example.com", i),
			})
			if err != nil {
				return err
			}
			accounts = append(accounts, a.ID)
		}
		return nil
	})
	c.do(func(tx *store.Tx) error {
		groups, people = nil, nil
		for i := range benchGroups {
			g, err := directory.CreateGroup(tx, c.ids, c.stamp(), c.in.IdentityStoreID, directory.NewGroup{DisplayName: fmt.Sprintf("Group %d", i)})
			if err != nil {
				return err
			}
			groups = append(groups, g.ID)
		}
		for i := range benchPeople {
			name := fmt.Sprintf("person-%d", i)
			u, err := directory.CreateUser(tx, c.ids, c.stamp(), c.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
				UserName: name, DisplayName: name, Name: directory.Name{GivenName: "Given", FamilyName: "Family"},
			}})
			if err != nil {
				return err
			}
			people = append(people, u.ID)
			if _, err := directory.CreateMembership(tx, c.ids, c.stamp(), c.in.IdentityStoreID, groups[i%benchGroups], u.ID); err != nil {
				return err
			}
		}
		return nil
	})
	c.do(func(tx *store.Tx) error {
		for _, g := range groups[1:] { // the first person is in the first
			if _, err := directory.CreateMembership(tx, c.ids, c.stamp(), c.in.IdentityStoreID, g, people[0]); err != nil {
				return err
			}
		}
		return nil
	})
	for i, g := range groups {
		c.do(func(tx *store.Tx) error {
			s, err := c.set(tx, "Builder")
			for n := 0; n < benchAccess && err == nil; n++ {
				_, err = assignment.Create(tx, now, c.ids, c.in, s, accounts[(i*benchAccess/2+n)%benchAccounts], assignment.Principal{Type: assignment.Group, ID: g})
			}
			return err
		})
	}
	for i := range benchLogins {
		person := (1 + i*37) % benchPeople
		logins = append(logins, login{c.token(b, people[person]), accounts[(person%benchGroups*benchAccess/2+i%benchAccess)%benchAccounts]})
	}
	return logins, login{c.token(b, people[0]), accounts[benchAccounts/2]}
}

// token returns an access token of a person who has just signed in.
func (c *cluster) token(b *testing.B, user string) string {
	b.Helper()
	n, now := c.nodes[0], ident.Millis(c.now())
	client, _, err := oauth.Register(n.oauthKeys(), now, c.ids, oauth.NewClient{Name: "bench", Type: "public", Scopes: []string{oauth.ScopeAccountAccess}})
	if err != nil {
		b.Fatal(err)
	}
	var access string
	c.do(func(tx *store.Tx) error {
		s, _, err := session.Start(tx, now, c.ids, c.in.IdentityStoreID, user, session.DefaultDuration, session.Client{})
		if err != nil {
			return err
		}
		d, code, err := oauth.StartDevice(tx, now, c.ids, client, c.in.IdentityStoreID, oauth.Requester{})
		if err != nil {
			return err
		}
		if _, err := oauth.ApproveDevice(tx, now, s, d.UserCode); err != nil {
			return err
		}
		tokens, err := oauth.RedeemDevice(tx, now, c.ids, n.oauthKeys(), client, code)
		access = tokens.Access
		return err
	})
	return access
}

// BenchmarkPortal measures the portal API from the handler inwards, with 64
// programs at once and the audit trail being written.
func BenchmarkPortal(b *testing.B) {
	for engine, dsn := range map[string]func(testing.TB) string{
		"SQLite": func(testing.TB) string { return "" }, "PostgreSQL": storetest.Postgres,
	} {
		b.Run(engine, func(b *testing.B) {
			c := newCluster(b, store.Config{PostgresDSN: dsn(b)}, 1)
			logins, busy := c.fill(b)
			ctx, stop := context.WithCancel(b.Context())
			trail := make(chan struct{})
			go func() { defer close(trail); c.nodes[0].trail.Run(ctx) }()
			defer func() { stop(); <-trail }()
			for name, path := range map[string]func(login) string{
				"GetRoleCredentials": func(l login) string { return "/federation/credentials?role_name=Builder&account_id=" + l.account },
				"ListAccounts":       func(login) string { return "/assignment/accounts?max_result=100" },
				"ListAccountRoles":   func(l login) string { return "/assignment/roles?account_id=" + l.account },
			} {
				b.Run(name, func(b *testing.B) { c.portal(b, logins, path) })
				b.Run(name+"InEveryGroup", func(b *testing.B) { c.portal(b, []login{busy}, path) })
			}
		})
	}
}

// portal has programs of the logins ask for a path, all at once.
func (c *cluster) portal(b *testing.B, logins []login, path func(login) string) {
	b.SetParallelism(32)
	defer reportCPU(b)()
	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l := logins[int(next.Add(1))%len(logins)]
			r := httptest.NewRequest(http.MethodGet, c.nodes[0].url+path(l), nil)
			r.Header.Set("X-Amz-Sso_bearer_token", l.token)
			w := httptest.NewRecorder()
			c.nodes[0].handler.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				b.Errorf("%d %s", w.Code, w.Body)
			}
		}
	})
}
