package gateway

import (
	"strings"
)

// resources are the ARNs that the operation's action is asked on, at least
// one: the caller must be allowed on each.
func (c *call) resources(tx Tx, rl realm) ([]string, error) {
	e := resourceExpander{call: c, tx: tx, realm: rl}
	for _, t := range c.target.op.Resources {
		if err := e.expand("", t); err != nil {
			return nil, err
		}
	}
	if len(e.arns) == 0 {
		return []string{"*"}, nil
	}
	return e.arns, nil
}

// resourceExpander fills the {parts} of ARN templates:
//
//	{Member}, {Member.Nested}  an input member; a list gives one ARN per element
//	{Member^ou-}               the same; without this prefix the template is left out
//	{Member^#}                 the same; left out unless the value is an account id
//	{@owner} {@account} {@organization} {@region}  facts of the call
//	{@membership.group} {@membership.user}         of the membership in the input
//
// A part that the request does not name becomes "*", which only a statement
// on "*" covers.
type resourceExpander struct {
	call  *call
	tx    Tx
	realm realm
	arns  []string
}

// expand appends the ARNs of what follows done in a template.
func (e *resourceExpander) expand(done, template string) error {
	before, rest, found := strings.Cut(template, "{")
	if !found {
		e.arns = append(e.arns, done+before)
		return nil
	}
	name, after, _ := strings.Cut(rest, "}")
	values, err := e.values(name)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := e.expand(done+before+v, after); err != nil {
			return err
		}
	}
	return nil
}

// values are what a part of a template stands for; none leaves the template
// out.
func (e *resourceExpander) values(part string) ([]string, error) {
	if fact, ok := strings.CutPrefix(part, "@"); ok {
		value, err := e.fact(fact)
		if value == "" {
			value = "*"
		}
		return []string{value}, err
	}
	name, condition, conditional := strings.Cut(part, "^")
	var values []string
	switch v := e.call.inputMember(name).(type) {
	case string:
		values = []string{v}
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok {
				values = append(values, s)
			}
		}
	}
	if len(values) == 0 {
		values = []string{"*"}
	}
	if !conditional {
		return values, nil
	}
	kept := values[:0]
	for _, v := range values {
		if (condition == "#" && isAccountID(v)) || (condition != "#" && strings.HasPrefix(v, condition)) {
			kept = append(kept, v)
		}
	}
	return kept, nil
}

func (e *resourceExpander) fact(name string) (string, error) {
	switch name {
	case "account":
		return e.call.caller.AccountID, nil
	case "owner":
		return e.realm.owner, nil
	case "organization":
		return e.realm.organization, nil
	case "region":
		return e.realm.region, nil
	}
	storeID, _ := e.call.inputMember("IdentityStoreId").(string)
	membershipID, _ := e.call.inputMember("MembershipId").(string)
	m, _, err := e.tx.DirectoryMembership(storeID, membershipID)
	if name == "membership.group" {
		return m.GroupID, err
	}
	return m.UserID, err
}

func isAccountID(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }
