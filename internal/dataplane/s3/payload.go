package s3

import (
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// The largest bodies, in bytes.
const (
	maxContent  = 5 << 30 // of one object or part
	maxDocument = 4 << 20 // a DeleteObjects of 1000 long keys has less
)

// payload reads a body and holds it to its length and to everything that the
// request says of it. The last byte comes only when all of it holds.
type payload struct {
	src       io.Reader
	chunks    *chunks // src, when the body is aws-chunked
	size      int64
	read      int64
	sums      []*sum
	checksum  *sum // one of sums
	algorithm string
	trailer   string // where the checksum is told, lower case; "" for the header
	err       error
}

// newPayload reads the request's body from raw. h are the header fields of the
// operation, signature is the request's.
func newPayload(r *http.Request, raw io.Reader, h http.Header, signature *sigv4.Signature, limit int64) (*payload, *Error) {
	p := &payload{src: raw, size: r.ContentLength}
	chunked, signed, trailing := streaming(signature.PayloadHash)
	trailer := r.Header.Get("X-Amz-Trailer")
	switch {
	case chunked:
		n, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || n < 0 {
			return nil, Fail("MissingContentLength").Saying("You must provide the X-Amz-Decoded-Content-Length HTTP header.")
		}
		if !signed {
			signature = nil
		}
		p.size, p.chunks = n, newChunks(raw, signature, trailing)
		p.src, p.trailer = p.chunks, strings.ToLower(trailer)
	case signature.PayloadHash == sigv4.UnsignedPayload:
	case isSHA256(signature.PayloadHash):
		p.sums = append(p.sums, sha256Sum(signature.PayloadHash))
	default:
		return nil, Fail("InvalidArgument").Saying("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.").
			With("ArgumentName", "x-amz-content-sha256")
	}
	if trailer != "" && !trailing {
		return nil, Fail("InvalidRequest").Saying("The x-amz-trailer header is for bodies that have trailers.")
	}
	switch {
	case p.size < 0:
		return nil, Fail("MissingContentLength")
	case p.size > limit:
		return nil, Fail("EntityTooLarge").With("ProposedSize", strconv.FormatInt(p.size, 10)).With("MaxSizeAllowed", strconv.FormatInt(limit, 10))
	}
	return p, p.expect(h, trailer)
}

// expect adds what header fields hold the body to.
func (p *payload) expect(h http.Header, trailer string) (err *Error) {
	if want := h.Get("Content-Md5"); want != "" {
		s, err := md5Sum(want)
		if err != nil {
			return err
		}
		p.sums = append(p.sums, s)
	}
	if p.checksum, p.algorithm, err = checksumOf(h, trailer); p.checksum != nil {
		p.sums = append(p.sums, p.checksum)
	}
	return err
}

// streaming tells what a payload hash announces: whether the body is
// aws-chunked, its chunks are signed, and trailers follow.
func streaming(hash string) (chunked, signed, trailing bool) {
	switch hash {
	case sigv4.StreamingPrefix + "AWS4-HMAC-SHA256-PAYLOAD":
		return true, true, false
	case sigv4.StreamingPrefix + "AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
		return true, true, true
	case sigv4.StreamingPrefix + "UNSIGNED-PAYLOAD-TRAILER":
		return true, false, true
	default:
		return false, false, false
	}
}

func isSHA256(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == 32 && strings.ToLower(s) == s
}

// Read is io.Reader's.
func (p *payload) Read(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	if len(b) == 0 {
		return 0, nil
	}
	n := 0
	if left := p.size - p.read; left > 0 {
		n, p.err = p.src.Read(b[:min(int64(len(b)), left)])
		p.read += int64(n)
		for _, s := range p.sums {
			s.hash.Write(b[:n])
		}
	}
	switch {
	case p.read == p.size && (p.err == nil || errors.Is(p.err, io.EOF)):
		if p.err = p.finish(); !errors.Is(p.err, io.EOF) {
			return 0, p.err // and keep the last bytes
		}
	case p.err != nil:
		p.err = tell(p.err)
	}
	return n, p.err
}

// finish reads what follows the content and checks everything. It returns
// io.EOF when all is well.
func (p *payload) finish() error {
	var one [1]byte
	for n, err := 0, error(nil); !errors.Is(err, io.EOF); {
		if n, err = p.src.Read(one[:]); n > 0 {
			return Fail("IncompleteBody").Saying("The request body is longer than the length that the request tells.")
		} else if err != nil && !errors.Is(err, io.EOF) {
			return tell(err)
		}
	}
	if p.trailer != "" {
		want, given := p.chunks.trailers[p.trailer]
		if !given || len(p.chunks.trailers) > 1 {
			return Fail("MalformedTrailerError")
		}
		p.checksum.want = want
	}
	for _, s := range p.sums {
		if s.value() != s.want {
			return Fail(s.code)
		}
	}
	return io.EOF
}

// told returns the checksum that the body was sent with.
func (p *payload) told() Checksum {
	if p.checksum == nil {
		return Checksum{}
	}
	return Checksum{Algorithm: p.algorithm, Value: p.checksum.value()}
}

// whole tells whether the body was read to its end, and everything holds.
func (p *payload) whole() bool { return errors.Is(p.err, io.EOF) }

// failure returns what is wrong with the body, nil for nothing.
func (p *payload) failure() *Error {
	e, _ := errors.AsType[*Error](p.err)
	return e
}

// tell turns an error of reading a body into S3's.
func tell(err error) error {
	if _, known := errors.AsType[*Error](err); known {
		return err
	}
	out := Fail("IncompleteBody")
	if errors.Is(err, os.ErrDeadlineExceeded) {
		out = Fail("RequestTimeout")
	}
	out.cause = err
	return out
}
