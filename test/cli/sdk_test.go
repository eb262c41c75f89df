package cli

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestSDKsUseTheLogin has AWS's SDKs work with what aws sso login has left, by
// their own credential providers, and refresh it.
func TestSDKsUseTheLogin(t *testing.T) {
	needAWS(t)
	d := newDesk(t, func(*testing.T) string { return "" })
	const profile = "Builder-222222222222"
	d.run("mkdir $HOME/.aws && atrium aws-config --user sam.lee > $HOME/.aws/config")
	d.login(d.person("sam.lee", samsPassword), "--profile "+profile)
	for name, account := range map[string]func(*testing.T, *desk, string) string{"Go": withGo, "JavaScript": withJavaScript} {
		t.Run(name, func(t *testing.T) {
			at := *d
			at.t = t
			if got := account(t, &at, profile); got != "222222222222" {
				t.Errorf("the SDK is in the account %q", got)
			}
			token := at.cachedToken()
			at.expire()
			if got := account(t, &at, profile); got != "222222222222" {
				t.Errorf("after the token's end, the SDK is in the account %q", got)
			}
			if at.cachedToken() == token {
				t.Error("the SDK has not refreshed the token")
			}
		})
	}
}

// withGo asks with the SDK for Go in which account it is.
func withGo(t *testing.T, d *desk, profile string) string {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", d.home)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithSharedConfigProfile(profile),
		config.WithSharedConfigFiles([]string{filepath.Join(d.home, ".aws", "config")}))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Source != ssocreds.ProviderName || !strings.HasPrefix(c.AccessKeyID, "ASIA") {
		t.Errorf("the credentials are %s of %s", c.AccessKeyID, c.Source)
	}
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return *out.Account
}

// withJavaScript asks with the SDK for JavaScript in which account it is.
func withJavaScript(t *testing.T, d *desk, profile string) string {
	dir, err := filepath.Abs(filepath.Join("..", "js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		if os.Getenv(storetest.RequireVariable) == "1" {
			t.Fatal(err)
		}
		t.Skip("the SDK for JavaScript is not installed: run npm ci in test/js")
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "identity.mjs"))
	cmd.Env = append(d.env(), "AWS_PROFILE="+profile)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderrOf(err))
	}
	var told struct{ Account string }
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return told.Account
}

func stderrOf(err error) []byte {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.Stderr
	}
	return nil
}
