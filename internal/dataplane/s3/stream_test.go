package s3_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"

	"github.com/atrium-iam/atrium/internal/dataplane/endpoint"
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// slow is a storage that takes its time, and ends when its context does.
type slow struct{ wait time.Duration }

func (s slow) Do(ctx context.Context, _ string, op *s3.Operation) (*s3.Answer, error) {
	if op.Body != nil {
		_, _ = io.Copy(io.Discard, op.Body) // the door says what is wrong with it
	}
	if err := s.pause(ctx); err != nil {
		return nil, err
	}
	document, _ := op.NewDocument()
	answer := &s3.Answer{Document: document}
	if op.Name == "GetObject" {
		answer.Body, answer.Size = io.NopCloser(&slowly{s, ctx, 2}), 2
	}
	return answer, nil
}

func (s slow) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(s.wait):
		return nil
	}
}

// slowly gives a byte at a time.
type slowly struct {
	slow
	ctx  context.Context
	left int
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	s.left--
	p[0] = 'x'
	return 1, s.pause(s.ctx)
}

// TestSlowStorageIsWaitedFor has a storage that takes longer than clients may be
// silent and than the server gives requests in general.
func TestSlowStorageIsWaitedFor(t *testing.T) {
	d := open(t, func(o *s3.Options) { o.Connector, o.Idle = slow{1500 * time.Millisecond}, time.Second })
	server := httptest.NewUnstartedServer(d.handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = time.Second, time.Second
	server.Start()
	defer server.Close()
	d.URL = server.URL
	who := d.admit(account, everything)
	var all sync.WaitGroup
	for _, r := range []struct{ method, target, body, source string }{
		{"GET", "/bucket/key", "", ""}, {"PUT", "/bucket/key", "content", ""}, {"PUT", "/bucket/key", "", "bucket/source"}, {"GET", "/bucket", "", ""},
	} {
		all.Go(func() {
			var headers []string
			if r.source != "" {
				headers = []string{"X-Amz-Copy-Source", r.source}
			}
			status, body := d.ask(t, who, r.method, r.target, r.body, headers...)
			if status != http.StatusOK || r.target == "/bucket/key" && r.method == "GET" && body != "xx" {
				t.Errorf("%s %s: %d %s", r.method, r.target, status, body)
			}
		})
	}
	all.Wait()
}

// events are what the door tells of its requests.
type events chan gateway.Event

func (e events) observe(o *s3.Options) { o.Observe = func(event gateway.Event) { e <- event } }

// next waits for an event of an operation.
func (e events) next(t *testing.T, operation string) gateway.Event {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		select {
		case event := <-e:
			if event.Operation == operation {
				return event
			}
		case <-late:
			t.Fatalf("no %s ends", operation)
		}
	}
}

// TestSilentClientsAreLeft has clients that stop in the middle: of sending
// content, of a document, of reading.
func TestSilentClientsAreLeft(t *testing.T) {
	eachStorage(t, func(t *testing.T, behind *door) {
		ended := make(events, 100)
		d := open(t, func(o *s3.Options) { o.Connector, o.Idle = behind.handler.Connector, 300*time.Millisecond }, ended.observe)
		who := d.admit(account, everything)
		c, ctx := behind.client(behind.admit(account, everything)), t.Context() // which may take its time
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("silent")}))(t)
		must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: aws.String("silent"), Key: aws.String("large"), Body: bytes.NewReader(make([]byte, 32<<20))}))(t)
		for what, r := range map[string]struct{ operation, method, target, code string }{
			"content":  {"PutObject", "PUT", "/silent/new", "RequestTimeout"},
			"document": {"DeleteObjects", "POST", "/silent?delete=", "RequestTimeout"},
		} {
			conn, answers := d.begin(t, who, r.method, r.target, 1<<20)
			_, _ = conn.Write(make([]byte, 1000))
			if status, body := answer(t, answers); status != http.StatusBadRequest || !strings.Contains(body, "<Code>"+r.code+"</Code>") {
				t.Errorf("%s: %d %s", what, status, body)
			}
			if e := ended.next(t, r.operation); e.Code != r.code {
				t.Errorf("%s: ended with %q", what, e.Code)
			}
			conn.Close()
		}
		conn, answers := d.begin(t, who, "GET", "/silent/large", 0)
		defer conn.Close()
		if _, err := answers.Peek(100); err != nil { // and nothing more
			t.Fatal(err)
		}
		if e := ended.next(t, "GetObject"); e.Status != http.StatusOK {
			t.Errorf("the download nobody reads ended with %d", e.Status)
		}
		if _, err := c.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: aws.String("silent"), Key: aws.String("new")}); code(err) != "NotFound" {
			t.Errorf("what came in half was stored: %v", err)
		}
	})
}

// begin sends the head of a request and returns the connection.
func (d *door) begin(t *testing.T, who caller, method, target string, length int64) (net.Conn, *bufio.Reader) {
	t.Helper()
	r, err := signed(who, method, d.URL+target, http.NoBody, "UNSIGNED-PAYLOAD", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", r.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", method, target, r.URL.Host, length)
	_ = r.Header.Write(&head)
	if _, err := io.WriteString(conn, head.String()+"\r\n"); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// answer reads an answer.
func answer(t *testing.T, from *bufio.Reader) (int, string) {
	t.Helper()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, read(t, response.Body)
}

// TestUploadsTakeLittleMemory has many uploads under way at once.
func TestUploadsTakeLittleMemory(t *testing.T) {
	const uploads, sent, limit = 64, 2 << 20, 1 << 20 // bytes of each
	d := open(t)
	who := d.admit(account, everything)
	must(d.client(who).CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("memory")}))(t)
	before := heap()
	piece := make([]byte, 64<<10)
	var all sync.WaitGroup
	for n := range uploads {
		all.Go(func() {
			conn, _ := d.begin(t, who, "PUT", fmt.Sprintf("/memory/%d", n), sent+1)
			t.Cleanup(func() { conn.Close() })
			for range sent / len(piece) {
				if _, err := conn.Write(piece); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	each := (heap() - before) / uploads
	t.Logf("an upload takes %d bytes", each)
	if each > limit {
		t.Errorf("more than %d", limit)
	}
}

// heap returns how much memory is in use, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// failing is a storage that fails.
type failing struct{ err error }

func (f failing) Do(context.Context, string, *s3.Operation) (*s3.Answer, error) { return nil, f.err }

// TestFailuresAreTold looks at what clients hear of failures, and at what is
// counted as ours.
func TestFailuresAreTold(t *testing.T) {
	for what, test := range map[string]struct {
		err  error
		code string
		ours bool
	}{
		"unknown":     {errors.New("the inside of the storage"), "InternalError", true},
		"no room":     {fmt.Errorf("the inside of the storage: %w", syscall.ENOSPC), "QuotaExceeded", true},
		"unavailable": {fault.New(fault.Unavailable, "storage", "the inside of the storage"), "ServiceUnavailable", true},
		"gone":        {fmt.Errorf("the inside of the storage: %w", context.Canceled), "RequestTimeout", false},
		"S3's":        {s3.Fail("NoSuchBucket"), "NoSuchBucket", false},
		"unheard of":  {s3.Fail("NoSuchCode"), "InternalError", false},
	} {
		t.Run(what, func(t *testing.T) {
			ended := make(events, 10)
			d := open(t, ended.observe, func(o *s3.Options) { o.Connector = failing{test.err} })
			status, body := d.ask(t, d.admit(account, everything), http.MethodGet, "/bucket/key", "")
			wants(t, what, status, body, test.code)
			if strings.Contains(body, "inside") {
				t.Errorf("the client hears %s", body)
			}
			if e := ended.next(t, "GetObject"); e.Failed != test.ours || e.Code != test.code {
				t.Errorf("counted as %+v", e)
			}
		})
	}
}

// TestAServerThatAnswersEarly has a server behind that does not wait for the
// content, with good news and with bad.
func TestAServerThatAnswersEarly(t *testing.T) {
	for text, want := range map[string]string{"<Error><Code>EntityTooLarge</Code></Error>": "EntityTooLarge", "": "InternalError"} {
		behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if text != "" {
				w.WriteHeader(http.StatusBadRequest)
			}
			_, _ = io.WriteString(w, text)
		}))
		defer behind.Close()
		address, _ := url.Parse(behind.URL)
		d := open(t, through(address, map[string]endpoint.Credentials{account: {AccessKeyID: "k", SecretAccessKey: "s"}}))
		conn, answers := d.begin(t, d.admit(account, everything), "PUT", "/bucket/key", 8<<20)
		defer conn.Close()
		if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)      // the server behind has answered
		_, _ = conn.Write(make([]byte, 4<<20)) // which the door may refuse to read
		status, body := answer(t, answers)
		wants(t, text, status, body, want)
	}
}

// TestNothingIsLeftRunning has requests that end in all ways.
func TestNothingIsLeftRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	var stopped atomic.Int32
	t.Run("requests", func(t *testing.T) {
		ended := make(events, 1000)
		d := open(t, ended.observe, func(o *s3.Options) { o.Connector = slow{50 * time.Millisecond} })
		who := d.admit(account, everything)
		transport := new(http.Transport)
		defer transport.CloseIdleConnections()
		var all sync.WaitGroup
		for n := range 30 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*4*time.Millisecond+time.Millisecond)
				defer cancel()
				r, err := signed(who, http.MethodPut, d.URL+"/bucket/key", strings.NewReader("content"), sha("content"), time.Now())
				if err != nil {
					t.Error(err)
					return
				}
				response, err := transport.RoundTrip(r.WithContext(ctx))
				if err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				} else if errors.Is(err, context.DeadlineExceeded) {
					stopped.Add(1)
				}
			})
		}
		all.Wait()
	})
	if n := stopped.Load(); n == 0 || n == 30 {
		t.Logf("%d of 30 requests were cut", n)
	}
	goleak.VerifyNone(t, before)
}
