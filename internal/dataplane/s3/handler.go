package s3

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

const (
	// signingKeys is how many derived signing keys are remembered.
	signingKeys = 10_000
	// skew is how far the clocks of caller and server may differ.
	skew = 15 * time.Minute
)

// Options is what a Handler is made of.
type Options struct {
	// Connector does what is allowed; nil when there is no storage: everything
	// is refused then.
	Connector Connector
	// Keys finds the secret and the principal of an access key. It is asked
	// again and again while content streams, so that credentials that end stop
	// what they began.
	Keys gateway.KeyDatabase
	// DB holds what decides about callers.
	DB       gateway.Database[Tx]
	Policies *iam.Compiler
	// Audit takes the records of everything but changes of buckets.
	Audit gateway.AuditSink
	// Observe is told of every request once it is answered. May be nil.
	Observe func(gateway.Event)
	IDs     ident.Source
	Now     func() time.Time
	Log     *slog.Logger
	// Region is where all buckets are.
	Region string
	// Idle is how long a connection may be silent while content streams; 0 is a
	// minute.
	Idle time.Duration
	// URL is that of the data host, where stored content is served and nothing
	// else. Requests that are signed in the query are served there only.
	URL *url.URL
	// ClientIP tells the address a request came from, Secure whether it came
	// over TLS.
	ClientIP func(*http.Request) netip.Addr
	Secure   func(*http.Request) bool
}

// Tx is what a request needs of a store transaction.
type Tx interface {
	iam.PolicyReader
	audit.Tx
	OrganizationOfAccount(accountID string) (organization.Organization, bool, error)
}

// Handler serves S3's REST API.
type Handler struct {
	Options
	hosts    []string
	table    []operation
	verifier *sigv4.Verifier
	keys     *iam.GlobalKeys
	own      *serviceKeys
	buffers  sync.Pool // of *[]byte, piece long
}

// New returns a Handler.
func New(o Options) *Handler {
	if o.Idle == 0 {
		o.Idle = usualIdle
	}
	return &Handler{
		Options: o, hosts: dataHosts(o.URL, o.Region), table: operations(), verifier: sigv4.NewVerifier(signingKeys),
		keys: iam.NewGlobalKeys(), own: newServiceKeys(), buffers: sync.Pool{New: func() any { return new(make([]byte, piece)) }},
	}
}

// Signed tells whether a request is signed for S3, in its headers or in its
// query. The scope decides, whatever path the request has.
func Signed(r *http.Request) bool {
	if a := r.Header.Get("Authorization"); a != "" {
		return strings.HasPrefix(a, "AWS4-") && strings.Contains(a, "/s3/aws4_request")
	}
	return strings.Contains(r.URL.RawQuery, "X-Amz-Credential") && strings.HasSuffix(r.URL.Query().Get("X-Amz-Credential"), "/s3/aws4_request")
}

// ServeHTTP answers a request of S3's API.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{
		Handler: h, w: w, id: strings.ToUpper(h.IDs.Hex(16)), began: h.Now().UTC().Truncate(time.Millisecond),
		source: h.ClientIP(r), agent: clip(r.UserAgent()), passed: map[string]string{},
	}
	header := w.Header()
	header.Set("X-Amz-Request-Id", c.id)
	header.Set("X-Amz-Id-2", c.hostID())
	// What people stored must not run as a page of this host, nor be taken for
	// something that it does not say it is.
	header.Set("Content-Security-Policy", "sandbox; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	// An address may hold a signature, which others must not learn.
	header.Set("Referrer-Policy", "no-referrer")
	ctx, stop := context.WithCancelCause(r.Context())
	defer stop(nil)
	c.live = newLive(w, h.Now, h.Idle, stop)
	defer c.live.close()
	if r.ContentLength == 0 {
		c.live.received()
	}
	answer, err := c.run(ctx, r)
	if err == nil {
		if err = c.record(); err != nil {
			answer.close()
		}
	}
	if err != nil {
		c.refuse(r, err)
	} else {
		c.send(r, answer)
	}
	c.finish(r, err)
	if c.cutOff {
		// The client must not take what it has for the whole.
		panic(http.ErrAbortHandler)
	}
}

// call is one request on its way.
type call struct {
	*Handler
	w      http.ResponseWriter
	id     string
	began  time.Time
	source netip.Addr
	agent  string
	live   *live

	claim       *sigv4.Claim
	signature   sigv4.Signature
	caller      iam.Principal
	org         string // organization of the caller's account
	bucket, key string
	query       map[string]string
	hoisted     http.Header
	passed      map[string]string // header fields that change nothing
	spec        *operation
	op          *Operation
	payload     *payload
	permit      *permit
	refused     []DeleteError // of DeleteObjects: what the caller may not delete

	status int
	cutOff bool // the answer ended in the middle
}

// hostID is x-amz-id-2: opaque, as long as S3's.
func (c *call) hostID() string { return base64.StdEncoding.EncodeToString(c.IDs.Bytes(48)) }

// run takes the request through every step up to the storage.
func (c *call) run(ctx context.Context, r *http.Request) (*Answer, *Error) {
	if err := c.authenticate(ctx, r); err != nil {
		return nil, err
	}
	if err := c.recognise(r); err != nil {
		return nil, err
	}
	if err := c.decode(r); err != nil {
		return nil, err
	}
	if err := c.readDocument(r); err != nil {
		return nil, err
	}
	if err := c.authorize(ctx, r); err != nil {
		return nil, err
	}
	if err := c.attachBody(r); err != nil {
		return nil, err
	}
	return c.do(ctx)
}

// authenticate establishes the caller.
func (c *call) authenticate(ctx context.Context, r *http.Request) *Error {
	claim, refusal := sigv4.Parse(r)
	if refusal != nil {
		if a := r.Header.Get("Authorization"); a != "" && !strings.HasPrefix(a, "AWS4-") {
			refusal = &sigv4.Error{Kind: sigv4.UnsupportedAlgorithm} // such as version 2
		}
		return unauthenticated(refusal, false)
	}
	c.claim = claim
	if claim.Presigned {
		if err := c.admitPresigned(r); err != nil {
			return err
		}
	}
	if claim.Scope.Region != c.Region {
		return Fail("AuthorizationHeaderMalformed").
			Saying("The authorization header is malformed; the region '"+clip(claim.Scope.Region)+"' is wrong; expecting '"+c.Region+"'").
			With("Region", c.Region)
	}
	opts := sigv4.Options{Now: c.began, Skew: skew, Region: c.Region, Service: "s3", HonorExpires: true, BodyStreams: true}
	if refusal := claim.Check(opts); refusal != nil {
		return unauthenticated(refusal, claim.Presigned)
	}
	credential, err := c.Keys.FindKey(ctx, claim.AccessKeyID, claim.SessionToken)
	if err != nil {
		return c.translate(err)
	}
	if c.signature, refusal = c.verifier.Verify(claim, credential.Secret, nil, opts); refusal != nil {
		return unauthenticated(refusal, claim.Presigned)
	}
	c.caller = credential.Principal
	c.live.watch(ctx, func(ctx context.Context) error {
		_, err := c.Keys.FindKey(ctx, claim.AccessKeyID, claim.SessionToken)
		return err
	})
	return nil
}

// admitPresigned lets requests that are signed in the query pass only where
// nothing else is served: anybody can be made to open their address.
func (c *call) admitPresigned(r *http.Request) *Error {
	if !c.Serves(r.Host) {
		return Fail("AccessDenied").Saying("Requests that are signed in the query are served on the data host only.")
	}
	return nil
}

// recognise finds what the request asks for.
func (c *call) recognise(r *http.Request) (err *Error) {
	if c.bucket, c.key, err = c.address(r); err != nil {
		return err
	}
	if c.query, c.hoisted, err = readQuery(r, c.claim.Presigned); err != nil {
		return err
	}
	c.spec, err = c.resolve(r, c.bucket, c.key, c.query)
	return err
}

// do has the connector do what is allowed.
func (c *call) do(ctx context.Context) (*Answer, *Error) {
	if c.Connector == nil {
		return nil, Fail("NotImplemented").Saying("This installation has no storage behind it: its configuration names no S3.")
	}
	if drop, ok := c.op.Document.(*Delete); ok && len(drop.Objects) == 0 && len(c.refused) > 0 {
		return &Answer{Document: &DeleteResult{Errors: c.refused}}, nil
	}
	if err := c.checkLocation(); err != nil {
		return nil, err
	}
	answer, err := c.Connector.Do(ctx, c.caller.AccountID, c.op)
	if err != nil {
		answer.close()
		failure := c.why(err)
		if failure.Code == "BucketAlreadyOwnedByYou" && c.Region == "us-east-1" {
			// There, and only there, S3 has always said yes.
			return new(Answer), nil
		}
		return nil, c.hide(failure)
	}
	if c.payload != nil && !c.payload.whole() {
		answer.close()
		return nil, c.why(errUnread)
	}
	if result, ok := answer.Document.(*DeleteResult); ok {
		result.Errors = append(result.Errors, c.refused...)
	}
	return answer, nil
}

// errUnread is the failure of a connector that stores content without having
// read it to its end.
var errUnread = errors.New("the storage did not read the content to its end")

// checkLocation holds a new bucket to the one region that there is.
func (c *call) checkLocation() *Error {
	d, ok := c.op.Document.(*CreateBucketConfiguration)
	if !ok || d.LocationConstraint == "" || d.LocationConstraint == c.Region {
		return nil
	}
	return Fail("IllegalLocationConstraintException").
		Saying("The " + clip(d.LocationConstraint) + " location constraint is incompatible for the region specific endpoint this request was sent to.")
}

// why tells what made the connector fail: credentials that have ended, a body
// that is not what was signed, or the storage.
func (c *call) why(err error) *Error {
	if ended := c.live.ended(); ended != nil {
		return c.translate(ended)
	}
	if c.payload != nil {
		if failure := c.payload.failure(); failure != nil {
			return failure
		}
	}
	return c.translate(err)
}
