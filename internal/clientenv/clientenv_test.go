package clientenv

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzQuote lets a real shell read back what Quote wrote.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "plain", "it's", "$(id)", "`id`", "a b\nc", `\`, "-n", "é", "!!", "*", "#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out, err := exec.Command("sh", "-c", "printf %s "+Quote(s)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(s, "\x00", ""); string(out) != want {
			t.Errorf("the shell read %q as %q", s, out)
		}
	})
}

func TestExportsAreReadByTheShell(t *testing.T) {
	vars := EndpointVariables(Endpoints{People: "http://localhost:1", Data: "http://127.0.0.1:1"})
	out, err := exec.Command("sh", "-c", `eval "$1"; env`, "sh", Exports(vars)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AWS_ENDPOINT_URL=http://localhost:1", "AWS_ENDPOINT_URL_SSO_OIDC=http://localhost:1", "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1",
	} {
		if !strings.Contains(string(out), want+"\n") {
			t.Errorf("the environment lacks %s", want)
		}
	}
}

func TestRuleSetsAreWrittenForEveryService(t *testing.T) {
	dir := t.TempDir()
	if err := WriteRuleSets(dir, Endpoints{People: "http://localhost:1", Data: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range services() {
		raw, err := os.ReadFile(filepath.Join(dir, s.id, s.version, "endpoint-rule-set-1.json"))
		if err != nil {
			t.Fatal(err)
		}
		var rules struct {
			Rules []struct {
				Endpoint struct{ URL string }
			}
		}
		if err := json.Unmarshal(raw, &rules); err != nil {
			t.Fatal(err)
		}
		last := rules.Rules[len(rules.Rules)-1].Endpoint.URL
		if want := map[bool]string{false: "http://localhost:1", true: "http://127.0.0.1:1"}[s.data]; last != want {
			t.Errorf("%s resolves to %q, want %q", s.id, last, want)
		}
	}
}
