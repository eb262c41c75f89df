package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// TestBehindNetHTTP sends signed requests through real connections, HTTP/1.1
// and HTTP/2, because net/http rearranges what it receives.
func TestBehindNetHTTP(t *testing.T) {
	at := time.Date(2020, 11, 22, 3, 44, 0, 0, time.UTC)
	v := NewVerifier(8)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		c, refused := Parse(r)
		if refused == nil {
			_, refused = v.Verify(c, exampleSecret, body, Options{Now: at, Skew: time.Minute})
		}
		if refused != nil {
			code, status, message := Refusal(refused, Query)
			http.Error(w, code+" "+message+" "+r.RequestURI, status)
		}
		w.Header().Set("Protocol", r.Proto)
	})
	plain, encrypted := httptest.NewServer(handler), httptest.NewUnstartedServer(handler)
	encrypted.EnableHTTP2 = true
	encrypted.StartTLS()
	defer plain.Close()
	defer encrypted.Close()

	for proto, server := range map[string]*httptest.Server{"HTTP/1.1": plain, "HTTP/2.0": encrypted} {
		for name, tc := range map[string]struct{ method, target, body string }{
			"json":            {"POST", "/", `{"UserName":"ü"}`},
			"query":           {"POST", "/", "Action=GetCallerIdentity&Version=2011-06-15"},
			"query in GET":    {"GET", "/?Version=2011-06-15&Action=GetCallerIdentity", ""},
			"rest":            {"GET", "/federation/credentials?role_name=a+b%2Fc&account_id=123456789012&empty=&bare&bare=2", ""},
			"empty body":      {"POST", "/logout", ""},
			"odd path":        {"PUT", "/a%2Fb/c%20d/%E2%82%AC/(x)+y;z=1/~//./..", "x"},
			"delete":          {"DELETE", "/x", ""},
			"chunked no hint": {"POST", "/", "chunked"},
		} {
			t.Run(proto+" "+name, func(t *testing.T) {
				body := io.Reader(strings.NewReader(tc.body))
				if strings.HasPrefix(name, "chunked") {
					body = io.MultiReader(body) // net/http cannot tell its length
				}
				r, err := http.NewRequest(tc.method, server.URL+tc.target, body)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("X-Amz-Target", "Service.Operation")
				r.Header["X-Amz-Note"] = []string{"  two   words ", "and\ta tab"}
				sum := sha256.Sum256([]byte(tc.body))
				who := aws.Credentials{AccessKeyID: exampleKeyID, SecretAccessKey: exampleSecret, SessionToken: "token"}
				if err := v4.NewSigner().SignHTTP(context.Background(), who, r, hex.EncodeToString(sum[:]), "sts", "us-east-1", at); err != nil {
					t.Fatal(err)
				}
				response, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				text, err := io.ReadAll(response.Body)
				if err != nil {
					t.Fatal(err)
				}
				if response.StatusCode != http.StatusOK || response.Header.Get("Protocol") != proto {
					t.Fatalf("%s over %q: %s", response.Status, response.Header.Get("Protocol"), text)
				}
			})
		}
	}
}

// TestFoldedHeader verifies a value that is continued on a second line; the
// signer saw it as one line.
func TestFoldedHeader(t *testing.T) {
	m := message{method: "GET", path: "/", host: "127.0.0.1", header: http.Header{"X-Amz-Note": {"one two"}}, scope: Scope{Region: "us-east-1", Service: "sts"}, at: signingTime}
	wire, err := m.signed()
	if err != nil {
		t.Fatal(err)
	}
	folded := strings.Replace(string(wire), "one two", "one\r\n   two", 1)
	if _, refused, err := verify(NewVerifier(1), []byte(folded), m.options()); refused != nil || err != nil {
		t.Fatalf("%v %v", refused, err)
	}
}

// TestAuthoritySignsTheHost accepts HTTP/2's name for the host in its place.
func TestAuthoritySignsTheHost(t *testing.T) {
	sign := func(host, signature string) *Claim {
		r := get(t, "/", auth("AWS4-HMAC-SHA256 Credential="+goodScope+", SignedHeaders=:authority;x-amz-date, Signature="+signature)...)
		r.Host = host
		c, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	empty := sha256.Sum256(nil)
	first := sign("a.example", "00")
	signature := first.sign(deriveKey(exampleSecret, first.Scope), hex.EncodeToString(empty[:]))
	opts := Options{Now: signingTime}
	if _, err := NewVerifier(1).Verify(sign("a.example", string(signature[:])), exampleSecret, nil, opts); err != nil {
		t.Errorf("refused: %+v", *err)
	}
	if _, err := NewVerifier(1).Verify(sign("b.example", string(signature[:])), exampleSecret, nil, opts); err == nil {
		t.Error("accepted another host")
	}
}
