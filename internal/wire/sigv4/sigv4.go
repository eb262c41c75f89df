// Package sigv4 verifies AWS Signature Version 4, carried in headers or in
// the query ("presigned"), from the request as it was sent.
//
// It works in two steps so that a server can look up the key in between:
// [Parse] reads who signed, for which scope and when, without verifying
// anything; [Verifier.Verify] takes the secret and says whether the signature
// holds. Nothing of a [Claim] may be trusted before Verify has accepted it.
//
// Canonicalisation starts from the raw request target. The path is never
// decoded or normalised: S3 signs it as sent, every other service signs it
// URI-encoded once more. The query is decoded and encoded again by the
// strict rules, so what is verified is what a form parser reads. Header
// values are trimmed and inner runs of spaces collapsed.
//
// Refusals are [Error] values that know nothing of HTTP; [Refusal] is the
// table that tells them in each protocol's own codes, statuses and words.
// Neither carries secrets, tokens or signatures.
package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"
)

// The only algorithm accepted, and the constant last part of every scope.
const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
)

// Payload hashes that stand for something else than the hash of the body.
const (
	// UnsignedPayload says that the signature does not cover the body.
	UnsignedPayload = "UNSIGNED-PAYLOAD"
	// StreamingPrefix starts the values that announce an aws-chunked body
	// whose chunks are signed one by one.
	StreamingPrefix = "STREAMING-"
)

// Scope is the credential scope of a signature without its terminator.
type Scope struct {
	Date    string // YYYYMMDD, UTC
	Region  string
	Service string // signing name, e.g. "sso" for sso-admin
}

// Options says what a request must fulfil to be accepted.
type Options struct {
	// Now is the server's time.
	Now time.Time
	// Skew is how far the signing time may lie from Now, either way. AWS
	// allows 15 minutes in most services and 5 in some.
	Skew time.Duration
	// Region and Service are what the scope must name. An empty one accepts
	// any; leave it empty only where the scope itself decides the routing.
	Region  string
	Service string
	// HonorExpires makes X-Amz-Expires the lifetime of a presigned request
	// and requires it, as S3 does. Otherwise Skew bounds presigned requests
	// too, whatever X-Amz-Expires says, as STS does: EKS tokens are signed
	// with 60 seconds and used for 14 minutes.
	HonorExpires bool
	// BodyStreams says that the body is not read yet. The payload hash that
	// the request declares is then taken as it is, including UnsignedPayload
	// and StreamingPrefix values, and the caller must hold the body to
	// Signature.PayloadHash. Otherwise the body's own hash decides.
	BodyStreams bool
}

// Signature is a verified signature: all that is needed to verify the chunks
// of an aws-chunked body that follows it.
type Signature struct {
	Key         [sha256.Size]byte // signing key of the scope; never log it
	Seed        string            // the request's signature, 64 lower-case hex digits
	Time        string            // X-Amz-Date as signed
	Scope       Scope
	PayloadHash string // hash of the body in hex, or what stood in its place
}

// Verifier verifies claims and remembers signing keys, which are costly to
// derive and change once a day. It is safe for concurrent use.
type Verifier struct {
	keys keyCache
}

// NewVerifier returns a Verifier that remembers at least keys signing keys of
// requests it accepted, and at most twice as many.
func NewVerifier(keys int) *Verifier {
	return &Verifier{keys: newKeyCache(keys)}
}

// Verify says whether the claim's request was signed with secret, over body,
// within opts. It checks all that Check checks. The secret must be the one of
// the claim's access key id and session token; body is ignored when
// opts.BodyStreams is set.
func (v *Verifier) Verify(c *Claim, secret string, body []byte, opts Options) (Signature, *Error) {
	if err := c.Check(opts); err != nil {
		return Signature{}, err
	}
	payload, err := c.payloadHash(body, opts)
	if err != nil {
		return Signature{}, err
	}
	key, known := v.keys.get(secret, c.Scope)
	if !known {
		key = deriveKey(secret, c.Scope)
	}
	want := c.sign(key, payload)
	if subtle.ConstantTimeCompare(want[:], []byte(c.signature)) != 1 {
		return Signature{}, &Error{Kind: SignatureMismatch}
	}
	if !known {
		v.keys.put(secret, c.Scope, key)
	}
	return Signature{Key: key, Seed: c.signature, Time: c.date, Scope: c.Scope, PayloadHash: payload}, nil
}

// Check makes the checks that need no secret: the scope, the signing time and
// that everything is signed which must be. Use it to refuse before looking up
// a key; Verify repeats it.
func (c *Claim) Check(opts Options) *Error {
	if err := c.checkScope(opts); err != nil {
		return err
	}
	if err := c.checkSignedHeaders(); err != nil {
		return err
	}
	return c.checkTime(opts)
}

// checkScope names every part of the scope that is wrong, as AWS does; the
// error's kind is that of the first.
func (c *Claim) checkScope(opts Options) *Error {
	var kind Kind
	var wrong []string
	note := func(k Kind, text string) {
		if kind == 0 {
			kind = k
		}
		wrong = append(wrong, text)
	}
	if opts.Region != "" && c.Scope.Region != opts.Region {
		note(WrongRegion, "Credential should be scoped to a valid region, not '"+c.Scope.Region+"'.")
	}
	if opts.Service != "" && c.Scope.Service != opts.Service {
		note(WrongService, "Credential should be scoped to correct service: '"+opts.Service+"'.")
	}
	if c.terminator != terminator {
		note(WrongTerminator, "Credential should be scoped with a valid terminator: '"+terminator+"', not '"+c.terminator+"'.")
	}
	if day := c.date[:len("20060102")]; c.Scope.Date != day {
		note(WrongScopeDate, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+
			c.Scope.Date+"' != '"+day+"', from '"+c.date+"'.")
	}
	if wrong == nil {
		return nil
	}
	return &Error{Kind: kind, Detail: strings.Join(wrong, " ")}
}

// checkSignedHeaders requires the signature to cover the host, every x-amz-
// header that was sent, and the header that the signing time was read from.
func (c *Claim) checkSignedHeaders() *Error {
	if !c.signs("host") && !c.signs(":authority") {
		return &Error{Kind: UnsignedHeader, Detail: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	if c.dateHeader != "" && !c.signs(c.dateHeader) {
		return unsigned(c.dateHeader)
	}
	for name := range c.request.Header {
		if len(name) > len("x-amz-") && strings.EqualFold(name[:len("x-amz-")], "x-amz-") && !c.signs(name) {
			return unsigned(name)
		}
	}
	return nil
}

func unsigned(header string) *Error {
	return &Error{Kind: UnsignedHeader, Detail: "'" + header + "' must be a 'SignedHeader' in the AWS Authorization."}
}

// signs says whether the header is in the list of signed headers.
func (c *Claim) signs(header string) bool {
	for rest := c.SignedHeaders; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, ";")
		if strings.EqualFold(name, header) {
			return true
		}
	}
	return false
}

func (c *Claim) checkTime(opts Options) *Error {
	if limit := opts.Now.Add(opts.Skew); c.Time.After(limit) {
		return &Error{Kind: NotYetCurrent, Detail: "Signature not yet current: " + c.date + " is still later than " +
			stamp(limit) + " (" + stamp(opts.Now) + " + " + minutes(opts.Skew) + ")"}
	}
	if c.Presigned && opts.HonorExpires {
		if c.Expires == 0 {
			return &Error{Kind: IncompleteSignature, Detail: missingParameter("X-Amz-Expires")}
		}
		if opts.Now.After(c.Time.Add(c.Expires)) {
			return &Error{Kind: PresignExpired}
		}
		return nil
	}
	if limit := opts.Now.Add(-opts.Skew); c.Time.Before(limit) {
		return &Error{Kind: SignatureExpired, Detail: "Signature expired: " + c.date + " is now earlier than " +
			stamp(limit) + " (" + stamp(opts.Now) + " - " + minutes(opts.Skew) + ")"}
	}
	return nil
}

// payloadHash returns the last line of the canonical request.
func (c *Claim) payloadHash(body []byte, opts Options) (string, *Error) {
	if opts.BodyStreams {
		switch {
		case c.declaredHash != "":
			return c.declaredHash, nil
		case c.Presigned:
			return UnsignedPayload, nil
		}
		return "", &Error{Kind: BodyHashMismatch, Detail: "Missing required header for this request: x-amz-content-sha256"}
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if c.declaredHash != "" && c.declaredHash != hash {
		return "", &Error{Kind: BodyHashMismatch}
	}
	return hash, nil
}

func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

// minutes words a skew as AWS does: "15 min."; odd ones as "90 sec.".
func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return itoa(int64(d/time.Minute)) + " min."
	}
	return itoa(int64(d/time.Second)) + " sec."
}
