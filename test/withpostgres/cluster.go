//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

const (
	role         = "atrium"
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
)

// cluster is a PostgreSQL server and its files.
type cluster struct {
	bin    string // the directory of PostgreSQL's programs
	dir    string // the temporary directory: data/, socket, log
	as     *syscall.Credential
	server *exec.Cmd
	exited chan error
}

// newCluster makes the files of a server that is not yet running.
func newCluster(log io.Writer) (*cluster, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, err
	}
	// The name is short because the path of a Unix socket is limited to about
	// 100 bytes.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	c := &cluster{bin: bin, dir: dir}
	if err := c.init(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	fmt.Fprintln(log, "withpostgres: PostgreSQL from", bin)
	return c, nil
}

// findPrograms returns the directory that holds initdb and postgres.
func findPrograms() (string, error) {
	var dirs []string
	if dir := os.Getenv("ATRIUM_POSTGRES_BIN"); dir != "" {
		dirs = []string{dir}
	} else {
		if path, err := exec.LookPath("postgres"); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
		for _, pattern := range []string{
			"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
		} {
			found, _ := filepath.Glob(pattern)
			slices.Sort(found)
			slices.Reverse(found) // the newest version first
			dirs = append(dirs, found...)
		}
	}
	for _, dir := range dirs {
		_, err1 := os.Stat(filepath.Join(dir, "initdb"))
		_, err2 := os.Stat(filepath.Join(dir, "postgres"))
		if err1 == nil && err2 == nil {
			return dir, nil
		}
	}
	return "", errors.New("PostgreSQL's initdb and postgres are not installed " +
		"(Debian: apt-get install postgresql); ATRIUM_POSTGRES_BIN can name their directory")
}

func (c *cluster) init() error {
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("PostgreSQL cannot run as root: %w", err)
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(c.dir, int(uid), int(gid)); err != nil {
			return err
		}
	}
	// The socket's directory is private, so that no password is needed.
	out, err := c.command("initdb", "--pgdata", c.data(), "--username", role, "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// command returns a command that runs one of PostgreSQL's programs as the
// right user, in a process group of its own: a terminal's interrupt is for the
// user's command, and the server ends after that.
func (c *cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, program), args...)
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.as}
	return cmd
}

// dsn returns the connection string of the database postgres.
func (c *cluster) dsn() string {
	return fmt.Sprintf("host=%s user=%s dbname=postgres sslmode=disable", c.dir, role)
}

// start starts the server and waits until it takes connections.
func (c *cluster) start() error {
	c.server = c.command("postgres", "-D", c.data(), "-c", "listen_addresses=", "-c", "unix_socket_directories="+c.dir,
		"-c", "unix_socket_permissions=0700", "-c", "max_connections=300")
	var output bytes.Buffer
	c.server.Stdout, c.server.Stderr = &output, &output
	if err := c.server.Start(); err != nil {
		return err
	}
	c.exited = make(chan error, 1)
	go func() { c.exited <- c.server.Wait() }()
	deadline := time.After(startTimeout)
	for {
		select {
		case err := <-c.exited:
			c.server = nil
			return fmt.Errorf("PostgreSQL did not start: %w\n%s", err, output.Bytes())
		case <-deadline:
			return fmt.Errorf("PostgreSQL takes no connections after %v", startTimeout)
		case <-time.After(20 * time.Millisecond):
			if c.ready() {
				return nil
			}
		}
	}
}

// ready reports whether the server has said in its pid file that it is.
func (c *cluster) ready() bool {
	pid, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil || !bytes.Contains(pid, []byte("\nready")) {
		return false
	}
	conn, err := net.Dial("unix", filepath.Join(c.dir, ".s.PGSQL.5432"))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// stop ends the server at once and deletes its files.
func (c *cluster) stop() error {
	if c.server != nil {
		// SIGQUIT is PostgreSQL's immediate shutdown: nothing is to be kept.
		_ = c.server.Process.Signal(syscall.SIGQUIT)
		select {
		case <-c.exited:
		case <-time.After(stopTimeout):
			_ = c.server.Process.Kill()
			<-c.exited
		}
	}
	return os.RemoveAll(c.dir)
}
