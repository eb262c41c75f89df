package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// benchProgram is a node with the sample data that is served without a
// network, and its administrator's key.
func benchProgram(b *testing.B) (*Program, AccessKey) {
	b.Helper()
	root, err := keys.NewRoot(make([]byte, keys.RootSize), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	people := &url.URL{Scheme: "http", Host: "localhost"}
	p, err := New(b.Context(), Options{
		PeopleURL: people, DataURL: people, Region: "us-east-1", Root: root,
		Store: storetest.Open(b, store.Config{Clock: time.Now}), Log: slog.New(slog.DiscardHandler), Now: time.Now, Rand: rand.Reader,
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.CreateSample(b.Context()); err != nil {
		b.Fatal(err)
	}
	key, err := p.NewAdministratorKey(b.Context(), SampleManagementAccount)
	if err != nil {
		b.Fatal(err)
	}
	return p, key
}

// BenchmarkGateway measures requests from the handler inwards.
func BenchmarkGateway(b *testing.B) {
	p, key := benchProgram(b)
	requests := map[string]struct{ contentType, target, service, body string }{
		"GetCallerIdentity": {"application/x-www-form-urlencoded", "", "sts", "Action=GetCallerIdentity&Version=2011-06-15"},
		"ListInstances":     {"application/x-amz-json-1.1", "SWBExternalService.ListInstances", "sso", "{}"},
	}
	for name, q := range requests {
		sum := sha256.Sum256([]byte(q.body))
		sign := func() *http.Request {
			r := httptest.NewRequest(http.MethodPost, "http://localhost/", strings.NewReader(q.body))
			r.RequestURI = "/" // as a server reads it
			r.Header.Set("Content-Type", q.contentType)
			if q.target != "" {
				r.Header.Set("X-Amz-Target", q.target)
			}
			creds := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret}
			if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), q.service, "us-east-1", time.Now()); err != nil {
				b.Fatal(err)
			}
			return r
		}
		b.Run(name, func(b *testing.B) {
			r := sign()
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(q.body))
				w := httptest.NewRecorder()
				p.handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
