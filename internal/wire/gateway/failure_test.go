package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	oidcwire "github.com/atrium-iam/atrium/internal/awsapi/ssooidc"
	"github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// failing is a database whose transactions all fail alike.
type failing struct{ err error }

func (f failing) Update(context.Context, func(gateway.Tx) error) error { return f.err }
func (f failing) View(context.Context, func(gateway.Tx) error) error   { return f.err }

// failedAnswer is what became of a request to a failing gateway.
type failedAnswer struct {
	status    int
	body, log string
	event     gateway.Event
}

// failWith asks a JSON and a query service whose database fails with err.
func failWith(t *testing.T, err error, service string) failedAnswer {
	t.Helper()
	var out failedAnswer
	var log bytes.Buffer
	db := gateway.Database[gateway.Tx](failing{err})
	g, err := gateway.New(gateway.Options{
		Services: []gateway.Service{
			gateway.NewService(identitystore.Descriptor(), db,
				identitystore.Bind[*gateway.Context[gateway.Tx]](identitystore.Unimplemented[*gateway.Context[gateway.Tx]]{})),
			gateway.NewService(sts.Descriptor(), db, sts.Bind[*gateway.Context[gateway.Tx]](sts.Unimplemented[*gateway.Context[gateway.Tx]]{})),
		},
		Keys: anyKey{}, Audit: new(sink), IDs: ident.NewSource(rand.Reader), Now: time.Now, Region: "us-east-1",
		Log: slog.New(slog.NewTextHandler(&log, nil)), Observe: func(e gateway.Event) { out.event = e },
		ClientIP: func(*http.Request) netip.Addr { return netip.IPv6Loopback() }, Secure: func(*http.Request) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	body, contentType := `{"IdentityStoreId":"d-1234567890","DisplayName":"Builders"}`, "application/x-amz-json-1.1"
	if service == "sts" {
		body, contentType = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111111111111:role/R&RoleSessionName=ann", "application/x-www-form-urlencoded"
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if service != "sts" {
		r.Header.Set("X-Amz-Target", "AWSIdentityStore.CreateGroup")
	}
	if err := sigv4.Sign(r, []byte(body), "ann", "secret", "us-east-1", service, time.Now()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	out.status, out.body, out.log = w.Code, w.Body.String(), log.String()
	return out
}

// TestFailures holds what callers and operators hear of a failure: the text of
// one that is Atrium's own is in the log, as an error, and never in the answer.
func TestFailures(t *testing.T) {
	const secret = "the role AROA7QJ2EXAMPLE is missing"
	tests := map[string]struct {
		err    error
		ours   bool
		shown  string // in the answer
		hidden string // from it, and in the log if it is ours
	}{
		"internal":           {fault.New(fault.Internal, "role", secret), true, "An internal error occurred", secret},
		"unknown":            {errors.New(secret), true, "An internal error occurred", secret},
		"a full disk":        {fault.New(fault.Unavailable, "", "Try again.").WithCause(errors.New("disk is full")), true, "Try again.", "disk is full"},
		"too late":           {context.DeadlineExceeded, true, "not completed in time", "deadline exceeded"},
		"the client is gone": {context.Canceled, false, "not completed in time", "canceled"},
		"the caller's":       {fault.New(fault.Invalid, "", "Choose another name.").WithCause(errors.New(secret)), false, "Choose another name.", secret},
		"not allowed":        {fault.New(fault.Denied, "", "You may not."), false, "You may not.", secret},
	}
	for name, tt := range tests {
		for _, service := range []string{"identitystore", "sts"} {
			t.Run(name+" "+service, func(t *testing.T) {
				got := failWith(t, tt.err, service)
				if !strings.Contains(got.body, tt.shown) || strings.Contains(got.body, tt.hidden) {
					t.Errorf("answered %d %s", got.status, got.body)
				}
				if got.event.Failed != tt.ours || strings.Contains(got.log, "level=ERROR") != tt.ours {
					t.Errorf("failed %t, log %s", got.event.Failed, got.log)
				}
				if tt.ours && !strings.Contains(got.log, tt.hidden) {
					t.Errorf("the cause is not in the log: %s", got.log)
				}
			})
		}
	}
}

// TestMessagesInRecords holds which refusals keep their message: messages
// about the input may quote it, so only those about permission do.
func TestMessagesInRecords(t *testing.T) {
	for category, kept := range map[fault.Category]bool{
		fault.Denied: true, fault.Invalid: false, fault.NotFound: false, fault.Conflict: false, fault.Quota: false, fault.Internal: false,
	} {
		t.Run(category.String(), func(t *testing.T) {
			recorded := new(sink)
			g := serve(t, new(notes), recorded, func(c *gateway.Context[*notesTx]) (*oidcwire.CreateTokenResponse, error) {
				c.Identify(iam.IdentityCenterUser("123456789012", "d-1234567890", "u-1", "s-1"))
				return nil, fault.New(category, "", "There is a person called Sam.")
			})
			post(t, g, `{"clientId":"an id","clientSecret":"the secret","grantType":"refresh_token","refreshToken":"the token"}`)
			if len(recorded.enqueued) != 1 || recorded.enqueued[0].ErrorCode == "" {
				t.Fatalf("recorded %+v", recorded.enqueued)
			}
			if got := recorded.enqueued[0].ErrorMessage; got == "There is a person called Sam." != kept {
				t.Errorf("the record says %q", got)
			}
		})
	}
}

// noTokens cannot seal.
type noTokens struct{}

func (noTokens) Seal(_, _ []byte) ([]byte, error) { return nil, errors.New("no randomness") }
func (noTokens) Open(_, _ []byte) ([]byte, error) { return nil, errors.New("no keys") }

// TestNoPagingToken expects an error where no token can be made: an answer
// without one would say that the list ends here.
func TestNoPagingToken(t *testing.T) {
	db := new(notes)
	g := serve(t, db, new(sink), func(c *gateway.Context[*notesTx]) (*oidcwire.CreateTokenResponse, error) {
		c.Tx.write("a")
		return &oidcwire.CreateTokenResponse{AccessToken: c.NextToken("more")}, nil
	})
	status, body := post(t, g, `{"clientId":"an id","clientSecret":"the secret","grantType":"refresh_token","refreshToken":"the token"}`)
	if status != http.StatusInternalServerError || len(db.written) != 0 {
		t.Errorf("answered %d %s, written %v", status, body, db.written)
	}
}
