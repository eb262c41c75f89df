package app

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// newRootKey returns a root key as text, and its id.
func newRootKey(t *testing.T) (text RootKeyText, id string) {
	t.Helper()
	secret := make([]byte, keys.RootSize)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	root, err := keys.NewRoot(secret, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return RootKeyText(base64.StdEncoding.EncodeToString(secret)), root.ID()
}

// TestReplacingTheRootKeyIsRecorded replaces the root key in both ways, and
// expects a record with ids and the key nowhere.
func TestReplacingTheRootKeyIsRecorded(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		p := managed(t, s)
		var log bytes.Buffer
		p.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		from := p.Root.ID()
		for name, o := range operations(t, p) {
			text, id := newRootKey(t)
			done, err := o.ReplaceRootKey(t.Context(), Operator{"ann", "db2"}, text)
			want := keys.Replaced{From: from, To: id, Generations: len(keys.Purposes())}
			if err != nil || done != want {
				t.Fatalf("%s: %+v, %v; want %+v", name, done, err, want)
			}
			_, again := o.ReplaceRootKey(t.Context(), Operator{"ann", "db2"}, text)
			_, short := o.ReplaceRootKey(t.Context(), Operator{"ann", "db2"}, text[:40])
			if again == nil || !strings.Contains(again.Error(), "already") || short == nil || !strings.Contains(short.Error(), "exactly 32 random bytes") {
				t.Errorf("%s: the same once more: %v; a short one: %v", name, again, short)
			}
			trail := recorded(t, p)
			line := fmt.Sprintf(`operator:ann db2 ReplaceRootKey {"from":%q,"generations":%d,"to":%q}`, from, len(keys.Purposes()), id)
			if !slices.Contains(trail, line) {
				t.Errorf("%s: the trail lacks %s:\n%s", name, line, strings.Join(trail, "\n"))
			}
			shown := log.String() + strings.Join(trail, "\n") + fmt.Sprint(again, short, text) + fmt.Sprintf("%#v %+v", text, controlRequest{RootKey: text})
			if strings.Contains(shown, string(text[:20])) {
				t.Errorf("%s: the root key is shown:\n%s", name, shown)
			}
			from = id
		}
		if _, err := p.RotateKeys(t.Context(), Operator{"ann", "db2"}, true); err != nil {
			t.Errorf("the node does not go on with the new root key: %v", err)
		}
	})
}

// TestHealthAndTheRootKey asks a node how it is after another one has replaced
// the root key.
func TestHealthAndTheRootKey(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		p := managed(t, s)
		ask := func(h http.HandlerFunc) (int, string) {
			w := httptest.NewRecorder()
			h(w, httptest.NewRequest(http.MethodGet, "http://localhost/readyz", nil))
			return w.Code, strings.TrimSpace(w.Body.String())
		}
		metrics := func() string {
			w := httptest.NewRecorder()
			p.metrics.handler(p.handler.operatorsHealth).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/metrics", nil))
			return w.Body.String()
		}
		expect := func(wantCode int, wantPublic, wantAdmin string, wantMetrics ...string) {
			t.Helper()
			for name, h := range map[string]http.HandlerFunc{wantPublic: p.handler.health, wantAdmin: p.handler.operatorsHealth} {
				if code, text := ask(h); code != wantCode || !strings.HasPrefix(text, name) {
					t.Errorf("%d %q, want %d %q", code, text, wantCode, name)
				}
			}
			for _, want := range wantMetrics {
				if !strings.Contains(metrics(), "\n"+want+"\n") {
					t.Errorf("the metrics lack %s", want)
				}
			}
		}
		expect(http.StatusOK, "ok", "ok", "atrium_root_key_differs 0", "atrium_key_generations_unreadable 0")

		other, err := keys.Load(t.Context(), store.Bind[keys.Tx](s), p.Root, p.Now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		text, id := newRootKey(t)
		next, err := keys.ParseRoot(string(text), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.ReplaceRoot(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		if err := p.ring.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(http.StatusOK, "ok", "ok, but the database's keys are wrapped by root key "+id, "atrium_root_key_differs 1")
		if code, text := ask(p.handler.health); code != http.StatusOK || text != "ok" {
			t.Errorf("everybody is told %d %q", code, text)
		}
		if _, err := p.RotateKeys(t.Context(), Operator{}, false); err == nil || !strings.Contains(err.Error(), id) {
			t.Errorf("the node rotates with the old root key: %v", err)
		}
		if _, err := other.Rotate(t.Context(), keys.Sessions, 0); err != nil {
			t.Fatal(err)
		}
		if err := p.ring.Refresh(t.Context()); err == nil {
			t.Error("a generation that cannot be read is no error")
		}
		expect(http.StatusServiceUnavailable, "not ready: the root key was replaced", "not ready: the root key was replaced", "atrium_key_generations_unreadable 1")
	})
}
