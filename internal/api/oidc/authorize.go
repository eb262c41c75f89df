package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/oauth"
)

// Pages is what clients and their users' browsers ask for beside the modelled
// operations.
type Pages struct {
	DB   Viewer
	Keys oauth.Keys
	// URL is the server's public URL.
	URL *url.URL
	// Consent is the path, below URL, of the page that asks for consent to a
	// request, without the id of the oauth.Authorization that ends it.
	Consent string
	Now     func() time.Time
	// Fail shows a person why a request cannot go on: an error code of OAuth,
	// or one of the codes below.
	Fail func(w http.ResponseWriter, r *http.Request, status int, code string)
}

// Why a request cannot go on, where OAuth has no code for it.
const (
	codeRepeated = "repeated_parameter"
	codeNoPortal = "no_portal"
	codeInternal = "server_error"
)

// Viewer runs reading transactions. Their functions may run more than once.
type Viewer interface {
	View(ctx context.Context, fn func(instance.PortalReader) error) error
}

// Mount adds the addresses to the people host.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /authorize", p.authorize)
	// All that is taken for a start URL of this server.
	for _, path := range []string{"/start", "/start/{$}", "/{$}"} {
		mux.HandleFunc("HEAD "+path, p.start)
	}
}

// start tells a client that checks a start URL the AWS name that this server's
// stands for. AWS CLI 2.35.13 and later accept no other.
func (p *Pages) start(w http.ResponseWriter, r *http.Request) {
	var i instance.Instance
	var found bool
	err := p.DB.View(r.Context(), func(tx instance.PortalReader) (err error) {
		i, found, err = tx.PortalInstance()
		return err
	})
	switch {
	case err != nil:
		p.fail(w, r, err)
	case !found:
		p.Fail(w, r, http.StatusNotFound, codeNoPortal)
	default:
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Location", i.StartURL())
		w.WriteHeader(http.StatusFound)
	}
}

// authorize checks a request for authorization and sends the browser to the
// page that shows it, at the public URL: clients may have come by another of
// the server's names, where people have no session. What is wrong with the client or with the place to
// answer to is shown to the person; everything else the client is told.
func (p *Pages) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for _, values := range q {
		if len(values) > 1 {
			p.Fail(w, r, http.StatusBadRequest, codeRepeated)
			return
		}
	}
	now := ident.Millis(p.Now())
	client, err := oauth.Identify(p.Keys, now, q.Get("client_id"))
	if err == nil {
		err = oauth.CheckRedirect(client, q.Get("redirect_uri"))
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	id, err := p.begin(r, now, client)
	if err == nil {
		redirect(w, p.URL.Scheme+"://"+p.URL.Host+p.Consent+id)
		return
	}
	if refusal, ok := errors.AsType[*fault.Error](err); ok && refusal.Category == fault.Invalid {
		redirect(w, oauth.ErrorRedirect(q.Get("redirect_uri"), clipState(q.Get("state")), refusal))
		return
	}
	p.fail(w, r, err)
}

func (p *Pages) begin(r *http.Request, now time.Time, client oauth.Client) (string, error) {
	q := r.URL.Query()
	var i instance.Instance
	err := p.DB.View(r.Context(), func(tx instance.PortalReader) (err error) {
		i, err = instance.ByStartURL(tx, p.URL, client.IssuerURL)
		return err
	})
	if err != nil {
		return "", asInvalidRequest(err)
	}
	// AWS's clients say scopes, others scope as RFC 6749 has it.
	return oauth.BeginAuthorization(p.Keys, now, client, i.IdentityStoreID, oauth.NewAuthorization{
		ResponseType: q.Get("response_type"), RedirectURI: q.Get("redirect_uri"), State: q.Get("state"),
		Scopes:    strings.Fields(q.Get("scopes") + " " + q.Get("scope")),
		Challenge: q.Get("code_challenge"), Method: q.Get("code_challenge_method"),
	})
}

// asInvalidRequest gives a refusal that OAuth has no code for a code.
func asInvalidRequest(err error) error {
	if refusal, ok := errors.AsType[*fault.Error](err); ok && refusal.Category == fault.Invalid {
		return fault.New(fault.Invalid, "invalid_request", "%s", refusal.Message)
	}
	return err
}

// clipState is the state that an error is answered with: one that is too long
// is part of what is wrong.
func clipState(state string) string {
	if len(state) > oauth.MaxState {
		return ""
	}
	return state
}

func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok || refusal.Category != fault.Invalid {
		p.Fail(w, r, http.StatusInternalServerError, codeInternal)
		return
	}
	p.Fail(w, r, http.StatusBadRequest, refusal.Subject)
}

func redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusFound)
}
