package s3_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/atrium-iam/atrium/internal/dataplane/endpoint"
)

// ask signs and sends a request whose target is sent byte by byte as it is, and
// returns status and body.
func (d *door) ask(t testing.TB, who caller, method, target, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := signed(who, method, d.URL+target, strings.NewReader(body), sha(body), time.Now(), headers...)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

// wants checks an answer's error code.
func wants(t testing.TB, what string, status int, body, want string) {
	t.Helper()
	if want == "" {
		if status >= http.StatusMultipleChoices {
			t.Errorf("%s: %d %s", what, status, body)
		}
		return
	}
	if status < http.StatusBadRequest || !strings.Contains(body, "<Code>"+want+"</Code>") {
		t.Errorf("%s: %d %s, want %s", what, status, body, want)
	}
}

func TestNobodyUnknownGetsIn(t *testing.T) {
	d := open(t)
	who := d.admit(account, everything)
	must(d.client(who).CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("public")}))(t)
	status, body := d.ask(t, who, http.MethodPut, "/public/x", "x")
	wants(t, "to begin with", status, body, "")
	for name, change := range map[string]struct {
		want   string
		change func(r *http.Request)
	}{
		"no signature": {"AccessDenied", func(r *http.Request) { r.Header.Del("Authorization") }},
		"version 2":    {"InvalidRequest", func(r *http.Request) { r.Header.Set("Authorization", "AWS "+who.id+":c2lnbmF0dXJl") }},
		"version 4A": {"InvalidRequest", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "HMAC", "ECDSA-P256", 1))
		}},
		"another key": {"InvalidAccessKeyId", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), who.id, "AKIANOBODY", 1))
		}},
		"another secret": {"SignatureDoesNotMatch", func(r *http.Request) {
			r.Header.Set("Authorization", r.Header.Get("Authorization")[:len(r.Header.Get("Authorization"))-1]+"x")
		}},
		"another token":     {"InvalidToken", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }},
		"another method":    {"SignatureDoesNotMatch", func(r *http.Request) { r.Method = http.MethodDelete }},
		"another path":      {"SignatureDoesNotMatch", func(r *http.Request) { r.URL.Path = "/public/y" }},
		"another query":     {"SignatureDoesNotMatch", func(r *http.Request) { r.URL.RawQuery = "versionId=null" }},
		"another host":      {"SignatureDoesNotMatch", func(r *http.Request) { r.Host = "localhost:1" }},
		"a header more":     {"AccessDenied", func(r *http.Request) { r.Header.Set("X-Amz-Meta-Rank", "admiral") }},
		"a copy":            {"AccessDenied", func(r *http.Request) { r.Header.Set("X-Amz-Copy-Source", "public/x") }},
		"two signatures":    {"InvalidArgument", func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=x" }},
		"two tokens":        {"InvalidArgument", func(r *http.Request) { r.Header.Add("X-Amz-Security-Token", "x") }},
		"signed twice":      {"InvalidArgument", func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }},
		"no hash":           {"InvalidRequest", func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }},
		"no hash is needed": {"SignatureDoesNotMatch", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := signed(who, http.MethodGet, d.URL+"/public/x", nil, sha(""), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			change.change(r)
			status, body := do(t, r)
			wants(t, name, status, body, change.want)
		})
	}
	for name, at := range map[string]time.Duration{"an hour ago": -time.Hour, "in an hour": time.Hour} {
		r, err := signed(who, http.MethodGet, d.URL+"/public/x", nil, sha(""), time.Now().Add(at))
		if err != nil {
			t.Fatal(err)
		}
		status, body := do(t, r)
		wants(t, "signed "+name, status, body, "RequestTimeTooSkewed")
	}
}

func TestAnotherRegionIsTold(t *testing.T) {
	d := open(t)
	c := d.client(d.admit(account, everything), func(o *sdk.Options) { o.Region = "eu-central-1" })
	_, err := c.ListBuckets(t.Context(), &sdk.ListBucketsInput{})
	if code(err) != "AuthorizationHeaderMalformed" || !strings.Contains(err.Error(), "expecting 'us-east-1'") {
		t.Errorf("got %v", err)
	}
}

func TestWhatTheTableDoesNotKnowIsRefused(t *testing.T) {
	d := open(t)
	who := d.admit(account, everything)
	must(d.client(who).CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("table")}))(t)
	for _, sub := range []string{"acl", "policy", "cors", "website", "lifecycle", "replication", "notification", "logging", "encryption", "object-lock", "publicAccessBlock", "ownershipControls", "requestPayment", "tagging", "accelerate", "inventory", "metrics", "analytics", "session", "policyStatus", "x"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			status, body := d.ask(t, who, method, "/table?"+sub+"=", "")
			wants(t, method+" bucket ?"+sub, status, body, "NotImplemented")
		}
	}
	for _, sub := range []string{"acl", "torrent", "retention", "legal-hold", "restore", "select", "attributes", "renameObject", "x"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			status, body := d.ask(t, who, method, "/table/key?"+sub+"=", "")
			wants(t, method+" object ?"+sub, status, body, "NotImplemented")
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPatch, "PROPFIND"} {
		status, body := d.ask(t, who, method, "/table", "")
		wants(t, method+" bucket", status, body, "MethodNotAllowed")
	}
	for header, want := range map[string]string{
		"X-Amz-Acl: public-read":                  "AccessControlListNotSupported",
		"X-Amz-Grant-Read: id=x":                  "AccessControlListNotSupported",
		"X-Amz-Acl: private":                      "",
		"X-Amz-Storage-Class: GLACIER":            "InvalidStorageClass",
		"X-Amz-Server-Side-Encryption: AES256":    "NotImplemented",
		"X-Amz-Website-Redirect-Location: /x":     "NotImplemented",
		"X-Amz-Object-Lock-Mode: COMPLIANCE":      "NotImplemented",
		"X-Amz-Anything: x":                       "NotImplemented",
		"X-Amz-Target: AWSOrganizations.X":        "NotImplemented",
		"X-Amz-Expected-Bucket-Owner: " + other:   "AccessDenied",
		"X-Amz-Expected-Bucket-Owner: " + account: "",
		"X-Amz-Tagging: a=1&a=2":                  "InvalidTag",
	} {
		name, value, _ := strings.Cut(header, ": ")
		status, body := d.ask(t, who, http.MethodPut, "/table/key", "x", name, value)
		wants(t, header, status, body, want)
	}
	for target, want := range map[string]string{
		"/table?list-type=2&max-keys=1&max-keys=2": "InvalidArgument",
		"/table?list-type=3":                       "NotImplemented",
		"/table?max-keys=-1":                       "InvalidArgument",
		"/table?encoding-type=xml":                 "InvalidArgument",
		"/table?versions=&uploads=":                "NotImplemented",
		"/table?prefix=%ff":                        "InvalidURI",
	} {
		status, body := d.ask(t, who, http.MethodGet, target, "")
		wants(t, target, status, body, want)
	}
	status, body := d.ask(t, who, http.MethodGet, "/table", "a body")
	wants(t, "a body where none belongs", status, body, "InvalidRequest")
}

func TestBucketNames(t *testing.T) {
	d := open(t)
	who := d.admit(account, everything)
	for name, want := range map[string]string{
		"start": "", "healthz": "", "console": "", "a.b-c": "", "token": "", "123": "", "index.html": "",
		"ab": "InvalidBucketName", "Capital": "InvalidBucketName", "under_score": "InvalidBucketName", "-dash": "InvalidBucketName",
		"dash-": "InvalidBucketName", "a..b": "InvalidBucketName", "127.0.0.1": "InvalidBucketName", "xn--x": "InvalidBucketName",
		"...": "InvalidBucketName", "%2e%2e%2e": "InvalidBucketName", "a%2fb": "InvalidBucketName", "a%00b": "InvalidBucketName",
		"x-s3alias": "InvalidBucketName", strings.Repeat("a", 64): "InvalidBucketName",
	} {
		status, body := d.ask(t, who, http.MethodPut, "/"+name, "")
		wants(t, name, status, body, want)
	}
}

// TestKeysAreNotPaths has keys that would mean another object if they were
// names of files. A Deny on the secret must hold whatever the key looks like.
func TestKeysAreNotPaths(t *testing.T) {
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
		{"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::vault/secret/*","arn:aws:s3:::closed","arn:aws:s3:::closed/*"]}]}`
	tricks := []string{
		"/vault/secret/x", "/vault/secret%2fx", "/vault//secret/x", "/vault/./secret/x", "/vault/%2e/secret/x",
		"/vault/a/../secret/x", "/vault/a/%2e%2e/secret/x", "/vault/a/%2E%2E%2Fsecret%2Fx", "/vault/a%2f..%2fsecret%2fx",
		"/vault/../vault/secret/x", "/vault/%2e%2e/closed/x", "/vault/../closed/x", "/vault/..%2fclosed%2fx", "/vault/secret/./x", "/vault/secret//x",
		"/vault/secret/y/../x", "/vault/%73ecret/x", "/vault/secret%252fx", "/vault/..%252fclosed/x", "/vault/secret\\x", "/vault/a/..;/secret/x",
	}
	eachStorage(t, func(t *testing.T, d *door) {
		owner, guest := d.admit(account, everything), d.admit(account, policy)
		c, ctx := d.client(owner), t.Context()
		for _, bucket := range []string{"vault", "closed"} {
			must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: &bucket}))(t)
		}
		for _, at := range [][2]string{{"vault", "secret/x"}, {"closed", "x"}} {
			must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: &at[0], Key: &at[1], Body: strings.NewReader("the secret")}))(t)
		}
		for _, target := range tricks {
			if status, body := d.ask(t, guest, http.MethodGet, target, ""); status == http.StatusOK || strings.Contains(body, "the secret") {
				t.Errorf("GET %s: %d %s", target, status, body)
			}
			d.ask(t, guest, http.MethodPut, target, "overwritten")
			d.ask(t, guest, http.MethodDelete, target, "")
			source := strings.TrimPrefix(target, "/")
			d.ask(t, guest, http.MethodPut, "/vault/copied", "", "X-Amz-Copy-Source", source)
		}
		if status, body := d.ask(t, guest, http.MethodGet, "/vault/copied", ""); strings.Contains(body, "the secret") {
			t.Errorf("a copy of the secret: %d", status)
		}
		for _, at := range [][2]string{{"vault", "secret/x"}, {"closed", "x"}} {
			got := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: &at[0], Key: &at[1]}))(t)
			if text := read(t, got.Body); text != "the secret" {
				t.Errorf("%v is now %q", at, text)
			}
		}
	})
}

func TestAccountsDoNotReachEachOther(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		owner, stranger := d.admit(account, everything), d.admit(other, everything)
		c, ctx := d.client(owner), t.Context()
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("owners")}))(t)
		must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: aws.String("owners"), Key: aws.String("x"), Body: strings.NewReader("the secret")}))(t)
		up := must(c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: aws.String("owners"), Key: aws.String("big")}))(t)
		must(d.client(stranger).CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("strangers")}))(t)
		for what, headers := range map[string][]string{
			"GET /owners/x": nil, "GET /owners": nil, "PUT /owners/x": nil, "DELETE /owners/x": nil, "DELETE /owners": nil,
			"GET /owners?uploads=": nil, "GET /owners/big?uploadId=" + *up.UploadId: nil, "DELETE /owners/big?uploadId=" + *up.UploadId: nil,
			"PUT /owners/big?partNumber=1&uploadId=" + *up.UploadId: nil,
			"PUT /strangers/copy": {"X-Amz-Copy-Source", "/owners/x"},
		} {
			method, target, _ := strings.Cut(what, " ")
			status, body := d.ask(t, stranger, method, target, "", headers...)
			if status < http.StatusBadRequest || strings.Contains(body, "the secret") {
				t.Errorf("%s: %d %s", what, status, body)
			}
		}
		list := must(d.client(stranger).ListBuckets(ctx, &sdk.ListBucketsInput{}))(t)
		if len(list.Buckets) != 1 || *list.Buckets[0].Name != "strangers" {
			t.Errorf("the stranger sees %+v", list.Buckets)
		}
		got := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("owners"), Key: aws.String("x")}))(t)
		if text := read(t, got.Body); text != "the secret" {
			t.Errorf("it is now %q", text)
		}
	})
}

// TestTheServerBehindSeesOnlyS3 looks at what an S3 server elsewhere is sent,
// and at what of its answers comes through.
func TestTheServerBehindSeesOnlyS3(t *testing.T) {
	var seen atomic.Pointer[http.Request]
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		seen.Store(r)
		for name, value := range map[string]string{
			"Set-Cookie": "session=stolen", "Content-Security-Policy": "script-src *", "Access-Control-Allow-Origin": "*", "Server": "behind",
			"Location": "http://behind/x", "X-Amz-Meta-Colour": "blue", "Etag": `"x"`, "X-Internal": "yes", "Content-Type": "text/html", "Refresh": "0",
		} {
			w.Header().Set(name, value)
		}
		_, _ = io.WriteString(w, "content")
	}))
	defer behind.Close()
	address, _ := url.Parse(behind.URL)
	d := open(t, through(address, map[string]endpoint.Credentials{account: {AccessKeyID: "BACKING", SecretAccessKey: "secret"}}))
	who := d.admit(account, everything)
	r, err := signed(who, http.MethodGet, d.URL+"/bucket/a/ü%20b+c", nil, sha(""), time.Now(),
		"Cookie", "session=mine", "X-Forwarded-For", "10.0.0.1", "X-Minio-Extract", "true", "Range", "bytes=0-1", "Accept", "text/html", "X-Amz-Request-Payer", "requester")
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read(t, response.Body)
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin", "Server", "Location", "X-Internal", "Refresh"} {
		if got := response.Header.Get(name); got != "" {
			t.Errorf("%s: %s came through", name, got)
		}
	}
	if response.Header.Get("Content-Security-Policy") != "sandbox; frame-ancestors 'none'" || response.Header.Get("X-Amz-Meta-Colour") != "blue" {
		t.Errorf("the answer's fields: %v", response.Header)
	}
	sent := seen.Load()
	if sent.RequestURI != "/bucket/a/%C3%BC%20b%2Bc" || !strings.Contains(sent.Header.Get("Authorization"), "Credential=BACKING/") {
		t.Errorf("sent %s with %s", sent.RequestURI, sent.Header.Get("Authorization"))
	}
	for name := range sent.Header {
		switch name {
		case "Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "User-Agent", "Range":
		default:
			t.Errorf("sent the field %s: %s", name, sent.Header.Get(name))
		}
	}

	seen.Store(nil)
	for _, target := range []string{"/minio/admin/v3/add-user", "/minio/health/live", "/admin/user", "/swift/v1", "/bucket/../minio/admin", "/bucket//x", "/bucket/..", "/bucket/a/../../minio/admin"} {
		status, body := d.ask(t, who, http.MethodPut, target, "x")
		if status < http.StatusBadRequest || seen.Load() != nil {
			t.Errorf("PUT %s: %d %s; sent %v", target, status, body, seen.Load())
		}
	}
	stranger := d.admit(other, everything)
	status, body := d.ask(t, stranger, http.MethodGet, "/bucket/x", "")
	if wants(t, "an account without credentials there", status, body, "AccessDenied"); seen.Load() != nil {
		t.Error("it was asked all the same")
	}
}

func TestAServerThatIsGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	d := open(t, through(&url.URL{Scheme: "http", Host: l.Addr().String()}, map[string]endpoint.Credentials{account: {AccessKeyID: "k", SecretAccessKey: "s"}}))
	_, err = d.client(d.admit(account, everything)).ListBuckets(t.Context(), &sdk.ListBucketsInput{})
	if code(err) != "InternalError" || strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

func TestMultiDeleteIsDecidedKeyByKey(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::trash/mine/*"}]}`
		c, ctx := d.client(d.admit(account, everything)), t.Context()
		guest := d.admit(account, policy)
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("trash")}))(t)
		for _, key := range []string{"mine/1", "yours/1"} {
			must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: aws.String("trash"), Key: &key, Body: strings.NewReader("x")}))(t)
		}
		status, body := d.ask(t, guest, http.MethodPost, "/trash?delete=", `<Delete><Object><Key>mine/1</Key></Object><Object><Key>yours/1</Key></Object><Object><Key>mine/2</Key><VersionId>v</VersionId></Object></Delete>`)
		if status != http.StatusOK || strings.Count(body, "<Deleted>") != 1 || strings.Count(body, "<Code>AccessDenied</Code>") != 2 || !strings.Contains(body, "s3:DeleteObjectVersion on resource: &#34;arn:aws:s3:::trash/mine/2&#34;") {
			t.Errorf("got %d %s", status, body)
		}
		if _, err := c.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: aws.String("trash"), Key: aws.String("yours/1")}); err != nil {
			t.Error(err)
		}
		status, body = d.ask(t, guest, http.MethodPost, "/trash?delete=", `<Delete><Object><Key>yours/1</Key></Object></Delete>`)
		if status != http.StatusOK || strings.Count(body, "<Code>AccessDenied</Code>") != 1 || strings.Contains(body, "<Deleted>") {
			t.Errorf("got %d %s", status, body)
		}
		for name, document := range map[string]string{
			"no keys": "<Delete></Delete>", "another": "<Tagging></Tagging>", "no XML": "x", "entities": `<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&e;</Key></Object></Delete>`,
		} {
			status, body := d.ask(t, guest, http.MethodPost, "/trash?delete=", document)
			wants(t, name, status, body, "MalformedXML")
		}
		status, body = d.ask(t, guest, http.MethodPost, "/trash?delete=", "")
		wants(t, "empty", status, body, "MissingRequestBodyError")
	})
}
