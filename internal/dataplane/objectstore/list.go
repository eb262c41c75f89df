package objectstore

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// maxList is the length of a page when the caller names none.
const maxList = 1000

// listing is a walk over keys in their order.
type listing struct {
	prefix, delimiter string
	// after is the last key, or group of keys, that the caller has; id the one
	// of several entries with that key.
	after, id string
	limit     int
}

func newListing(op *s3.Operation, after, limit string) listing {
	l := listing{prefix: op.Query["prefix"], delimiter: op.Query["delimiter"], after: after, limit: maxList}
	if n, given := op.Query[limit]; given {
		l.limit, _ = strconv.Atoi(n) // was checked
	}
	return l
}

// group returns the common prefix that stands for the key; "" for none.
func (l *listing) group(key string) string {
	if l.delimiter == "" || !strings.HasPrefix(key, l.prefix) {
		return ""
	}
	before, _, found := strings.Cut(key[len(l.prefix):], l.delimiter)
	if !found {
		return ""
	}
	return l.prefix + before + l.delimiter
}

// from returns where the walk begins: at a key, or behind it.
func (l *listing) from() (key, id string, behind bool) {
	switch {
	case l.after != "" && l.group(l.after) == l.after:
		return successor(l.after), "", false // behind the whole group
	case l.after < l.prefix:
		return l.prefix, "", false
	default:
		return l.after, l.id, l.after != ""
	}
}

// page is what a walk has found.
type page[T any] struct {
	items     []T
	groups    []s3.Prefix
	last      string // key or group
	lastID    string
	truncated bool
}

// walk lists entries. fetch returns at most n of them from a key on, or behind
// it (and behind the id), in their order, before the key that is the limit; ""
// is none.
func walk[T any](l listing, key func(T) (key, id string), fetch func(from, id string, behind bool, limit string, n int) ([]T, error)) (page[T], error) {
	var p page[T]
	if l.limit == 0 {
		return p, nil
	}
	from, id, behind := l.from()
	for {
		want := l.limit + 1 - len(p.items) - len(p.groups)
		found, err := fetch(from, id, behind, successor(l.prefix), want)
		if err != nil {
			return p, err
		}
		group := ""
		for _, item := range found {
			k, itemID := key(item)
			if group != "" && strings.HasPrefix(k, group) {
				continue
			}
			if len(p.items)+len(p.groups) == l.limit {
				p.truncated = true
				return p, nil
			}
			if group = l.group(k); group != "" {
				p.groups = append(p.groups, s3.Prefix{Prefix: group})
				p.last, p.lastID = group, ""
			} else {
				p.items = append(p.items, item)
				p.last, p.lastID = k, itemID
			}
		}
		if len(found) < want {
			return p, nil
		}
		if from, id, behind = p.last, p.lastID, true; group != "" {
			from, behind = successor(group), false
		}
	}
}

// successor returns what follows, in the order of bytes, everything that
// begins with prefix; "" when nothing can.
func successor(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

// sealToken makes a continuation token. It holds nothing that the caller does
// not know.
func sealToken(key string) string { return "1" + base64.RawURLEncoding.EncodeToString([]byte(key)) }

func openToken(token string) (string, error) {
	if token == "" {
		return "", nil
	}
	text, ok := strings.CutPrefix(token, "1")
	key, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil {
		return "", s3.Fail("InvalidArgument").Saying("The continuation token provided is incorrect").With("ArgumentName", "continuation-token")
	}
	return string(key), nil
}

// walkObjects lists the objects of a bucket.
func (s *Store) walkObjects(ctx context.Context, account, bucket string, l listing) (p page[s3.Object], err error) {
	err = s.index.view(ctx, func(tx *tx) error {
		if err := tx.requireBucket(account, bucket); err != nil {
			return err
		}
		p, err = walk(l, func(o s3.Object) (string, string) { return o.Key, "" }, func(from, _ string, behind bool, limit string, n int) (found []s3.Object, err error) {
			compare := ">="
			if behind {
				compare = ">"
			}
			err = tx.rows(`SELECT key, size, etag, modified, algorithm FROM objects
				WHERE account = $1 AND bucket = $2 AND key `+compare+` $3 AND ($4 = '' OR key < $4) ORDER BY key LIMIT $5`,
				[]any{account, bucket, from, limit, n}, func(scan func(...any) error) error {
					var o s3.Object
					var modified int64
					if err := scan(&o.Key, &o.Size, &o.ETag, &modified, &o.ChecksumAlgorithm); err != nil {
						return err
					}
					o.LastModified.Time = time.UnixMilli(modified)
					found = append(found, o)
					return nil
				})
			return found, err
		})
		return err
	})
	return p, err
}

func (s *Store) listObjects(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	p, err := s.walkObjects(ctx, account, op.Bucket, newListing(op, op.Query["marker"], "max-keys"))
	if err != nil {
		return nil, err
	}
	out := &s3.ListBucketResult{IsTruncated: p.truncated, Contents: p.items, CommonPrefixes: p.groups}
	if p.truncated && op.Query["delimiter"] != "" {
		out.NextMarker = p.last
	}
	return &s3.Answer{Document: out}, nil
}

func (s *Store) listObjectsV2(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	after, err := openToken(op.Query["continuation-token"])
	if err != nil {
		return nil, err
	}
	if after == "" {
		after = op.Query["start-after"]
	}
	p, err := s.walkObjects(ctx, account, op.Bucket, newListing(op, after, "max-keys"))
	if err != nil {
		return nil, err
	}
	out := &s3.ListBucketResult{IsTruncated: p.truncated, Contents: p.items, CommonPrefixes: p.groups}
	if p.truncated {
		out.NextContinuationToken = sealToken(p.last)
	}
	return &s3.Answer{Document: out}, nil
}

// listVersions lists the one version that each object has.
func (s *Store) listVersions(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	p, err := s.walkObjects(ctx, account, op.Bucket, newListing(op, op.Query["key-marker"], "max-keys"))
	if err != nil {
		return nil, err
	}
	out := &s3.ListVersionsResult{IsTruncated: p.truncated, CommonPrefixes: p.groups}
	for _, o := range p.items {
		out.Versions = append(out.Versions, s3.Version{
			Key: o.Key, VersionID: noVersion, IsLatest: true, LastModified: o.LastModified, ETag: o.ETag, Size: &o.Size,
		})
	}
	if p.truncated {
		out.NextKeyMarker, out.NextVersionIDMarker = p.last, noVersion
	}
	return &s3.Answer{Document: out}, nil
}
