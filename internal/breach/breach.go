// Package breach looks passwords up in a file of those that were published in
// breaches: the list "Pwned Passwords" of Have I Been Pwned, in its SHA-1 form,
// ordered by hash. Nothing leaves the machine, and nothing of the list, which
// has tens of gigabytes, is kept in memory.
package breach

import (
	"crypto/sha1" //nolint:gosec // the list's own form; it protects nothing
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
)

// List is a file that passwords are looked up in. It is safe for concurrent
// use. The file is opened anew for each look: another may take its place at
// any time.
type List struct {
	path   string
	log    *slog.Logger
	counts [3]atomic.Int64 // by result
}

// The results of looking a password up, as Count takes them.
const (
	Absent = iota
	Found
	Failed
)

// NewList returns the list in the file at path.
func NewList(path string, log *slog.Logger) *List { return &List{path: path, log: log} }

// Contains tells whether a password is in the list. When that cannot be found
// out it says no and logs why: people could not set any password otherwise, not
// even in the place of one that is known to be stolen.
func (l *List) Contains(password string) bool {
	found, err := l.look(password)
	switch {
	case err != nil:
		l.counts[Failed].Add(1)
		l.log.Error("a new password was not compared with those of breaches: look at the file passwords.breached_file", "file", l.path, "error", err)
	case found:
		l.counts[Found].Add(1)
	default:
		l.counts[Absent].Add(1)
	}
	return found && err == nil
}

// Count tells how many looks had a result.
func (l *List) Count(result int) int64 { return l.counts[result].Load() }

func (l *List) look(password string) (bool, error) {
	t, done, err := open(l.path)
	if err != nil {
		return false, err
	}
	defer done()
	return t.contains(fmt.Sprintf("%X", sha1.Sum([]byte(password)))) //nolint:gosec // the list's own form
}

// Check tells what is wrong with the file at path, by its beginning, its end,
// and samples in between.
func Check(path string) error {
	t, done, err := open(path)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err // whoever asks knows the path
	}
	if err != nil {
		return err
	}
	defer done()
	return t.check()
}

func open(path string) (t text, done func(), err error) {
	info, err := os.Stat(path)
	if err != nil {
		return t, nil, err
	}
	if !info.Mode().IsRegular() { // opening some others waits
		return t, nil, errors.New("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return t, nil, err
	}
	return text{f, info.Size()}, func() { _ = f.Close() }, nil
}

// text is lines of a hash and a count each, as in
//
//	000000005AD76BD555C1D6D771DE417A4B87E4B4:10
//
// in the order of the hashes, with LF or CR LF after each but perhaps the last.
type text struct {
	io.ReaderAt
	size int64
}

// entry is a line: its hash in capitals, and where it stands.
type entry struct {
	hash       string
	start, end int64 // end is where the next begins
}

const (
	hashSize = 40
	// maxLine is more than a line can have: hash, colon, count, line end.
	maxLine = 128
)

// contains searches for a hash in halves.
func (t text) contains(hash string) (bool, error) {
	low, high := int64(0), t.size // the beginnings of lines: the hash is in between, or nowhere
	after, before := "", "~"      // the hashes around: one that is not in between is out of order
	for low < high {
		e, err := t.entry(low + (high-low)/2)
		if err != nil {
			return false, err
		}
		if e.hash <= after || e.hash >= before {
			return false, fmt.Errorf("the line at byte %d is out of order: the list must be ordered by hash", e.start)
		}
		switch {
		case e.hash == hash:
			return true, nil
		case e.hash < hash:
			low, after = e.end, e.hash
		default:
			high, before = e.start, e.hash
		}
	}
	return false, nil
}

// entry returns the line that the byte at a place belongs to.
func (t text) entry(at int64) (entry, error) {
	from := max(0, at-maxLine)
	around := make([]byte, at-from+maxLine)
	n, err := t.ReadAt(around, from)
	if err != nil && (!errors.Is(err, io.EOF) || from+int64(n) < t.size) {
		return entry{}, err
	}
	around = around[:n]
	start, end := int(at-from), int(at-from)
	for start > 0 && around[start-1] != '\n' {
		start--
	}
	for end < n && around[end] != '\n' {
		end++
	}
	line := string(around[start:end])
	e := entry{start: from + int64(start), end: min(from+int64(end)+1, t.size)}
	e.hash, err = hashOf(line)
	if err != nil {
		return entry{}, fmt.Errorf("the line at byte %d %w", e.start, err)
	}
	return e, nil
}
