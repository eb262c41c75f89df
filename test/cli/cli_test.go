// Package cli runs transcripts of the real AWS CLI against the real program:
// each file in testdata is a script as a user would type it.
package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// program is the built binary, and tools a directory that holds it and the
// AWS CLI, to be put first in a script's PATH.
var program, tools string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "atrium-cli")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	tools, program = dir, filepath.Join(dir, "atrium")
	build := exec.Command("go", "build", "-o", program, "github.com/atrium-iam/atrium/cmd/atrium")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the program:", err)
		return 1
	}
	return m.Run()
}

// TestScripts runs every script on a sample node, on both engines.
func TestScripts(t *testing.T) {
	linkAWS(t)
	t.Run("SQLite", func(t *testing.T) { runScripts(t, func(*testing.T) string { return "" }) })
	t.Run("PostgreSQL", func(t *testing.T) { runScripts(t, func(t *testing.T) string { return storetest.Postgres(t) }) })
}

func runScripts(t *testing.T, dsn func(*testing.T) string) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts found (%v)", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			database := dsn(t)
			testscript.Run(t, testscript.Params{
				Files: []string{file},
				Setup: func(env *testscript.Env) error {
					env.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
					env.Setenv("AWS_PAGER", "")
					env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
					return startNode(env, database)
				},
			})
		})
	}
}

// startNode starts a sample node whose data lies in the script's directory,
// where atrium env looks for it, and waits until it says that it runs.
func startNode(env *testscript.Env, dsn string) error {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "dev", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(env.WorkDir, ".atrium"))
	cmd.Dir = env.WorkDir
	cmd.Env = append(os.Environ(), "ATRIUM_DATABASE_DSN="+dsn)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return err
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return err
	}
	drained := make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		defer close(drained)
		ready <- waitFor(out, "Stop with Ctrl-C")
		_, _ = io.Copy(io.Discard, out)
	}()
	env.Defer(func() {
		cancel()
		<-drained
		_ = cmd.Wait() // stopped by us
	})
	select {
	case err := <-ready:
		return err
	case <-time.After(60 * time.Second):
		return errors.New("the node did not start within a minute")
	}
}

func waitFor(r io.Reader, text string) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return nil
		}
	}
	return errors.New("the node stopped before it was ready")
}

// linkAWS puts an AWS CLI of version 2 into tools. Without one the tests are
// skipped, or fail where everything is required.
func linkAWS(t *testing.T) {
	for _, dir := range append([]string{"/usr/bin", "/usr/local/bin"}, filepath.SplitList(os.Getenv("PATH"))...) {
		path := filepath.Join(dir, "aws")
		out, err := exec.Command(path, "--version").CombinedOutput()
		if err == nil && strings.HasPrefix(string(out), "aws-cli/2") {
			t.Logf("AWS CLI: %s", strings.TrimSpace(string(out)))
			if err := os.Symlink(path, filepath.Join(tools, "aws")); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	if os.Getenv(storetest.RequireVariable) == "1" {
		t.Fatal("no AWS CLI of version 2 is installed")
	}
	t.Skip("no AWS CLI of version 2 is installed")
}
