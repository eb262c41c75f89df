package settings_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// statusOf tells whether a person is enabled, how many sessions they have at
// the portal, and whether what they opened in accounts was revoked.
func statusOf(t *testing.T, n *node.Node, user string) (status directory.Status, sessions int, revoked bool) {
	t.Helper()
	read(t, n, func(tx *store.Tx) error {
		u, _, err := tx.DirectoryUser(n.Instance.IdentityStoreID, user)
		if err != nil {
			return err
		}
		list, err := tx.PortalSessionsOfUser(u.StoreID, u.ID, "", 100)
		if err != nil {
			return err
		}
		status, sessions, revoked = u.Status, len(list), false
		raised, err := tx.EpochsAfter(epoch.Epoch{}, 100)
		for _, e := range raised {
			revoked = revoked || e.Ref == epoch.Ref{Scope: epoch.User, ID: user}
		}
		return err
	})
	return status, sessions, revoked
}

func TestDisableAndEnableUser(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, sam := n.Administrator(t, node.Management), userID(t, n, "sam.lee")
		signIn(t, n, sam, time.Hour)
		in := &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam}
		for range 2 { // a user who is disabled already is no error
			done[nothing](t, n, admin, "DisableUser", in)
			if status, sessions, revoked := statusOf(t, n, sam); status != directory.Disabled || sessions != 0 || !revoked {
				t.Errorf("disabled: %s, %d sessions, revoked: %t", status, sessions, revoked)
			}
		}
		for range 2 {
			done[nothing](t, n, admin, "EnableUser", &wire.EnableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam})
			if status, _, _ := statusOf(t, n, sam); status != directory.Enabled {
				t.Errorf("enabled: %s", status)
			}
		}
	})
}

func TestSessions(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, storeID := n.Administrator(t, node.Management), &n.Instance.IdentityStoreID
		sam, other := userID(t, n, "sam.lee"), userID(t, n, "admin")
		want, ids := map[string]wire.Session{}, []string{}
		for range 5 {
			s := signIn(t, n, sam, time.Hour)
			ids = append(ids, s.ID)
			want[s.ID] = wire.Session{
				SessionId: &s.ID, UserId: &sam, CreatedDate: &s.CreatedAt, ExpiryDate: &s.ExpiresAt,
				SourceIpAddress: new("192.0.2.7"), UserAgent: new("a browser"),
			}
		}
		signIn(t, n, sam, -time.Minute) // has expired
		foreign := signIn(t, n, other, time.Hour)

		found := list(t, n, admin, sam, 2)
		if len(found) != 5 {
			t.Errorf("%d sessions are listed, want 5", len(found))
		}
		for id, s := range found {
			if w := want[id]; w.SessionId == nil || *s.UserAgent != *w.UserAgent || *s.SourceIpAddress != *w.SourceIpAddress {
				t.Errorf("listed %+v", s)
			}
		}
		got := done[sessionList](t, n, admin, "BatchGetSession", &wire.BatchGetSessionRequest{IdentityStoreId: storeID, UserId: &sam, SessionIds: []string{ids[3], foreign.ID, ids[3]}})
		if len(got.Sessions) != 1 || *got.Sessions[0].SessionId != ids[3] {
			t.Errorf("of one's own, another's and the same again: %+v", got.Sessions)
		}

		remove := func(in wire.BatchDeleteSessionRequest) int32 {
			t.Helper()
			in.IdentityStoreId, in.UserId = storeID, &sam
			return *done[wire.BatchDeleteSessionResponse](t, n, admin, "BatchDeleteSession", &in).DeletedCount
		}
		if n := remove(wire.BatchDeleteSessionRequest{SessionIds: []string{ids[0], ids[1], ids[0], foreign.ID}}); n != 2 {
			t.Errorf("%d sessions were ended, want 2", n)
		}
		if found := list(t, n, admin, sam, 100); len(found) != 3 {
			t.Errorf("%d sessions are left, want 3", len(found))
		}
		if found := list(t, n, admin, other, 100); len(found) != 1 {
			t.Error("another person's session was ended")
		}
		for _, in := range []wire.BatchDeleteSessionRequest{{}, {SessionIds: ids, AllSessions: new(true)}, {AllSessions: new(false)}} {
			in.IdentityStoreId, in.UserId = storeID, &sam
			refused(t, call(t, n, admin, "BatchDeleteSession", &in), "ValidationException", "or AllSessions")
		}
		if n := remove(wire.BatchDeleteSessionRequest{AllSessions: new(true)}); n < 3 {
			t.Errorf("%d sessions were ended, want all", n)
		}
		if _, sessions, _ := statusOf(t, n, sam); sessions != 0 {
			t.Errorf("%d sessions are left", sessions)
		}
	})
}

// sessionList is wire's, with the numbers of dates as they come.
type sessionList struct {
	Sessions  []listedSession
	NextToken *string
}

type listedSession struct {
	SessionId, UserId, SourceIpAddress, UserAgent *string
	CreatedDate, ExpiryDate                       float64
}

// list lists a person's sessions, page by page.
func list(t *testing.T, n *node.Node, who *node.Caller, user string, size int32) map[string]listedSession {
	t.Helper()
	all := map[string]listedSession{}
	in := &wire.ListSessionsRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &user, MaxResults: &size}
	for {
		page := done[sessionList](t, n, who, "ListSessions", in)
		if len(page.Sessions) > int(size) {
			t.Errorf("a page of %d", len(page.Sessions))
		}
		for _, s := range page.Sessions {
			all[*s.SessionId] = s
			if s.ExpiryDate-s.CreatedDate != 3600 {
				t.Errorf("the session lasts %v seconds", s.ExpiryDate-s.CreatedDate)
			}
		}
		if page.NextToken == nil {
			return all
		}
		in.NextToken = page.NextToken
	}
}

// TestDelegatedAdministratorAndPeople holds that a delegated administrator
// administers people, but none with access to the management account.
func TestDelegatedAdministratorAndPeople(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		who := n.Callers(t)
		storeID, owner, sam := &n.Instance.IdentityStoreID, userID(t, n, "admin"), userID(t, n, "sam.lee")
		for name, in := range map[string]func(user *string) any{
			"DisableUser": func(u *string) any { return &wire.DisableUserRequest{IdentityStoreId: storeID, UserId: u} },
			"EnableUser":  func(u *string) any { return &wire.EnableUserRequest{IdentityStoreId: storeID, UserId: u} },
			"BatchDeleteSession": func(u *string) any {
				return &wire.BatchDeleteSessionRequest{IdentityStoreId: storeID, UserId: u, AllSessions: new(true)}
			},
			"UpdatePassword": func(u *string) any {
				return &wire.UpdatePasswordRequest{IdentityStoreId: storeID, UserId: u, PasswordMode: new("OTP")}
			},
		} {
			before := signIn(t, n, owner, time.Hour)
			refused(t, call(t, n, who.Delegated, name, in(&owner)), "AccessDeniedException", "has access to the management account")
			if diff := cmp.Diff(1, len(list(t, n, who.Admin, owner, 100))); diff != "" {
				t.Errorf("%s ended the session %s", name, before.ID)
			}
			done[struct{ DeletedCount int }](t, n, who.Admin, "BatchDeleteSession", &wire.BatchDeleteSessionRequest{IdentityStoreId: storeID, UserId: &owner, SessionIds: []string{before.ID}})
			if a := call(t, n, who.Delegated, name, in(&sam)); a.Status != 200 {
				t.Errorf("%s of a person without such access: %s", name, a.Body)
			}
		}
		if status, _, _ := statusOf(t, n, owner); status != directory.Enabled {
			t.Error("a delegated administrator disabled an administrator of the management account")
		}
	})
}
