package gateway_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/api/sts"
	"github.com/atrium-iam/atrium/internal/audit"
	stswire "github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// noDatabase is a database that is away.
type noDatabase struct{}

var errAway = errors.New("the database is away")

func (noDatabase) Update(context.Context, func(sts.Tx) error) error { return errAway }
func (noDatabase) View(context.Context, func(sts.Tx) error) error   { return errAway }

// anyKey knows every access key, with the secret "secret" and a user of the
// same name.
type anyKey struct{}

func (anyKey) FindKey(_ context.Context, id, _ string) (gateway.Credential, error) {
	return gateway.Credential{Secret: "secret", Principal: iam.Principal{
		Kind: iam.KindUser, AccountID: "111111111111", ARN: "arn:aws:iam::111111111111:user/" + id, ID: "AIDAEXAMPLE",
	}}, nil
}

// trail holds records.
type trail struct {
	mu      sync.Mutex
	records []audit.Record
}

func (t *trail) Noise(r audit.Record) { t.Enqueue(r) }

func (t *trail) Enqueue(r audit.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records = append(t.records, r)
}

// stateless is a gateway to sts without a database.
func stateless(t *testing.T, trail gateway.AuditSink) *gateway.Gateway {
	t.Helper()
	g, err := gateway.New(gateway.Options{
		Services: []gateway.Service{gateway.NewService(stswire.Descriptor(), gateway.Database[sts.Tx](noDatabase{}),
			stswire.Bind[*gateway.Context[sts.Tx]](sts.Service{}))},
		Keys: anyKey{}, Audit: trail, IDs: ident.NewSource(rand.Reader), Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Region: "us-east-1",
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
		Secure:   func(*http.Request) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// whoAmI asks with an access key who the caller is.
func whoAmI(t *testing.T, g *gateway.Gateway, accessKeyID string) *httptest.ResponseRecorder {
	t.Helper()
	const body = "Action=GetCallerIdentity&Version=2011-06-15"
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := sigv4.Sign(r, []byte(body), accessKeyID, "secret", "us-east-1", "sts", time.Now()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// TestStatelessOperationsNeedNoDatabase asks who the caller is while the
// database is away: it is answered and recorded.
func TestStatelessOperationsNeedNoDatabase(t *testing.T) {
	var trail trail
	w := whoAmI(t, stateless(t, &trail), "ann")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), ":user/ann<") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if len(trail.records) != 1 || trail.records[0].EventName != "GetCallerIdentity" || !strings.HasSuffix(trail.records[0].UserIdentity.ARN, ":user/ann") {
		t.Errorf("the trail holds %+v", trail.records)
	}
}

// TestAnswersShareNothing asks many things at once, with answers of different
// lengths: each gets its own, though buffers are used again.
func TestAnswersShareNothing(t *testing.T) {
	g := stateless(t, new(trail))
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			name := strings.Repeat(string(rune('a'+n)), 1+30*n)
			for range 100 {
				w := whoAmI(t, g, name)
				if !strings.Contains(w.Body.String(), ":user/"+name+"<") || w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
					t.Errorf("%s was answered %v %s", name, w.Header(), w.Body)
					return
				}
			}
		})
	}
	group.Wait()
}
