package oauth_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/store"
)

func TestDeviceFlow(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		d, code := w.startDevice(c)
		if !regexp.MustCompile(`^[B-Z]{4}-[B-Z]{4}$`).MatchString(d.UserCode) || len(code) != 43 {
			t.Errorf("user code %q, device code %q", d.UserCode, code)
		}
		_, err := w.redeemDevice(c, code)
		w.refused(err, "authorization_pending")

		var seen oauth.Device
		w.must(func(tx *store.Tx) (err error) {
			seen, err = oauth.DeviceByUserCode(tx, w.now, w.in.IdentityStoreID, d.UserCode)
			return err
		})
		want := oauth.Device{
			Code: d.Code, UserCode: d.UserCode, ClientID: c.ID, ClientName: "botocore-client-test", Scopes: []string{"sso:account:access"},
			StoreID: w.in.IdentityStoreID, Requester: oauth.Requester{IP: "198.51.100.7", UserAgent: "aws-cli/2"},
			CreatedAt: w.now, ExpiresAt: w.now.Add(10 * time.Minute), Status: oauth.Pending, NextPoll: w.now.Add(time.Second),
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("the page shows (-want +got):\n%s", diff)
		}
		if err := w.approveDevice(w.session, d.UserCode); err != nil {
			t.Fatal(err)
		}
		if err := w.approveDevice(w.session, d.UserCode); err != nil {
			t.Errorf("approving twice in one session: %v", err)
		}
		w.restart()
		tokens, err := w.redeemDevice(c, code)
		if err != nil {
			t.Fatal(err)
		}
		if tokens.Expires != time.Hour || tokens.Refresh == "" {
			t.Errorf("got %v, refresh token %q", tokens.Expires, tokens.Refresh)
		}
		w.works(tokens.Access)
	})
}

// TestPolling holds that no client which keeps to the interval is ever told to
// slow down, with whatever jitter, and that one which does not is.
func TestPolling(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		_, code := w.startDevice(c)
		poll := func(after time.Duration) error {
			w.now = w.now.Add(after)
			_, err := w.redeemDevice(c, code)
			return err
		}
		w.refused(poll(0), "authorization_pending")
		w.refused(poll(50*time.Millisecond), "authorization_pending") // the AWS CLI begins like this
		for i := range 200 {
			jitter := time.Duration(i%5-2) * 300 * time.Millisecond
			w.refused(poll(time.Second+jitter), "authorization_pending")
		}
	})
	each(t, func(w *world) {
		c := w.deviceClient()
		_, code := w.startDevice(c)
		slowed := 0
		for range 60 {
			w.now = w.now.Add(100 * time.Millisecond)
			_, err := w.redeemDevice(c, code)
			if subject(err) == "slow_down" {
				slowed++
				if !fault.Is(err, fault.Throttled) {
					t.Fatalf("%v", err)
				}
			}
		}
		if slowed < 40 {
			t.Errorf("ten polls a second were slowed down %d times of 60", slowed)
		}
		w.now = w.now.Add(5 * time.Minute)
		slowed = 0
		for range 10 { // patience is not saved up
			if _, err := w.redeemDevice(c, code); subject(err) == "slow_down" {
				slowed++
			}
		}
		if slowed != 4 {
			t.Errorf("ten polls at once, after five minutes, were slowed down %d times", slowed)
		}
		w.now = w.now.Add(6 * time.Second) // the client waits five seconds more than the interval
		_, err := w.redeemDevice(c, code)
		w.refused(err, "authorization_pending")
	})
}

// TestDecisionIsToldToImpatientClients holds that what a person has decided is
// told at once, however often a client has asked.
func TestDecisionIsToldToImpatientClients(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		d, code := w.startDevice(c)
		var err error
		for range 20 {
			_, err = w.redeemDevice(c, code)
		}
		w.refused(err, "slow_down")
		if err := w.approveDevice(w.session, d.UserCode); err != nil {
			t.Fatal(err)
		}
		if _, err := w.redeemDevice(c, code); err != nil {
			t.Error(err)
		}
	})
}

func TestDeviceRefusals(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		d, code := w.startDevice(c)

		// Whoever has the code without being the client gets nothing, and
		// takes nothing from the client.
		_, err := w.redeemDevice(w.deviceClient(), code)
		w.refused(err, "invalid_grant")
		_, err = w.redeemDevice(c, code+"A")
		w.refused(err, "invalid_grant")
		_, err = w.redeemDevice(c, d.UserCode)
		w.refused(err, "invalid_grant")
		_, err = w.redeemDevice(w.codeClient(), code)
		w.refused(err, "unauthorized_client")
		err = w.try(func(tx *store.Tx) error {
			_, _, err := oauth.StartDevice(tx, w.now, w.ids, w.codeClient(), w.in.IdentityStoreID, oauth.Requester{})
			return err
		})
		w.refused(err, "unauthorized_client")

		if err := w.denyDevice(w.session, d.UserCode); err != nil {
			t.Fatal(err)
		}
		_, err = w.redeemDevice(c, code)
		w.refused(err, "access_denied")
		w.refused(w.approveDevice(w.session, d.UserCode), "user_code")

		d, code = w.startDevice(c)
		w.now = w.now.Add(10*time.Minute - time.Millisecond)
		_, err = w.redeemDevice(c, code)
		w.refused(err, "authorization_pending")
		w.now = w.now.Add(time.Millisecond)
		_, err = w.redeemDevice(c, code)
		w.refused(err, "expired_token")
		w.refused(w.approveDevice(w.session, d.UserCode), "expired_token")
	})
}

// TestApprovedDeviceExpires holds that an approval does not outlive the code.
func TestApprovedDeviceExpires(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		d, code := w.startDevice(c)
		if err := w.approveDevice(w.session, d.UserCode); err != nil {
			t.Fatal(err)
		}
		w.now = d.ExpiresAt
		_, err := w.redeemDevice(c, code)
		w.refused(err, "expired_token")
	})
}

// TestDeviceReplay holds that a device code which comes twice revokes what it
// was redeemed for.
func TestDeviceReplay(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		d, code := w.startDevice(c)
		if err := w.approveDevice(w.session, d.UserCode); err != nil {
			t.Fatal(err)
		}
		tokens, err := w.redeemDevice(c, code)
		if err != nil {
			t.Fatal(err)
		}
		other := w.logIn(c)
		_, err = w.redeemDevice(w.deviceClient(), code)
		w.refused(err, "invalid_grant") // not even the thief's own client revokes anything
		w.works(tokens.Access)

		w.now = w.now.Add(5 * time.Hour) // long after the code has expired
		if tokens, err = w.refresh(c, tokens.Refresh); err != nil {
			t.Fatal(err)
		}
		w.sweep()
		_, err = w.redeemDevice(c, code)
		w.refused(err, "invalid_grant")
		if kept, ok := errors.AsType[*oauth.Kept](err); !ok || kept.Revoked.UserID != w.sam.ID {
			t.Errorf("the refusal does not tell whose login was revoked: %v", err)
		}
		w.dead(tokens.Access)
		_, err = w.refresh(c, tokens.Refresh)
		w.refused(err, "invalid_grant")
		_, err = w.redeemDevice(c, code)
		w.refused(err, "invalid_grant")
		if _, err := w.refresh(c, other.Refresh); err != nil {
			t.Errorf("another login of the client was revoked too: %v", err)
		}
		w.refused(w.approveDevice(w.signIn(w.sam, time.Hour), d.UserCode), "user_code")
	})
}

// sweep removes what has expired, as the housekeeping does.
func (w *world) sweep() {
	w.t.Helper()
	w.must(func(tx *store.Tx) error {
		if _, err := tx.DeleteExpiredAuthorizationCodes(w.now, 100); err != nil {
			return err
		}
		_, err := tx.DeleteExpiredDevices(w.now.Add(-oauth.DeviceLifetime), 100)
		return err
	})
}

// TestSweptDevice holds that housekeeping leaves what its client may still ask
// about.
func TestSweptDevice(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		_, code := w.startDevice(c)
		w.now = w.now.Add(20*time.Minute - time.Millisecond)
		w.sweep()
		_, err := w.redeemDevice(c, code)
		w.refused(err, "expired_token")
		w.now = w.now.Add(time.Millisecond)
		w.sweep()
		_, err = w.redeemDevice(c, code)
		w.refused(err, "invalid_grant")
	})
}

// TestWhoMayApprove holds that a device is approved by people of its own
// directory, while they are signed in.
func TestWhoMayApprove(t *testing.T) {
	each(t, func(w *world) {
		elsewhere := w.instance("ssoins-fedcba9876543210", "d-0987654321")
		stranger := w.signIn(w.user(elsewhere, "stranger"), time.Hour)
		kim := w.signIn(w.user(w.in, "kim"), time.Hour)

		c := w.deviceClient()
		d, code := w.startDevice(c)
		w.refused(w.approveDevice(stranger, d.UserCode), "user_code")
		w.refused(w.denyDevice(stranger, d.UserCode), "user_code")
		if err := w.approveDevice(kim, d.UserCode); err != nil {
			t.Fatal(err)
		}
		w.refused(w.approveDevice(w.session, d.UserCode), "user_code") // sam comes second
		w.refused(w.denyDevice(w.session, d.UserCode), "user_code")
		tokens, err := w.redeemDevice(c, code)
		if err != nil {
			t.Fatal(err)
		}
		if g, err := w.verify(tokens.Access); err != nil || g.UserID != kim.UserID || g.SessionID != kim.ID {
			t.Errorf("the token is for %+v (%v)", g, err)
		}
	})
}

// TestApproverIsGone holds that an approval is worth nothing once the session
// it was given in has ended, or the person may not sign in any longer.
func TestApproverIsGone(t *testing.T) {
	gone := map[string]func(w *world){
		"signed out":      func(w *world) { w.signOut(w.session) },
		"session expired": func(w *world) { w.now = w.session.ExpiresAt },
		"user deleted": func(w *world) {
			w.must(func(tx *store.Tx) error {
				_, _, err := directory.DeleteUser(tx, w.in.IdentityStoreID, w.sam.ID)
				return err
			})
		},
		"user disabled": func(w *world) {
			w.must(func(tx *store.Tx) error {
				_, _, err := directory.DisableUser(tx, directory.Stamp{At: w.now, By: "test"}, w.in.IdentityStoreID, w.sam.ID)
				return err
			})
		},
	}
	for name, leave := range gone {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.session = w.signIn(w.sam, 5*time.Minute)
				c := w.deviceClient()
				d, code := w.startDevice(c)
				if err := w.approveDevice(w.session, d.UserCode); err != nil {
					t.Fatal(err)
				}
				leave(w)
				_, err := w.redeemDevice(c, code)
				w.refused(err, "invalid_grant")
			})
			each(t, func(w *world) {
				w.session = w.signIn(w.sam, 5*time.Minute)
				c := w.deviceClient()
				tokens := w.logIn(c)
				w.works(tokens.Access)
				leave(w)
				w.dead(tokens.Access)
				_, err := w.refresh(c, tokens.Refresh)
				w.refused(err, "invalid_grant")
			})
		})
	}
}

func TestUserCodesAsPeopleTypeThem(t *testing.T) {
	each(t, func(w *world) {
		d, _ := w.startDevice(w.deviceClient())
		bare := strings.ReplaceAll(d.UserCode, "-", "")
		look := func(typed string) error {
			return w.try(func(tx *store.Tx) error {
				_, err := oauth.DeviceByUserCode(tx, w.now, w.in.IdentityStoreID, typed)
				return err
			})
		}
		for _, typed := range []string{d.UserCode, bare, strings.ToLower(d.UserCode), " " + bare + " ", bare[:2] + " " + bare[2:], bare[:1] + "--" + bare[1:]} {
			if err := look(typed); err != nil {
				t.Errorf("%q: %v", typed, err)
			}
		}
		for _, typed := range []string{"", "-", bare[:7], bare + "B", "AEIO-UYAE", bare[:7] + "'", d.UserCode + "\n", "%" + bare[1:], strings.Repeat(" ", 100) + bare, "ＢＢＢＢＢＢＢＢ"} {
			if err := look(typed); !fault.Is(err, fault.NotFound) {
				t.Errorf("%q: %v", typed, err)
			}
		}
	})
}

// TestManyRedeemAtOnce holds that one approval gives one login, however many
// ask at the same moment.
func TestManyRedeemAtOnce(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		d, code := w.startDevice(c)
		if err := w.approveDevice(w.session, d.UserCode); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var got []oauth.Tokens
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				tokens, err := w.redeemDevice(c, code)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got = append(got, tokens)
				} else if subject(err) != "invalid_grant" {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(got) != 1 {
			t.Fatalf("%d logins came of one approval", len(got))
		}
		w.dead(got[0].Access) // the others were replays
	})
}
