package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/keys"
)

// configure adds a line to the configuration.
func (i installation) configure(old, replacement string) {
	i.t.Helper()
	text, err := os.ReadFile(i.config)
	if err != nil {
		i.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		i.t.Fatalf("the configuration lacks %s:\n%s", old, text)
	}
	if err := os.WriteFile(i.config, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600); err != nil {
		i.t.Fatal(err)
	}
}

func newRootFile(t *testing.T, path string) string {
	t.Helper()
	if err := keys.CreateRootFile(path, rand.Reader); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReseal seals what is stored anew after a rotation, without a node and
// beside one.
func TestReseal(t *testing.T) {
	for name, running := range map[string]bool{"stopped": false, "running": true} {
		t.Run(name, func(t *testing.T) {
			i := newInstallation(t)
			i.must("init", "--account-email", "management@example.com")
			if running {
				i.serve()
			}
			i.must("keys", "rotate")
			if text := i.must("keys", "reseal"); !strings.HasPrefix(text, "0 stored secrets sealed anew\n") || !strings.Contains(text, "stored-secret: generation 1 kept: generation 2 takes its place at ") {
				t.Errorf("before the new keys are used reseal printed:\n%s", text)
			}
			i.must("keys", "rotate", "--revoke") // they are used at once
			if text := i.must("keys", "reseal"); !strings.HasPrefix(text, "1 stored secrets sealed anew\n") || !strings.Contains(text, "stored-secret: generation 1 kept: nodes may use it until ") {
				t.Errorf("reseal printed:\n%s", text)
			}
			if text := i.must("keys", "reseal"); !strings.HasPrefix(text, "0 stored secrets sealed anew\n") {
				t.Errorf("reseal printed:\n%s", text)
			}
		})
	}
}

// TestReplaceRootKey replaces the root key without a node and beside one, in
// one step and in the steps of a cluster.
func TestReplaceRootKey(t *testing.T) {
	for name, running := range map[string]bool{"stopped": false, "running": true} {
		t.Run(name, func(t *testing.T) {
			i := newInstallation(t)
			dir := filepath.Dir(i.config)
			old, second := filepath.Join(dir, "root.key"), filepath.Join(dir, "second.key")
			i.must("init", "--account-email", "management@example.com")
			if code, text := i.atrium("keys", "replace-root"); code != exitUsage || !strings.Contains(text, "--new-root-key-file") {
				t.Errorf("without a new key: exit code %d, %s", code, text)
			}
			if code, text := i.atrium("keys", "replace-root", "--new-root-key-file", second); code != exitFailed || !strings.Contains(text, "openssl rand -base64 32 > "+second) {
				t.Errorf("a file that is not there: exit code %d, %s", code, text)
			}
			t.Run("node", func(t *testing.T) {
				node := installation{t, i.config}
				if running {
					node.serve()
				}
				if code, text := node.atrium("keys", "replace-root", "--new-root-key-file", old); code != exitFailed || !strings.Contains(text, "already") {
					t.Errorf("the same key: exit code %d, %s", code, text)
				}
				text := node.must("keys", "replace-root", "--new-root-key-file", newRootFile(t, second))
				if !strings.Contains(text, "set root_key.file to "+second) || !strings.Contains(text, "Restart every node") {
					t.Errorf("replace-root printed:\n%s", text)
				}
				if running {
					node.must("keys", "rotate") // it has the new root key
				}
			})
			// The next start has the old root key, and is told.
			code, text := i.atrium("keys", "rotate")
			if code != exitFailed || !regexp.MustCompile(`wrapped by root key [0-9a-f]{16}, but the configured root key is [0-9a-f]{16}`).MatchString(text) {
				t.Errorf("with the old root key: exit code %d, %s", code, text)
			}
			i.configure("root.key", "second.key")
			i.must("keys", "rotate")
			i.must("audit", "verify")

			// In the steps of a cluster: both root keys, replace, the new one alone.
			newRootFile(t, filepath.Join(dir, "third.key"))
			i.configure("root_key: {file: "+second+"}", "root_key: {file: "+filepath.Join(dir, "third.key")+", previous_file: "+second+"}")
			i.must("keys", "rotate")
			text = i.must("keys", "replace-root")
			if !strings.Contains(text, "Remove root_key.previous_file") {
				t.Errorf("replace-root printed:\n%s", text)
			}
			i.must("audit", "verify")
			i.configure(", previous_file: "+second, "")
			i.must("keys", "rotate")
			i.must("audit", "verify")
		})
	}
}
