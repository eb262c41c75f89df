package objectstore

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's ETags are MD5
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// minPart is the least size of a part that is not the last, in bytes.
const minPart = 5 << 20

// upload is a row of uploads.
type upload struct {
	id               string
	algorithm        string // of the checksum; "" for none
	full             bool   // the checksum is one of the whole content
	attributes, tags string // as stored
}

// part is a row of parts.
type part struct {
	number   int
	size     int64
	etag     string
	modified time.Time
	checksum s3.Checksum
	blob     blob
}

func (s *Store) createUpload(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	tags, err := tagsOf(op.Header)
	if err != nil {
		return nil, err
	}
	algorithm := strings.ToUpper(op.Header.Get("X-Amz-Checksum-Algorithm"))
	kind := strings.ToUpper(op.Header.Get("X-Amz-Checksum-Type"))
	full := kind == "FULL_OBJECT" || algorithm == "CRC64NVME" && kind == ""
	if algorithm != "" && s3.NewChecksum(algorithm) == nil || full && strings.HasPrefix(algorithm, "SHA") {
		return nil, s3.Fail("InvalidRequest").Saying("The checksum algorithm is not supported, or not with that checksum type.")
	}
	id := s.ids.Hex(32)
	err = s.index.update(ctx, func(tx *tx) error {
		if err := tx.requireBucket(account, op.Bucket); err != nil {
			return err
		}
		return tx.exec(`INSERT INTO uploads (id, account, bucket, key, started, algorithm, full, attributes, tags)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			id, account, op.Bucket, op.Key, s.time().UnixMilli(), algorithm, full, text(attributes(op.Header)), text(tags))
	})
	a := &s3.Answer{Document: &s3.InitiateMultipartUploadResult{UploadID: id}, Header: http.Header{}}
	if algorithm != "" {
		a.Header.Set("X-Amz-Checksum-Algorithm", algorithm)
		a.Header.Set("X-Amz-Checksum-Type", checksumType(full))
	}
	return a, err
}

func checksumType(full bool) string {
	if full {
		return "FULL_OBJECT"
	}
	return "COMPOSITE"
}

// upload finds an upload that is under way.
func (t *tx) upload(account string, op *s3.Operation) (upload, error) {
	u := upload{id: op.Query["uploadId"]}
	found, err := t.row(`SELECT algorithm, full, attributes, tags FROM uploads WHERE id = $1 AND account = $2 AND bucket = $3 AND key = $4`,
		[]any{u.id, account, op.Bucket, op.Key}, &u.algorithm, &u.full, &u.attributes, &u.tags)
	if err != nil || found {
		return u, err
	}
	if err := t.requireBucket(account, op.Bucket); err != nil {
		return u, err
	}
	return u, s3.Fail("NoSuchUpload").With("UploadId", u.id)
}

func (s *Store) uploadPart(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	if _, err := s.findUpload(ctx, account, op); err != nil {
		return nil, err
	}
	made, sum, err := s.blobs.write(ctx, op.Body)
	if err != nil {
		return nil, err
	}
	p := part{etag: `"` + hex.EncodeToString(sum) + `"`, checksum: op.Checksum(), blob: made}
	if err := s.keepPart(ctx, account, op, &p); err != nil {
		return nil, err
	}
	a := &s3.Answer{Header: http.Header{"Etag": {p.etag}}}
	if p.checksum.Algorithm != "" {
		a.Header.Set(p.checksum.Header(), p.checksum.Value)
	}
	return a, nil
}

func (s *Store) findUpload(ctx context.Context, account string, op *s3.Operation) (u upload, err error) {
	err = s.index.view(ctx, func(tx *tx) error {
		u, err = tx.upload(account, op)
		return err
	})
	return u, err
}

// keepPart puts a part in the place of the one before. When that fails, its
// content goes.
func (s *Store) keepPart(ctx context.Context, account string, op *s3.Operation, p *part) error {
	p.number, _ = strconv.Atoi(op.Query["partNumber"]) // was checked
	p.size, p.modified = p.blob.Size, s.time()
	var gone []blob
	err := s.index.update(ctx, func(tx *tx) error {
		if _, err := tx.upload(account, op); err != nil {
			return err
		}
		var err error
		gone, err = tx.blobsOf(`SELECT blob FROM parts WHERE upload = $1 AND number = $2`, op.Query["uploadId"], p.number)
		if err != nil {
			return err
		}
		return tx.exec(`INSERT INTO parts (upload, number, size, etag, modified, algorithm, checksum, blob) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (upload, number) DO UPDATE SET size = excluded.size, etag = excluded.etag, modified = excluded.modified,
				algorithm = excluded.algorithm, checksum = excluded.checksum, blob = excluded.blob`,
			op.Query["uploadId"], p.number, p.size, p.etag, p.modified.UnixMilli(), p.checksum.Algorithm, p.checksum.Value, text(p.blob))
	})
	if err != nil {
		gone = []blob{p.blob}
	}
	s.blobs.remove(gone...)
	return err
}

func (s *Store) copyPart(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	u, err := s.findUpload(ctx, account, op)
	if err != nil {
		return nil, err
	}
	_, body, err := s.openSource(ctx, account, op, op.Header.Get("X-Amz-Copy-Source-Range"))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content := newSummed(body, u.algorithm)
	made, sum, err := s.blobs.write(ctx, content)
	if err != nil {
		return nil, err
	}
	p := part{etag: `"` + hex.EncodeToString(sum) + `"`, checksum: content.checksum(), blob: made}
	if err := s.keepPart(ctx, account, op, &p); err != nil {
		return nil, err
	}
	out := &s3.CopyPartResult{LastModified: s3.Time{Time: p.modified}, ETag: p.etag}
	out.Add(p.checksum)
	return &s3.Answer{Document: out}, nil
}

// parts returns the parts of an upload after a number, at most limit.
func (t *tx) parts(uploadID string, after, limit int) (found []part, err error) {
	err = t.rows(`SELECT number, size, etag, modified, algorithm, checksum, blob FROM parts WHERE upload = $1 AND number > $2 ORDER BY number LIMIT $3`,
		[]any{uploadID, after, limit}, func(scan func(...any) error) error {
			var p part
			var modified int64
			var file string
			if err := scan(&p.number, &p.size, &p.etag, &modified, &p.checksum.Algorithm, &p.checksum.Value, &file); err != nil {
				return err
			}
			p.modified = time.UnixMilli(modified).UTC()
			found = append(found, p)
			return json.Unmarshal([]byte(file), &found[len(found)-1].blob)
		})
	return found, err
}

// maxParts is how many parts an upload can have.
const maxParts = 10_000

func (s *Store) completeUpload(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	request, ok := op.Document.(*s3.CompleteMultipartUpload)
	if !ok || len(request.Parts) == 0 {
		return nil, s3.Fail("MalformedXML")
	}
	u, o, err := s.assemble(ctx, account, op, request.Parts)
	if err != nil {
		return s.completed(ctx, account, op, err)
	}
	var gone []blob
	err = s.index.update(ctx, func(tx *tx) error {
		if _, err := tx.upload(account, op); err != nil {
			return err // somebody else has ended it meanwhile
		}
		if err := tx.expectWrite(account, op); err != nil {
			return err
		}
		all, err := tx.parts(u.id, 0, maxParts)
		if err != nil {
			return err
		}
		if gone, err = unused(all, o.blobs); err != nil {
			return err
		}
		if err := tx.exec(`DELETE FROM uploads WHERE id = $1`, u.id); err != nil {
			return err
		}
		replaced, err := tx.putObject(account, op.Bucket, o)
		gone = append(gone, replaced...)
		return err
	})
	if err != nil {
		return s.completed(ctx, account, op, err)
	}
	s.blobs.remove(gone...)
	return completedAnswer(o), nil
}

func completedAnswer(o *object) *s3.Answer {
	out := &s3.CompleteMultipartUploadResult{ETag: o.etag}
	if o.checksum.Algorithm != "" {
		out.Add(o.checksum)
		out.ChecksumType = o.checksum.Type()
	}
	return &s3.Answer{Document: out}
}

// completed answers a repeated completion, whose first answer was lost or is
// still to come, as the first one.
func (s *Store) completed(ctx context.Context, account string, op *s3.Operation, failed error) (*s3.Answer, error) {
	if e, ok := errors.AsType[*s3.Error](failed); !ok || e.Code != "NoSuchUpload" {
		return nil, failed
	}
	o, err := s.index.object(ctx, account, op.Bucket, op.Key)
	if err != nil || o.upload != op.Query["uploadId"] {
		return nil, failed
	}
	return completedAnswer(o), nil
}

// unused returns the files of parts that are not among the files of an object.
// Every file of the object must be one of a part.
func unused(all []part, used []blob) (rest []blob, err error) {
	in := make(map[string]bool, len(used))
	for _, b := range used {
		in[b.ID] = true
	}
	for _, p := range all {
		if !in[p.blob.ID] {
			rest = append(rest, p.blob)
		}
		delete(in, p.blob.ID)
	}
	if len(in) > 0 {
		return nil, partReplaced()
	}
	return rest, nil
}

// partReplaced is the failure of a completion beside which a part is uploaded
// anew.
func partReplaced() error {
	return s3.Fail("InvalidPart").Saying("A part was replaced while the upload was completed.")
}

// assemble makes an object of the parts of an upload that the caller names.
func (s *Store) assemble(ctx context.Context, account string, op *s3.Operation, want []s3.CompletedPart) (u upload, o *object, err error) {
	var all []part
	err = s.index.view(ctx, func(tx *tx) error {
		if u, err = tx.upload(account, op); err != nil {
			return err
		}
		all, err = tx.parts(u.id, 0, maxParts)
		return err
	})
	if err != nil {
		return u, nil, err
	}
	chosen, err := choose(all, want)
	if err != nil {
		return u, nil, err
	}
	o = &object{key: op.Key, modified: s.time(), upload: u.id}
	if err := errors.Join(json.Unmarshal([]byte(u.attributes), &o.attribute), json.Unmarshal([]byte(u.tags), &o.tags)); err != nil {
		return u, nil, err
	}
	hash := md5.New() //nolint:gosec // S3's ETags are MD5
	for _, p := range chosen {
		raw, err := hex.DecodeString(strings.Trim(p.etag, `"`))
		if err != nil {
			return u, nil, err
		}
		hash.Write(raw)
		o.size += p.size
		o.blobs = append(o.blobs, p.blob)
	}
	o.etag = fmt.Sprintf(`"%x-%d"`, hash.Sum(nil), len(chosen))
	if size := op.Header.Get("X-Amz-Mp-Object-Size"); size != "" && size != strconv.FormatInt(o.size, 10) {
		return u, nil, s3.Fail("InvalidRequest").Saying("The provided 'x-amz-mp-object-size' header does not match what was computed.")
	}
	if o.checksum, err = s.checksumOf(ctx, u, chosen, o); err != nil {
		return u, nil, err
	}
	if told := op.Header.Get(o.checksum.Header()); o.checksum.Algorithm != "" && told != "" && told != o.checksum.Value {
		return u, nil, s3.Fail("BadDigest")
	}
	return u, o, nil
}

// choose finds the parts that the caller names.
func choose(all []part, want []s3.CompletedPart) ([]part, error) {
	byNumber := make(map[int]part, len(all))
	for _, p := range all {
		byNumber[p.number] = p
	}
	chosen := make([]part, 0, len(want))
	for _, w := range want {
		p, ok := byNumber[w.PartNumber]
		told := w.Of(p.checksum.Algorithm)
		if !ok || p.etag != w.ETag || told != "" && told != p.checksum.Value {
			return nil, s3.Fail("InvalidPart").With("PartNumber", strconv.Itoa(w.PartNumber)).With("ETag", w.ETag)
		}
		chosen = append(chosen, p)
	}
	for _, p := range chosen[:len(chosen)-1] {
		if p.size < minPart {
			return nil, s3.Fail("EntityTooSmall").With("ProposedSize", strconv.FormatInt(p.size, 10)).
				With("MinSizeAllowed", strconv.Itoa(minPart)).With("PartNumber", strconv.Itoa(p.number))
		}
	}
	return chosen, nil
}

// checksumOf returns the checksum of an object of parts: of its content, or of
// its parts' checksums when they all have one.
func (s *Store) checksumOf(ctx context.Context, u upload, parts []part, o *object) (s3.Checksum, error) {
	if u.algorithm == "" {
		return s3.Checksum{}, nil
	}
	if u.full {
		s.blobs.hold(o.blobs)
		body, err := s.blobs.open(o.blobs, 0, o.size)
		if err != nil {
			return s3.Checksum{}, err
		}
		defer body.Close()
		content := newSummed(body, u.algorithm)
		if _, err = io.Copy(io.Discard, reader{ctx, content}); errors.Is(err, fs.ErrNotExist) {
			err = partReplaced()
		}
		return content.checksum(), err
	}
	hash := s3.NewChecksum(u.algorithm)
	for _, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p.checksum.Value)
		if err != nil || p.checksum.Algorithm != u.algorithm {
			return s3.Checksum{}, s3.Fail("InvalidRequest").
				Saying("The upload was created using a " + strings.ToLower(u.algorithm) + " checksum. The complete request must include the checksum for each part. It was missing for part " + strconv.Itoa(p.number) + " in the request.")
		}
		hash.Write(raw)
	}
	return s3.Checksum{Algorithm: u.algorithm, Value: base64.StdEncoding.EncodeToString(hash.Sum(nil)) + "-" + strconv.Itoa(len(parts))}, nil
}

func (s *Store) abortUpload(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	var gone []blob
	err := s.index.update(ctx, func(tx *tx) error {
		u, err := tx.upload(account, op)
		if err != nil {
			return err
		}
		if gone, err = tx.blobsOf(`SELECT blob FROM parts WHERE upload = $1`, u.id); err != nil {
			return err
		}
		return tx.exec(`DELETE FROM uploads WHERE id = $1`, u.id)
	})
	if err != nil {
		return nil, err
	}
	s.blobs.remove(gone...)
	return new(s3.Answer), nil
}

func (s *Store) listParts(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	after, _ := strconv.Atoi(op.Query["part-number-marker"]) // was checked
	limit := newListing(op, "", "max-parts").limit
	out := new(s3.ListPartsResult)
	err := s.index.view(ctx, func(tx *tx) error {
		u, err := tx.upload(account, op)
		if err != nil {
			return err
		}
		found, err := tx.parts(u.id, after, limit+1)
		if err != nil {
			return err
		}
		out.IsTruncated = len(found) > limit && limit > 0
		for _, p := range found[:min(limit, len(found))] {
			listed := s3.Part{PartNumber: p.number, LastModified: s3.Time{Time: p.modified}, ETag: p.etag, Size: p.size}
			listed.Add(p.checksum)
			out.Parts = append(out.Parts, listed)
			out.NextPartNumberMarker = p.number
		}
		return nil
	})
	return &s3.Answer{Document: out}, err
}

func (s *Store) listUploads(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	l := newListing(op, op.Query["key-marker"], "max-uploads")
	l.id = op.Query["upload-id-marker"]
	out := new(s3.ListMultipartUploadsResult)
	err := s.index.view(ctx, func(tx *tx) error {
		if err := tx.requireBucket(account, op.Bucket); err != nil {
			return err
		}
		p, err := walk(l, func(u s3.Upload) (string, string) { return u.Key, u.UploadID }, func(from, id string, behind bool, limit string, n int) ([]s3.Upload, error) {
			return tx.uploads(account, op.Bucket, from, id, behind, limit, n)
		})
		out.IsTruncated, out.Uploads, out.CommonPrefixes = p.truncated, p.items, p.groups
		if p.truncated {
			out.NextKeyMarker, out.NextUploadIDMarker = p.last, p.lastID
		}
		return err
	})
	return &s3.Answer{Document: out}, err
}

// uploads reads a page of the uploads that are under way.
func (t *tx) uploads(account, bucket, from, id string, behind bool, limit string, n int) (found []s3.Upload, err error) {
	compare := "key >= $3"
	switch {
	case behind && id != "":
		compare = "(key, id) > ($3, $6)"
	case behind:
		compare = "key > $3"
	}
	err = t.rows(`SELECT key, id, started FROM uploads WHERE account = $1 AND bucket = $2 AND `+compare+` AND ($4 = '' OR key < $4)
		AND ($6 = $6) ORDER BY key, id LIMIT $5`, []any{account, bucket, from, limit, n, id}, func(scan func(...any) error) error {
		var u s3.Upload
		var started int64
		if err := scan(&u.Key, &u.UploadID, &started); err != nil {
			return err
		}
		u.Initiated.Time = time.UnixMilli(started)
		found = append(found, u)
		return nil
	})
	return found, err
}
