package app

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/signin/pages"
)

// first is what the web application of the access portal asks for as soon as
// it runs, answered along with its page: that saves a slow network one way and
// back. The calls take the path of all others, as the person who was
// recognised for the page. What is refused is left out; the application asks
// again, and is told why.
func (a *portalAPI) first(r *http.Request, c pages.Caller) map[string]json.RawMessage {
	calls := map[string]string{"DescribePortal": `{}`, "ListPortalAccounts": `{"maxResults":50}`}
	out := make(map[string]json.RawMessage, len(calls))
	for operation, input := range calls {
		call := r.Clone(r.Context())
		call.Method, call.URL.Path, call.URL.RawQuery = http.MethodPost, portalPath+operation, ""
		call.Body, call.ContentLength = io.NopCloser(strings.NewReader(input)), int64(len(input))
		call.Header.Set("Content-Type", "application/json")
		answer := &kept{header: make(http.Header)}
		a.gateway.ServePage(answer, call, operation, func(*http.Request) (iam.Principal, error) { return a.principal(c) })
		if answer.status == http.StatusOK && json.Valid(answer.body.Bytes()) {
			out[operation] = answer.body.Bytes()
		}
	}
	return out
}

// kept is an answer that goes to this program itself.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the answer's header.
func (k *kept) Header() http.Header { return k.header }

// WriteHeader keeps the answer's status.
func (k *kept) WriteHeader(status int) { k.status = status }

// Write keeps more of the answer's body.
func (k *kept) Write(p []byte) (int, error) {
	if k.status == 0 {
		k.status = http.StatusOK
	}
	return k.body.Write(p)
}
