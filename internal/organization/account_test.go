package organization_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestAccountRules(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		unit := w.unit(w.org.RootID, "Unit")
		member, closed := w.account(1), w.account(2)
		const unknown = "999999999999"
		w.must(func(tx organization.Tx) error { return organization.CloseAccount(tx, w.org, closed) })
		move := func(id, from, to string) func(organization.Tx) error {
			return func(tx organization.Tx) error { return organization.MoveAccount(tx, w.org, id, from, to) }
		}
		closing := func(id string) func(organization.Tx) error {
			return func(tx organization.Tx) error { return organization.CloseAccount(tx, w.org, id) }
		}
		remove := func(id string) func(organization.Tx) error {
			return func(tx organization.Tx) error { return organization.RemoveAccount(tx, w.org, id) }
		}
		create := func(id, name, email string) func(organization.Tx) error {
			return func(tx organization.Tx) error {
				_, err := organization.CreateAccount(tx, w.now, w.ids, w.org, organization.NewAccount{ID: id, Name: name, Email: email})
				return err
			}
		}
		root := w.org.RootID
		for _, c := range []struct {
			name string
			do   func(organization.Tx) error
			want string
		}{
			{"move unknown account", move(unknown, root, unit), "not_found:account"},
			{"move from unknown parent", move(member, "ou-none-00000000", unit), "not_found:source_parent"},
			{"move to unknown parent", move(member, root, "ou-none-00000000"), "not_found:destination_parent"},
			{"move from another parent", move(member, unit, root), "not_found:account"},
			{"move to where it is", move(member, root, root), "conflict:account"},
			{"move", move(member, root, unit), "ok"},
			{"move the management account", move(management, root, unit), "ok"},
			{"close unknown account", closing(unknown), "not_found:account"},
			{"close the management account", closing(management), "conflict:constraint CANNOT_CLOSE_MANAGEMENT_ACCOUNT"},
			{"close twice", closing(closed), "conflict:closed_account"},
			{"close", closing(member), "ok"},
			{"remove unknown account", remove(unknown), "not_found:account"},
			{"remove the management account", remove(management), "conflict:management_account"},
			{"remove", remove(member), "ok"},
			{"remove twice", remove(member), "not_found:account"},
			{"describe after removal", func(tx organization.Tx) error {
				_, err := organization.MemberAccount(tx, w.org, member)
				return err
			}, "not_found:account"},
			{"create with a used id", create(member, "x", "x@example.com"), "conflict:account"},
			{"create with a short id", create("12345678901", "x", "x@example.com"), "invalid INVALID_PATTERN"},
			{"create with letters in the id", create("12345678901x", "x", "x@example.com"), "invalid INVALID_PATTERN"},
			{"create without a name", create("", "", "x@example.com"), "invalid INVALID_PATTERN"},
			{"create with a long name", create("", strings.Repeat("x", 51), "x@example.com"), "invalid INVALID_PATTERN"},
			{"create with a name beyond ASCII", create("", "café", "x@example.com"), "invalid INVALID_PATTERN"},
			{"create with a used address", create("", "x", "ROOT@Example.com"), "conflict:email EMAIL_ALREADY_EXISTS"},
			{"create with a former member's address", create("", "x", member+"@example.com"), "conflict:email EMAIL_ALREADY_EXISTS"},
			{"create", create("", "x", "x@example.com"), "ok"},
		} {
			if got := brief(w.do(c.do)); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		w.must(func(tx organization.Tx) error {
			a, err := organization.MemberAccount(tx, w.org, closed)
			if a.Active() || a.Status() != "SUSPENDED" || a.State != organization.Closed {
				t.Errorf("closed account: %+v, status %s", a, a.Status())
			}
			return err
		})
	})
}

func TestClosingNeedsAllFeatures(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		member := w.account(1)
		w.org.FeatureSet = organization.ConsolidatedBilling
		want := "conflict:constraint ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"
		if got := brief(w.do(func(tx organization.Tx) error { return organization.CloseAccount(tx, w.org, member) })); got != want {
			t.Errorf("CloseAccount: %s", got)
		}
		if got := brief(w.do(func(tx organization.Tx) error {
			return organization.EnableServiceAccess(tx, w.now, w.org, organization.IdentityCenter)
		})); got != want {
			t.Errorf("EnableServiceAccess: %s", got)
		}
	})
}

// crowded is a Tx whose organization has as many accounts and units as it may.
type crowded struct{ organization.Tx }

func (crowded) CountMembers(string) (int, error) { return organization.MaxAccounts, nil }
func (crowded) CountOrganizationalUnits(string) (int, error) {
	return organization.MaxOrganizationalUnits, nil
}

func TestLimits(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		err := w.do(func(tx organization.Tx) error {
			_, err := organization.RequestAccount(crowded{tx}, w.now, w.ids, w.org, organization.AccountRequest{Name: "x", Email: "x@example.com"})
			return err
		})
		if got := brief(err); got != "quota ACCOUNT_NUMBER_LIMIT_EXCEEDED" {
			t.Errorf("accounts: %s", got)
		}
		err = w.do(func(tx organization.Tx) error {
			_, err := organization.CreateOrganizationalUnit(crowded{tx}, w.now, w.ids, w.org, w.org.RootID, "x", nil)
			return err
		})
		if got := brief(err); got != "quota OU_NUMBER_LIMIT_EXCEEDED" {
			t.Errorf("units: %s", got)
		}
	})
}

// request asks for an account and returns what the caller and a later
// describer see.
func (w *world) request(in organization.AccountRequest) (first, later organization.CreateAccountRequest, err error) {
	err = w.do(func(tx organization.Tx) (err error) {
		first, err = organization.RequestAccount(tx, w.now, w.ids, w.org, in)
		return err
	})
	if err != nil {
		return first, later, err
	}
	err = w.s.View(w.t.Context(), func(tx *store.Tx) (err error) {
		later, err = organization.DescribeCreateAccountStatus(tx, w.org, first.ID)
		return err
	})
	return first, later, err
}

func TestRequestAccount(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		tags := []organization.Tag{{Key: "team", Value: "a"}}
		first, later, err := w.request(organization.AccountRequest{Name: "production", Email: "p@example.com", Tags: tags})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(organization.CreateAccountRequest{ID: first.ID, AccountName: "production", State: organization.InProgress, Requested: w.now}, first); diff != "" {
			t.Errorf("first answer (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(organization.CreateAccountRequest{
			ID: first.ID, AccountName: "production", State: organization.Succeeded, Requested: w.now, Completed: w.now, AccountID: later.AccountID,
		}, later); diff != "" {
			t.Errorf("later (-want +got):\n%s", diff)
		}
		w.must(func(tx organization.Tx) error {
			a, err := organization.MemberAccount(tx, w.org, later.AccountID)
			if a.Name != "production" || a.ParentID != w.org.RootID || a.JoinedMethod != organization.Created {
				t.Errorf("account %+v", a)
			}
			if err != nil {
				return err
			}
			role, found, err := tx.RoleByName(a.ID, organization.DefaultRoleName)
			if !found || err != nil || !strings.Contains(role.TrustPolicy, "arn:aws:iam::"+management+":root") {
				t.Errorf("the account's role: %+v, %v, %v", role, found, err)
			}
			got, err := organization.ListTags(tx, w.org, a.ID)
			if diff := cmp.Diff(tags, got); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
			return err
		})
		_, later, err = w.request(organization.AccountRequest{Name: "again", Email: "P@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		if later.State != organization.Failed || later.FailureReason != organization.EmailAlreadyExists || later.AccountID != "" || later.Completed.IsZero() {
			t.Errorf("with a used address: %+v", later)
		}
		for _, in := range []struct {
			organization.AccountRequest
			want string
		}{
			{organization.AccountRequest{Name: "x", Email: "x@example.com", RoleName: "AWSServiceRoleForX"}, "invalid INVALID_ROLE_NAME"},
			{organization.AccountRequest{Name: "x", Email: "x@example.com", Tags: []organization.Tag{{Key: "aws:x"}}}, "invalid INVALID_SYSTEM_TAGS_PARAMETER"},
		} {
			if _, _, err := w.request(in.AccountRequest); brief(err) != in.want {
				t.Errorf("%+v: %s, want %s", in.AccountRequest, brief(err), in.want)
			}
		}
		w.must(func(tx organization.Tx) error {
			if _, err := organization.DescribeCreateAccountStatus(tx, w.org, "car-unknown1"); brief(err) != "not_found:create_account_status" {
				t.Errorf("unknown request: %s", brief(err))
			}
			for states, want := range map[string]int{"": 2, "SUCCEEDED": 1, "FAILED": 1, "IN_PROGRESS": 0, "FAILED SUCCEEDED": 2} {
				var filter []organization.CreateState
				for _, s := range strings.Fields(states) {
					filter = append(filter, organization.CreateState(s))
				}
				got, _, err := organization.ListCreateAccountStatus(tx, w.org, filter, "", 20)
				if err != nil || len(got) != want {
					t.Errorf("listing %q: %d, %v; want %d", states, len(got), err, want)
				}
			}
			return nil
		})
	})
}

func TestEmailRules(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	w := newWorld(t, s)
	valid := []string{"a@b.co", "first.last+tag@sub.example.com", "x_y-z@ex-ample.org", strings.Repeat("l", 52) + "@example.com"}
	bad := []string{
		"", "a@b.c", "plain", "a@b@example.com", "@example.com", ".a@example.com", "a b@example.com", "a(b@example.com",
		`a"b@example.com`, "a'b@example.com", "a,b@example.com", "a;b@example.com", "a:b@example.com", `a\b@example.com`,
		"a|b@example.com", "a%b@example.com", "a&b@example.com", "a<b@example.com", "a[b@example.com", "a@example",
		"a@-example.com", "a@example.com-", "a@.example.com", "a@example.com.", "a@exam_ple.com", "ä@example.com", "a@exämple.com",
		strings.Repeat("l", 53) + "@example.com",
	}
	for _, email := range slices.Concat(valid, bad) {
		_, later, err := w.request(organization.AccountRequest{Name: "x", Email: email})
		if err != nil {
			t.Errorf("%q: %v", email, err)
			continue
		}
		if slices.Contains(valid, email) != (later.State == organization.Succeeded) {
			t.Errorf("%q: %+v", email, later)
		}
		if later.State == organization.Failed && later.FailureReason != organization.InvalidEmail {
			t.Errorf("%q: failed with %s", email, later.FailureReason)
		}
	}
}

// walk reads every page of list, limit items at a time, and returns the keys.
func walk[T any](t *testing.T, limit int, key func(T) string, list func(after string, limit int) ([]T, string, error)) (keys []string) {
	t.Helper()
	for after := ""; ; {
		items, next, err := list(after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) > limit || next != "" && len(items) != limit {
			t.Fatalf("a page of %d with limit %d and next %q", len(items), limit, next)
		}
		for _, item := range items {
			keys = append(keys, key(item))
		}
		if after = next; after == "" {
			return keys
		}
	}
}

func TestPaging(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		accounts := []string{management}
		services := []string{"config.amazonaws.com", "guardduty.amazonaws.com", "ram.amazonaws.com", "sso.amazonaws.com"}
		var units []string
		for i := range 4 {
			accounts = append(accounts, w.account(2+i))
			units = append(units, w.unit(w.org.RootID, string(rune('A'+i))))
		}
		slices.Sort(accounts)
		slices.Sort(units)
		w.must(func(tx organization.Tx) error {
			for _, service := range services {
				if err := organization.EnableServiceAccess(tx, w.now, w.org, service); err != nil {
					return err
				}
				if err := organization.RegisterDelegatedAdministrator(tx, w.now, w.org, accounts[1], service); err != nil {
					return err
				}
			}
			for _, id := range accounts[2:] {
				if err := organization.RegisterDelegatedAdministrator(tx, w.now, w.org, id, services[0]); err != nil {
					return err
				}
			}
			return nil
		})
		accountID := func(a organization.Account) string { return a.ID }
		w.must(func(tx organization.Tx) error {
			for limit := 1; limit <= 6; limit++ {
				for _, c := range []struct {
					name      string
					got, want []string
				}{
					{"accounts", walk(t, limit, accountID, func(after string, limit int) ([]organization.Account, string, error) {
						return organization.ListAccounts(tx, w.org, after, limit)
					}), accounts},
					{"accounts of the root", walk(t, limit, accountID, func(after string, limit int) ([]organization.Account, string, error) {
						return organization.ListAccountsForParent(tx, w.org, w.org.RootID, after, limit)
					}), accounts},
					{"accounts of a unit", walk(t, limit, accountID, func(after string, limit int) ([]organization.Account, string, error) {
						return organization.ListAccountsForParent(tx, w.org, units[0], after, limit)
					}), nil},
					{"units", walk(t, limit, func(c organization.Container) string { return c.ID }, func(after string, limit int) ([]organization.Container, string, error) {
						return organization.ListOrganizationalUnitsForParent(tx, w.org, w.org.RootID, after, limit)
					}), units},
					{"services", walk(t, limit, func(s organization.ServiceAccess) string { return s.ServicePrincipal }, func(after string, limit int) ([]organization.ServiceAccess, string, error) {
						return organization.ListServiceAccess(tx, w.org, after, limit)
					}), services},
					{"delegated services", walk(t, limit, func(d organization.Delegation) string { return d.ServicePrincipal }, func(after string, limit int) ([]organization.Delegation, string, error) {
						return organization.ListDelegatedServicesForAccount(tx, w.org, accounts[1], after, limit)
					}), services},
					{"delegated administrators", walk(t, limit, func(d organization.DelegatedAdministrator) string { return d.ID }, func(after string, limit int) ([]organization.DelegatedAdministrator, string, error) {
						return organization.ListDelegatedAdministrators(tx, w.org, "", after, limit)
					}), accounts[1:]},
				} {
					if diff := cmp.Diff(c.want, c.got); diff != "" {
						t.Errorf("%s by %d (-want +got):\n%s", c.name, limit, diff)
					}
				}
			}
			return nil
		})
	})
}
