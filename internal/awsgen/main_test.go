package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/atrium-iam/atrium/internal/awsgen/typescript"
)

// TestGeneratedCodeIsCurrent generates into a temporary directory and
// compares with what is committed: a model, overlay or generator edited
// without "make generate" fails here.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	fresh := t.TempDir()
	web := t.TempDir()
	if err := generate(filepath.Join(root, "model"), fresh, web); err != nil {
		t.Fatal(err)
	}
	compare(t, filepath.Join(web, typescript.FileName), filepath.Join(root, "web", "src", "api", typescript.FileName))
	files, err := filepath.Glob(filepath.Join(fresh, "*", "*_gen.go"))
	if err != nil || len(files) != 3*len(services()) {
		t.Fatalf("generated %d files (%v), want %d", len(files), err, 3*len(services()))
	}
	for _, file := range files {
		rel, err := filepath.Rel(fresh, file)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, file, filepath.Join(root, "internal", "awsapi", rel))
	}
}

func compare(t *testing.T, fresh, committed string) {
	t.Helper()
	want, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is out of date: run make generate", committed)
	}
}
