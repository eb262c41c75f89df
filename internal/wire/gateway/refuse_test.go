package gateway_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/audit"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssooidc"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// notes is a database that keeps what operations write, when they commit.
type notes struct {
	written []string
	records []map[string]any
}

type notesTx struct {
	gateway.Tx // what these operations do not use
	notes
}

func (tx *notesTx) write(s string) { tx.written = append(tx.written, s) }

func (tx *notesTx) InsertPendingAudit(pending ...audit.Pending) error {
	for _, p := range pending {
		var record map[string]any
		if err := json.Unmarshal(p.Body, &record); err != nil {
			return err
		}
		tx.records = append(tx.records, record)
	}
	return nil
}

// Update runs fn once in vain, as a store may.
func (n *notes) Update(_ context.Context, fn func(*notesTx) error) error {
	_ = fn(&notesTx{notes: notes{slices.Clone(n.written), slices.Clone(n.records)}})
	tx := &notesTx{notes: notes{slices.Clone(n.written), slices.Clone(n.records)}}
	err := fn(tx)
	if err == nil {
		*n = tx.notes
	}
	return err
}

func (n *notes) View(context.Context, func(*notesTx) error) error { panic("nothing is only read here") }

// sink counts what is recorded after the fact.
type sink struct{ enqueued, noise []audit.Record }

func (s *sink) Enqueue(r audit.Record) { s.enqueued = append(s.enqueued, r) }
func (s *sink) Noise(r audit.Record)   { s.noise = append(s.noise, r) }

// operation is a CreateToken that does what a test wants.
type operation struct {
	wire.Unimplemented[*gateway.Context[*notesTx]]
	do func(c *gateway.Context[*notesTx]) (*wire.CreateTokenResponse, error)
}

func (o operation) CreateToken(c *gateway.Context[*notesTx], _ *wire.CreateTokenRequest) (*wire.CreateTokenResponse, error) {
	return o.do(c)
}

// TestRefuse holds which answers commit what an operation wrote, and how each
// is recorded.
func TestRefuse(t *testing.T) {
	grant := fault.New(fault.Invalid, "invalid_grant", "It came twice")
	sam := iam.IdentityCenterUser("123456789012", "d-1234567890", "u-1", "s-1")
	tests := map[string]struct {
		do               func(c *gateway.Context[*notesTx]) (*wire.CreateTokenResponse, error)
		status           int
		written          bool
		inside           bool // the record commits with what was written
		enqueued, noised int
	}{
		"error": {
			do: func(c *gateway.Context[*notesTx]) (*wire.CreateTokenResponse, error) {
				c.Tx.write("a")
				return nil, grant
			},
			status: 400, noised: 1,
		},
		"refusal": {
			do: func(c *gateway.Context[*notesTx]) (*wire.CreateTokenResponse, error) {
				c.Tx.write("a")
				return nil, gateway.Refuse(grant)
			},
			status: 400, written: true, noised: 1,
		},
		"refusal of a known caller": {
			do: func(c *gateway.Context[*notesTx]) (*wire.CreateTokenResponse, error) {
				c.Tx.write("a")
				c.Identify(sam)
				return nil, gateway.Refuse(grant)
			},
			status: 400, written: true, inside: true,
		},
		"error of a known caller": {
			do: func(c *gateway.Context[*notesTx]) (*wire.CreateTokenResponse, error) {
				c.Tx.write("a")
				c.Identify(sam)
				return nil, grant
			},
			status: 400, enqueued: 1,
		},
		"answer to a known caller": {
			do: func(c *gateway.Context[*notesTx]) (*wire.CreateTokenResponse, error) {
				c.Tx.write("a")
				c.Identify(sam)
				return &wire.CreateTokenResponse{AccessToken: new("the token")}, nil
			},
			status: 200, written: true, inside: true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			db, recorded := new(notes), new(sink)
			g := serve(t, db, recorded, tt.do)
			status, body := post(t, g, `{"clientId":"an id","clientSecret":"the secret","grantType":"refresh_token","refreshToken":"the token"}`)
			if status != tt.status || status == 400 && body != `{"error":"invalid_grant","error_description":"It came twice"}` {
				t.Errorf("answered %d %s", status, body)
			}
			if got := len(db.written) == 1; got != tt.written {
				t.Errorf("written %v", db.written)
			}
			if len(recorded.enqueued) != tt.enqueued || len(recorded.noise) != tt.noised || (len(db.records) == 1) != tt.inside {
				t.Errorf("records: %d in the transaction, %d after it, %d unauthenticated", len(db.records), len(recorded.enqueued), len(recorded.noise))
			}
			if tt.inside {
				checkRecord(t, db.records[0], tt.status)
			}
		})
	}
}

// checkRecord holds that a record names the person and hides what is secret.
func checkRecord(t *testing.T, got map[string]any, status int) {
	t.Helper()
	want := map[string]any{
		"userIdentity": map[string]any{
			"type": "IdentityCenterUser", "accountId": "123456789012", "credentialId": "s-1",
			"onBehalfOf": map[string]any{"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::123456789012:identitystore/d-1234567890"},
		},
		"eventName": "CreateToken", "eventSource": "sso.amazonaws.com", "recipientAccountId": "123456789012",
		"requestParameters": map[string]any{
			"clientId": "an id", "grantType": "refresh_token",
			"clientSecret": "HIDDEN_DUE_TO_SECURITY_REASONS", "refreshToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
		},
		"responseElements": map[string]any{"accessToken": "HIDDEN_DUE_TO_SECURITY_REASONS"},
	}
	if status != 200 {
		want["responseElements"], want["errorCode"] = nil, "InvalidGrantException"
	}
	for key := range got {
		if _, known := want[key]; !known {
			delete(got, key)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func serve(t *testing.T, db *notes, recorded *sink, do func(c *gateway.Context[*notesTx]) (*wire.CreateTokenResponse, error)) *gateway.Gateway {
	t.Helper()
	service := gateway.NewService(wire.Descriptor(), db, wire.Bind[*gateway.Context[*notesTx]](operation{do: do}))
	g, err := gateway.New(gateway.Options{
		Services: []gateway.Service{service}, Tokens: noTokens{}, Audit: recorded, IDs: ident.NewSource(rand.Reader),
		Policies: iam.NewCompiler(func(string) (string, bool) { return "", false }, 1),
		Now:      func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler),
		ClientIP: func(*http.Request) netip.Addr { return netip.IPv6Loopback() }, Secure: func(*http.Request) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func post(t *testing.T, h http.Handler, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(body)))
	answer, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(answer)
}
