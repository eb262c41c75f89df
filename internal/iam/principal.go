package iam

import (
	"time"

	"github.com/atrium-iam/atrium/internal/epoch"
)

// Kind is the kind of a principal.
type Kind uint8

// The kinds of principals. The zero Kind is an unauthenticated caller.
const (
	KindAnonymous Kind = iota
	KindRoot
	KindUser
	KindRoleSession
	KindFederatedUser
	KindIdentityCenterUser
)

// Principal is an authenticated caller.
type Principal struct {
	Kind      Kind
	AccountID string
	// ARN is the caller's ARN, as GetCallerIdentity tells it:
	// arn:aws:iam::<account>:root, arn:aws:iam::<account>:user/<path><name>,
	// arn:aws:sts::<account>:assumed-role/<role>/<session> or
	// arn:aws:sts::<account>:federated-user/<name>.
	ARN string
	// ID is aws:userid: AIDA… of a user, AROA…:<session> of a role session,
	// <account>:<name> of a federated user, the account id of a root.
	ID          string
	AccessKeyID string

	UserID   string // unique id AIDA…, of an IAM user
	UserName string // of an IAM user

	RoleID      string // unique id AROA…, of a role session
	RoleName    string
	RolePath    string
	SessionName string

	// IdentityStoreUserID is the person that a role session was opened for
	// through Identity Center, or that an Identity Center user is.
	IdentityStoreUserID string
	// IdentityStoreID is the directory of an Identity Center user.
	IdentityStoreID string
	// PortalSessionID is the session at the access portal in which an Identity
	// Center user calls.
	PortalSessionID string
	// IssuedAt is when temporary credentials were issued; zero for long-term
	// ones.
	IssuedAt time.Time
	// MFAAt is when whoever opened the session proved a second factor; zero for
	// no such proof.
	MFAAt time.Time
	// SourceIdentity is the source identity of a role session, "" for none.
	SourceIdentity string
	// Tags are the principal's tags and, for sessions, its session tags.
	Tags map[string]string
	// Session is what temporary credentials carry besides; nil for long-term
	// ones.
	Session *Session
}

// Session is what temporary credentials carry besides their principal.
type Session struct {
	ExpiresAt time.Time
	// Policies are session policies, documents, and PolicyARNs managed ones.
	// Where there are any, they allow at most what they allow together.
	Policies   []string
	PolicyARNs []string
	// TransitiveTagKeys are the keys of those session tags that pass on to
	// roles which are assumed with the credentials.
	TransitiveTagKeys []string
	// Change is the value of the change counter at which the credentials were
	// issued, and DependsOn what ends them when it is taken away.
	Change    int64
	DependsOn []epoch.Ref
}

// MFAAuthenticated tells whether the session was opened with a second factor.
func (p Principal) MFAAuthenticated() bool { return !p.MFAAt.IsZero() }

// Root returns the root principal of an account.
func Root(accountID string) Principal {
	return Principal{Kind: KindRoot, AccountID: accountID, ARN: "arn:aws:iam::" + accountID + ":root", ID: accountID}
}

// Session returns the session called name of the role. The caller fills in
// what it knows about how the session was opened.
func (r Role) Session(name string) Principal {
	return Principal{
		Kind: KindRoleSession, AccountID: r.AccountID,
		ARN: "arn:aws:sts::" + r.AccountID + ":assumed-role/" + r.Name + "/" + name, ID: r.ID + ":" + name,
		RoleID: r.ID, RoleName: r.Name, RolePath: r.Path, SessionName: name,
	}
}

// FederatedUser returns the federated user called name of an account.
func FederatedUser(accountID, name string) Principal {
	return Principal{
		Kind: KindFederatedUser, AccountID: accountID,
		ARN: "arn:aws:sts::" + accountID + ":federated-user/" + name, ID: accountID + ":" + name,
	}
}

// IdentityCenterUser returns a person of the identity store storeID, in a
// session at the access portal. accountID owns the instance.
func IdentityCenterUser(accountID, storeID, userID, sessionID string) Principal {
	return Principal{
		Kind: KindIdentityCenterUser, AccountID: accountID,
		IdentityStoreID: storeID, IdentityStoreUserID: userID, PortalSessionID: sessionID,
	}
}
