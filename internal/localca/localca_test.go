package localca_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/localca"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func trusted(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, localca.CertificateFile))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		t.Fatalf("no certificate in %s", raw)
	}
	return pool
}

func TestCertificatesAreOfLoopbackNames(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // at the second start it is the same authority
		a, err := localca.Ensure(dir, now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		issued, err := a.Issue(now)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(issued.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		for name, good := range map[string]bool{
			"localhost": true, "reports.localhost": true, "127.0.0.1": true, "127.0.0.2": false, "example.com": false, "a.b.localhost": false,
		} {
			_, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: trusted(t, dir), CurrentTime: now})
			if good != (err == nil) {
				t.Errorf("%s: %v", name, err)
			}
		}
		late := now.Add(398 * 24 * time.Hour)
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: trusted(t, dir), CurrentTime: late}); err == nil {
			t.Error("the certificate lasts longer than browsers take")
		}
	}
}

func TestTheAuthorityIsKept(t *testing.T) {
	dir := t.TempDir()
	read := func(at time.Time) string {
		t.Helper()
		if _, err := localca.Ensure(dir, at, rand.Reader); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, localca.CertificateFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	first := read(now)
	if second := read(now.Add(time.Hour)); first != second {
		t.Error("it was made anew")
	}
	if info, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v %v", info, err)
	}
	if renewed := read(now.Add(10 * 365 * 24 * time.Hour)); first == renewed {
		t.Error("an authority that is about to expire was kept")
	}
}

func TestAnotherKeyIsRefused(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		if _, err := localca.Ensure(dir, now, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	other, err := os.ReadFile(filepath.Join(dirs[1], "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string][]byte{"another key": other, "nothing": nil, "garbage": bytes.Repeat([]byte("x"), 100)} {
		if err := os.WriteFile(filepath.Join(dirs[0], "ca.key"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := localca.Ensure(dirs[0], now, rand.Reader); err == nil || strings.Contains(err.Error(), string(other)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
