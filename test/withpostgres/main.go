//go:build unix

// Command withpostgres runs a command beside a PostgreSQL server of its own:
//
//	go run ./test/withpostgres -- go test ./...
//
// It makes a new cluster in a temporary directory, starts it on a Unix socket,
// sets ATRIUM_TEST_POSTGRES to its connection string, runs the command and
// exits with the command's exit code. The server is stopped and its files are
// deleted whatever happens to the command, and also when withpostgres gets a
// signal. Durability settings are PostgreSQL's defaults, so that what is
// measured is what production would see.
//
// It needs PostgreSQL's initdb and postgres: in the directory named by
// ATRIUM_POSTGRES_BIN, in PATH, or where Debian, Fedora or Homebrew put them.
// PostgreSQL refuses to run as root; root's withpostgres runs it as the user
// postgres.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

const variable = "ATRIUM_TEST_POSTGRES"

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpostgres [--] command [argument ...]")
		os.Exit(2)
	}
	code, err := run(args, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// run runs the command with a server and returns its exit code.
func run(args []string, log io.Writer) (code int, err error) {
	// From here on signals wait in the channel, so that none leaves the server
	// running. They are passed on to the command, whose end ends all.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	c, err := newCluster(log)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.start(); err != nil {
		return 0, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), variable+"="+c.dsn())
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s)
		case err := <-ended:
			return exitCode(err)
		}
	}
}

// exitCode turns what Wait returned into the exit code that a shell would show.
func exitCode(err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
