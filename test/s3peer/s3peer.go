// Package s3peer starts an S3 server that is not ours, Versity's gateway on a
// directory, for tests of what is said to S3 servers elsewhere.
package s3peer

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// Variable names the environment variable that says where the server's program
// is; "make test" sets it.
const Variable = "ATRIUM_TEST_S3_SERVER"

// Region is what the server wants requests to be signed for.
const Region = "us-east-1"

// rootKey and rootSecret are the server's administrator, whom nothing here uses
// but to make users.
const rootKey, rootSecret = "root", "root-secret"

// Start starts a server until the test ends and makes a user for each access
// key, given with its secret. Without the program the test is skipped, or
// fails where everything is required.
func Start(t testing.TB, users map[string]string) *url.URL {
	t.Helper()
	program := os.Getenv(Variable)
	if program == "" {
		if os.Getenv(storetest.RequireVariable) == "1" {
			t.Fatalf("%s names no S3 server", Variable)
		}
		t.Skipf("%s names no S3 server", Variable)
	}
	dir := t.TempDir()
	for _, sub := range []string{"iam", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	var output bytes.Buffer
	cmd := exec.Command(program, "--port", address, "--access", rootKey, "--secret", rootSecret, "--keep-alive", "--quiet",
		"--iam-dir", filepath.Join(dir, "iam"), "posix", filepath.Join(dir, "data"))
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // stopped by us
	})
	server := &url.URL{Scheme: "http", Host: address}
	await(t, server, &output)
	for key, secret := range users {
		made, err := exec.Command(program, "admin", "--access", rootKey, "--secret", rootSecret, "--endpoint-url", server.String(),
			"create-user", "--access", key, "--secret", secret, "--role", "userplus").CombinedOutput()
		if err != nil {
			t.Fatalf("making a user at the S3 server: %v\n%s", err, made)
		}
	}
	return server
}

func freeAddress(t testing.TB) string {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await waits until the server answers.
func await(t testing.TB, server *url.URL, output *bytes.Buffer) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(server.String())
		if err == nil {
			response.Body.Close()
			return
		}
	}
	t.Fatalf("the S3 server does not answer:\n%s", output)
}
