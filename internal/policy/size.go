package policy

import (
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Limits of an inline policy document: of a role, IAM's quota; of a
// permission set, the API's and the same quota.
const (
	// MaxInlineCharacters is the longest document that is looked at.
	MaxInlineCharacters = 32768
	// MaxInlineSize is the most characters, white space apart.
	MaxInlineSize = 10240
	// MaxManagedSize is the same of a customer managed policy.
	MaxManagedSize = 6144
)

// Size returns the size of a document as IAM's quotas count it: in
// characters, white space apart.
func Size(document string) int {
	n := 0
	for _, r := range document {
		if !strings.ContainsRune(" \t\r\n", r) {
			n++
		}
	}
	return n
}

// CheckSize returns a fault.Quota when document is larger than limit.
func CheckSize(document string, limit int) error {
	if Size(document) > limit {
		return fault.New(fault.Quota, "policy_size", "Maximum policy size of %d bytes exceeded", limit)
	}
	return nil
}
