package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// published writes passwords as the package does.
func published(t *testing.T, passwords []string) (path string) {
	t.Helper()
	text, err := json.Marshal(passwords)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "passwords.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	passwords := []string{"zulu", "ab", "two words", "Upper", "line\nend"}
	for i := range inCommonest - 1 {
		passwords = append(passwords, fmt.Sprintf("word%04d", inCommonest-i))
	}
	passwords = append(passwords, "bravo", "alpha", "bravo")
	dir := t.TempDir()
	if err := run(published(t, passwords), dir); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.SplitAfter(string(text), "\n")
	}
	if got := read(commonest); len(got) != inCommonest+1 || got[0] != "word0002\n" || got[inCommonest-1] != "zulu\n" {
		t.Errorf("the commonest: %d lines, from %q to %q", len(got)-1, got[0], got[len(got)-2])
	}
	if got := strings.Join(read(others), ""); got != "alpha\nbravo\n" {
		t.Errorf("the others: %q", got)
	}
}

func TestRunRefuses(t *testing.T) {
	noJSON := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(noJSON, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"no file": noJSON + "y", "no JSON": noJSON, "few": published(t, []string{"password"})} {
		dir := t.TempDir()
		if err := run(path, dir); err == nil {
			t.Errorf("%s: no error", name)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: something was written (%v)", name, err)
		}
	}
}
