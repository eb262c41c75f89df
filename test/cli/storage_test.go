package cli

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/test/s3peer"
)

// The profiles that the tests of storage use, all of the sample data's admin.
const (
	administrator   = "Administrator-111111111111"
	auditor         = "Auditor-111111111111"
	asAdministrator = " --profile " + administrator
	asAuditor       = " --profile " + auditor
	elsewhere       = " --profile Administrator-222222222222"
)

// TestStorage does what people do with S3, with the AWS CLI and AWS's SDKs and
// with what aws sso login has left, on the node's own storage and on an S3
// server that is not ours.
func TestStorage(t *testing.T) {
	needAWS(t)
	t.Run("own", func(t *testing.T) {
		t.Parallel()
		useStorage(t, newStorageDesk(t, ""))
	})
	t.Run("another server", func(t *testing.T) {
		t.Parallel()
		server := s3peer.Start(t, map[string]string{"production": "production-secret", "development": "development-secret"})
		accounts := filepath.Join(t.TempDir(), "accounts.yaml")
		text := fmt.Sprintf("%q: {access_key_id: production, secret_access_key: production-secret}\n%q: {access_key_id: development, secret_access_key: development-secret}\n",
			"111111111111", "222222222222")
		if err := os.WriteFile(accounts, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		database := "" // SQLite
		if os.Getenv(storetest.PostgresVariable) != "" {
			database = storetest.Postgres(t)
		}
		useStorage(t, newStorageDesk(t, database, "--s3-endpoint", server.String(), "--s3-accounts-file", accounts))
	})
}

// newStorageDesk is a desk at which somebody with many roles has signed in.
func newStorageDesk(t *testing.T, dsn string, flags ...string) *desk {
	t.Helper()
	d := newDesk(t, func(*testing.T) string { return dsn }, flags...)
	d.run("mkdir $HOME/.aws && atrium aws-config --user admin > $HOME/.aws/config")
	d.login(d.person("admin", otherPassword), asAdministrator)
	return d
}

// useStorage does everything at a desk; in the end the person has one role
// less.
func useStorage(t *testing.T, d *desk) {
	for _, part := range []struct {
		name string
		do   func(*desk)
	}{
		{"AWS CLI", (*desk).storesWithCLI},
		{"AWS CLI at the people host", (*desk).storesAtThePeopleHost},
		{"Go", (*desk).storesWithGo},
		{"JavaScript", (*desk).storesWithJavaScript},
		{"the assignment ends", (*desk).endsInTheMiddle},
	} {
		t.Run(part.name, func(t *testing.T) {
			at := *d
			at.t = t
			part.do(&at)
		})
	}
}

// storesWithCLI makes, lists, copies and removes, as one who may and as one
// who may not.
func (d *desk) storesWithCLI() {
	d.says("aws s3 ls"+asAdministrator, "")
	d.says("aws s3 mb s3://reports"+asAdministrator, "make_bucket: reports")
	d.refused("aws s3 mb s3://mine"+asAuditor, "(AccessDenied)", "is not authorized to perform: s3:CreateBucket on resource: \"arn:aws:s3:::mine\" because no identity-based policy allows the s3:CreateBucket action")
	d.run("printf hello > small.txt && head -c 100000000 /dev/urandom > large.bin")
	d.run("aws s3 cp small.txt 's3://reports/2026/ü b+c.txt' --no-progress" + asAdministrator)
	d.run("aws s3 cp large.bin s3://reports/large.bin --no-progress" + asAdministrator)
	d.says("aws s3 ls s3://reports --recursive"+asAuditor+" | awk '{print $3, $4, $5, $6}' | sed 's/ *$//'", "5 2026/ü b+c.txt\n100000000 large.bin")
	d.says("aws s3 ls s3://reports"+asAuditor+" | awk '{print $1, $2}' | head -1", "PRE 2026/")
	d.refused("aws s3 cp s3://reports/large.bin back.bin --no-progress"+asAuditor, "(403)", "Forbidden")
	d.refused("aws s3 rm s3://reports/large.bin"+asAuditor, "(AccessDenied)", "s3:DeleteObject")
	d.run("aws s3 cp s3://reports/large.bin back.bin --no-progress" + asAdministrator + " && cmp large.bin back.bin")
	d.run("aws s3 cp s3://reports/large.bin s3://reports/copy.bin --no-progress" + asAdministrator)
	d.run("aws s3 mv s3://reports/copy.bin s3://reports/moved.bin --no-progress" + asAdministrator)
	d.says("aws s3api head-object --bucket reports --key moved.bin --query ContentLength"+asAdministrator, "100000000")
	d.presigns()
	d.says("aws s3 ls"+elsewhere, "")
	d.refused("aws s3 ls s3://reports" + elsewhere)
	d.refused("aws s3 rb s3://reports"+asAdministrator, "BucketNotEmpty")
	d.run("aws s3 rm s3://reports/moved.bin" + asAdministrator)
	d.syncs()
	d.says("aws s3 rb s3://reports --force"+asAdministrator+" | tail -1", "remove_bucket: reports")
	d.says("aws s3 ls"+asAdministrator, "")
}

// syncs keeps a directory and a prefix the same, in both directions.
func (d *desk) syncs() {
	d.t.Helper()
	d.run("mkdir -p tree/sub && echo one > tree/1 && echo two > 'tree/sub/2 +ü' && echo three > tree/sub/3")
	d.run("aws s3 sync tree s3://reports/tree --no-progress" + asAdministrator)
	d.run("rm tree/1 && aws s3 sync tree s3://reports/tree --delete --no-progress" + asAdministrator)
	d.run("aws s3 sync s3://reports/tree again --no-progress" + asAdministrator + " && diff -r tree again")
}

// says runs a command line that must print exactly text.
func (d *desk) says(command, text string) {
	d.t.Helper()
	if out := d.run(command); out != text {
		d.t.Errorf("%s: prints %q, want %q", command, out, text)
	}
}

// presigns fetches an address that needs no credentials.
func (d *desk) presigns() {
	d.t.Helper()
	address := d.run("aws s3 presign 's3://reports/2026/ü b+c.txt' --expires-in 60" + asAdministrator)
	status, body := fetch(d.t, address)
	if status != http.StatusOK || body != "hello" {
		d.t.Errorf("the presigned address answers %d %s", status, body)
	}
	if status, body := fetch(d.t, strings.Replace(address, "127.0.0.1", "localhost", 1)); status != http.StatusForbidden || strings.Contains(body, "hello") {
		d.t.Errorf("on the people host it answers %d %s", status, body)
	}
	if status, body := fetch(d.t, strings.Replace(address, "X-Amz-Expires=60", "X-Amz-Expires=61", 1)); status != http.StatusForbidden || !strings.Contains(body, "SignatureDoesNotMatch") {
		d.t.Errorf("with another lifetime it answers %d %s", status, body)
	}
	denied := d.run("aws s3 presign 's3://reports/2026/ü b+c.txt'" + asAuditor)
	if status, body := fetch(d.t, denied); status != http.StatusForbidden || !strings.Contains(body, "s3:GetObject") {
		d.t.Errorf("presigned by one who may not read it answers %d %s", status, body)
	}
}

func fetch(t *testing.T, address string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// storesAtThePeopleHost signs for the people host, which serves what is signed
// in headers. Its name has no buckets below it, so that the CLI has to be told
// to put them into the path.
func (d *desk) storesAtThePeopleHost() {
	d.run("sed '/^\\[profile " + administrator + "\\]/a s3 =\\n  addressing_style = path' $HOME/.aws/config > people.config")
	aws := "AWS_CONFIG_FILE=people.config aws --endpoint-url " + d.endpoints()["AWS_ENDPOINT_URL"] + asAdministrator + " s3 "
	d.says(aws+"mb s3://start", "make_bucket: start") // which is a page there, to who signs nothing
	d.run(aws + "cp large.bin s3://start/large.bin --no-progress && " + aws + "cp s3://start/large.bin - | cmp - large.bin")
	d.says(aws+"ls s3://start | awk '{print $3, $4}'", "100000000 large.bin")
	d.says(aws+"rb s3://start --force | tail -1", "remove_bucket: start")
}

// endpoints are the variables of atrium env.
func (d *desk) endpoints() map[string]string {
	d.t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(d.run("atrium env")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "="); ok {
			found[name] = value
		}
	}
	return found
}
