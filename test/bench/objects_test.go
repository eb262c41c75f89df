package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/wire/sigv4"
	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

// objectServer keeps objects in memory for who signs as S3 wants it.
type objectServer struct {
	mu      sync.Mutex
	objects map[string]string
	gets    map[string]int
	refused error
}

func (o *objectServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	opts := sigv4.Options{Now: time.Now(), Skew: time.Minute, Region: "us-east-1", Service: "s3", BodyStreams: true}
	claim, refusal := sigv4.Parse(r)
	if refusal == nil {
		_, refusal = sigv4.NewVerifier(10).Verify(claim, "secret", nil, opts)
	}
	if refusal != nil {
		o.refused = refusal
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.Method == http.MethodPut {
		text, _ := io.ReadAll(r.Body)
		o.objects[r.URL.Path] = string(text)
		return
	}
	o.gets[r.URL.Path]++
	_, _ = io.WriteString(w, o.objects[r.URL.Path])
}

func TestObjectsAreRead(t *testing.T) {
	o := &objectServer{objects: map[string]string{}, gets: map[string]int{}}
	server := httptest.NewServer(o)
	defer server.Close()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	p := &process{name: "server", command: &exec.Cmd{Process: self}, server: loadgen.Server{
		Endpoint: server.URL, Region: "us-east-1", Credentials: loadgen.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "token"},
	}}
	b := &bencher{settings: settings{rows: regexp.MustCompile("KiB"), clients: []int{2}, runs: 1, duration: 20 * time.Millisecond}}
	if err := b.reads(context.Background(), []*process{p, p}); err != nil || o.refused != nil {
		t.Fatal(err, o.refused)
	}
	if o.objects["/bench-1/1048576"] != strings.Repeat("x", 1<<20) || o.gets["/bench-0/1024"] == 0 || o.gets["/bench-1/1024"] == 0 || o.gets["/bench-0/1048576"] != 0 {
		t.Errorf("%d objects, read %v", len(o.objects), o.gets)
	}
}
