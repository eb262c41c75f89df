package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"time"
)

const (
	keySize   = 32
	nonceSize = 12
	macSize   = sha256.Size
)

// material is one unwrapped generation: its keys are derived once, here.
type material struct {
	Generation
	aead        cipher.AEAD
	mac, derive []byte
}

func newMaterial(g Generation, key []byte) (*material, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("generation %d for %s has a key of %d bytes, not %d", g.Number, g.Purpose, len(key), keySize)
	}
	m := &material{Generation: g}
	var sealKey []byte
	for _, k := range []struct {
		use string
		dst *[]byte
	}{{"seal", &sealKey}, {"mac", &m.mac}, {"derive", &m.derive}} {
		derived, err := hkdf.Expand(sha256.New, key, "atrium "+k.use+" v1 "+string(g.Purpose), keySize)
		if err != nil {
			return nil, fmt.Errorf("derive the %s key: %w", k.use, err)
		}
		*k.dst = derived
	}
	aead, err := newAEAD(sealKey)
	m.aead = aead
	return m, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up AES: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("set up GCM: %w", err)
	}
	return aead, nil
}

// series is the generations of one purpose, newest first.
type series []*material

// current returns the generation that seals at now: the newest active one,
// or the oldest when a clock is so far behind that none is.
func (s series) current(now time.Time) *material {
	for _, m := range s {
		if !now.Before(m.Active) {
			return m
		}
	}
	if len(s) == 0 {
		return nil
	}
	return s[len(s)-1]
}

func (s series) number(n uint32) *material {
	for _, m := range s {
		if m.Number == n {
			return m
		}
	}
	return nil
}
