package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// passed are the header fields of answers that are passed on. What is not
// among them stays with the storage.
var passed = []string{
	"Etag", "Last-Modified", "Content-Type", "Content-Range", "Accept-Ranges", "Cache-Control", "Content-Disposition",
	"Content-Encoding", "Content-Language", "Expires", "X-Amz-Meta-*", "X-Amz-Version-Id", "X-Amz-Delete-Marker",
	"X-Amz-Copy-Source-Version-Id", "X-Amz-Mp-Parts-Count", "X-Amz-Tagging-Count", "X-Amz-Missing-Meta",
	"X-Amz-Checksum-Crc32", "X-Amz-Checksum-Crc32c", "X-Amz-Checksum-Crc64nvme", "X-Amz-Checksum-Sha1", "X-Amz-Checksum-Sha256",
	"X-Amz-Checksum-Type", "X-Amz-Checksum-Algorithm",
}

// piece is how much of an object is copied between two looks at whether the
// request may go on, in bytes.
const piece = 128 << 10

// close closes the content, if there is any.
func (a *Answer) close() {
	if a != nil && a.Body != nil {
		a.Body.Close()
	}
}

// send writes the answer.
func (c *call) send(r *http.Request, a *Answer) {
	defer a.close()
	c.live.lastWord()
	h := c.w.Header()
	for name, values := range a.Header {
		if len(values) == 1 && knows(passed, name) {
			h.Set(name, values[0])
		}
	}
	c.status = http.StatusOK
	switch {
	case a.Status == http.StatusPartialContent:
		c.status = a.Status
	case c.spec.status != 0:
		c.status = c.spec.status
	}
	c.setOwn(h)
	switch {
	case c.spec.name == "GetObject", c.spec.name == "HeadObject":
		c.sendContent(r, a)
	case c.spec.answer != nil && a.Document != nil:
		c.fill(a.Document)
		c.encodeNames(a.Document)
		c.sendDocument(c.spec.element, a.Document, Namespace)
	default:
		if c.status != http.StatusNoContent {
			h.Set("Content-Length", "0")
		}
		c.w.WriteHeader(c.status)
	}
}

// setOwn sets what this side tells, not the storage.
func (c *call) setOwn(h http.Header) {
	switch c.spec.name {
	case "CreateBucket":
		h.Set("Location", "/"+c.bucket)
	case "HeadBucket":
		h.Set("X-Amz-Bucket-Region", c.Region)
		h.Set("X-Amz-Access-Point-Alias", "false")
	case "GetObject", "HeadObject":
		for name, value := range c.op.Query {
			if field, ok := strings.CutPrefix(name, "response-"); ok {
				h.Set(field, value)
			}
		}
		if _, part := c.op.Query["partNumber"]; c.status == http.StatusPartialContent && !part {
			dropChecksums(h) // of the whole: clients would hold the range to it
		}
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", "binary/octet-stream")
		}
	}
}

// dropChecksums takes the checksum of the content away.
func dropChecksums(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, checksumPrefix) {
			h.Del(name)
		}
	}
}

// sendContent writes an object, or for HeadObject only what it is.
func (c *call) sendContent(r *http.Request, a *Answer) {
	h := c.w.Header()
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Length", strconv.FormatInt(a.Size, 10))
	c.w.WriteHeader(c.status)
	if a.Body == nil || r.Method == http.MethodHead {
		return
	}
	lent, _ := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(lent)
	buffer := *lent
	for left := a.Size; left > 0; {
		n, err := a.Body.Read(buffer[:min(left, int64(len(buffer)))])
		if n > 0 {
			if err = c.live.writing(); err == nil {
				_, err = c.w.Write(buffer[:n])
			}
		}
		if err != nil && (n == 0 || !errors.Is(err, io.EOF)) {
			c.cutOff = true
			return
		}
		left -= int64(n)
	}
}

// sendDocument writes a document in one piece.
func (c *call) sendDocument(element string, document any, namespace string) {
	text, err := encode(element, document, namespace)
	if err != nil {
		c.Log.Error("an answer cannot be written", slog.String("request_id", c.id), slog.Any("error", err))
		c.status, text = http.StatusInternalServerError, nil
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	c.w.WriteHeader(c.status)
	_, _ = c.w.Write(text) //nolint:gosec // XML, which the encoder escapes; a client that went away reads no answer
}

// encode writes a document in XML.
func encode(element string, document any, namespace string) ([]byte, error) {
	start := xml.StartElement{Name: xml.Name{Local: element}}
	if namespace != "" {
		start.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}
	}
	var b strings.Builder
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).EncodeElement(document, start); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// encodeNames encodes the keys of a list for URLs when the caller asks for it:
// XML cannot hold every key.
func (c *call) encodeNames(document any) {
	if said := encoding(document); said != nil && c.op.Query["encoding-type"] == "url" {
		*said = "url"
		mapNames(document, func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") })
	}
}

// refuse answers with an error.
func (c *call) refuse(r *http.Request, err *Error) {
	c.live.lastWord()
	c.status = err.Status
	h := c.w.Header()
	if err.Status == http.StatusNotModified || r.Method == http.MethodHead {
		if c.spec != nil && c.spec.level == bucketLevel {
			h.Set("X-Amz-Bucket-Region", c.Region)
		}
		c.w.WriteHeader(c.status)
		return
	}
	doc := errorDocument{Code: err.Code, Message: err.Message, RequestID: c.id, HostID: h.Get("X-Amz-Id-2")}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	doc.Resource = clip(path)
	for _, d := range err.Details {
		doc.Details = append(doc.Details, element{XMLName: xml.Name{Local: d.Name}, Value: d.Value})
	}
	c.sendDocument("Error", doc, "")
}

// errorDocument is S3's error in XML.
type errorDocument struct {
	Code      string    `xml:"Code"`
	Message   string    `xml:"Message"`
	Details   []element `xml:",any"`
	Resource  string    `xml:"Resource,omitempty"`
	RequestID string    `xml:"RequestId"`
	HostID    string    `xml:"HostId"`
}

type element struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

// translate turns any error into S3's. What it does not know is an internal
// error whose text stays in the log.
func (c *call) translate(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*sigv4.Error](err); ok {
		return unauthenticated(e, c.claim.Presigned)
	}
	out := Fail("InternalError")
	switch kind := fault.Of(err); {
	case errors.Is(err, context.Canceled):
		out = Fail("RequestTimeout") // the client went away, and will not hear it
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		out = Fail("QuotaExceeded")
	case kind == fault.Unavailable:
		out = Fail("ServiceUnavailable")
	case kind == fault.Throttled:
		out = Fail("SlowDown")
	case kind == fault.Denied:
		out = Fail("AccessDenied")
	}
	out.cause = err
	return out
}

// ours tells whether the request failed for a reason of Atrium's own, or of the
// storage behind it.
func (e *Error) ours() bool {
	return e.cause != nil && (e.Status >= http.StatusInternalServerError || e.Code == "QuotaExceeded")
}

// finish leaves the request's one event in the log, the metrics and, unless
// record has done so, the audit trail.
func (c *call) finish(r *http.Request, err *Error) {
	c.auditOutcome(err)
	e := gateway.Event{Service: "s3", Operation: "unknown", Status: c.status, Duration: c.Now().Sub(c.began)}
	if c.spec != nil {
		e.Operation = c.spec.name
	}
	attrs := []slog.Attr{
		slog.String("request_id", c.id), slog.String("service", e.Service), slog.String("operation", e.Operation),
		slog.String("source_ip", c.source.String()), slog.String("account", c.caller.AccountID),
		slog.String("access_key", c.caller.AccessKeyID), slog.Duration("duration", e.Duration),
	}
	level := slog.LevelInfo
	if err != nil {
		e.Code, e.Failed = err.Code, err.ours()
		attrs = append(attrs, slog.String("error", err.Code))
		if e.Failed {
			level = slog.LevelError
			attrs = append(attrs, slog.String("cause", err.cause.Error()))
		}
	}
	attrs = append(attrs, slog.Int("status", e.Status))
	c.Log.LogAttrs(r.Context(), level, "request", attrs...)
	if c.Observe != nil {
		c.Observe(e)
	}
}
