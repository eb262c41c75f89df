package config_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/config"
)

func TestForward(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	c, err := config.Load("", minimal(), nil)
	if err != nil || c.AuditForward != (config.AuditForward{}) {
		t.Errorf("by default: %+v, %v", c.AuditForward, err)
	}
	path := write(t, "audit: {forward_file: "+file+", forward_stdout: true, forward_syslog: \"logs.example.com:6514\"}\n")
	c, err = config.Load(path, minimal(), nil)
	if want := (config.AuditForward{File: file, Stdout: true, Syslog: "logs.example.com:6514"}); err != nil || c.AuditForward != want {
		t.Fatalf("%+v, %v; want %+v", c.AuditForward, err, want)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"  forward_file: " + file + " # ", "  forward_stdout: \"true\" # ", "  forward_syslog: logs.example.com:6514 # "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nlacks %q", out.String(), want)
		}
	}
}

func TestForwardProblems(t *testing.T) {
	for set, want := range map[string]string{
		"forward_file: /nonexistent/dir/audit.jsonl":                                    "there is no directory /nonexistent/dir",
		"forward_stdout: maybe":                                                         "give true or false",
		"forward_syslog: logs.example.com":                                              "give host:port, e.g. logs.example.com:6514",
		"forward_syslog: \":6514\"":                                                     "give host:port",
		"forward_syslog_ca_file: config_test.go":                                        "audit.forward_syslog is missing",
		"forward_syslog: \"l:1\", forward_syslog_ca_file: config_test.go":               "config_test.go holds no certificate in PEM",
		"forward_syslog: \"l:1\", forward_syslog_ca_file: /nonexistent/authorities.pem": "/nonexistent/authorities.pem cannot be read",
	} {
		_, err := config.Load(write(t, "audit: {"+set+"}\n"), minimal(), nil)
		if problems, ok := errors.AsType[config.Problems](err); !ok || !strings.Contains(problems.Error(), want) {
			t.Errorf("%s: %v, want %s", set, err, want)
		}
	}
}
