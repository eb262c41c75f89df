package directory

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/atrium-iam/atrium/internal/ident"
)

// maxKey is the longest key, in bytes, that is stored as it is. Indexes of
// some databases take no more than about 2,700 bytes an entry, while a name
// of 1,024 characters may have 4,096.
const maxKey = 512

// Key returns the form of a name or an e-mail address under which it is
// unique: two strings have the same key exactly when they are equal under
// Unicode simple case folding. Long keys are replaced by a digest, which no
// name can look like. Different Unicode normalisation forms of the same text
// stay different.
func Key(s string) string {
	folded := strings.Map(fold, s)
	if len(folded) <= maxKey {
		return folded
	}
	sum := sha256.Sum256([]byte(folded))
	return "\x01" + hex.EncodeToString(sum[:])
}

// fold returns the representative of r's case: the lower-case ASCII letter
// where there is one, otherwise the smallest rune of its folding orbit.
func fold(r rune) rune {
	if r < utf8Self {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

const utf8Self = 0x80

// newID returns the id of a new user, group or membership: AWS's form, the
// store's ten digits and a UUID, with the UUID of version 7 (RFC 9562). Its
// first 48 bits are the time, so that the order of ids is the order of
// creation: listings walk an index that grows at its end.
func newID(ids ident.Source, storeID string, at time.Time) string {
	id := ids.DirectoryID(storeID)
	prefix, uuid := id[:len(id)-36], id[len(id)-36:]
	ms := fmt.Sprintf("%012x", at.UnixMilli()&(1<<48-1))
	return prefix + ms[:8] + "-" + ms[8:] + "-7" + uuid[15:]
}
