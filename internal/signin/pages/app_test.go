package pages_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/webui"
)

// withApp puts a web application into the site's pages.
func withApp(t *testing.T) func(*pages.Options) {
	t.Helper()
	web, err := webui.Open(fstest.MapFS{
		"built/web/index.html":       {Data: []byte(`<html lang="en"><h1>App</h1><meta name="csrf-token" content="__CSRF__"><script nonce="__NONCE__"></script><meta name="first-answers" content="__FIRST__">`)},
		"built/web/assets/a-1.js":    {Data: []byte("script")},
		"built/web/assets/a-1.js.gz": {Data: []byte("zipped")},
		"built/web/assets/a-1.js.br": {Data: []byte("brotli")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(o *pages.Options) {
		o.Web = web
		o.First = func(_ *http.Request, c pages.Caller) map[string]json.RawMessage {
			return map[string]json.RawMessage{"Who": json.RawMessage(`"` + c.User.UserName + ` of ` + c.Instance.IdentityStoreID + `"`)}
		}
	}
}

// TestApp serves the web application to those who are signed in, and the plain
// page beside it.
func TestApp(t *testing.T) {
	s := newSiteOn(t, store.Config{RunTwice: true}, withApp(t))
	b := s.browser()
	b.get("/start").shows(http.StatusOK, "Sign in")
	if strings.Contains(b.page, "App") {
		t.Error("the application is shown to nobody")
	}
	b.signIn("/start").shows(http.StatusOK, "App")
	token := regexp.MustCompile(`name="csrf-token" content="([A-Za-z0-9_-]{43})"`).FindStringSubmatch(b.page)
	nonce := regexp.MustCompile(`<script nonce="([A-Za-z0-9+/]{22})">`).FindStringSubmatch(b.page)
	if token == nil || nonce == nil {
		t.Fatalf("the page has no token or no nonce: %s", b.page)
	}
	if !strings.Contains(b.page, `<meta name="first-answers" content="{&#34;Who&#34;:&#34;sam.lee of d-1234567890&#34;}">`) {
		t.Errorf("the page does not bring the first answers: %s", b.page)
	}
	h := b.header
	if policy := h.Get("Content-Security-Policy"); policy != webui.ContentPolicy(nonce[1]) {
		t.Errorf("the policy is %q", policy)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8"} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	b.get("/start/plain").shows(http.StatusOK, "AWS access portal")
	if form := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(b.page); form == nil || form[1] != token[1] {
		t.Error("the application's token is not that of the forms")
	}
}
