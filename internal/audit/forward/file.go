// Package forward has the targets that the audit trail is forwarded to: a file,
// a stream such as standard output, and a syslog server. What they are given is
// written as it is, a record of JSON at a time.
package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/atrium-iam/atrium/internal/audit"
)

// lines returns records as lines.
func lines(records []audit.Entry) []byte {
	var b bytes.Buffer
	for _, r := range records {
		b.Write(r.JSON)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// File appends records to a file, a line each. It follows the path: when the
// file there was renamed or removed, as rotating logs does, a new one is made.
// Deliver must not be called by several goroutines at once.
type File struct {
	path   string
	file   *os.File
	reopen atomic.Bool
}

var _ audit.Target = (*File)(nil)

// NewFile returns the target of the file at path. Its directory must be there.
func NewFile(path string) *File { return &File{path: path} }

// Reopen has the file opened anew before the next record. It may be called by
// any goroutine.
func (t *File) Reopen() { t.reopen.Store(true) }

// Deliver appends records and waits until they are on disk.
func (t *File) Deliver(_ context.Context, records []audit.Entry) error {
	if err := t.open(); err != nil {
		return err
	}
	text := lines(records)
	broken, err := endsWithin(t.file)
	if err != nil {
		return errors.Join(err, t.close())
	}
	if broken {
		// A write was cut off: by a full disk, or by the end of the process. The
		// rest of that line is not to become a part of the next.
		text = append([]byte{'\n'}, text...)
	}
	_, err = t.file.Write(text)
	if err == nil {
		err = t.file.Sync()
	}
	if err != nil {
		return errors.Join(err, t.close())
	}
	return nil
}

// open opens the file unless the one at the path is open already.
func (t *File) open() error {
	if t.file != nil && !t.reopen.Swap(false) && t.current() {
		return nil
	}
	t.reopen.Store(false)
	if err := t.close(); err != nil {
		return err
	}
	_, err := os.Stat(t.path)
	made := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(t.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", t.path)
	}
	if err == nil && made {
		err = syncDirectory(filepath.Dir(t.path))
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	t.file = f
	return nil
}

// current tells whether the file at the path is the one that is open.
func (t *File) current() bool {
	there, err := os.Stat(t.path)
	if err != nil {
		return false
	}
	here, err := t.file.Stat()
	return err == nil && os.SameFile(here, there)
}

func (t *File) close() error {
	if t.file == nil {
		return nil
	}
	f := t.file
	t.file = nil
	return f.Close()
}

// endsWithin tells whether a file ends within a line.
func endsWithin(f *os.File) (bool, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}

// syncDirectory makes a new file's name durable.
func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Stream writes records to a stream, a line each. Deliver must not be called by
// several goroutines at once.
type Stream struct {
	w      io.Writer
	broken bool // the last write was cut off
}

var _ audit.Target = (*Stream)(nil)

// NewStream returns the target of a stream.
func NewStream(w io.Writer) *Stream { return &Stream{w: w} }

// Deliver writes records.
func (t *Stream) Deliver(_ context.Context, records []audit.Entry) error {
	text := lines(records)
	if t.broken {
		text = append([]byte{'\n'}, text...)
	}
	n, err := t.w.Write(text)
	t.broken = err != nil && (n > 0 || t.broken)
	return err
}
