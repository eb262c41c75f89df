// Package protocol speaks to the built program as clients that exist do, byte
// by byte, where no such client can be installed to do it itself.
package protocol

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/test/person"
)

// program is the built binary.
var program string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "atrium-protocol")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "atrium")
	build := exec.Command("go", "build", "-o", program, "github.com/atrium-iam/atrium/cmd/atrium")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the program:", err)
		return 1
	}
	return m.Run()
}

// onBothEngines runs a test with a new sample node on each engine.
func onBothEngines(t *testing.T, test func(t *testing.T, n *node)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newNode(t, "")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newNode(t, storetest.Postgres(t))) })
}

// node is a dev node with the sample data that can be killed and started again.
type node struct {
	t        *testing.T
	dir, dsn string
	listen   string
	url      string // of the people host
	running  *exec.Cmd
}

func newNode(t *testing.T, dsn string) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), dsn: dsn}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.listen = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(n.listen)
	if err != nil {
		t.Fatal(err)
	}
	n.url = "http://localhost:" + port
	t.Cleanup(n.kill)
	n.start()
	return n
}

func (n *node) start() {
	n.t.Helper()
	n.running = exec.Command(program, "dev", "--listen", n.listen, "--data-dir", filepath.Join(n.dir, "data"))
	n.running.Dir, n.running.Env, n.running.Stderr = n.dir, append(os.Environ(), "ATRIUM_DATABASE_DSN="+n.dsn), os.Stderr
	if err := n.running.Start(); err != nil {
		n.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if response, err := http.Get(n.url + "/readyz"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			n.t.Fatal("the node did not start within a minute")
		}
	}
}

// kill ends the node without a warning.
func (n *node) kill() {
	_ = n.running.Process.Kill()
	_ = n.running.Wait() // killed by us
}

// restart kills the node and starts it again.
func (n *node) restart() {
	n.t.Helper()
	n.kill()
	n.start()
}

// person is somebody of the sample data, who chooses a password at the first
// sign-in.
func (n *node) person(userName string) *person.Person {
	n.t.Helper()
	// The file appears when the node has said everything.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(n.dir, "data", "credentials.txt"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if name, password, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && name == userName {
				p, err := person.New(userName, password, "Lark-Ascending-58")
				if err != nil {
					n.t.Fatal(err)
				}
				return p
			}
		}
	}
	n.t.Fatalf("credentials.txt does not name %s", userName)
	return nil
}

// answer is what came back of a request.
type answer struct {
	status    int
	errorType string
	location  string
	body      string
}

// send sends a request. token is of the access portal, "" for none.
func (n *node) send(method, target, token, body string) answer {
	n.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, n.url+target, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("x-amz-sso_bearer_token", token)
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // the node does not live long
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("x-amzn-ErrorType"), response.Header.Get("Location"), string(raw)}
}
