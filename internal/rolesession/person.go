package rolesession

import (
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/iam"
)

// Access is what a person opens: the role of a permission set in an account.
// The caller has found that the person has it.
type Access struct {
	User directory.User
	Role assignment.Role
	// PortalSessionID is the session at the access portal from which it is
	// opened.
	PortalSessionID string
	// MFAAt is when the person proved a second factor in that session; zero for
	// not at all.
	MFAAt time.Time
	// Tags are the session's: see SessionTags.
	Tags map[string]string
}

// ForPerson returns the principal of a session that Identity Center opens for
// a person. It lasts as long as the permission set says. change is the value
// of the change counter in the transaction that found the access.
func ForPerson(now time.Time, change int64, a Access) iam.Principal {
	role := iam.Role{AccountID: a.Role.AccountID, ID: a.Role.RoleID, Name: a.Role.RoleName, Path: a.Role.RolePath}
	p := role.Session(SessionName(a.User))
	p.IdentityStoreUserID = a.User.ID
	p.IssuedAt, p.MFAAt, p.Tags = now, a.MFAAt, a.Tags
	p.Session = &iam.Session{
		ExpiresAt: now.Add(a.Role.SessionDuration),
		Change:    change,
		DependsOn: []epoch.Ref{
			{Scope: epoch.User, ID: a.User.ID},
			epoch.AccessOf(a.User.ID, a.Role.AccountID, a.Role.PermissionSetID),
			{Scope: epoch.Account, ID: a.Role.AccountID},
			{Scope: epoch.Principal, ID: a.Role.RoleID},
			{Scope: epoch.PortalSession, ID: a.PortalSessionID},
		},
	}
	return p
}

// Sessions have names of 2 to 64 of the characters [\w+=,.@-] (STS API
// reference, RoleSessionName).
const minSessionName, maxSessionName = 2, 64

func inSessionNames(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_+=,.@-", r)
}

// SessionName is what a person's sessions are called: the user name. Where
// that cannot be a session's name, each other character becomes "_", and the
// end of the person's id tells those apart who are called alike.
func SessionName(u directory.User) string {
	name := strings.Map(func(r rune) rune {
		if inSessionNames(r) {
			return r
		}
		return '_'
	}, u.UserName)
	if name == u.UserName && minSessionName <= len(name) && len(name) <= maxSessionName {
		return name
	}
	id := strings.ReplaceAll(u.ID, "-", "")
	suffix := "-" + id[max(0, len(id)-12):]
	return name[:min(len(name), maxSessionName-len(suffix))] + suffix
}
