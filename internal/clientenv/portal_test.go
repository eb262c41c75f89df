package clientenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/google/go-cmp/cmp"
)

func portal() Portal {
	return Portal{
		Session: "atrium", UserName: "sam.lee", StartURL: "https://d-0123456789.awsapps.com/start", BrowserURL: "http://localhost:8484/start",
		Region: "us-east-1", Endpoints: Endpoints{People: "http://localhost:8484", Data: "http://127.0.0.1:8484"}, DataPath: "/srv/atrium/aws",
		Roles: []Role{{"222222222222", "Builder"}, {"111111111111", "Ops+Audit=all,x@y.z_1-2"}, {"111111111111", "Auditor"}},
	}
}

func TestConfig(t *testing.T) {
	got, err := portal().Config()
	if err != nil {
		t.Fatal(err)
	}
	got, _, _ = strings.Cut(got, "identitystore =")
	const want = `# AWS configuration for sam.lee. Put it into ~/.aws/config.
# The AWS access portal in a browser: http://localhost:8484/start
# Sign in with: aws sso login --profile Auditor-111111111111
# Versions of the AWS CLI before 2.13 need this as well:
#   export AWS_DATA_PATH=/srv/atrium/aws
[sso-session atrium]
sso_start_url = https://d-0123456789.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile Auditor-111111111111]
sso_session = atrium
sso_account_id = 111111111111
sso_role_name = Auditor
region = us-east-1
services = atrium

[profile Ops+Audit=all,x@y.z_1-2-111111111111]
sso_session = atrium
sso_account_id = 111111111111
sso_role_name = Ops+Audit=all,x@y.z_1-2
region = us-east-1
services = atrium

[profile Builder-222222222222]
sso_session = atrium
sso_account_id = 222222222222
sso_role_name = Builder
region = us-east-1
services = atrium

[services atrium]
sso =
  endpoint_url = http://localhost:8484
sso_oidc =
  endpoint_url = http://localhost:8484
sso_admin =
  endpoint_url = http://localhost:8484
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestConfigOfSomebodyWithoutAccess(t *testing.T) {
	p := portal()
	p.Roles = nil
	got, err := p.Config()
	if err != nil || !strings.Contains(got, "# sam.lee is not assigned to any account yet.\n") || strings.Contains(got, "[profile") {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestConfigRefusesWhatItCannotSay(t *testing.T) {
	for name, change := range map[string]func(*Portal){
		"a second line":            func(p *Portal) { p.StartURL = "https://x/start\n[profile evil]" },
		"a comment within":         func(p *Portal) { p.StartURL = "https://x/start # y" },
		"a comment of two lines":   func(p *Portal) { p.UserName = "sam\n[profile evil]" },
		"a header within":          func(p *Portal) { p.Session = "a]\n[b" },
		"a name of two words":      func(p *Portal) { p.Roles[0].Name = "Builder default" },
		"quotes":                   func(p *Portal) { p.Region = `"` },
		"nothing but a comment":    func(p *Portal) { p.Region = "#" },
		"an empty region":          func(p *Portal) { p.Region = "" },
		"letters of other tongues": func(p *Portal) { p.Region = "zürich" },
	} {
		p := portal()
		change(&p)
		if got, err := p.Config(); err == nil {
			t.Errorf("%s: accepted\n%s", name, got)
		}
	}
}

// FuzzConfig lets the AWS SDK read back what Config wrote.
func FuzzConfig(f *testing.F) {
	f.Add("atrium", "https://d-0123456789.awsapps.com/start", "us-east-1", "222222222222", "Builder")
	f.Add("a", `"`, "r", "1", "R")
	f.Add("a=b", `"quoted"`, "[x]", "012", "R;#")
	f.Add("a", "x=y", "a : b", "'", `\`)
	f.Fuzz(func(t *testing.T, session, startURL, region, account, role string) {
		p := portal()
		p.Session, p.StartURL, p.Region, p.Roles = session, startURL, region, []Role{{account, role}}
		text, err := p.Config()
		if err != nil {
			return
		}
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := config.LoadSharedConfigProfile(t.Context(), p.Roles[0].Profile(), func(o *config.LoadSharedConfigOptions) {
			o.ConfigFiles, o.CredentialsFiles = []string{file}, []string{}
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		got := []string{read.SSOSession.Name, read.SSOSession.SSOStartURL, read.SSOSession.SSORegion, read.SSOAccountID, read.SSORoleName, read.Region}
		if diff := cmp.Diff([]string{session, startURL, region, account, role, region}, got); diff != "" {
			t.Errorf("-written +read\n%s\n%s", diff, text)
		}
	})
}
