package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/atrium-iam/atrium/test/person"
)

// desk is where somebody works: a home directory and a shell on the machine of
// a sample node.
type desk struct {
	t    *testing.T
	dir  string // of the node; the home directory is in it
	home string
	// greeting is what the node said when it started.
	greeting string
}

// newDesk starts a node, with flags, and returns a desk beside it.
func newDesk(t *testing.T, dsn func(*testing.T) string, flags ...string) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	d.home = filepath.Join(d.dir, "home")
	if err := os.Mkdir(d.home, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.greeting, err = startNode(d.dir, dsn(t), t.Cleanup, flags...); err != nil {
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
	otherPassword = "Heron-Ascending-61"
)

// TestConfigureAndUse walks through what a guide shows: aws configure sso with
// its questions, calls that are allowed and denied, a refreshed token, another
// login, and the logout.
func TestConfigureAndUse(t *testing.T) {
	onBothEngines(t, func(t *testing.T, dsn func(*testing.T) string) {
		d := newDesk(t, dsn)
		d.configure(d.person("sam.lee", samsPassword), "my-sso", "")
		const profile = " --profile Builder-222222222222"

		who := d.run("aws sts get-caller-identity --query Arn --output text" + profile)
		if !regexp.MustCompile(`^arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Builder_[0-9a-f]{16}/sam\.lee$`).MatchString(who) {
			t.Errorf("the caller is %s", who)
		}
		d.refused("aws organizations list-accounts"+profile, "AccessDeniedException", "You don't have permissions to access this resource.")
		d.refused("aws sts get-caller-identity --profile Administrator-123456789012", "could not be found")

		d.refreshes(profile)
		d.login(d.newPerson("sam.lee", samsPassword, ""), profile)
		d.run("aws sts get-caller-identity" + profile)
		d.signsOut(profile)
	})
}

// configure answers the questions of aws configure sso for a person with one
// role in one account. A profile name of "" takes what is suggested.
func (d *desk) configure(p *person.Person, session, profile string) {
	d.t.Helper()
	x := d.beginConfiguring(p, session)
	account := x.expect(`The only AWS account available to you is: (\d{12})\n`)[1]
	x.expect("Using the account ID " + account)
	role := x.expect(`The only role available to you is: (\S+)\n`)[1]
	x.expect(`Using the role name "` + regexp.QuoteMeta(role) + `"`)
	x.answer("CLI default client Region [None]:", "us-east-1")
	x.answer("CLI default output format [None]:", "json")
	x.answer("CLI profile name ["+role+"-"+account+"]:", profile)
	x.close()
}

// beginConfiguring begins aws configure sso, up to where its questions depend
// on what the person may use. A session of "" gives a profile as old versions
// of the CLI wrote them, without an sso-session.
func (d *desk) beginConfiguring(p *person.Person, session string) *terminal {
	d.t.Helper()
	x := openTerminal(d.t, d.dir, d.env(), "aws configure sso")
	x.answer("SSO session name (Recommended):", session)
	x.answer("SSO start URL [None]:", d.startURL())
	x.answer("SSO region [None]:", "us-east-1")
	if session != "" {
		x.answer("SSO registration scopes [sso:account:access]:", "")
	}
	device := x.expect(`open the following URL:\n\n(http\S+)\n\nThen enter the code:\n\n(\S+)\n`)
	p.UserCode = device[2]
	headings, err := p.Approve(d.t.Context(), device[1])
	if err != nil {
		d.t.Fatalf("%v, after %q", err, headings)
	}
	return x
}

// TestConfigureChooses lets somebody with many roles choose, in a profile
// without an sso-session.
func TestConfigureChooses(t *testing.T) {
	needAWS(t)
	d := newDesk(t, func(*testing.T) string { return "" })
	x := d.beginConfiguring(d.person("admin", otherPassword), "")
	const down, enter = "\x1b[B", "\r"
	x.expect(`There are 3 AWS accounts available to you.\n`)
	x.expect(`production, production@example.com \(111111111111\)`)
	x.expect(`management, management@example.com \(123456789012\)`)
	x.expect(`development, development@example.com \(222222222222\)`)
	x.press(down, enter)
	x.expect("Using the account ID 123456789012\n")
	x.expect(`There are 2 roles available to you.\n`)
	x.expect("Administrator")
	x.expect("Auditor")
	x.press(down, enter)
	x.expect(`Using the role name "Auditor"`)
	x.answer("CLI default client Region [None]:", "us-east-1")
	x.answer("CLI default output format [None]:", "")
	x.answer("CLI profile name [Auditor-123456789012]:", "audit")
	x.close()
	if got := d.run("aws sts get-caller-identity --query Arn --output text --profile audit"); !strings.Contains(got, "::123456789012:assumed-role/AWSReservedSSO_Auditor_") {
		t.Errorf("the caller is %s", got)
	}
	if got := d.run("jq 'select(.accessToken) | .refreshToken == null and (.expiresAt | fromdate - now > 7 * 3600)' $HOME/.aws/sso/cache/*.json"); got != "true" {
		t.Error("a profile without an sso-session gets no token for eight hours")
	}
}

// refreshes lets the token come to its end, as the CLI's cache has it, and
// expects the next call to get another that lasts.
func (d *desk) refreshes(profile string) {
	d.t.Helper()
	token := d.cachedToken()
	d.expire()
	d.run("rm -r $HOME/.aws/cli/cache")
	d.run("aws sts get-caller-identity" + profile)
	if d.cachedToken() == token {
		d.t.Error("the token was not refreshed")
	}
	if lasts := d.run("jq 'select(.accessToken) | .expiresAt | fromdate - now > 3000' $HOME/.aws/sso/cache/*.json"); lasts != "true" {
		d.t.Error("the new token does not last an hour")
	}
}

// cachedToken is the access token in the cache that all clients share.
func (d *desk) cachedToken() string {
	d.t.Helper()
	return d.run("jq -r 'select(.accessToken).accessToken' $HOME/.aws/sso/cache/*.json")
}

// expire makes clients believe that the token ended a minute ago.
func (d *desk) expire() {
	d.t.Helper()
	d.run(`for f in $HOME/.aws/sso/cache/*.json; do
		jq 'if .accessToken then .expiresAt = (now - 60 | todate) else . end' $f > $f.new; mv $f.new $f; done`)
}

// signsOut signs the CLI out, and expects the token to be worthless to whoever
// kept it.
func (d *desk) signsOut(profile string) {
	d.t.Helper()
	token := d.cachedToken()
	accounts := "aws sso list-accounts --region us-east-1 --access-token " + token
	if got := d.run(accounts + " --query accountList[].accountId --output text"); got != "222222222222" {
		d.t.Errorf("the token lists %s", got)
	}
	d.run("aws sso logout")
	d.refused("aws sts get-caller-identity"+profile, "SSO")
	d.refused(accounts, "UnauthorizedException", "Session token not found or invalid")
}

// TestWrittenConfiguration signs in from a configuration that the node wrote,
// as what it prints at its start says.
func TestWrittenConfiguration(t *testing.T) {
	onBothEngines(t, func(t *testing.T, dsn func(*testing.T) string) {
		d := newDesk(t, dsn)
		d.run("mkdir $HOME/.aws && atrium aws-config --user admin > $HOME/.aws/config")
		headings := d.login(d.person("admin", otherPassword), "--profile Auditor-111111111111")
		want := []string{"Sign in", "Sign in", "Set a new password", "Authorization requested", "Allow botocore-client-atrium to access your data?", "Request approved"}
		if diff := cmp.Diff(want, headings); diff != "" {
			t.Errorf("the pages: -want +got\n%s", diff)
		}
		for profile, account := range map[string]string{"Administrator-123456789012": "123456789012", "Auditor-111111111111": "111111111111"} {
			if got := d.run("aws sts get-caller-identity --query Account --output text --profile " + profile); got != account {
				t.Errorf("%s is in the account %s", profile, got)
			}
		}
		d.run("aws sso-admin list-instances --profile Administrator-123456789012")
		d.refused("aws sso-admin create-permission-set --name x --profile Auditor-123456789012 --instance-arn $(aws sso-admin list-instances "+
			"--query 'Instances[0].InstanceArn' --output text --profile Auditor-123456789012)",
			"AccessDenied", "assumed-role/AWSReservedSSO_Auditor_", "is not authorized to perform: sso:CreatePermissionSet on resource: ")
	})
}

// TestGreetingCanBePasted pastes what atrium dev prints into a terminal.
func TestGreetingCanBePasted(t *testing.T) {
	needAWS(t)
	d := newDesk(t, func(*testing.T) string { return "" })
	sam := d.newPerson("sam.lee", regexp.MustCompile(`  sam\.lee +(\S+)\n`).FindStringSubmatch(d.greeting)[1], samsPassword)
	_, rest, _ := strings.Cut(d.greeting, "work as a person who signs in:")
	asPerson, asAdministrator, _ := strings.Cut(rest, "or as the administrator")
	x := openTerminal(t, d.dir, append(d.env(), "PS1=$ "), "exec bash --norc --noprofile")
	paste := func(text string) { x.press(strings.ReplaceAll(text, "\n", "\r")) }
	paste(asPerson)
	device := x.expect(`open the following URL:\n\n(http\S+)\n\nThen enter the code:\n\n(\S+)\n`)
	sam.UserCode = device[2]
	if headings, err := sam.Approve(t.Context(), device[1]); err != nil {
		t.Fatalf("%v, after %q", err, headings)
	}
	x.expect("Successfully logged into Start URL")
	x.expect(`"Arn": "arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Builder_[0-9a-f]{16}/sam.lee"`)
	commands, _, _ := strings.Cut(asAdministrator, "Stop with")
	_, commands, _ = strings.Cut(commands, "\n")
	paste(commands)
	x.expect(`"Arn": "arn:aws:iam::123456789012:user/administrator"`)
	x.expect(`"IdentityStoreId": "d-[0-9a-f]{10}"`)
	paste("exit\n")
	x.close()
}

// TestGuideFromScriptToSignedIn takes the user whom the script of a public
// guide creates to a CLI that is signed in.
func TestGuideFromScriptToSignedIn(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "amplify.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	onBothEngines(t, func(t *testing.T, dsn func(*testing.T) string) {
		d := newDesk(t, dsn)
		for _, f := range archive.Files {
			if err := os.WriteFile(filepath.Join(d.dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		told := d.run("bash -e script.sh")
		if want := "Start session url: " + d.startURL() + "\nRegion: us-east-1\nUsername: amplify-admin"; !strings.Contains(told, want) {
			t.Errorf("the script says %s, want %s", told, want)
		}
		const setPassword = `eval "$(atrium env)"
			store=$(aws sso-admin list-instances --query 'Instances[0].IdentityStoreId' --output text)
			user=$(aws identitystore list-users --identity-store-id $store --query "Users[?UserName=='amplify-admin'].UserId" --output text)
			aws atrium update-password --identity-store-id $store --user-id $user --password-mode OTP --query OneTimePassword --output text`
		password := d.run(setPassword)
		d.configure(d.newPerson("amplify-admin", password, otherPassword), "amplify-admin", "default")
		who := d.run("aws sts get-caller-identity --query Arn --output text")
		if !regexp.MustCompile(`^arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_amplify-policy_[0-9a-f]{16}/amplify-admin$`).MatchString(who) {
			t.Errorf("the caller is %s", who)
		}

		// Another password ends everything that the old one has opened.
		d.run(setPassword)
		d.refused("aws sts get-caller-identity", "ExpiredToken")
		d.run("rm -r $HOME/.aws/cli/cache")
		d.refused("aws sts get-caller-identity", "SSO session")
	})
}
