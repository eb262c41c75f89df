package breach

import (
	"errors"
	"strings"
)

// samples is how many lines are looked at before a list is used.
const samples = 200

// many is the size of a list from which on its first hash begins with 00 and its
// last with FF: with fewer lines that could be chance.
const many = 1 << 20

// check looks at lines from the first to the last.
func (t text) check() error {
	if t.size == 0 {
		return errors.New("it is empty")
	}
	var first, last entry
	for i := range int64(samples) {
		e, err := t.entry((t.size - 1) / (samples - 1) * i)
		if i == samples-1 {
			e, err = t.entry(t.size - 1)
		}
		if err != nil {
			return err
		}
		if e.start > last.start && e.hash <= last.hash {
			return errors.New("it is not ordered by hash: sort it with LC_ALL=C sort")
		}
		if i == 0 {
			first = e
		}
		last = e
	}
	switch {
	case t.size >= many && !strings.HasPrefix(first.hash, "00"):
		return errors.New("its first hash does not begin with 00: its beginning is missing")
	case t.size >= many && !strings.HasPrefix(last.hash, "FF"):
		return errors.New("its last hash does not begin with FF: its end is missing")
	}
	return nil
}

// hashOf returns the hash of a line, in capitals.
func hashOf(line string) (string, error) {
	hash, count, two := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
	switch {
	case len(hash) == 32 && isHex(hash):
		return "", errors.New("has a hash of 32 characters, as the NTLM form of the list has: get the SHA-1 form")
	case len(hash) != hashSize || !isHex(hash):
		return "", errors.New("is not a SHA-1 hash, a colon and a count: get the list as one text file")
	case !two || count == "" || strings.Trim(count, "0123456789") != "":
		return "", errors.New("has no count after its hash: it is cut off, or not of this list")
	}
	return strings.ToUpper(hash), nil
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }
