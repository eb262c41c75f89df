package instance_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestByStartURL(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		own := &url.URL{Scheme: "https", Host: "sso.example.com"}
		find := func(startURL string) (i instance.Instance, err error) {
			err = s.View(t.Context(), func(tx *store.Tx) (err error) {
				i, err = instance.ByStartURL(tx, own, startURL)
				return err
			})
			return i, err
		}
		if _, err := find("https://sso.example.com/start"); !fault.Is(err, fault.Invalid) {
			t.Errorf("there is no instance, and yet: %v", err)
		}
		insert := func(i instance.Instance) {
			t.Helper()
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertInstance(i) }); err != nil {
				t.Fatal(err)
			}
		}
		account := instance.Instance{
			ID: "ssoins-aaaaaaaaaaaaaaaa", IdentityStoreID: "d-aaaaaaaaaa", OwnerAccountID: "111111111111", Region: "eu-west-1",
			CreatedAt: storetest.Now(), Version: 1,
		}
		insert(account)
		if i, err := find("https://sso.example.com"); err != nil || i.ID != account.ID {
			t.Errorf("of an account instance only: %s (%v)", i.ID, err)
		}
		later := account
		later.ID, later.IdentityStoreID, later.OrganizationID = "ssoins-bbbbbbbbbbbbbbbb", "d-bbbbbbbbbb", "o-bbbbbbbbbb"
		later.CreatedAt = later.CreatedAt.Add(2 * time.Second)
		insert(later)
		org := later
		org.ID, org.IdentityStoreID, org.OrganizationID = "ssoins-cccccccccccccccc", "d-cccccccccc", "o-cccccccccc"
		org.CreatedAt = org.CreatedAt.Add(-time.Second)
		insert(org)

		known := map[string]string{
			"https://sso.example.com":                                        org.ID,
			"https://sso.example.com/":                                       org.ID,
			"https://sso.example.com/start":                                  org.ID,
			"https://sso.example.com/start/":                                 org.ID,
			"https://sso.example.com/start#/":                                org.ID,
			"https://SSO.example.com/start/#/":                               org.ID,
			"https://d-cccccccccc.awsapps.com/start":                         org.ID,
			"https://d-cccccccccc.awsapps.com/start/":                        org.ID,
			"https://d-cccccccccc.awsapps.com/start#/":                       org.ID,
			"https://D-CCCCCCCCCC.awsapps.com/start":                         org.ID,
			"https://d-aaaaaaaaaa.awsapps.com/start":                         account.ID,
			"https://my-company.awsapps.com/start":                           org.ID,
			"https://ssoins-bbbbbbbbbbbbbbbb.portal.eu-west-1.app.aws":       later.ID,
			"https://ssoins-bbbbbbbbbbbbbbbb.portal.eu-west-1.app.aws/":      later.ID,
			"https://ssoins-bbbbbbbbbbbbbbbb.eu-west-1.portal.amazonaws.com": later.ID,
			"https://identitycenter.amazonaws.com/ssoins-bbbbbbbbbbbbbbbb":   later.ID,
			"https://identitycenter.amazonaws.com/ssoins-bbbbbbbbbbbbbbbb/":  later.ID,
		}
		for startURL, want := range known {
			if i, err := find(startURL); err != nil || i.ID != want {
				t.Errorf("%s is %s (%v), want %s", startURL, i.ID, err, want)
			}
		}
		unknown := []string{
			"", "/start", "sso.example.com/start", "http://sso.example.com/start", "https://sso.example.com:8443/start",
			"https://sso.example.com/start/x", "https://sso.example.com/console", "https://sso.example.com/start?x=y",
			"https://sso.example.com/start#/x", "https://user@sso.example.com/start", "https://sso.example.com.evil.example/start",
			"http://d-cccccccccc.awsapps.com/start", "https://d-cccccccccc.awsapps.com", "https://d-cccccccccc.awsapps.com/start/x",
			"https://d-dddddddddd.awsapps.com/start", "https://awsapps.com/start", "https://d-cccccccccc.awsapps.com.evil.example/start",
			"https://d-cccccccccc.awsapps.com:443/start",
			"https://ssoins-bbbbbbbbbbbbbbbb.portal.us-east-1.app.aws", "https://ssoins-dddddddddddddddd.portal.eu-west-1.app.aws",
			"https://ssoins-bbbbbbbbbbbbbbbb.portal.eu-west-1.app.aws/start", "https://ssoins-bbbbbbbbbbbbbbbb.portal..app.aws",
			"https://identitycenter.amazonaws.com/", "https://identitycenter.amazonaws.com/ssoins-dddddddddddddddd",
			"https://evil.example/start", "javascript:alert(1)", "https://%zz/", "https://sso.example.com/start" + strings.Repeat("/", 2000),
		}
		for _, startURL := range unknown {
			if i, err := find(startURL); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s is %s (%v)", startURL, i.ID, err)
			}
		}
		if i, err := find(org.StartURL()); err != nil || i.ID != org.ID {
			t.Errorf("%s is %s (%v)", org.StartURL(), i.ID, err)
		}
	})
}
