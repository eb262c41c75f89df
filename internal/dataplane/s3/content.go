package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
)

// readDocument reads the body of an operation that has a document, or holds
// the request to having none.
func (c *call) readDocument(r *http.Request) *Error {
	if c.spec.body == streamed {
		return nil
	}
	limit := int64(0)
	if c.spec.body == document {
		limit = maxDocument
	}
	about := c.op.Header
	if c.spec.name == "CompleteMultipartUpload" {
		// A checksum in its header is that of the object.
		about = http.Header{"Content-Md5": c.op.Header["Content-Md5"]}
	}
	p, err := newPayload(r, incoming{r.Body, c.live}, about, &c.signature, limit)
	if err != nil {
		if c.spec.body == empty && (err.Code == "EntityTooLarge" || err.Code == "MissingContentLength") {
			return Fail("InvalidRequest").Saying("This operation takes no request body.")
		}
		return err
	}
	text, bad := io.ReadAll(p)
	if bad != nil {
		return c.why(bad)
	}
	for name := range about {
		if algorithmOf(name) != "" || name == "Content-Md5" {
			c.op.Header.Del(name) // of this body, not of the one that is built anew
		}
	}
	if c.spec.body == empty {
		return nil
	}
	if len(text) == 0 {
		if c.spec.name == "CreateBucket" {
			return nil
		}
		return Fail("MissingRequestBodyError")
	}
	if err := checkElements(text, c.spec.elements); err != nil {
		return err
	}
	c.op.Document = c.spec.request()
	if err := xml.NewDecoder(bytes.NewReader(text)).Decode(c.op.Document); err != nil { //nolint:gosec // into structs of a few fields, from 4 MiB at most
		return Fail("MalformedXML")
	}
	return checkDocument(c.op.Document)
}

// checkElements holds a document to the elements that are known in it, of which
// the first is its root: what is not read must not look as if it were done.
func checkElements(text []byte, known []string) *Error {
	d := xml.NewDecoder(bytes.NewReader(text)) //nolint:gosec // its tokens, of 4 MiB at most
	for root := true; ; {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return Fail("MalformedXML")
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
			continue
		case root && start.Name.Local != known[0]:
			return Fail("MalformedXML")
		case !slices.Contains(known, start.Name.Local):
			return Fail("NotImplemented").With("Element", clip(start.Name.Local))
		}
		root = false
	}
}

// checkDocument holds a document to its bounds.
func checkDocument(doc any) *Error {
	switch d := doc.(type) {
	case *Delete:
		if len(d.Objects) == 0 || len(d.Objects) > maxList {
			return Fail("MalformedXML")
		}
		for _, o := range d.Objects {
			if o.Key == "" || checkKey(o.Key) != nil {
				return Fail("MalformedXML")
			}
		}
	case *CompleteMultipartUpload:
		return checkParts(d.Parts)
	case *Tagging:
		return checkTags(d.Tags)
	}
	return nil
}

func checkParts(parts []CompletedPart) *Error {
	if len(parts) == 0 || len(parts) > maxPart {
		return Fail("MalformedXML")
	}
	last := 0
	for i := range parts {
		p := &parts[i]
		if p.PartNumber < 1 || p.PartNumber > maxPart || p.ETag == "" {
			return Fail("InvalidArgument").Saying("PartNumber must be >= 1").With("ArgumentName", "partNumber")
		}
		if p.PartNumber <= last {
			return Fail("InvalidPartOrder")
		}
		last = p.PartNumber
		p.ETag = `"` + strings.Trim(p.ETag, `"`) + `"`
	}
	return nil
}

// checkTags holds tags to S3's bounds: ten, keys of up to 128 characters that
// are all different, values of up to 256.
func checkTags(tags []Tag) *Error {
	if len(tags) > 10 {
		return Fail("InvalidTag").Saying("Object tags cannot be greater than 10")
	}
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		switch {
		case t.Key == "" || len([]rune(t.Key)) > 128:
			return Fail("InvalidTag").Saying("The TagKey you have provided is invalid").With("TagKey", clip(t.Key))
		case len([]rune(t.Value)) > 256:
			return Fail("InvalidTag").Saying("The TagValue you have provided is invalid").With("TagKey", clip(t.Key))
		case seen[t.Key]:
			return Fail("InvalidTag").Saying("Cannot provide multiple Tags with the same key").With("TagKey", clip(t.Key))
		}
		seen[t.Key] = true
	}
	return nil
}

// attachBody gives the operation the content that it stores.
func (c *call) attachBody(r *http.Request) *Error {
	if c.spec.body != streamed {
		return nil
	}
	p, err := newPayload(r, incoming{r.Body, c.live}, c.op.Header, &c.signature, maxContent)
	if err != nil {
		return err
	}
	c.payload, c.op.Body, c.op.Size, c.op.Checksum = p, p, p.size, p.told
	if isSHA256(c.signature.PayloadHash) {
		c.op.PayloadHash = c.signature.PayloadHash
	}
	if p.size > 0 {
		return nil
	}
	// Nobody reads to the end of what is empty.
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return c.why(err)
	}
	c.op.Body = http.NoBody
	return nil
}
