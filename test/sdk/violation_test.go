package sdk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/validate"
	"github.com/atrium-iam/atrium/internal/wire/validate/violation"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
	"github.com/atrium-iam/atrium/test/node"
)

// leastViolations is how many ways to break a constraint the models had when
// this test was written. Models grow; a smaller number means that the
// derivation has lost some.
const leastViolations = 1704

// codes are the error codes of invalid input, by service.
var codes = map[string]string{
	"sso-admin": "ValidationException", "identitystore": "ValidationException",
	"organizations": "InvalidInputException", "sts": "ValidationError",
	"sso": "InvalidRequestException", "sso-oidc": "InvalidRequestException",
	"settings": "ValidationException",
}

// TestViolations breaks every constraint of every operation's input, one at a
// time, in requests over the wire.
func TestViolations(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		sent := 0
		for _, s := range wiretest.Services() {
			cases, _, err := violation.Derive(s.Service)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				sent++
				if s.Protocol == schema.AWSQuery {
					fillMembers(c.Input)
				}
				got := n.Send(t, admin, node.NewCall(s.Service, c.Operation, c.Input))
				if problem := misjudged(s.Service, c, got); problem != "" {
					t.Errorf("%s %s: %s", s.ID, c.Name(), problem)
				}
			}
		}
		t.Logf("%d violations sent", sent)
		if sent < leastViolations {
			t.Errorf("%d violations sent, there used to be %d", sent, leastViolations)
		}
		refused := func(e audit.Entry) bool { return strings.Contains(string(e.JSON), `"errorCode"`) }
		changes := n.Audit(t, func(all []audit.Entry) bool { return slices.ContainsFunc(all, refused) })
		for _, e := range changes {
			if !refused(e) && !strings.Contains(string(e.JSON), `"eventName":"Initialize"`) { // of the sample data
				t.Errorf("an invalid request was carried out: %s", e.JSON)
			}
		}
	})
}

// misjudged tells what is wrong with the answer to a violation.
func misjudged(s *schema.Service, c violation.Case, got node.Answer) string {
	if got.Status != http.StatusBadRequest || got.Code != codes[s.ID] {
		return fmt.Sprintf("%d %s %q, want %s", got.Status, got.Code, got.Message, codes[s.ID])
	}
	if s.ID == "organizations" {
		if c.Exact && got.Reason != reason(c) || got.Reason == "" || got.Message == "" {
			return fmt.Sprintf("reason %q, want %q (%s)", got.Reason, reason(c), got.Message)
		}
		return ""
	}
	if s.ID == "sso-oidc" && !strings.Contains(string(got.Body), `"error":"invalid_request"`) {
		return fmt.Sprintf("no error code of OAuth: %s", got.Body)
	}
	count, rest, _ := strings.Cut(got.Message, " validation error")
	_, problems, _ := strings.Cut(rest, " detected: ")
	if alone := c.Exact || c.Constraint != c.Broken; alone != (count == "1") {
		return fmt.Sprintf("not the right number of violations: %q", got.Message)
	}
	want := fmt.Sprintf("at '%s' failed to satisfy constraint: ", c.Path)
	told := strings.Split(problems, "; Value ")
	if !slices.ContainsFunc(told, func(p string) bool {
		_, constraint, ok := strings.Cut(p, want)
		return ok && says(s, c, constraint)
	}) {
		return fmt.Sprintf("%q does not say %q and %q", got.Message, want, words(s, c))
	}
	return ""
}

// reason is the InvalidInputExceptionReason of a violation.
func reason(c violation.Case) string {
	if c.Constraint == validate.Enum && c.Shape == "PolicyType" {
		return "INVALID_ENUM_POLICY_TYPE"
	}
	return map[validate.Constraint]string{
		validate.Required: "INPUT_REQUIRED", validate.Pattern: "INVALID_PATTERN", validate.Enum: "INVALID_ENUM",
		validate.MinLength: "MIN_LENGTH_EXCEEDED", validate.MaxLength: "MAX_LENGTH_EXCEEDED",
		validate.MinValue: "MIN_VALUE_EXCEEDED", validate.MaxValue: "MAX_VALUE_EXCEEDED",
		validate.Elements: "INVALID_LIST_MEMBER", validate.Keys: "INVALID_LIST_MEMBER", validate.Values: "INVALID_LIST_MEMBER",
	}[c.Constraint]
}

// says reports whether a message ends with the broken constraint, or lists it
// among those of the elements of a list or map.
func says(s *schema.Service, c violation.Case, constraint string) bool {
	if c.Constraint != c.Broken {
		return strings.HasPrefix(constraint, map[validate.Constraint]string{
			validate.Elements: "Member must satisfy constraint: [", validate.Keys: "Map keys must satisfy constraint: [",
			validate.Values: "Map value must satisfy constraint: [",
		}[c.Constraint]) && strings.Contains(constraint, words(s, c))
	}
	return constraint == words(s, c)
}

// words is the broken constraint as AWS words it.
func words(s *schema.Service, c violation.Case) string {
	i := slices.IndexFunc(s.Shapes, func(shape schema.Shape) bool { return shape.Name == c.Shape })
	shape := s.Shapes[i]
	switch c.Broken {
	case validate.Required:
		return "Member must not be null"
	case validate.MinLength:
		return fmt.Sprintf("Member must have length greater than or equal to %d", shape.Min)
	case validate.MaxLength:
		return fmt.Sprintf("Member must have length less than or equal to %d", shape.Max)
	case validate.MinValue:
		return fmt.Sprintf("Member must have value greater than or equal to %d", shape.Min)
	case validate.MaxValue:
		return fmt.Sprintf("Member must have value less than or equal to %d", shape.Max)
	case validate.Pattern:
		return "Member must satisfy regular expression pattern: " + shape.ModelPattern
	case validate.Enum:
		return "Member must satisfy enum value set: [" + strings.Join(shape.Enum, ", ") + "]"
	}
	return "?"
}
