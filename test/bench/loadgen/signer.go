package loadgen

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// signer signs the requests of one worker. It is written apart from the
// server's verifier, so that each checks the other, and remembers the signing
// key of the day.
type signer struct {
	who     Credentials
	region  string
	service string

	day string
	key []byte
}

// header is a header as sent and as signed.
type header struct{ name, lower, value string }

// appendRequest appends a signed HTTP/1.1 request. headers must be ordered by
// their lower-case names and include host and x-amz-date.
func (s *signer) appendRequest(b []byte, call *Call, headers []header, body []byte, now time.Time) []byte {
	date := now.UTC().Format("20060102T150405Z")
	s.refresh(date[:8])
	hash := sha256.Sum256(body)
	method, path := cmp.Or(call.method, "POST"), cmp.Or(call.path, "/")

	canonical := make([]byte, 0, 1024)
	canonical = append(canonical, method+"\n"+path+"\n\n"...)
	var names []byte
	for i, h := range headers {
		switch h.lower {
		case "x-amz-date":
			headers[i].value, h.value = date, date
		case "x-amz-content-sha256":
			h.value = hex.EncodeToString(hash[:])
			headers[i].value = h.value
		}
		canonical = append(canonical, h.lower...)
		canonical = append(canonical, ':')
		canonical = append(canonical, h.value...)
		canonical = append(canonical, '\n')
		if i > 0 {
			names = append(names, ';')
		}
		names = append(names, h.lower...)
	}
	canonical = append(canonical, '\n')
	canonical = append(canonical, names...)
	canonical = append(canonical, '\n')
	canonical = hex.AppendEncode(canonical, hash[:])

	scope := s.day + "/" + s.region + "/" + s.service + "/aws4_request"
	request := sha256.Sum256(canonical)
	text := append([]byte("AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"), hex.EncodeToString(request[:])...)

	b = append(b, method+" "+path+" HTTP/1.1\r\n"...)
	for _, h := range headers {
		b = append(b, h.name...)
		b = append(b, ": "...)
		b = append(b, h.value...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "User-Agent: atrium-bench/1\r\nAuthorization: AWS4-HMAC-SHA256 Credential="...)
	b = append(b, s.who.AccessKeyID...)
	b = append(b, '/')
	b = append(b, scope...)
	b = append(b, ", SignedHeaders="...)
	b = append(b, names...)
	b = append(b, ", Signature="...)
	b = hex.AppendEncode(b, mac(s.key, text))
	b = append(b, "\r\n\r\n"...)
	return append(b, body...)
}

func (s *signer) refresh(day string) {
	if s.day == day {
		return
	}
	s.day = day
	key := mac([]byte("AWS4"+s.who.SecretAccessKey), []byte(day))
	key = mac(key, []byte(s.region))
	key = mac(key, []byte(s.service))
	s.key = mac(key, []byte("aws4_request"))
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}

// headersOf returns the headers that an SDK sends and signs with a call, in
// the order of signing.
func headersOf(host string, who Credentials, call Call, length int) []header {
	list := []header{
		{"Accept-Encoding", "accept-encoding", "identity"},
		{"Amz-Sdk-Invocation-Id", "amz-sdk-invocation-id", "0d3e0c6e-53a5-4e1b-8b4a-2f6f8f2b7a10"},
		{"Amz-Sdk-Request", "amz-sdk-request", "attempt=1; max=3"},
	}
	if call.method != "GET" {
		list = append(list, header{"Content-Length", "content-length", strconv.Itoa(length)})
	}
	if call.contentType != "" {
		list = append(list, header{"Content-Type", "content-type", call.contentType})
	}
	list = append(list, header{"Host", "host", host})
	if call.service == "s3" {
		list = append(list, header{"X-Amz-Content-Sha256", "x-amz-content-sha256", ""})
	}
	list = append(list, header{"X-Amz-Date", "x-amz-date", ""})
	if who.SessionToken != "" {
		list = append(list, header{"X-Amz-Security-Token", "x-amz-security-token", who.SessionToken})
	}
	if call.target != "" {
		list = append(list, header{"X-Amz-Target", "x-amz-target", call.target})
	}
	return list
}

// appendGet appends a request that is not signed, with the headers that an SDK
// sends.
func appendGet(b []byte, host string, call *Call) []byte {
	b = append(b, "GET "...)
	b = append(b, call.get...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\nUser-Agent: atrium-bench/1\r\nAccept-Encoding: identity\r\n"+
		"Amz-Sdk-Invocation-Id: 0d3e0c6e-53a5-4e1b-8b4a-2f6f8f2b7a10\r\nAmz-Sdk-Request: attempt=1; max=3\r\n"...)
	for _, h := range call.headers {
		b = append(b, h.name...)
		b = append(b, ": "...)
		b = append(b, h.value...)
		b = append(b, "\r\n"...)
	}
	return append(b, "\r\n"...)
}
