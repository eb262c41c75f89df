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
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/test/person"
)

// runningNode is a node with the sample data, and people at its pages.
type runningNode struct {
	*Program
	sample Sample
	end    func() error
}

// startNode runs a node with what o lacks until stop, or until the test ends.
func startNode(t *testing.T, o Options) *runningNode {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	root, err := keys.NewRoot(ident.NewSource(rand.Reader).Bytes(keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o.PeopleURL = &url.URL{Scheme: "http", Host: fmt.Sprintf("localhost:%d", listener.Addr().(*net.TCPAddr).Port)}
	o.DataURL = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	o.Listener, o.Root, o.Region, o.Now, o.Rand = listener, root, "us-east-1", time.Now, rand.Reader
	n := new(runningNode)
	if n.Program, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if n.sample, err = n.CreateSample(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	n.end = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { n.stop(t) })
	return n
}

func (n *runningNode) stop(t *testing.T) {
	t.Helper()
	if err := n.end(); err != nil {
		t.Error(err)
	}
}

// choose signs a person of the sample data in for the first time and chooses a
// password.
func (n *runningNode) choose(t *testing.T, userName, password string) error {
	t.Helper()
	for _, s := range n.sample.Passwords {
		if s.UserName == userName {
			who, err := person.New(userName, s.Password, password)
			if err != nil {
				t.Fatal(err)
			}
			_, err = who.Approve(t.Context(), n.PeopleURL.String()+"/start")
			return err
		}
	}
	t.Fatalf("the sample data has no %s", userName)
	return nil
}

// TestBreachedFile has people of a node with a list of breached passwords choose
// theirs: one that is in it, one that is not, and one when it is gone.
func TestBreachedFile(t *testing.T) {
	list := filepath.Join(t.TempDir(), "pwned.txt")
	line := fmt.Sprintf("%X:7\r\n", sha1.Sum([]byte("Quiet-Harbour-31")))
	if err := os.WriteFile(list, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	n := startNode(t, Options{Store: storetest.Open(t, store.Config{}), BreachedFile: list, Log: slog.New(slog.DiscardHandler)})
	choose := func(userName, password string) error { return n.choose(t, userName, password) }
	counted := func(want string) {
		t.Helper()
		w := httptest.NewRecorder()
		n.metrics.handler(func(http.ResponseWriter, *http.Request) {}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		if !strings.Contains(w.Body.String(), "atrium_breached_password_checks_total{"+want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}

	if err := choose("admin", "Quiet-Harbour-31"); err == nil || !strings.Contains(err.Error(), "known to attackers") {
		t.Errorf("a password of a breach: %v", err)
	}
	counted(`result="found"} 1`)
	if err := choose("admin", "Quiet-Lagoon-31"); err != nil {
		t.Errorf("a password of no breach: %v", err)
	}
	counted(`result="absent"} 1`)
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if err := choose("sam.lee", "Quiet-Harbour-31"); err != nil {
		t.Errorf("without the list: %v", err)
	}
	counted(`result="failed"} 1`)
}
