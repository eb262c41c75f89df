package rolesession_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/rolesession"
)

func TestForPerson(t *testing.T) {
	a := rolesession.Access{
		User: directory.User{ID: "user-1", Attributes: directory.Attributes{UserName: "sam.lee"}},
		Role: assignment.Role{
			AccountID: account, PermissionSetID: "ps-1", PermissionSetName: "Admin", RoleID: role().ID, RoleName: role().Name, RolePath: role().Path,
			SessionDuration: 4 * time.Hour,
		},
		PortalSessionID: "session-1", MFAAt: now.Add(-time.Hour),
	}
	want := role().Session("sam.lee")
	want.IdentityStoreUserID, want.IssuedAt, want.MFAAt = "user-1", now, now.Add(-time.Hour)
	want.Session = &iam.Session{ExpiresAt: now.Add(4 * time.Hour), Change: 7, DependsOn: []epoch.Ref{
		{Scope: epoch.User, ID: "user-1"},
		epoch.AccessOf("user-1", account, "ps-1"),
		{Scope: epoch.Account, ID: account},
		{Scope: epoch.Principal, ID: "AROAEXAMPLE"},
		{Scope: epoch.PortalSession, ID: "session-1"},
	}}
	got := rolesession.ForPerson(now, 7, a)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if arn := "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/sam.lee"; got.ARN != arn {
		t.Errorf("ARN %s, want %s", got.ARN, arn)
	}
}

func TestSessionName(t *testing.T) {
	const id = "1234567890-12345678-1234-1234-1234-123456789abc"
	for user, want := range map[string]string{
		"sam.lee":               "sam.lee",
		"sam_lee+a=b,c@d.com-e": "sam_lee+a=b,c@d.com-e",
		strings.Repeat("a", 64): strings.Repeat("a", 64),
		"x":                     "x-123456789abc",
		"a/b":                   "a_b-123456789abc",
		"josé":                  "jos_-123456789abc",
		"名前":                    "__-123456789abc",
		"a\nb":                  "a_b-123456789abc",
		"sam.lee\n":             "sam.lee_-123456789abc",
		strings.Repeat("a", 65): strings.Repeat("a", 51) + "-123456789abc",
		strings.Repeat("é", 99): strings.Repeat("_", 51) + "-123456789abc",
	} {
		if got := rolesession.SessionName(directory.User{ID: id, Attributes: directory.Attributes{UserName: user}}); got != want {
			t.Errorf("%q: got %q, want %q", user, got, want)
		}
	}
}

func TestAssumeDuration(t *testing.T) {
	user := iam.Principal{Kind: iam.KindUser, AccountID: account, UserID: "AIDA"}
	tests := []struct {
		name     string
		caller   iam.Principal
		asked    time.Duration
		want     time.Duration // 0: refused
		longest  time.Duration
		complain string
	}{
		{"default", user, 0, time.Hour, 12 * time.Hour, ""},
		{"as asked", user, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour, ""},
		{"too long", user, 2*time.Hour + time.Second, 0, 2 * time.Hour, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"chained, default", session(), 0, time.Hour, 12 * time.Hour, ""},
		{"chained", session(), time.Hour, time.Hour, 12 * time.Hour, ""},
		{"chained too long", session(), time.Hour + time.Second, 0, 12 * time.Hour, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := role()
			r.MaxSessionDuration = tt.longest
			p, err := rolesession.Assume(now, 1, tt.caller, rolesession.Assumption{Role: r, SessionName: "s", Duration: tt.asked})
			if tt.want == 0 {
				if !fault.Is(err, fault.Invalid) || err.Error() != tt.complain {
					t.Errorf("got %v, want %s", err, tt.complain)
				}
				return
			}
			if err != nil || p.Session.ExpiresAt != now.Add(tt.want) {
				t.Errorf("it ends at %v, %v", p.Session, err)
			}
		})
	}
}

// A chain of roles ends with whatever any part of it depends on, and with what
// was so when its first session was opened.
func TestAssumeInherits(t *testing.T) {
	caller := session()
	caller.IdentityStoreUserID, caller.MFAAt = "user-1", now.Add(-time.Hour)
	next := role()
	next.ID, next.Name, next.AccountID = "AROANEXT", "Next", "444455556666"
	p, err := rolesession.Assume(now, 99, caller, rolesession.Assumption{
		Role: next, SessionName: "s", SourceIdentity: "",
		Tags: map[string]string{"Env": "dev"}, TransitiveTagKeys: []string{"env"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := next.Session("s")
	want.IssuedAt, want.SourceIdentity = now, "sam"
	want.IdentityStoreUserID, want.MFAAt = "user-1", now.Add(-time.Hour)
	want.Tags = map[string]string{"Env": "dev", "team": "blue"}
	want.Session = &iam.Session{
		ExpiresAt: now.Add(time.Hour), Change: 7, TransitiveTagKeys: []string{"Env", "team"},
		DependsOn: []epoch.Ref{
			{Scope: epoch.User, ID: "user-1"},
			{Scope: epoch.Principal, ID: "AROAEXAMPLE"},
			{Scope: epoch.Account, ID: "444455556666"},
			{Scope: epoch.Principal, ID: "AROANEXT"},
		},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(caller.Session.DependsOn) != 2 || len(caller.Tags) != 2 {
		t.Error("the caller's session was changed")
	}
}

func TestAssumeByUserDependsOnTheUser(t *testing.T) {
	caller := iam.Principal{Kind: iam.KindUser, AccountID: "444455556666", UserID: "AIDA"}
	p, err := rolesession.Assume(now, 99, caller, rolesession.Assumption{Role: role(), SessionName: "s"})
	if err != nil {
		t.Fatal(err)
	}
	want := []epoch.Ref{
		{Scope: epoch.Account, ID: "444455556666"},
		{Scope: epoch.Principal, ID: "AIDA"},
		{Scope: epoch.Account, ID: account},
		{Scope: epoch.Principal, ID: "AROAEXAMPLE"},
	}
	if diff := cmp.Diff(want, p.Session.DependsOn); diff != "" || p.Session.Change != 99 {
		t.Errorf("change %d (-want +got):\n%s", p.Session.Change, diff)
	}
}

func TestAssumeRefusesTags(t *testing.T) {
	for name, in := range map[string]rolesession.Assumption{
		"a transitive key that is no tag's": {Tags: map[string]string{"a": "b"}, TransitiveTagKeys: []string{"c"}},
		"an inherited tag":                  {Tags: map[string]string{"TEAM": "red"}},
	} {
		in.Role, in.SessionName = role(), "s"
		if _, err := rolesession.Assume(now, 1, session(), in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
