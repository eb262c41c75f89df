package organization

import (
	"errors"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

// CreateState is how far a request to create an account is.
type CreateState string

// The states of a request.
const (
	InProgress CreateState = "IN_PROGRESS"
	Succeeded  CreateState = "SUCCEEDED"
	Failed     CreateState = "FAILED"
)

// FailureReason is why a request to create an account failed.
type FailureReason string

// The reasons that occur here.
const (
	EmailAlreadyExists FailureReason = "EMAIL_ALREADY_EXISTS"
	InvalidEmail       FailureReason = "INVALID_EMAIL"
)

// CreateAccountRequest is what became of a request to create an account.
type CreateAccountRequest struct {
	// ID has the form car-… with 32 characters.
	ID, AccountName string
	State           CreateState
	Requested       time.Time
	// Completed is zero while the request is in progress.
	Completed time.Time
	// AccountID is set when the request succeeded.
	AccountID     string
	FailureReason FailureReason
}

// AccountRequest is a request to create an account.
type AccountRequest struct {
	Name, Email string
	// RoleName is the role by which the management account administers the
	// new one; empty means DefaultRoleName.
	RoleName string
	Tags     []Tag
}

// RequestAccount creates an account in o, or records why it could not be
// created, and returns the request as the caller sees it first: in progress.
// Describing it afterwards tells how it ended. A breach of the organization's
// limits or bad tags are refused at once, with nothing recorded.
func RequestAccount(tx Tx, now time.Time, ids ident.Source, o Organization, in AccountRequest) (CreateAccountRequest, error) {
	if strings.HasPrefix(in.RoleName, "AWSServiceRoleFor") {
		return CreateAccountRequest{}, invalid(reasonInvalidRoleName, "You provided a role name that begins with a reserved prefix.")
	}
	if err := checkTags(in.Tags); err != nil {
		return CreateAccountRequest{}, err
	}
	r := CreateAccountRequest{ID: "car-" + ids.LowerAlnum(32), AccountName: in.Name, State: InProgress, Requested: now}
	settled := r
	settled.Completed = now
	a, err := CreateAccount(tx, now, ids, o, NewAccount{Name: in.Name, Email: in.Email, RoleName: in.RoleName})
	if reason, ok := failureReason(err); ok {
		settled.State, settled.FailureReason = Failed, reason
	} else if err != nil {
		return CreateAccountRequest{}, err
	} else {
		settled.State, settled.AccountID = Succeeded, a.ID
		if err := putTags(tx, o, a.ID, in.Tags); err != nil {
			return CreateAccountRequest{}, err
		}
	}
	return r, tx.InsertCreateAccountRequest(o.ID, settled)
}

// failureReason tells whether err is one that a request ends with instead of
// being refused.
func failureReason(err error) (FailureReason, bool) {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Subject == "email" {
		return FailureReason(f.Reason), true
	}
	return "", false
}

// DescribeCreateAccountStatus returns the request id of organization o.
func DescribeCreateAccountStatus(tx CreationTx, o Organization, id string) (CreateAccountRequest, error) {
	r, found, err := tx.CreateAccountRequestByID(o.ID, id)
	if err == nil && !found {
		err = requestNotFound()
	}
	return r, err
}

// ListCreateAccountStatus returns a page of the requests in one of states
// (any, when empty) and where the next one starts.
func ListCreateAccountStatus(tx CreationTx, o Organization, states []CreateState, after string, limit int) ([]CreateAccountRequest, string, error) {
	items, err := tx.CreateAccountRequests(o.ID, states, after, limit+1)
	return page(items, err, limit, func(r CreateAccountRequest) string { return r.ID })
}
