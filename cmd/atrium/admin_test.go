package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/config"
	"github.com/atrium-iam/atrium/internal/localca"
)

// certificateFiles makes a certificate for this machine's names.
func certificateFiles(t *testing.T) (cert, key, authority string) {
	t.Helper()
	dir := t.TempDir()
	ca, err := localca.Ensure(dir, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := ca.Issue(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeChain(t, cert, key, issued)
	return cert, key, filepath.Join(dir, localca.CertificateFile)
}

// TestMetricsOnTheNetworkHaveTLS asks a node for its metrics where the network
// reaches them, and where it does not.
func TestMetricsOnTheNetworkHaveTLS(t *testing.T) {
	cert, key, authority := certificateFiles(t)
	for name, c := range map[string]struct {
		listen string
		allow  []string
		https  bool
	}{
		"on the network":       {"0.0.0.0:0", nil, true},
		"on a trusted network": {"0.0.0.0:0", []string{config.InsecureMetrics}, false},
		"on this machine":      {"127.0.0.1:0", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			i := newInstallation(t)
			i.must("init", "--account-email", "management@example.com")
			cfg, _, err := (&configured{Config: i.config}).load(config.NewFlags(), streams{t.Output(), t.Output()})
			if err != nil {
				t.Fatal(err)
			}
			cfg.Listen, cfg.AdminListen, cfg.AllowInsecure = "127.0.0.1:0", c.listen, c.allow
			cfg.TLS = config.TLS{CertFile: cert, KeyFile: key}
			p, err := openNode(t.Context(), cfg, logger(cfg, t.Output()))
			if err != nil {
				t.Fatal(err)
			}
			if err := listen(t.Context(), cfg, p); err != nil {
				t.Fatal(err)
			}
			_, port, err := net.SplitHostPort(p.Admin.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- p.Run(ctx) }()
			t.Cleanup(func() {
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			})
			client, err := trusting(authority)
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			for scheme, want := range map[string]bool{"https": c.https, "http": !c.https} {
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost:"+port+"/metrics", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				response, err := client.Do(r)
				got := err == nil && response.StatusCode == http.StatusOK
				if err == nil {
					response.Body.Close()
				}
				if got != want {
					t.Errorf("%s answers: %t (%v), want %t", scheme, got, err, want)
				}
			}
		})
	}
}

// writeChain writes a certificate and its key as PEM.
func writeChain(t *testing.T, cert, key string, c tls.Certificate) {
	t.Helper()
	for path, text := range map[string][]byte{cert: pemOf(t, "CERTIFICATE", c.Certificate...), key: keyOf(t, c)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func pemOf(t *testing.T, kind string, blocks ...[]byte) (out []byte) {
	t.Helper()
	for _, b := range blocks {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})...)
	}
	return out
}

func keyOf(t *testing.T, c tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf(t, "PRIVATE KEY", der)
}
