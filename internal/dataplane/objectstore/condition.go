package objectstore

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// checkRead holds an object to the conditions of a reader (RFC 9110, section
// 13.2.2). prefix stands before the names of the header fields.
func checkRead(h http.Header, prefix string, o *object) error {
	source := prefix != ""
	modified := o.modified.Truncate(time.Second)
	failed := s3.Fail("PreconditionFailed")
	if match := h.Get(prefix + "If-Match"); match != "" {
		if !matches(match, o.etag) {
			return failed.With("Condition", "If-Match")
		}
	} else if t, ok := stamp(h.Get(prefix + "If-Unmodified-Since")); ok && modified.After(t) {
		return failed.With("Condition", "If-Unmodified-Since")
	}
	unchanged := false
	if match := h.Get(prefix + "If-None-Match"); match != "" {
		unchanged = matches(match, o.etag)
	} else if t, ok := stamp(h.Get(prefix + "If-Modified-Since")); ok {
		unchanged = !modified.After(t)
	}
	switch {
	case unchanged && source:
		return failed.With("Condition", "x-amz-copy-source-If-None-Match")
	case unchanged:
		return s3.Fail("NotModified")
	}
	return nil
}

// checkWrite holds the object that is there to the conditions of a writer.
func checkWrite(h http.Header, o *object) error {
	if match := h.Get("If-Match"); match != "" && !matches(match, o.etag) {
		return s3.Fail("PreconditionFailed").With("Condition", "If-Match")
	}
	if match := h.Get("If-None-Match"); match != "" && matches(match, o.etag) {
		return s3.Fail("PreconditionFailed").With("Condition", "If-None-Match")
	}
	return nil
}

// matches tells whether a list of entity tags has this one.
func matches(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || strings.Trim(tag, `"`) == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}

// span is a stretch of content.
type span struct {
	offset, length int64
	partial        bool
}

// contentRange is the Content-Range of the span in size bytes.
func (s span) contentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", s.offset, s.offset+s.length-1, size)
}

// span returns what of the object is asked for.
func (o *object) span(op *s3.Operation) (span, error) {
	if text := op.Query["partNumber"]; text != "" {
		n, _ := strconv.Atoi(text) // was checked
		return o.part(n)
	}
	return rangeOf(op.Header.Get("Range"), o.size)
}

// part returns where a part lies. What was not uploaded in parts is one.
func (o *object) part(number int) (span, error) {
	if number > max(1, len(o.blobs)) {
		return span{}, s3.Fail("InvalidRange").Saying("The requested partnumber is not satisfiable").
			With("PartNumberRequested", strconv.Itoa(number)).With("ActualPartCount", strconv.Itoa(len(o.blobs)))
	}
	at := span{partial: o.size > 0}
	for i, b := range o.blobs {
		if i == number-1 {
			at.length = b.Size
			break
		}
		at.offset += b.Size
	}
	return at, nil
}

// rangeOf reads a Range header. One that S3 does not understand, or that asks
// for several stretches, is passed over.
func rangeOf(header string, size int64) (span, error) {
	all := span{length: size}
	text, ok := strings.CutPrefix(header, "bytes=")
	first, last, dashed := strings.Cut(strings.TrimSpace(text), "-")
	if !ok || !dashed {
		return all, nil
	}
	a, okA := number(first)
	b, okB := number(last)
	switch {
	case first == "" && okB: // the last b bytes
		a = max(0, size-b)
		if b > 0 && size > 0 {
			return span{offset: a, length: size - a, partial: true}, nil
		}
		a = size
	case !okA || last != "" && (!okB || b < a):
		return all, nil
	case last == "":
		b = size - 1
	}
	if a >= size {
		return span{}, s3.Fail("InvalidRange").With("RangeRequested", header).With("ActualObjectSize", strconv.FormatInt(size, 10))
	}
	return span{offset: a, length: min(b, size-1) - a + 1, partial: true}, nil
}

func number(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil
}

// exactRange reads "bytes=first-last", which must lie within size bytes.
func exactRange(text string, size int64) (span, bool) {
	bounds, ok := strings.CutPrefix(text, "bytes=")
	first, last, dashed := strings.Cut(bounds, "-")
	a, okA := number(first)
	b, okB := number(last)
	if !ok || !dashed || !okA || !okB || b < a || b >= size {
		return span{}, false
	}
	return span{offset: a, length: b - a + 1}, true
}
