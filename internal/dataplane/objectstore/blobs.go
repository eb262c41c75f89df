package objectstore

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's ETags are MD5
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/ident"
)

// blob is a file of content. It never changes.
type blob struct {
	ID   string `json:"id"` // 32 hexadecimal digits
	Size int64  `json:"size"`
}

// blobs are the files of content.
type blobs struct {
	dir     string
	ids     ident.Source
	buffers sync.Pool // of *[]byte

	mu      sync.Mutex
	held    map[string]int  // how many readers a file has
	doomed  map[string]bool // files that go when their last reader has
	removed uint64          // counts removals
}

func newBlobs(dir string, ids ident.Source) *blobs {
	return &blobs{
		dir: dir, ids: ids, held: map[string]int{}, doomed: map[string]bool{},
		buffers: sync.Pool{New: func() any { return new(make([]byte, 256<<10)) }},
	}
}

// path returns where the file is: spread over 256 directories.
func (b *blobs) path(id string) string { return filepath.Join(b.dir, id[:2], id) }

// write stores everything that r gives, to last, and returns its MD5. Nothing
// is left when it fails.
func (b *blobs) write(ctx context.Context, r io.Reader) (made blob, sum []byte, err error) {
	made.ID = b.ids.Hex(32)
	path := b.path(made.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return blob{}, nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return blob{}, nil, err
	}
	hash := md5.New() //nolint:gosec // S3's ETags are MD5
	buffer, _ := b.buffers.Get().(*[]byte)
	made.Size, err = io.CopyBuffer(io.MultiWriter(onlyWriter{f}, hash), reader{ctx, r}, *buffer)
	b.buffers.Put(buffer)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		b.remove(made)
		return blob{}, nil, err
	}
	return made, hash.Sum(nil), nil
}

// onlyWriter hides what else a file can do, so that it is written in the
// pieces of the buffer that is given.
type onlyWriter struct{ io.Writer }

// reader stops when its context ends.
type reader struct {
	ctx context.Context //nolint:containedctx // it lives as long as one copy
	r   io.Reader
}

// Read is io.Reader's.
func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}

// syncDir makes new names in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// remove removes files, those that are being read when their readers have
// ended. One that cannot be removed is swept away later.
func (b *blobs) remove(gone ...blob) {
	if len(gone) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.removed++
	for _, g := range gone {
		if b.held[g.ID] > 0 {
			b.doomed[g.ID] = true
			continue
		}
		_ = os.Remove(b.path(g.ID))
	}
}

// removals counts how often something was removed.
func (b *blobs) removals() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.removed
}

// hold keeps files from being removed until release, and returns removals.
func (b *blobs) hold(parts []blob) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range parts {
		b.held[p.ID]++
	}
	return b.removed
}

func (b *blobs) release(parts []blob) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range parts {
		if b.held[p.ID]--; b.held[p.ID] > 0 {
			continue
		}
		delete(b.held, p.ID)
		if b.doomed[p.ID] {
			delete(b.doomed, p.ID)
			_ = os.Remove(b.path(p.ID))
		}
	}
}

// sweep removes every file that is neither in use nor being read and was last
// written before a time.
func (b *blobs) sweep(ctx context.Context, used map[string]bool, before time.Time) error {
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() || used[d.Name()] {
			return err
		}
		info, err := d.Info()
		if err == nil && info.ModTime().Before(before) {
			err = b.removeUnread(d.Name(), path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // somebody else has removed it
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeUnread removes a file unless somebody reads it, who removes it then.
func (b *blobs) removeUnread(id, path string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[id] > 0 {
		return nil
	}
	return os.Remove(path)
}

// open returns the content of parts, from offset, length bytes long. The
// caller holds the parts; closing the content releases them.
func (b *blobs) open(parts []blob, offset, length int64) (io.ReadCloser, error) {
	c := &content{blobs: b, all: parts, left: length}
	for offset > 0 && len(parts) > 0 && offset >= parts[0].Size {
		offset -= parts[0].Size
		parts = parts[1:]
	}
	c.rest = parts
	if length == 0 || offset == 0 {
		return c, nil
	}
	err := c.next()
	if err == nil {
		_, err = c.file.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// content reads files one after the other.
type content struct {
	blobs *blobs
	all   []blob   // held
	file  *os.File // nil before the first and after the last
	rest  []blob
	left  int64
}

func (c *content) next() (err error) {
	if len(c.rest) == 0 {
		return io.ErrUnexpectedEOF
	}
	c.file, err = os.Open(c.blobs.path(c.rest[0].ID))
	c.rest = c.rest[1:]
	return err
}

// Read is io.Reader's.
func (c *content) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	for {
		if c.file == nil {
			if err := c.next(); err != nil {
				return 0, err
			}
		}
		n, err := c.file.Read(p[:min(int64(len(p)), c.left)])
		c.left -= int64(n)
		if n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		c.file.Close()
		c.file = nil
	}
}

// Close is io.Closer's. Once is enough, and more does no harm.
func (c *content) Close() error {
	c.blobs.release(c.all)
	c.all, c.rest, c.left = nil, nil, 0
	if c.file == nil {
		return nil
	}
	f := c.file
	c.file = nil
	return f.Close()
}
