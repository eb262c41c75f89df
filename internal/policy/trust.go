package policy

import (
	"slices"
	"strings"
)

// Trust is a compiled trust policy: the policy of a role that says who may
// assume it.
type Trust struct{ statements []trustStatement }

// trustStatement is a statement with whom it is about. Its policy holds that
// statement alone.
type trustStatement struct {
	policy     *Policy
	principals []string // account ids and ARNs; "*" is everybody
}

// CompileTrust compiles a trust policy. One that breaks the grammar gives a
// fault.Invalid about "policy_document", in IAM's words.
func CompileTrust(document string) (*Trust, error) {
	t, err := compileTrust(document)
	if err != nil {
		return nil, inWords(err)
	}
	return t, nil
}

func compileTrust(document string) (*Trust, error) {
	list, variables, err := readDocument(document)
	if err != nil {
		return nil, err
	}
	t := &Trust{statements: make([]trustStatement, len(list))}
	sids := make(sidSet)
	for i, element := range list {
		raw, err := readStatement(element, trustGrammar)
		if err != nil {
			return nil, err
		}
		if err := sids.add(raw.sid); err != nil {
			return nil, err
		}
		if t.statements[i], err = compileTrustStatement(raw, variables); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func compileTrustStatement(raw rawStatement, variables bool) (s trustStatement, err error) {
	if s.principals, err = trusted(raw.principal); err != nil {
		return s, err
	}
	raw.resources = []string{"*"}
	s.policy = &Policy{statements: make([]statement, 1)}
	st := &s.policy.statements[0]
	if err := st.compile(raw, variables); err != nil {
		return s, err
	}
	into := &s.policy.allow
	if raw.deny {
		into = &s.policy.deny
	}
	return s, st.index(0, raw, into)
}

// trusted returns the AWS principals of a Principal element: accounts as their
// ids. Services and identity providers, which do not call AssumeRole, are left
// out.
func trusted(value any) (principals []string, err error) {
	if value == "*" {
		return []string{"*"}, nil
	}
	kinds, ok := value.(object)
	if !ok || len(kinds) == 0 {
		return nil, errSyntax
	}
	for _, kind := range kinds {
		names, err := stringsOf(kind.value)
		if err != nil || len(names) == 0 {
			return nil, errSyntax
		}
		switch kind.name {
		case "AWS":
		case "Service", "Federated", "CanonicalUser":
			continue
		default:
			return nil, errSyntax
		}
		for _, name := range names {
			account, ok := readPrincipal(name)
			if !ok {
				return nil, malformed("Invalid principal in policy: \"AWS\":\"" + name + "\"")
			}
			principals = append(principals, account)
		}
	}
	return principals, nil
}

// readPrincipal checks the name of an AWS principal. The ARN of an account's
// root stands for the account.
func readPrincipal(name string) (string, bool) {
	if name == "*" || isAccount(name) {
		return name, true
	}
	parts, ok := splitARN(name)
	service := parts[arnService]
	if !ok || (service != "iam" && service != "sts") || !isAccount(parts[arnAccount]) || strings.ContainsAny(name, "*?") {
		return "", false
	}
	if parts[arnResource] == "root" {
		return parts[arnAccount], true
	}
	return name, strings.Contains(parts[arnResource], "/")
}

func isAccount(s string) bool { return len(s) == 12 && isDigits(s) }

// Trusting is what a trust policy says about a caller.
type Trusting uint8

// What a trust policy may say, from no to yes.
const (
	// TrustsNot is an implicit denial.
	TrustsNot Trusting = iota
	// TrustDenies is an explicit one.
	TrustDenies
	// TrustsAccount allows whomever the caller's account allows, or everybody.
	TrustsAccount
	// TrustsCaller allows the caller by name.
	TrustsCaller
)

// Decide answers whether a caller may do the action. names are the ARNs that
// the caller goes by: of a role session, its own and its role's.
func (t *Trust) Decide(action string, values *Values, accountID string, names ...string) Trusting {
	var ev evaluation
	if !ev.begin(Request{Action: action, Resource: "*", Context: values}) {
		return TrustsNot
	}
	best := TrustsNot
	for i := range t.statements {
		s := &t.statements[i]
		trusting := s.about(accountID, names)
		if trusting == TrustsNot {
			continue
		}
		only := []*Policy{s.policy}
		if denies(only, &ev) {
			return TrustDenies
		}
		if trusting > best && allows(only, &ev) {
			best = trusting
		}
	}
	return best
}

// about tells how a statement names a caller, if it does.
func (s *trustStatement) about(accountID string, names []string) Trusting {
	best := TrustsNot
	for _, p := range s.principals {
		switch {
		case slices.Contains(names, p):
			return TrustsCaller
		case p == "*" || p == accountID:
			best = TrustsAccount
		}
	}
	return best
}
