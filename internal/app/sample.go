package app

import (
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// The accounts of the sample data. Their names, like all of the sample's, are
// none that the guides use.
const (
	sampleManagement  = "123456789012"
	sampleProduction  = "111111111111"
	sampleDevelopment = "222222222222"
)

// sampleTx is what creating the sample data needs of a transaction.
type sampleTx interface {
	organization.Tx
	instance.Tx
	directory.Tx
	permissionset.Tx
	assignment.Tx
	credential.Tx
	audit.Tx
	authsettings.Tx
	// AnyAccount tells whether there is an account at all.
	AnyAccount() (bool, error)
	// PortalInstance is the instance whose people sign in here.
	PortalInstance() (instance.Instance, bool, error)
}

// sample creates the sample data of a dev node in one transaction.
type sample struct {
	tx     sampleTx
	now    time.Time
	ids    ident.Source
	region string
	hashes map[string]string // of the one-time passwords, by user name

	organization organization.Organization
	instance     instance.Instance
	sets         map[string]permissionset.PermissionSet
	users        map[string]string // user name → id
	groups       map[string]string // display name → id
}

// create makes the organization, Identity Center and everything in it.
func (s *sample) create() error {
	s.sets = make(map[string]permissionset.PermissionSet)
	s.users = make(map[string]string)
	s.groups = make(map[string]string)
	for _, step := range []func() error{s.createOrganization, s.createDirectory, s.relaxSignIn, s.createPermissionSets, s.assign} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (s *sample) createOrganization() error {
	management := organization.NewAccount{ID: sampleManagement, Name: "management", Email: "management@example.com"}
	if _, err := organization.CreateStandaloneAccount(s.tx, s.now, s.ids, management); err != nil {
		return err
	}
	var err error
	if s.instance, err = enableIdentityCenter(s.tx, s.now, s.ids, sampleManagement, s.region); err != nil {
		return err
	}
	if s.organization, _, err = organization.OfAccount(s.tx, sampleManagement); err != nil {
		return err
	}
	members := []struct{ id, name, unit string }{
		{sampleProduction, "production", "Production"},
		{sampleDevelopment, "development", "Development"},
	}
	for _, m := range members {
		if err := s.createMember(m.id, m.name, m.unit); err != nil {
			return err
		}
	}
	return nil
}

func (s *sample) createMember(id, name, unit string) error {
	account := organization.NewAccount{ID: id, Name: name, Email: name + "@example.com"}
	if _, err := organization.CreateAccount(s.tx, s.now, s.ids, s.organization, account); err != nil {
		return err
	}
	ou, err := organization.CreateOrganizationalUnit(s.tx, s.now, s.ids, s.organization, s.organization.RootID, unit, nil)
	if err != nil {
		return err
	}
	return organization.MoveAccount(s.tx, s.organization, id, s.organization.RootID, ou.ID)
}

// samplePerson is a person of the sample data.
type samplePerson struct {
	user, given, family string
	groups              []string
}

func samplePeople() []samplePerson {
	return []samplePerson{
		{"admin", "Alex", "Admin", []string{"Operations", "Audit"}},
		{"sam.lee", "Sam", "Lee", []string{"Builders"}},
	}
}

// keepSample keeps the one-time passwords of the sample's people from expiring.
func keepSample(tx sampleTx, now time.Time) error {
	in, found, err := tx.PortalInstance()
	if err != nil || !found {
		return err
	}
	for _, p := range samplePeople() {
		id, found, err := tx.DirectoryUserIDByName(in.IdentityStoreID, directory.Key(p.user))
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		if err := credential.ExtendOneTime(tx, now, in.IdentityStoreID, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *sample) createDirectory() error {
	by := directory.Stamp{At: s.now, By: "arn:aws:iam::" + sampleManagement + ":root"}
	store := s.instance.IdentityStoreID
	for _, name := range []string{"Operations", "Audit", "Builders"} {
		g, err := directory.CreateGroup(s.tx, s.ids, by, store, directory.NewGroup{DisplayName: name})
		if err != nil {
			return err
		}
		s.groups[name] = g.ID
	}
	for _, p := range samplePeople() {
		u, err := directory.CreateUser(s.tx, s.ids, by, store, directory.NewUser{Attributes: directory.Attributes{
			UserName: p.user, DisplayName: p.given + " " + p.family,
			Name:   directory.Name{GivenName: p.given, FamilyName: p.family},
			Emails: []directory.Email{{Value: p.user + "@example.com", Type: "work", Primary: new(true)}},
		}})
		if err != nil {
			return err
		}
		if err := credential.SetOneTime(s.tx, s.now, store, u.ID, s.hashes[p.user]); err != nil {
			return err
		}
		s.users[p.user] = u.ID
		for _, g := range p.groups {
			if _, err := directory.CreateMembership(s.tx, s.ids, by, store, s.groups[g], u.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sample) createPermissionSets() error {
	sets := []struct {
		name, description, duration string
		policies                    []string
	}{
		{"Administrator", "Everything, in any account", "PT4H", []string{"AdministratorAccess"}},
		{"Builder", "Build and run, without managing people", "PT8H", []string{"PowerUserAccess"}},
		{"Auditor", "Look at everything, change nothing", "PT8H", []string{"SecurityAudit", "job-function/ViewOnlyAccess"}},
	}
	for _, p := range sets {
		set, err := permissionset.Create(s.tx, s.now, s.ids, s.instance, permissionset.New{
			Name: p.name, Description: p.description, SessionDuration: p.duration,
		})
		if err != nil {
			return err
		}
		for _, policy := range p.policies {
			if err := permissionset.AttachManagedPolicy(s.tx, set, "arn:aws:iam::aws:policy/"+policy); err != nil {
				return err
			}
		}
		s.sets[p.name] = set
	}
	return nil
}

// assign gives Operations and Audit their permission sets in every account,
// Builders theirs in development.
func (s *sample) assign() error {
	everywhere := []string{sampleManagement, sampleProduction, sampleDevelopment}
	assignments := []struct {
		group, set string
		accounts   []string
	}{
		{"Operations", "Administrator", everywhere},
		{"Audit", "Auditor", everywhere},
		{"Builders", "Builder", []string{sampleDevelopment}},
	}
	for _, a := range assignments {
		to := assignment.Principal{Type: assignment.Group, ID: s.groups[a.group]}
		for _, account := range a.accounts {
			r, err := assignment.Create(s.tx, s.now, s.ids, s.instance, s.sets[a.set], account, to)
			if err != nil {
				return err
			}
			if r.Status != assignment.Succeeded {
				return fmt.Errorf("assigning %s in %s: %s", a.set, account, r.FailureReason)
			}
		}
	}
	return nil
}

// relaxSignIn lets people in who have no second factor: a sample node is for
// one's own machine, where guides and automation sign in with a password.
func (s *sample) relaxSignIn() error {
	_, err := authsettings.Change(s.tx, s.instance.IdentityStoreID, func(a *authsettings.Settings) { a.NoMfa = authsettings.NoMfaAllow })
	return err
}
