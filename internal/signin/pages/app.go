package pages

import (
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
	body := p.Web.Page(v.nonce, v.token())
	v.secureHeaders()
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Security-Policy", webui.ContentPolicy(v.nonce))
	v.status = http.StatusOK
	v.w.WriteHeader(v.status)
	// A browser that went away reads no answer.
	_, _ = v.w.Write(body)
	return nil
}
