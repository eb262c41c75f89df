package mail

import (
	"errors"
	netmail "net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// The longest addresses, in bytes (RFC 5321, 4.5.3.1): what is before the @,
// what is after it in ASCII, and both. A path, which is an address between angle
// brackets, has 256.
const (
	maxLocalPart = 64
	maxLabel     = 63 // between the dots of a domain (RFC 1035, 2.3.4)
	maxDomain    = 255
	maxAddress   = 254
)

var errAddress = errors.New("mail: the address is none that mail can be sent to")

// Deliverable tells whether a person's e-mail address, which may be any text,
// is one that mail can be sent to: a single address without a name, of
// printable characters, at a domain with all of its labels (RFC 5321, 2.3.5).
func Deliverable(address string) bool {
	if address == "" || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return false
	}
	_, domain, _ := cutAddress(address)
	_, err = Envelope(address)
	return err == nil && (strings.Contains(domain, ".") || strings.HasPrefix(domain, "["))
}

// Envelope returns an address as mail servers are told it: its domain in ASCII,
// as the domain name system has it (RFC 5891). The local part stays as it is, and
// only servers that offer SMTPUTF8 take one that is not ASCII: see IsASCII.
func Envelope(address string) (string, error) {
	local, domain, found := cutAddress(address)
	if !IsASCII(domain) {
		var err error
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", errAddress
		}
	}
	envelope := local + "@" + domain
	if !found || local == "" || !labelled(domain) || len(local) > maxLocalPart || len(domain) > maxDomain || len(envelope) > maxAddress {
		return "", errAddress
	}
	return envelope, nil
}

// labelled tells whether the labels of a domain have their lengths; what stands
// in brackets is the address of a machine, which has none.
func labelled(domain string) bool {
	if strings.HasPrefix(domain, "[") {
		return true
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > maxLabel {
			return false
		}
	}
	return true
}

// cutAddress cuts an address at its last @: a quoted local part may have more.
func cutAddress(address string) (local, domain string, found bool) {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return address, "", false
	}
	return address[:i], address[i+1:], true
}

// IsASCII tells whether text has characters of ASCII only.
func IsASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

// Hint is an address of which only its owner recognises the name: its first
// character and its domain.
func Hint(address string) string {
	const hidden = "•••"
	local, domain, found := cutAddress(address)
	if !found {
		return hidden
	}
	_, first := utf8.DecodeRuneInString(local)
	return local[:first] + hidden + "@" + domain
}
