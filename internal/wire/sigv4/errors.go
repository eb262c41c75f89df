package sigv4

import "strconv"

// Kind is a way in which authentication fails.
type Kind uint8

// The kinds. Parse returns the first group, Check and Verify the second; the
// third is for the caller that looks up keys and tokens.
const (
	// MissingAuthentication: the request carries no signature at all.
	MissingAuthentication Kind = iota + 1
	// IncompleteSignature: a required part is missing or not well formed.
	IncompleteSignature
	// MalformedCredential: the credential has not exactly five parts.
	MalformedCredential
	// UnsupportedAlgorithm: another algorithm than AWS4-HMAC-SHA256.
	UnsupportedAlgorithm
	// InvalidDate: the signing time is missing or not ISO-8601 basic.
	InvalidDate
	// InvalidExpires: X-Amz-Expires is not a number from 1 to 604800.
	InvalidExpires
	// AmbiguousAuthentication: more than one signature, or a part twice.
	AmbiguousAuthentication
	// MalformedRequest: the request target cannot be canonicalised.
	MalformedRequest

	// WrongRegion: the scope names another region.
	WrongRegion
	// WrongService: the scope names another service.
	WrongService
	// WrongTerminator: the scope does not end with aws4_request.
	WrongTerminator
	// WrongScopeDate: the scope's date is not that of the signing time.
	WrongScopeDate
	// UnsignedHeader: a header that must be signed is not.
	UnsignedHeader
	// SignatureExpired: signed longer ago than the skew allows.
	SignatureExpired
	// NotYetCurrent: signed further ahead than the skew allows.
	NotYetCurrent
	// PresignExpired: the lifetime of the presigned request is over.
	PresignExpired
	// BodyHashMismatch: x-amz-content-sha256 is not the body's hash.
	BodyHashMismatch
	// SignatureMismatch: the request was signed otherwise or changed.
	SignatureMismatch

	// UnknownAccessKey: there is no such access key, or it is inactive.
	UnknownAccessKey
	// InvalidToken: the session token is not ours or not this key's.
	InvalidToken
	// ExpiredToken: the session token is past its time or revoked.
	ExpiredToken

	kinds // number of kinds plus one
)

// Error is a refusal. Detail says more than the kind in AWS's words and is
// safe to show; empty means the kind's own message (see Refusal).
type Error struct {
	Kind   Kind
	Detail string
}

// Error returns the message that an awsJson service shows.
func (e *Error) Error() string {
	_, _, message := Refusal(e, JSON)
	return message
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
