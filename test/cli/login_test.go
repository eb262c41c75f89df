package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/test/person"
)

// desk is where somebody works: a home directory and a shell on the machine of
// a sample node.
type desk struct {
	t    *testing.T
	dir  string // of the node; the home directory is in it
	home string
}

// newDesk starts a node and returns a desk beside it.
func newDesk(t *testing.T, dsn func(*testing.T) string) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	d.home = filepath.Join(d.dir, "home")
	if err := os.Mkdir(d.home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := startNode(d.dir, dsn(t), t.Cleanup); err != nil {
		t.Fatal(err)
	}
	return d
}

// env is the environment of the desk's shell: nothing of AWS but where this
// version of the CLI finds the node.
func (d *desk) env() []string {
	return []string{
		"HOME=" + d.home, "PATH=" + tools + string(os.PathListSeparator) + os.Getenv("PATH"), "LANG=C.UTF-8",
		"AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true", "BROWSER=true", "AWS_DATA_PATH=" + filepath.Join(d.dir, ".atrium", "aws"),
	}
}

// run runs a command line that must succeed and returns what it prints.
func (d *desk) run(command string) string {
	d.t.Helper()
	out, stderr, err := d.try(command)
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", command, err, stderr)
	}
	return out
}

func (d *desk) try(command string) (out, stderr string, err error) {
	cmd := exec.CommandContext(d.t.Context(), "bash", "-euo", "pipefail", "-c", command)
	cmd.Dir, cmd.Env = d.dir, d.env()
	var so, se bytes.Buffer
	cmd.Stdout, cmd.Stderr = &so, &se
	err = cmd.Run()
	return strings.TrimSpace(so.String()), strings.TrimSpace(se.String()), err
}

// refused runs a command line that must fail, and tell why.
func (d *desk) refused(command string, why ...string) {
	d.t.Helper()
	out, stderr, err := d.try(command)
	if err == nil {
		d.t.Errorf("%s: succeeded: %s", command, out)
	}
	for _, text := range why {
		if !strings.Contains(stderr, text) {
			d.t.Errorf("%s: says %q, want %q in it", command, stderr, text)
		}
	}
}

// person is somebody of the sample data, with the one-time password from the
// node's file.
func (d *desk) person(userName, newPassword string) *person.Person {
	d.t.Helper()
	return d.newPerson(userName, d.run("sed -n 's/^"+userName+": //p' .atrium/credentials.txt"), newPassword)
}

func (d *desk) newPerson(userName, password, newPassword string) *person.Person {
	d.t.Helper()
	p, err := person.New(userName, password, newPassword)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// startURL is the start URL that the node's configurations have.
func (d *desk) startURL() string {
	d.t.Helper()
	return d.run("atrium aws-config --user sam.lee | sed -n 's/^sso_start_url = //p'")
}

// login runs aws sso login and has somebody approve it.
func (d *desk) login(p *person.Person, options string) (headings []string) {
	d.t.Helper()
	x := openTerminal(d.t, d.dir, d.env(), "aws sso login --no-browser "+options)
	link := x.expect(`autofill the code upon loading:\n(http\S+)\n`)[1]
	headings, err := p.Approve(d.t.Context(), link)
	if err != nil {
		d.t.Fatalf("%v, after %q", err, headings)
	}
	if text := x.close(); !strings.Contains(text, "Successfully logged into Start URL") {
		d.t.Fatalf("aws sso login says %q", text)
	}
	return headings
}

const (
	samsPassword  = "Lark-Ascending-58"
	otherPassword = "Morning-Dew-2901"
)

// TestLogin signs in from a configuration that the node wrote.
func TestLogin(t *testing.T) {
	onBothEngines(t, func(t *testing.T, dsn func(*testing.T) string) {
		d := newDesk(t, dsn)
		sam := d.person("sam.lee", samsPassword)
		d.run("mkdir -p $HOME/.aws && atrium aws-config --user sam.lee > $HOME/.aws/config")
		headings := d.login(sam, "--profile Builder-222222222222")
		t.Logf("pages: %q", headings)
		headings = d.login(sam, "--sso-session atrium")
		t.Logf("pages: %q", headings)
	})
}
