package assignment

import (
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
)

// Kind is what a request asks for.
type Kind string

// The kinds of requests.
const (
	Creation     Kind = "CREATE"
	Deletion     Kind = "DELETE"
	Provisioning Kind = "PROVISION"
)

// Status is how far a request is.
type Status string

// The statuses of requests. Stored ones are settled: InProgress is only what
// the answer to the operation itself says, as AWS's does.
const (
	InProgress Status = "IN_PROGRESS"
	Succeeded  Status = "SUCCEEDED"
	Failed     Status = "FAILED"
)

// Request is what became of a request to assign, unassign or provision.
type Request struct {
	// ID is a UUID.
	ID         string
	InstanceID string
	Kind       Kind
	Status     Status
	// FailureReason tells why a FAILED request failed, in AWS's words.
	FailureReason string
	// Assignment is what was asked for. The request to provision everywhere
	// has no account, and none to provision has a principal.
	Assignment
	CreatedAt time.Time
}

// RequestReader reads requests.
type RequestReader interface {
	AssignmentRequest(instanceID string, kind Kind, id string) (Request, bool, error)
	// AssignmentRequests returns requests, newest first, from after the one
	// with this time and id; a zero time means from the newest. An empty
	// status means any.
	AssignmentRequests(instanceID string, kind Kind, status Status, after time.Time, afterID string, limit int) ([]Request, error)
}

// RequestTx writes requests.
type RequestTx interface {
	RequestReader
	InsertAssignmentRequest(Request) error
	// DeleteAssignmentRequests deletes at most limit requests made before
	// then and returns how many.
	DeleteAssignmentRequests(before time.Time, limit int) (int64, error)
}

// Describe returns the request id of the instance; fault.NotFound, subject
// "request", when there is none of that kind.
func Describe(tx RequestReader, in instance.Instance, kind Kind, id string) (Request, error) {
	r, found, err := tx.AssignmentRequest(in.ID, kind, id)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "request", "Could not find the request with id %s", id)
	}
	return r, err
}

// ListRequests returns up to limit requests of a kind, newest first, from
// after, and where to go on, "" at the end. An empty status means any.
func ListRequests(tx RequestReader, in instance.Instance, kind Kind, status Status, after string, limit int) (list []Request, next string, err error) {
	if status == InProgress {
		return nil, "", nil
	}
	at, id := parseRequest(after)
	list, err = tx.AssignmentRequests(in.ID, kind, status, at, id, limit+1)
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].cursor()
	}
	return list, next, err
}

func newRequest(now time.Time, ids ident.Source, in instance.Instance, kind Kind, a Assignment) Request {
	return Request{ID: ids.UUID(), InstanceID: in.ID, Kind: kind, Assignment: a, CreatedAt: now}
}

// store settles the request, FAILED when there is a failure, and stores it.
func (r Request) store(tx RequestTx, failure string) (Request, error) {
	r.Status, r.FailureReason = Succeeded, failure
	if failure != "" {
		r.Status = Failed
	}
	return r, tx.InsertAssignmentRequest(r)
}

// cursor is what parseRequest reads.
func (r Request) cursor() string {
	return strconv.FormatInt(r.CreatedAt.UnixMilli(), 10) + "/" + r.ID
}

func parseRequest(cursor string) (time.Time, string) {
	ms, id, _ := strings.Cut(cursor, "/")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}, ""
	}
	return time.UnixMilli(n).UTC(), id
}

func (p Principal) cursor() string { return string(p.Type) + "/" + p.ID }

func parsePrincipal(cursor string) Principal {
	kind, id, _ := strings.Cut(cursor, "/")
	return Principal{Type: PrincipalType(kind), ID: id}
}
