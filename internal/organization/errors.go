package organization

import "github.com/atrium-iam/atrium/internal/fault"

// The reasons this package gives for InvalidInputException and
// ConstraintViolationException.
const (
	reasonInvalidPattern     = "INVALID_PATTERN"
	reasonInvalidRoleName    = "INVALID_ROLE_NAME"
	reasonUnknownService     = "UNRECOGNIZED_SERVICE_PRINCIPAL"
	reasonSystemTag          = "INVALID_SYSTEM_TAGS_PARAMETER"
	reasonDuplicateTag       = "DUPLICATE_TAG_KEY"
	reasonTagLimit           = "MAX_TAG_LIMIT_EXCEEDED"
	reasonAccountLimit       = "ACCOUNT_NUMBER_LIMIT_EXCEEDED"
	reasonUnitLimit          = "OU_NUMBER_LIMIT_EXCEEDED"
	reasonDepthLimit         = "OU_DEPTH_LIMIT_EXCEEDED"
	reasonNotAllFeatures     = "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"
	reasonCloseManagement    = "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"
	reasonRegisterManagement = "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"
	reasonRegisterSuspended  = "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"
	reasonServiceNotEnabled  = "SERVICE_ACCESS_NOT_ENABLED"
	reasonDelegationLimit    = "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"
	reasonDelegationExists   = "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"
	reasonRemoveDelegated    = "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"
)

// NotInUse is the refusal of a caller outside any organization
// (AWSOrganizationsNotInUseException).
func NotInUse() *fault.Error {
	return fault.New(fault.NotFound, "organization", "Your account is not a member of an organization.")
}

func notFound(subject, message string) *fault.Error {
	return fault.New(fault.NotFound, subject, "%s", message)
}

func accountNotFound() *fault.Error {
	return notFound("account", "You specified an account that doesn't exist.")
}

func parentNotFound() *fault.Error {
	return notFound("parent", "You specified a parent that doesn't exist.")
}

func sourceParentNotFound() *fault.Error {
	return notFound("source_parent", "You specified a source parent that doesn't exist.")
}

func destinationParentNotFound() *fault.Error {
	return notFound("destination_parent", "You specified a destination parent that doesn't exist.")
}

func childNotFound() *fault.Error {
	return notFound("child", "You specified a child that doesn't exist.")
}

func unitNotFound() *fault.Error {
	return notFound("organizational_unit", "You specified an organizational unit that doesn't exist.")
}

func requestNotFound() *fault.Error {
	return notFound("create_account_status", "You specified a create account request that doesn't exist.")
}

func targetNotFound() *fault.Error {
	return notFound("target", "You specified a target that doesn't exist.")
}

func notRegistered() *fault.Error {
	return notFound("delegated_administrator", "The provided account is not a registered delegated administrator for your organization.")
}

func alreadyRegistered() *fault.Error {
	return fault.New(fault.Conflict, "delegated_administrator", "The provided account is already a delegated administrator for your organization.")
}

func alreadyInOrganization() *fault.Error {
	return fault.New(fault.Conflict, "organization", "The AWS account is already a member of an organization.")
}

func organizationNotEmpty() *fault.Error {
	return fault.New(fault.Conflict, "organization_not_empty", "To delete an organization you must first remove all member accounts (except the master).")
}

func duplicateUnit() *fault.Error {
	return fault.New(fault.Conflict, "organizational_unit", "An OU with the same name already exists.")
}

func unitNotEmpty() *fault.Error {
	return fault.New(fault.Conflict, "organizational_unit_not_empty", "The specified organizational unit is not empty. Move all accounts and remove all child OUs, then try again.")
}

func duplicateAccount() *fault.Error {
	return fault.New(fault.Conflict, "account", "The account is already present in the specified destination.")
}

func alreadyClosed() *fault.Error {
	return fault.New(fault.Conflict, "closed_account", "You attempted to close an account that is already closed.")
}

func managementCannotLeave() *fault.Error {
	return fault.New(fault.Conflict, "management_account", "You can't remove the management account from the organization.")
}

// invalid is an InvalidInputException.
func invalid(reason, message string) *fault.Error {
	return fault.New(fault.Invalid, "", "%s", message).WithReason(reason)
}

// violation is a ConstraintViolationException for a rule about the
// organization's state.
func violation(reason, message string) *fault.Error {
	return fault.New(fault.Conflict, "constraint", "%s", message).WithReason(reason)
}

// exceeded is a ConstraintViolationException for a limit.
func exceeded(reason, message string) *fault.Error {
	return fault.New(fault.Quota, "", "%s", message).WithReason(reason)
}
