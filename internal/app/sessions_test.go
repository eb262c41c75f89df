package app

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestPortalLists walks through the accounts and roles of the sample's
// administrator, two at a time.
func TestPortalLists(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		admin := c.person("admin")
		token := c.logIn(c.signIn(admin))
		portal := c.last().portal()
		var accounts []string
		for pages := sso.NewListAccountsPaginator(portal, &sso.ListAccountsInput{AccessToken: &token, MaxResults: new(int32(2))}); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(page.AccountList) > 2 {
				t.Errorf("a page of %d", len(page.AccountList))
			}
			for _, a := range page.AccountList {
				accounts = append(accounts, *a.AccountId+" "+*a.AccountName+" "+*a.EmailAddress)
			}
		}
		want := []string{
			"111111111111 production production@example.com", "123456789012 management management@example.com",
			"222222222222 development development@example.com",
		}
		if diff := cmp.Diff(want, accounts); diff != "" {
			t.Errorf("accounts (-want +got):\n%s", diff)
		}
		roles := func() (names []string, code string) {
			for pages := sso.NewListAccountRolesPaginator(portal, &sso.ListAccountRolesInput{
				AccessToken: &token, AccountId: new(sampleProduction), MaxResults: new(int32(1)),
			}); pages.HasMorePages(); {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					return nil, codeOf(err)
				}
				for _, r := range page.RoleList {
					names = append(names, *r.RoleName+" "+*r.AccountId)
				}
			}
			return names, ""
		}
		names, _ := roles()
		if diff := cmp.Diff([]string{"Administrator 111111111111", "Auditor 111111111111"}, names); diff != "" {
			t.Errorf("roles (-want +got):\n%s", diff)
		}
		// A role shows the moment it is assigned.
		c.assign(admin, "Builder", sampleProduction)
		if names, _ = roles(); len(names) != 3 {
			t.Errorf("after an assignment the roles are %v", names)
		}
		c.do(func(tx *store.Tx) error { return organization.CloseAccount(tx, c.org, sampleProduction) })
		if _, code := roles(); code != "ForbiddenException" {
			t.Errorf("roles in a closed account: %q", code)
		}
		out, err := portal.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: &token})
		if err != nil || len(out.AccountList) != 2 {
			t.Errorf("with one account closed: %+v, %v", out, err)
		}
	})
}

// TestPortalRefusals holds each refusal to AWS's status, code and words.
func TestPortalRefusals(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.person("sam.lee")
		signedIn := c.signIn(sam)
		token, other := c.logIn(signedIn), c.logIn(c.signIn(c.person("admin")))
		portal := c.last().portal()
		get := func(token, account, role string) func() error {
			return func() error {
				_, err := portal.GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: &token, AccountId: &account, RoleName: &role})
				return err
			}
		}
		list := func(token string, next *string) func() error {
			return func() error {
				_, err := portal.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: &token, NextToken: next})
				return err
			}
		}
		page, err := portal.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: &other, MaxResults: new(int32(1))})
		if err != nil {
			t.Fatal(err)
		}
		const unauthorized, noAccess = "401 UnauthorizedException Session token not found or invalid", "403 ForbiddenException No access"
		ended := c.logIn(signedIn)
		if _, err := portal.Logout(t.Context(), &sso.LogoutInput{AccessToken: &ended}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			call func() error
			want string
		}{
			{"a role that is not assigned", get(token, sampleDevelopment, "Administrator"), noAccess},
			{"a role that does not exist", get(token, sampleDevelopment, "Nothing"), noAccess},
			{"an account without access", get(token, sampleProduction, "Builder"), noAccess},
			{"an account that does not exist", get(token, "999999999999", "Builder"), noAccess},
			{"the IAM role's name", get(token, sampleDevelopment, "AWSReservedSSO_Builder_0123456789abcdef"), noAccess},
			{"another spelling of the role", get(token, sampleDevelopment, "builder"), noAccess},
			{"no token of ours", get("token", sampleDevelopment, "Builder"), unauthorized},
			{"a changed token", list(changed(token), nil), unauthorized},
			{"a token after logout", list(ended, nil), unauthorized},
			{"another person's page", list(token, page.NextToken), "400 InvalidRequestException The pagination token is not valid for this request. Start again without a token."},
			{"no such page", list(token, new("x")), "400 InvalidRequestException The pagination token is not valid for this request. Start again without a token."},
			{"good", get(token, sampleDevelopment, "Builder"), ""},
		} {
			if got := answerOf(tt.call()); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
		}
		c.shift.Add(int64(oauth1h))
		if got := answerOf(list(token, nil)()); got != unauthorized {
			t.Errorf("an expired token: got %s", got)
		}
	})
}

// oauth1h is how long access tokens last.
const oauth1h = time.Hour

// answerOf is the status, code and message that a service answered.
func answerOf(err error) string {
	if err == nil {
		return ""
	}
	response, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok {
		return err.Error()
	}
	_, message, _ := strings.Cut(err.Error(), "api error ")
	_, message, _ = strings.Cut(message, ": ")
	if message == "" {
		message = err.Error()[strings.LastIndex(err.Error(), ": ")+2:]
	}
	return strings.Join([]string{strconv.Itoa(response.HTTPStatusCode()), codeOf(err), message}, " ")
}

// TestRoleCredentials uses the credentials of a person's role.
func TestRoleCredentials(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		got, err := c.nodes[0].roleCredentials(t.Context(), c.logIn(c.signIn(c.person("sam.lee"))), sampleDevelopment, "Builder")
		if err != nil {
			t.Fatal(err)
		}
		key := keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}
		if key.id[:4] != "ASIA" || len(key.id) != 20 || len(key.secret) != 40 {
			t.Errorf("key %q", key.id)
		}
		if left := time.UnixMilli(got.Expiration).Sub(c.now()); left < 8*time.Hour-time.Minute || left > 8*time.Hour {
			t.Errorf("the session lasts %v, the permission set says PT8H", left)
		}
		for i, n := range c.nodes {
			arn, code := n.whoami(t.Context(), key)
			if !regexp.MustCompile(`^arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Builder_[0-9a-f]{16}/sam\.lee$`).MatchString(arn) {
				t.Errorf("node %d: %q, %q", i, arn, code)
			}
		}
		// PowerUserAccess of a member account is refused by the account gate; what
		// members may call is decided by the role's policies.
		if _, err := c.last().organizations(key).ListRoots(t.Context(), nil); codeOf(err) != "AccessDeniedException" {
			t.Errorf("a member's role lists roots: %v", err)
		}
		if _, err := c.last().organizations(key).DescribeOrganization(t.Context(), nil); err != nil {
			t.Errorf("a member's role cannot describe its organization: %v", err)
		}

		admin := c.open(c.person("admin"), sampleManagement, "Administrator")
		if _, err := c.last().directory(admin).ListUsers(t.Context(), &identitystore.ListUsersInput{IdentityStoreId: &c.in.IdentityStoreID}); err != nil {
			t.Errorf("the administrator's role cannot list users: %v", err)
		}
		auditor := c.open(c.person("admin"), sampleManagement, "Auditor")
		_, err = c.last().directory(auditor).DeleteUser(t.Context(), &identitystore.DeleteUserInput{IdentityStoreId: &c.in.IdentityStoreID, UserId: new(c.person("sam.lee"))})
		if codeOf(err) != "AccessDeniedException" || !strings.Contains(err.Error(), "assumed-role/AWSReservedSSO_Auditor_") {
			t.Errorf("the auditor's role deletes users: %v", err)
		}
	})
}

// TestStolenTokens pairs what does not belong together.
func TestStolenTokens(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		own, err := c.nodes[0].NewAdministratorKey(t.Context(), sampleManagement)
		if err != nil {
			t.Fatal(err)
		}
		long := keyPair{id: own.ID, secret: own.Secret}
		a := c.open(c.person("sam.lee"), sampleDevelopment, "Builder")
		b := c.open(c.person("admin"), sampleManagement, "Administrator")
		flip := func(s string, i int) string {
			other := byte('A')
			if s[i] == other {
				other = 'B'
			}
			return s[:i] + string(other) + s[i+1:]
		}
		for _, tt := range []struct {
			name string
			key  keyPair
			want string
		}{
			{"whole", a, ""},
			{"another session's token", keyPair{a.id, a.secret, b.token}, "InvalidClientTokenId"},
			{"another session's key", keyPair{b.id, b.secret, a.token}, "InvalidClientTokenId"},
			{"another session's key id", keyPair{b.id, a.secret, a.token}, "InvalidClientTokenId"},
			{"another session's secret", keyPair{a.id, b.secret, a.token}, "SignatureDoesNotMatch"},
			{"a long-term key with the token", keyPair{long.id, long.secret, a.token}, "InvalidClientTokenId"},
			{"no token", keyPair{a.id, a.secret, ""}, "InvalidClientTokenId"},
			{"a changed token", keyPair{a.id, a.secret, flip(a.token, len(a.token)/2)}, "InvalidClientTokenId"},
			{"a changed end", keyPair{a.id, a.secret, flip(a.token, len(a.token)-1)}, "InvalidClientTokenId"},
			{"a changed generation", keyPair{a.id, a.secret, flip(a.token, 4)}, "InvalidClientTokenId"},
			{"no token of ours", keyPair{a.id, a.secret, "token"}, "InvalidClientTokenId"},
		} {
			if _, code := c.last().whoami(t.Context(), tt.key); code != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, code, tt.want)
			}
		}
	})
}

// TestExpiredTokens opens a role for eight hours, some time ago. Nothing of
// that is signed, so that the clients' clock does not matter.
func TestExpiredTokens(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.person("sam.lee")
		c.shift.Store(-int64(8*time.Hour - time.Minute))
		lives := c.open(sam, sampleDevelopment, "Builder")
		c.shift.Store(-int64(8 * time.Hour))
		ended := c.open(sam, sampleDevelopment, "Builder")
		c.shift.Store(0)
		if _, code := c.last().whoami(t.Context(), lives); code != "" {
			t.Errorf("before its time: %q", code)
		}
		if _, code := c.last().whoami(t.Context(), ended); code != "ExpiredToken" {
			t.Errorf("after its time: %q", code)
		}
		if _, err := c.last().organizations(ended).DescribeOrganization(t.Context(), nil); codeOf(err) != "ExpiredTokenException" {
			t.Errorf("after its time, in JSON: %v", err)
		}
	})
}

// TestRevocation takes sam's access away in every way and measures, on the
// node that did not make the change, how long the credentials live on.
func TestRevocation(t *testing.T) {
	group := func(c *cluster, tx *store.Tx) string {
		id, _, err := tx.DirectoryGroupIDByName(c.in.IdentityStoreID, directory.Key("Builders"))
		if err != nil {
			t.Error(err)
		}
		return id
	}
	ways := map[string]func(c *cluster, tx *store.Tx, sam string) error{
		"disabled": func(c *cluster, tx *store.Tx, sam string) error {
			_, _, err := directory.DisableUser(tx, c.stamp(), c.in.IdentityStoreID, sam)
			return err
		},
		"deleted": func(c *cluster, tx *store.Tx, sam string) error {
			_, _, err := directory.DeleteUser(tx, c.in.IdentityStoreID, sam)
			return err
		},
		"out of the group": func(c *cluster, tx *store.Tx, sam string) error {
			m, err := directory.MembershipOf(tx, c.in.IdentityStoreID, group(c, tx), sam)
			if err != nil {
				return err
			}
			_, err = directory.DeleteMembership(tx, c.in.IdentityStoreID, m.ID)
			return err
		},
		"without the group": func(c *cluster, tx *store.Tx, _ string) error {
			_, _, err := directory.DeleteGroup(tx, c.in.IdentityStoreID, group(c, tx))
			return err
		},
		"unassigned": func(c *cluster, tx *store.Tx, _ string) error {
			s, err := c.set(tx, "Builder")
			if err != nil {
				return err
			}
			_, err = assignment.Delete(tx, ident.Millis(c.now()), c.ids, c.in, s, sampleDevelopment, assignment.Principal{Type: assignment.Group, ID: group(c, tx)})
			return err
		},
		"account closed": func(c *cluster, tx *store.Tx, _ string) error {
			return organization.CloseAccount(tx, c.org, sampleDevelopment)
		},
		"portal session ended": func(c *cluster, tx *store.Tx, sam string) error {
			_, err := session.EndAll(tx, c.in.IdentityStoreID, sam)
			return err
		},
		"new password": func(_ *cluster, tx *store.Tx, sam string) error { return tx.RevokeUser(sam) },
	}
	for name, take := range ways {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, func(t *testing.T, c *cluster) {
				sam := c.person("sam.lee")
				key := c.open(sam, sampleDevelopment, "Builder")
				bystander := c.open(c.person("admin"), sampleManagement, "Administrator")
				for _, n := range c.nodes {
					if _, code := n.whoami(t.Context(), key); code != "" {
						t.Fatalf("before: %s", code)
					}
				}
				c.do(func(tx *store.Tx) error { return take(c, tx, sam) })
				changed := time.Now()
				// Where the change was made it counts at once.
				if _, code := c.nodes[0].whoami(t.Context(), key); code != "ExpiredToken" {
					t.Errorf("on the same node: %q", code)
				}
				for {
					asked := time.Now()
					_, code := c.last().whoami(t.Context(), key)
					if code == "ExpiredToken" {
						break
					}
					if asked.Sub(changed) > time.Second {
						t.Fatalf("a second later the credentials still answer %q", code)
					}
				}
				t.Logf("noticed after %v", time.Since(changed))
				if _, code := c.last().whoami(t.Context(), bystander); code != "" {
					t.Errorf("a bystander's session: %s", code)
				}
			})
		})
	}
}

// A way that remains keeps the session; the last one ends it.
func TestRevocationOfTheLastWay(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.person("sam.lee")
		c.assign(sam, "Builder", sampleDevelopment) // and through Builders
		key := c.open(sam, sampleDevelopment, "Builder")
		c.unassign(sam, "Builder", sampleDevelopment)
		time.Sleep(50 * time.Millisecond)
		for i, n := range c.nodes {
			if _, code := n.whoami(t.Context(), key); code != "" {
				t.Errorf("node %d: with the group's assignment left: %s", i, code)
			}
		}
	})
}

// A login's end is not a session's: Logout ends tokens only.
func TestLogoutKeepsSessions(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		token := c.logIn(c.signIn(c.person("sam.lee")))
		got, err := c.nodes[0].roleCredentials(t.Context(), token, sampleDevelopment, "Builder")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.nodes[0].portal().Logout(t.Context(), &sso.LogoutInput{AccessToken: &token}); err != nil {
			t.Fatal(err)
		}
		if _, code := c.nodes[0].whoami(t.Context(), keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}); code != "" {
			t.Errorf("the session ended with the login: %s", code)
		}
		if _, err := c.nodes[0].roleCredentials(t.Context(), token, sampleDevelopment, "Builder"); codeOf(err) != "UnauthorizedException" {
			t.Errorf("the token still opens roles: %v", err)
		}
	})
}

// TestManySessionsAtOnce has 64 programs open roles and use them while half of
// the people lose their access: every answer is right, and none is an error.
func TestManySessionsAtOnce(t *testing.T) {
	const people = 64
	onEachEngine(t, func(t *testing.T, c *cluster) {
		users, tokens := make([]string, people), make([]string, people)
		for i := range users {
			users[i] = c.person("user" + string(rune('a'+i/8)) + string(rune('a'+i%8)))
			c.assign(users[i], "Builder", sampleDevelopment)
			tokens[i] = c.logIn(c.signIn(users[i]))
		}
		var all sync.WaitGroup
		ids := make([][]string, people)
		for i := range users {
			all.Go(func() {
				n := c.nodes[i%len(c.nodes)]
				for range 5 {
					got, err := n.roleCredentials(t.Context(), tokens[i], sampleDevelopment, "Builder")
					if err != nil {
						t.Errorf("person %d: %v", i, err)
						return
					}
					key := keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}
					ids[i] = append(ids[i], key.id)
					if arn, code := n.whoami(t.Context(), key); code != "" {
						t.Errorf("person %d: %s %s", i, arn, code)
					}
				}
				if i%2 == 1 {
					return
				}
				got, err := n.roleCredentials(t.Context(), tokens[i], sampleDevelopment, "Builder")
				if err != nil {
					t.Errorf("person %d: %v", i, err)
					return
				}
				err = n.Store.Update(t.Context(), func(tx *store.Tx) error {
					s, err := c.set(tx, "Builder")
					if err != nil {
						return err
					}
					_, err = assignment.Delete(tx, ident.Millis(c.now()), c.ids, c.in, s, sampleDevelopment, assignment.Principal{Type: assignment.User, ID: users[i]})
					return err
				})
				if err != nil {
					t.Errorf("person %d: %v", i, err)
				}
				if _, code := n.whoami(t.Context(), keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}); code != "ExpiredToken" {
					t.Errorf("person %d has lost the access: %q", i, code)
				}
				if _, err := n.roleCredentials(t.Context(), tokens[i], sampleDevelopment, "Builder"); codeOf(err) != "ForbiddenException" {
					t.Errorf("person %d opens it again: %v", i, err)
				}
			})
		}
		all.Wait()
		keys := slices.Concat(ids...)
		slices.Sort(keys)
		if len(slices.Compact(keys)) != people*5 {
			t.Error("two sessions have the same access key")
		}
	})
}

// changed returns a token of which one character is another.
func changed(token string) string {
	if token[0] == 'A' {
		return "B" + token[1:]
	}
	return "A" + token[1:]
}
