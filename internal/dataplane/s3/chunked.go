package s3

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// Bounds of the framing of an aws-chunked body.
const (
	maxChunk      = 1 << 30 // bytes; clients send 64 KiB to some MiB
	maxChunkLine  = 1 << 10
	maxTrailers   = 8
	trailerSignet = "x-amz-trailer-signature"
)

// emptyHash is the SHA-256 of nothing.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// chunks reads an aws-chunked body and checks the signatures of its chunks.
// What it returns of a chunk is not proved until the next read; at io.EOF
// everything is.
type chunks struct {
	r *bufio.Reader
	// signature is that of the request, with its key, when chunks are signed.
	signature *sigv4.Signature
	// trailing: fields follow the last chunk.
	trailing bool

	previous string    // signature of the chunk before, or of the request
	claimed  string    // signature of this chunk
	hash     hash.Hash // of this chunk
	left     int64     // of this chunk
	begun    bool
	trailers map[string]string // by lower-case name, once read
	err      error
}

// newChunks reads chunks from r. signature is nil when they are not signed.
func newChunks(r io.Reader, signature *sigv4.Signature, trailing bool) *chunks {
	c := &chunks{r: bufio.NewReaderSize(r, 64<<10), signature: signature, trailing: trailing, trailers: map[string]string{}}
	if signature != nil {
		c.previous, c.hash = signature.Seed, sha256.New()
	}
	return c
}

// Read is io.Reader's.
func (c *chunks) Read(p []byte) (int, error) {
	for c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	if err != nil {
		c.err = incomplete(err)
	}
	return n, c.err
}

// next ends a chunk and begins the one after it; io.EOF after the last.
func (c *chunks) next() error {
	if c.begun {
		if line, err := c.line(); err != nil || line != "" {
			return either(err, Fail("InvalidChunkSizeError"))
		}
		if err := c.prove(); err != nil {
			return err
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	n, bad := strconv.ParseUint(size, 16, 63)
	if bad != nil || n > maxChunk {
		return Fail("InvalidChunkSizeError")
	}
	if c.signature != nil {
		claimed, ok := strings.CutPrefix(extension, "chunk-signature=")
		if !ok {
			return Fail("SignatureDoesNotMatch")
		}
		c.claimed = claimed
	}
	if c.left = int64(n); n > 0 {
		return nil
	}
	if err := c.prove(); err != nil {
		return err
	}
	return c.end()
}

// prove checks the signature of the chunk that has been read.
func (c *chunks) prove() error {
	if c.signature == nil {
		return nil
	}
	want := c.sign("AWS4-HMAC-SHA256-PAYLOAD", emptyHash+"\n"+hex.EncodeToString(c.hash.Sum(nil)))
	c.hash.Reset()
	return c.compare(want, c.claimed)
}

func (c *chunks) compare(want, claimed string) error {
	if subtle.ConstantTimeCompare([]byte(want), []byte(claimed)) != 1 {
		return Fail("SignatureDoesNotMatch")
	}
	c.previous = want
	return nil
}

// sign signs a chunk, or the trailers, after what was signed before.
func (c *chunks) sign(algorithm, content string) string {
	s := c.signature
	h := hmac.New(sha256.New, s.Key[:])
	h.Write([]byte(strings.Join([]string{
		algorithm, s.Time, s.Scope.Date + "/" + s.Scope.Region + "/" + s.Scope.Service + "/aws4_request", c.previous, content,
	}, "\n")))
	return hex.EncodeToString(h.Sum(nil))
}

// end reads what follows the last chunk. It returns io.EOF when all is well.
func (c *chunks) end() error {
	signed, claimed := "", ""
	for {
		line, err := c.line()
		if line == "" && (err == nil || errors.Is(err, io.ErrUnexpectedEOF)) {
			break // some leave out the empty line
		}
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || !c.trailing || len(c.trailers) >= maxTrailers || claimed != "":
			return Fail("MalformedTrailerError")
		case name == trailerSignet && c.signature != nil:
			claimed = value
			continue
		}
		if _, twice := c.trailers[name]; twice {
			return Fail("MalformedTrailerError")
		}
		c.trailers[name] = value
		signed += name + ":" + value + "\n"
	}
	if c.trailing && c.signature != nil {
		sum := sha256.Sum256([]byte(signed))
		if err := c.compare(c.sign("AWS4-HMAC-SHA256-TRAILER", hex.EncodeToString(sum[:])), claimed); err != nil {
			return err
		}
	}
	if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
		return either(err, Fail("MalformedTrailerError"))
	}
	return io.EOF
}

// line reads a line of the framing, or what there is of it.
func (c *chunks) line() (string, error) {
	line, err := c.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(line) > maxChunkLine {
		return "", Fail("InvalidChunkSizeError")
	}
	if err != nil {
		return string(line), incomplete(err)
	}
	return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
}

// incomplete is the error of a body that ends too early.
func incomplete(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// either returns err, or other when there is none.
func either(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
