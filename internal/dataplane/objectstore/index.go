package objectstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// schema is the index. Keys are ordered by their bytes, as S3 lists them.
const schema = `
CREATE TABLE buckets (
	account TEXT NOT NULL,
	name    TEXT NOT NULL,
	created INTEGER NOT NULL,
	PRIMARY KEY (account, name)
) WITHOUT ROWID;
CREATE TABLE objects (
	account    TEXT NOT NULL,
	bucket     TEXT NOT NULL,
	key        TEXT NOT NULL,
	size       INTEGER NOT NULL,
	etag       TEXT NOT NULL,
	modified   INTEGER NOT NULL,
	algorithm  TEXT NOT NULL,
	checksum   TEXT NOT NULL,
	upload     TEXT NOT NULL,
	attributes TEXT NOT NULL,
	tags       TEXT NOT NULL,
	blobs      TEXT NOT NULL,
	PRIMARY KEY (account, bucket, key),
	FOREIGN KEY (account, bucket) REFERENCES buckets (account, name)
);
CREATE TABLE uploads (
	id         TEXT NOT NULL PRIMARY KEY,
	account    TEXT NOT NULL,
	bucket     TEXT NOT NULL,
	key        TEXT NOT NULL,
	started    INTEGER NOT NULL,
	algorithm  TEXT NOT NULL,
	full       INTEGER NOT NULL,
	attributes TEXT NOT NULL,
	tags       TEXT NOT NULL,
	FOREIGN KEY (account, bucket) REFERENCES buckets (account, name)
);
CREATE INDEX uploads_by_key ON uploads (account, bucket, key, id);
CREATE TABLE parts (
	upload   TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
	number   INTEGER NOT NULL,
	size     INTEGER NOT NULL,
	etag     TEXT NOT NULL,
	modified INTEGER NOT NULL,
	algorithm TEXT NOT NULL,
	checksum TEXT NOT NULL,
	blob     TEXT NOT NULL,
	PRIMARY KEY (upload, number)
) WITHOUT ROWID;
PRAGMA user_version = 1;
`

// index says which objects there are.
type index struct {
	reads  *sql.DB
	writes *sql.DB   // one connection
	byKey  *sql.Stmt // objectByKey, on reads: what is asked most
}

func openIndex(ctx context.Context, dir string) (*index, error) {
	open := func(connections int, options string) (*sql.DB, error) {
		db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.Join(dir, "index.db")}).EscapedPath()+
			"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)"+options)
		if err == nil {
			db.SetMaxOpenConns(connections)
			db.SetMaxIdleConns(connections)
		}
		return db, err
	}
	x := new(index)
	var err error
	if x.writes, err = open(1, "&_txlock=immediate"); err != nil {
		return nil, err
	}
	if x.reads, err = open(8, ""); err != nil {
		return nil, errors.Join(err, x.writes.Close())
	}
	if err = x.prepare(ctx); err == nil {
		x.byKey, err = x.reads.PrepareContext(ctx, objectByKey)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the index of the object store: %w", err), x.close())
	}
	return x, nil
}

// prepare makes the schema in a new index.
func (x *index) prepare(ctx context.Context) error {
	var version int
	if err := x.writes.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch version {
	case 1:
		return nil
	case 0:
		return x.update(ctx, func(tx *tx) error { return tx.exec(schema) })
	default:
		return fmt.Errorf("it has version %d, from a newer program", version)
	}
}

func (x *index) close() (err error) {
	if x.byKey != nil {
		err = x.byKey.Close()
	}
	return errors.Join(err, x.reads.Close(), x.writes.Close())
}

// tx is a transaction on the index.
type tx struct {
	ctx context.Context //nolint:containedctx // that of the transaction
	*sql.Tx
}

// update runs f in a transaction that writes.
func (x *index) update(ctx context.Context, f func(*tx) error) error { return run(ctx, x.writes, f) }

// view runs f in a transaction that reads.
func (x *index) view(ctx context.Context, f func(*tx) error) error { return run(ctx, x.reads, f) }

func run(ctx context.Context, db *sql.DB, f func(*tx) error) error {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(&tx{ctx, t}); err != nil {
		_ = t.Rollback() // the error tells more
		return err
	}
	return t.Commit()
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.ExecContext(t.ctx, query, args...)
	return err
}

// changed runs a statement and tells whether it changed a row.
func (t *tx) changed(query string, args ...any) (bool, error) {
	result, err := t.ExecContext(t.ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// row reads one row; false when there is none.
func (t *tx) row(query string, args []any, into ...any) (bool, error) {
	err := t.QueryRowContext(t.ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// rows calls each for every row.
func (t *tx) rows(query string, args []any, each func(scan func(...any) error) error) error {
	rows, err := t.QueryContext(t.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// object is a row of objects.
type object struct {
	key       string
	size      int64
	etag      string // in quotes
	modified  time.Time
	checksum  s3.Checksum
	upload    string // that it was made by; "" for none
	attribute map[string]string
	tags      []s3.Tag
	blobs     []blob
}

// objectByKey finds an object.
const objectByKey = `SELECT size, etag, modified, algorithm, checksum, upload, attributes, tags, blobs FROM objects
	WHERE account = $1 AND bucket = $2 AND key = $3`

// object reads an object outside of a transaction.
func (x *index) object(ctx context.Context, account, bucket, key string) (o *object, err error) {
	o, err = readObject(x.byKey.QueryRowContext(ctx, account, bucket, key), key)
	if errors.Is(err, sql.ErrNoRows) {
		err = x.view(ctx, func(tx *tx) (err error) {
			o, err = tx.object(account, bucket, key)
			return err
		})
	}
	return o, err
}

// object reads an object; NoSuchKey when there is none, NoSuchBucket when its
// bucket is not there.
func (t *tx) object(account, bucket, key string) (*object, error) {
	o, err := readObject(t.QueryRowContext(t.ctx, objectByKey, account, bucket, key), key)
	if !errors.Is(err, sql.ErrNoRows) {
		return o, err
	}
	if err := t.requireBucket(account, bucket); err != nil {
		return nil, err
	}
	return nil, s3.Fail("NoSuchKey").With("Key", key)
}

func readObject(row *sql.Row, key string) (*object, error) {
	o := &object{key: key}
	var modified int64
	var attributes, tags, blobs string
	if err := row.Scan(&o.size, &o.etag, &modified, &o.checksum.Algorithm, &o.checksum.Value, &o.upload, &attributes, &tags, &blobs); err != nil {
		return nil, err
	}
	o.modified = time.UnixMilli(modified).UTC()
	return o, errors.Join(json.Unmarshal([]byte(attributes), &o.attribute), json.Unmarshal([]byte(tags), &o.tags), json.Unmarshal([]byte(blobs), &o.blobs))
}

// putObject stores an object and returns the files of the one before.
func (t *tx) putObject(account, bucket string, o *object) ([]blob, error) {
	var old string
	var replaced []blob
	found, err := t.row(`SELECT blobs FROM objects WHERE account = $1 AND bucket = $2 AND key = $3`, []any{account, bucket, o.key}, &old)
	if err != nil {
		return nil, err
	}
	if found {
		if err := json.Unmarshal([]byte(old), &replaced); err != nil {
			return nil, err
		}
	}
	return replaced, t.exec(`INSERT INTO objects (account, bucket, key, size, etag, modified, algorithm, checksum, upload, attributes, tags, blobs)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (account, bucket, key) DO UPDATE SET size = excluded.size, etag = excluded.etag, modified = excluded.modified,
			algorithm = excluded.algorithm, checksum = excluded.checksum, upload = excluded.upload,
			attributes = excluded.attributes, tags = excluded.tags, blobs = excluded.blobs`,
		account, bucket, o.key, o.size, o.etag, o.modified.UnixMilli(), o.checksum.Algorithm, o.checksum.Value, o.upload,
		text(o.attribute), text(o.tags), text(o.blobs))
}

// deleteObject deletes an object, if there is one, and returns its files.
func (t *tx) deleteObject(account, bucket, key string) (gone []blob, err error) {
	var old string
	found, err := t.row(`DELETE FROM objects WHERE account = $1 AND bucket = $2 AND key = $3 RETURNING blobs`, []any{account, bucket, key}, &old)
	if err != nil || !found {
		return nil, err
	}
	return gone, json.Unmarshal([]byte(old), &gone)
}

func (t *tx) requireBucket(account, bucket string) error {
	var one int
	found, err := t.row(`SELECT 1 FROM buckets WHERE account = $1 AND name = $2`, []any{account, bucket}, &one)
	if err == nil && !found {
		err = s3.Fail("NoSuchBucket").With("BucketName", bucket)
	}
	return err
}

// usedBlobs returns the names of all files that are in use.
func (t *tx) usedBlobs() (map[string]bool, error) {
	used := map[string]bool{}
	note := func(scan func(...any) error) error {
		var list string
		var found []blob
		if err := scan(&list); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(list), &found); err != nil {
			return err
		}
		for _, b := range found {
			used[b.ID] = true
		}
		return nil
	}
	err := t.rows(`SELECT blobs FROM objects`, nil, note)
	if err == nil {
		err = t.rows(`SELECT '[' || blob || ']' FROM parts`, nil, note)
	}
	return used, err
}

// text returns v as JSON. What is stored can always be written.
func text(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}
