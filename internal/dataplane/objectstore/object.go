package objectstore

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// attributes takes what describes an object out of a request's header fields.
func attributes(h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"} {
		if value := h.Get(name); value != "" {
			kept[name] = value
		}
	}
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			kept[name] = h.Get(name)
		}
	}
	return kept
}

// describe returns the header fields that tell what an object is. The checksum
// is told of the whole content only: clients hold what they read to it.
func (o *object) describe(op *s3.Operation, at span) http.Header {
	h := http.Header{"Etag": {o.etag}, "Last-Modified": {o.modified.Format(http.TimeFormat)}}
	for name, value := range o.attribute {
		h.Set(name, value)
	}
	if strings.EqualFold(op.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") && o.checksum.Algorithm != "" && !at.partial {
		h.Set(o.checksum.Header(), o.checksum.Value)
		h.Set("X-Amz-Checksum-Type", o.checksum.Type())
	}
	return h
}

// hold finds an object and keeps its content from going until it is released.
func (s *Store) hold(ctx context.Context, account, bucket, key string) (*object, error) {
	for {
		before := s.blobs.removals()
		o, err := s.index.object(ctx, account, bucket, key)
		if err != nil {
			return nil, err
		}
		if s.blobs.hold(o.blobs) == before {
			return o, nil
		}
		// Something was removed in between: perhaps this.
		again, err := s.index.object(ctx, account, bucket, key)
		if err == nil && slices.Equal(again.blobs, o.blobs) {
			return again, nil
		}
		s.blobs.release(o.blobs)
		if err != nil {
			return nil, err
		}
	}
}

// tell tells what of an object is asked for, and where its content lies.
func (o *object) tell(op *s3.Operation) (*s3.Answer, span, error) {
	if err := checkRead(op.Header, "", o); err != nil {
		return nil, span{}, err
	}
	at, err := o.span(op)
	if err != nil {
		return nil, span{}, err
	}
	a := &s3.Answer{Header: o.describe(op, at), Size: at.length}
	if at.partial {
		a.Status = http.StatusPartialContent
		a.Header.Set("Content-Range", at.contentRange(o.size))
	}
	if op.Query["partNumber"] != "" && strings.Contains(o.etag, "-") {
		a.Header.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(o.blobs)))
	}
	return a, at, nil
}

func (s *Store) headObject(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	o, err := s.index.object(ctx, account, op.Bucket, op.Key)
	if err != nil {
		return nil, err
	}
	a, _, err := o.tell(op)
	return a, err
}

func (s *Store) getObject(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	o, err := s.hold(ctx, account, op.Bucket, op.Key)
	if err != nil {
		return nil, err
	}
	a, at, err := o.tell(op)
	if err != nil {
		s.blobs.release(o.blobs)
		return nil, err
	}
	a.Body, err = s.blobs.open(o.blobs, at.offset, at.length)
	return a, err
}

func (s *Store) putObject(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	if err := s.expectWrite(ctx, account, op); err != nil {
		return nil, err
	}
	tags, err := tagsOf(op.Header)
	if err != nil {
		return nil, err
	}
	made, sum, err := s.blobs.write(ctx, op.Body)
	if err != nil {
		return nil, err
	}
	o := &object{
		key: op.Key, size: made.Size, etag: `"` + hex.EncodeToString(sum) + `"`, modified: s.time(),
		checksum: op.Checksum(), attribute: attributes(op.Header), tags: tags, blobs: []blob{made},
	}
	if err := s.replace(ctx, account, op, o); err != nil {
		return nil, err
	}
	a := &s3.Answer{Header: http.Header{"Etag": {o.etag}}}
	if o.checksum.Algorithm != "" {
		a.Header.Set(o.checksum.Header(), o.checksum.Value)
		a.Header.Set("X-Amz-Checksum-Type", o.checksum.Type())
	}
	return a, nil
}

// expectWrite looks early at whether an object may be written at all: before
// its content is read.
func (s *Store) expectWrite(ctx context.Context, account string, op *s3.Operation) error {
	return s.index.view(ctx, func(tx *tx) error { return tx.expectWrite(account, op) })
}

func (t *tx) expectWrite(account string, op *s3.Operation) error {
	if err := t.requireBucket(account, op.Bucket); err != nil {
		return err
	}
	if op.Header.Get("If-Match") == "" && op.Header.Get("If-None-Match") == "" {
		return nil
	}
	o, err := t.object(account, op.Bucket, op.Key)
	if e, ok := errors.AsType[*s3.Error](err); ok && e.Code == "NoSuchKey" {
		if op.Header.Get("If-Match") != "" {
			return err
		}
		return nil
	}
	if err != nil {
		return err
	}
	return checkWrite(op.Header, o)
}

// replace puts o in the place of the object before. When that fails, o's
// content goes.
func (s *Store) replace(ctx context.Context, account string, op *s3.Operation, o *object) error {
	var gone []blob
	err := s.index.update(ctx, func(tx *tx) error {
		if err := tx.expectWrite(account, op); err != nil {
			return err
		}
		var err error
		gone, err = tx.putObject(account, op.Bucket, o)
		return err
	})
	if err != nil {
		gone = o.blobs
	}
	s.blobs.remove(gone...)
	return err
}

func (s *Store) deleteObject(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	gone, err := s.drop(ctx, account, op.Bucket, op.Key, op.Header)
	s.blobs.remove(gone...)
	return new(s3.Answer), err
}

// drop deletes an object from the index, if there is one, and returns its
// files.
func (s *Store) drop(ctx context.Context, account, bucket, key string, h http.Header) (gone []blob, err error) {
	err = s.index.update(ctx, func(tx *tx) error {
		if err := tx.requireBucket(account, bucket); err != nil {
			return err
		}
		if h.Get("If-Match") != "" {
			o, err := tx.object(account, bucket, key)
			if err != nil {
				return err
			}
			if err := checkWrite(h, o); err != nil {
				return err
			}
		}
		gone, err = tx.deleteObject(account, bucket, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

func (s *Store) deleteObjects(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	request, ok := op.Document.(*s3.Delete)
	if !ok {
		return nil, s3.Fail("MalformedXML")
	}
	out := new(s3.DeleteResult)
	var gone []blob
	err := s.index.update(ctx, func(tx *tx) error {
		if err := tx.requireBucket(account, op.Bucket); err != nil {
			return err
		}
		for _, o := range request.Objects {
			blobs, err := tx.drop(account, op.Bucket, o)
			if e, ok := errors.AsType[*s3.Error](err); ok {
				out.Errors = append(out.Errors, s3.DeleteError{Key: o.Key, VersionID: o.VersionID, Code: e.Code, Message: e.Message})
				continue
			}
			if err != nil {
				return err
			}
			gone = append(gone, blobs...)
			if !request.Quiet {
				out.Deleted = append(out.Deleted, s3.Deleted{Key: o.Key, VersionID: o.VersionID})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.blobs.remove(gone...)
	return &s3.Answer{Document: out}, nil
}

// drop deletes an object when it is the one that is meant, and returns its
// files.
func (t *tx) drop(account, bucket string, want s3.ObjectToDrop) ([]blob, error) {
	if want.VersionID != "" && want.VersionID != noVersion {
		return nil, s3.Fail("NoSuchVersion")
	}
	if want.ETag != "" {
		o, err := t.object(account, bucket, want.Key)
		if err != nil {
			return nil, err
		}
		if err := checkWrite(http.Header{"If-Match": {want.ETag}}, o); err != nil {
			return nil, err
		}
	}
	return t.deleteObject(account, bucket, want.Key)
}

func (s *Store) copyObject(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	if err := s.expectWrite(ctx, account, op); err != nil {
		return nil, err
	}
	from, body, err := s.openSource(ctx, account, op, "")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	o := &object{key: op.Key, attribute: from.attribute, tags: from.tags}
	replaced := strings.EqualFold(op.Header.Get("X-Amz-Metadata-Directive"), "REPLACE")
	if replaced {
		o.attribute = attributes(op.Header)
	}
	if strings.EqualFold(op.Header.Get("X-Amz-Tagging-Directive"), "REPLACE") {
		if o.tags, err = tagsOf(op.Header); err != nil {
			return nil, err
		}
	}
	if *op.Source == (s3.Source{Bucket: op.Bucket, Key: op.Key}) && !replaced {
		return nil, s3.Fail("InvalidRequest").Saying("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	summed := newSummed(body, either(op.Header.Get("X-Amz-Checksum-Algorithm"), from.checksum.Algorithm))
	made, sum, err := s.blobs.write(ctx, summed)
	if err != nil {
		return nil, err
	}
	o.size, o.etag, o.modified, o.blobs = made.Size, `"`+hex.EncodeToString(sum)+`"`, s.time(), []blob{made}
	o.checksum = summed.checksum()
	if err := s.replace(ctx, account, op, o); err != nil {
		return nil, err
	}
	out := &s3.CopyObjectResult{LastModified: s3.Time{Time: o.modified}, ETag: o.etag}
	out.Add(o.checksum)
	return &s3.Answer{Document: out}, nil
}

// openSource opens what is copied: all of it, or a range in the form of
// X-Amz-Copy-Source-Range.
func (s *Store) openSource(ctx context.Context, account string, op *s3.Operation, part string) (*object, io.ReadCloser, error) {
	if v := op.Source.VersionID; v != "" && v != noVersion {
		return nil, nil, s3.Fail("NoSuchVersion").With("VersionId", v)
	}
	from, err := s.hold(ctx, account, op.Source.Bucket, op.Source.Key)
	if err != nil {
		return nil, nil, err
	}
	at, err := from.sourceSpan(op.Header, part)
	if err != nil {
		s.blobs.release(from.blobs)
		return nil, nil, err
	}
	body, err := s.blobs.open(from.blobs, at.offset, at.length)
	return from, body, err
}

// sourceSpan returns where in a source lies what is copied.
func (o *object) sourceSpan(h http.Header, part string) (span, error) {
	if err := checkRead(h, "X-Amz-Copy-Source-", o); err != nil {
		return span{}, err
	}
	if part == "" {
		return span{length: o.size}, nil
	}
	at, ok := exactRange(part, o.size)
	if !ok {
		return span{}, s3.Fail("InvalidArgument").Saying("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy").
			With("ArgumentName", "x-amz-copy-source-range")
	}
	return at, nil
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// stamp reads a time of HTTP.
func stamp(text string) (time.Time, bool) {
	t, err := http.ParseTime(text)
	return t, err == nil
}
