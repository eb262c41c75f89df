package sdk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
	"github.com/atrium-iam/atrium/test/node"
)

// readOf returns a call of each service that signs its requests, to its first
// operation that only reads.
func readOf(t *testing.T, n *node.Node, s *schema.Service) (operation, node.Call, bool) {
	t.Helper()
	for i := range s.Operations {
		o := operation{&s.Operations[i], s}
		if !o.Unsigned && (o.ReadOnly || s.ID == "sso-oidc") {
			return o, node.NewCall(s, o.Operation, o.onInstance(t, n)), true
		}
	}
	return operation{}, node.Call{}, false
}

// TestClockSkew signs for both edges of what each service allows.
func TestClockSkew(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		for _, s := range wiretest.Services() {
			o, call, ok := readOf(t, n, s.Service)
			if !ok {
				continue
			}
			skew := 5 * time.Minute
			if s.ID == "sts" {
				skew = 15 * time.Minute
			}
			for _, c := range []struct {
				off     time.Duration
				refused string
			}{
				{-skew + 5*time.Second, ""},
				{skew - 5*time.Second, ""},
				{-skew - 5*time.Second, "Signature expired: "},
				{skew + 5*time.Second, "Signature not yet current: "},
				{-24 * time.Hour, "Signature expired: "},
				{24 * time.Hour, "Signature not yet current: "},
			} {
				call.At = n.Clock.Now().Add(c.off)
				got := n.Send(t, admin, call)
				want := refusals["mismatch"][s.Protocol]
				refused := got.Code == want.Code && got.Status == want.Status && strings.HasPrefix(got.Message, c.refused)
				if refused != (c.refused != "") {
					t.Errorf("%s, signed %v from now: %d %s %q", o, c.off, got.Status, got.Code, got.Message)
				}
			}
		}
	})
}

// TestScope signs for another region and another service.
func TestScope(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		for _, s := range wiretest.Services() {
			o, call, ok := readOf(t, n, s.Service)
			if !ok {
				continue
			}
			want := refusals["mismatch"][s.Protocol]
			elsewhere := call
			elsewhere.Region = "eu-west-1"
			got := n.Send(t, admin, elsewhere)
			want.Message = "Credential should be scoped to a valid region, not 'eu-west-1'."
			if s.Global {
				want = node.Answer{Status: http.StatusOK}
			}
			if problem := differs(got, want); problem != "" && !(s.Global && got.Code != want.Code) {
				t.Errorf("%s in another region: %s", o, problem)
			}
			other := call
			other.Service = "ec2"
			got = n.Send(t, admin, other)
			want = refusals["mismatch"][s.Protocol]
			want.Message = "Credential should be scoped to correct service: '" + s.SigningName + "'."
			if problem := differs(got, want); problem != "" {
				t.Errorf("%s for another service: %s", o, problem)
			}
		}
	})
}

// TestTampering changes requests after they were signed.
func TestTampering(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		list := jsonCall("ListUsers", `{"IdentityStoreId":"`+n.Instance.IdentityStoreID+`"}`)
		const mismatched, incomplete = "InvalidSignatureException", "IncompleteSignatureException"
		for name, c := range map[string]struct {
			change func(*http.Request)
			code   string
		}{
			"nothing":               {func(*http.Request) {}, ""},
			"body":                  {func(r *http.Request) { setBody(r, `{"IdentityStoreId":"d-0000000000"}`) }, mismatched},
			"no body":               {func(r *http.Request) { setBody(r, ``) }, mismatched},
			"target":                {func(r *http.Request) { r.Header["X-Amz-Target"] = []string{"AWSIdentityStore.ListGroups"} }, mismatched},
			"date":                  {func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260101T000000Z") }, mismatched},
			"query":                 {func(r *http.Request) { r.URL.RawQuery = "a=b" }, mismatched},
			"unsigned amz header":   {func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "token") }, mismatched},
			"any other amz header":  {func(r *http.Request) { r.Header.Set("X-Amz-Anything", "x") }, mismatched},
			"unsigned payload":      {func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }, mismatched},
			"two authorizations":    {func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, incomplete},
			"no signature":          {func(r *http.Request) { edit(r, "Signature=", "Signatur=") }, incomplete},
			"short signature":       {func(r *http.Request) { edit(r, "Signature=", "Signature=0") }, mismatched},
			"signature in capitals": {func(r *http.Request) { upperSignature(r) }, mismatched},
			"another algorithm":     {func(r *http.Request) { edit(r, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1") }, incomplete},
			"an older version":      {func(r *http.Request) { r.Header.Set("Authorization", "AWS "+admin.KeyID+":c2lnbmF0dXJl") }, incomplete},
			"a bearer token":        {func(r *http.Request) { r.Header.Set("Authorization", "Bearer token") }, incomplete},
			"host not signed":       {func(r *http.Request) { edit(r, ";host;", ";") }, mismatched},
			"a wrong terminator":    {func(r *http.Request) { edit(r, "/aws4_request", "/aws5_request") }, mismatched},
			"a scope of four parts": {func(r *http.Request) { edit(r, "/identitystore/", "/") }, incomplete},
			"key id in lower case":  {func(r *http.Request) { edit(r, admin.KeyID, strings.ToLower(admin.KeyID)) }, "UnrecognizedClientException"},
			"key id with a wildcard": {
				func(r *http.Request) { edit(r, admin.KeyID, admin.KeyID[:19]+"%") },
				"UnrecognizedClientException",
			},
			"an unsigned header of no meaning": {func(r *http.Request) { r.Header.Set("X-Http-Method-Override", "DELETE") }, ""},
			"forwarded elsewhere":              {func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "evil.example") }, ""},
		} {
			r := n.Request(t, admin, list)
			c.change(r)
			got := n.Do(t, r)
			if got.Code != c.code || (c.code == "") != (got.Status == http.StatusOK) || c.code != "" && got.Status != http.StatusBadRequest {
				t.Errorf("%s: %d %s %q, want %q", name, got.Status, got.Code, got.Message, c.code)
			}
			if strings.Contains(string(got.Body), admin.Secret) {
				t.Errorf("%s: the answer tells the secret", name)
			}
		}
	})
}

func setBody(r *http.Request, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.GetBody = nil
}

func edit(r *http.Request, from, to string) {
	old := r.Header.Get("Authorization")
	if !strings.Contains(old, from) {
		panic(fmt.Sprintf("%q is not in %q", from, old))
	}
	r.Header.Set("Authorization", strings.Replace(old, from, to, 1))
}

func upperSignature(r *http.Request) {
	before, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	r.Header.Set("Authorization", before+"Signature="+strings.ToUpper(signature))
}

// TestReplay sends a captured request again: at once, when it still counts, and
// when it is too old.
func TestReplay(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		captured := func() *http.Request {
			return n.Request(t, admin, formCall("Action=GetCallerIdentity&Version=2011-06-15"))
		}
		r := captured()
		again := r.Clone(t.Context())
		again.Body, _ = r.GetBody()
		later := r.Clone(t.Context())
		later.Body, _ = r.GetBody()
		if got := n.Do(t, r); got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		n.Clock.Advance(14 * time.Minute)
		if got := n.Do(t, again); got.Status != http.StatusOK {
			t.Errorf("within the skew: %d %s", got.Status, got.Body)
		}
		n.Clock.Advance(2 * time.Minute)
		if got := n.Do(t, later); got.Code != "SignatureDoesNotMatch" || !strings.HasPrefix(got.Message, "Signature expired") {
			t.Errorf("after the skew: %d %s", got.Status, got.Body)
		}
	})
}

// TestPresigned asks STS who the signer of a URL is, as clusters do of their
// callers.
func TestPresigned(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		presign := func(change func(*http.Request)) *http.Request {
			r, err := http.NewRequestWithContext(t.Context(), "GET", n.URL+"/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-K8s-Aws-Id", "cluster")
			who := aws.Credentials{AccessKeyID: admin.KeyID, SecretAccessKey: admin.Secret}
			const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
			address, headers, err := v4.NewSigner().PresignHTTP(context.Background(), who, r, emptyHash, "sts", node.Region, n.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			signed, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name := range headers {
				signed.Header.Set(name, headers.Get(name))
			}
			change(signed)
			return signed
		}
		for name, c := range map[string]struct {
			change func(*http.Request)
			code   string
		}{
			"as signed":            {func(*http.Request) {}, ""},
			"other header":         {func(r *http.Request) { r.Header.Set("X-K8s-Aws-Id", "another") }, "SignatureDoesNotMatch"},
			"no header":            {func(r *http.Request) { r.Header.Del("X-K8s-Aws-Id") }, "SignatureDoesNotMatch"},
			"other action":         {func(r *http.Request) { query(r, "GetCallerIdentity", "GetSessionToken") }, "SignatureDoesNotMatch"},
			"a further parameter":  {func(r *http.Request) { r.URL.RawQuery += "&Extra=1" }, "SignatureDoesNotMatch"},
			"no signature":         {func(r *http.Request) { query(r, "X-Amz-Signature", "X-Amz-Signatur") }, "IncompleteSignature"},
			"signed twice":         {func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") }, "IncompleteSignature"},
			"with a body":          {func(r *http.Request) { setBody(r, "Action=AssumeRole") }, "SignatureDoesNotMatch"},
			"an expiry of a month": {func(r *http.Request) { query(r, "X-Amz-Expires=60", "X-Amz-Expires=2592000") }, "IncompleteSignature"},
		} {
			got := n.Do(t, presign(c.change))
			if got.Code != c.code || c.code == "" && !bytes.Contains(got.Body, []byte("<Arn>"+admin.ARN+"</Arn>")) {
				t.Errorf("%s: %d %s", name, got.Status, got.Body)
			}
		}
		old := presign(func(*http.Request) {})
		n.Clock.Advance(16 * time.Minute)
		if got := n.Do(t, old); got.Code != "SignatureDoesNotMatch" {
			t.Errorf("too old: %d %s", got.Status, got.Body)
		}
	})
}

func query(r *http.Request, from, to string) {
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, from, to, 1)
}

// TestHosts holds that the program answers only to its own names.
func TestHosts(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		own := strings.TrimPrefix(n.URL, "http://")
		for host, status := range map[string]int{
			own: 200, "sts.amazonaws.com": 200, "sts.us-east-1.amazonaws.com": 200,
			"evil.example": 421, "localhost": 421, "127.0.0.1": 421, own + ".evil.example": 421, "": 400, "sts.eu-west-1.amazonaws.com": 421,
		} {
			got := exchange(t, n, "GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
			// Without a signature, who is let in is refused as unsigned.
			wanted := map[int]string{200: "HTTP/1.1 403", 421: "HTTP/1.1 421", 400: "HTTP/1.1 400"}[status]
			if host == "" {
				wanted = "HTTP/1.1 4"
			}
			if !strings.HasPrefix(got, wanted) {
				t.Errorf("host %q: %.200s", host, got)
			}
		}
		r := n.Request(t, admin, formCall("Action=GetCallerIdentity&Version=2011-06-15"))
		r.Host = "evil.example"
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("another host: %s", response.Status)
		}
	})
}

// exchange writes a request byte by byte as given and returns all that comes
// back.
func exchange(t *testing.T, n *node.Node, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return ""
	}
	answer, _ := io.ReadAll(conn) // also what came before the connection broke
	return string(answer)
}

// TestSmuggling sends requests whose length or headers two readers could
// understand differently. None may be taken for two requests, nor run.
func TestSmuggling(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		host := strings.TrimPrefix(n.URL, "http://")
		start := "POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AWSIdentityStore.ListUsers\r\n"
		second := "GET /healthz HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"
		for name, request := range map[string]string{
			"two lengths":                start + "Content-Length: 0\r\nContent-Length: 60\r\n\r\n" + second,
			"a list of lengths":          start + "Content-Length: 0, 60\r\n\r\n" + second,
			"a signed length":            start + "Content-Length: +0\r\n\r\n" + second,
			"chunks in disguise":         start + "Transfer-Encoding: xchunked\r\n\r\n" + second,
			"chunks and identity":        start + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + second,
			"a blank before the colon":   start + "Content-Length : 60\r\n\r\n" + second,
			"a folded header":            start + "X-Fold: a\r\n b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			"a NUL in a header":          start + "X-Nul: a\x00b\r\nContent-Length: 0\r\n\r\n" + second,
			"a header without a name":    start + ": x\r\nContent-Length: 0\r\n\r\n" + second,
			"two hosts":                  start + "Host: evil.example\r\nContent-Length: 0\r\n\r\n" + second,
			"a full URL of another host": strings.Replace(start, "POST / ", "POST http://evil.example/ ", 1) + "Content-Length: 0\r\nConnection: close\r\n\r\n",
			"no version":                 "POST /\r\n\r\n" + second,
			"too many headers":           start + strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", 200) + "\r\n",
			"a proxy's request":          "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n",
		} {
			got := exchange(t, n, request)
			if strings.Contains(got, "HTTP/1.1 2") || strings.Contains(got, "HTTP/1.1 5") && !strings.HasPrefix(got, "HTTP/1.1 501") || strings.Count(got, "HTTP/1.1 ") > 1 {
				t.Errorf("%s: %.600s", name, got)
			}
		}
	})
}
