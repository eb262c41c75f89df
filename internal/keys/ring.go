package keys

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Ring seals and opens with the generations of every purpose. It is safe for
// concurrent use. Load makes one.
type Ring struct {
	db         DB
	configured string // id of the root key that Load was given
	now        func() time.Time
	rand       io.Reader

	// roots are the root keys that the ring has.
	roots  atomic.Pointer[[]Root]
	keys   atomic.Pointer[map[Purpose]series]
	status atomic.Pointer[Status]
	// wake tells Follow that a value named a generation this node does not
	// know: another node may have rotated.
	wake chan struct{}
}

// HeaderSize is the length, in bytes, of the beginning of a sealed value or tag
// that names its generation.
const HeaderSize = 5

// A sealed value is: format (1 byte), generation (4 bytes, big endian),
// nonce (12), ciphertext, GCM tag (16). The header is authenticated.
const (
	formatSealed = 1
	headerSize   = HeaderSize
	// Overhead is how much longer a sealed value is than its plaintext.
	Overhead = headerSize + nonceSize + 16
)

// Seal encrypts plaintext for purpose p, bound to aad: Open needs the same
// aad. It fails only when randomness does.
func (r *Ring) Seal(p Purpose, plaintext, aad []byte) ([]byte, error) {
	m := r.series(p).current(r.now())
	if m == nil {
		return nil, fmt.Errorf("keys: no generation for %q", p)
	}
	out := make([]byte, headerSize+nonceSize, len(plaintext)+Overhead)
	putHeader(out, m.Number)
	nonce := out[headerSize:]
	if _, err := io.ReadFull(r.rand, nonce); err != nil {
		return nil, fmt.Errorf("keys: read randomness: %w", err)
	}
	return m.aead.Seal(out, nonce, plaintext, bound(out[:headerSize], aad)), nil
}

// Open returns the plaintext of what Seal made for the same purpose and aad,
// or ErrOpen.
func (r *Ring) Open(p Purpose, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrOpen
	}
	m := r.find(p, sealed)
	if m == nil {
		return nil, ErrOpen
	}
	nonce := sealed[headerSize : headerSize+nonceSize]
	plaintext, err := m.aead.Open(nil, nonce, sealed[headerSize+nonceSize:], bound(sealed[:headerSize], aad))
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// MAC returns a tag over data that VerifyMAC checks: the generation's header
// and HMAC-SHA-256, 37 bytes. The same data gives the same tag until the keys
// of p are rotated.
func (r *Ring) MAC(p Purpose, data []byte) ([]byte, error) {
	m := r.series(p).current(r.now())
	if m == nil {
		return nil, fmt.Errorf("keys: no generation for %q", p)
	}
	out := make([]byte, headerSize, headerSize+macSize)
	putHeader(out, m.Number)
	return m.tag(out, data), nil
}

// VerifyMAC returns nil when tag is MAC's for p and data, and ErrOpen when it
// is not. It compares in constant time.
func (r *Ring) VerifyMAC(p Purpose, data, tag []byte) error {
	if len(tag) != headerSize+macSize {
		return ErrOpen
	}
	m := r.find(p, tag)
	if m == nil {
		return ErrOpen
	}
	want := m.tag(append(make([]byte, 0, len(tag)), tag[:headerSize]...), data)
	if !hmac.Equal(want, tag) {
		return ErrOpen
	}
	return nil
}

// Derive returns length bytes (at most 8160) that depend on nothing but the
// generation's key and info: the secret access key of a session, for example.
// It returns ErrOpen when p has no such generation.
func (r *Ring) Derive(p Purpose, generation uint32, info string, length int) ([]byte, error) {
	m := r.series(p).number(generation)
	if m == nil {
		r.stale()
		return nil, ErrOpen
	}
	return hkdf.Expand(sha256.New, m.derive, info, length)
}

// Current returns the number of the generation that seals for p now, 0 when
// p has none.
func (r *Ring) Current(p Purpose) uint32 {
	if m := r.series(p).current(r.now()); m != nil {
		return m.Number
	}
	return 0
}

// Header is how everything that a generation sealed or signed begins. Headers
// are ordered, byte by byte, as generations are.
func Header(generation uint32) []byte {
	h := make([]byte, HeaderSize)
	putHeader(h, generation)
	return h
}

// SealedBy returns the generation that a sealed value or a tag claims to be
// of; 0 when it is neither. Only Open and VerifyMAC tell whether it is true.
func SealedBy(sealed []byte) uint32 {
	if len(sealed) < headerSize || sealed[0] != formatSealed {
		return 0
	}
	return binary.BigEndian.Uint32(sealed[1:headerSize])
}

func (r *Ring) series(p Purpose) series { return (*r.keys.Load())[p] }

// find returns the generation that sealed names, nil when there is none.
func (r *Ring) find(p Purpose, sealed []byte) *material {
	number := SealedBy(sealed)
	if number == 0 {
		return nil
	}
	m := r.series(p).number(number)
	if m == nil {
		r.stale()
	}
	return m
}

// stale asks Follow for a refresh, without waiting.
func (r *Ring) stale() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (m *material) tag(header, data []byte) []byte {
	h := hmac.New(sha256.New, m.mac)
	h.Write(header)
	h.Write(data)
	return h.Sum(header)
}

func putHeader(dst []byte, generation uint32) {
	dst[0] = formatSealed
	binary.BigEndian.PutUint32(dst[1:headerSize], generation)
}

// bound is what is authenticated beside the plaintext. The header has a fixed
// length, so that no two pairs of header and aad give the same bytes.
func bound(header, aad []byte) []byte {
	out := make([]byte, 0, headerSize+len(aad))
	return append(append(out, header...), aad...)
}
