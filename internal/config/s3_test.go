package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/config"
)

func accountsFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accounts.yaml")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestS3AccountsAreRead(t *testing.T) {
	path := accountsFile(t, "\"111111111111\":\n  access_key_id: PROD\n  secret_access_key: hunter2\n", 0o600)
	c, err := config.Load("", append(minimal(), "ATRIUM_S3_ENDPOINT=https://S3.example.com/", "ATRIUM_S3_ACCOUNTS_FILE="+path), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]config.S3Credentials{"111111111111": {AccessKeyID: "PROD", SecretAccessKey: "hunter2"}}
	if diff := cmp.Diff(want, c.S3.Accounts); diff != "" || c.S3.Endpoint.String() != "https://s3.example.com" || c.S3.Region != "us-east-1" {
		t.Errorf("%s at %s in %s", diff, c.S3.Endpoint, c.S3.Region)
	}
	if c.DataURL.String() != "http://data.localhost:8484" {
		t.Errorf("data_url: %s", c.DataURL)
	}
	var printed strings.Builder
	if err := c.Print(&printed); err != nil || strings.Contains(printed.String(), "hunter2") {
		t.Errorf("printed (%v):\n%s", err, &printed)
	}
}

func TestProblemsOfS3(t *testing.T) {
	good := "\"111111111111\": {access_key_id: PROD, secret_access_key: hunter2}\n"
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		env  []string
		want string
	}{
		"open file":     {good, 0o644, nil, "others can read it (mode 0644)"},
		"unknown field": {"\"111111111111\": {access_key_id: PROD, secret: hunter2}\n", 0o600, nil, "must hold account ids"},
		"no account":    {"prod: {access_key_id: PROD, secret_access_key: hunter2}\n", 0o600, nil, "\"prod\" is no account id"},
		"no secret":     {"\"111111111111\": {access_key_id: PROD}\n", 0o600, nil, "lacks access_key_id or secret_access_key"},
		"no endpoint":   {good, 0o600, []string{"ATRIUM_S3_ENDPOINT="}, "s3.endpoint is not"},
		"no accounts":   {good, 0o600, []string{"ATRIUM_S3_ACCOUNTS_FILE="}, "s3.accounts_file is missing"},
		"no file":       {good, 0o600, []string{"ATRIUM_S3_ACCOUNTS_FILE=/dev/null/x"}, "cannot be read"},
		"a path":        {good, 0o600, []string{"ATRIUM_S3_ENDPOINT=https://s3.example.com/minio"}, "give a scheme and a host"},
		"shared":        {good + "\"222222222222\": {access_key_id: PROD, secret_access_key: hunter2}\n", 0o600, nil, "the accounts 111111111111 and 222222222222 have the same access key"},
		"other port":    {good, 0o600, []string{"ATRIUM_DATA_URL=http://localhost:9000"}, "data_url and public_url have the same host"},
		"one host":      {good, 0o600, []string{"ATRIUM_DATA_URL=http://localhost:8484"}, "data_url and public_url have the same host"},
	} {
		t.Run(name, func(t *testing.T) {
			environ := append(minimal(), "ATRIUM_S3_ENDPOINT=https://s3.example.com", "ATRIUM_S3_ACCOUNTS_FILE="+accountsFile(t, test.text, test.mode))
			_, err := config.Load("", append(environ, test.env...), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
