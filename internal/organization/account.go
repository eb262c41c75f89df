package organization

import (
	"errors"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
)

// MaxAccounts is how many accounts an organization may have. AWS starts at 10
// and raises it on request; there is nobody to ask here.
const MaxAccounts = 10_000

// State is where an account is in its life.
type State string

// The states that Atrium puts accounts in. What AWS does in between
// (PENDING_ACTIVATION, PENDING_CLOSURE) is settled within one transaction.
const (
	Active State = "ACTIVE"
	Closed State = "CLOSED"
)

// JoinedMethod is how an account came into its organization.
type JoinedMethod string

// The ways into an organization.
const (
	Invited JoinedMethod = "INVITED"
	Created JoinedMethod = "CREATED"
)

// Account is an AWS account.
type Account struct {
	// ID is 12 decimal digits.
	ID, Name, Email string
	State           State
	Created         time.Time

	// Membership. Empty for a standalone account.
	OrganizationID string
	// ParentID is the root or organizational unit that holds the account.
	ParentID     string
	ParentPath   string
	JoinedMethod JoinedMethod
	Joined       time.Time
}

// Active reports whether people may use the account.
func (a Account) Active() bool { return a.State == Active }

// Status returns the state in the words of the older Status member, which
// calls a closed account SUSPENDED.
func (a Account) Status() string {
	if a.State == Closed {
		return "SUSPENDED"
	}
	return string(a.State)
}

// Path returns where the account is in the tree, in the form
// o-…/r-…/ou-…/123456789012/, or "" for a standalone account.
func (a Account) Path() string {
	if a.OrganizationID == "" {
		return ""
	}
	return a.ParentPath + a.ID + "/"
}

// Member is the membership of an account in an organization.
type Member struct {
	OrganizationID, AccountID, ParentID string
	JoinedMethod                        JoinedMethod
	Joined                              time.Time
}

// DefaultRoleName is the role of a member account that nobody named another
// for.
const DefaultRoleName = "OrganizationAccountAccessRole"

// NewAccount is what an account starts with.
type NewAccount struct {
	// ID is empty for one that is drawn at random.
	ID, Name, Email string
	// RoleName is the role by which the management account administers a
	// member account; empty means DefaultRoleName. A standalone account has
	// none.
	RoleName string
}

// CreateStandaloneAccount creates an account outside any organization, such
// as a system's first one.
func CreateStandaloneAccount(tx AccountTx, now time.Time, ids ident.Source, in NewAccount) (Account, error) {
	if err := checkNewAccount(tx, in); err != nil {
		return Account{}, err
	}
	id, err := newAccountID(tx, ids, in.ID)
	if err != nil {
		return Account{}, err
	}
	a := Account{ID: id, Name: in.Name, Email: in.Email, State: Active, Created: now}
	return a, tx.InsertAccount(a)
}

// CreateAccount creates an account under the root of o at once, with the role
// that its management account may assume. It is for set-up and sample data; the
// operation of that name is RequestAccount.
func CreateAccount(tx Tx, now time.Time, ids ident.Source, o Organization, in NewAccount) (Account, error) {
	n, err := tx.CountMembers(o.ID)
	if err != nil {
		return Account{}, err
	}
	if n >= MaxAccounts {
		return Account{}, exceeded(reasonAccountLimit, "You have exceeded the allowed number of AWS accounts.")
	}
	a, err := CreateStandaloneAccount(tx, now, ids, in)
	if err != nil {
		return Account{}, err
	}
	m := Member{OrganizationID: o.ID, AccountID: a.ID, ParentID: o.RootID, JoinedMethod: Created, Joined: now}
	if err := tx.InsertMember(m); err != nil {
		return Account{}, err
	}
	if err := iam.CreateRole(tx, accessRole(now, ids, o, a.ID, in.RoleName)); err != nil {
		return Account{}, err
	}
	a, _, err = tx.AccountByID(a.ID)
	return a, err
}

// accessRole is the role that lets the management account of o administer the
// member account accountID.
func accessRole(now time.Time, ids ident.Source, o Organization, accountID, name string) iam.Role {
	if name == "" {
		name = DefaultRoleName
	}
	return iam.Role{
		AccountID: accountID, ID: ids.UniqueID("AROA"), Name: name, Path: "/",
		TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Principal":{"AWS":"arn:aws:iam::` + o.ManagementAccountID + `:root"},"Action":"sts:AssumeRole"}]}`,
		MaxSessionDuration: time.Hour,
		Policies:           iam.Policies{Managed: []string{"arn:aws:iam::aws:policy/AdministratorAccess"}},
		CreatedAt:          now,
	}
}

// checkNewAccount refuses a malformed name or e-mail address and an address
// that is taken. Its reasons are those of CreateAccountStatus.
func checkNewAccount(tx AccountTx, in NewAccount) error {
	if !validName(in.Name) {
		return invalid(reasonInvalidPattern, "An account name has 1 to 50 printable ASCII characters.")
	}
	if !validEmail(in.Email) {
		return fault.New(fault.Invalid, "email", "The account's email address is not valid.").WithReason(string(InvalidEmail))
	}
	taken, err := tx.AccountEmailTaken(in.Email)
	if err != nil {
		return err
	}
	if taken {
		return fault.New(fault.Conflict, "email", "An AWS account with this email address already exists.").WithReason(string(EmailAlreadyExists))
	}
	return nil
}

// newAccountID returns wanted, or a random id when it is empty, checked to be
// well formed and never used before: account ids are not reused.
func newAccountID(tx AccountReader, ids ident.Source, wanted string) (string, error) {
	if wanted != "" {
		if !validAccountID(wanted) {
			return "", invalid(reasonInvalidPattern, "An account ID has exactly 12 digits.")
		}
		_, found, err := tx.AccountByID(wanted)
		if err == nil && found {
			err = fault.New(fault.Conflict, "account", "An AWS account with this ID already exists.")
		}
		return wanted, err
	}
	for range 16 {
		id := ids.AccountID()
		if _, found, err := tx.AccountByID(id); err != nil || !found {
			return id, err
		}
	}
	return "", errors.New("organization: no unused account ID found")
}

// MemberAccount returns the account id of organization o, or
// AccountNotFoundException.
func MemberAccount(tx AccountReader, o Organization, id string) (Account, error) {
	a, found, err := tx.AccountByID(id)
	if err != nil {
		return Account{}, err
	}
	if !found || a.OrganizationID != o.ID {
		return Account{}, accountNotFound()
	}
	return a, nil
}

// ListAccounts returns a page of the accounts of o, in the order of their
// ids, and where the next one starts ("" when there is none).
func ListAccounts(tx AccountTx, o Organization, after string, limit int) ([]Account, string, error) {
	items, err := tx.Members(o.ID, "", after, limit+1)
	return page(items, err, limit, accountKey)
}

// ListAccountsForParent is ListAccounts for those that lie directly in the
// root or organizational unit parentID.
func ListAccountsForParent(tx Tx, o Organization, parentID, after string, limit int) ([]Account, string, error) {
	if _, err := parent(tx, o, parentID); err != nil {
		return nil, "", err
	}
	items, err := tx.Members(o.ID, parentID, after, limit+1)
	return page(items, err, limit, accountKey)
}

func accountKey(a Account) string { return a.ID }

// MoveAccount moves an account of o from the container sourceID, which must
// be its parent, to destinationID.
func MoveAccount(tx Tx, o Organization, accountID, sourceID, destinationID string) error {
	a, err := MemberAccount(tx, o, accountID)
	if err != nil {
		return err
	}
	if _, found, err := tx.ContainerByID(o.ID, sourceID); err != nil {
		return err
	} else if !found {
		return sourceParentNotFound()
	}
	if _, found, err := tx.ContainerByID(o.ID, destinationID); err != nil {
		return err
	} else if !found {
		return destinationParentNotFound()
	}
	switch {
	case a.ParentID != sourceID:
		// AWS does not find the account there.
		return accountNotFound()
	case sourceID == destinationID:
		return duplicateAccount()
	}
	return tx.UpdateMemberParent(o.ID, accountID, destinationID)
}

// CloseAccount closes a member account for good, and ends all sessions in it.
// It stays listed, as SUSPENDED, until it is removed from the organization.
func CloseAccount(tx Tx, o Organization, accountID string) error {
	a, err := MemberAccount(tx, o, accountID)
	if err != nil {
		return err
	}
	if err := requireAllFeatures(o); err != nil {
		return err
	}
	switch {
	case accountID == o.ManagementAccountID:
		return violation(reasonCloseManagement, "You can't close the management account of the organization.")
	case !a.Active():
		return alreadyClosed()
	}
	if err := tx.UpdateAccountState(accountID, Closed); err != nil {
		return err
	}
	return tx.RevokeAccount(accountID)
}

// RemoveAccount makes a member account standalone and drops its tags. A
// delegated administrator must be deregistered first.
func RemoveAccount(tx Tx, o Organization, accountID string) error {
	if _, err := MemberAccount(tx, o, accountID); err != nil {
		return err
	}
	if accountID == o.ManagementAccountID {
		return managementCannotLeave()
	}
	delegated, err := tx.DelegatedServices(o.ID, accountID, "", 1)
	if err != nil {
		return err
	}
	if len(delegated) > 0 {
		return violation(reasonRemoveDelegated, "You can't remove an account that is a delegated administrator. Deregister it first, then try again.")
	}
	if err := tx.DeleteOrganizationTags(o.ID, accountID); err != nil {
		return err
	}
	return tx.DeleteMember(o.ID, accountID)
}

func requireAllFeatures(o Organization) error {
	if o.FeatureSet != AllFeatures {
		return violation(reasonNotAllFeatures, "You can perform this operation only in an organization that has all features enabled.")
	}
	return nil
}

// page cuts items, read with a limit of one more, down to limit and returns
// the key of the last one when there is more.
func page[T any](items []T, err error, limit int, key func(T) string) ([]T, string, error) {
	if err != nil || len(items) <= limit {
		return items, "", err
	}
	items = items[:limit]
	return items, key(items[limit-1]), nil
}

func validAccountID(id string) bool {
	return len(id) == 12 && strings.Trim(id, "0123456789") == ""
}

func validName(name string) bool {
	if name == "" || len(name) > 50 {
		return false
	}
	for _, c := range name {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// validEmail follows the rules that AWS documents for CreateAccount: 6 to 64
// ASCII characters, one @, a local part without the listed characters and not
// starting with a dot, and a domain of letters, digits, hyphens and at least
// one dot that neither starts nor ends with a hyphen or dot.
func validEmail(email string) bool {
	local, domain, ok := strings.Cut(email, "@")
	if !ok || len(email) < 6 || len(email) > 64 || local == "" || local[0] == '.' {
		return false
	}
	for _, c := range local {
		if c <= ' ' || c > '~' || strings.ContainsRune(`"'()<>[]:;,\|%&`, c) {
			return false
		}
	}
	for _, c := range domain {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '-' && c != '.' {
			return false
		}
	}
	return strings.Contains(domain, ".") && strings.Trim(domain, ".-") == domain
}
