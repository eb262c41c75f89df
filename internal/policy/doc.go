// Package policy is the IAM policy language: documents are compiled once and
// then decide requests.
//
// Decisions follow AWS's evaluation logic. An explicit deny in any policy
// wins; otherwise an identity policy must allow, and so must every limit that
// applies to the principal (permissions boundary, session policy, service
// control policy); everything else is denied.
//
// Conditions are three-valued. What cannot be evaluated (a condition key that
// nobody has looked at for this request, a policy variable without a value, a
// number that is none) is unknown: it fails an Allow and matches a Deny.
//
// A compiled Policy is immutable and may be used by any number of goroutines.
// Deciding does not allocate.
package policy

// truth is a three-valued truth. The zero value is no.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

// and, or and not are Kleene's: no < unknown < yes, and is the minimum, or the
// maximum.
func and(a, b truth) truth { return min(a, b) }
func or(a, b truth) truth  { return max(a, b) }
func not(a truth) truth    { return yes - a }

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}
