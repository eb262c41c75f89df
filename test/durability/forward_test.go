//go:build unix

package durability

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/test/node"
)

// TestKilledWhileForwarding kills a node that forwards its audit trail, many
// times, at work: the file has every record at least once, in order, and those
// of all that was acknowledged.
func TestKilledWhileForwarding(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { killedForwarding(t, "", rounds()/2+1) })
	t.Run("PostgreSQL", func(t *testing.T) { killedForwarding(t, storetest.Postgres(t), 3) })
}

// server is an installation as it runs in production, with its trail forwarded
// to a file.
type server struct {
	t             *testing.T
	dsn, dir, url string
	admin         *node.Caller
	storeID       string

	mu    sync.Mutex
	acked []string // request ids
}

func newServer(t *testing.T, dsn string) *server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, dsn: dsn, dir: t.TempDir(), url: fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := s.command("init", "--account-email", "management@example.com").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := regexp.MustCompile(`(AKIA[A-Z0-9]{16})[\s\S]*?([A-Za-z0-9/+]{40})`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("init printed no access key:\n%s", out)
	}
	s.admin = &node.Caller{KeyID: string(found[1]), Secret: string(found[2])}
	s.admin.Connect(s.url, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}, Timeout: 20 * time.Second})
	return s
}

func (s *server) file() string { return filepath.Join(s.dir, "audit.jsonl") }

func (s *server) command(args ...string) *exec.Cmd {
	args = append(args, "--public-url", s.url, "--listen", strings.TrimPrefix(s.url, "http://"), "--admin-listen=",
		"--data-dir", s.dir, "--root-key-file", filepath.Join(s.dir, "root.key"), "--log-level", "warn", "--audit-forward-file", s.file())
	if s.dsn != "" {
		args = append(args, "--database-driver", "postgres", "--database-dsn", s.dsn)
	}
	return exec.Command(program, args...)
}

// start starts a node and waits until it answers.
func (s *server) start(args ...string) *exec.Cmd {
	s.t.Helper()
	return s.run(s.command(append([]string{"serve"}, args...)...))
}

func (s *server) run(c *exec.Cmd) *exec.Cmd {
	s.t.Helper()
	c.Stderr = s.t.Output()
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 6000 {
		r, err := http.Get(s.url + "/readyz")
		if err == nil {
			r.Body.Close()
			return c
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = c.Process.Kill()
	s.t.Fatal("the node does not get ready")
	return nil
}

// find looks up the identity store.
func (s *server) find() {
	s.t.Helper()
	list, err := s.admin.SSOAdmin.ListInstances(s.t.Context(), &ssoadmin.ListInstancesInput{})
	if err != nil || len(list.Instances) == 0 {
		s.t.Fatalf("no instance: %v", err)
	}
	s.storeID = *list.Instances[0].IdentityStoreId
}

// work makes groups until the node is gone.
func (s *server) work(name string) {
	for i := 0; ; i++ {
		out, err := s.admin.IdentityStore.CreateGroup(s.t.Context(), &identitystore.CreateGroupInput{
			IdentityStoreId: &s.storeID, DisplayName: aws.String(fmt.Sprintf("%s-%d", name, i)),
		})
		if err != nil {
			return
		}
		id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
		s.mu.Lock()
		s.acked = append(s.acked, id)
		s.mu.Unlock()
	}
}

// forwarded is a record of the file.
type forwarded struct {
	RequestID string
	Atrium    struct{ Sequence int64 }
	line      string
}

// read returns the file's records; a line that was cut off is none.
func (s *server) read() (list []forwarded) {
	s.t.Helper()
	text, err := os.ReadFile(s.file())
	if err != nil && !errors.Is(err, os.ErrNotExist) { // nothing was forwarded yet
		s.t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		r := forwarded{line: lines.Text()}
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			list = append(list, r)
		}
	}
	return list
}

// reaches waits until the file has a record with a number.
func (s *server) reaches(last int64) {
	s.t.Helper()
	for range 2400 {
		if list := s.read(); last == 0 || len(list) > 0 && list[len(list)-1].Atrium.Sequence >= last {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("record %d is not forwarded", last)
}

// trail returns the trail as atrium audit list prints it.
func (s *server) trail() []string {
	s.t.Helper()
	out, err := s.command("audit", "list").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func killedForwarding(t *testing.T, dsn string, times int) {
	s := newServer(t, dsn)
	for round := range times {
		c := s.start()
		s.find()
		var running sync.WaitGroup
		for w := range 4 {
			running.Go(func() { s.work(fmt.Sprintf("%d-%d", round, w)) })
		}
		time.Sleep(time.Duration(300+rand.IntN(900)) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		running.Wait()
	}
	c := s.start()
	last := int64(len(s.trail()))
	s.reaches(last) // at once, or when the dead node's lease is over
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	s.check()
	if len(s.acked) == 0 {
		t.Error("the node was not killed at work")
	}
}

// check compares the file with the trail and with what was acknowledged.
func (s *server) check() {
	s.t.Helper()
	var once []string
	var requests []string
	list := s.read()
	for _, r := range list {
		if r.Atrium.Sequence > int64(len(once))+1 {
			s.t.Fatalf("record %d comes after record %d", r.Atrium.Sequence, len(once))
		}
		if r.Atrium.Sequence == int64(len(once))+1 {
			once, requests = append(once, r.line), append(requests, r.RequestID)
		}
	}
	if trail := s.trail(); !slices.Equal(once, trail) {
		s.t.Errorf("the file has %d different records, the trail %d", len(once), len(trail))
	}
	slices.Sort(requests)
	for _, id := range s.acked {
		if _, found := slices.BinarySearch(requests, id); !found {
			s.t.Errorf("the change of request %s was acknowledged and not forwarded", id)
		}
	}
	s.t.Logf("%d changes acknowledged; %d records, %d of them once more", len(s.acked), len(once), len(list)-len(once))
}

// TestNobodyReadsStandardOutput forwards to a pipe whose reader has gone: the
// node works on, and its other target gets everything.
func TestNobodyReadsStandardOutput(t *testing.T) {
	s := newServer(t, "")
	c := s.command("serve", "--audit-forward-stdout", "true")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	s.run(c)
	s.find()
	for i := range 3 {
		_, err := s.admin.IdentityStore.CreateGroup(t.Context(), &identitystore.CreateGroupInput{
			IdentityStoreId: &s.storeID, DisplayName: aws.String(fmt.Sprint(i)),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.reaches(int64(len(s.trail())))
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the node ended with %v", err)
	}
	s.check()
}
