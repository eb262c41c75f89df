package app

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/test/person"
)

// TestBreachedFile has people of a node with a list of breached passwords choose
// theirs: one that is in it, one that is not, and one when it is gone.
func TestBreachedFile(t *testing.T) {
	list := filepath.Join(t.TempDir(), "pwned.txt")
	line := fmt.Sprintf("%X:7\r\n", sha1.Sum([]byte("Quiet-Harbour-31")))
	if err := os.WriteFile(list, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := &url.URL{Scheme: "http", Host: fmt.Sprintf("localhost:%d", listener.Addr().(*net.TCPAddr).Port)}
	root, err := keys.NewRoot(ident.NewSource(rand.Reader).Bytes(keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(t.Context(), Options{
		PeopleURL: address, DataURL: &url.URL{Scheme: "http", Host: listener.Addr().String()}, Region: "us-east-1", Listener: listener,
		Store: storetest.Open(t, store.Config{}), Root: root, Log: slog.New(slog.DiscardHandler), Now: time.Now, Rand: rand.Reader,
		BreachedFile: list,
	})
	if err != nil {
		t.Fatal(err)
	}
	sample, err := p.CreateSample(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	choose := func(userName, password string) error {
		for _, s := range sample.Passwords {
			if s.UserName == userName {
				who, err := person.New(userName, s.Password, password)
				if err != nil {
					t.Fatal(err)
				}
				_, err = who.Approve(t.Context(), address.String()+"/start")
				return err
			}
		}
		t.Fatalf("the sample data has no %s", userName)
		return nil
	}
	counted := func(want string) {
		t.Helper()
		w := httptest.NewRecorder()
		p.metrics.handler(func(http.ResponseWriter, *http.Request) {}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		if !strings.Contains(w.Body.String(), "atrium_breached_password_checks_total{"+want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}

	if err := choose("admin", "Quiet-Harbour-31"); err == nil || !strings.Contains(err.Error(), "known to attackers") {
		t.Errorf("a password of a breach: %v", err)
	}
	counted(`result="found"} 1`)
	if err := choose("admin", "Quiet-Lagoon-31"); err != nil && strings.Contains(err.Error(), "422") {
		t.Errorf("a password of no breach: %v", err)
	}
	counted(`result="absent"} 1`)
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if err := choose("sam.lee", "Quiet-Harbour-31"); err != nil && strings.Contains(err.Error(), "422") {
		t.Errorf("without the list: %v", err)
	}
	counted(`result="failed"} 1`)
}
