package objectstore_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/objectstore"
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/ident"
)

const account = "111111111111"

// shop is a store with a bucket, for one caller.
type shop struct {
	*objectstore.Store
	dir   string
	shift atomic.Int64 // of its clock
}

func openAt(t testing.TB, dir string) *shop {
	t.Helper()
	s := &shop{dir: dir}
	now := func() time.Time { return time.Now().Add(time.Duration(s.shift.Load())) }
	var err error
	if s.Store, err = objectstore.Open(context.Background(), dir, ident.NewSource(rand.Reader), now); err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB) *shop {
	t.Helper()
	s := openAt(t, t.TempDir())
	t.Cleanup(func() { s.Close() })
	s.must(t, operation("CreateBucket", "", nil))
	return s
}

// operation returns an operation on a key of the bucket. parameters are names
// and values, of header fields when they begin with a capital.
func operation(name, key string, content io.Reader, parameters ...string) *s3.Operation {
	op := &s3.Operation{Name: name, Bucket: "bucket", Key: key, Query: map[string]string{}, Header: http.Header{}, Body: content}
	for i := 0; i < len(parameters); i += 2 {
		if first := parameters[i][0]; 'A' <= first && first <= 'Z' {
			op.Header.Set(parameters[i], parameters[i+1])
		} else {
			op.Query[parameters[i]] = parameters[i+1]
		}
	}
	op.Checksum = func() s3.Checksum { return s3.Checksum{} }
	return op
}

func put(key, content string, parameters ...string) *s3.Operation {
	return operation("PutObject", key, strings.NewReader(content), parameters...)
}

func (s *shop) must(t testing.TB, op *s3.Operation) *s3.Answer {
	t.Helper()
	a, err := s.Do(context.Background(), account, op)
	if err != nil {
		t.Fatalf("%s %s: %v", op.Name, op.Key, err)
	}
	return a
}

// code does an operation and returns the code of its error, "" for none.
func (s *shop) code(op *s3.Operation) string {
	a, err := s.Do(context.Background(), account, op)
	if e, ok := errors.AsType[*s3.Error](err); ok {
		return e.Code
	}
	if err != nil {
		return err.Error()
	}
	if a.Body != nil {
		a.Body.Close()
	}
	return ""
}

func (s *shop) get(t testing.TB, key string, parameters ...string) string {
	t.Helper()
	a := s.must(t, operation("GetObject", key, nil, parameters...))
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil || int64(len(text)) != a.Size {
		t.Errorf("%s: %d of %d bytes: %v", key, len(text), a.Size, err)
	}
	return string(text)
}

// files returns how many files of content there are.
func (s *shop) files(t testing.TB) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(s.dir, "content"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// upload uploads parts and returns the operation that completes them.
func (s *shop) upload(t testing.TB, key string, parts ...string) *s3.Operation {
	t.Helper()
	id := s.must(t, operation("CreateMultipartUpload", key, nil)).Document.(*s3.InitiateMultipartUploadResult).UploadID
	done := new(s3.CompleteMultipartUpload)
	for i, content := range parts {
		a := s.must(t, operation("UploadPart", key, strings.NewReader(content), "uploadId", id, "partNumber", strconv.Itoa(i+1)))
		done.Parts = append(done.Parts, s3.CompletedPart{PartNumber: i + 1, ETag: a.Header.Get("Etag")})
	}
	op := operation("CompleteMultipartUpload", key, nil, "uploadId", id)
	op.Document = done
	return op
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	s.must(t, operation("CreateBucket", "", nil))
	s.must(t, put("a/b", "small", "Content-Type", "text/plain", "X-Amz-Meta-Colour", "blue", "X-Amz-Tagging", "team=a"))
	large := strings.Repeat("x", 5<<20)
	half := s.upload(t, "half", large, "end")
	s.must(t, s.upload(t, "whole", large, "end"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir)
	defer s.Close()
	if got := s.get(t, "a/b"); got != "small" {
		t.Errorf("got %q", got)
	}
	a := s.must(t, operation("HeadObject", "a/b", nil))
	if a.Header.Get("Content-Type") != "text/plain" || a.Header.Get("X-Amz-Meta-Colour") != "blue" {
		t.Errorf("attributes: %v", a.Header)
	}
	if tags := s.must(t, operation("GetObjectTagging", "a/b", nil)).Document.(*s3.Tagging).Tags; len(tags) != 1 || tags[0] != (s3.Tag{Key: "team", Value: "a"}) {
		t.Errorf("tags: %v", tags)
	}
	if s.get(t, "whole") != large+"end" {
		t.Error("the object of parts is another")
	}
	s.must(t, half)
	if s.get(t, "half") != large+"end" {
		t.Error("the upload that was under way gave another object")
	}
}

// broken gives some bytes and then fails.
type broken struct{ left int }

func (b *broken) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errors.New("the connection is gone")
	}
	n := min(len(p), b.left)
	b.left -= n
	return n, nil
}

func TestAnUploadThatFailsLeavesTheOldObject(t *testing.T) {
	s := open(t)
	s.must(t, put("key", "old"))
	for what, op := range map[string]*s3.Operation{
		"put":  operation("PutObject", "key", &broken{1 << 20}),
		"part": operation("UploadPart", "key", &broken{1 << 20}, "partNumber", "1", "uploadId", s.upload(t, "key").Query["uploadId"]),
	} {
		if got := s.code(op); got != "the connection is gone" {
			t.Errorf("%s: %q", what, got)
		}
	}
	if got := s.get(t, "key"); got != "old" || s.files(t) != 1 {
		t.Errorf("now it is %q, in %d files", got, s.files(t))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the session has ended")
	op := operation("PutObject", "key", readerFunc(func(p []byte) (int, error) { cancel(why); return len(p), nil }))
	if _, err := s.Do(ctx, account, op); !errors.Is(err, why) {
		t.Errorf("a put whose context ends: %v", err)
	}
	if s.files(t) != 1 {
		t.Errorf("%d files are left", s.files(t))
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestContentGoesWithItsObject(t *testing.T) {
	s := open(t)
	large := strings.Repeat("x", 5<<20)
	s.must(t, put("key", "one"))
	s.must(t, put("key", "two"))
	s.must(t, s.upload(t, "key", large, "end"))
	s.must(t, operation("AbortMultipartUpload", "key", nil, "uploadId", s.upload(t, "key", "a", "b").Query["uploadId"]))
	again := s.upload(t, "key", large, "dropped", "end")
	parts := again.Document.(*s3.CompleteMultipartUpload)
	parts.Parts = slices.Delete(parts.Parts, 1, 2)
	s.must(t, again)
	if got := s.files(t); got != 2 {
		t.Errorf("%d files for an object of two parts", got)
	}
	s.upload(t, "under way", "x")
	s.must(t, operation("DeleteObject", "key", nil))
	if got := s.code(operation("DeleteBucket", "", nil)); got != "" || s.files(t) != 0 {
		t.Errorf("%s; %d files are left of a bucket that is gone", got, s.files(t))
	}
}

func TestReadersKeepWhatTheyBeganToRead(t *testing.T) {
	s := open(t)
	large := strings.Repeat("x", 5<<20)
	for _, test := range []struct {
		how   string
		op    *s3.Operation
		files int // of what is there then
	}{
		{"replaced", put("key", "new"), 1},
		{"deleted", operation("DeleteObject", "key", nil), 0},
	} {
		s.must(t, s.upload(t, "key", large, large, "end"))
		a := s.must(t, operation("GetObject", "key", nil))
		first := make([]byte, 10)
		if _, err := io.ReadFull(a.Body, first); err != nil {
			t.Fatal(err)
		}
		s.must(t, test.op)
		// A sweep must not take away either what the index knows no more.
		s.shift.Store(int64(48 * time.Hour))
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.shift.Store(0)
		rest, err := io.ReadAll(a.Body)
		if err != nil || string(first)+string(rest) != large+large+"end" {
			t.Errorf("%s: %d bytes, %v", test.how, len(rest)+10, err)
		}
		if err := errors.Join(a.Body.Close(), a.Body.Close()); err != nil {
			t.Errorf("%s: closing twice: %v", test.how, err)
		}
		if got := s.files(t); got != test.files {
			t.Errorf("%s: %d files are left, want %d", test.how, got, test.files)
		}
	}
}

// TestReadersSeeOneVersion replaces an object again and again while it is read.
func TestReadersSeeOneVersion(t *testing.T) {
	s := open(t)
	version := func(n int) string { return strings.Repeat(strconv.Itoa(n%10), 100_000) }
	s.must(t, put("key", version(0)))
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for n := w; ; n += 2 {
				select {
				case <-stop:
					return
				default:
					s.must(t, put("key", version(n)))
				}
			}
		})
	}
	for range 4 {
		readers.Go(func() {
			for range 50 {
				a := s.must(t, operation("GetObject", "key", nil))
				text, err := io.ReadAll(a.Body)
				a.Body.Close()
				if err != nil || len(text) != 100_000 || strings.Trim(string(text), string(text[:1])) != "" {
					t.Errorf("%d bytes of several versions: %v", len(text), err)
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	writers.Wait()
	if got := s.files(t); got != 1 {
		t.Errorf("%d files for one object", got)
	}
}

func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	s := open(t)
	s.must(t, put("key", "content"))
	s.upload(t, "half", "part")
	orphan := filepath.Join(s.dir, "content", "ab", "ab000000000000000000000000000000")
	if err := errors.Join(os.MkdirAll(filepath.Dir(orphan), 0o700), os.WriteFile(orphan, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context()); err != nil || s.files(t) != 3 {
		t.Errorf("a young file may be one that is being written: %d files, %v", s.files(t), err)
	}
	s.shift.Store(int64(48 * time.Hour))
	if err := s.Sweep(t.Context()); err != nil || s.files(t) != 2 || s.get(t, "key") != "content" {
		t.Errorf("%d files, %v", s.files(t), err)
	}
}

func TestACompletionCanBeRepeated(t *testing.T) {
	s := open(t)
	op := s.upload(t, "key", "content")
	first := s.must(t, op).Document.(*s3.CompleteMultipartUploadResult)
	second := s.must(t, op).Document.(*s3.CompleteMultipartUploadResult)
	if first.ETag != second.ETag || s.get(t, "key") != "content" {
		t.Errorf("%s and then %s", first.ETag, second.ETag)
	}
	s.must(t, put("key", "other"))
	if got := s.code(op); got != "NoSuchUpload" {
		t.Errorf("after the object was replaced: %q", got)
	}
}

func TestCompletionsAtOnceHaveOneAnswer(t *testing.T) {
	s := open(t)
	op := s.upload(t, "key", strings.Repeat("x", 5<<20), "end")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := s.code(op); got != "" {
				t.Errorf("got %q", got)
			}
		})
	}
	all.Wait()
	if got := s.files(t); got != 2 {
		t.Errorf("%d files for an object of two parts", got)
	}
}

func TestPartsMustBeTheOnesThatWereUploaded(t *testing.T) {
	s := open(t)
	change := func(f func(*s3.CompleteMultipartUpload)) *s3.Operation {
		op := s.upload(t, "key", "small", "end")
		f(op.Document.(*s3.CompleteMultipartUpload))
		return op
	}
	for what, test := range map[string]struct {
		op   *s3.Operation
		want string
	}{
		"too small":      {change(func(*s3.CompleteMultipartUpload) {}), "EntityTooSmall"},
		"another ETag":   {change(func(d *s3.CompleteMultipartUpload) { d.Parts[0].ETag = `"x"` }), "InvalidPart"},
		"another number": {change(func(d *s3.CompleteMultipartUpload) { d.Parts[1].PartNumber = 3 }), "InvalidPart"},
		"one of two":     {change(func(d *s3.CompleteMultipartUpload) { d.Parts = d.Parts[1:] }), ""},
		"another upload": {operation("ListParts", "key", nil, "uploadId", "x"), "NoSuchUpload"},
		"another key":    {operation("ListParts", "other", nil, "uploadId", s.upload(t, "key").Query["uploadId"]), "NoSuchUpload"},
	} {
		if got := s.code(test.op); got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}

func TestConditions(t *testing.T) {
	s := open(t)
	s.must(t, put("key", "hello"))
	etag := s.must(t, operation("HeadObject", "key", nil)).Header.Get("Etag")
	past, future := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for _, test := range []struct{ name, key, header, value, want string }{
		{"GetObject", "key", "If-Match", etag, ""},
		{"GetObject", "key", "If-Match", strings.Trim(etag, `"`), ""},
		{"GetObject", "key", "If-Match", `"x", ` + etag, ""},
		{"GetObject", "key", "If-Match", `"x"`, "PreconditionFailed"},
		{"GetObject", "key", "If-None-Match", etag, "NotModified"},
		{"GetObject", "key", "If-None-Match", "*", "NotModified"},
		{"GetObject", "key", "If-None-Match", `"x"`, ""},
		{"HeadObject", "key", "If-Modified-Since", future, "NotModified"},
		{"HeadObject", "key", "If-Modified-Since", past, ""},
		{"HeadObject", "key", "If-Unmodified-Since", past, "PreconditionFailed"},
		{"HeadObject", "key", "If-Unmodified-Since", future, ""},
		{"HeadObject", "key", "If-Modified-Since", "yesterday", ""},
		{"PutObject", "key", "If-None-Match", "*", "PreconditionFailed"},
		{"PutObject", "new", "If-None-Match", "*", ""},
		{"PutObject", "absent", "If-Match", etag, "NoSuchKey"},
		{"PutObject", "key", "If-Match", `"x"`, "PreconditionFailed"},
		{"PutObject", "key", "If-Match", etag, ""},
		{"DeleteObject", "key", "If-Match", `"x"`, "PreconditionFailed"},
		{"DeleteObject", "absent", "If-Match", etag, "NoSuchKey"},
	} {
		if got := s.code(operation(test.name, test.key, strings.NewReader("hello"), test.header, test.value)); got != test.want {
			t.Errorf("%s of %s with %s %s: %q, want %q", test.name, test.key, test.header, test.value, got, test.want)
		}
	}
}

func TestRanges(t *testing.T) {
	s := open(t)
	s.must(t, put("key", "0123456789"))
	s.must(t, put("empty", ""))
	for _, test := range []struct{ key, header, want, told string }{
		{"key", "bytes=0-0", "0", "bytes 0-0/10"},
		{"key", "bytes=3-5", "345", "bytes 3-5/10"},
		{"key", "bytes=8-", "89", "bytes 8-9/10"},
		{"key", "bytes=8-99", "89", "bytes 8-9/10"},
		{"key", "bytes=-3", "789", "bytes 7-9/10"},
		{"key", "bytes=-99", "0123456789", "bytes 0-9/10"},
		{"key", "bytes=10-", "InvalidRange", ""},
		{"key", "bytes=-0", "InvalidRange", ""},
		{"empty", "bytes=0-", "InvalidRange", ""},
		{"key", "bytes=5-3", "0123456789", ""},
		{"key", "bytes=+1-3", "0123456789", ""},
		{"key", "bytes=1-2,4-5", "0123456789", ""},
		{"key", "lines=1-2", "0123456789", ""},
		{"key", "bytes=99999999999999999999-", "0123456789", ""},
	} {
		a, err := s.Do(t.Context(), account, operation("GetObject", test.key, nil, "Range", test.header))
		got, told := "", ""
		if e, ok := errors.AsType[*s3.Error](err); ok {
			got = e.Code
		} else {
			text, _ := io.ReadAll(a.Body)
			a.Body.Close()
			got, told = string(text), a.Header.Get("Content-Range")
		}
		if got != test.want || told != test.told {
			t.Errorf("%s of %s: %q %q, want %q %q", test.header, test.key, got, told, test.want, test.told)
		}
	}
}

func TestChecksumsOfParts(t *testing.T) {
	s := open(t)
	large := strings.Repeat("x", 5<<20)
	for _, test := range []struct{ algorithm, kind, want string }{
		{"CRC32", "", "COMPOSITE"}, {"SHA256", "COMPOSITE", "COMPOSITE"}, {"CRC32C", "FULL_OBJECT", "FULL_OBJECT"}, {"CRC64NVME", "", "FULL_OBJECT"},
	} {
		id := s.must(t, operation("CreateMultipartUpload", "key", nil, "X-Amz-Checksum-Algorithm", test.algorithm, "X-Amz-Checksum-Type", test.kind)).Document.(*s3.InitiateMultipartUploadResult).UploadID
		done := new(s3.CompleteMultipartUpload)
		for i, content := range []string{large, "end"} {
			op := operation("UploadPart", "key", strings.NewReader(content), "uploadId", id, "partNumber", strconv.Itoa(i+1))
			op.Checksum = func() s3.Checksum { return sumOf(test.algorithm, content) }
			a := s.must(t, op)
			done.Parts = append(done.Parts, s3.CompletedPart{PartNumber: i + 1, ETag: a.Header.Get("Etag")})
		}
		op := operation("CompleteMultipartUpload", "key", nil, "uploadId", id)
		op.Document = done
		out := s.must(t, op).Document.(*s3.CompleteMultipartUploadResult)
		got := out.Of(test.algorithm)
		if out.ChecksumType != test.want {
			t.Errorf("%s: %s", test.algorithm, out.ChecksumType)
		}
		if test.want == "FULL_OBJECT" && got != sumOf(test.algorithm, large+"end").Value {
			t.Errorf("%s: %s is not the content's", test.algorithm, got)
		}
		if test.want == "COMPOSITE" && !strings.HasSuffix(got, "-2") {
			t.Errorf("%s: %s", test.algorithm, got)
		}
	}
	if got := s.code(operation("CreateMultipartUpload", "key", nil, "X-Amz-Checksum-Algorithm", "SHA256", "X-Amz-Checksum-Type", "FULL_OBJECT")); got != "InvalidRequest" {
		t.Errorf("got %q", got)
	}
}

func sumOf(algorithm, content string) s3.Checksum {
	h := s3.NewChecksum(algorithm)
	h.Write([]byte(content))
	return s3.Checksum{Algorithm: algorithm, Value: encode(h.Sum(nil))}
}

func TestANewerIndexIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "content"), 0o700); err != nil {
		t.Fatal(err)
	}
	// A file that is no database at all must not be overwritten.
	path := filepath.Join(dir, "index.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := objectstore.Open(t.Context(), dir, ident.NewSource(rand.Reader), time.Now); err == nil {
		s.Close()
		t.Error("a file that is no index was opened")
	}
	if text, _ := os.ReadFile(path); !bytes.HasPrefix(text, []byte("not a database")) {
		t.Error("it was overwritten")
	}
}
