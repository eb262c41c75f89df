package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/config"
)

// installation is an installation on the embedded database, configured in a
// file.
type installation struct {
	t      *testing.T
	config string
}

func newInstallation(t *testing.T) installation {
	t.Helper()
	dir := t.TempDir()
	i := installation{t, filepath.Join(dir, "atrium.yaml")}
	text := fmt.Sprintf("public_url: https://login.example.com\ntrusted_proxies: [127.0.0.1/32]\ndata_dir: %s\nroot_key: {file: %s}\n",
		filepath.Join(dir, "data"), filepath.Join(dir, "root.key"))
	if err := os.WriteFile(i.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return i
}

// atrium runs a command and returns its exit code and all that it printed.
func (i installation) atrium(args ...string) (code int, text string) {
	i.t.Helper()
	var out bytes.Buffer
	code = run(append(args, "--config", i.config), streams{&out, &out})
	return code, out.String()
}

// must runs a command that has to succeed.
func (i installation) must(args ...string) string {
	i.t.Helper()
	code, text := i.atrium(args...)
	if code != 0 {
		i.t.Fatalf("atrium %s: exit code %d:\n%s", strings.Join(args, " "), code, text)
	}
	return text
}

// serve runs a node until the test ends.
func (i installation) serve() {
	i.t.Helper()
	command := configured{Config: i.config}
	cfg, _, err := command.load(config.NewFlags(), streams{i.t.Output(), i.t.Output()})
	if err != nil {
		i.t.Fatal(err)
	}
	cfg.Listen, cfg.AdminListen = "127.0.0.1:0", ""
	p, err := openNode(i.t.Context(), cfg, logger(cfg, i.t.Output()))
	if err != nil {
		i.t.Fatal(err)
	}
	if err := listen(i.t.Context(), cfg, p); err != nil {
		i.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(i.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	i.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			i.t.Error(err)
		}
		if err := p.Close(); err != nil {
			i.t.Error(err)
		}
	})
	for { // until it answers: the commands of the test are to find it
		if _, found := app.DialControl(ctx, cfg.DataDir); found {
			return
		}
	}
}

// TestCommands runs the commands for operators, without a node and beside one
// that runs.
func TestCommands(t *testing.T) {
	for name, running := range map[string]bool{"stopped": false, "running": true} {
		t.Run(name, func(t *testing.T) {
			i := newInstallation(t)
			made := i.must("init", "--account-email", "management@example.com")
			if running {
				i.serve()
			}
			first := accessKeyID(made)
			if got := i.must("keys", "rotate", "--revoke"); !strings.Contains(got, "session: generation 2, 1 older revoked\n") || !strings.Contains(got, "stored-secret: generation 2\n") {
				t.Errorf("keys rotate printed:\n%s", got)
			}
			if got := i.must("admin-key", "list"); !strings.HasPrefix(got, first+"\tactive\tcreated ") {
				t.Errorf("admin-key list printed:\n%s", got)
			}
			second := accessKeyID(i.must("admin-key", "rotate"))
			if code, got := i.atrium("admin-key", "rotate"); code != exitFailed || !strings.Contains(got, "Disable one of them") {
				t.Errorf("a third key: exit code %d, %s", code, got)
			}
			i.must("admin-key", "disable", first)
			if got := i.must("admin-key", "list"); !strings.Contains(got, first+"\tdisabled\t") || !strings.Contains(got, second+"\tactive\t") {
				t.Errorf("admin-key list printed:\n%s", got)
			}
			i.must("admin-key", "enable", first)
			last := accessKeyID(i.must("admin-key", "rotate", "--revoke"))
			if got := i.must("admin-key", "list"); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, last) {
				t.Errorf("admin-key list printed:\n%s", got)
			}
			if got := i.must("audit", "verify"); !strings.Contains(got, "records") {
				t.Errorf("audit verify printed:\n%s", got)
			}
		})
	}
}

func accessKeyID(text string) string {
	return regexp.MustCompile(`AKIA[A-Z0-9]{16}`).FindString(text)
}

// TestTrailOfAnInstallation lists and verifies what commands left in the trail,
// after a node has sealed it.
func TestTrailOfAnInstallation(t *testing.T) {
	i := newInstallation(t)
	i.must("init", "--account-email", "management@example.com")
	t.Run("node", func(t *testing.T) { installation{t, i.config}.serve() }) // which seals when it stops
	verified := i.must("audit", "verify")
	anchor := regexp.MustCompile(`--anchor (\S+)`).FindStringSubmatch(verified)
	if anchor == nil || !strings.Contains(verified, " records in 1 batches\n") {
		t.Fatalf("audit verify printed:\n%s", verified)
	}
	i.must("audit", "verify", "--anchor", anchor[1])
	list := i.must("audit", "list")
	if !strings.Contains(list, `"eventName":"Initialize"`) || !strings.Contains(list, `"eventName":"CreateAccessKey"`) || !strings.Contains(list, "operator:") {
		t.Errorf("audit list printed:\n%s", list)
	}
}

// TestNoInstallation expects every command but init to refuse where there is no
// installation, and to leave nothing behind.
func TestNoInstallation(t *testing.T) {
	for _, command := range [][]string{
		{"serve"}, {"keys", "rotate"}, {"keys", "reseal"}, {"admin-key", "list"}, {"admin-key", "rotate"}, {"audit", "list"}, {"audit", "verify"},
	} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			i := newInstallation(t)
			other := newInstallation(t)
			other.must("init", "--account-email", "management@example.com")
			// A root key is there, and the path of the data is mistyped.
			key, err := os.ReadFile(filepath.Join(filepath.Dir(other.config), "root.key"))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Dir(i.config)
			if err := os.WriteFile(filepath.Join(dir, "root.key"), key, 0o600); err != nil {
				t.Fatal(err)
			}
			code, text := i.atrium(command...)
			if code != exitFailed || !strings.Contains(text, "there is no database") {
				t.Errorf("exit code %d:\n%s", code, text)
			}
			if _, err := os.Stat(filepath.Join(dir, "data")); !os.IsNotExist(err) {
				t.Error("it left a data directory")
			}
		})
	}
}
