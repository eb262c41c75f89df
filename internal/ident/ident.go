// Package ident makes identifiers in the forms that AWS documents and its
// clients check. Randomness is injected: a Source over crypto/rand in the
// program, over a seeded reader in tests.
package ident

import (
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Source makes identifiers from a reader of random bytes.
type Source struct{ rand io.Reader }

// NewSource returns a Source that reads random bytes from r.
func NewSource(r io.Reader) Source { return Source{rand: r} }

// Bytes returns n random bytes. It panics when the reader fails: a process
// without randomness must not go on.
func (s Source) Bytes(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		panic(fmt.Sprintf("ident: reading randomness: %v", err))
	}
	return b
}

// Hex returns n random lower-case hexadecimal digits.
func (s Source) Hex(n int) string {
	return hex.EncodeToString(s.Bytes((n + 1) / 2))[:n]
}

// Digits returns n random decimal digits, the first of which is not 0.
func (s Source) Digits(n int) string {
	out := make([]byte, 0, n)
	for len(out) < n {
		for _, b := range s.Bytes(n + 4) {
			if b >= 250 || (len(out) == 0 && b%10 == 0) {
				continue // 250 and above would favour the low digits
			}
			if out = append(out, '0'+b%10); len(out) == n {
				break
			}
		}
	}
	return string(out)
}

// UUID returns a random (version 4) UUID in lower case, RFC 9562.
func (s Source) UUID() string {
	b := s.Bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

const lowerAlnum = "0123456789abcdefghijklmnopqrstuvwxyz"

// LowerAlnum returns n random characters out of 0-9 and a-z.
func (s Source) LowerAlnum(n int) string {
	out := make([]byte, 0, n)
	for len(out) < n {
		for _, b := range s.Bytes(n + 4) {
			if b >= 252 {
				continue
			}
			if out = append(out, lowerAlnum[b%36]); len(out) == n {
				break
			}
		}
	}
	return string(out)
}

// IdentityStoreID returns an identity store id: "d-" and 10 hexadecimal digits.
func (s Source) IdentityStoreID() string { return "d-" + s.Hex(10) }

// DirectoryID returns the id of a user, group or membership of the identity
// store storeID: the store's 10 digits, a hyphen and a UUID.
func (s Source) DirectoryID(storeID string) string {
	if len(storeID) == 12 && storeID[:2] == "d-" {
		return storeID[2:] + "-" + s.UUID()
	}
	return s.UUID()
}

// InstanceID returns an instance id: "ssoins-" and 16 hexadecimal digits.
func (s Source) InstanceID() string { return "ssoins-" + s.Hex(16) }

// PermissionSetID returns a permission set id: "ps-" and 16 hexadecimal digits.
func (s Source) PermissionSetID() string { return "ps-" + s.Hex(16) }

// OrganizationID returns an organization id: "o-" and 10 characters.
func (s Source) OrganizationID() string { return "o-" + s.LowerAlnum(10) }

// RootID returns the id of an organization's root: "r-" and 4 characters.
func (s Source) RootID() string { return "r-" + s.LowerAlnum(4) }

// OrganizationalUnitID returns the id of an OU under the root rootID: "ou-",
// the root's characters, a hyphen and 8 characters.
func (s Source) OrganizationalUnitID(rootID string) string {
	return "ou-" + rootID[2:] + "-" + s.LowerAlnum(8)
}

// AccountID returns a 12-digit account id.
func (s Source) AccountID() string { return s.Digits(12) }

// UniqueID returns an IAM unique id with the given four-letter prefix (AIDA
// for users, AROA for roles): 21 characters in all.
func (s Source) UniqueID(prefix string) string {
	return prefix + base32.StdEncoding.EncodeToString(s.Bytes(11))[:17]
}

// AccessKeyID returns an access key id of account with the given four-letter
// prefix (AKIA long-term, ASIA temporary). As in AWS, the account can be read
// back from it: see AccessKeyAccount. It returns "" when account is not a
// 12-digit number.
func (s Source) AccessKeyID(prefix, account string) string {
	n, err := strconv.ParseUint(account, 10, 64)
	if err != nil || len(account) != 12 {
		return ""
	}
	raw := s.Bytes(10)
	var head [8]byte
	copy(head[2:], raw[:6])
	head48 := binary.BigEndian.Uint64(head[:])
	head48 = head48&^accountMask | n<<accountShift&accountMask | 1<<47
	binary.BigEndian.PutUint64(head[:], head48)
	copy(raw[:6], head[2:])
	return prefix + base32.StdEncoding.EncodeToString(raw)
}

const (
	accountMask  = 0x7fffffffff80
	accountShift = 7
)

// AccessKeyAccount returns the account that the access key id key belongs to,
// or "" when key has not the form that AccessKeyID makes.
func AccessKeyAccount(key string) string {
	if len(key) != 20 {
		return ""
	}
	raw, err := base32.StdEncoding.DecodeString(key[4:])
	if err != nil || len(raw) != 10 {
		return ""
	}
	var head [8]byte
	copy(head[2:], raw[:6])
	n := binary.BigEndian.Uint64(head[:]) & accountMask >> accountShift
	if n > 999_999_999_999 {
		return ""
	}
	return fmt.Sprintf("%012d", n)
}

// Millis is t as Atrium keeps times: UTC, in whole milliseconds.
func Millis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
