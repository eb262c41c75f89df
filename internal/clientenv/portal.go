package clientenv

import (
	"sort"
	"strings"
)

// Portal is what a person's clients need to know to sign in at the access
// portal and to use their roles.
type Portal struct {
	// Session is the name of the sso-session that the profiles share.
	Session string
	// UserName is whose it is.
	UserName string
	// StartURL is what clients are configured with: one of AWS's own names, as
	// newer versions of the AWS CLI demand. BrowserURL is where the portal is.
	StartURL, BrowserURL string
	Region               string // of the instance
	Endpoints            Endpoints
	// DataPath is the directory that WriteRuleSets wrote, for AWS_DATA_PATH.
	DataPath string
	// CABundle is the file of the certificates to trust; "" for the client's own.
	CABundle string
	Roles    []Role
}

// Role is a role that the person may use in an account.
type Role struct{ AccountID, Name string }

// Profile is the name of the role's profile: the one that aws configure sso
// suggests.
func (r Role) Profile() string { return r.Name + "-" + r.AccountID }

// Config returns the AWS configuration of a person: an sso-session, and a
// profile for every role.
func (p Portal) Config() (string, error) {
	f := File{Sections: []Section{{
		Comment: p.comment(), Kind: "sso-session", Name: p.Session,
		Settings: []Setting{
			{Key: "sso_start_url", Value: p.StartURL},
			{Key: "sso_region", Value: p.Region},
			{Key: "sso_registration_scopes", Value: "sso:account:access"},
		},
	}}}
	for _, r := range p.sorted() {
		f.Sections = append(f.Sections, Section{Kind: "profile", Name: r.Profile(), Settings: []Setting{
			{Key: "sso_session", Value: p.Session},
			{Key: "sso_account_id", Value: r.AccountID},
			{Key: "sso_role_name", Value: r.Name},
			{Key: "region", Value: p.Region},
			{Key: "services", Value: p.Session},
		}})
		if p.CABundle != "" {
			last := &f.Sections[len(f.Sections)-1]
			last.Settings = append(last.Settings, Setting{Key: "ca_bundle", Value: p.CABundle})
		}
	}
	f.Sections = append(f.Sections, p.services())
	return f.Format()
}

func (p Portal) sorted() []Role {
	roles := append([]Role(nil), p.Roles...)
	sort.Slice(roles, func(i, j int) bool {
		if roles[i].AccountID != roles[j].AccountID {
			return roles[i].AccountID < roles[j].AccountID
		}
		return roles[i].Name < roles[j].Name
	})
	return roles
}

func (p Portal) comment() []string {
	lines := []string{
		"AWS configuration for " + p.UserName + ". Put it into ~/.aws/config.",
		"The AWS access portal in a browser: " + p.BrowserURL,
	}
	if len(p.Roles) == 0 {
		lines = append(lines, p.UserName+" is not assigned to any account yet.")
	} else {
		lines = append(lines, "Sign in with: aws sso login --profile "+p.sorted()[0].Profile())
	}
	if p.DataPath != "" {
		lines = append(lines, "Versions of the AWS CLI before 2.13 need this as well:", "  export AWS_DATA_PATH="+Quote(p.DataPath))
	}
	return lines
}

// services is the section that says where the services are, for clients that
// know it.
func (p Portal) services() Section {
	s := Section{Kind: "services", Name: p.Session}
	for _, service := range services() {
		s.Settings = append(s.Settings, Setting{
			Key: strings.ToLower(service.variable), Nested: []Setting{{Key: "endpoint_url", Value: service.endpoint(p.Endpoints)}},
		})
	}
	return s
}
