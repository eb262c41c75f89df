package validate

import (
	"strconv"
	"strings"
)

// Answer is a refusal in a service's own words.
type Answer struct {
	Code    string // error shape or code, e.g. "ValidationException"
	Reason  string // machine-readable reason; "" where the service gives none
	Message string
}

// Describe words violations, of which there is at least one, in the service's
// dialect.
func (v *Validator) Describe(found []Violation) Answer {
	dialect := v.service.Validation
	a := Answer{Code: dialect.Code}
	if dialect.Style == "organizations" {
		a.Reason, a.Message = organizations(found[0])
	} else {
		a.Message = coral(found)
	}
	return a
}

// coral is the wording of AWS's common service framework.
func coral(found []Violation) string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(found)))
	b.WriteString(" validation error")
	if len(found) > 1 {
		b.WriteByte('s')
	}
	b.WriteString(" detected: ")
	for i := range found {
		f := &found[i]
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString("Value ")
		switch {
		case f.Sensitive: // not a word about what it is, not even that it is missing
		case f.HasValue:
			b.WriteString("'" + f.Value + "' ")
		default:
			b.WriteString("null ")
		}
		b.WriteString("at '" + f.Path + "' failed to satisfy constraint: " + f.Text)
	}
	return b.String()
}

// organizations is the wording of AWS Organizations: the reasons are those of
// its model's InvalidInputExceptionReason, and it tells the first violation
// only.
func organizations(f Violation) (reason, message string) {
	switch f.Constraint {
	case Required:
		return "INPUT_REQUIRED", "You must include a value for all required parameters."
	case MinLength:
		return "MIN_LENGTH_EXCEEDED", "You provided a string parameter that is shorter than allowed."
	case MaxLength:
		return "MAX_LENGTH_EXCEEDED", "You provided a string parameter that is longer than allowed."
	case MinValue:
		return "MIN_VALUE_EXCEEDED", "You provided a numeric parameter that has a smaller value than allowed."
	case MaxValue:
		return "MAX_VALUE_EXCEEDED", "You provided a numeric parameter that has a larger value than allowed."
	case Enum:
		if f.Shape == "PolicyType" {
			return "INVALID_ENUM_POLICY_TYPE", "You specified an invalid policy type string."
		}
		return "INVALID_ENUM", "You specified an invalid value."
	case Elements, Keys, Values:
		return "INVALID_LIST_MEMBER", "You provided a list to a parameter that contains at least one invalid value."
	default:
		return "INVALID_PATTERN", "You provided a value that does not match the required pattern."
	}
}
