package s3

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxKey is the longest key of an object, in bytes.
const maxKey = 1024

// Serves tells whether content is served under the host name of a request: the
// data host's own, or that of a bucket below it.
func (h *Handler) Serves(host string) bool {
	_, ok := h.bucketOf(host)
	return ok
}

// bucketOf returns the bucket that a host name holds, "" when it is a data
// host's own. Buckets are names below a data host that has a name: an address
// has none below it.
func (h *Handler) bucketOf(host string) (bucket string, ok bool) {
	host = strings.ToLower(host)
	for _, data := range h.hosts {
		if host == data {
			return "", true
		}
		if bucket, below := strings.CutSuffix(host, "."+data); below && wellNamed(bucket) && !isAddress(data) {
			return bucket, true
		}
	}
	return "", false
}

// dataHosts are the names of the data host: its own, and AWS's, for networks
// that redirect them here.
func dataHosts(own *url.URL, region string) []string {
	return []string{strings.ToLower(own.Host), "s3." + region + ".amazonaws.com", "s3.amazonaws.com"}
}

// isAddress tells whether a host, perhaps with a port, is an IP address.
func isAddress(host string) bool {
	_, err := netip.ParseAddrPort(host)
	if err != nil {
		_, err = netip.ParseAddr(strings.Trim(host, "[]"))
	}
	return err == nil
}

// address reads bucket and key from a request: from the path as it was sent,
// which is split before it is decoded and is never cleaned.
func (h *Handler) address(r *http.Request) (bucket, key string, err *Error) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	path, rooted := strings.CutPrefix(path, "/")
	if !rooted {
		return "", "", Fail("InvalidURI")
	}
	if below, _ := h.bucketOf(r.Host); below != "" {
		bucket = below
	} else {
		bucket, path, _ = strings.Cut(path, "/")
	}
	bucket, bad := url.PathUnescape(bucket)
	if bad != nil {
		return "", "", Fail("InvalidURI")
	}
	if key, bad = url.PathUnescape(path); bad != nil {
		return "", "", Fail("InvalidURI")
	}
	switch {
	case bucket == "" && key != "":
		return "", "", Fail("InvalidURI")
	case bucket != "" && !wellNamed(bucket):
		return "", "", Fail("InvalidBucketName").With("BucketName", clip(bucket))
	}
	return bucket, key, checkKey(key)
}

// checkKey says what is wrong with an object's key; nil for nothing.
func checkKey(key string) *Error {
	switch {
	case len(key) > maxKey:
		return Fail("KeyTooLongError")
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return Fail("InvalidURI")
	}
	return nil
}

// wellNamed tells whether S3 would have a bucket of that name (S3 User Guide,
// "General purpose bucket naming rules").
func wellNamed(bucket string) bool {
	if len(bucket) < 3 || len(bucket) > 63 || strings.Contains(bucket, "..") {
		return false
	}
	for i := range len(bucket) {
		switch ch := bucket[i]; {
		case 'a' <= ch && ch <= 'z', '0' <= ch && ch <= '9':
		case (ch == '-' || ch == '.') && i > 0 && i < len(bucket)-1:
		default:
			return false
		}
	}
	if _, err := netip.ParseAddr(bucket); err == nil {
		return false
	}
	for _, prefix := range []string{"xn--", "sthree-"} {
		if strings.HasPrefix(bucket, prefix) {
			return false
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(bucket, suffix) {
			return false
		}
	}
	return true
}

// clip shortens what a caller sent before it is shown.
func clip(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.ToValidUTF8(s, "?")
}
