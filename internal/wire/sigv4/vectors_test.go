package sigv4

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	exampleKeyID  = "AKIDEXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// TestPublishedExamples checks signatures that AWS publishes: its test suite,
// the IAM User Guide and the S3 API reference.
func TestPublishedExamples(t *testing.T) {
	const (
		suite  = "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		s3key  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
		s3cred = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
		empty  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	)
	suiteHeaders := []string{"Host: example.amazonaws.com", "X-Amz-Date: 20150830T123600Z"}
	for _, tc := range []struct {
		name, target, secret string
		method, body         string
		headers              []string
		opts                 Options
	}{{
		name: "get-vanilla", target: "/",
		headers: append(suiteHeaders, suite+"SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
	}, {
		name: "post-vanilla", method: "POST", target: "/",
		headers: append(suiteHeaders, suite+"SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
	}, {
		name: "get-vanilla-query-order-key-case", target: "/?Param2=value2&Param1=value1",
		headers: append(suiteHeaders, suite+"SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
	}, {
		name: "get-utf8", target: "/\u1234", // bytes that should have been encoded are, before signing
		headers: append(suiteHeaders, suite+"SignedHeaders=host;x-amz-date, Signature=8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
	}, {
		name: "IAM ListUsers", target: "/?Action=ListUsers&Version=2010-05-08",
		headers: []string{
			"Host: iam.amazonaws.com", "Content-Type: application/x-www-form-urlencoded; charset=utf-8", "X-Amz-Date: 20150830T123600Z",
			"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, " +
				"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
		},
	}, {
		name: "S3 GetObject", target: "/test.txt", secret: s3key,
		headers: []string{
			"Host: examplebucket.s3.amazonaws.com", "Range: bytes=0-9", "X-Amz-Content-Sha256: " + empty, "X-Amz-Date: 20130524T000000Z",
			"Authorization: " + s3cred + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		},
	}, {
		name: "S3 presigned GetObject", secret: s3key,
		target: "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
			"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
		headers: []string{"Host: examplebucket.s3.amazonaws.com"},
		opts:    Options{HonorExpires: true, BodyStreams: true},
	}} {
		t.Run(tc.name, func(t *testing.T) {
			r := received(t, orElse(tc.method, "GET")+" "+tc.target+" HTTP/1.1\r\n"+strings.Join(tc.headers, "\r\n")+"\r\n\r\n")
			claim, err := Parse(r)
			if err != nil {
				t.Fatalf("Parse: %+v", *err)
			}
			tc.opts.Now, tc.opts.Skew = claim.Time, time.Minute
			secret := orElse(tc.secret, exampleSecret)
			if _, err := NewVerifier(1).Verify(claim, secret, []byte(tc.body), tc.opts); err != nil {
				t.Fatalf("Verify: %+v\n%s", *err, claim.appendCanonicalRequest(nil, "…"))
			}
			if _, err := NewVerifier(1).Verify(claim, secret+"x", []byte(tc.body), tc.opts); err == nil || err.Kind != SignatureMismatch {
				t.Fatalf("another secret: got %v, want a mismatch", err)
			}
		})
	}
}

// received reads raw as net/http's server does.
func received(t testing.TB, raw string) *http.Request {
	t.Helper()
	r, err := readRequest(raw)
	if err != nil {
		t.Fatalf("%v in request\n%s", err, raw)
	}
	return r
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
