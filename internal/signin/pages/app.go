package pages

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/atrium-iam/atrium/internal/webui"
)

// start shows the AWS access portal: the web application, where the program
// was built with it, and the plain page otherwise.
func (p *Pages) start(v *visit) error {
	if !p.Web.Built() {
		return p.portal(v)
	}
	var first map[string]json.RawMessage
	if p.First != nil {
		first = p.First(v.r, Caller{Instance: v.instance, Session: v.session, User: v.user})
	}
	body, err := p.Web.Page(v.nonce, v.token(), first)
	if err != nil {
		return err
	}
	v.secureHeaders()
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Security-Policy", webui.ContentPolicy(v.nonce))
	v.status = http.StatusOK
	v.w.WriteHeader(v.status)
	// A browser that went away reads no answer.
	_, _ = v.w.Write(body) //nolint:gosec // the application's page, in which Page has escaped what it fills in
	return nil
}
