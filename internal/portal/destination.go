package portal

import (
	"net/url"
	"slices"
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
)

// MaxDestinations is how many origins an instance's shortcuts may lead to.
const MaxDestinations = 50

// maxOrigin is the length of an origin, in characters.
const maxOrigin = 255

// DestinationReader reads where shortcuts may lead.
type DestinationReader interface {
	// PortalDestinations returns origins, in their order.
	PortalDestinations(instanceID string) ([]string, error)
}

// DestinationTx reads and writes where shortcuts may lead.
type DestinationTx interface {
	DestinationReader
	// ReplacePortalDestinations stores origins in the place of all others.
	ReplacePortalDestinations(instanceID string, origins []string) error
}

// PutDestinations sets the origins ("https://console.example.com") that a
// shortcut may lead to without asking the person first, and returns them in
// the form that browsers give them. fault.Invalid when one is no https origin.
func PutDestinations(tx DestinationTx, in instance.Instance, origins []string) ([]string, error) {
	if len(origins) > MaxDestinations {
		return nil, fault.New(fault.Invalid, "destination", "There can be %d destinations at most", MaxDestinations)
	}
	clean := make([]string, len(origins))
	for i, text := range origins {
		origin, ok := originOf(text)
		if !ok {
			return nil, fault.New(fault.Invalid, "destination", "A destination is an origin: https://, a host name and, where it is not 443, a port")
		}
		clean[i] = origin
	}
	slices.Sort(clean)
	clean = slices.Compact(clean)
	return clean, tx.ReplacePortalDestinations(in.ID, clean)
}

// originOf returns an https origin as browsers write it.
func originOf(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxOrigin || u.Scheme != "https" || u.Path != "" && u.Path != "/" {
		return "", false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Host, ":443"))
	if host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") != "" || strings.HasSuffix(host, ":") {
		return "", false
	}
	origin := "https://" + host
	// Whatever else the address holds (a query, a user) is not in the origin.
	return origin, strings.EqualFold(strings.TrimSuffix(strings.TrimSuffix(text, "/"), ":443"), origin)
}
