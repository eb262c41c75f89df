package app

import (
	"net/http"

	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// portalPath is where the pages of the access portal call operations:
// POST /portal/api/<Operation>.
const portalPath = "/portal/api/"

// portalAPI is the way from the pages of the access portal to the gateway. It
// and the pages are all that reads cookies.
type portalAPI struct {
	gateway *gateway.Gateway
	pages   *pages.Pages
	people  *pace[string] // by user id
}

func (p *Program) portal(g *gateway.Gateway, shown *pages.Pages) *portalAPI {
	a := &portalAPI{gateway: g, pages: shown, people: newPace[string](p.Now, portalBurst, portalPeriod, portalPeople)}
	shown.First = a.first
	return a
}

// Mount adds the operations' addresses.
func (a *portalAPI) Mount(mux *http.ServeMux) {
	mux.HandleFunc(portalPath+"{operation...}", func(w http.ResponseWriter, r *http.Request) {
		a.gateway.ServePage(w, r, r.PathValue("operation"), a.caller)
	})
}

// caller is the person who is signed in, if the call comes from a page of this
// server, and not too many do.
func (a *portalAPI) caller(r *http.Request) (iam.Principal, error) {
	c, err := a.pages.Caller(r)
	if err != nil {
		return iam.Principal{}, err
	}
	return a.principal(c)
}

// principal is the caller of an operation, unless too much is asked of them.
func (a *portalAPI) principal(c pages.Caller) (iam.Principal, error) {
	if err := a.people.take(c.User.ID); err != nil {
		return iam.Principal{}, err
	}
	return iam.IdentityCenterUser(c.Instance.OwnerAccountID, c.Instance.IdentityStoreID, c.User.ID, c.Session.ID), nil
}

// endpoints are what people configure their clients with.
func (p *Program) endpoints() clientenv.Endpoints {
	return clientenv.Endpoints{People: p.PeopleURL.String(), Data: p.DataURL.String()}
}
