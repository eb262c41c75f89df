package sigv4

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestSignsThePublishedExample signs the request of the IAM User Guide.
func TestSignsThePublishedExample(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	if err := Sign(r, nil, exampleKeyID, exampleSecret, "us-east-1", "iam", at); err != nil {
		t.Fatal(err)
	}
	const want = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, " +
		"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	if got := r.Header.Get("Authorization"); got != want {
		t.Errorf("Authorization: %s\nwant           %s", got, want)
	}
}

// TestWhatIsSignedIsAccepted sends signed requests through net/http to the
// verifier.
func TestWhatIsSignedIsAccepted(t *testing.T) {
	at := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	var refused *Error
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		claim, err := Parse(r)
		if err == nil {
			_, err = NewVerifier(1).Verify(claim, exampleSecret, body, Options{Now: at, Skew: time.Second, Region: "eu-west-3", Service: "sso"})
		}
		refused = err
	}))
	defer server.Close()
	for _, target := range []string{"", "/", "/?b=2&a=1&a=0", "/a%20b/%C3%A9?x=%2F+y"} {
		for _, body := range []string{"", "{}", strings.Repeat("x", 10_000)} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+target, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Amz-Target", "SWBExternalService.ListInstances")
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
			if err := Sign(r, []byte(body), exampleKeyID, exampleSecret, "eu-west-3", "sso", at); err != nil {
				t.Fatal(err)
			}
			response, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if refused != nil {
				t.Errorf("%q with %d bytes: %+v", target, len(body), *refused)
			}
		}
	}
}
