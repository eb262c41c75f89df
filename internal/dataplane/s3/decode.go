package s3

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of what requests carry (S3 API reference).
const (
	maxMetadata = 2 << 10 // bytes of names and values
	maxPart     = 10_000
	maxList     = 1000 // entries of a page of any list
)

// resolve finds the operation that a request asks for.
func (h *Handler) resolve(r *http.Request, bucket, key string, query map[string]string) (*operation, *Error) {
	at := accountLevel
	if bucket != "" {
		at = bucketLevel
	}
	if key != "" {
		at = objectLevel
	}
	copies := r.Header.Get("X-Amz-Copy-Source") != ""
	var found *operation
	for i := range h.table {
		o := &h.table[i]
		if o.method == r.Method && o.level == at && o.copies == copies && o.marked(query) &&
			(found == nil || len(o.marks) > len(found.marks)) {
			found = o
		}
	}
	if found == nil {
		if copies {
			return nil, Fail("NotImplemented")
		}
		return nil, Fail("MethodNotAllowed").With("Method", clip(r.Method))
	}
	for name := range query {
		if !found.takes(name) {
			return nil, Fail("NotImplemented").With("Parameter", clip(name))
		}
	}
	return found, nil
}

// readQuery reads the parameters of a request, each of which may be there
// once. Those of a query's signature are left out, and header fields that were
// signed into the query are returned by themselves.
func readQuery(r *http.Request, presigned bool) (query map[string]string, hoisted http.Header, bad *Error) {
	_, raw, _ := strings.Cut(r.RequestURI, "?")
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, nil, Fail("InvalidURI")
	}
	query, hoisted = make(map[string]string, len(values)), make(http.Header)
	for name, list := range values {
		if len(list) > 1 {
			return nil, nil, Fail("InvalidArgument").Saying("A query parameter may be given only once.").With("ArgumentName", clip(name))
		}
		switch {
		case !utf8.ValidString(list[0]) || strings.ContainsRune(list[0], 0):
			return nil, nil, Fail("InvalidURI")
		case name == "x-id": // SDKs repeat the operation's name in it
		case presigned && strings.HasPrefix(strings.ToLower(name), "x-amz-"):
			if !signs(name) {
				hoisted.Set(name, list[0])
			}
		default:
			query[name] = list[0]
		}
	}
	return query, hoisted, nil
}

// signs tells whether a parameter belongs to the signature in a query.
func signs(parameter string) bool {
	switch parameter {
	case "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
		"X-Amz-Security-Token", "X-Amz-Content-Sha256":
		return true
	}
	return false
}

// decode builds the operation from what the request carries, but for its body.
func (c *call) decode(r *http.Request) *Error {
	o := &Operation{Name: c.spec.name, Bucket: c.bucket, Key: c.key, Query: c.query, Header: make(http.Header), spec: c.spec}
	for name, values := range c.hoisted {
		if len(r.Header[name]) > 0 {
			return Fail("InvalidArgument").Saying("A header may be given only once, as a header or in the query.").With("ArgumentName", clip(name))
		}
		if err := c.takeHeader(o, name, values); err != nil {
			return err
		}
	}
	for name, values := range r.Header {
		if err := c.takeHeader(o, name, values); err != nil {
			return err
		}
	}
	c.op = o
	if err := checkMetadata(o.Header); err != nil {
		return err
	}
	if _, err := ParseTags(o.Header.Get("X-Amz-Tagging")); err != nil {
		return err
	}
	return checkNumbers(o.Query)
}

// field returns a header field of the request that the operation has, or that
// is accepted and changes nothing; "" when there is none.
func (c *call) field(name string) string {
	if value, passed := c.passed[name]; passed {
		return value
	}
	return c.op.Header.Get(name)
}

// takeHeader takes a header field over into the operation, when the table
// knows it there, or checks that it asks for nothing that is not done.
func (c *call) takeHeader(o *Operation, name string, values []string) *Error {
	amz := strings.HasPrefix(name, "X-Amz-")
	switch known := knows(c.spec.headers, name); {
	case !known && !amz:
		return nil
	case strings.HasPrefix(name, "X-Amz-Meta-") && known:
		o.Header.Set(name, strings.Join(values, ","))
		return nil
	case len(values) > 1:
		return Fail("InvalidArgument").Saying("A header may be given only once.").With("ArgumentName", clip(name))
	case name == "X-Amz-Copy-Source" && c.spec.copies:
		var err *Error
		o.Source, err = readSource(values[0])
		return err
	case name == "Content-Encoding":
		if value := withoutChunked(values[0]); value != "" {
			o.Header.Set(name, value)
		}
		return nil
	case known:
		o.Header.Set(name, values[0])
		return nil
	}
	if err := c.passOver(name, values[0]); err != nil {
		return err
	}
	c.passed[name] = values[0]
	return nil
}

// passOver accepts header fields that change nothing here, or not with that
// value, and refuses all others.
func (c *call) passOver(name, value string) *Error {
	switch name {
	case "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "X-Amz-Decoded-Content-Length", "X-Amz-Trailer",
		"X-Amz-User-Agent", "X-Amz-Request-Payer", "X-Amz-Checksum-Mode":
		return nil
	case "X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner":
		if value != c.caller.AccountID {
			return Fail("AccessDenied")
		}
		return nil
	case "X-Amz-Acl":
		// Objects belong to the bucket's owner, always.
		if value == "private" || value == "bucket-owner-full-control" {
			return nil
		}
		return Fail("AccessControlListNotSupported")
	case "X-Amz-Storage-Class":
		if value == "STANDARD" {
			return nil
		}
		return Fail("InvalidStorageClass")
	case "X-Amz-Object-Ownership":
		if value == "BucketOwnerEnforced" {
			return nil
		}
	case "X-Amz-Bucket-Object-Lock-Enabled":
		if strings.EqualFold(value, "false") {
			return nil
		}
	}
	if strings.HasPrefix(name, "X-Amz-Grant-") {
		return Fail("AccessControlListNotSupported")
	}
	return Fail("NotImplemented").With("Header", clip(name))
}

// withoutChunked removes from a Content-Encoding what is about the request
// only.
func withoutChunked(encoding string) string {
	parts := slices.DeleteFunc(strings.Split(encoding, ","), func(part string) bool {
		part = strings.TrimSpace(part)
		return part == "" || strings.EqualFold(part, "aws-chunked")
	})
	return strings.TrimSpace(strings.Join(parts, ","))
}

// readSource reads X-Amz-Copy-Source: bucket/key, encoded for URLs, perhaps
// with a slash before it and a version behind it.
func readSource(value string) (*Source, *Error) {
	bad := func() *Error {
		return Fail("InvalidArgument").Saying("Copy Source must mention the source bucket and key: sourcebucket/sourcekey").
			With("ArgumentName", "x-amz-copy-source")
	}
	value, version, versioned := strings.Cut(value, "?")
	s := new(Source)
	if versioned {
		id, ok := strings.CutPrefix(version, "versionId=")
		if !ok || id == "" {
			return nil, bad()
		}
		s.VersionID = id
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(value, "/"), "/")
	if !ok {
		// Some encode the slash too.
		plain, err := url.PathUnescape(strings.TrimPrefix(value, "/"))
		if err != nil {
			return nil, bad()
		}
		if bucket, key, ok = strings.Cut(strings.TrimPrefix(plain, "/"), "/"); !ok {
			return nil, bad()
		}
		s.Bucket, s.Key = bucket, key
	} else {
		var e1, e2 error
		s.Bucket, e1 = url.PathUnescape(bucket)
		s.Key, e2 = url.PathUnescape(key)
		if e1 != nil || e2 != nil {
			return nil, bad()
		}
	}
	if !wellNamed(s.Bucket) || s.Key == "" {
		return nil, bad()
	}
	return s, checkKey(s.Key)
}

func checkMetadata(h http.Header) *Error {
	size := 0
	for name := range h {
		if key, ok := strings.CutPrefix(name, "X-Amz-Meta-"); ok {
			size += len(key) + len(h.Get(name))
		}
	}
	if size > maxMetadata {
		return Fail("MetadataTooLarge").With("MaxSizeAllowed", strconv.Itoa(maxMetadata))
	}
	return nil
}

// checkNumbers holds parameters that are numbers, or of few values, to their
// bounds, and lowers those that S3 lowers.
func checkNumbers(query map[string]string) *Error {
	for name, value := range query {
		lowest, highest, lowered := 0, 0, false
		switch name {
		case "max-keys", "max-uploads", "max-parts", "max-buckets":
			highest, lowered = maxList, true
			if name == "max-buckets" {
				lowest, highest = 1, maxPart
			}
			if value == "" {
				delete(query, name)
				continue
			}
		case "partNumber":
			lowest, highest = 1, maxPart
		case "part-number-marker":
			highest, lowered = maxPart, true
		case "encoding-type":
			if value != "url" {
				return Fail("InvalidArgument").Saying("Invalid Encoding Method specified in Request").With("ArgumentName", name)
			}
			continue
		default:
			continue
		}
		n, err := strconv.ParseUint(value, 10, 31)
		switch {
		case err != nil || int(n) < lowest || int(n) > highest && !lowered:
			return Fail("InvalidArgument").Saying("Argument "+name+" must be an integer between "+strconv.Itoa(lowest)+" and "+strconv.Itoa(highest)).
				With("ArgumentName", name).With("ArgumentValue", clip(value))
		case int(n) > highest:
			query[name] = strconv.Itoa(highest)
		}
	}
	return nil
}
