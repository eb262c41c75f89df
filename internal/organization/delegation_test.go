package organization_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestDelegation(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		a, b, closed := w.account(1), w.account(2), w.account(3)
		const config, sso = "config.amazonaws.com", organization.IdentityCenter
		w.must(func(tx organization.Tx) error { return organization.CloseAccount(tx, w.org, closed) })
		register := func(id, service string) func(organization.Tx) error {
			return func(tx organization.Tx) error {
				return organization.RegisterDelegatedAdministrator(tx, w.now, w.org, id, service)
			}
		}
		deregister := func(id, service string) func(organization.Tx) error {
			return func(tx organization.Tx) error {
				return organization.DeregisterDelegatedAdministrator(tx, w.org, id, service)
			}
		}
		enable := func(service string) func(organization.Tx) error {
			return func(tx organization.Tx) error { return organization.EnableServiceAccess(tx, w.now, w.org, service) }
		}
		disable := func(service string) func(organization.Tx) error {
			return func(tx organization.Tx) error { return organization.DisableServiceAccess(tx, w.org, service) }
		}
		for _, c := range []struct {
			name string
			do   func(organization.Tx) error
			want string
		}{
			{"no service", register(a, "example.com"), "invalid UNRECOGNIZED_SERVICE_PRINCIPAL"},
			{"enable no service", enable("sso"), "invalid UNRECOGNIZED_SERVICE_PRINCIPAL"},
			{"disable no service", disable(".amazonaws.com"), "invalid UNRECOGNIZED_SERVICE_PRINCIPAL"},
			{"enable a service with a long name", enable(strings.Repeat("a", 116) + ".amazonaws.com"), "invalid UNRECOGNIZED_SERVICE_PRINCIPAL"},
			{"service not enabled", register(a, sso), "conflict:constraint SERVICE_ACCESS_NOT_ENABLED"},
			{"enable", enable(sso), "ok"},
			{"enable again", enable(sso), "ok"},
			{"enable another", enable(config), "ok"},
			{"management account", register(management, sso), "conflict:constraint CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"},
			{"closed account", register(closed, sso), "conflict:constraint CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"},
			{"unknown account", register("999999999999", sso), "not_found:account"},
			{"register", register(a, sso), "ok"},
			{"register twice", register(a, sso), "conflict:delegated_administrator"},
			{"a second one of Identity Center", register(b, sso), "quota MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"},
			{"a first one of config", register(a, config), "ok"},
			{"a second one of config", register(b, config), "ok"},
			{"disable while in use", disable(sso), "conflict:constraint DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"},
			{"remove while in use", func(tx organization.Tx) error { return organization.RemoveAccount(tx, w.org, a) }, "conflict:constraint CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"},
			{"deregister unknown account", deregister("999999999999", sso), "not_found:account"},
			{"deregister another", deregister(b, sso), "not_found:delegated_administrator"},
			{"deregister", deregister(a, sso), "ok"},
			{"disable", disable(sso), "ok"},
			{"disable again", disable(sso), "ok"},
			{"deregister from config", deregister(b, config), "ok"},
			{"services of one that has none", func(tx organization.Tx) error {
				_, _, err := organization.ListDelegatedServicesForAccount(tx, w.org, b, "", 20)
				return err
			}, "not_found:delegated_administrator"},
			{"services of an unknown account", func(tx organization.Tx) error {
				_, _, err := organization.ListDelegatedServicesForAccount(tx, w.org, "999999999999", "", 20)
				return err
			}, "not_found:account"},
			{"administrators of no service", func(tx organization.Tx) error {
				_, _, err := organization.ListDelegatedAdministrators(tx, w.org, "x", "", 20)
				return err
			}, "invalid UNRECOGNIZED_SERVICE_PRINCIPAL"},
			{"remove when free", func(tx organization.Tx) error { return organization.RemoveAccount(tx, w.org, b) }, "ok"},
		} {
			if got := brief(w.do(c.do)); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
	})
}

func TestIsDelegatedAdministrator(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		a, b := w.account(1), w.account(2)
		w.must(func(tx organization.Tx) error {
			if err := organization.EnableServiceAccess(tx, w.now, w.org, organization.IdentityCenter); err != nil {
				return err
			}
			return organization.RegisterDelegatedAdministrator(tx, w.now, w.org, a, organization.IdentityCenter)
		})
		check := func(want map[string]bool) {
			t.Helper()
			got := map[string]bool{}
			w.must(func(tx organization.Tx) error {
				for query := range want {
					var org, account, service string
					_, _ = fmt.Sscan(query, &org, &account, &service)
					is, err := organization.IsDelegatedAdministrator(tx, org, account, service)
					if err != nil {
						return err
					}
					got[query] = is
				}
				return nil
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		check(map[string]bool{
			w.org.ID + " " + a + " sso.amazonaws.com":          true,
			w.org.ID + " " + a:                                 true,
			w.org.ID + " " + a + " config.amazonaws.com":       false,
			w.org.ID + " " + b + " sso.amazonaws.com":          false,
			w.org.ID + " " + b:                                 false,
			w.org.ID + " " + management + " sso.amazonaws.com": false,
			w.org.ID + " 999999999999 sso.amazonaws.com":       false,
			"o-another0000 " + a + " sso.amazonaws.com":        false,
		})
		w.must(func(tx organization.Tx) error { return organization.CloseAccount(tx, w.org, a) })
		check(map[string]bool{w.org.ID + " " + a + " sso.amazonaws.com": false, w.org.ID + " " + a: false})
	})
}

func TestDelegationDates(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		a := w.account(1)
		later := w.now.Add(time.Hour)
		w.must(func(tx organization.Tx) error {
			for _, c := range []struct {
				service string
				at      time.Time
			}{{"b.amazonaws.com", w.now}, {"a.amazonaws.com", later}, {"b.amazonaws.com", later}} {
				if err := organization.EnableServiceAccess(tx, c.at, w.org, c.service); err != nil {
					return err
				}
			}
			if err := organization.RegisterDelegatedAdministrator(tx, later, w.org, a, "a.amazonaws.com"); err != nil {
				return err
			}
			return organization.RegisterDelegatedAdministrator(tx, w.now, w.org, a, "b.amazonaws.com")
		})
		w.must(func(tx organization.Tx) error {
			services, _, err := organization.ListServiceAccess(tx, w.org, "", 20)
			if diff := cmp.Diff([]organization.ServiceAccess{{"a.amazonaws.com", later}, {"b.amazonaws.com", w.now}}, services); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			if err != nil {
				return err
			}
			for service, want := range map[string]time.Time{"": w.now, "a.amazonaws.com": later, "b.amazonaws.com": w.now} {
				admins, _, err := organization.ListDelegatedAdministrators(tx, w.org, service, "", 20)
				if err != nil || len(admins) != 1 || admins[0].ID != a || !admins[0].Enabled.Equal(want) {
					t.Errorf("administrators of %q: %+v, %v; want since %v", service, admins, err, want)
				}
			}
			return nil
		})
	})
}
