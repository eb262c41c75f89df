package directory

import (
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
)

// The kinds of resource, as ResourceNotFoundException names them.
const (
	resourceUser       = "USER"
	resourceGroup      = "GROUP"
	resourceMembership = "GROUP_MEMBERSHIP"
	resourceStore      = "IDENTITY_STORE"
)

// The reasons of ConflictException.
const (
	reasonDuplicate  = "UNIQUENESS_CONSTRAINT_VIOLATION"
	reasonConcurrent = "CONCURRENT_MODIFICATION"
)

// StoreNotFound is the answer to a call on an identity store that does not
// exist.
func StoreNotFound(storeID string) *fault.Error {
	return fault.New(fault.NotFound, "identity_store", "IdentityStore not present for IdentityStoreId: %s", storeID).
		WithResource(resourceStore, storeID)
}

// notFound is the answer to a call on a resource that does not exist. id is
// empty when the caller did not name the resource by its id.
func notFound(kind, id string) *fault.Error {
	return fault.New(fault.NotFound, strings.ToLower(kind), "%s not found.", kind).WithResource(kind, id)
}

func duplicate(kind, format string, args ...any) *fault.Error {
	return fault.New(fault.Conflict, strings.ToLower(kind), format, args...).WithReason(reasonDuplicate)
}

func concurrent(kind string) *fault.Error {
	return fault.New(fault.Conflict, strings.ToLower(kind),
		"The %s was changed by another request at the same time. Try again.", strings.ToLower(kind)).WithReason(reasonConcurrent)
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "", format, args...)
}

// violation is a broken constraint, in the words of AWS's model validation.
func violation(path, constraint string) *fault.Error {
	return invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: %s", path, constraint)
}
