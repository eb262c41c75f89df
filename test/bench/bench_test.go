package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

func TestParse(t *testing.T) {
	s, err := parse([]string{"-clients", "1,2", "-full", "-atrium", ""})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.clients, []int{1, 2}) || !slices.Equal(s.users, []int{100, 10_000, 1_000_000}) || s.atrium != "" {
		t.Errorf("%+v", s)
	}
	for _, bad := range []string{"-clients=0", "-clients=", "-users=x", "-runs=0", "-duration=0s", "-rows=("} {
		if s, err := parse([]string{bad}); err == nil {
			t.Errorf("%s was accepted: %+v", bad, s)
		}
	}
}

// directoryServer is just enough of an identity store for the rows to run.
type directoryServer struct {
	mu    sync.Mutex
	names []string
	calls map[string]int
}

func (d *directoryServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		IdentityStoreId, UserName, UserId, NextToken string
		AlternateIdentifier                          struct {
			UniqueAttribute struct{ AttributePath, AttributeValue string }
		}
		MaxResults int
	}
	body, _ := io.ReadAll(r.Body)
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Method == http.MethodGet {
		if r.Header.Get(portalToken) != "token" {
			http.Error(w, "UnauthorizedException", http.StatusUnauthorized)
		}
		d.calls[r.URL.Path]++
		return
	}
	d.calls[op]++
	if op != "" {
		if err := json.Unmarshal(body, &in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	switch op {
	case "ListInstances":
		io.WriteString(w, `{"Instances":[{"IdentityStoreId":"d-0123456789"}]}`)
		return
	case "CreateUser":
		if slices.Contains(d.names, in.UserName) {
			http.Error(w, "ConflictException", http.StatusBadRequest)
			return
		}
		d.names = append(d.names, in.UserName)
		fmt.Fprintf(w, `{"UserId":"id-%s"}`, in.UserName)
	case "DescribeUser":
		if !slices.Contains(d.names, strings.TrimPrefix(in.UserId, "id-")) {
			http.Error(w, "no such user", http.StatusBadRequest)
		}
	case "GetUserId":
		if u := in.AlternateIdentifier.UniqueAttribute; u.AttributePath != "userName" || !slices.Contains(d.names, u.AttributeValue) {
			http.Error(w, "no such name", http.StatusBadRequest)
		}
	case "ListUsers":
		at, _ := strconv.Atoi(in.NextToken)
		end := min(at+in.MaxResults, len(d.names))
		next := ""
		if end < len(d.names) {
			next = strconv.Itoa(end)
		}
		w.Write(encode(map[string]any{"Users": make([]struct{ UserId string }, end-at), "NextToken": next}))
	}
	if op != "" && in.IdentityStoreId != "d-0123456789" {
		http.Error(w, "no such store", http.StatusBadRequest)
	}
}

// TestRowsCallWhatTheyName runs all rows against an in-memory directory.
func TestRowsCallWhatTheyName(t *testing.T) {
	d := &directoryServer{calls: map[string]int{}}
	server := httptest.NewServer(d)
	defer server.Close()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	p := &process{name: "atrium", command: &exec.Cmd{Process: self}, server: loadgen.Server{
		Endpoint: server.URL, Region: "us-east-1", Credentials: loadgen.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"},
	}}
	stub := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer stub.Close()
	ceiling := *p
	ceiling.name, ceiling.server.Endpoint = "stub", stub.URL
	b := &bencher{settings: settings{rows: regexp.MustCompile(""), clients: []int{2}, runs: 2, duration: 20 * time.Millisecond}, stub: &ceiling}
	if err := b.rows(context.Background(), p, "token", 250, t.TempDir(), engine{}); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"", "/federation/credentials", "ListInstances", "CreateUser", "DescribeUser", "GetUserId", "ListUsers"} {
		if d.calls[op] == 0 {
			t.Errorf("%q was never called", op)
		}
	}
	if len(b.sizes) != 6 || len(d.names) <= 250 {
		t.Errorf("%d rows, %d users", len(b.sizes), len(d.names))
	}
	for _, s := range b.sizes {
		if s.rate == 0 {
			t.Errorf("%s: nothing succeeded", s.row)
		}
	}
	if p.cpu() == 0 {
		t.Error("the processor time of this test is not known")
	}
}

func TestSeedReportsRefusals(t *testing.T) {
	d := &directoryServer{calls: map[string]int{}, names: []string{"seed-1"}}
	server := httptest.NewServer(d)
	defer server.Close()
	store := &identityStore{id: "d-0123456789", node: &process{server: loadgen.Server{Endpoint: server.URL}}}
	if err := store.seed(context.Background(), 3); err == nil || !strings.Contains(err.Error(), "Conflict") {
		t.Errorf("got %v, want the conflict", err)
	}
}

func TestEnvironmentReadsShellExports(t *testing.T) {
	program := filepath.Join(t.TempDir(), "atrium")
	script := "#!/bin/sh\n[ \"$1 $2\" = 'env --data-dir' ] && echo \"export AWS_ENDPOINT_URL='http://localhost:1'\nexport AWS_SECRET_ACCESS_KEY='a b'\\\\''c'\"\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	env, err := environment(context.Background(), program, "data")
	if err != nil {
		t.Fatal(err)
	}
	if env["AWS_ENDPOINT_URL"] != "http://localhost:1" || env["AWS_SECRET_ACCESS_KEY"] != "a b'c" {
		t.Errorf("%q", env)
	}
}

// TestLogins runs the rows of logins on a server that knows just enough, and
// expects each step in its order.
func TestLogins(t *testing.T) {
	var mu sync.Mutex
	var paths []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths = append(paths, r.URL.Path)
		mu.Unlock()
		switch r.URL.Path {
		case "/device/allow":
			if r.Header.Get("Cookie") != "a=b" || r.FormValue("csrf") != "the token" || r.FormValue("user_code") != "BCDF-GHJK" {
				t.Errorf("the form is %v, the cookie %q", r.Form, r.Header.Get("Cookie"))
			}
			http.Redirect(w, r, "/device/done", http.StatusSeeOther)
		case "/client/register":
			io.WriteString(w, `{"clientId":"c","clientSecret":"s"}`)
		case "/device_authorization":
			io.WriteString(w, `{"deviceCode":"d","userCode":"BCDF-GHJK"}`)
		case "/token":
			io.WriteString(w, `{"refreshToken":"r"}`)
		}
	}))
	defer s.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	d := &devices{person: &person{base: s.URL, cookie: "a=b", csrf: "the token"}, logins: make([]login, 1)}
	for range 2 {
		if err := d.refresh(context.Background(), 0, client); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"/client/register", "/device_authorization", "/device/allow", "/token", "/token"}
	if !slices.Equal(paths, want) {
		t.Errorf("asked %v, want %v", paths, want)
	}
	if d.logins[0] != (login{"c", "s", "r", ""}) {
		t.Errorf("kept %+v", d.logins[0])
	}
}

func TestForms(t *testing.T) {
	action, csrf, err := form(`<form method="post" action="/signin?a=1&amp;b=2"><input type="hidden" name="csrf" value="x-y_z">` + "\n" + `</form><form action="/other"></form>`)
	if err != nil || action != "/signin?a=1&b=2" || csrf != "x-y_z" {
		t.Errorf("%q, %q, %v", action, csrf, err)
	}
	for _, page := range []string{"", "<form>", `<form action="/a"></form>`} {
		if _, _, err := form(page); err == nil {
			t.Errorf("%q has a form", page)
		}
	}
}
