// Package endpoint is an s3.Connector to an S3 server elsewhere: AWS's own, or
// any that speaks S3's REST API. Each account has credentials of its own
// there, which are not an administrator's; the server keeps the accounts'
// buckets apart.
//
// Every request is built anew from the operation's fields, signed with the
// account's credentials, and sent to one of S3's own addresses: nothing of what
// a caller sent passes through, and no other address of the server can be
// reached.
package endpoint

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/outbound"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// maxDocument is the largest document that is read from the server, in bytes:
// a list of a thousand long keys has less.
const maxDocument = 16 << 20

// Credentials are an access key at the server.
type Credentials struct{ AccessKeyID, SecretAccessKey string }

// Options is what a Connector is made of.
type Options struct {
	// URL is the server's: a scheme and a host.
	URL *url.URL
	// Region is what the server wants requests to be signed for.
	Region string
	// Accounts holds the credentials of accounts. An account that is not among
	// them has no storage.
	Accounts map[string]Credentials
	// Transport carries the requests.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Connector does operations at a server. It is an s3.Connector.
type Connector struct{ Options }

var _ s3.Connector = (*Connector)(nil)

// NewTransport returns a transport for a Connector, to a server that the
// operator has named. It uses no proxy, and gives up on a server that does not
// begin to answer within ten minutes: completing a large upload takes long.
func NewTransport() http.RoundTripper {
	t := outbound.Configured.Transport(nil)
	t.ResponseHeaderTimeout = 10 * time.Minute
	t.MaxIdleConnsPerHost = 64
	t.DisableCompression = true // objects pass as they are
	return t
}

// New returns a Connector.
func New(o Options) *Connector { return &Connector{o} }

// Do is s3.Connector's.
func (c *Connector) Do(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	credentials, ok := c.Accounts[account]
	if !ok {
		return nil, s3.Fail("AccessDenied").Saying("The account " + account + " has no storage here: the configuration names no credentials for it.")
	}
	if err := check(op); err != nil {
		return nil, err
	}
	r, hash, err := c.request(ctx, op)
	if err != nil {
		return nil, err
	}
	if sent, ok := r.Body.(*content); ok {
		// A transport may go on to read when it has answered.
		defer sent.end()
	}
	r.Header.Set("X-Amz-Content-Sha256", hash)
	if err := sigv4.SignHash(r, hash, credentials.AccessKeyID, credentials.SecretAccessKey, c.Region, "s3", c.Now()); err != nil {
		return nil, err
	}
	response, err := c.Transport.RoundTrip(r) // which follows no redirection
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("the S3 server: %w", err)
	}
	return c.answer(op, response)
}

// check refuses what a server may take for something else than S3 does. Many
// clean the path of a request, as if keys were names of files: then the object
// that is read would not be the one that the caller was allowed to read. And
// some serve their administration under names that could be buckets.
func check(op *s3.Operation) error {
	keys, buckets := []string{op.Key}, []string{op.Bucket}
	if op.Source != nil {
		keys, buckets = append(keys, op.Source.Key), append(buckets, op.Source.Bucket)
	}
	if d, ok := op.Document.(*s3.Delete); ok {
		for _, o := range d.Objects {
			if keys = append(keys, o.Key); o.ETag != "" {
				// A server that does not know it would delete all the same.
				return s3.Fail("NotImplemented").With("Element", "ETag")
			}
		}
	}
	for _, key := range keys {
		if !plain(key) {
			return s3.Fail("InvalidURI").Saying("This storage has no keys with empty parts, or with parts that are \".\" or \"..\".")
		}
	}
	for _, bucket := range buckets {
		if slices.Contains(reserved(), bucket) {
			return s3.Fail("InvalidBucketName").With("BucketName", bucket)
		}
	}
	return nil
}

// plain tells whether a key means the same as a path.
func plain(key string) bool {
	if key == "" {
		return true
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(key, "/"), "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// reserved are names under which S3 servers have something else than buckets:
// MinIO's administration, metrics and health, Ceph's administration, Swift and
// authentication.
func reserved() []string { return []string{"minio", "admin", "swift", "auth"} }

// request builds the request, and returns what its body is signed as.
func (c *Connector) request(ctx context.Context, op *s3.Operation) (*http.Request, string, error) {
	body, size, hash, err := c.body(op)
	if err != nil {
		return nil, "", err
	}
	target := *c.URL
	target.Path = "/"
	if op.Bucket != "" {
		target.Path += op.Bucket
	}
	if op.Key != "" {
		target.Path += "/" + op.Key
	}
	target.RawPath = encodePath(target.Path)
	target.RawQuery = encodeQuery(op)
	r, err := http.NewRequestWithContext(ctx, op.Method(), target.String(), body)
	if err != nil {
		return nil, "", err
	}
	r.URL = &target
	r.ContentLength = size
	r.Header.Set("User-Agent", "atrium")
	if text, ok := body.(*bytes.Reader); ok {
		r.Header.Set("Content-Md5", sumMD5(text)) // which S3 wants with some documents
	}
	for name := range op.Header {
		if !strings.HasPrefix(name, "X-Amz-Sdk-") { // announces a checksum in some form or other
			r.Header.Set(name, op.Header.Get(name))
		}
	}
	if s := op.Source; s != nil {
		source := encodePath(s.Bucket + "/" + s.Key)
		if s.VersionID != "" {
			source += "?versionId=" + url.QueryEscape(s.VersionID)
		}
		r.Header.Set("X-Amz-Copy-Source", source)
	}
	return r, hash, nil
}

// body returns the body, its length, and what it is signed as.
func (c *Connector) body(op *s3.Operation) (io.Reader, int64, string, error) {
	if op.Streams() {
		hash := op.PayloadHash
		if hash == "" {
			hash = sigv4.UnsignedPayload
		}
		if op.Size == 0 {
			return http.NoBody, 0, emptyHash(), nil
		}
		return &content{r: op.Body}, op.Size, hash, nil
	}
	var text []byte
	switch document := op.Document.(type) {
	case nil:
	case *s3.CreateBucketConfiguration:
	default:
		var err error
		if text, err = marshal(document); err != nil {
			return nil, 0, "", err
		}
	}
	if op.Name == "CreateBucket" && c.Region != "us-east-1" {
		var err error
		if text, err = marshal(&s3.CreateBucketConfiguration{LocationConstraint: c.Region}); err != nil {
			return nil, 0, "", err
		}
	}
	if text == nil {
		return http.NoBody, 0, emptyHash(), nil
	}
	sum := sha256.Sum256(text)
	return bytes.NewReader(text), int64(len(text)), hex.EncodeToString(sum[:]), nil
}

// content is the content of an operation while it is sent. Nobody reads of it
// after end.
type content struct {
	mu    sync.Mutex
	r     io.Reader
	ended bool
}

// Read is io.Reader's.
func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return 0, errors.New("the request has ended")
	}
	return c.r.Read(p)
}

// Close is io.Closer's.
func (c *content) Close() error {
	c.end()
	return nil
}

// end waits until a Read has returned, and lets no other begin.
func (c *content) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// sumMD5 returns the Content-MD5 of a document.
func sumMD5(text *bytes.Reader) string {
	sum := md5.New()          //nolint:gosec // Content-MD5
	_, _ = io.Copy(sum, text) // from memory
	_, _ = text.Seek(0, io.SeekStart)
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

func emptyHash() string {
	sum := sha256.Sum256(nil)
	return hex.EncodeToString(sum[:])
}

// marshal writes a document of a request.
func marshal(document any) ([]byte, error) {
	text, err := xml.Marshal(document)
	return append([]byte(xml.Header), text...), err
}

// encodePath encodes a path by the signature's rules: every byte but the
// unreserved ones and the slash.
func encodePath(path string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		switch ch := path[i]; {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9', strings.IndexByte("-._~/", ch) >= 0:
			b.WriteByte(ch)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[ch>>4])
			b.WriteByte(digits[ch&15])
		}
	}
	return b.String()
}

// encodeQuery encodes the parameters. Those that ask for header fields of the
// answer are not the server's business.
func encodeQuery(op *s3.Operation) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(op.Query)) {
		if strings.HasPrefix(name, "response-") || name == "encoding-type" || name == "bucket-region" {
			continue
		}
		parts = append(parts, encode(name)+"="+encode(op.Query[name]))
	}
	if lists(op) {
		// XML cannot hold every key.
		parts = append(parts, "encoding-type=url")
	}
	return strings.Join(parts, "&")
}

func encode(s string) string { return strings.ReplaceAll(encodePath(s), "/", "%2F") }

// lists tells whether the operation's answer can have keys encoded for URLs.
func lists(op *s3.Operation) bool {
	switch op.Name {
	case "ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads":
		return true
	default:
		return false
	}
}

// answer reads the server's answer.
func (c *Connector) answer(op *s3.Operation, r *http.Response) (*s3.Answer, error) {
	if r.StatusCode >= http.StatusMultipleChoices {
		defer r.Body.Close()
		return nil, failure(op, r)
	}
	a := &s3.Answer{Header: r.Header, Size: max(0, r.ContentLength)}
	if r.StatusCode == http.StatusPartialContent {
		a.Status = r.StatusCode
	}
	switch op.Name {
	case "GetObject":
		if r.ContentLength < 0 {
			r.Body.Close()
			return nil, errors.New("the S3 server does not tell the length of an object")
		}
		a.Body = r.Body
		return a, nil
	case "HeadObject":
		r.Body.Close()
		return a, nil
	}
	defer r.Body.Close()
	document, element := op.NewDocument()
	if document == nil {
		return a, nil
	}
	a.Document = document
	return a, decode(op, r.Body, document, element)
}

// decode reads a document. One may hold an error although its status is 200:
// S3 answers so when it has begun to answer before it was done.
func decode(op *s3.Operation, body io.Reader, document any, element string) error {
	d := xml.NewDecoder(io.LimitReader(body, maxDocument))
	for {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("the S3 server's answer to %s: %w", op.Name, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "Error":
			var told told
			if err := d.DecodeElement(&told, &start); err != nil {
				return err
			}
			return told.failure(op, http.StatusOK)
		case element, alias(op.Name):
		default:
			return fmt.Errorf("the S3 server answers %s with a %s", op.Name, start.Name.Local)
		}
		if err := d.DecodeElement(document, &start); err != nil {
			return fmt.Errorf("the S3 server's answer to %s: %w", op.Name, err)
		}
		if lists(op) {
			s3.DecodeNames(document, func(s string) string {
				if plain, err := url.QueryUnescape(s); err == nil {
					return plain
				}
				return s
			})
		}
		return nil
	}
}

// alias is another name that servers give the answer's element.
func alias(operation string) string {
	switch operation {
	case "ListObjectVersions":
		return "ListVersionsResult"
	case "UploadPartCopy":
		return "CopyObjectResult"
	default:
		return ""
	}
}

// told is an error document.
type told struct {
	Code    string `xml:"Code"`
	Message string `xml:"Message"`
}

// failure reads an error.
func failure(op *s3.Operation, r *http.Response) error {
	var t told
	// An answer without a document has its status only.
	_ = xml.NewDecoder(io.LimitReader(r.Body, maxDocument)).Decode(&t)
	return t.failure(op, r.StatusCode)
}

// failure is the error that the caller hears. What the server says about the
// credentials is ours to mend, not the caller's.
func (t told) failure(op *s3.Operation, status int) error {
	if t.Code == "" {
		t.Code = byStatus(op, status)
	}
	switch t.Code {
	case "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "RequestTimeTooSkewed",
		"AuthorizationHeaderMalformed", "XAmzContentSHA256Mismatch", "InternalError", "":
		return fmt.Errorf("the S3 server refuses %s: %s (HTTP status %d)", op.Name, t.Code, status)
	case "AccessDenied":
		return s3.Fail("AccessDenied").Saying("The storage behind this account denies " + op.Name + ".")
	}
	switch {
	case s3.Known(t.Code):
		return s3.Fail(t.Code)
	case status >= http.StatusBadRequest && status < http.StatusInternalServerError && isCode(t.Code):
		return &s3.Error{Code: t.Code, Status: status, Message: "The storage behind this account refuses " + op.Name + "."}
	default:
		return fmt.Errorf("the S3 server refuses %s: %q (HTTP status %d)", op.Name, t.Code, status)
	}
}

// isCode tells whether text has the form of an error's code.
func isCode(text string) bool {
	return len(text) < 64 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// byStatus is the code of an error that came without one, as those of HEAD.
func byStatus(op *s3.Operation, status int) string {
	switch {
	case status == http.StatusNotModified:
		return "NotModified"
	case status == http.StatusPreconditionFailed:
		return "PreconditionFailed"
	case status == http.StatusForbidden:
		return "AccessDenied"
	case status == http.StatusRequestedRangeNotSatisfiable:
		return "InvalidRange"
	case status == http.StatusNotFound && op.Key == "":
		return "NoSuchBucket"
	case status == http.StatusNotFound:
		return "NoSuchKey"
	case status == http.StatusServiceUnavailable:
		return "ServiceUnavailable"
	default:
		return ""
	}
}
