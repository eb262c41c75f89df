package sigv4

import (
	"bytes"
	"net/http"
	"testing"
	"time"
)

// benchmarkRequest is a CreateUser call of about 500 bytes, as received.
func benchmarkRequest(b *testing.B) (*http.Request, []byte, Options) {
	m := message{
		method: "POST", path: "/", host: "127.0.0.1:8484",
		header: http.Header{
			"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSIdentityStore.CreateUser"},
			"Amz-Sdk-Invocation-Id": {"0d3e0c6e-53a5-4e1b-8b4a-2f6f8f2b7a10"}, "Amz-Sdk-Request": {"attempt=1; max=3"},
			"Accept-Encoding": {"identity"},
		},
		body:  bytes.Repeat([]byte("0123456789"), 50),
		scope: Scope{Region: "us-east-1", Service: "identitystore"},
		at:    time.Date(2020, 11, 22, 3, 44, 0, 0, time.UTC),
	}
	wire, err := m.signed()
	if err != nil {
		b.Fatal(err)
	}
	return received(b, string(wire)), m.body, m.options()
}

func BenchmarkVerify(b *testing.B) {
	for _, cached := range []bool{true, false} {
		b.Run(map[bool]string{true: "cached key", false: "derived key"}[cached], func(b *testing.B) {
			r, body, opts := benchmarkRequest(b)
			v := NewVerifier(16)
			b.ReportAllocs()
			for b.Loop() {
				if !cached {
					v.keys = newKeyCache(1)
				}
				c, err := Parse(r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := v.Verify(c, exampleSecret, body, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	r, _, _ := benchmarkRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPresigned(b *testing.B) {
	m := message{
		method: "GET", path: "/", query: "Action=GetCallerIdentity&Version=2011-06-15", host: "127.0.0.1:8484", header: http.Header{},
		token: "FwoGZXIvYXdzEBYaDEXAMPLE/TOKEN+1234567890==", presign: true, expires: 60,
		scope: Scope{Region: "us-east-1", Service: "sts"}, at: time.Date(2020, 11, 22, 3, 44, 0, 0, time.UTC),
	}
	wire, err := m.signed()
	if err != nil {
		b.Fatal(err)
	}
	r, v, opts := received(b, string(wire)), NewVerifier(16), m.options()
	b.ReportAllocs()
	for b.Loop() {
		c, err := Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.Verify(c, exampleSecret, nil, opts); err != nil {
			b.Fatal(err)
		}
	}
}
