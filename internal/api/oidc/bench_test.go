package oidc_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// benchEach runs a benchmark on SQLite and, where there is one, on PostgreSQL,
// with 64 clients at once.
func benchEach(b *testing.B, run func(b *testing.B, s *server)) {
	for name, dsn := range map[string]func(testing.TB) string{
		"SQLite": func(testing.TB) string { return "" }, "PostgreSQL": storetest.Postgres,
	} {
		b.Run(name, func(b *testing.B) {
			s := newServer(b, storetest.Open(b, store.Config{PostgresDSN: dsn(b)}))
			b.SetParallelism(32)
			b.ReportAllocs()
			run(b, s)
		})
	}
}

// call sends a body to the handler itself and reads the answer.
func (s *server) call(b *testing.B, path, body string) (got map[string]any) {
	w := httptest.NewRecorder()
	s.current().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		b.Errorf("%s answered %d %s (%v)", path, w.Code, w.Body, err)
	}
	return got
}

// signIn begins one more portal session of sam.
func (s *server) signIn(b *testing.B) (out session.Session) {
	err := s.db.Update(b.Context(), func(tx *store.Tx) (err error) {
		out, _, err = session.Start(tx, s.clock(), s.ids, s.sam.StoreID, s.sam.ID, 8*time.Hour, session.Client{IP: "203.0.113.9"})
		return err
	})
	if err != nil {
		b.Error(err)
	}
	return out
}

// logIn is a whole device flow.
func (s *server) logIn(b *testing.B, by session.Session) (c registration, tokens map[string]any) {
	r := s.call(b, "/client/register", registerDevice)
	c = registration{text(b, r, "clientId"), text(b, r, "clientSecret")}
	d := s.call(b, "/device_authorization", body(startDevice, c.id, c.secret, s.in.StartURL()))
	err := s.db.UpdateSnapshot(b.Context(), func(tx *store.Tx) error {
		_, err := oauth.ApproveDevice(tx, s.clock(), by, text(b, d, "userCode"))
		return err
	})
	if err != nil {
		b.Error(err)
	}
	return c, s.call(b, "/token", body(pollDevice, c.id, c.secret, text(b, d, "deviceCode")))
}

// BenchmarkDeviceFlow registers a client, starts, approves and redeems.
func BenchmarkDeviceFlow(b *testing.B) {
	benchEach(b, func(b *testing.B, s *server) {
		b.RunParallel(func(pb *testing.PB) {
			by := s.signIn(b)
			for pb.Next() {
				s.logIn(b, by)
			}
		})
	})
}

// BenchmarkRefresh exchanges refresh tokens, each client those of its own login.
func BenchmarkRefresh(b *testing.B) {
	benchEach(b, func(b *testing.B, s *server) {
		b.RunParallel(func(pb *testing.PB) {
			c, tokens := s.logIn(b, s.signIn(b))
			for pb.Next() {
				tokens = s.call(b, "/token", body(refresh, c.id, c.secret, text(b, tokens, "refreshToken")))
			}
		})
	})
}

// BenchmarkVerifyAccessToken is what every request to the portal costs first.
func BenchmarkVerifyAccessToken(b *testing.B) {
	benchEach(b, func(b *testing.B, s *server) {
		_, tokens := s.logIn(b, s.session)
		token := text(b, tokens, "accessToken")
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.verify(token); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
