package sdk

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/test/node"
)

// check is one question that is put to every operation it applies to. It
// returns what is wrong with the answer, "" when nothing is.
type check struct {
	name    string
	applies func(*testing.T, operation) bool
	run     func(*sweep, *testing.T, operation) string
}

// sweep is what the checks run on.
type sweep struct {
	*node.Node
	node.Callers
}

// checks are the questions.
var checks = []check{
	{"unauthenticated", signed, (*sweep).unauthenticated},
	{"unknown-key", signed, (*sweep).unknownKey},
	{"wrong-secret", signed, (*sweep).wrongSecret},
	{"member-account", restricted, (*sweep).memberAccount},
	{"outside-account", restricted, (*sweep).outsideAccount},
	{"foreign-organization", ofInstance, (*sweep).foreignOrganization},
	{"no-policy", permitted, (*sweep).noPolicy},
	{"explicit-deny", permitted, (*sweep).explicitDeny},
	{"delegated-administrator", forOwner, (*sweep).delegatedAdministrator},
	{"open-to-members", open, (*sweep).openToMembers},
	{"unknown-instance", namesInstance, (*sweep).unknownInstance},
	{"unknown-resource", namesResource, (*sweep).unknownResource},
}

// TestSweep puts every check to every operation of every service. An operation
// that a check does not hold for is listed in uncovered.txt with the reason,
// and a line there for one that it does hold for is an error: the list only
// shrinks.
func TestSweep(t *testing.T) {
	reasons := listed(t, "uncovered.txt")
	used := map[string]bool{}
	node.Run(t, func(t *testing.T, n *node.Node) {
		s := &sweep{n, n.Callers(t)}
		for _, c := range checks {
			t.Run(c.name, func(t *testing.T) { s.put(t, c, reasons, used) })
		}
	})
	for line, reason := range reasons {
		if reason == "" {
			t.Errorf("uncovered.txt gives no reason: %s", line)
		}
		if !used[line] && !strings.HasPrefix(line, "content ") { // those are TestOperations'
			t.Errorf("uncovered.txt lists what no check asks: %s", line)
		}
	}
}

// put puts one check to all operations.
func (s *sweep) put(t *testing.T, c check, reasons map[string]string, used map[string]bool) {
	asked := 0
	for _, o := range operations() {
		if !c.applies(t, o) {
			continue
		}
		asked++
		key := c.name + " " + o.String()
		_, excepted := reasons[key]
		used[key] = true
		wrong := c.run(s, t, o)
		switch {
		case wrong != "" && !excepted:
			t.Errorf("%s: %s", key, wrong)
		case wrong == "" && excepted:
			t.Errorf("%s is covered: delete its line in uncovered.txt", key)
		}
	}
	t.Logf("%d operations", asked)
	if asked == 0 {
		t.Error("the check applies to nothing")
	}
}

func signed(_ *testing.T, o operation) bool { return !o.Unsigned }

// restricted operations are not open to every account.
func restricted(_ *testing.T, o operation) bool {
	return !o.Unsigned && o.Gate != schema.GateAny && o.Gate != schema.GateNone && o.Gate != schema.GateMember
}

// ofInstance operations act on an instance of Identity Center or its directory,
// which the input names.
func ofInstance(t *testing.T, o operation) bool {
	if o.Unsigned || o.service.ID == "organizations" || o.Gate != schema.GateOwner && o.Gate != schema.GateMember {
		return false
	}
	in := o.valid(t)
	return textMember(in, "InstanceArn") != nil || textMember(in, "IdentityStoreId") != nil
}

// permitted operations ask the caller's policies.
func permitted(_ *testing.T, o operation) bool { return !o.Unsigned && o.Action != "" }

// forOwner operations are those that a delegated administrator may call, or
// only the management account.
func forOwner(_ *testing.T, o operation) bool {
	return !o.Unsigned && (o.Gate == schema.GateOwner || o.Gate == schema.GateDelegated || o.Gate == schema.GateManagement)
}

func open(_ *testing.T, o operation) bool {
	return !o.Unsigned && (o.Gate == schema.GateMember || o.Gate == schema.GateAny)
}

// served operations are those that are implemented.
func served(t *testing.T, o operation) bool {
	_, missing := notImplemented(t)[o.String()]
	return !missing && !o.Unsigned
}

func namesInstance(t *testing.T, o operation) bool {
	in := o.valid(t)
	return served(t, o) && (textMember(in, "InstanceArn") != nil || textMember(in, "IdentityStoreId") != nil)
}

// namesResource reports whether an input must name something beside the
// instance.
func namesResource(t *testing.T, o operation) bool {
	if !served(t, o) || o.Input == schema.NoShape {
		return false
	}
	v := reflect.ValueOf(o.valid(t)).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		names := strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "Arn")
		if names && !v.Field(i).IsNil() && name != "InstanceArn" && name != "IdentityStoreId" {
			return true
		}
	}
	return false
}

// refusals are the answers to callers who are not who they should be: code,
// status and message by protocol.
var refusals = map[string]map[schema.Protocol]node.Answer{
	"missing": {
		schema.AWSJSON11: {Status: http.StatusBadRequest, Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"},
		schema.RESTJSON1: {Status: http.StatusForbidden, Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"},
		schema.AWSQuery:  {Status: http.StatusForbidden, Code: "MissingAuthenticationToken", Message: "Request is missing Authentication Token"},
	},
	"unknown": {
		schema.AWSJSON11: {Status: http.StatusBadRequest, Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."},
		schema.RESTJSON1: {Status: http.StatusForbidden, Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."},
		schema.AWSQuery:  {Status: http.StatusForbidden, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."},
	},
	"mismatch": {
		schema.AWSJSON11: {Status: http.StatusBadRequest, Code: "InvalidSignatureException", Message: mismatch},
		schema.RESTJSON1: {Status: http.StatusForbidden, Code: "InvalidSignatureException", Message: mismatch},
		schema.AWSQuery:  {Status: http.StatusForbidden, Code: "SignatureDoesNotMatch", Message: mismatch},
	},
}

const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// differs compares an error answer with the one wanted.
func differs(got, want node.Answer) string {
	if got.Status != want.Status || got.Code != want.Code || got.Message != want.Message {
		return fmt.Sprintf("%d %s %q, want %d %s %q", got.Status, got.Code, got.Message, want.Status, want.Code, want.Message)
	}
	return ""
}

func (s *sweep) unauthenticated(t *testing.T, o operation) string {
	got := s.Send(t, nil, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node)))
	return differs(got, refusals["missing"][o.service.Protocol])
}

func (s *sweep) unknownKey(t *testing.T, o operation) string {
	stranger := &node.Caller{KeyID: "AKIAAAAAAAAAAAAAAAAA", Secret: s.Admin.Secret}
	got := s.Send(t, stranger, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node)))
	return differs(got, refusals["unknown"][o.service.Protocol])
}

func (s *sweep) wrongSecret(t *testing.T, o operation) string {
	thief := &node.Caller{KeyID: s.Admin.KeyID, Secret: s.Member.Secret}
	got := s.Send(t, thief, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node)))
	return differs(got, refusals["mismatch"][o.service.Protocol])
}

// memberAccount holds that an administrator of a member account is nobody's
// administrator but that account's.
func (s *sweep) memberAccount(t *testing.T, o operation) string {
	got := s.Send(t, s.Member, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node)))
	if got.Code != "AccessDeniedException" || got.Status != http.StatusBadRequest || got.Message == "" {
		return fmt.Sprintf("%d %s %q, want AccessDeniedException", got.Status, got.Code, got.Message)
	}
	return ""
}

func (s *sweep) outsideAccount(t *testing.T, o operation) string {
	want := "AccessDeniedException"
	if o.service.ID == "organizations" {
		want = "AWSOrganizationsNotInUseException"
	}
	got := s.Send(t, s.Outsider, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node)))
	if got.Code != want || got.Status != http.StatusBadRequest || got.Message == "" {
		return fmt.Sprintf("%d %s %q, want %s", got.Status, got.Code, got.Message, want)
	}
	return ""
}

// foreignOrganization holds that an administrator of another organization can do
// nothing here, and read nothing: not what members may read either.
func (s *sweep) foreignOrganization(t *testing.T, o operation) string {
	got := s.Send(t, s.Foreign, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node)))
	if got.Code != "AccessDeniedException" || got.Status != http.StatusBadRequest || !strings.Contains(got.Message, node.Elsewhere) {
		return fmt.Sprintf("%d %s %q, want AccessDeniedException", got.Status, got.Code, got.Message)
	}
	return ""
}

// delegatedAdministrator holds that the account which administers Identity
// Center for the organization is let in, but not to what the management
// account alone may do.
func (s *sweep) delegatedAdministrator(t *testing.T, o operation) string {
	got := s.Send(t, s.Delegated, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node)))
	if denied := got.Code == "AccessDeniedException"; denied != (o.Gate == schema.GateManagement) {
		return fmt.Sprintf("denied: %t: %d %s %q", denied, got.Status, got.Code, got.Message)
	}
	return ""
}

// openToMembers holds that an administrator of a member account is let in where
// AWS lets them in.
func (s *sweep) openToMembers(t *testing.T, o operation) string {
	got := s.Send(t, s.Member, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node)))
	if strings.HasPrefix(got.Code, "AccessDenied") {
		return fmt.Sprintf("%d %s %q", got.Status, got.Code, got.Message)
	}
	return ""
}

// deniedTo checks AWS's message: who, what, on what, and why.
func deniedTo(o operation, in any, who *node.Caller, got node.Answer, because string) string {
	code, status := "AccessDeniedException", http.StatusBadRequest
	if o.service.Protocol == schema.AWSQuery {
		code, status = "AccessDenied", http.StatusForbidden
	}
	if got.Code != code || got.Status != status {
		return fmt.Sprintf("%d %s %q, want %d %s", got.Status, got.Code, got.Message, status, code)
	}
	start := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: ", who.ARN, o.Action)
	rest, ok := strings.CutPrefix(got.Message, start)
	resource, why, _ := strings.Cut(rest, " ")
	if !ok || why != because {
		return fmt.Sprintf("message %q, want %q, a resource and %q", got.Message, start, because)
	}
	if len(o.Resources) == 0 && resource != "*" {
		return fmt.Sprintf("%q is no resource", resource)
	}
	if len(o.Resources) > 0 && !slices.ContainsFunc(o.Resources, func(template string) bool { return names(resource, template, in) }) {
		return fmt.Sprintf("%q is none of %q", resource, o.Resources)
	}
	return ""
}

// names reports whether a resource fits a template as far as the input's own
// members tell.
func names(resource, template string, in any) bool {
	for {
		before, rest, more := strings.Cut(template, "{")
		var ok bool
		if resource, ok = strings.CutPrefix(resource, before); !ok {
			return false
		}
		if !more {
			return resource == ""
		}
		name, after, _ := strings.Cut(rest, "}")
		value := textMember(in, name)
		if value != nil {
			if resource, ok = strings.CutPrefix(resource, *value); !ok {
				return false
			}
		} else {
			end := len(resource)
			if next, _, _ := strings.Cut(after, "{"); next != "" {
				if end = strings.Index(resource, next); end < 0 {
					return false
				}
			}
			resource = resource[end:]
		}
		template = after
	}
}

func (s *sweep) noPolicy(t *testing.T, o operation) string {
	in := o.onInstance(t, s.Node)
	got := s.Send(t, s.Powerless, node.NewCall(o.service, o.Operation, in))
	return deniedTo(o, in, s.Powerless, got, "because no identity-based policy allows the "+o.Action+" action")
}

func (s *sweep) explicitDeny(t *testing.T, o operation) string {
	in := o.onInstance(t, s.Node)
	got := s.Send(t, s.Forbidden, node.NewCall(o.service, o.Operation, in))
	return deniedTo(o, in, s.Forbidden, got, "with an explicit deny in an identity-based policy")
}

func notFound(got node.Answer) string {
	if got.Status != http.StatusBadRequest || !strings.HasSuffix(got.Code, "NotFoundException") || got.Message == "" {
		return fmt.Sprintf("%d %s %q, want a NotFoundException", got.Status, got.Code, got.Message)
	}
	return ""
}

// unknownInstance calls with a valid input that names an instance or identity
// store which does not exist.
func (s *sweep) unknownInstance(t *testing.T, o operation) string {
	return notFound(s.Send(t, s.Admin, node.NewCall(o.service, o.Operation, o.valid(t))))
}

// unknownResource calls on the instance with what is not in it.
func (s *sweep) unknownResource(t *testing.T, o operation) string {
	return notFound(s.Send(t, s.Admin, node.NewCall(o.service, o.Operation, o.onInstance(t, s.Node))))
}
