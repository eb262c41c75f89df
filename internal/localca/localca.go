// Package localca makes the certificates of a dev node: a certificate
// authority that lives in the node's data directory and can vouch for this
// machine's loopback names only, and a certificate for those names.
package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The files in the directory. The authority's key is readable by its owner
// only; its certificate is what clients are told to trust.
const (
	CertificateFile = "ca.pem"
	keyFile         = "ca.key"
)

// authorityLifetime is how long the authority lasts. A certificate of the node
// lasts as long as browsers take one (397 days, CA/Browser Forum's Baseline
// Requirements 6.3.2), and is made anew at each start.
const (
	authorityLifetime = 10 * 365 * 24 * time.Hour
	leafLifetime      = 397 * 24 * time.Hour
)

// Authority is the certificate authority of a directory.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	random      io.Reader
}

// Ensure returns the authority that lies in dir, and makes it when there is
// none or when it has expired.
func Ensure(dir string, now time.Time, random io.Reader) (*Authority, error) {
	a, err := read(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && now.After(a.certificate.NotAfter.Add(-leafLifetime)) {
		a, err = create(dir, now, random)
	}
	if err != nil {
		return nil, fmt.Errorf("the certificate authority in %s: %w", dir, err)
	}
	a.random = random
	return a, nil
}

func read(dir string) (*Authority, error) {
	certificate, err := readPEM(filepath.Join(dir, CertificateFile), "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	key, err := readPEM(filepath.Join(dir, keyFile), "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	a := &Authority{}
	if a.certificate, err = x509.ParseCertificate(certificate); err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var ok bool
	if a.key, ok = parsed.(*ecdsa.PrivateKey); !ok || !a.key.PublicKey.Equal(a.certificate.PublicKey) {
		return nil, errors.New("the key is not the certificate's; remove both files to make new ones")
	}
	return a, nil
}

func readPEM(path, kind string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s holds no %s", path, kind)
	}
	return block.Bytes, nil
}

func create(dir string, now time.Time, random io.Reader) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial(random)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Atrium dev node " + serial.Text(16)[:8]},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(authorityLifetime),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}},
		SubjectKeyId:      keyID(&key.PublicKey),
	}
	raw, err := x509.CreateCertificate(random, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	a := &Authority{key: key}
	if a.certificate, err = x509.ParseCertificate(raw); err != nil {
		return nil, err
	}
	return a, a.write(dir)
}

func (a *Authority) write(dir string) error {
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return err
	}
	// The certificate comes last: without it the key is made anew.
	if err := writePEM(filepath.Join(dir, keyFile), "PRIVATE KEY", key, 0o600); err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, CertificateFile), "CERTIFICATE", a.certificate.Raw, 0o644)
}

func writePEM(path, kind string, raw []byte, mode fs.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), mode)
}

// Issue returns a certificate for localhost, the names below it, and
// 127.0.0.1, with its new key.
func (a *Authority) Issue(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), a.random)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := newSerial(a.random)
	if err != nil {
		return tls.Certificate{}, err
	}
	raw, err := x509.CreateCertificate(a.random, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(leafLifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost", "*.localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		AuthorityKeyId: a.certificate.SubjectKeyId,
	}, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{raw, a.certificate.Raw}, PrivateKey: key}, nil
}

// newSerial draws 127 bits: RFC 5280, 4.1.2.2, wants positive numbers of at
// most 20 octets.
func newSerial(random io.Reader) (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, err
	}
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b), nil
}

// keyID names a key: RFC 7093, section 2, method 1.
func keyID(key *ecdsa.PublicKey) []byte {
	raw, err := key.Bytes()
	if err != nil {
		return nil // a key that was just made is on its curve
	}
	sum := sha256.Sum256(raw)
	return sum[:20]
}
