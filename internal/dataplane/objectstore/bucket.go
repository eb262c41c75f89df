package objectstore

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// maxBuckets is how many buckets an account may have (S3's quota).
const maxBuckets = 10_000

func (s *Store) listBuckets(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	limit := maxBuckets
	if n := op.Query["max-buckets"]; n != "" {
		limit, _ = strconv.Atoi(n) // was checked
	}
	after, err := openToken(op.Query["continuation-token"])
	if err != nil {
		return nil, err
	}
	prefix := op.Query["prefix"]
	out := new(s3.ListAllMyBucketsResult)
	err = s.index.view(ctx, func(tx *tx) error {
		return tx.rows(`SELECT name, created FROM buckets WHERE account = $1 AND name > $2 AND name >= $3 AND ($4 = '' OR name < $4)
			ORDER BY name LIMIT $5`, []any{account, after, prefix, successor(prefix), limit + 1}, func(scan func(...any) error) error {
			var b s3.Bucket
			var created int64
			if err := scan(&b.Name, &created); err != nil {
				return err
			}
			b.CreationDate.Time = time.UnixMilli(created)
			out.Buckets = append(out.Buckets, b)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if len(out.Buckets) > limit {
		out.Buckets = out.Buckets[:limit]
		out.ContinuationToken = sealToken(out.Buckets[limit-1].Name)
	}
	return &s3.Answer{Document: out}, nil
}

func (s *Store) createBucket(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	err := s.index.update(ctx, func(tx *tx) error {
		var n int
		if _, err := tx.row(`SELECT count(*) FROM buckets WHERE account = $1`, []any{account}, &n); err != nil {
			return err
		}
		made, err := tx.changed(`INSERT INTO buckets (account, name, created) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			account, op.Bucket, s.time().UnixMilli())
		switch {
		case err != nil:
			return err
		case !made:
			return s3.Fail("BucketAlreadyOwnedByYou").With("BucketName", op.Bucket)
		case n >= maxBuckets:
			return s3.Fail("TooManyBuckets")
		}
		return nil
	})
	return new(s3.Answer), err
}

func (s *Store) deleteBucket(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	var gone []blob
	err := s.index.update(ctx, func(tx *tx) error {
		if err := tx.requireBucket(account, op.Bucket); err != nil {
			return err
		}
		var one int
		found, err := tx.row(`SELECT 1 FROM objects WHERE account = $1 AND bucket = $2 LIMIT 1`, []any{account, op.Bucket}, &one)
		if err != nil {
			return err
		}
		if found {
			return s3.Fail("BucketNotEmpty").With("BucketName", op.Bucket)
		}
		// Uploads that are under way end with their bucket.
		gone, err = tx.blobsOf(`SELECT p.blob FROM parts p JOIN uploads u ON u.id = p.upload WHERE u.account = $1 AND u.bucket = $2`, account, op.Bucket)
		if err != nil {
			return err
		}
		if err := tx.exec(`DELETE FROM uploads WHERE account = $1 AND bucket = $2`, account, op.Bucket); err != nil {
			return err
		}
		return tx.exec(`DELETE FROM buckets WHERE account = $1 AND name = $2`, account, op.Bucket)
	})
	if err != nil {
		return nil, err
	}
	s.blobs.remove(gone...)
	return new(s3.Answer), nil
}

// blobsOf returns the files that a query of one column names.
func (t *tx) blobsOf(query string, args ...any) (found []blob, err error) {
	err = t.rows(query, args, func(scan func(...any) error) error {
		var text string
		var b blob
		if err := scan(&text); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			return err
		}
		found = append(found, b)
		return nil
	})
	return found, err
}

func (s *Store) headBucket(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	err := s.index.view(ctx, func(tx *tx) error { return tx.requireBucket(account, op.Bucket) })
	return new(s3.Answer), err
}

func (s *Store) bucketLocation(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	answer, err := s.headBucket(ctx, account, op)
	answer.Document = new(s3.LocationConstraint)
	return answer, err
}

func (s *Store) bucketVersioning(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	answer, err := s.headBucket(ctx, account, op)
	answer.Document = new(s3.VersioningConfiguration)
	return answer, err
}
