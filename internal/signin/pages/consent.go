package pages

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/signin"
)

// ConsentPath is the page that asks for consent to a request for
// authorization; the query parameter "request" holds the request's id.
const ConsentPath = "/authorize/consent"

// consent asks whether an application may use the person's access.
func (p *Pages) consent(v *visit) error {
	id := v.r.URL.Query().Get("request")
	a, err := p.authorization(v, id)
	if err != nil {
		return err
	}
	v.showConsent(v.describeAuthorization(a), consentForm{Action: "/authorize", Field: "request", Value: id}, formTarget(a.RedirectURI))
	return nil
}

// authorization is the request with an id, if the person may answer it.
func (p *Pages) authorization(v *visit, id string) (oauth.Authorization, error) {
	a, err := oauth.AuthorizationByID(p.Keys, v.now, id)
	if err == nil && a.StoreID != v.session.StoreID {
		err = fault.New(fault.NotFound, "authorization_request", "The request is for another directory.")
	}
	return a, err
}

func (p *Pages) allow(v *visit) error {
	id := v.field("request")
	a, err := p.authorization(v, id)
	if err != nil {
		return err
	}
	var to string
	err = p.DB.Update(v.r.Context(), func(tx Tx) error {
		var err error
		if to, err = oauth.ApproveAuthorization(tx, v.now, p.IDs, p.Keys, v.session, id); err != nil {
			return err
		}
		return v.recordDecision(tx, "ApproveAuthorization", a.ClientID, a.Scopes)
	})
	if err == nil {
		v.redirect(to)
	}
	return err
}

func (p *Pages) deny(v *visit) error {
	id := v.field("request")
	a, err := p.authorization(v, id)
	if err != nil {
		return err
	}
	to, err := oauth.DenyAuthorization(p.Keys, v.now, id)
	if err != nil {
		return err
	}
	err = p.DB.Update(v.r.Context(), func(tx Tx) error { return v.recordDecision(tx, "DenyAuthorization", a.ClientID, a.Scopes) })
	if err == nil {
		v.redirect(to)
	}
	return err
}

// recordDecision appends a person's decision on a client to the audit trail.
// AWS has no name for it; ours say what it is.
func (v *visit) recordDecision(tx audit.Tx, event, clientID string, scopes []string) error {
	data, err := json.Marshal(map[string]any{"clientId": clientID, "scopes": scopes})
	if err != nil {
		return err
	}
	return v.record(tx, portalSource, event, data)
}

// portalSource is the service in whose name what people do at the portal is
// recorded, as AWS has it.
const portalSource = "sso.amazonaws.com"

// record appends what a signed-in person did to the audit trail, with what
// else there is to say of it, in JSON.
func (v *visit) record(tx audit.Tx, source, event string, data json.RawMessage) error {
	in, held := v.actor()
	identity := signin.IdentityOf(in, held.UserID)
	identity.CredentialID = held.ID
	return audit.Append(tx, audit.Record{
		UserIdentity: identity, EventTime: v.now, EventSource: source, EventName: event,
		EventType: audit.ServiceEvent, Region: in.Region,
		SourceIPAddress: v.Address.String(), UserAgent: v.Client().UserAgent, AdditionalEventData: data,
		RequestID: v.RequestID, EventID: v.pages.IDs.UUID(), RecipientAccountID: in.OwnerAccountID,
	})
}

// consentForm is how a consent page answers: with the name of the request in a
// field, to Action followed by "/allow" or "/deny".
type consentForm struct{ Action, Field, Value string }

// showConsent shows what an application asks for. The answer may lead to the
// origin target.
func (v *visit) showConsent(r request, f consentForm, target string) {
	v.show(http.StatusOK, "consent", "consent.title.page", map[string]any{
		"Request": r, "Form": f, "User": v.user.UserName, "Until": v.until(), "FormTarget": target,
	})
}

// formTarget is the origin to which the form of a consent leads: browsers hold
// redirects to the page's policy as well. A policy cannot name an IPv6
// address, so that all of http has to stand for one.
func formTarget(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil || u.Scheme != "http" {
		return ""
	}
	if strings.HasPrefix(u.Host, "[") {
		return "http:"
	}
	return "http://" + u.Host
}

// request is what an application asks for, in words.
type request struct {
	Client    string
	Address   string // from where it was asked, "" when it came by this browser
	Elsewhere bool   // Address is not the browser's own
	Redirect  string // host to which the answer goes; "" when it is asked for
	Scopes    []string
}

func (v *visit) describeDevice(d oauth.Device) request {
	r := v.describe(d.ClientName, d.Scopes)
	own := v.Address.String()
	if r.Elsewhere = d.Requester.IP != own; r.Elsewhere {
		r.Address = v.text("request.address.other", "address", d.Requester.IP, "own", own)
	} else {
		r.Address = v.text("request.address.same", "address", own)
	}
	return r
}

func (v *visit) describeAuthorization(a oauth.Authorization) request {
	r := v.describe(a.ClientName, a.Scopes)
	if u, err := url.Parse(a.RedirectURI); err == nil {
		r.Redirect = v.text("request.redirect.here", "host", u.Host)
	}
	return r
}

func (v *visit) describe(client string, scopes []string) request {
	return request{Client: clipped(client), Scopes: v.describeScopes(scopes)}
}

// describeScopes says what an application with these scopes can do.
func (v *visit) describeScopes(scopes []string) (words []string) {
	for _, scope := range scopes {
		words = append(words, v.describeScope(scope))
	}
	if len(words) == 0 { // an application that names none gets this one
		words = []string{v.text("consent.scope.account")}
	}
	return words
}

func (v *visit) describeScope(scope string) string {
	switch scope {
	case oauth.ScopeAccountAccess, oauth.ScopePortal:
		return v.text("consent.scope.account")
	default:
		return v.text("consent.scope.other", "scope", scope)
	}
}

// maxClientName is how much of an application's name is shown, in characters.
const maxClientName = 100

func clipped(name string) string {
	if r := []rune(name); len(r) > maxClientName {
		return string(r[:maxClientName]) + "…"
	}
	return name
}
