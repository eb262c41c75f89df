package pages

import (
	"net/http"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/instance"
)

// portalReader is what the portal reads.
type portalReader interface{ assignment.AccessReader }

// accountsPage is how many accounts a page of the portal shows, rolesShown how
// many roles of each: more than a person has.
const (
	accountsPage = 50
	rolesShown   = 200
)

// account is an account of the portal, with the roles that the person has.
type account struct {
	ID, Name, Email string
	Roles           []role
}

// role is a role of the portal. Config is the AWS configuration of a profile
// for it, Commands what to run to use it.
type role struct{ Name, Config, Commands string }

// portal lists what a person may use, and how.
func (p *Pages) portal(v *visit) error {
	var accounts []account
	var next string
	after := v.r.URL.Query().Get("after")
	err := p.DB.View(v.r.Context(), func(tx Tx) error {
		var err error
		accounts, next, err = accountsOf(tx, v.instance, v.user.ID, after)
		return err
	})
	if err != nil {
		return err
	}
	all, err := v.explain(accounts)
	if err != nil {
		return err
	}
	v.show(http.StatusOK, "start", "start.title", map[string]any{
		"Accounts": accounts, "Next": next, "Config": all,
		"StartURL": v.instance.StartURL(), "Region": v.instance.Region, "Until": v.until(),
	})
	return nil
}

func accountsOf(tx portalReader, in instance.Instance, userID, after string) (list []account, next string, err error) {
	accounts, next, err := assignment.AccountsOf(tx, in, userID, after, accountsPage)
	if err != nil {
		return nil, "", err
	}
	for _, a := range accounts {
		roles, _, err := assignment.RolesOf(tx, in, userID, a.ID, "", rolesShown)
		if err != nil {
			return nil, "", err
		}
		one := account{ID: a.ID, Name: a.Name, Email: a.Email}
		for _, r := range roles {
			one.Roles = append(one.Roles, role{Name: r.PermissionSetName})
		}
		list = append(list, one)
	}
	return list, next, nil
}

// explain fills in how each role is used, and returns the configuration for
// all of them.
func (v *visit) explain(accounts []account) (all string, err error) {
	config := clientenv.ForPerson(v.user.UserName, v.instance.StartURL(), v.instance.Region, v.pages.Endpoints, clientenv.Files{})
	var roles []clientenv.Role
	for _, a := range accounts {
		for i := range a.Roles {
			one := clientenv.Role{AccountID: a.ID, Name: a.Roles[i].Name}
			roles = append(roles, one)
			config.Roles = []clientenv.Role{one}
			if a.Roles[i].Config, err = config.Config(); err != nil {
				return "", err
			}
			profile := clientenv.Quote(one.Profile())
			a.Roles[i].Commands = "aws sso login --profile " + profile + "\naws sts get-caller-identity --profile " + profile
		}
	}
	config.Roles = roles
	return config.Config()
}

// until is when the session ends.
func (v *visit) until() string { return written(v.session.ExpiresAt) }
