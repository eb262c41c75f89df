package credential

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Normal returns the form of a password that is checked and hashed: the same
// however its characters were typed, composed or not, narrow or wide. It is
// Unicode's NFKC, as NIST SP 800-63B wants it.
func Normal(password string) string { return norm.NFKC.String(password) }

// Parameters are the cost of a hash.
type Parameters struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

// Recommended is OWASP's first choice for Argon2id: 19 MiB, two passes, one
// lane; about 30 ms.
func Recommended() Parameters { return Parameters{Memory: 19456, Passes: 2, Lanes: 1} }

const (
	saltSize = 16
	hashSize = 32
	// waiting is how many callers may wait for each slot: more would wait
	// longer than a person does.
	waiting = 64
)

// Hasher hashes passwords with Argon2id (RFC 9106) and checks them. It is safe
// for concurrent use. Only so many hashes are computed at once: each takes
// memory and a processor. Those who wait are served one of each network in
// turn.
type Hasher struct {
	parameters Parameters
	rand       io.Reader
	queue      *queue
	network    string
	decoy      digest
	key        func(text string, d digest) []byte
}

// NewHasher returns a Hasher that computes at most parallel hashes at once.
func NewHasher(p Parameters, parallel int, rand io.Reader) *Hasher {
	return &Hasher{
		parameters: p, rand: rand,
		queue: newQueue(parallel, parallel*waiting),
		decoy: digest{Parameters: p, normal: true, salt: make([]byte, saltSize), sum: make([]byte, hashSize)},
		key: func(text string, d digest) []byte {
			return argon2.IDKey([]byte(text), d.salt, d.Passes, d.Memory, d.Lanes, hashSize)
		},
	}
}

// For returns the Hasher for a caller from a network, whose callers wait behind
// each other.
func (h *Hasher) For(network string) *Hasher {
	out := *h
	out.network = network
	return &out
}

// Hash returns the hash of a password as a PHC string, with a new salt. It
// fails with fault.Unavailable when too many wait.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	d := digest{Parameters: h.parameters, normal: true, salt: make([]byte, saltSize)}
	if _, err := io.ReadFull(h.rand, d.salt); err != nil {
		return "", fmt.Errorf("credential: reading randomness: %w", err)
	}
	var err error
	if d.sum, err = h.compute(ctx, d, Normal(password)); err != nil {
		return "", err
	}
	return d.String(), nil
}

// Matches reports whether encoded is the hash of password. An empty encoded,
// of somebody without a password or nobody at all, takes as long as any other
// and never matches.
//
// A password that was not typed in its normal form is tried as it was typed,
// too: hashes were made of that once. It is tried with every hash, so that the
// time tells nothing of it.
func (h *Hasher) Matches(ctx context.Context, encoded, password string) (bool, error) {
	d, known := h.decoy, encoded != ""
	if known {
		var err error
		if d, err = parseDigest(encoded); err != nil {
			return false, err
		}
	}
	normal := Normal(password)
	same, err := h.makes(ctx, d, normal)
	if err != nil || normal == password {
		return same && known, err
	}
	typed, err := h.makes(ctx, d, password)
	return (same || typed && !d.normal) && known, err
}

// makes tells whether the digest is that of text.
func (h *Hasher) makes(ctx context.Context, d digest, text string) (bool, error) {
	sum, err := h.compute(ctx, d, text)
	return err == nil && subtle.ConstantTimeCompare(sum, d.sum) == 1, err
}

// Outdated reports whether encoded was made with other parameters than
// today's, or of a password as it was typed, and should be made anew when the
// password is next known.
func (h *Hasher) Outdated(encoded string) bool {
	d, err := parseDigest(encoded)
	return err != nil || d.Parameters != h.parameters || !d.normal
}

func (h *Hasher) compute(ctx context.Context, d digest, text string) ([]byte, error) {
	if err := h.queue.enter(ctx, h.network); err != nil {
		return nil, err
	}
	defer h.queue.leave()
	return h.key(text, d), nil
}

// digest is a hash and what it was made with.
type digest struct {
	Parameters
	normal    bool // made of the password's normal form
	salt, sum []byte
}

// normalForm is what is said of a digest that was made of the normal form, after
// its parameters.
const normalForm = ",form=nfkc"

// String returns the digest in the PHC string format.
func (d digest) String() string {
	enc, form := base64.RawStdEncoding, ""
	if d.normal {
		form = normalForm
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d%s$%s$%s", argon2.Version,
		d.Memory, d.Passes, d.Lanes, form, enc.EncodeToString(d.salt), enc.EncodeToString(d.sum))
}

// parseDigest reads what String wrote. The parameters are bounded, so that a
// damaged row cannot ask for all memory.
func parseDigest(encoded string) (digest, error) {
	var d digest
	unreadable := fmt.Errorf("credential: a stored password hash cannot be read")
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return d, unreadable
	}
	parts[3], d.normal = strings.CutSuffix(parts[3], normalForm)
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &d.Memory, &d.Passes, &d.Lanes); err != nil {
		return d, unreadable
	}
	var err error
	if d.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return d, unreadable
	}
	if d.sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(d.sum) != hashSize {
		return d, unreadable
	}
	if d.Memory > 1<<20 || d.Passes == 0 || d.Passes > 16 || d.Lanes == 0 || d.Lanes > 16 {
		return d, unreadable
	}
	return d, nil
}
