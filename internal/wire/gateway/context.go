package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/policy"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// Context is what an operation runs with. T is the transaction interface that
// the operation's package asks for.
type Context[T any] struct {
	context.Context
	Tx      T
	Caller  iam.Principal
	Request Request
	IDs     ident.Source
	Op      *schema.Operation

	tokens  TokenSealer
	call    *call
	outside *outside
	tx      Tx // Tx again, as the gateway sees it
}

// Policies returns what decides about the caller, and the condition keys of
// the request, for an operation that decides by itself who may call it.
func (c *Context[T]) Policies() (policy.Set, *policy.Values, error) {
	rl, err := c.call.passAccountGate(c.tx)
	if err != nil {
		return policy.Set{}, nil, err
	}
	set, values, _, err := c.call.policies(c.tx, rl)
	return set, values, err
}

// Identify tells who the caller is, for an operation whose requests are not
// signed and which learns it from a token or a code. The audit record and the
// log then name that principal.
func (c *Context[T]) Identify(p iam.Principal) {
	c.Caller = p
	if c.call != nil {
		c.call.identified = &p
	}
}

// refusal is an error whose transaction commits.
type refusal struct{ answer error }

// Error returns the answer's text.
func (r *refusal) Error() string { return r.answer.Error() }

// Unwrap returns the answer.
func (r *refusal) Unwrap() error { return r.answer }

// Refuse makes err the answer of an operation that nevertheless has changed
// something which must last: what it wrote is committed, and then err is
// answered. When the caller is identified, the refusal's audit record commits
// with it. An operation that is not asked to keep anything returns err itself.
func Refuse(err error) error { return &refusal{answer: err} }

// Request holds the facts of one request that operations and audit need.
type Request struct {
	ID        string
	Time      time.Time // UTC, whole milliseconds
	SourceIP  string
	UserAgent string
	Referer   string
	Region    string // of the credential scope
	Secure    bool   // arrived over TLS
}

// TokenSealer keeps paging tokens opaque and tamper-proof.
type TokenSealer interface {
	Seal(plaintext, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
}

// Page is one page to read: at most Limit items after the key After ("" is
// the beginning).
type Page struct {
	After string
	Limit int
}

// Page opens a paging token. size is the page size when the caller names
// none; filters are the inputs that the listing depends on: a token is good
// only for the account, operation and filters it was made for. Any other
// token is a fault.Invalid.
func (c *Context[T]) Page(token *string, limit *int32, size int, filters ...string) (Page, error) {
	p := Page{Limit: size}
	if limit != nil {
		p.Limit = int(*limit)
	}
	if token == nil || *token == "" {
		return p, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(*token)
	if err == nil {
		var after []byte
		if after, err = c.tokens.Open(sealed, c.tokenBinding(filters)); err == nil {
			p.After = string(after)
			return p, nil
		}
	}
	return Page{}, fault.New(fault.Invalid, "next_token",
		"The pagination token is not valid for this request. Start again without a token.").WithReason("INVALID_NEXT_TOKEN")
}

// NextToken seals after, the key of the last item listed, for the caller's
// next request. It is nil when after is "": there is no next page.
func (c *Context[T]) NextToken(after string, filters ...string) *string {
	if after == "" {
		return nil
	}
	sealed, err := c.tokens.Seal([]byte(after), c.tokenBinding(filters))
	if err != nil {
		c.call.unsealed = err // no token would say that the list ends here
		return nil
	}
	return new(base64.RawURLEncoding.EncodeToString(sealed))
}

// tokenBinding is what a paging token is sealed to.
func (c *Context[T]) tokenBinding(filters []string) []byte {
	h := sha256.New()
	for _, part := range append([]string{c.Caller.AccountID, c.call.operationKey()}, filters...) {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}
