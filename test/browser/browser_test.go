// Package browser drives the pages of the real program with Chromium: what is
// in the files *.test.mjs, run by Node's test runner.
package browser

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPages runs every test in Chromium. With ATRIUM_SCREENSHOTS set to a
// directory, each page is photographed into it.
func TestPages(t *testing.T) {
	node := need(t, "node", os.Getenv("ATRIUM_NODE"), "node")
	chromium := need(t, "Chromium", os.Getenv("ATRIUM_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
	install(t)
	buildWeb(t)
	program := filepath.Join(t.TempDir(), "atrium")
	run(t, exec.Command("go", "build", "-o", program, "github.com/atrium-iam/atrium/cmd/atrium"))
	mailSink := filepath.Join(t.TempDir(), "mailsink")
	run(t, exec.Command("go", "build", "-o", mailSink, "github.com/atrium-iam/atrium/test/mailsink/serve"))
	tests, err := filepath.Glob("*.test.mjs")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests found (%v)", err)
	}
	for _, file := range tests {
		t.Run(file, func(t *testing.T) {
			cmd := exec.Command(node, "--test", "--test-reporter=spec", file)
			cmd.Env = append(os.Environ(), "ATRIUM_PROGRAM="+program, "ATRIUM_CHROMIUM="+chromium, "ATRIUM_MAIL_SINK="+mailSink)
			run(t, cmd)
		})
	}
}

// need returns the path of the first program that there is. Without any the
// test is skipped, or fails where everything is required.
func need(t *testing.T, what string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	missing(t, what+" is not installed")
	return ""
}

func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("ATRIUM_TEST_REQUIRE") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// install gets the packages that package-lock.json names, unless they are
// there. That needs the network, so it happens only where everything is
// required.
func install(t *testing.T) {
	t.Helper()
	lock, err := os.Stat("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	installed, err := os.Stat(filepath.Join("node_modules", ".package-lock.json"))
	if err == nil && !installed.ModTime().Before(lock.ModTime()) {
		return
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if os.Getenv("ATRIUM_TEST_REQUIRE") != "1" {
		t.Skip("run npm ci in test/browser first")
	}
	run(t, exec.Command(need(t, "npm", "npm"), "ci", "--no-audit", "--no-fund"))
}

// buildWeb builds the web application into the program's sources. What that
// needs beyond Node comes from the network, so it happens only where everything
// is required, or where it was done before.
func buildWeb(t *testing.T) {
	t.Helper()
	const script = "../../scripts/web"
	if os.Getenv("ATRIUM_TEST_REQUIRE") == "1" {
		run(t, exec.Command(script, "require"))
		return
	}
	if _, err := os.Stat("../../web/node_modules"); err != nil {
		t.Skip("run make web first")
	}
	run(t, exec.Command(script))
}

func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	t.Logf("%s", out)
}
