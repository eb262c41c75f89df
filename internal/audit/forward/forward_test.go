package forward_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/audit/forward"
)

// records returns records with some sequence numbers.
func records(numbers ...int64) (list []audit.Entry) {
	for _, n := range numbers {
		list = append(list, audit.Entry{Sequence: n, JSON: fmt.Appendf(nil, `{"eventTime":"2026-03-04T05:06:07Z","atrium":{"sequence":%d}}`, n)})
	}
	return list
}

func text(numbers ...int64) string {
	var b strings.Builder
	for _, r := range records(numbers...) {
		fmt.Fprintf(&b, "%s\n", r.JSON)
	}
	return b.String()
}

func deliver(t *testing.T, target audit.Target, numbers ...int64) {
	t.Helper()
	if err := target.Deliver(t.Context(), records(numbers...)); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", filepath.Base(path), diff)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	target := forward.NewFile(path)
	deliver(t, target, 1, 2)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	expect(t, path, text(1, 2))
	// Another process goes on at its end.
	deliver(t, forward.NewFile(path), 3)
	deliver(t, target, 4)
	expect(t, path, text(1, 2, 3, 4))
}

// TestRotatedFile renames, removes and truncates the file as rotation does.
func TestRotatedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	target := forward.NewFile(path)
	deliver(t, target, 1)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	deliver(t, target, 2)
	expect(t, path+".1", text(1))
	expect(t, path, text(2))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	deliver(t, target, 3)
	expect(t, path, text(3))
	if err := os.Truncate(path, 0); err != nil { // copytruncate
		t.Fatal(err)
	}
	deliver(t, target, 4)
	expect(t, path, text(4))
	target.Reopen()
	deliver(t, target, 5)
	expect(t, path, text(4, 5))
}

// TestALineThatWasCutOff expects the rest of a line to stay by itself.
func TestALineThatWasCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, []byte(text(1)+`{"eventTi`), 0o600); err != nil {
		t.Fatal(err)
	}
	deliver(t, forward.NewFile(path), 2)
	expect(t, path, text(1)+"{\"eventTi\n"+text(2))
}

// TestFilesThatCannotBeWritten expects an error, and the file to be written once
// it can be.
func TestFilesThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	path := filepath.Join(dir, "audit.jsonl")
	target := forward.NewFile(path)
	if err := target.Deliver(t.Context(), records(1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a directory: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	deliver(t, target, 1)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := target.Deliver(t.Context(), records(2)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("when the directory is gone: %v", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := target.Deliver(t.Context(), records(2)); err == nil {
		t.Error("a directory was written")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	deliver(t, target, 2)
	expect(t, path, text(2))
	if err := forward.NewFile(os.DevNull).Deliver(t.Context(), records(1)); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a device: %v", err)
	}
}

// short writes some bytes of what it is given, and then all.
type short struct {
	strings.Builder
	room int
}

func (s *short) Write(p []byte) (int, error) {
	if s.room < 0 {
		return s.Builder.Write(p)
	}
	n, _ := s.Builder.Write(p[:s.room])
	s.room = -1
	return n, io.ErrShortWrite
}

func TestStream(t *testing.T) {
	w := &short{room: -1}
	target := forward.NewStream(w)
	deliver(t, target, 1, 2)
	w.room = 5
	if err := target.Deliver(t.Context(), records(3)); err == nil {
		t.Error("a short write is no error")
	}
	deliver(t, target, 3)
	if want := text(1, 2) + text(3)[:5] + "\n" + text(3); w.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", w.String(), want)
	}
}

// server is a syslog server: what it reads it hands out.
type server struct {
	net.Listener
	roots        *x509.CertPool
	certificates []tls.Certificate
	messages     chan string
	open         chan net.Conn
}

func newServer(t *testing.T) *server {
	t.Helper()
	h := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(h.Close)
	s := &server{roots: x509.NewCertPool(), messages: make(chan string, 100), open: make(chan net.Conn, 10), certificates: h.TLS.Certificates}
	s.roots.AddCert(h.Certificate())
	s.listen(t, "127.0.0.1:0")
	return s
}

func (s *server) listen(t *testing.T, address string) {
	t.Helper()
	l, err := tls.Listen("tcp", address, &tls.Config{Certificates: s.certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.Listener = l
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.open <- conn
			go s.read(conn)
		}
	}()
}

// read reads messages with their lengths before them.
func (s *server) read(conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		length, err := r.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		message := make([]byte, n)
		if err == nil {
			_, err = io.ReadFull(r, message)
		}
		if err != nil {
			s.messages <- "broken: " + err.Error()
			return
		}
		s.messages <- string(message)
	}
}

func (s *server) target(now func() time.Time) *forward.Syslog {
	return forward.NewSyslog(forward.SyslogOptions{
		Address: s.Addr().String(), TLS: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}, HostName: "node 1", Now: now,
	})
}

func message(n int64) string {
	return fmt.Sprintf(`<110>1 2026-03-04T05:06:07Z node1 atrium - audit - {"eventTime":"2026-03-04T05:06:07Z","atrium":{"sequence":%d}}`, n)
}

func (s *server) expect(t *testing.T, numbers ...int64) {
	t.Helper()
	for _, n := range numbers {
		select {
		case got := <-s.messages:
			if got != message(n) {
				t.Errorf("got  %s\nwant %s", got, message(n))
			}
		case <-t.Context().Done():
			t.Fatalf("message %d does not come", n)
		}
	}
}

// TestSyslog expects messages of RFC 5424 in frames of RFC 5425, and those of
// the last half minute once more after the connection broke.
func TestSyslog(t *testing.T) {
	s, now := newServer(t), time.Date(2026, 3, 4, 5, 6, 8, 0, time.UTC)
	target := s.target(func() time.Time { return now })
	deliver(t, target, 1, 2)
	s.expect(t, 1, 2)
	now = now.Add(time.Minute)
	deliver(t, target, 3)
	s.expect(t, 3)
	// The server goes away. That is noticed by the first delivery that follows,
	// or by a later one.
	if err := errors.Join(s.Close(), (<-s.open).Close()); err != nil {
		t.Fatal(err)
	}
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := target.Deliver(ctx, records(4))
		cancel()
		if err != nil {
			break
		}
	}
	now = now.Add(time.Hour)
	s.listen(t, s.Addr().String())
	deliver(t, target, 4)
	s.expect(t, 3) // once more; 1 and 2 are older
	deliver(t, target, 5)
	for last := ""; last != message(5); {
		select {
		case last = <-s.messages:
			if last != message(4) && last != message(5) {
				t.Fatalf("got %s", last)
			}
		case <-t.Context().Done():
			t.Fatal("the last message does not come")
		}
	}
}

// TestSyslogServersAreVerified refuses a server that nobody vouches for.
func TestSyslogServersAreVerified(t *testing.T) {
	s := newServer(t)
	s.roots = x509.NewCertPool()
	var unknown x509.UnknownAuthorityError
	if err := s.target(time.Now).Deliver(t.Context(), records(1)); !errors.As(err, &unknown) {
		t.Errorf("Deliver = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.target(time.Now).Deliver(t.Context(), records(1)); err == nil {
		t.Error("a server that is gone took records")
	}
}
