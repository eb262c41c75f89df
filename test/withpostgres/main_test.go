//go:build unix

package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const asMain = "ATRIUM_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) == "1" {
		_ = os.Unsetenv(asMain)
		main()
		return
	}
	os.Exit(m.Run())
}

// withPostgres returns the command withpostgres with args, its files in a
// directory of the test's. PostgreSQL's user must be able to reach it.
func withPostgres(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if _, err := findPrograms(); err != nil {
		if os.Getenv("ATRIUM_TEST_REQUIRE") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "wp")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("withpostgres left files behind: %v, %v", left, err)
		}
		_ = os.RemoveAll(dir)
	})
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMain+"=1", "TMPDIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestExitCodePassesThrough(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -KILL $$": 128 + int(syscall.SIGKILL)} {
		cmd := withPostgres(t, "--", "sh", "-c", script)
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit code %d, want %d", script, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	cmd := withPostgres(t, "--")
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != 2 {
		t.Errorf("without a command: exit code %d, want 2", got)
	}
	cmd = withPostgres(t, filepath.Join(t.TempDir(), "none"))
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != 1 {
		t.Errorf("with a command that does not exist: exit code %d, want 1", got)
	}
}

// TestServer connects to the server while the command runs, and ends it with a
// signal.
func TestServer(t *testing.T) {
	cmd := withPostgres(t, "--", "sh", "-c", `echo "$`+variable+`"; exec sleep 60`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4096)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	dsn := strings.TrimSpace(string(line[:n]))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "server_encoding": "UTF8", "lc_collate": "C"} {
		var got string
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", setting, got, err, want)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	if got, want := cmd.ProcessState.ExitCode(), 128+int(syscall.SIGTERM); got != want {
		t.Errorf("after SIGTERM: exit code %d, want %d", got, want)
	}
	if err := conn.Ping(ctx); err == nil {
		t.Error("the server still runs")
	}
}
