package loadgen

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func server(t *testing.T, handle http.HandlerFunc) Server {
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return Server{Endpoint: s.URL, Region: "us-east-1", Credentials: Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}}
}

func numbered(n int64) []byte { return []byte(strings.Repeat("x", int(n%7))) }

func TestRunCountsEachCallOnce(t *testing.T) {
	var mu sync.Mutex
	seen, connections := 0, map[string]bool{}
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen++
		connections[r.RemoteAddr] = true
		if seen%5 == 0 {
			w.WriteHeader(http.StatusTeapot)
		}
		io.Copy(w, r.Body)
	})
	checked := 0
	call := Query("sts", numbered).Checked(func(n int64, body []byte) error {
		mu.Lock()
		defer mu.Unlock()
		checked++
		if string(body) != string(numbered(n)) {
			return errors.New("the answer to another call")
		}
		return nil
	})
	got, err := Run(context.Background(), s, call, Load{Clients: 4, Count: 100})
	if err != nil {
		t.Fatal(err)
	}
	if seen != 100 || got.Calls != 100 || got.Statuses[200] != 80 || got.Statuses[418] != 20 || got.Errors() != 20 || checked != 80 || got.Failed != 0 {
		t.Errorf("the server saw %d calls, %d were checked: %+v", seen, checked, got)
	}
	if len(connections) > 4 {
		t.Errorf("%d connections, want 4 at most: they must be kept alive", len(connections))
	}
	if got.FirstError == nil || !strings.Contains(got.FirstError.Error(), "418") {
		t.Errorf("first error: %v", got.FirstError)
	}
	if got.Rate() <= 0 || got.Percentile(50) <= 0 || got.Percentile(50) > got.Percentile(99) {
		t.Errorf("rate %f, p50 %s, p99 %s", got.Rate(), got.Percentile(50), got.Percentile(99))
	}
}

func TestRunLeavesTheWarmUpOut(t *testing.T) {
	s := server(t, func(http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) })
	start := time.Now()
	got, err := Run(context.Background(), s, Query("sts", numbered), Load{Clients: 1, Warmup: 100 * time.Millisecond, Duration: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 200*time.Millisecond || got.Elapsed > took-99*time.Millisecond {
		t.Errorf("%s in all, %s measured", took, got.Elapsed)
	}
	if got.Calls == 0 || got.Calls > 100 || got.Errors() != 0 {
		t.Errorf("%+v", got)
	}
}

func TestRunReportsFailures(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	got, err := Run(context.Background(), s, Query("sts", numbered), Load{Clients: 2, Count: 6})
	if err != nil {
		t.Fatal(err)
	}
	if got.Failed != 6 || got.Calls != 0 || got.Errors() != 6 || got.FirstError == nil || got.Rate() != 0 {
		t.Errorf("%+v", got)
	}
}

func TestRunGets(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.String() != "/a?b=c" || r.Header.Get("Token") != "secret" || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	got, err := Run(context.Background(), s, Get("/a?b=c", "Token", "secret"), Load{Clients: 2, Count: 6})
	if err != nil || got.Calls != 6 || got.Errors() != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRunStaysOnThisMachine(t *testing.T) {
	for _, endpoint := range []string{"http://192.0.2.1:80", "http://example.com:80", "https://127.0.0.1:1", "http://127.0.0.1", "127.0.0.1:80", ""} {
		if _, err := Run(context.Background(), Server{Endpoint: endpoint}, Query("sts", numbered), Load{Clients: 1, Count: 1}); err == nil {
			t.Errorf("%s was accepted", endpoint)
		}
	}
	if _, err := Run(context.Background(), Server{Endpoint: "http://127.0.0.1:1"}, Query("sts", numbered), Load{Clients: 1}); err == nil {
		t.Error("a load without end was accepted")
	}
}

func TestPercentile(t *testing.T) {
	var r Result
	for i := range 100 {
		r.latencies = append(r.latencies, time.Duration(i+1))
	}
	for p, want := range map[float64]time.Duration{0: 1, 50: 50, 90: 90, 99: 99, 99.5: 100, 100: 100} {
		if got := r.Percentile(p); got != want {
			t.Errorf("p%g = %d, want %d", p, got, want)
		}
	}
	if got := (Result{}).Percentile(50); got != 0 {
		t.Errorf("percentile of nothing = %d", got)
	}
}

func TestStepsAreCounted(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]int{}
	refusal := errors.New("refused")
	got := Steps(context.Background(), Load{Clients: 4, Warmup: 50 * time.Millisecond, Duration: 200 * time.Millisecond},
		func(_ context.Context, worker int, _ *http.Client) error {
			time.Sleep(time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			seen[worker]++
			if worker == 3 {
				return refusal
			}
			return nil
		})
	if len(seen) != 4 || got.Calls == 0 || got.Failed == 0 || !errors.Is(got.FirstError, refusal) || got.Rate() <= 0 {
		t.Errorf("workers %v, %+v", seen, got)
	}
	if int(got.Calls+got.Failed) >= seen[0]+seen[1]+seen[2]+seen[3] {
		t.Errorf("the warm-up is counted: %d calls of %v", got.Calls+got.Failed, seen)
	}
}
