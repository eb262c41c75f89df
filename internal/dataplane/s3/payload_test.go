package s3_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func crc(text string) string {
	h := crc32.NewIEEE()
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func contentMD5(text string) string {
	sum := md5.Sum([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestBodiesAreHeldToWhatWasSigned sends bodies that are not what the request
// says. Nothing may be stored of them.
func TestBodiesAreHeldToWhatWasSigned(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		who := d.admit(account, everything)
		c, ctx := d.client(who), t.Context()
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("bodies")}))(t)
		const unsigned, trailing = "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
		framed := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc("hello") + "\r\n\r\n"
		streams := []string{"X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", "5", "Content-Encoding", "aws-chunked"}
		for name, test := range map[string]struct {
			body, hash string
			headers    []string
			want       string // code; "" when it is stored
		}{
			"the hash":             {"hello", sha("hello"), nil, ""},
			"another hash":         {"hello", sha("jello"), nil, "XAmzContentSHA256Mismatch"},
			"an empty hash":        {"hello", sha(""), nil, "XAmzContentSHA256Mismatch"},
			"upper case":           {"hello", strings.ToUpper(sha("hello")), nil, "InvalidArgument"},
			"no hash":              {"hello", "hello", nil, "InvalidArgument"},
			"unsigned":             {"hello", unsigned, nil, ""},
			"empty":                {"", sha(""), nil, ""},
			"empty, another hash":  {"", sha("x"), nil, "XAmzContentSHA256Mismatch"},
			"MD5":                  {"hello", unsigned, []string{"Content-MD5", contentMD5("hello")}, ""},
			"another MD5":          {"hello", unsigned, []string{"Content-MD5", contentMD5("jello")}, "BadDigest"},
			"no MD5":               {"hello", unsigned, []string{"Content-MD5", "hello"}, "InvalidDigest"},
			"checksum":             {"hello", unsigned, []string{"X-Amz-Checksum-Crc32", crc("hello")}, ""},
			"another checksum":     {"hello", unsigned, []string{"X-Amz-Checksum-Crc32", crc("jello")}, "BadDigest"},
			"no checksum":          {"hello", unsigned, []string{"X-Amz-Checksum-Crc32", "hello"}, "InvalidRequest"},
			"two checksums":        {"hello", unsigned, []string{"X-Amz-Checksum-Crc32", crc("hello"), "X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(make([]byte, 32))}, "InvalidRequest"},
			"trailer":              {framed, trailing, streams, ""},
			"another trailer":      {strings.Replace(framed, crc("hello"), crc("jello"), 1), trailing, streams, "BadDigest"},
			"no trailer":           {"5\r\nhello\r\n0\r\n\r\n", trailing, streams, "MalformedTrailerError"},
			"a trailer too many":   {strings.Replace(framed, "0\r\n", "0\r\nx-other:1\r\n", 1), trailing, streams, "MalformedTrailerError"},
			"unknown trailer":      {framed, trailing, append([]string{"X-Amz-Trailer", "x-other"}, streams[2:]...), "InvalidRequest"},
			"longer than told":     {strings.Replace(framed, "5\r\nhello", "6\r\nhello!", 1), trailing, streams, "IncompleteBody"},
			"shorter than told":    {strings.Replace(framed, "5\r\nhello", "4\r\nhell", 1), trailing, streams, "IncompleteBody"},
			"cut":                  {framed[:12], trailing, streams, "IncompleteBody"},
			"no length":            {framed, trailing, streams[:2], "MissingContentLength"},
			"trailer of no stream": {"hello", unsigned, streams[:2], "InvalidRequest"},
			"chunks not signed":    {framed, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", streams, "SignatureDoesNotMatch"},
			"another algorithm":    {framed, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", streams, "InvalidArgument"},
		} {
			t.Run(name, func(t *testing.T) {
				key := strings.ReplaceAll(name, " ", "-")
				r, err := signed(who, http.MethodPut, d.URL+"/bodies/"+key, strings.NewReader(test.body), test.hash, time.Now(), test.headers...)
				if err != nil {
					t.Fatal(err)
				}
				status, got := do(t, r)
				if !strings.Contains(got, "<Code>"+test.want+"</Code>") && test.want != "" || (test.want == "") != (status == http.StatusOK) {
					t.Errorf("got %d %s, want %q", status, got, test.want)
				}
				out, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("bodies"), Key: aws.String(key)})
				switch {
				case test.want != "" && code(err) != "NoSuchKey":
					t.Errorf("something was stored: %v", err)
				case test.want == "":
					content, _ := io.ReadAll(must(out, err)(t).Body)
					if s := string(content); s != "hello" && s != test.body {
						t.Errorf("stored %q", s)
					}
					if e := aws.ToString(out.ContentEncoding); e != "" {
						t.Errorf("stored with the encoding %q", e)
					}
				}
			})
		}
	})
}

func TestALengthIsNeeded(t *testing.T) {
	d := open(t)
	who := d.admit(account, everything)
	must(d.client(who).CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("bodies")}))(t)
	r, err := signed(who, http.MethodPut, d.URL+"/bodies/x", io.MultiReader(strings.NewReader("hello")), "UNSIGNED-PAYLOAD", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if status, got := do(t, r); status != http.StatusLengthRequired || !strings.Contains(got, "MissingContentLength") {
		t.Errorf("got %d %s", status, got)
	}
}

// do sends a request and returns status and body.
func do(t testing.TB, r *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, read(t, response.Body)
}
