package pages

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/signin"
)

// The reasons for which a page is refused before it is looked at.
var (
	errNotFound = errors.New("pages: no such page")
	errInsecure = errors.New("pages: not over TLS")
	errForged   = errors.New("pages: a form from elsewhere")
	errStale    = errors.New("pages: a form of another session")
	errLarge    = errors.New("pages: a form that is too large")
	errDisabled = errors.New("pages: no instance")
)

// refusal is a page that says why there is no other.
type refusal struct {
	status      int
	title, text string // keys of the catalogue
	message     string // in the place of text
	again       string // where to go on; "" for nowhere
	againText   string
}

// fail answers with the page of an error. Whoever has sent a form of another
// session gets its page anew, or signs in first.
func (v *visit) fail(err error) {
	if errors.Is(err, errStale) {
		page, found, failed := v.formPage()
		if found {
			v.redirect(page)
			return
		}
		if err = failed; err == nil {
			err = errForged
		}
	}
	f := v.refusalOf(err)
	if e, ok := errors.AsType[*fault.Error](err); ok && e.RetryAfter > 0 {
		v.w.Header().Set("Retry-After", seconds(e.RetryAfter))
	}
	text := f.message
	if text == "" {
		text = v.text(f.text)
	}
	v.show(f.status, "refusal", f.title, map[string]any{"Text": text, "Ask": v.user.ID != "", "Again": f.again, "AgainText": f.againText})
}

// Fail answers with a page that tells a person why the request for
// authorization with which an application sent them here cannot go on: by a
// code of OAuth or of package oidc.
func (p *Pages) Fail(w http.ResponseWriter, r *http.Request, status int, code string) {
	text, ok := map[string]string{
		"invalid_client": "request.client.unknown", "unauthorized_client": "request.client.grant", "invalid_redirect_uri": "request.redirect.other",
		"repeated_parameter": "request.repeated", "no_portal": "error.disabled",
	}[code]
	if !ok {
		text = "request.failed"
	}
	v := p.newVisit(w, r)
	v.show(status, "refusal", "error.request.title", map[string]any{"Text": v.text(text), "Ask": false, "Again": "/start", "AgainText": "error.home"})
}

func (v *visit) refusalOf(err error) refusal {
	home, toHome := v.home(), "error.home"
	if home == signin.RootDestination {
		toHome = "root.title"
	}
	switch {
	case errors.Is(err, errNotFound):
		return refusal{status: http.StatusNotFound, title: "error.notfound.title", text: "error.notfound", again: home, againText: toHome}
	case errors.Is(err, errInsecure):
		return refusal{status: http.StatusForbidden, title: "error.insecure.title", text: "error.insecure"}
	case errors.Is(err, errForged):
		return refusal{status: http.StatusForbidden, title: "error.forged.title", text: "error.forged", again: home, againText: toHome}
	case errors.Is(err, errLarge):
		return refusal{status: http.StatusRequestEntityTooLarge, title: "error.large.title", text: "error.large", again: home, againText: toHome}
	case errors.Is(err, errDisabled):
		return refusal{status: http.StatusNotFound, title: "error.disabled.title", text: "error.disabled", again: "/root/signin", againText: "root.signin.title"}
	}
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		e = fault.New(fault.Internal, "", "")
	}
	switch e.Subject {
	case "root_link":
		return refusal{status: http.StatusGone, title: "root.link.gone", message: v.told(e), again: "/root/signin", againText: "root.signin.title"}
	case "signin_attempt":
		return refusal{status: http.StatusGone, title: "expired.title", text: "expired.text", again: v.startAgain(), againText: "expired.again"}
	case "user_code", "expired_token", "authorization_request": // of package oauth
		return refusal{status: http.StatusGone, title: "gone.title", text: "gone.text", again: home, againText: toHome}
	}
	switch e.Category {
	case fault.Throttled:
		return refusal{status: http.StatusTooManyRequests, title: "throttled.title", message: v.told(e)}
	case fault.Unavailable:
		return refusal{status: http.StatusServiceUnavailable, title: "error.busy.title", message: v.told(e)}
	case fault.Denied:
		return refusal{status: http.StatusForbidden, title: "error.denied.title", message: v.told(e), again: home, againText: toHome}
	case fault.NotFound:
		return refusal{status: http.StatusNotFound, title: "error.gone.title", message: v.told(e), again: home, againText: toHome}
	case fault.Invalid, fault.Quota:
		return refusal{status: http.StatusUnprocessableEntity, title: "error.invalid.title", message: v.told(e), again: home, againText: toHome}
	case fault.Conflict:
		return refusal{status: http.StatusConflict, title: "error.conflict.title", message: v.told(e), again: home, againText: toHome}
	default:
		return refusal{status: http.StatusInternalServerError, title: "error.internal.title", message: v.text("error.internal", "request", v.RequestID), again: home, againText: toHome}
	}
}

// seconds is a wait in whole seconds, rounded up.
func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }

// wait is a wait in words.
func (v *visit) wait(d time.Duration) string {
	switch s := int((d + time.Second - 1) / time.Second); {
	case s <= 1:
		return v.text("wait.second")
	case s < 100:
		return v.text("wait.seconds", "count", strconv.Itoa(s))
	default:
		return v.text("wait.minutes", "count", strconv.Itoa((s+30)/60))
	}
}
