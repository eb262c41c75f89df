package oauth_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestRefresh follows a login from refresh to refresh until its portal session
// ends.
func TestRefresh(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		tokens := w.logIn(c)
		seen := []string{tokens.Refresh}
		for w.now.Add(45 * time.Minute).Before(w.session.ExpiresAt) {
			w.now = w.now.Add(45 * time.Minute)
			w.restart()
			next, err := w.refresh(c, tokens.Refresh)
			if err != nil {
				t.Fatalf("after %v: %v", w.now.Sub(w.session.CreatedAt), err)
			}
			if slices.Contains(seen, next.Refresh) || next.Refresh == "" {
				t.Fatalf("refresh token %q came again", next.Refresh)
			}
			if want := min(time.Hour, w.session.ExpiresAt.Sub(w.now)); next.Expires != want {
				t.Fatalf("the access token lasts %v, want %v", next.Expires, want)
			}
			w.works(next.Access)
			w.works(tokens.Access) // for the quarter of an hour that it has left
			seen, tokens = append(seen, next.Refresh), next
		}
		w.now = w.session.ExpiresAt
		w.dead(tokens.Access)
		_, err := w.refresh(c, tokens.Refresh)
		w.refused(err, "invalid_grant")
	})
}

func TestAccessTokensExpire(t *testing.T) {
	each(t, func(w *world) {
		tokens := w.logIn(w.deviceClient())
		w.now = w.now.Add(time.Hour - time.Millisecond)
		w.works(tokens.Access)
		w.now = w.now.Add(time.Millisecond)
		w.dead(tokens.Access)
	})
}

// TestLegacyClients holds that clients without scopes get one long token.
func TestLegacyClients(t *testing.T) {
	each(t, func(w *world) {
		for name, in := range map[string]oauth.NewClient{
			"no scopes":      {},
			"portal scope":   {Scopes: []string{oauth.ScopePortal}},
			"no refreshing":  {Scopes: []string{oauth.ScopeAccountAccess}, GrantTypes: []string{oauth.GrantDeviceCode}},
			"asks for scope": {GrantTypes: []string{oauth.GrantDeviceCode, oauth.GrantRefreshToken}},
		} {
			c := w.register(in)
			tokens := w.logIn(c)
			if tokens.Refresh != "" || tokens.Expires != 8*time.Hour {
				t.Errorf("%s: got %v and refresh token %q", name, tokens.Expires, tokens.Refresh)
			}
			w.works(tokens.Access)
		}
		long := w.signIn(w.sam, 24*time.Hour)
		c := w.register(oauth.NewClient{})
		w.session = long
		tokens := w.logIn(c)
		w.now = w.now.Add(8*time.Hour - time.Second)
		w.works(tokens.Access)
		w.now = w.now.Add(time.Second)
		w.dead(tokens.Access)
		w.now = w.now.Add(15 * time.Hour)
		if tokens = w.logIn(c); tokens.Expires != time.Hour {
			t.Errorf("a token of a session that ends in an hour lasts %v", tokens.Expires)
		}
	})
}

// TestParallelRefresh holds that programs which share a login get the same
// successor, at once or one after the other.
func TestParallelRefresh(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		tokens := w.logIn(c)
		var mu sync.Mutex
		var wg sync.WaitGroup
		next := map[string]int{}
		var access []string
		for range 8 {
			wg.Go(func() {
				got, err := w.refresh(c, tokens.Refresh)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				next[got.Refresh]++
				access = append(access, got.Access)
			})
		}
		wg.Wait()
		if len(next) != 1 {
			t.Errorf("one token has %d successors", len(next))
		}
		for _, token := range access {
			w.works(token)
		}
	})
}

func TestRepeatedRefresh(t *testing.T) {
	// Each step sends the token with the number of use, counted from 0, after
	// a time. want is the number of the token that comes back, -1 when the
	// login is revoked.
	type step struct {
		after     time.Duration
		use, want int
	}
	tests := map[string][]step{
		"repeat at once":                         {{0, 0, 1}, {0, 0, 1}, {time.Second, 0, 1}},
		"repeat within the minute":               {{0, 0, 1}, {time.Minute, 0, 1}},
		"repeat after its successor was used":    {{0, 0, 1}, {10 * time.Second, 1, 2}, {40 * time.Second, 0, 1}},
		"repeat of two behind, within minutes":   {{0, 0, 1}, {10 * time.Second, 1, 2}, {10 * time.Second, 2, 3}, {10 * time.Second, 0, 1}, {0, 1, 2}, {0, 3, 4}},
		"reply lost, asked again much later":     {{0, 0, 1}, {time.Hour, 0, 1}, {0, 1, 2}},
		"reply lost twice":                       {{0, 0, 1}, {time.Hour, 0, 1}, {time.Hour, 0, 1}, {time.Hour, 1, 2}},
		"stolen, used after the owner":           {{0, 0, 1}, {time.Hour, 1, 2}, {time.Second, 0, -1}},
		"stolen, used before the owner":          {{0, 0, 1}, {time.Hour, 1, 2}, {time.Hour, 2, 3}, {time.Minute, 1, -1}},
		"repeat after a minute, successor used":  {{0, 0, 1}, {30 * time.Second, 1, 2}, {31 * time.Second, 0, -1}},
		"repeat in the minute, successor older":  {{0, 0, 1}, {50 * time.Second, 1, 2}, {10 * time.Second, 0, 1}, {time.Millisecond, 0, -1}},
		"an old one long after is not forgotten": {{0, 0, 1}, {time.Hour, 1, 2}, {time.Hour, 2, 3}, {time.Hour, 0, -1}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				c := w.deviceClient()
				tokens := w.logIn(c)
				refresh, access := map[int]string{0: tokens.Refresh}, tokens.Access
				for i, s := range steps {
					w.now = w.now.Add(s.after)
					w.restart()
					got, err := w.refresh(c, refresh[s.use])
					if s.want < 0 {
						w.refused(err, "invalid_grant")
						if kept, ok := errors.AsType[*oauth.Kept](err); !ok || kept.Revoked.UserID != w.sam.ID {
							t.Errorf("step %d does not tell whose login was revoked: %v", i, err)
						}
						w.dead(access)
						for number, token := range refresh {
							if _, err := w.refresh(c, token); subject(err) != "invalid_grant" {
								t.Errorf("token %d of a revoked login: %v", number, err)
							}
						}
						return
					}
					if err != nil {
						t.Fatalf("step %d: %v", i, err)
					}
					if known, ok := refresh[s.want]; ok && known != got.Refresh {
						t.Fatalf("step %d: another token than token %d", i, s.want)
					}
					for number, token := range refresh {
						if token == got.Refresh && number != s.want {
							t.Fatalf("step %d: token %d, want %d", i, number, s.want)
						}
					}
					refresh[s.want], access = got.Refresh, got.Access
					w.works(access)
				}
			})
		})
	}
}

// TestRefreshFollowsItsModel compares families with a model that remembers
// every exchange.
func TestRefreshFollowsItsModel(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	base := newWorld(t, s)
	c := base.deviceClient()
	rapid.Check(t, func(rt *rapid.T) {
		w := *base
		w.session = w.signIn(w.sam, 1000*time.Hour)
		tokens := w.logIn(c)
		issued := []string{tokens.Refresh}
		exchanged := map[int]time.Time{}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 5, 20, 60, 61, 3600}).Draw(rt, "pause")) * time.Second)
			use := max(0, len(issued)-1-rapid.IntRange(0, 4).Draw(rt, "behind"))
			at, before := exchanged[use]
			_, successorUsed := exchanged[use+1]
			legitimate := !before || w.now.Sub(at) <= time.Minute || !successorUsed
			got, err := w.refresh(c, issued[use])
			if !legitimate {
				if subject(err) != "invalid_grant" {
					rt.Fatalf("token %d of %d is honoured: %v", use, len(issued), err)
				}
				return
			}
			if err != nil {
				rt.Fatalf("token %d of %d: %v", use, len(issued), err)
			}
			if !before {
				exchanged[use] = w.now
				issued = append(issued, got.Refresh)
			}
			if got.Refresh != issued[use+1] {
				rt.Fatalf("token %d has two successors", use)
			}
		}
	})
}

func TestRefreshRefuses(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		tokens := w.logIn(c)
		raw, err := base64.RawURLEncoding.DecodeString(tokens.Refresh)
		if err != nil {
			t.Fatal(err)
		}
		next := slices.Clone(raw)
		next[23]++ // the number
		other := slices.Clone(raw)
		other[0] ^= 1 // the family
		for name, token := range map[string]string{
			"an access token": tokens.Access, "nothing": "", "the next number": base64.RawURLEncoding.EncodeToString(next),
			"another family": base64.RawURLEncoding.EncodeToString(other), "shortened": tokens.Refresh[:40], "its body only": base64.RawURLEncoding.EncodeToString(raw[:24]),
		} {
			if _, err := w.refresh(c, token); subject(err) != "invalid_grant" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.refresh(w.deviceClient(), tokens.Refresh); subject(err) != "invalid_grant" {
			t.Errorf("another client: %v", err)
		}
		never := w.register(oauth.NewClient{Scopes: []string{oauth.ScopeAccountAccess}, GrantTypes: []string{oauth.GrantDeviceCode}})
		if _, err := w.refresh(never, tokens.Refresh); subject(err) != "unauthorized_client" {
			t.Errorf("a client that did not register for it: %v", err)
		}
		if _, err := w.refresh(c, tokens.Refresh); err != nil {
			t.Errorf("what was refused took the token from its client: %v", err)
		}
	})
}

func TestAccessTokens(t *testing.T) {
	each(t, func(w *world) {
		c := w.codeClient()
		tokens, err := w.redeemCode(c, w.authorize(c), callback, verifier)
		if err != nil {
			t.Fatal(err)
		}
		id, err := oauth.BeginAuthorization(w.keys, w.now, c, w.in.IdentityStoreID, newAuthorization())
		if err != nil {
			t.Fatal(err)
		}
		altered := []byte(tokens.Access)
		altered[30] ^= 1
		for _, token := range []string{"", "a", tokens.Refresh, id, string(altered), tokens.Access + "AAAA", tokens.Access[4:]} {
			w.dead(token)
		}
		w.works(tokens.Access)
		w.must(func(tx *store.Tx) error { return oauth.Revoke(tx, tokens.Family.ID) })
		w.must(func(tx *store.Tx) error { return oauth.Revoke(tx, tokens.Family.ID) })
		w.dead(tokens.Access)
		_, err = w.refresh(c, tokens.Refresh)
		w.refused(err, "invalid_grant")
	})
}

// TestTokensSurviveARotation holds that logins go on over a rotation of the
// keys, and end with their revocation.
func TestTokensSurviveARotation(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		tokens := w.logIn(c)
		if _, err := w.ring.Rotate(t.Context(), keys.Sessions, 0); err != nil {
			t.Fatal(err)
		}
		w.works(tokens.Access)
		next, err := w.refresh(c, tokens.Refresh)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.ring.Revoke(t.Context(), keys.Sessions); err != nil {
			t.Fatal(err)
		}
		w.dead(tokens.Access)
		_, err = w.refresh(c, tokens.Refresh)
		w.refused(err, "invalid_grant")
		w.works(next.Access) // made with the new key
	})
}

// TestSessionsAreApart holds that a login ends with its own portal session and
// no other, and that nothing of it is left.
func TestSessionsAreApart(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		one := w.logIn(c)
		first := w.session
		w.session = w.signIn(w.sam, time.Hour)
		two := w.logIn(c)
		w.signOut(first)
		w.dead(one.Access)
		w.works(two.Access)
		w.must(func(tx *store.Tx) error {
			_, err := session.EndAll(tx, w.in.IdentityStoreID, w.sam.ID)
			return err
		})
		w.dead(two.Access)
		w.must(func(tx *store.Tx) error {
			for _, f := range []oauth.Family{one.Family, two.Family} {
				if _, found, err := tx.TokenFamily(f.ID); err != nil || found {
					t.Errorf("a family outlives its session (%v)", err)
				}
			}
			return nil
		})
	})
}

// TestTokensOfTheFuture holds that a database that was set back to an older
// state does not honour tokens that were issued after that, and does not take
// them for a theft either.
func TestTokensOfTheFuture(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		first := w.logIn(c)
		second, err := w.refresh(c, first.Refresh)
		if err != nil {
			t.Fatal(err)
		}
		w.must(func(tx *store.Tx) error { return tx.UpdateTokenFamily(first.Family) })
		_, err = w.refresh(c, second.Refresh)
		w.refused(err, "invalid_grant")
		if _, err := w.refresh(c, first.Refresh); err != nil {
			t.Error(err)
		}
	})
}
