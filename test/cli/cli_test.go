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

// program is the built binary, tools a directory that holds it and the AWS
// CLI, to be put first in a script's PATH, and awsVersion the AWS CLI's.
var program, tools, awsVersion string

func TestMain(m *testing.M) {
	if os.Getenv(bucketVariable) != "" { // we are run by storesWithGo
		if err := runStoring(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
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
	awsVersion, err = linkAWS()
	if err != nil {
		fmt.Fprintln(os.Stderr, "looking for the AWS CLI:", err)
		return 1
	}
	return m.Run()
}

// TestScripts runs every script on a sample node, on both engines.
func TestScripts(t *testing.T) {
	onBothEngines(t, runScripts)
}

// onBothEngines runs a test with the DSN of each engine's databases.
func onBothEngines(t *testing.T, test func(t *testing.T, dsn func(*testing.T) string)) {
	needAWS(t)
	t.Run("SQLite", func(t *testing.T) { test(t, func(*testing.T) string { return "" }) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, func(t *testing.T) string { return storetest.Postgres(t) }) })
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
					_, err := startNode(env.WorkDir, database, env.Defer)
					return err
				},
			})
		})
	}
}

// startNode starts a sample node whose data lies in the directory .atrium of
// dir, where atrium env looks for it, waits until it says that it runs and
// returns what it says. atEnd takes what is to be done in the end.
func startNode(dir, dsn string, atEnd func(func()), flags ...string) (greeting string, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, append([]string{"dev", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, ".atrium")}, flags...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ATRIUM_DATABASE_DSN="+dsn)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return "", err
	}
	drained := make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		defer close(drained)
		var err error
		greeting, err = readUntil(out, "Stop with Ctrl-C")
		ready <- err
		_, _ = io.Copy(io.Discard, out)
	}()
	atEnd(func() {
		cancel()
		<-drained
		_ = cmd.Wait() // stopped by us
	})
	select {
	case err := <-ready:
		return greeting, err
	case <-time.After(60 * time.Second):
		return "", errors.New("the node did not start within a minute")
	}
}

// readUntil reads lines up to one that contains text.
func readUntil(r io.Reader, text string) (string, error) {
	var read strings.Builder
	for lines := bufio.NewScanner(r); lines.Scan(); {
		read.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), text) {
			return read.String(), nil
		}
	}
	return "", errors.New("the node stopped before it was ready")
}

// linkAWS puts an AWS CLI of version 2 into tools and returns its version, ""
// when there is none.
func linkAWS() (version string, err error) {
	for _, dir := range append([]string{"/usr/bin", "/usr/local/bin"}, filepath.SplitList(os.Getenv("PATH"))...) {
		path := filepath.Join(dir, "aws")
		out, err := exec.Command(path, "--version").CombinedOutput()
		if err == nil && strings.HasPrefix(string(out), "aws-cli/2") {
			return strings.TrimSpace(string(out)), os.Symlink(path, filepath.Join(tools, "aws"))
		}
	}
	return "", nil
}

// needAWS skips the test without an AWS CLI, or fails it where everything is
// required.
func needAWS(t *testing.T) {
	t.Helper()
	switch {
	case awsVersion != "":
		t.Logf("AWS CLI: %s", awsVersion)
	case os.Getenv(storetest.RequireVariable) == "1":
		t.Fatal("no AWS CLI of version 2 is installed")
	default:
		t.Skip("no AWS CLI of version 2 is installed")
	}
}
