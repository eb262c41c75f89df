package iam

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
	// ARN is the caller's ARN: arn:aws:iam::<account>:user/<path><name>,
	// arn:aws:sts::<account>:assumed-role/<role>/<session>, …:root.
	ARN string
	// ID is aws:userid: AIDA… of a user, AROA…:<session> of a role session,
	// the account id of a root.
	ID          string
	AccessKeyID string

	UserID   string // unique id AIDA…, of an IAM user
	UserName string // of an IAM user

	RoleID      string // unique id AROA…, of a role session
	RoleName    string
	RolePath    string
	SessionName string

	// MFAAuthenticated tells whether the session was opened with MFA.
	MFAAuthenticated bool
	// Tags are the principal's tags and, for sessions, its session tags.
	Tags map[string]string
}
