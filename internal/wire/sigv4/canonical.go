package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parameter is a query parameter, both parts in canonical encoding.
type parameter struct{ key, value string }

// parseQuery splits a raw query into parameters in canonical order. ok is
// false when a percent-encoding is broken.
func parseQuery(raw string) (list []parameter, ok bool) {
	if raw == "" {
		return nil, true
	}
	list = make([]parameter, 0, strings.Count(raw, "&")+1)
	for more := true; more; {
		var part string
		part, raw, more = strings.Cut(raw, "&")
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		var p parameter
		if p.key, ok = canonicalComponent(key); !ok {
			return nil, false
		}
		if p.value, ok = canonicalComponent(value); !ok {
			return nil, false
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b parameter) int {
		if a.key != b.key {
			return strings.Compare(a.key, b.key)
		}
		return strings.Compare(a.value, b.value)
	})
	return list, true
}

// canonicalComponent decodes a part of a query as a form parser does and
// encodes it by the signature's rules: all but unreserved characters as %XX
// with upper-case digits.
func canonicalComponent(s string) (string, bool) {
	if isUnreserved(s) {
		return s, true
	}
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return "", false
	}
	return string(appendEncoded(make([]byte, 0, len(s)), plain, false)), true
}

// parameter returns the decoded value of the (last) parameter called key, and
// how many there are.
func (c *Claim) parameter(key string) (value string, count int) {
	for _, p := range c.query {
		if p.key == key {
			value = p.value
			count++
		}
	}
	if count > 0 {
		value, _ = url.PathUnescape(value) // canonical, so it cannot fail
	}
	return value, count
}

func (c *Claim) has(key string) bool {
	return slices.ContainsFunc(c.query, func(p parameter) bool { return p.key == key })
}

func without(list []parameter, key string) []parameter {
	return slices.DeleteFunc(list, func(p parameter) bool { return p.key == key })
}

// sign computes the signature of the claim's request in hex.
func (c *Claim) sign(key [sha256.Size]byte, payloadHash string) (signature [2 * sha256.Size]byte) {
	var space [2048]byte
	request := sha256.Sum256(c.appendCanonicalRequest(space[:0], payloadHash))

	text := append(make([]byte, 0, 256), algorithm+"\n"...)
	text = append(text, c.date...)
	text = append(text, '\n')
	text = append(text, c.Scope.Date...)
	text = append(text, '/')
	text = append(text, c.Scope.Region...)
	text = append(text, '/')
	text = append(text, c.Scope.Service...)
	text = append(text, "/"+terminator+"\n"...)
	text = hex.AppendEncode(text, request[:])

	mac := hmac.New(sha256.New, key[:])
	mac.Write(text)
	var sum [sha256.Size]byte
	hex.Encode(signature[:], mac.Sum(sum[:0]))
	return signature
}

// appendCanonicalRequest appends the six parts that the signature covers:
// method, path, query, headers, their names, and the payload's hash.
func (c *Claim) appendCanonicalRequest(b []byte, payloadHash string) []byte {
	b = append(b, c.request.Method...)
	b = append(b, '\n')
	if encodesOnce(c.Scope.Service) {
		b = append(b, c.path...)
	} else {
		b = appendEncoded(b, c.path, true)
	}
	b = append(b, '\n')
	for i, p := range c.query {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, p.key...)
		b = append(b, '=')
		b = append(b, p.value...)
	}
	b = append(b, '\n')
	for rest := c.SignedHeaders; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, ";")
		b = append(b, name...)
		b = append(b, ':')
		b = c.appendHeader(b, name)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, c.SignedHeaders...)
	b = append(b, '\n')
	return append(b, payloadHash...)
}

// encodesOnce says whether the service signs the path as sent. The others
// sign it URI-encoded once more.
func encodesOnce(service string) bool {
	switch service {
	case "s3", "s3express", "s3-object-lambda", "s3-outposts":
		return true
	}
	return false
}

// appendHeader appends the canonical value of a header: its values trimmed,
// runs of spaces collapsed, joined by commas. net/http keeps some headers
// apart from the others.
func (c *Claim) appendHeader(b []byte, name string) []byte {
	r := c.request
	switch name {
	case "host", ":authority":
		host := r.Host
		if host == "" && r.URL != nil {
			host = r.URL.Host
		}
		return appendCollapsed(b, host)
	case "content-length":
		if len(r.Header["Content-Length"]) == 0 && r.ContentLength >= 0 {
			return strconv.AppendInt(b, r.ContentLength, 10)
		}
	}
	var space [64]byte
	for i, value := range r.Header[string(appendHeaderKey(space[:0], name))] {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCollapsed(b, value)
	}
	return b
}

// appendHeaderKey appends a lower-case header name in the form in which
// http.Header holds it.
func appendHeaderKey(b []byte, name string) []byte {
	upper := true
	for _, ch := range []byte(name) {
		if upper && 'a' <= ch && ch <= 'z' {
			ch -= 'a' - 'A'
		}
		upper = ch == '-'
		b = append(b, ch)
	}
	return b
}

// appendCollapsed appends value without spaces at its ends and with single
// spaces inside.
func appendCollapsed(b []byte, value string) []byte {
	value = strings.Trim(value, " ")
	if !strings.Contains(value, "  ") {
		return append(b, value...)
	}
	for i := range len(value) {
		if value[i] != ' ' || value[i-1] != ' ' {
			b = append(b, value[i])
		}
	}
	return b
}

// appendEncoded appends s with every byte but the unreserved ones (and, in a
// path, the slash) as %XX.
func appendEncoded(b []byte, s string, path bool) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		ch := s[i]
		if unreserved(ch) || path && ch == '/' {
			b = append(b, ch)
		} else {
			b = append(b, '%', digits[ch>>4], digits[ch&15])
		}
	}
	return b
}

func isUnreserved(s string) bool {
	for i := range len(s) {
		if !unreserved(s[i]) {
			return false
		}
	}
	return true
}

// unreserved is RFC 3986's set of characters that are never encoded.
func unreserved(ch byte) bool {
	return 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9' ||
		ch == '-' || ch == '.' || ch == '_' || ch == '~'
}

// isHeaderName says whether s is a lower-case HTTP field name (RFC 9110), or
// HTTP/2's name for the host.
func isHeaderName(s string) bool {
	if s == ":authority" {
		return true
	}
	for i := range len(s) {
		ch := s[i]
		if !('a' <= ch && ch <= 'z' || '0' <= ch && ch <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", ch) >= 0) {
			return false
		}
	}
	return s != ""
}
