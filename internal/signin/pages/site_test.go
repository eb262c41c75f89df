package pages_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const (
	oneTime = "kT7m-Qw9x-Rb4n-Zp3c"
	chosen  = "Vt7-kelp-Moon"

	installation = "0123456789abcdef"
)

// site is a server of the pages with one instance and one person, sam.lee.
type site struct {
	t     *testing.T
	store *store.Store
	url   string
	keys  oauth.Keys
	in    instance.Instance
	sam   directory.User
	flow  *signin.Flow

	// events are of the pages that were answered last.
	events chan pages.Event

	mu     sync.Mutex
	now    time.Time
	secure bool
}

type sink struct{}

func (sink) Enqueue(audit.Record) {}
func (sink) Noise(audit.Record)   {}

// plainKey seals nothing: enough for tests of pages.
type plainKey struct{}

func (plainKey) Seal(plaintext, aad []byte) ([]byte, error) {
	return append([]byte("sealed:"), plaintext...), nil
}

func (plainKey) Open(sealed, aad []byte) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(sealed), "sealed:")
	if !ok {
		return nil, io.ErrUnexpectedEOF
	}
	return []byte(plain), nil
}

func (plainKey) Sign(data []byte) ([]byte, error) {
	sum := sha256.Sum256(data)
	return sum[:], nil
}

func (k plainKey) Verify(data, tag []byte) error {
	if sum, _ := k.Sign(data); !bytes.Equal(sum, tag) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOn(t, store.Config{RunTwice: true})
}

func newSiteOn(t *testing.T, config store.Config, edits ...func(*pages.Options)) *site {
	t.Helper()
	s := &site{t: t, store: storetest.Open(t, config), now: storetest.Now(), events: make(chan pages.Event, 1000), keys: oauth.Keys{Clients: plainKey{}, Tokens: plainKey{}}}
	ids := ident.NewSource(rand.Reader)
	s.flow = &signin.Flow{
		DB: store.BindSnapshot[signin.Tx](s.store), Hasher: credential.NewHasher(credential.Parameters{Memory: 8, Passes: 1, Lanes: 1}, 2, rand.Reader),
		Factors: newFactors(t, ids), Known: plainKey{}, Audit: sink{}, Admit: func(netip.Addr) error { return nil }, IDs: ids, Now: s.clock,
	}
	options := pages.Options{
		Flow: s.flow, DB: store.BindSnapshot[pages.Tx](s.store), Keys: s.keys, IDs: ids, Now: s.clock, Log: slog.New(slog.DiscardHandler),
		ClientIP:     func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() },
		Secure:       func(*http.Request) bool { return s.secure },
		Observe:      func(e pages.Event) { s.events <- e },
		Installation: installation, Root: rootOf{s},
		Endpoints: clientenv.Endpoints{People: "http://localhost:8484", Data: "http://127.0.0.1:8484"},
	}
	for _, edit := range edits {
		edit(&options)
	}
	p, err := pages.New(options)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Mount(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	s.in = instance.Instance{ID: "ssoins-0123456789abcdef", IdentityStoreID: "d-1234567890", OwnerAccountID: "123456789012", OrganizationID: "o-abcdefghij", Region: "eu-west-1", CreatedAt: s.now, Version: 1}
	hash, err := s.flow.Hasher.Hash(t.Context(), oneTime)
	if err != nil {
		t.Fatal(err)
	}
	s.update(func(tx *store.Tx) (err error) {
		if err = tx.InsertInstance(s.in); err != nil {
			return err
		}
		if _, err = authsettings.Change(tx, s.in.IdentityStoreID, func(s *authsettings.Settings) { s.NoMfa = authsettings.NoMfaAllow }); err != nil {
			return err
		}
		s.sam, err = directory.CreateUser(tx, ids, directory.Stamp{At: s.now, By: "test"}, s.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
			UserName: "sam.lee", DisplayName: "Sam Lee", Name: directory.Name{GivenName: "Sam", FamilyName: "Lee"},
		}})
		if err != nil {
			return err
		}
		return credential.SetOneTime(tx, s.now, s.in.IdentityStoreID, s.sam.ID, hash)
	})
	return s
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *site) update(f func(*store.Tx) error) {
	s.t.Helper()
	if err := s.store.Update(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
}

// trail is what was recorded and not sealed yet.
func (s *site) trail() (all string) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		pending, err := tx.PendingAudit(100)
		all = ""
		for _, p := range pending {
			all += string(p.Body) + "\n"
		}
		return err
	})
	return all
}

// newPerson adds somebody to the directory.
func newPerson(tx *store.Tx, s *site, name string) (directory.User, error) {
	return directory.CreateUser(tx, s.flow.IDs, directory.Stamp{At: s.clock(), By: "test"}, s.in.IdentityStoreID, directory.NewUser{
		Attributes: directory.Attributes{UserName: name, DisplayName: name, Name: directory.Name{GivenName: name, FamilyName: name}},
	})
}

// newDevice begins a device authorization and returns its user code.
func (s *site) newDevice(client, ip string) string {
	s.t.Helper()
	var code string
	s.update(func(tx *store.Tx) error {
		d, _, err := oauth.StartDevice(tx, s.clock(), ident.NewSource(rand.Reader), oauth.Client{
			ID: "c1", Name: client, Scopes: []string{"sso:account:access"}, GrantTypes: []string{oauth.GrantDeviceCode, oauth.GrantRefreshToken},
		}, s.in.IdentityStoreID, oauth.Requester{IP: ip})
		code = d.UserCode
		return err
	})
	return code
}

func (s *site) device(code string) oauth.Device {
	s.t.Helper()
	var d oauth.Device
	s.update(func(tx *store.Tx) (err error) {
		d, _, err = tx.DeviceByUserCode(code)
		return err
	})
	return d
}

// browser visits a site as a person does: with cookies, forms and same-origin
// headers, and checks what every page has to have.
type browser struct {
	t      *testing.T
	site   *site
	client *http.Client
	page   string // the body of the last answer
	status int
	path   string // of the last answer, with its query
	leads  string // the address of a redirect that left the site
	header http.Header
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &browser{t: s.t, site: s}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != s.url {
			b.leads = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

func (b *browser) do(r *http.Request) {
	b.t.Helper()
	b.leads = ""
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.page, b.status, b.path, b.header = string(body), resp.StatusCode, resp.Request.URL.RequestURI(), resp.Header
	b.checkHeaders()
}

var (
	inlineCode = regexp.MustCompile(`(?i)<style|\sstyle=|\son\w+=|javascript:|<script(?:[^>]*)>[^<]`)
	formToken  = regexp.MustCompile(`name="csrf" value="([^"]*)"`)
	hidden     = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// checkHeaders holds every answer to the rules for pages.
func (b *browser) checkHeaders() {
	b.t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
	} {
		if got := b.header.Get(name); got != want {
			b.t.Errorf("%s: %s is %q, want %q", b.path, name, got, want)
		}
	}
	if !strings.HasPrefix(b.header.Get("Content-Type"), "text/html") {
		return
	}
	csp := b.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(csp, want) {
			b.t.Errorf("%s: the policy %q lacks %s", b.path, csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		b.t.Errorf("%s: the policy %q allows too much", b.path, csp)
	}
	if found := inlineCode.FindString(b.page); found != "" {
		b.t.Errorf("%s: inline %q", b.path, found)
	}
	if !strings.Contains(b.page, `<html lang="en">`) || strings.Count(b.page, "<h1") != 1 {
		b.t.Errorf("%s: no language, or not one heading", b.path)
	}
}

func (b *browser) get(path string) *browser {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.site.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(r)
	return b
}

// submit sends the form of the page whose action is given, with its hidden
// fields and these.
func (b *browser) submit(action string, fields ...string) *browser {
	b.t.Helper()
	_, form, found := strings.Cut(b.page, `<form method="post" action="`+action+`">`)
	if !found {
		_, form, found = strings.Cut(b.page, `<form class="corner" method="post" action="`+action+`">`)
	}
	if !found {
		b.t.Fatalf("%s has no form to %s:\n%s", b.path, action, b.page)
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(form, -1) {
		values.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	b.post(action, values, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {b.site.url}})
	return b
}

func (b *browser) post(path string, values url.Values, header http.Header) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.do(r)
}

// shows checks the status and that the page has these texts.
func (b *browser) shows(status int, texts ...string) *browser {
	b.t.Helper()
	if b.status != status {
		b.t.Fatalf("%s: status %d, want %d\n%s", b.path, b.status, status, b.page)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(b.page), text) {
			b.t.Fatalf("%s does not say %q:\n%s", b.path, text, b.page)
		}
	}
	return b
}

// signIn takes sam.lee from a path, which needs it, to where it leads.
func (b *browser) signIn(path string) *browser {
	b.t.Helper()
	b.get(path).shows(200, "Username").submit("/signin", "username", "sam.lee")
	b.shows(200, "Password", "sam.lee").submit(b.path+"/password", "password", oneTime)
	if strings.Contains(b.page, "Confirm password") {
		b.submit(b.path+"/new-password", "password", chosen, "confirm", chosen)
	}
	return b
}
