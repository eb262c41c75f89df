package oauth_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// world is a store with one instance, its person sam, and sam's portal session
// of eight hours. Its clock stands still until a test moves it.
type world struct {
	t       *testing.T
	s       *store.Store
	ids     ident.Source
	ring    *keys.Ring
	keys    oauth.Keys
	now     time.Time
	in      instance.Instance
	sam     directory.User
	session session.Session
}

// each runs test in a new world on every engine.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, s *store.Store) { test(newWorld(t, s)) })
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, s: s, ids: ident.NewSource(rand.Reader), now: storetest.Now()}
	w.restart()
	w.in = w.instance("ssoins-0123456789abcdef", "d-1234567890")
	w.sam = w.user(w.in, "sam")
	w.session = w.signIn(w.sam, 8*time.Hour)
	return w
}

// restart loads the keys anew, as a restart of the server does: nothing else
// of this package is in memory.
func (w *world) restart() {
	w.t.Helper()
	root, err := keys.NewRoot(bytes.Repeat([]byte{7}, 32), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ring, err = keys.Load(w.t.Context(), store.Bind[keys.Tx](w.s), root, func() time.Time { return w.now }, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	w.keys = oauth.Keys{Clients: key{w.ring, keys.ClientSecrets}, Tokens: key{w.ring, keys.Sessions}}
}

type key struct {
	ring    *keys.Ring
	purpose keys.Purpose
}

func (k key) Seal(plaintext, aad []byte) ([]byte, error) {
	return k.ring.Seal(k.purpose, plaintext, aad)
}
func (k key) Open(sealed, aad []byte) ([]byte, error) { return k.ring.Open(k.purpose, sealed, aad) }
func (k key) Sign(data []byte) ([]byte, error)        { return k.ring.MAC(k.purpose, data) }
func (k key) Verify(data, tag []byte) error           { return k.ring.VerifyMAC(k.purpose, data, tag) }

func (w *world) instance(id, storeID string) instance.Instance {
	w.t.Helper()
	in := instance.Instance{
		ID: id, IdentityStoreID: storeID, OwnerAccountID: "123456789012", OrganizationID: "o-" + storeID[2:],
		Region: "eu-west-1", CreatedAt: w.now, Version: 1,
	}
	w.must(func(tx *store.Tx) error { return tx.InsertInstance(in) })
	return in
}

func (w *world) user(in instance.Instance, name string) (u directory.User) {
	w.t.Helper()
	w.must(func(tx *store.Tx) (err error) {
		u, err = directory.CreateUser(tx, w.ids, directory.Stamp{At: w.now, By: "test"}, in.IdentityStoreID, directory.NewUser{
			Attributes: directory.Attributes{UserName: name, DisplayName: name, Name: directory.Name{GivenName: name, FamilyName: name}},
		})
		return err
	})
	return u
}

func (w *world) signIn(u directory.User, d time.Duration) (s session.Session) {
	w.t.Helper()
	w.must(func(tx *store.Tx) (err error) {
		s, _, err = session.Start(tx, w.now, w.ids, u.StoreID, u.ID, d, session.Client{IP: "203.0.113.9"})
		return err
	})
	return s
}

func (w *world) signOut(s session.Session) {
	w.t.Helper()
	w.must(func(tx *store.Tx) error { return session.End(tx, s.ID) })
}

// must runs a transaction that has to succeed.
func (w *world) must(f func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.s.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// try runs a transaction as the server does: it commits when its refusal has
// to be kept.
func (w *world) try(f func(tx *store.Tx) error) (refused error) {
	w.t.Helper()
	err := w.s.UpdateSnapshot(w.t.Context(), func(tx *store.Tx) error {
		refused = nil
		err := f(tx)
		if kept, ok := errors.AsType[*oauth.Kept](err); ok {
			refused = kept
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return refused
}

// subject is the code of a refusal, "" of none.
func subject(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Subject
	}
	if err != nil {
		return "unexpected: " + err.Error()
	}
	return ""
}

// refused fails the test unless err is a refusal with a code.
func (w *world) refused(err error, code string) {
	w.t.Helper()
	if got := subject(err); got != code {
		w.t.Fatalf("refused with %q (%v), want %q", got, err, code)
	}
}

// register returns a registered client.
func (w *world) register(in oauth.NewClient) oauth.Client {
	w.t.Helper()
	if in.Name == "" {
		in.Name = "botocore-client-test"
	}
	if in.Type == "" {
		in.Type = "public"
	}
	c, _, err := oauth.Register(w.keys, w.now, w.ids, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) deviceClient() oauth.Client {
	return w.register(oauth.NewClient{Scopes: []string{oauth.ScopeAccountAccess}})
}

func (w *world) codeClient() oauth.Client {
	return w.register(oauth.NewClient{
		Scopes: []string{oauth.ScopeAccountAccess}, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
		RedirectURIs: []string{"http://127.0.0.1/oauth/callback"}, IssuerURL: w.in.StartURL(),
	})
}

func (w *world) startDevice(c oauth.Client) (d oauth.Device, code string) {
	w.t.Helper()
	w.must(func(tx *store.Tx) (err error) {
		d, code, err = oauth.StartDevice(tx, w.now, w.ids, c, w.in.IdentityStoreID, oauth.Requester{IP: "198.51.100.7", UserAgent: "aws-cli/2"})
		return err
	})
	return d, code
}

func (w *world) approveDevice(s session.Session, userCode string) error {
	return w.try(func(tx *store.Tx) error {
		_, err := oauth.ApproveDevice(tx, w.now, s, userCode)
		return err
	})
}

func (w *world) denyDevice(s session.Session, userCode string) error {
	return w.try(func(tx *store.Tx) error {
		_, err := oauth.DenyDevice(tx, w.now, s, userCode)
		return err
	})
}

func (w *world) redeemDevice(c oauth.Client, code string) (t oauth.Tokens, err error) {
	err = w.try(func(tx *store.Tx) (err error) {
		t, err = oauth.RedeemDevice(tx, w.now, w.ids, w.keys, c, code)
		return err
	})
	return t, err
}

// logIn takes a client through the device flow.
func (w *world) logIn(c oauth.Client) oauth.Tokens {
	w.t.Helper()
	d, code := w.startDevice(c)
	if err := w.approveDevice(w.session, d.UserCode); err != nil {
		w.t.Fatal(err)
	}
	t, err := w.redeemDevice(c, code)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

const (
	verifier = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-._~AbCdEfGhIjKlMnOpQrStUvWx"
	callback = "http://127.0.0.1:45678/oauth/callback"
)

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func newAuthorization() oauth.NewAuthorization {
	return oauth.NewAuthorization{
		ResponseType: "code", RedirectURI: callback, State: "a state & more",
		Scopes: []string{oauth.ScopeAccountAccess}, Challenge: challenge(), Method: "S256",
	}
}

// authorize takes a client through the authorization endpoint and sam's
// consent, and returns the code.
func (w *world) authorize(c oauth.Client) string {
	w.t.Helper()
	id, err := oauth.BeginAuthorization(w.keys, w.now, c, w.in.IdentityStoreID, newAuthorization())
	if err != nil {
		w.t.Fatal(err)
	}
	to, err := w.approveAuthorization(w.session, id)
	if err != nil {
		w.t.Fatal(err)
	}
	rest, ok := strings.CutPrefix(to, callback+"?")
	if !ok {
		w.t.Fatalf("the browser is sent to %s", to)
	}
	q, err := url.ParseQuery(rest)
	if err != nil || q.Get("state") != "a state & more" || q.Get("code") == "" {
		w.t.Fatalf("the client is answered %s (%v)", rest, err)
	}
	return q.Get("code")
}

func (w *world) approveAuthorization(s session.Session, id string) (to string, err error) {
	err = w.try(func(tx *store.Tx) (err error) {
		to, err = oauth.ApproveAuthorization(tx, w.now, w.ids, w.keys, s, id)
		return err
	})
	return to, err
}

func (w *world) redeemCode(c oauth.Client, code, redirectURI, verifier string) (t oauth.Tokens, err error) {
	err = w.try(func(tx *store.Tx) (err error) {
		t, err = oauth.RedeemCode(tx, w.now, w.ids, w.keys, c, code, redirectURI, verifier)
		return err
	})
	return t, err
}

func (w *world) refresh(c oauth.Client, token string) (t oauth.Tokens, err error) {
	err = w.try(func(tx *store.Tx) (err error) {
		t, err = oauth.Refresh(tx, w.now, w.keys, c, token)
		return err
	})
	return t, err
}

func (w *world) verify(token string) (g oauth.Grant, err error) {
	err = w.s.View(w.t.Context(), func(tx *store.Tx) (err error) {
		g, err = oauth.VerifyAccessToken(tx, w.now, w.keys, token)
		return err
	})
	return g, err
}

// works fails the test unless an access token opens sam's portal.
func (w *world) works(token string) {
	w.t.Helper()
	g, err := w.verify(token)
	if err != nil {
		w.t.Fatal(err)
	}
	if g.UserID != w.sam.ID || g.StoreID != w.in.IdentityStoreID || g.InstanceID != w.in.ID || g.OwnerAccountID != w.in.OwnerAccountID {
		w.t.Fatalf("the token is for %+v", g)
	}
}

// dead fails the test unless an access token opens nothing.
func (w *world) dead(token string) {
	w.t.Helper()
	_, err := w.verify(token)
	w.refused(err, "token")
	if !fault.Is(err, fault.Denied) || err.Error() != "Session token not found or invalid" {
		w.t.Fatalf("refused with %v", err)
	}
}
