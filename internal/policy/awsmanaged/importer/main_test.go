package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const published1 = `{
	"Policy": {"PolicyName": "B", "Path": "/job-function/", "DefaultVersionId": "v2", "CreateDate": "2015-02-06T18:40:57+01:00", "UpdateDate": "2024-01-02T03:04:05+00:00"},
	"PolicyVersion": {"VersionId": "v2", "IsDefaultVersion": true, "Document": {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}}
}`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "index.tsv"), "/C\tv1\t2015-01-01T00:00:00Z\t2015-01-01T00:00:00Z\n/job-function/B\tv1\t2015-01-01T00:00:00Z\t2015-01-01T00:00:00Z\n")
	if err := run(dir, strings.NewReader(published1)); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"index.tsv": "/C\tv1\t2015-01-01T00:00:00Z\t2015-01-01T00:00:00Z\n/job-function/B\tv2\t2015-02-06T17:40:57Z\t2024-01-02T03:04:05Z\n",
		"documents/job-function/B.json": `{
 "Version": "2012-10-17",
 "Statement": [
  {
   "Effect": "Allow",
   "Action": "s3:*",
   "Resource": "*"
  }
 ]
}
`,
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for name, input := range map[string]string{
		"another version": strings.Replace(published1, `"VersionId": "v2", "Is`, `"VersionId": "v1", "Is`, 1),
		"malformed":       strings.Replace(published1, "Allow", "allow", 1),
		"no JSON":         "Policy",
	} {
		if err := run(t.TempDir(), strings.NewReader(input)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
