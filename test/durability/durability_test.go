//go:build unix

// Package durability shows that what a node acknowledged is there: after the
// node was killed in the middle of its work, on both engines, and, where the
// system lets us look, because the data was on disk before the answer was sent.
package durability

import (
	"bufio"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/test/node"
	"github.com/atrium-iam/atrium/test/workload"
)

const workers = 16

// rounds is how many times each node is killed.
func rounds() int {
	if testing.Short() {
		return 3
	}
	return 20
}

// program is the built binary.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "atrium-durability")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "atrium")
	cmd := exec.Command("go", "build", "-o", program, "github.com/atrium-iam/atrium/cmd/atrium")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the program:", err)
		return 1
	}
	return m.Run()
}

// process is a running node.
type process struct {
	cmd     *exec.Cmd
	stderr  strings.Builder
	drained chan struct{}
	admin   *node.Caller
}

// start runs a node on a data directory, by way of wrapper if there is one, and
// waits until it says that it runs.
func start(t *testing.T, dir, dsn string, wrapper ...string) *process {
	t.Helper()
	args := append(wrapper, program, "dev", "--listen", "127.0.0.1:0", "--data-dir", dir)
	p := &process{cmd: exec.Command(args[0], args[1:]...), drained: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "ATRIUM_DATABASE_DSN="+dsn)
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that a signal reaches the node within its wrapper
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan error, 1)
	go func() {
		defer close(p.drained)
		ready <- greeting(out)
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case err = <-ready:
	case <-time.After(60 * time.Second):
		err = errors.New("it does not get ready")
	}
	if err != nil {
		p.kill()
		t.Fatalf("starting the node: %v\n%s", err, &p.stderr)
	}
	p.connect(t, dir)
	return p
}

func greeting(r io.Reader) error {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if strings.Contains(lines.Text(), "Stop with Ctrl-C") {
			return nil
		}
	}
	return errors.New("it ended before it was ready")
}

// connect reads from the data directory who may administer the node, and where
// it is.
func (p *process) connect(t *testing.T, dir string) {
	t.Helper()
	var known struct {
		Endpoints     struct{ Data string }
		Administrator struct{ ID, Secret string }
	}
	raw, err := os.ReadFile(filepath.Join(dir, "node.json"))
	if err == nil {
		err = json.Unmarshal(raw, &known)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.admin = &node.Caller{Account: node.Management, KeyID: known.Administrator.ID, Secret: known.Administrator.Secret}
	p.admin.Connect(known.Endpoints.Data, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}, Timeout: 20 * time.Second})
}

// kill ends the node as a power cut would, as far as a process can tell.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

// signal sends a signal to the node and its wrapper, and waits for their end.
func (p *process) signal(s syscall.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, s)
	<-p.drained
	_ = p.cmd.Wait()
}

// TestKilled kills a node in the middle of its work, many times. Each time
// everything that it acknowledged is there, and nothing is half-done.
func TestKilled(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		dir := t.TempDir()
		killed(t, dir, node.Database{SQLitePath: filepath.Join(dir, "atrium.db")})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		killed(t, t.TempDir(), node.Database{PostgresDSN: storetest.Postgres(t)})
	})
}

func killed(t *testing.T, dir string, database node.Database) {
	p := start(t, dir, database.PostgresDSN)
	load := newLoad(t, p, database)
	all := make([]*workload.Worker, workers)
	for i := range all {
		all[i] = load.Worker(p.admin, fmt.Sprintf("w%d", i))
	}
	for round := range rounds() {
		var running sync.WaitGroup
		for _, w := range all {
			running.Go(func() { w.Run(t.Context(), 1_000_000) })
		}
		time.Sleep(time.Duration(50+rand.IntN(250)) * time.Millisecond)
		p.kill()
		running.Wait()
		if database.SQLitePath != "" {
			checkFile(t, database)
		}
		p = start(t, dir, database.PostgresDSN)
		for _, w := range all {
			w.Reconnect(p.admin)
		}
		db := workload.Open(t, database)
		load.Check(t, db)
		db.Close()
		if t.Failed() {
			t.Fatalf("in round %d", round+1)
		}
	}
	done, unanswered := load.Report(t)
	t.Logf("killed %d times; %d changes acknowledged, %d not answered", rounds(), done, unanswered)
	if done < rounds()*workers/2 || unanswered < rounds() {
		t.Error("the node was not killed at work")
	}
	db := workload.Open(t, database)
	load.Check(t, db)
	load.CheckAudit(t, db)
	p.kill()
	verifyTrail(t, dir, database)
}

// verifyTrail checks the chain of the audit trail as auditors would, without
// the node.
func verifyTrail(t *testing.T, dir string, database node.Database) {
	t.Helper()
	s := storetest.Open(t, store.Config{SQLitePath: database.SQLitePath, PostgresDSN: database.PostgresDSN, Clock: time.Now})
	root, err := keys.ReadRootFile(filepath.Join(dir, "root.key"), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Load(t.Context(), store.Bind[keys.Tx](s), root, time.Now, crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	node.VerifyTrail(t, s, ring)
}

// newLoad makes permission sets that all workers share.
func newLoad(t *testing.T, p *process, database node.Database) *workload.Load {
	t.Helper()
	list, err := p.admin.SSOAdmin.ListInstances(t.Context(), &ssoadmin.ListInstancesInput{})
	if err != nil || len(list.Instances) != 1 {
		t.Fatalf("no instance: %v", err)
	}
	in := list.Instances[0]
	for i := range 3 {
		_, err := p.admin.SSOAdmin.CreatePermissionSet(t.Context(), &ssoadmin.CreatePermissionSetInput{
			InstanceArn: in.InstanceArn, Name: new(fmt.Sprintf("shared-%d", i)),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	load := workload.New(*in.IdentityStoreId, *in.InstanceArn)
	load.Share(t, workload.Open(t, database))
	return load
}

// checkFile lets SQLite look for damage in the file as the killed node left it.
func checkFile(t *testing.T, database node.Database) {
	t.Helper()
	db := workload.Open(t, database)
	defer db.Close()
	for _, query := range []string{"PRAGMA integrity_check", "PRAGMA foreign_key_check"} {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil || text != "ok" {
				t.Errorf("%s: %q %v", query, text, err)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}
}
