package objectstore

import (
	"context"
	"net/http"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// tagsOf reads the tags that a request gives an object.
func tagsOf(h http.Header) ([]s3.Tag, error) {
	tags, err := s3.ParseTags(h.Get("X-Amz-Tagging"))
	if err != nil {
		return nil, err
	}
	return tags, nil
}

func (s *Store) getTags(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	out := new(s3.Tagging)
	err := s.index.view(ctx, func(tx *tx) error {
		o, err := tx.object(account, op.Bucket, op.Key)
		if err == nil {
			out.Tags = o.tags
		}
		return err
	})
	return &s3.Answer{Document: out}, err
}

func (s *Store) putTags(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	request, ok := op.Document.(*s3.Tagging)
	if !ok {
		return nil, s3.Fail("MalformedXML")
	}
	return s.setTags(ctx, account, op, request.Tags)
}

func (s *Store) deleteTags(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	return s.setTags(ctx, account, op, nil)
}

func (s *Store) setTags(ctx context.Context, account string, op *s3.Operation, tags []s3.Tag) (*s3.Answer, error) {
	err := s.index.update(ctx, func(tx *tx) error {
		if _, err := tx.object(account, op.Bucket, op.Key); err != nil {
			return err
		}
		return tx.exec(`UPDATE objects SET tags = $1 WHERE account = $2 AND bucket = $3 AND key = $4`, text(tags), account, op.Bucket, op.Key)
	})
	return new(s3.Answer), err
}
