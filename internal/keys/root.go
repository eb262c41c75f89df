package keys

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Root wraps and unwraps key generations. LocalRoot holds the key in the
// process; a key management service can stand behind the same interface.
type Root interface {
	// ID names the root key without telling anything about it. It is stored
	// beside what the key wrapped, so that a wrong key is recognised.
	ID() string
	// Wrap seals key; Unwrap gives it back when asked with the same binding.
	Wrap(ctx context.Context, key, binding []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, binding []byte) ([]byte, error)
}

// RootSize is the length of a root key in bytes.
const RootSize = 32

// LocalRoot is a root key held in memory.
type LocalRoot struct {
	id   string
	aead cipher.AEAD
	rand io.Reader
}

// NewRoot returns the root key made of secret, which must be RootSize bytes.
// Nonces are read from rand.
func NewRoot(secret []byte, rand io.Reader) (*LocalRoot, error) {
	if len(secret) != RootSize {
		return nil, fmt.Errorf("a root key has %d bytes, this one has %d", RootSize, len(secret))
	}
	id, err := hkdf.Key(sha256.New, secret, nil, "atrium root key id v1", 8)
	if err != nil {
		return nil, fmt.Errorf("derive the root key's id: %w", err)
	}
	wrap, err := hkdf.Key(sha256.New, secret, nil, "atrium root key wrap v1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the wrapping key: %w", err)
	}
	aead, err := newAEAD(wrap)
	if err != nil {
		return nil, err
	}
	return &LocalRoot{id: hex.EncodeToString(id), aead: aead, rand: rand}, nil
}

// ParseRoot returns the root key written as text: base64 of RootSize bytes,
// as `openssl rand -base64 32` prints. White space around it is ignored.
func ParseRoot(text string, rand io.Reader) (*LocalRoot, error) {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(secret) != RootSize {
		// The decoder's error would quote a part of the key.
		return nil, fmt.Errorf("the root key must be base64 of exactly %d random bytes; make one with: openssl rand -base64 %d", RootSize, RootSize)
	}
	return NewRoot(secret, rand)
}

// ReadRootFile returns the root key in the file at path. It refuses a file
// that others than its owner may read or write.
func ReadRootFile(path string, rand io.Reader) (*LocalRoot, error) {
	text, err := ReadRootText(path)
	if err != nil {
		return nil, err
	}
	root, err := ParseRoot(text, rand)
	if err != nil {
		return nil, fmt.Errorf("root key file %s: %w", path, err)
	}
	return root, nil
}

// ReadRootText returns what is in the root key file at path, for ParseRoot. It
// refuses a file that others than its owner may read or write.
func ReadRootText(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the root key file %s does not exist; restore it from where you keep it, or for a new installation make one with: (umask 077; openssl rand -base64 %d > %s)", path, RootSize, path)
	}
	if err != nil {
		return "", fmt.Errorf("open the root key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("read the root key file's mode: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("the root key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("the root key file %s can be used by others (mode %04o); allow only its owner: chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return "", fmt.Errorf("read the root key file: %w", err)
	}
	return string(text), nil
}

// CreateRootFile writes a new random root key to path with mode 0600, and
// fails when something is there already: a root key is never overwritten.
func CreateRootFile(path string, rand io.Reader) error {
	secret := make([]byte, RootSize)
	if _, err := io.ReadFull(rand, secret); err != nil {
		return fmt.Errorf("make a root key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create the root key file: %w", err)
	}
	var text bytes.Buffer
	fmt.Fprintln(&text, base64.StdEncoding.EncodeToString(secret))
	_, err = f.Write(text.Bytes())
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("write the root key file: %w", err), os.Remove(path))
	}
	return nil
}

// ID returns 16 hexadecimal digits derived one way from the key.
func (r *LocalRoot) ID() string { return r.id }

// Wrap seals key under the root key.
func (r *LocalRoot) Wrap(_ context.Context, key, binding []byte) ([]byte, error) {
	nonce := make([]byte, nonceSize, nonceSize+len(key)+r.aead.Overhead())
	if _, err := io.ReadFull(r.rand, nonce); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return r.aead.Seal(nonce, nonce, key, binding), nil
}

// Unwrap opens what Wrap sealed with the same binding, or returns ErrOpen.
func (r *LocalRoot) Unwrap(_ context.Context, wrapped, binding []byte) ([]byte, error) {
	if len(wrapped) < nonceSize {
		return nil, ErrOpen
	}
	key, err := r.aead.Open(nil, wrapped[:nonceSize], wrapped[nonceSize:], binding)
	if err != nil {
		return nil, ErrOpen
	}
	return key, nil
}
