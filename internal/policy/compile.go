package policy

import (
	"errors"
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Policy is a compiled identity policy document (or permissions boundary,
// session policy, service control policy: they share one grammar).
type Policy struct {
	statements []statement
	allow      index
	deny       index
}

// statement is a compiled statement. Its actions stand in the index of its
// policy, but for those of NotAction.
type statement struct {
	notActions []pattern
	// resources are those of Resource, or of NotResource when notResource.
	resources   []arnPattern
	notResource bool
	conditions  []condition
}

// malformed returns the error of a document that breaks the grammar.
func malformed(message string) error {
	return fault.New(fault.Invalid, "policy_document", "%s", message)
}

// Compile compiles a policy document. A document that breaks the grammar gives
// a fault.Invalid about "policy_document", in IAM's words.
func Compile(document string) (*Policy, error) {
	p, err := compile(document)
	if err != nil {
		return nil, inWords(err)
	}
	return p, nil
}

// inWords returns why a document does not compile, in IAM's words.
func inWords(err error) error {
	if errors.Is(err, errSyntax) || fault.Of(err) != fault.Invalid {
		return malformed("Syntax errors in policy.")
	}
	return err
}

func compile(document string) (*Policy, error) {
	statements, variables, err := readDocument(document)
	if err != nil {
		return nil, err
	}
	return compileStatements(statements, variables)
}

// readDocument reads a document and returns its statements, of which there are
// some, and whether they may hold policy variables.
func readDocument(document string) (statements []any, variables bool, err error) {
	root, err := readJSON(document)
	if err != nil {
		return nil, false, err
	}
	// Documents of the old version, the default, have no variables.
	for _, m := range root {
		switch m.name {
		case "Version":
			if m.value != "2008-10-17" && m.value != "2012-10-17" {
				return nil, false, errSyntax
			}
			variables = m.value == "2012-10-17"
		case "Id":
			if _, ok := m.value.(string); !ok {
				return nil, false, errSyntax
			}
		case "Statement":
			statements = elements(m.value)
		default:
			return nil, false, errSyntax
		}
	}
	if len(statements) == 0 {
		return nil, false, errSyntax
	}
	return statements, variables, nil
}

func compileStatements(list []any, variables bool) (*Policy, error) {
	p := &Policy{statements: make([]statement, len(list))}
	sids := make(sidSet)
	for i, element := range list {
		raw, err := readStatement(element, identityGrammar)
		if err != nil {
			return nil, err
		}
		if err := sids.add(raw.sid); err != nil {
			return nil, err
		}
		st := &p.statements[i]
		if err := st.compile(raw, variables); err != nil {
			return nil, err
		}
		into := &p.allow
		if raw.deny {
			into = &p.deny
		}
		if err := st.index(int32(i), raw, into); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// sidSet holds the ids of a document's statements.
type sidSet map[string]bool

func (s sidSet) add(sid string) error {
	if sid != "" && s[sid] {
		return malformed("Statement IDs (SID) in a single policy must be unique.")
	}
	s[sid] = true
	return nil
}

// grammar says which elements a statement has.
type grammar uint8

const (
	identityGrammar grammar = iota // resources, no principals
	trustGrammar                   // principals, no resources
)

// rawStatement is a statement whose elements have the right types.
type rawStatement struct {
	sid                      string
	deny                     bool
	actions, resources       []string
	notAction, notResource   bool
	hasActions, hasResources bool
	condition                any
	principal                any // trustGrammar
}

// readStatement reads a statement and checks that it has the elements it must
// have and no other.
func readStatement(value any, g grammar) (rawStatement, error) {
	var raw rawStatement
	members, ok := value.(object)
	if !ok {
		return raw, errSyntax
	}
	effect := ""
	for _, m := range members {
		var err error
		switch m.name {
		case "Sid":
			raw.sid, ok = m.value.(string)
		case "Effect":
			effect, ok = m.value.(string)
		case "Action", "NotAction":
			ok = !raw.hasActions
			raw.hasActions, raw.notAction = true, m.name == "NotAction"
			raw.actions, err = stringsOf(m.value)
		case "Resource", "NotResource":
			ok = !raw.hasResources
			raw.hasResources, raw.notResource = true, m.name == "NotResource"
			raw.resources, err = stringsOf(m.value)
		case "Condition":
			raw.condition = m.value
			_, ok = m.value.(object)
		case "Principal", "NotPrincipal":
			if g == identityGrammar {
				return raw, malformed("Policy document should not specify a principal.")
			}
			raw.principal, ok = m.value, m.name == "Principal"
		default:
			ok = false
		}
		if !ok || err != nil {
			return raw, errSyntax
		}
	}
	raw.deny = effect == "Deny"
	switch {
	case effect != "Allow" && effect != "Deny":
		return raw, errSyntax
	case !isAlphanumeric(raw.sid):
		return raw, malformed("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
	case len(raw.actions) == 0:
		return raw, malformed("Policy statement must contain actions.")
	case g == trustGrammar && raw.hasResources:
		return raw, malformed("Has prohibited field Resource")
	case g == trustGrammar && raw.principal == nil:
		return raw, malformed("AssumeRole policy must contain a principal.")
	case g == identityGrammar && len(raw.resources) == 0:
		return raw, malformed("Policy statement must contain resources.")
	}
	return raw, nil
}

func isAlphanumeric(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := lower(s[i]); (c < 'a' || 'z' < c) && (c < '0' || '9' < c) {
			return false
		}
	}
	return true
}

// compile compiles all of raw but its actions.
func (st *statement) compile(raw rawStatement, variables bool) error {
	st.notResource = raw.notResource
	st.resources = make([]arnPattern, len(raw.resources))
	for i, text := range raw.resources {
		if complaint := checkResource(text); complaint != "" {
			return malformed(complaint)
		}
		var err error
		if st.resources[i], err = compileARN(text, variables); err != nil {
			return err
		}
	}
	if raw.condition == nil {
		return nil
	}
	var err error
	st.conditions, err = compileConditions(raw.condition, variables)
	return err
}

// index enters the actions of raw, statement number n, into ix.
func (st *statement) index(n int32, raw rawStatement, ix *index) error {
	for _, text := range raw.actions {
		service, name, err := cutAction(text)
		if err != nil {
			return err
		}
		switch {
		case raw.notAction:
			p, err := compilePattern(strings.ToLower(text), syntax{wildcards: true, fold: true})
			if err != nil {
				return err
			}
			st.notActions = append(st.notActions, p)
		case service == "*":
			ix.addAny(n)
		default:
			if err := ix.add(service, name, n); err != nil {
				return err
			}
		}
	}
	if raw.notAction {
		ix.addAny(n)
	}
	return nil
}

// cutAction cuts an element of Action or NotAction at its colon and puts it in
// lower case; "*" is a service and no name.
func cutAction(text string) (service, name string, err error) {
	service, name, found := strings.Cut(strings.ToLower(text), ":")
	switch {
	case !found && service == "*":
		return service, "", nil
	case !found:
		return "", "", malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	case strings.Contains(name, ":"):
		return "", "", malformed("Actions/Condition can contain only one colon.")
	case service == "*" && name == "*":
		return service, "", nil
	case service == "" || !isAlphanumeric(strings.NewReplacer("-", "", ".", "").Replace(service)):
		original, _, _ := strings.Cut(text, ":")
		return "", "", malformed("Vendor " + original + " is not valid")
	}
	return service, name, nil
}
