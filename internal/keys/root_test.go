package keys_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/keys"
)

func TestRootFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.key")
	if _, err := keys.ReadRootFile(path, rand.Reader); err == nil || !strings.Contains(err.Error(), "openssl rand -base64 32") {
		t.Errorf("a missing file: %v, want how to make one", err)
	}
	if err := keys.CreateRootFile(path, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600 (%v)", info.Mode(), err)
	}
	first, err := keys.ReadRootFile(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.CreateRootFile(path, rand.Reader); err == nil {
		t.Error("a root key was overwritten")
	}
	again, err := keys.ReadRootFile(path, rand.Reader)
	if err != nil || again.ID() != first.ID() || len(first.ID()) != 16 {
		t.Errorf("the key changed: %q, then %q (%v)", first.ID(), again.ID(), err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.ReadRootFile(path, rand.Reader); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %04o: %v, want what to do", mode, err)
		}
	}
	if _, err := keys.ReadRootFile(t.TempDir(), rand.Reader); err == nil {
		t.Error("a directory was read as a key")
	}
}

func TestMalformedRootKeysAreRefusedWithoutBeingShown(t *testing.T) {
	const secret = "c2VjcmV0"
	for _, text := range []string{"", secret, secret + "!", strings.Repeat("QUFB", 11), strings.Repeat("A", 44)} {
		_, err := keys.ParseRoot(text, rand.Reader)
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if _, err := keys.ParseRoot(" "+strings.Repeat("A", 43)+"=\n", rand.Reader); err != nil {
		t.Errorf("a good key with white space around it: %v", err)
	}
}
