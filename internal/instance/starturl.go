package instance

import (
	"net/url"
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
)

// PortalReader finds the instance that an address of an access portal stands
// for.
type PortalReader interface {
	InstanceByID(id string) (Instance, bool, error)
	InstanceByIdentityStore(storeID string) (Instance, bool, error)
	// InstanceByAlias finds the instance whose portal has an alias, in lower
	// case.
	InstanceByAlias(alias string) (Instance, bool, error)
	// PortalInstance returns the instance that the server's own address stands
	// for: the oldest of an organization or, where there is none, the oldest.
	PortalInstance() (Instance, bool, error)
}

// StartURL returns the instance's start URL in the form that AWS gives it.
// Clients check the name only and never contact it.
func (i Instance) StartURL() string { return AliasURL(i.IdentityStoreID) }

// maxStartURL is the length up to which a start URL is looked at.
const maxStartURL = 1024

// ByStartURL returns the instance that a start URL, or an issuer URL, stands
// for. own is the server's public URL. With or without a slash or "#/" at the
// end, these are known:
//
//	<own>  <own>/start
//	https://<d-…>.awsapps.com/start
//	https://<alias>.awsapps.com/start
//	https://<ssoins-…>.portal.<region>.app.aws
//	https://<ssoins-…>.<region>.portal.amazonaws.com
//	https://identitycenter.amazonaws.com/<ssoins-…>
//
// The subdomain of awsapps.com may be any name that is neither an identity
// store's id nor an alias here: whoever moves here from AWS keeps the start URL of their configuration,
// which then stands for the same instance as the server's own address.
//
// It is a fault.Invalid, subject "start_url", when there is no such instance.
func ByStartURL(tx PortalReader, own *url.URL, startURL string) (Instance, error) {
	i, found, err := byStartURL(tx, own, startURL)
	if err == nil && !found {
		err = fault.New(fault.Invalid, "start_url", "The start URL is not that of an AWS access portal here. Use %s, or the one that your administrator gave you.", own.JoinPath("start"))
	}
	return i, err
}

func byStartURL(tx PortalReader, own *url.URL, startURL string) (Instance, bool, error) {
	u, ok := parseStartURL(startURL)
	if !ok {
		return Instance{}, false, nil
	}
	path := strings.Trim(u.Path, "/")
	if u.Scheme == own.Scheme && strings.EqualFold(u.Host, own.Host) {
		if path != "" && path != "start" {
			return Instance{}, false, nil
		}
		return tx.PortalInstance()
	}
	if u.Scheme != "https" {
		return Instance{}, false, nil
	}
	return byAWSHost(tx, strings.ToLower(u.Host), path)
}

// parseStartURL reads an address that has nothing but a scheme, a host and a
// path.
func parseStartURL(startURL string) (*url.URL, bool) {
	u, err := url.Parse(startURL)
	return u, err == nil && len(startURL) <= maxStartURL && u.User == nil && u.RawQuery == "" && u.Opaque == "" && strings.Trim(u.Fragment, "/") == ""
}

// byAWSHost resolves the names that AWS's own portals have.
func byAWSHost(tx PortalReader, host, path string) (Instance, bool, error) {
	if host == "identitycenter.amazonaws.com" {
		return tx.InstanceByID(path)
	}
	label, rest, _ := strings.Cut(host, ".")
	switch {
	case rest == "awsapps.com" && path == "start":
		if isStoreID(label) {
			return tx.InstanceByIdentityStore(label)
		}
		if i, found, err := tx.InstanceByAlias(label); err != nil || found {
			return i, found, err
		}
		return tx.PortalInstance()
	case path != "":
		return Instance{}, false, nil
	}
	region, ok := strings.CutSuffix(rest, ".portal.amazonaws.com")
	if !ok {
		if region, ok = strings.CutPrefix(rest, "portal."); ok {
			region, ok = strings.CutSuffix(region, ".app.aws")
		}
	}
	if !ok {
		return Instance{}, false, nil
	}
	i, found, err := tx.InstanceByID(label)
	return i, found && i.Region == region, err
}

// isStoreID tells whether s has the form of an identity store's id.
func isStoreID(s string) bool {
	return len(s) == 12 && strings.HasPrefix(s, "d-") && strings.Trim(s[2:], "0123456789abcdef") == ""
}
