package sigv4

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	goodSignature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	goodScope     = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
	goodAuth      = "AWS4-HMAC-SHA256 Credential=" + goodScope + ", SignedHeaders=host;x-amz-date, Signature=" + goodSignature
	goodQuery     = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request" +
		"&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature="
)

var signingTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// get returns a GET of target with the headers, which are "Name: value".
func get(t testing.TB, target string, headers ...string) *http.Request {
	t.Helper()
	return received(t, "GET "+target+" HTTP/1.1\r\nHost: example.amazonaws.com\r\n"+strings.Join(append(headers, "\r\n"), "\r\n"))
}

func auth(value string) []string {
	return []string{"X-Amz-Date: 20150830T123600Z", "Authorization: " + value}
}

func TestParseRefuses(t *testing.T) {
	needs := func(names ...string) string {
		var b []string
		for _, n := range names {
			b = append(b, "Authorization header requires '"+n+"' parameter.")
		}
		return strings.Join(b, " ")
	}
	const needsDate = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
	list := "SignedHeaders must list lower-case header names in ascending order, separated by ';'."
	for _, tc := range []struct {
		name    string
		target  string
		headers []string
		kind    Kind
		detail  string // "": do not care
	}{
		{"nothing", "/", nil, MissingAuthentication, ""},
		{"nothing but a query", "/?Action=ListUsers", nil, MissingAuthentication, ""},
		{"bearer token", "/", []string{"Authorization: Bearer abc"}, IncompleteSignature, needs("Credential", "Signature", "SignedHeaders") + " " + needsDate},
		{"version 2", "/", auth("AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg="), IncompleteSignature, needs("Credential", "Signature", "SignedHeaders")},
		{"algorithm only", "/", auth("AWS4-HMAC-SHA256"), IncompleteSignature, needs("Credential", "Signature", "SignedHeaders")},
		{"empty", "/", auth(""), IncompleteSignature, needs("Credential", "Signature", "SignedHeaders")},
		{"no signature", "/", auth("AWS4-HMAC-SHA256 Credential=" + goodScope + ", SignedHeaders=host"), IncompleteSignature, needs("Signature")},
		{"no credential", "/", auth("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00"), IncompleteSignature, needs("Credential")},
		{"no date", "/", []string{"Authorization: " + goodAuth}, IncompleteSignature, needsDate},
		{"blank in credential", "/", auth("AWS4-HMAC-SHA256 Credential= " + goodScope + ", SignedHeaders=host, Signature=00"), IncompleteSignature, "Authorization header has a part that is not a valid key=value pair (missing equal-sign)."},
		{"no equal-sign", "/", auth("AWS4-HMAC-SHA256 Credential"), IncompleteSignature, ""},
		{
			"sigv4a", "/", auth("AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/service/aws4_request, SignedHeaders=host, Signature=00"), UnsupportedAlgorithm,
			"Unsupported AWS 'algorithm': Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not accepted here, sign with AWS4-HMAC-SHA256.",
		},
		{"another algorithm", "/", auth("AWS4-HMAC-SHA512 Credential=x"), UnsupportedAlgorithm, ""},
		{"secret for key id", "/", auth("AWS4-HMAC-SHA256 Credential=wJal/K7M/20150830/us-east-1/service/aws4_request, SignedHeaders=host, Signature=00"), MalformedCredential, ""},
		{"short credential", "/", auth("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service, SignedHeaders=host, Signature=00"), MalformedCredential, ""},
		{"no key id", "/", auth("AWS4-HMAC-SHA256 Credential=/20150830/us-east-1/service/aws4_request, SignedHeaders=host, Signature=00"), MalformedCredential, ""},
		{"date with fraction", "/", []string{"X-Amz-Date: 20150830T123600.5Z", "Authorization: " + goodAuth}, InvalidDate, ""},
		{"HTTP date", "/", []string{"Date: Sun, 30 Aug 2015 12:36:00 GMT", "Authorization: " + goodAuth}, InvalidDate, ""},
		{"no such day", "/", []string{"X-Amz-Date: 20150231T123600Z", "Authorization: " + goodAuth}, InvalidDate, ""},
		{"two dates", "/", []string{"X-Amz-Date: 20150830T123600Z", "X-Amz-Date: 20150830T123600Z", "Authorization: " + goodAuth}, AmbiguousAuthentication, "The header 'X-Amz-Date' may be sent only once."},
		{"two tokens", "/", append(auth(goodAuth), "X-Amz-Security-Token: a", "X-Amz-Security-Token: b"), AmbiguousAuthentication, ""},
		{"two hashes", "/", append(auth(goodAuth), "X-Amz-Content-Sha256: a", "X-Amz-Content-Sha256: b"), AmbiguousAuthentication, ""},
		{"two authorizations", "/", append(auth(goodAuth), "Authorization: "+goodAuth), AmbiguousAuthentication, ""},
		{"parameter twice", "/", auth(goodAuth + ", Signature=" + goodSignature), AmbiguousAuthentication, ""},
		{"header and query", "/?" + goodQuery + "00", auth(goodAuth), AmbiguousAuthentication, ""},
		{"unsorted list", "/", auth("AWS4-HMAC-SHA256 Credential=" + goodScope + ", SignedHeaders=x-amz-date;host, Signature=00"), IncompleteSignature, list},
		{"repeated name", "/", auth("AWS4-HMAC-SHA256 Credential=" + goodScope + ", SignedHeaders=host;host;x-amz-date, Signature=00"), IncompleteSignature, list},
		{"upper case", "/", auth("AWS4-HMAC-SHA256 Credential=" + goodScope + ", SignedHeaders=Host;X-Amz-Date, Signature=00"), IncompleteSignature, list},
		{"empty name", "/", auth("AWS4-HMAC-SHA256 Credential=" + goodScope + ", SignedHeaders=host;;x-amz-date, Signature=00"), IncompleteSignature, list},
		{"list ends with ;", "/", auth("AWS4-HMAC-SHA256 Credential=" + goodScope + ", SignedHeaders=host;x-amz-date;, Signature=00"), IncompleteSignature, list},

		{"query without signature", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x", nil, IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters."},
		{"query without algorithm", "/?X-Amz-Signature=00", nil, IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Algorithm'. Re-examine the query-string parameters."},
		{"query sigv4a", "/?" + strings.Replace(goodQuery, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", 1) + "00", nil, UnsupportedAlgorithm, ""},
		{"parameter twice in the query", "/?" + goodQuery + "00&X-Amz-Date=20150830T123600Z", nil, AmbiguousAuthentication, ""},
		{"parameter twice, once encoded", "/?" + goodQuery + "00&X%2DAmz-Date=20150830T123600Z", nil, AmbiguousAuthentication, ""},
		{"token in query and header", "/?" + goodQuery + "00&X-Amz-Security-Token=a", []string{"X-Amz-Security-Token: a"}, AmbiguousAuthentication, ""},
		{"expires not a number", "/?" + strings.Replace(goodQuery, "Expires=60", "Expires=1h", 1) + "00", nil, InvalidExpires, ""},
		{"expires empty", "/?" + strings.Replace(goodQuery, "Expires=60", "Expires=", 1) + "00", nil, InvalidExpires, ""},
		{"expires at once", "/?" + strings.Replace(goodQuery, "Expires=60", "Expires=0", 1) + "00", nil, InvalidExpires, ""},
		{"expires negative", "/?" + strings.Replace(goodQuery, "Expires=60", "Expires=-1", 1) + "00", nil, InvalidExpires, ""},
		{"expires after a week", "/?" + strings.Replace(goodQuery, "Expires=60", "Expires=604801", 1) + "00", nil, InvalidExpires, ""},
		{"broken escape", "/?a=%zz", auth(goodAuth), MalformedRequest, "The query string contains a syntax error."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Parse(get(t, tc.target, tc.headers...))
			if err == nil {
				t.Fatalf("accepted: %+v", *c)
			}
			if err.Kind != tc.kind || tc.detail != "" && err.Detail != tc.detail {
				t.Fatalf("got kind %d %q, want %d %q", err.Kind, err.Detail, tc.kind, tc.detail)
			}
			for _, secret := range []string{"wJal", goodSignature, "abc"} {
				if strings.Contains(err.Detail, secret) {
					t.Fatalf("%q repeats %q of the request", err.Detail, secret)
				}
			}
		})
	}
}

func TestParseRefusesOtherTargets(t *testing.T) {
	for _, target := range []string{"*", "http://example.amazonaws.com/", "example.amazonaws.com:443", "?a=b"} {
		r := get(t, "/", auth(goodAuth)...)
		r.RequestURI = target
		if c, err := Parse(r); err == nil || err.Kind != MalformedRequest {
			t.Errorf("%s: got %+v, %v", target, c, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	standard := Options{Now: signingTime, Skew: 15 * time.Minute, Region: "us-east-1", Service: "service"}
	with := func(change func(*Options)) Options {
		o := standard
		change(&o)
		return o
	}
	for _, tc := range []struct {
		name    string
		target  string
		headers []string
		opts    Options
		kind    Kind
		message string // of a JSON service; "": do not care
	}{
		{
			"another region", "/", auth(goodAuth), with(func(o *Options) { o.Region = "eu-west-1" }), WrongRegion,
			"Credential should be scoped to a valid region, not 'us-east-1'.",
		},
		{
			"another service", "/", auth(goodAuth), with(func(o *Options) { o.Service = "sso" }), WrongService,
			"Credential should be scoped to correct service: 'sso'.",
		},
		{
			"all of the scope", "/", auth(strings.NewReplacer("aws4_request", "aws5_request", "20150830/", "20150831/").Replace(goodAuth)),
			with(func(o *Options) { o.Region, o.Service = "r", "s" }), WrongRegion,
			"Credential should be scoped to a valid region, not 'us-east-1'. Credential should be scoped to correct service: 's'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. " +
				"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != '20150830', from '20150830T123600Z'.",
		},
		{"terminator", "/", auth(strings.Replace(goodAuth, "aws4_request", "aws4", 1)), standard, WrongTerminator, ""},
		{"scope date", "/", auth(strings.Replace(goodAuth, "20150830/", "20150829/", 1)), standard, WrongScopeDate, ""},
		{
			"too old", "/", auth(goodAuth), with(func(o *Options) { o.Now = signingTime.Add(15*time.Minute + time.Second) }), SignatureExpired,
			"Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)",
		},
		{
			"too new", "/", auth(goodAuth), with(func(o *Options) { o.Skew, o.Now = 90*time.Second, signingTime.Add(-91*time.Second) }), NotYetCurrent,
			"Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123429Z + 90 sec.)",
		},
		{
			"host not signed", "/", auth(strings.Replace(goodAuth, "host;", "", 1)), standard, UnsignedHeader,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
		},
		{
			"date not signed", "/", auth(strings.Replace(goodAuth, ";x-amz-date", "", 1)), standard, UnsignedHeader,
			"'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.",
		},
		{
			"plain date not signed", "/",
			[]string{"Date: 20150830T123600Z", "Authorization: " + strings.Replace(goodAuth, ";x-amz-date", "", 1)},
			standard, UnsignedHeader,
			"'Date' must be a 'SignedHeader' in the AWS Authorization.",
		},
		{
			"target not signed", "/", append(auth(goodAuth), "X-Amz-Target: S.Op"), standard, UnsignedHeader,
			"'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.",
		},
		{"token not signed", "/", append(auth(goodAuth), "x-amz-security-token: t"), standard, UnsignedHeader, ""},
		{
			"signature", "/", auth(strings.Replace(goodAuth, "5fa0", "5fa1", 1)), standard, SignatureMismatch,
			"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
		},
		{"signature in upper case", "/", auth(strings.Replace(goodAuth, goodSignature, strings.ToUpper(goodSignature), 1)), standard, SignatureMismatch, ""},
		{"half a signature", "/", auth(goodAuth[:len(goodAuth)-32]), standard, SignatureMismatch, ""},
		{"hash of another body", "/", append(auth(goodAuth), "X-Amz-Content-Sha256: 00"), with(func(o *Options) {}), UnsignedHeader, ""},
		{"hash of another body, signed", "/", append(auth(strings.Replace(goodAuth, "host;", "host;x-amz-content-sha256;", 1)), "X-Amz-Content-Sha256: 00"), standard, BodyHashMismatch, ""},
		{"body not covered", "/", append(auth(strings.Replace(goodAuth, "host;", "host;x-amz-content-sha256;", 1)), "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD"), standard, BodyHashMismatch, ""},
		{"streamed body without hash", "/", auth(goodAuth), with(func(o *Options) { o.BodyStreams = true }), BodyHashMismatch, "Missing required header for this request: x-amz-content-sha256"},
		{"presigned is over", "/?" + goodQuery + "00", nil, with(func(o *Options) { o.HonorExpires, o.Now = true, signingTime.Add(61*time.Second) }), PresignExpired, "Request has expired."},
		{"presigned in the future", "/?" + goodQuery + "00", nil, with(func(o *Options) { o.HonorExpires, o.Now = true, signingTime.Add(-time.Hour) }), NotYetCurrent, ""},
		{"presigned without end", "/?" + strings.Replace(goodQuery, "&X-Amz-Expires=60", "", 1) + "00", nil, with(func(o *Options) { o.HonorExpires = true }), IncompleteSignature, ""},
		{"presigned beyond the skew", "/?" + strings.Replace(goodQuery, "=60", "=86400", 1) + "00", nil, with(func(o *Options) { o.Now = signingTime.Add(time.Hour) }), SignatureExpired, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Parse(get(t, tc.target, tc.headers...))
			if err != nil {
				t.Fatalf("Parse: %+v", *err)
			}
			if _, err = NewVerifier(1).Verify(c, exampleSecret, nil, tc.opts); err == nil {
				t.Fatal("accepted")
			}
			if err.Kind != tc.kind || tc.message != "" && err.Error() != tc.message {
				t.Fatalf("got kind %d %q, want %d %q", err.Kind, err.Error(), tc.kind, tc.message)
			}
		})
	}
}

// TestAcceptsTheEdges holds the other side of the limits above.
func TestAcceptsTheEdges(t *testing.T) {
	for _, off := range []time.Duration{-15 * time.Minute, 0, 15 * time.Minute} {
		c, err := Parse(get(t, "/", auth(goodAuth)...))
		if err != nil {
			t.Fatal(err)
		}
		opts := Options{Now: signingTime.Add(off), Skew: 15 * time.Minute, Region: "us-east-1", Service: "service"}
		if _, err := NewVerifier(1).Verify(c, exampleSecret, nil, opts); err != nil {
			t.Errorf("%s away: %+v", off, *err)
		}
	}
	for _, sloppy := range []string{
		strings.ReplaceAll(goodAuth, ", ", ","),
		strings.ReplaceAll(goodAuth, ", ", " ,  "),
		"AWS4-HMAC-SHA256 Signature=" + goodSignature + ",Extra=1,SignedHeaders=host;x-amz-date,Credential=" + goodScope,
	} {
		c, err := Parse(get(t, "/", auth(sloppy)...))
		if err != nil {
			t.Fatalf("%s: %+v", sloppy, *err)
		}
		if _, err := NewVerifier(1).Verify(c, exampleSecret, nil, Options{Now: signingTime}); err != nil {
			t.Errorf("%s: %+v", sloppy, *err)
		}
	}
}

func TestSignatureCarriesWhatStreamingNeeds(t *testing.T) {
	m := message{method: "PUT", path: "/bucket/a b", host: "127.0.0.1", header: http.Header{}, scope: Scope{Region: "us-east-1", Service: "s3"}, at: signingTime}
	wire, err := m.signed()
	if err != nil {
		t.Fatal(err)
	}
	opts := m.options()
	opts.BodyStreams = true
	c, refused := Parse(received(t, string(wire)))
	if refused != nil {
		t.Fatal(refused)
	}
	got, refused := NewVerifier(1).Verify(c, exampleSecret, []byte("ignored"), opts)
	if refused != nil {
		t.Fatal(refused)
	}
	want := Signature{
		Key:  deriveKey(exampleSecret, Scope{"20150830", "us-east-1", "s3"}),
		Seed: c.signature, Time: "20150830T123600Z", Scope: Scope{"20150830", "us-east-1", "s3"},
		PayloadHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	}
	if got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestKeyCache(t *testing.T) {
	v := NewVerifier(2)
	verify := func(secret string, body []byte) *Error {
		c, err := Parse(get(t, "/", auth(goodAuth)...))
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Verify(c, secret, body, Options{Now: signingTime})
		return err
	}
	if err := verify("wrong", nil); err == nil {
		t.Fatal("accepted a wrong secret")
	}
	if n := len(v.keys.young) + len(v.keys.old); n != 0 {
		t.Fatalf("%d keys of refused requests are remembered", n)
	}
	for range 2 { // derived, then remembered
		if err := verify(exampleSecret, nil); err != nil {
			t.Fatal(err)
		}
		if err := verify(exampleSecret, []byte("x")); err == nil {
			t.Fatal("accepted another body")
		}
	}
	used := Scope{"20150830", "us-east-1", "service"}
	for i := range 100 {
		v.keys.put("secret", Scope{Date: string(rune('a' + i))}, [32]byte{})
		if _, ok := v.keys.get(exampleSecret, used); !ok {
			t.Fatalf("a key in use was forgotten after %d others", i+1)
		}
		if n := len(v.keys.young) + len(v.keys.old); n > 4 {
			t.Fatalf("%d keys are held, want at most 4", n)
		}
	}
	if _, ok := v.keys.get("secret", Scope{Date: "a"}); ok {
		t.Fatal("a key out of use is still held")
	}
}
