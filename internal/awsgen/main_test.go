package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestGeneratedCodeIsCurrent generates into a temporary directory and
// compares with what is committed: a model, overlay or generator edited
// without "make generate" fails here.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	fresh := t.TempDir()
	if err := generate(filepath.Join(root, "model"), fresh); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(fresh, "*", "*_gen.go"))
	if err != nil || len(files) != 3*len(services()) {
		t.Fatalf("generated %d files (%v), want %d", len(files), err, 3*len(services()))
	}
	for _, file := range files {
		rel, err := filepath.Rel(fresh, file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(root, "internal", "awsapi", rel))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("internal/awsapi/%s is out of date: run make generate", rel)
		}
	}
}
