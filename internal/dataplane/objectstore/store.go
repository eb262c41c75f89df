package objectstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/ident"
)

// orphanAge is how old a file of content must be before it may be taken for
// one that a crash has left behind: longer than any upload that is not named by
// the index yet.
const orphanAge = 24 * time.Hour

// Store keeps buckets and objects in a directory. It is an s3.Connector and
// safe for concurrent use.
type Store struct {
	index *index
	blobs *blobs
	ids   ident.Source
	now   func() time.Time
	table map[string]func(*Store, context.Context, string, *s3.Operation) (*s3.Answer, error)
}

var _ s3.Connector = (*Store)(nil)

// Open opens the store in dir, which it makes when it is not there.
func Open(ctx context.Context, dir string, ids ident.Source, now func() time.Time) (*Store, error) {
	content := filepath.Join(dir, "content")
	if err := os.MkdirAll(content, 0o700); err != nil {
		return nil, fmt.Errorf("the object store: %w", err)
	}
	x, err := openIndex(ctx, dir)
	if err != nil {
		return nil, err
	}
	return &Store{index: x, blobs: newBlobs(content, ids), ids: ids, now: now, table: operations()}, nil
}

// Close closes the store.
func (s *Store) Close() error { return s.index.close() }

// Sweep removes content that no object is made of, because a crash came
// between the two. It may run beside everything else.
func (s *Store) Sweep(ctx context.Context) error {
	var used map[string]bool
	err := s.index.view(ctx, func(tx *tx) (err error) {
		used, err = tx.usedBlobs()
		return err
	})
	if err != nil {
		return err
	}
	return s.blobs.sweep(ctx, used, s.now().Add(-orphanAge))
}

// Do is s3.Connector's.
func (s *Store) Do(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	do, ok := s.table[op.Name]
	if !ok {
		return nil, s3.Fail("NotImplemented")
	}
	if v := op.Query["versionId"]; v != "" && v != noVersion {
		return nil, s3.Fail("NoSuchVersion").With("VersionId", v)
	}
	return do(s, ctx, account, op)
}

// noVersion is the version id of objects in buckets that keep no versions, as
// all here.
const noVersion = "null"

func operations() map[string]func(*Store, context.Context, string, *s3.Operation) (*s3.Answer, error) {
	return map[string]func(*Store, context.Context, string, *s3.Operation) (*s3.Answer, error){
		"ListBuckets": (*Store).listBuckets, "CreateBucket": (*Store).createBucket, "DeleteBucket": (*Store).deleteBucket,
		"HeadBucket": (*Store).headBucket, "GetBucketLocation": (*Store).bucketLocation, "GetBucketVersioning": (*Store).bucketVersioning,
		"ListObjects": (*Store).listObjects, "ListObjectsV2": (*Store).listObjectsV2, "ListObjectVersions": (*Store).listVersions,
		"GetObject": (*Store).getObject, "HeadObject": (*Store).headObject, "PutObject": (*Store).putObject,
		"CopyObject": (*Store).copyObject, "DeleteObject": (*Store).deleteObject, "DeleteObjects": (*Store).deleteObjects,
		"GetObjectTagging": (*Store).getTags, "PutObjectTagging": (*Store).putTags, "DeleteObjectTagging": (*Store).deleteTags,
		"CreateMultipartUpload": (*Store).createUpload, "UploadPart": (*Store).uploadPart, "UploadPartCopy": (*Store).copyPart,
		"CompleteMultipartUpload": (*Store).completeUpload, "AbortMultipartUpload": (*Store).abortUpload,
		"ListParts": (*Store).listParts, "ListMultipartUploads": (*Store).listUploads,
	}
}

// time returns the time in the precision that is stored.
func (s *Store) time() time.Time { return s.now().UTC().Truncate(time.Millisecond) }
