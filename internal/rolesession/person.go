package rolesession

import (
	"regexp"
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
}

// ForPerson returns the principal of a session that Identity Center opens for
// a person. It lasts as long as the permission set says. change is the value
// of the change counter in the transaction that found the access.
func ForPerson(now time.Time, change int64, a Access) iam.Principal {
	role := iam.Role{AccountID: a.Role.AccountID, ID: a.Role.RoleID, Name: a.Role.RoleName, Path: a.Role.RolePath}
	p := role.Session(SessionName(a.User))
	p.IdentityStoreUserID = a.User.ID
	p.IssuedAt = now
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

// The names that sessions may have (STS API reference, RoleSessionName).
var (
	sessionNameForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	notInNames      = regexp.MustCompile(`[^\w+=,.@-]`)
)

// SessionName is what a person's sessions are called: the user name. Where
// that cannot be a session's name, each other character becomes "_", and the
// end of the person's id tells those apart who are called alike.
func SessionName(u directory.User) string {
	if sessionNameForm.MatchString(u.UserName) {
		return u.UserName
	}
	id := strings.ReplaceAll(u.ID, "-", "")
	suffix := "-" + id[max(0, len(id)-12):]
	name := notInNames.ReplaceAllString(u.UserName, "_")
	return name[:min(len(name), 64-len(suffix))] + suffix
}
