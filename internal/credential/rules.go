package credential

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

// The lengths of a password, in characters: AWS's rule.
const (
	MinLength = 8
	MaxLength = 64
)

// The reasons for which a password is refused, as fault.Error.Reason.
const (
	ReasonLength     = "PASSWORD_LENGTH"
	ReasonCharacters = "PASSWORD_CHARACTERS"
	ReasonCommon     = "PASSWORD_COMMON"
	ReasonReused     = "PASSWORD_REUSED"
	ReasonBreached   = "PASSWORD_BREACHED"
)

// Check tells whether a password, in its normal form, may be chosen by the person with these names:
// AWS's rules, and not one that anybody would guess. It returns a
// fault.Invalid with one of the reasons above. That the password is none of
// the person's last ones is for Reused to tell, and that it was not stolen
// elsewhere for Breaches.
func Check(password string, names ...string) error {
	password = Normal(password)
	if n := utf8.RuneCountInString(password); n < MinLength || n > MaxLength {
		return refused(ReasonLength, "The password must have 8 to 64 characters.")
	}
	if !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl) || !hasAllKinds(password) {
		return refused(ReasonCharacters, "The password must have a lower-case letter, an upper-case letter, a number and a symbol.")
	}
	if isCommon(password, names) {
		return refused(ReasonCommon, "The password is too easy to guess. Choose one that is not a common word or your name.")
	}
	return nil
}

// RefuseReused is the answer to a password for which Reused reports true.
func RefuseReused() error {
	return refused(ReasonReused, "The password is one of your last three. Choose another one.")
}

// Breaches knows passwords that were published in breaches.
type Breaches interface {
	// Contains says no when it cannot tell.
	Contains(password string) bool
}

// Breached tells whether breaches contain a password, as it was typed or in its
// normal form. They may be nil.
func Breached(breaches Breaches, password string) bool {
	if breaches == nil {
		return false
	}
	normal := Normal(password)
	return breaches.Contains(normal) || normal != password && breaches.Contains(password)
}

// RefuseBreached is the answer to a password that Breaches contain.
func RefuseBreached() error {
	return refused(ReasonBreached, "The password is known to attackers: it was stolen somewhere else. Choose another one.")
}

func refused(reason, message string) error {
	return fault.New(fault.Invalid, "password", "%s", message).WithReason(reason)
}

// hasAllKinds tells whether a password has the four kinds of characters that
// AWS asks for: a-z, A-Z, 0-9, and something else.
func hasAllKinds(password string) bool {
	var lower, upper, number, symbol bool
	for _, r := range password {
		switch {
		case 'a' <= r && r <= 'z':
			lower = true
		case 'A' <= r && r <= 'Z':
			upper = true
		case '0' <= r && r <= '9':
			number = true
		case !unicode.IsLetter(r):
			symbol = true
		}
	}
	return lower && upper && number && symbol
}

// The characters of one-time passwords: those that are not mistaken for one
// another when read aloud or typed from paper.
const (
	oneTimeLetters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	oneTimeGroups  = 4
	oneTimeGroup   = 4
)

// LooksOneTime tells whether a password has the form of those of NewOneTime.
func LooksOneTime(password string) bool {
	groups := strings.Split(password, "-")
	for _, g := range groups {
		if len(g) != oneTimeGroup || strings.Trim(g, oneTimeLetters) != "" {
			return false
		}
	}
	return len(groups) == oneTimeGroups
}

// NewOneTime returns a random one-time password that satisfies Check: four
// groups of four characters joined by hyphens, about 92 bits.
func NewOneTime(ids ident.Source) string {
	for {
		var b strings.Builder
		for b.Len() < oneTimeGroups*(oneTimeGroup+1)-1 {
			if b.Len()%(oneTimeGroup+1) == oneTimeGroup {
				b.WriteByte('-')
				continue
			}
			b.WriteByte(oneTimeCharacter(ids))
		}
		if Check(b.String()) == nil {
			return b.String()
		}
	}
}

// oneTimeCharacter returns one of oneTimeLetters, each as likely.
func oneTimeCharacter(ids ident.Source) byte {
	const n = len(oneTimeLetters)
	for {
		if i := int(ids.Bytes(1)[0]); i < 256/n*n {
			return oneTimeLetters[i%n]
		}
	}
}
