package store_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func openAt(ctx context.Context, dsn string, insecure bool) error {
	s, err := store.Open(ctx, store.Config{PostgresDSN: dsn, PostgresInsecure: insecure, Clock: storetest.Now, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = s.Close()
	}
	return err
}

// TestServersAreVerified refuses connection strings before anything is
// connected to, whatever they leave to the environment.
func TestServersAreVerified(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that what is not refused ends here
	for dsn, want := range map[string]bool{
		"host=db.invalid": false, "host=db.invalid sslmode=require": false, "host=db.invalid sslmode=verify-ca": false, "host=db.invalid sslmode=prefer": false,
		"host=192.0.2.1 sslmode=disable": false, "host=localhost,db.invalid sslmode=disable": false, "postgres://localhost,192.0.2.1/x": false, "dbname=x": false, // PGHOST
		"host=db.invalid sslmode=verify-full": true, "host=a.invalid,b.invalid sslmode=verify-full": true, "host=localhost sslmode=disable": true, "host=127.0.0.1": true, "host=/nonexistent": true,
	} {
		t.Setenv("PGHOST", "db.invalid")
		err := openAt(ctx, dsn, false)
		if refused := err != nil && strings.Contains(err.Error(), "would not be verified"); refused == want {
			t.Errorf("%s: %v, want it refused: %t", dsn, err, !want)
		}
		if err := openAt(ctx, dsn, true); err != nil && strings.Contains(err.Error(), "would not be verified") {
			t.Errorf("%s, allowed: %v", dsn, err)
		}
	}
}

// TestAnImpostorGetsNoPassword has a server that speaks TLS with a certificate
// of its own making.
func TestAnImpostorGetsNoPassword(t *testing.T) {
	certificate, roots := selfSigned(t, "localhost")
	for name, c := range map[string]struct {
		more string
		want bool // it is who it should be
	}{
		"unknown":         {"", false},
		"of another host": {"sslrootcert=" + selfSignedFile(t, "db.invalid"), false},
		"known":           {"sslrootcert=" + roots, true},
	} {
		t.Run(name, func(t *testing.T) {
			var lc net.ListenConfig
			l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			heard := make(chan []byte, 10)
			go func() {
				defer close(heard)
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					heard <- impostor(conn, certificate)
				}
			}()
			_, port, err := net.SplitHostPort(l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			err = openAt(t.Context(), "host=localhost port="+port+" user=atrium password=hunter2 dbname=secret_name sslmode=verify-full connect_timeout=20 "+c.more, false)
			if err == nil {
				t.Fatal("the impostor was taken for a database")
			}
			l.Close()
			var all []byte
			for text := range heard {
				all = append(all, text...)
			}
			if got := strings.Contains(string(all), "secret_name"); got != c.want {
				t.Errorf("the server heard the database's name: %t, want %t (%v)", got, c.want, err)
			}
			if !c.want && !strings.Contains(err.Error(), "certificate") {
				t.Errorf("the error tells nothing of the certificate: %v", err)
			}
		})
	}
}

// impostor answers like PostgreSQL until TLS has begun, and returns the first
// that it hears then.
func impostor(conn net.Conn, certificate tls.Certificate) []byte {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	request := make([]byte, 8) // SSLRequest
	if _, err := io.ReadFull(conn, request); err != nil {
		return nil
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return nil
	}
	secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	text := make([]byte, 1024)
	n, _ := secured.Read(text)
	return text[:n]
}

// selfSigned returns a certificate of a host and the file of it.
func selfSigned(t *testing.T, host string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

func selfSignedFile(t *testing.T, host string) string {
	t.Helper()
	_, path := selfSigned(t, host)
	return path
}
