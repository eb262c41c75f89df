package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// away is a target that fails until it is back.
type away struct {
	back     atomic.Bool
	reopened atomic.Int32
	events   []string
}

func (a *away) Deliver(_ context.Context, records []audit.Entry) error {
	if !a.back.Load() {
		return errors.New("away")
	}
	for _, r := range records {
		var e struct{ EventName string }
		if err := json.Unmarshal(r.JSON, &e); err != nil {
			return err
		}
		a.events = append(a.events, e.EventName)
	}
	return nil
}

func (a *away) Reopen() { a.reopened.Add(1) }

// TestForwarding forwards a program's trail to a target that is away at first:
// changes go on, the metrics tell, and everything comes.
func TestForwarding(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		target := new(away)
		p := unmanaged(t, s, storetest.Now, func(o *Options) { o.Forward = []Forwarding{{Name: "file", Target: target}} })
		metrics := func(want ...string) {
			t.Helper()
			w := httptest.NewRecorder()
			p.metrics.handler(p.handler.health).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/metrics", nil))
			for _, line := range want {
				if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
					t.Errorf("the metrics lack %s", line)
				}
			}
		}
		if _, err := p.Initialize(t.Context(), ManagementAccount{ID: sampleManagement, Name: "m", Email: "m@example.com"}); err != nil {
			t.Fatal(err)
		}
		n := len(recorded(t, p))
		if _, err := p.forwarders[0].Once(t.Context()); err == nil {
			t.Error("the failure is not told")
		}
		if n != 3 {
			t.Fatalf("setting up left %d records", n)
		}
		metrics(`atrium_audit_forward_lag_records{target="file"} 3`, `atrium_audit_forward_failures_total{target="file"} 1`,
			`atrium_audit_forward_lag_seconds{target="file"} 0`, `atrium_audit_forwarded_records_total{target="file"} 0`)
		if through, err := p.forwarded()(t.Context()); through != 0 || err != nil {
			t.Errorf("forwarded through %d, %v", through, err)
		}
		target.back.Store(true)
		if _, err := p.RotateAdministratorKey(t.Context(), Operator{}, false); err != nil {
			t.Fatal(err)
		}
		// A program that runs writes and forwards, to its end.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.keepTrail(ctx)
		if len(target.events) != 4 || target.events[3] != "CreateAccessKey" {
			t.Errorf("forwarded %v", target.events)
		}
		metrics(`atrium_audit_forward_lag_records{target="file"} 0`, `atrium_audit_forwarded_records_total{target="file"} 4`)
		if through, err := p.forwarded()(t.Context()); through != 4 || err != nil {
			t.Errorf("forwarded through %d, %v", through, err)
		}
		p.ReopenFiles()
		if target.reopened.Load() != 1 {
			t.Error("the file is not opened anew")
		}
	})
}
