package clientenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/google/go-cmp/cmp"
)

// filled puts credentials into their places, as the portal's page does.
func filled(text string) string {
	return strings.NewReplacer(AccessKeyID, "ASIAEXAMPLE", SecretAccessKey, "a/b+c=", SessionToken, "t-o_k").Replace(text)
}

func TestAccessTexts(t *testing.T) {
	a, err := portal().Access(Role{"222222222222", "Builder"})
	if err != nil {
		t.Fatal(err)
	}
	want := Access{
		Profile:  "Builder-222222222222",
		Config:   a.Config, // TestConfig's
		Commands: "aws sso login --profile Builder-222222222222\naws sts get-caller-identity --profile Builder-222222222222\n",
		Bash: `export AWS_ACCESS_KEY_ID='{accessKeyId}'
export AWS_SECRET_ACCESS_KEY='{secretAccessKey}'
export AWS_SESSION_TOKEN='{sessionToken}'
export AWS_REGION=us-east-1
export AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL=http://localhost:8484
export AWS_ENDPOINT_URL_S3=http://127.0.0.1:8484
export AWS_DATA_PATH=/srv/atrium/aws
`,
		PowerShell: `$Env:AWS_ACCESS_KEY_ID='{accessKeyId}'
$Env:AWS_SECRET_ACCESS_KEY='{secretAccessKey}'
$Env:AWS_SESSION_TOKEN='{sessionToken}'
$Env:AWS_REGION='us-east-1'
$Env:AWS_DEFAULT_REGION='us-east-1'
$Env:AWS_ENDPOINT_URL='http://localhost:8484'
$Env:AWS_ENDPOINT_URL_S3='http://127.0.0.1:8484'
$Env:AWS_DATA_PATH='/srv/atrium/aws'
`,
		CommandPrompt: `SET "AWS_ACCESS_KEY_ID={accessKeyId}"
SET "AWS_SECRET_ACCESS_KEY={secretAccessKey}"
SET "AWS_SESSION_TOKEN={sessionToken}"
SET "AWS_REGION=us-east-1"
SET "AWS_DEFAULT_REGION=us-east-1"
SET "AWS_ENDPOINT_URL=http://localhost:8484"
SET "AWS_ENDPOINT_URL_S3=http://127.0.0.1:8484"
SET "AWS_DATA_PATH=/srv/atrium/aws"
`,
		CredentialsFile: `[222222222222_Builder]
aws_access_key_id = {accessKeyId}
aws_secret_access_key = {secretAccessKey}
aws_session_token = {sessionToken}
region = us-east-1
endpoint_url = http://127.0.0.1:8484
`,
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Count(a.Config, "[profile ") != 1 || !strings.Contains(a.Config, "[profile Builder-222222222222]") {
		t.Errorf("the configuration is not of the one role:\n%s", a.Config)
	}
}

// TestAccessTextsAreRead has a shell and an SDK read what they are for.
func TestAccessTextsAreRead(t *testing.T) {
	p := portal()
	p.CABundle = "/srv/it is here/ca.pem"
	a, err := p.Access(Role{"111111111111", "Ops+Audit=all,x@y.z_1-2"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", `eval "$1"; env`, "sh", filled(a.Bash)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AWS_ACCESS_KEY_ID=ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=a/b+c=", "AWS_SESSION_TOKEN=t-o_k", "AWS_CA_BUNDLE=/srv/it is here/ca.pem",
	} {
		if !strings.Contains("\n"+string(out), "\n"+want+"\n") {
			t.Errorf("the shell's environment lacks %s:\n%s", want, out)
		}
	}
	p.CABundle = ""
	if a, err = p.Access(Role{"111111111111", "Ops+Audit=all,x@y.z_1-2"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte(filled(a.CredentialsFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := config.LoadSharedConfigProfile(t.Context(), "111111111111_Ops+Audit=all,x@y.z_1-2", func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles, o.CredentialsFiles = []string{}, []string{file}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := read.Credentials
	if c.AccessKeyID != "ASIAEXAMPLE" || c.SecretAccessKey != "a/b+c=" || c.SessionToken != "t-o_k" || read.Region != "us-east-1" {
		t.Errorf("the SDK reads %+v", read)
	}
}

// FuzzPowerShell reads back what is written for PowerShell by its rules: within
// single quotes, of whichever kind, only a doubled quote means anything.
func FuzzPowerShell(f *testing.F) {
	for _, s := range []string{"", "plain", "it's", "‘a’", "‚‛", "$(id)", "`n", "a b", "é", "''", "a'; rm -r /; '"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := powerShell([]Variable{{"X", s}})
		if err != nil {
			if !strings.ContainsAny(s, "\x00\r\n") {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		quoted, ok := strings.CutPrefix(text, "$Env:X='")
		if !ok {
			t.Fatalf("%q", text)
		}
		var read strings.Builder
		rest := []rune(quoted)
		for i := 0; ; i++ {
			if i >= len(rest) {
				t.Fatalf("no end: %q", text)
			}
			if !strings.ContainsRune("'‘’‚‛", rest[i]) {
				read.WriteRune(rest[i])
				continue
			}
			if i+1 < len(rest) && strings.ContainsRune("'‘’‚‛", rest[i+1]) {
				read.WriteRune(rest[i])
				i++
				continue
			}
			if string(rest[i:]) != "'\n" {
				t.Errorf("%q ends early, before %q", text, string(rest[i:]))
			}
			break
		}
		if got := read.String(); got != string([]rune(s)) {
			t.Errorf("PowerShell reads %q as %q", s, got)
		}
	})
}

func TestCommandPromptRefuses(t *testing.T) {
	for _, s := range []string{"%PATH%", `a"b`, "a\r\nb", "a!b!"} {
		if text, err := commandPrompt([]Variable{{"X", s}}); err == nil {
			t.Errorf("%q was written as %q", s, text)
		}
	}
}
