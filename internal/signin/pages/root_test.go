package pages_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
)

const rootEmail = "management@example.com"

// rootOf is the account that owns a site's instance.
type rootOf struct{ s *site }

func (r rootOf) RootStore(context.Context) (string, error) {
	return rootuser.StoreOf(r.s.in.OwnerAccountID), nil
}

func (r rootOf) RootView(_ context.Context, account string) (pages.RootView, error) {
	return pages.RootView{AccountID: account, Name: "management", Email: rootEmail, Region: r.s.in.Region}, nil
}

func (r rootOf) EnableIdentityCenter(ctx context.Context, _ signin.Visit, _ string) error {
	in := r.s.in
	in.ID, in.IdentityStoreID = "ssoins-fedcba9876543210", "d-0987654321"
	return r.s.store.Update(ctx, func(tx *store.Tx) error { return tx.InsertInstance(in) })
}

// disable deletes the site's instance.
func (s *site) disable() { s.update(func(tx *store.Tx) error { return tx.DeleteInstance(s.in) }) }

// rootLink makes a link of the root user.
func (s *site) rootLink() (path string) {
	s.t.Helper()
	hash, err := s.flow.Hasher.Hash(s.t.Context(), oneTime)
	if err != nil {
		s.t.Fatal(err)
	}
	s.update(func(tx *store.Tx) error {
		if _, found, err := tx.AccountByID(s.in.OwnerAccountID); err != nil || !found {
			_, err = organization.CreateStandaloneAccount(tx, s.clock(), s.flow.IDs, organization.NewAccount{ID: s.in.OwnerAccountID, Name: "management", Email: rootEmail})
			if err != nil {
				return err
			}
		}
		token, err := rootuser.Reset(tx, s.clock(), s.flow.IDs, organization.Account{ID: s.in.OwnerAccountID, Email: rootEmail}, hash)
		path = "/root/link/" + token
		return err
	})
	return path
}

// asRoot takes the root user from a new link to where it leads.
func (b *browser) asRoot() (secret string) {
	b.t.Helper()
	link := b.site.rootLink()
	b.get(link).submit(link).shows(200, "Set a new password", "Your sign-in link has been used")
	b.submit(b.at()+"/new-password", "password", chosen, "confirm", chosen).shows(200, "The root user needs an MFA device")
	secret = b.registerApp()
	b.shows(200, "Root user", rootEmail)
	return secret
}

var (
	shownButton  = regexp.MustCompile(`class="button second" href="([^"]*)"`)
	otherAccount = regexp.MustCompile(`<a href="([^"]*)">Not you\?`)
)

// TestRootPagesLeadOn follows what the root user's pages offer, with Identity
// Center and without: nowhere is it a page of people, or none.
func TestRootPagesLeadOn(t *testing.T) {
	for name, prepare := range map[string]func(*site){"with Identity Center": func(*site) {}, "without": (*site).disable} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			prepare(s)
			root := s.browser()
			root.asRoot()

			other := s.browser()
			other.get("/root/signin").submit("/root/signin", "username", rootEmail).shows(200, "Password")
			attempt := other.at()
			other.get(other.found(otherAccount)).shows(200, "Root user sign in")
			other.get(attempt).submit(attempt+"/password", "password", chosen).shows(200, "atrium root reset")
			if strings.Contains(other.page, "administrator") {
				t.Errorf("the root user is to ask an administrator:\n%s", other.page)
			}
			other.get(other.found(otherAccount)).shows(200, "Root user sign in")
			s.pass(signin.AttemptLifetime)
			other.get(attempt).shows(410, "This sign-in has expired")
			other.get(other.found(shownButton)).shows(200, "Root user sign in")

			root.get("/root").submit("/signin/out").shows(200, "You are signed out", "The root user is not signed in here any more.")
			root.get(root.found(shownButton)).shows(200, "Root user sign in")
		})
	}
}

// TestPagesWithoutIdentityCenter leads everybody to the root user's sign-in,
// and from there to where they wanted to go.
func TestPagesWithoutIdentityCenter(t *testing.T) {
	s := newSite(t)
	s.disable()
	root := s.browser()
	secret := root.asRoot()
	root.get("/root").submit("/signin/out")
	root.get("/account/password").shows(200, "Root user sign in").submit("/root/signin", "username", rootEmail)
	root.submit(root.at()+"/password", "password", chosen)
	root.submit(root.at()+"/factor", "code", s.code(secret, 0)).shows(200, "Change password")
	if root.at() != "/account/password" {
		t.Errorf("led to %s", root.path)
	}
	for _, path := range []string{"/start", "/signin", "/nothing"} {
		b := s.browser().get(path).shows(404)
		b.get(b.found(shownButton)).shows(200, "Root user sign in")
	}
}

// TestIdentityCenterComesAndGoes enables Identity Center, deletes it and
// enables it again: the root user stays signed in, people do not.
func TestIdentityCenterComesAndGoes(t *testing.T) {
	s := newSite(t)
	root, sam, late := s.browser(), s.browser(), s.browser()
	root.asRoot()
	sam.signIn("/start").shows(200, "Signed in")
	late.get("/start").submit("/signin", "username", "sam.lee").shows(200, "Password")
	attempt := late.path

	s.disable()
	root.get("/root").shows(200, "Root user", "not enabled yet")
	sam.get("/start").shows(404, "IAM Identity Center is not enabled")
	late.submit(attempt+"/password", "password", chosen).shows(404, "IAM Identity Center is not enabled")
	late.get(attempt).shows(404, "IAM Identity Center is not enabled")

	root.submit("/root/enable").shows(200, "Root user")
	root.get("/account/devices").shows(200, "phone")
	sam.get("/start").shows(200, "Username")
	late.get(attempt).shows(410, "This sign-in has expired")
	late.get("/signin?to=/root").shows(200, "Root user sign in")
	s.update(func(tx *store.Tx) error {
		held, err := tx.PortalSessionsOfUser(s.in.IdentityStoreID, s.sam.ID, "", 10)
		if len(held) != 0 {
			t.Errorf("of the deleted directory there is %+v", held)
		}
		return err
	})
}
