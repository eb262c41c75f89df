package webui

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built(files map[string]string) fstest.MapFS {
	all := fstest.MapFS{"built/README.md": {Data: []byte("#")}}
	for name, content := range files {
		all["built/web/"+name] = &fstest.MapFile{Data: []byte(content)}
	}
	return all
}

func sample() map[string]string {
	return map[string]string{
		"index.html":    `<meta content="__CSRF__"><script nonce="__NONCE__"></script><meta content="__FIRST__"><link nonce="__NONCE__">`,
		"assets/a-1.js": "script", "assets/a-1.js.gz": "zipped", "assets/a-1.js.br": "brotli",
		"assets/b-2.css": "style", "assets/b-2.css.gz": "zipped style", "assets/b-2.css.br": "brotli style",
	}
}

func TestNotBuilt(t *testing.T) {
	a, err := Open(built(nil))
	if err != nil || a.Built() {
		t.Errorf("without files: built %v, %v", a.Built(), err)
	}
	if (*App)(nil).Built() {
		t.Error("no application counts as built")
	}
}

func TestDamaged(t *testing.T) {
	for name, damage := range map[string]func(map[string]string){
		"a page without a nonce":     func(f map[string]string) { f["index.html"] = "__CSRF__ __FIRST__" },
		"a page without data":        func(f map[string]string) { f["index.html"] = "__NONCE__ __CSRF__" },
		"a page without a token":     func(f map[string]string) { f["index.html"] = "__NONCE__ __FIRST__" },
		"no files":                   func(f map[string]string) { clear(f); f["index.html"] = "__NONCE__ __CSRF__ __FIRST__" },
		"a file that is not zipped":  func(f map[string]string) { delete(f, "assets/a-1.js.gz") },
		"a file without brotli form": func(f map[string]string) { delete(f, "assets/b-2.css.br") },
	} {
		files := sample()
		damage(files)
		if _, err := Open(built(files)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestPage(t *testing.T) {
	a, err := Open(built(sample()))
	if err != nil {
		t.Fatal(err)
	}
	if !a.Built() {
		t.Fatal("the application is not found")
	}
	got, err := a.Page(`n+/"<`, "t0ken", map[string]json.RawMessage{"Op": json.RawMessage(`{"name":"</script><b>&__NONCE__\u2028\""}`)})
	if err != nil {
		t.Fatal(err)
	}
	if want := `<meta content="t0ken"><script nonce="n+/&#34;&lt;"></script>` +
		`<meta content="{&#34;Op&#34;:{&#34;name&#34;:&#34;\u003c/script\u003e\u003cb\u003e\u0026__NONCE__\u2028\&#34;&#34;}}"><link nonce="n+/&#34;&lt;">`; string(got) != want {
		t.Errorf("the page is %s, want %s", got, want)
	}
	if got, err := a.Page("n", "t", nil); err != nil || !strings.Contains(string(got), `<meta content="null">`) {
		t.Errorf("without data the page is %s (%v)", got, err)
	}
	if _, err := a.Page("n", "t", map[string]json.RawMessage{"Op": json.RawMessage(`</script>`)}); err == nil {
		t.Error("what is no JSON is taken into the page")
	}
}

func TestFiles(t *testing.T) {
	a, err := Open(built(sample()))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	a.Mount(mux)
	for _, tc := range []struct {
		file, accepts               string
		status                      int
		content, encoding, mimeType string
	}{
		{"a-1.js", "gzip, deflate, br, zstd", 200, "brotli", "br", "text/javascript; charset=utf-8"},
		{"a-1.js", "gzip", 200, "zipped", "gzip", "text/javascript; charset=utf-8"},
		{"a-1.js", "BR;q=0, gzip;q=0.5", 200, "zipped", "gzip", "text/javascript; charset=utf-8"},
		{"a-1.js", "br;q=nonsense", 200, "script", "", "text/javascript; charset=utf-8"},
		{"a-1.js", "", 200, "script", "", "text/javascript; charset=utf-8"},
		{"a-1.js", "*", 200, "script", "", "text/javascript; charset=utf-8"},
		{"b-2.css", "br", 200, "brotli style", "br", "text/css; charset=utf-8"},
		{"a-1.js.br", "br", 404, "Not Found\n", "", "text/plain; charset=utf-8"},
		{"c-3.js", "br", 404, "Not Found\n", "", "text/plain; charset=utf-8"},
		{"..%2findex.html", "br", 404, "Not Found\n", "", "text/plain; charset=utf-8"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/start/assets/"+tc.file, http.NoBody)
		if tc.accepts != "" {
			r.Header.Set("Accept-Encoding", tc.accepts)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		h := w.Header()
		if w.Code != tc.status || w.Body.String() != tc.content || h.Get("Content-Encoding") != tc.encoding || h.Get("Content-Type") != tc.mimeType {
			t.Errorf("%s for %q: %d %q, %s, encoded %q", tc.file, tc.accepts, w.Code, w.Body, h.Get("Content-Type"), h.Get("Content-Encoding"))
		}
		caching := "public, max-age=31536000, immutable"
		if tc.status != http.StatusOK {
			caching = "no-store"
		}
		if h.Get("Cache-Control") != caching || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: Cache-Control %q, X-Content-Type-Options %q", tc.file, h.Get("Cache-Control"), h.Get("X-Content-Type-Options"))
		}
	}
}

func TestContentPolicy(t *testing.T) {
	policy := ContentPolicy("abc")
	for _, part := range []string{"default-src 'none'", "script-src 'nonce-abc'", "style-src 'nonce-abc'", "require-trusted-types-for 'script'", "trusted-types 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q has no %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is unsafe: %s", policy)
	}
}

// TestEmbedded reads what was built into this very program, if anything was:
// every file's compressed form is that file.
func TestEmbedded(t *testing.T) {
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if !a.Built() {
		t.Skip("the web application is not built")
	}
	if len(a.files) < 5 {
		t.Errorf("the application has %d files", len(a.files))
	}
	for name, f := range a.files {
		z, err := gzip.NewReader(bytes.NewReader(f.gzip))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, f.plain) {
			t.Errorf("%s.gz is not %s (%v)", name, name, err)
		}
		if !strings.Contains(a.page, name) && !strings.Contains(allText(a), name) {
			t.Errorf("nothing names %s", name)
		}
	}
}

func allText(a *App) string {
	var b strings.Builder
	for _, f := range a.files {
		b.Write(f.plain)
	}
	return b.String()
}
