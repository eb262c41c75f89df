//go:build unix

package durability

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestDataPrecedesAnswer watches the system calls of a node that creates a
// user: first the user's name is written to the write-ahead log, then the log
// is forced to the disk, and only when the disk has said that it is done is the
// answer written to the socket.
func TestDataPrecedesAnswer(t *testing.T) {
	strace := findStrace(t)
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	p := start(t, dir, "", strace, "-f", "-y", "-s", "65536", "-o", trace, "-e", "trace=read,write,pwrite64,fsync,fdatasync")
	const name = "durable-user-name"
	userID := createUser(t, p, name)
	p.signal(syscall.SIGTERM) // the tracer ends when the node has
	calls := readTrace(t, trace)

	asked := find(calls, 0, func(c syscallLine) bool { return c.name == "read" && strings.Contains(c.text, name) })
	written := find(calls, asked, func(c syscallLine) bool {
		return c.name == "pwrite64" && strings.Contains(c.text, "atrium.db-wal>") && strings.Contains(c.text, name)
	})
	synced := find(calls, written, func(c syscallLine) bool {
		return (c.name == "fdatasync" || c.name == "fsync") && strings.Contains(c.text, "atrium.db-wal>") && c.ok
	})
	answered := find(calls, 0, func(c syscallLine) bool {
		return c.name == "write" && strings.Contains(c.text, "HTTP/1.1 200") && strings.Contains(c.text, userID)
	})
	t.Logf("of %d system calls: request read %d, written %d, synced %d, answered %d", len(calls), asked, written, synced, answered)
	if asked < 0 || written < 0 || synced < 0 || answered < 0 {
		t.Fatal("not all of it is in the trace")
	}
	if calls[written].end > calls[synced].begin || calls[synced].end > calls[answered].begin {
		t.Errorf("wrong order: written in lines %d-%d, synced %d-%d, answered %d-%d", calls[written].begin, calls[written].end,
			calls[synced].begin, calls[synced].end, calls[answered].begin, calls[answered].end)
	}
}

func createUser(t *testing.T, p *process, name string) (id string) {
	t.Helper()
	list, err := p.admin.SSOAdmin.ListInstances(t.Context(), &ssoadmin.ListInstancesInput{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.admin.IdentityStore.CreateUser(t.Context(), &identitystore.CreateUserInput{
		IdentityStoreId: list.Instances[0].IdentityStoreId, UserName: &name, DisplayName: &name,
		Name: &identitytypes.Name{GivenName: &name, FamilyName: &name},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.UserId
}

// findStrace finds strace. Without it, or where the system does not let it
// look, the test is skipped; where everything is required it must be installed.
func findStrace(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("strace is Linux's")
	}
	path, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv(storetest.RequireVariable) == "1" {
			t.Fatal("strace is not installed: run scripts/setup test")
		}
		t.Skip("strace is not installed")
	}
	if out, err := exec.Command(path, "-f", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("this system does not let strace look: %s", out)
	}
	return path
}

// syscallLine is one system call of a trace, from the line where it began to the
// line where it ended.
type syscallLine struct {
	name, text string
	begin, end int
	ok         bool
}

var (
	callForm    = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumedForm = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
)

// readTrace reads what strace wrote. A call of one thread that lasts while
// others call is told in two lines.
func readTrace(t *testing.T, path string) (calls []syscallLine) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unfinished := map[string]int{} // by thread
	for i, line := range strings.Split(string(raw), "\n") {
		if m := callForm.FindStringSubmatch(line); m != nil {
			calls = append(calls, syscallLine{name: m[2], text: m[3], begin: i, end: i, ok: !strings.Contains(line, ") = -1")})
			if strings.HasSuffix(line, "<unfinished ...>") {
				unfinished[m[1]] = len(calls) - 1
			}
		} else if m := resumedForm.FindStringSubmatch(line); m != nil {
			if at, open := unfinished[m[1]]; open && calls[at].name == m[2] {
				calls[at].text += m[3]
				calls[at].end, calls[at].ok = i, !strings.Contains(m[3], ") = -1")
				delete(unfinished, m[1])
			}
		}
	}
	return calls
}

// find returns the index of the first call that began after the call at from
// had ended and that is the one wanted; -1 when there is none.
func find(calls []syscallLine, from int, wanted func(syscallLine) bool) int {
	if from < 0 {
		return -1
	}
	for i, c := range calls {
		if (from == 0 || c.begin > calls[from].end) && wanted(c) {
			return i
		}
	}
	return -1
}

// TestKilledNodeReleases holds that a killed node does not keep the next one
// from starting.
func TestKilledNodeReleases(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "")
	p.kill()
	begin := time.Now()
	start(t, dir, "").kill()
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("the next node started after %v", took)
	}
}
