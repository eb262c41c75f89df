package gateway_test

import (
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

// oneKey knows one credential.
type oneKey struct{ gateway.Credential }

func (k oneKey) FindKey(context.Context, string, string) (gateway.Credential, error) {
	return k.Credential, nil
}

// counter counts records.
type counter struct{ records []audit.Record }

func (c *counter) Enqueue(r audit.Record) { c.records = append(c.records, r) }
func (c *counter) Noise(r audit.Record)   { c.records = append(c.records, r) }

// TestStatelessOperationsNeedNoDatabase asks who the caller is, while the
// database is away: it is answered and recorded.
func TestStatelessOperationsNeedNoDatabase(t *testing.T) {
	who := iam.Principal{Kind: iam.KindUser, AccountID: "111111111111", ARN: "arn:aws:iam::111111111111:user/ann", ID: "AIDAEXAMPLE"}
	var trail counter
	g, err := gateway.New(gateway.Options{
		Services: []gateway.Service{gateway.NewService(stswire.Descriptor(), gateway.Database[sts.Tx](noDatabase{}),
			stswire.Bind[*gateway.Context[sts.Tx]](sts.Service{}))},
		Keys: oneKey{gateway.Credential{Secret: "secret", Principal: who}}, Audit: &trail,
		IDs: ident.NewSource(rand.Reader), Now: time.Now, Log: slog.New(slog.DiscardHandler), Region: "us-east-1",
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
		Secure:   func(*http.Request) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	const body = "Action=GetCallerIdentity&Version=2011-06-15"
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := sigv4.Sign(r, []byte(body), "AKIAEXAMPLE", "secret", "us-east-1", "sts", time.Now()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), who.ARN) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if len(trail.records) != 1 || trail.records[0].EventName != "GetCallerIdentity" || trail.records[0].UserIdentity.ARN != who.ARN {
		t.Errorf("the trail holds %+v", trail.records)
	}
}
