package s3

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// The example of the S3 API reference, "Signature Calculations for the
// Authorization Header: Transferring Payload in Multiple Chunks": 66560 times
// the letter a, in chunks of 64 KiB, with and without a trailer.
var (
	plainExample = example{
		seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
		chunks: []string{
			"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
			"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
			"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
		},
	}
	trailerExample = example{
		seed: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
		chunks: []string{
			"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
			"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
			"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
		},
		trailer:   "x-amz-checksum-crc32c:sOO8/Q==",
		signature: "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
	}
)

type example struct {
	seed, trailer, signature string
	chunks                   []string
}

const exampleSize = 66560

func (e example) body() string {
	var b strings.Builder
	for i, size := range []int{65536, 1024, 0} {
		fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n", size, e.chunks[i])
		if size > 0 {
			b.WriteString(strings.Repeat("a", size) + "\r\n")
		}
	}
	if e.trailer != "" {
		b.WriteString(e.trailer + "\r\nx-amz-trailer-signature:" + e.signature + "\r\n")
	}
	return b.String() + "\r\n"
}

func (e example) signed() *sigv4.Signature {
	key := []byte("AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	for _, part := range []string{"20130524", "us-east-1", "s3", "aws4_request"} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	hash := "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	if e.trailer != "" {
		hash += "-TRAILER"
	}
	return &sigv4.Signature{
		Key: [32]byte(key), Seed: e.seed, Time: "20130524T000000Z", PayloadHash: hash,
		Scope: sigv4.Scope{Date: "20130524", Region: "us-east-1", Service: "s3"},
	}
}

// open begins to read the example, with text for a body.
func (e example) open(t testing.TB, text io.Reader) *payload {
	t.Helper()
	r := &http.Request{ContentLength: -1, Header: http.Header{"X-Amz-Decoded-Content-Length": {fmt.Sprint(exampleSize)}}}
	if e.trailer != "" {
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32c")
	}
	p, err := newPayload(r, text, http.Header{}, e.signed(), maxContent)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSignedChunksOfTheReference(t *testing.T) {
	for name, e := range map[string]example{"plain": plainExample, "trailer": trailerExample} {
		t.Run(name, func(t *testing.T) {
			for how, text := range map[string]io.Reader{
				"at once": strings.NewReader(e.body()), "byte by byte": iotest.OneByteReader(strings.NewReader(e.body())),
			} {
				p := e.open(t, text)
				got, err := io.ReadAll(p)
				if err != nil || string(got) != strings.Repeat("a", exampleSize) {
					t.Errorf("%s: %d bytes, %v", how, len(got), err)
				}
				if e.trailer != "" && p.told() != (Checksum{"CRC32C", "sOO8/Q=="}) {
					t.Errorf("%s: the checksum is %v", how, p.told())
				}
			}
		})
	}
}

// TestChangedChunksAreNeverWhole changes, removes and adds a byte anywhere: the
// last byte of the content must not come.
func TestChangedChunksAreNeverWhole(t *testing.T) {
	for name, e := range map[string]example{"plain": plainExample, "trailer": trailerExample} {
		t.Run(name, func(t *testing.T) {
			body := []byte(e.body())
			interesting := func(i int) bool { return i < 120 || i > 65500 && i < 65800 || i > len(body)-700 || i%4099 == 0 }
			for i := range body {
				if !interesting(i) {
					continue
				}
				for how, changed := range map[string][]byte{
					"changed": append(append(bytes.Clone(body[:i]), body[i]^0x20), body[i+1:]...),
					"removed": append(bytes.Clone(body[:i]), body[i+1:]...),
					"added":   append(append(bytes.Clone(body[:i]), 'x'), body[i:]...),
					"cut":     body[:i],
				} {
					if bytes.Equal(trimmed(changed), trimmed(body)) {
						continue // the last line break may be missing
					}
					got, err := io.ReadAll(e.open(t, bytes.NewReader(changed)))
					if err == nil || len(got) >= exampleSize {
						if lenient(body, changed) {
							continue
						}
						t.Fatalf("byte %d %s: %d bytes of content, error %v", i, how, len(got), err)
					}
					if _, told := errors.AsType[*Error](err); !told {
						t.Fatalf("byte %d %s: not one of S3's errors: %v", i, how, err)
					}
				}
			}
		})
	}
}

func trimmed(b []byte) []byte { return bytes.TrimRight(b, "\r\n") }

// lenient tells whether two bodies say the same with other line breaks, or
// with other letters in a chunk's size or a trailer's name.
func lenient(a, b []byte) bool {
	same := func(b []byte) string {
		return strings.ToLower(strings.ReplaceAll(string(b), "\r", ""))
	}
	return same(a) == same(b)
}

func FuzzChunks(f *testing.F) {
	f.Add([]byte(plainExample.body()), true, false)
	f.Add([]byte(trailerExample.body()), true, true)
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"), false, true)
	f.Add([]byte("0\r\n\r\n"), false, false)
	f.Fuzz(func(t *testing.T, body []byte, signed, trailing bool) {
		var signature *sigv4.Signature
		if signed {
			signature = plainExample.signed()
		}
		got, err := io.ReadAll(newChunks(bytes.NewReader(body), signature, trailing))
		if len(got) > len(body) {
			t.Errorf("%d bytes of content in a body of %d", len(got), len(body))
		}
		if err == nil && signed && len(got) > 0 && string(got) != strings.Repeat("a", exampleSize) {
			t.Errorf("content that nobody signed: %s", hex.EncodeToString(got))
		}
	})
}
