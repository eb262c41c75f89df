package policy

import (
	"encoding/json"
	"strings"
)

// family is the kind of comparison an operator makes.
type family uint8

const (
	familyString family = iota + 1
	familyNumeric
	familyDate
	familyBool
	familyBinary
	familyAddress
	familyARN
	familyNull
)

// relation is how a number or date must stand to the policy's.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// operator is a condition operator without its affixes.
type operator struct {
	family   family
	negated  bool
	relation relation
	syntax   syntax // of its values, but for variables
}

// operatorNamed returns the operator called name, as AWS writes it.
func operatorNamed(name string) (operator, bool) {
	switch name {
	case "StringEquals":
		return operator{family: familyString}, true
	case "StringNotEquals":
		return operator{family: familyString, negated: true}, true
	case "StringEqualsIgnoreCase":
		return operator{family: familyString, syntax: syntax{fold: true}}, true
	case "StringNotEqualsIgnoreCase":
		return operator{family: familyString, syntax: syntax{fold: true}, negated: true}, true
	case "StringLike":
		return operator{family: familyString, syntax: syntax{wildcards: true}}, true
	case "StringNotLike":
		return operator{family: familyString, syntax: syntax{wildcards: true}, negated: true}, true
	case "Bool":
		return operator{family: familyBool}, true
	case "BinaryEquals":
		return operator{family: familyBinary}, true
	case "IpAddress":
		return operator{family: familyAddress}, true
	case "NotIpAddress":
		return operator{family: familyAddress, negated: true}, true
	case "ArnEquals", "ArnLike":
		return operator{family: familyARN}, true
	case "ArnNotEquals", "ArnNotLike":
		return operator{family: familyARN, negated: true}, true
	case "Null":
		return operator{family: familyNull}, true
	}
	if comparison, ok := strings.CutPrefix(name, "Numeric"); ok {
		return comparisonNamed(comparison, familyNumeric)
	}
	if comparison, ok := strings.CutPrefix(name, "Date"); ok {
		return comparisonNamed(comparison, familyDate)
	}
	return operator{}, false
}

func comparisonNamed(name string, f family) (operator, bool) {
	op := operator{family: f}
	switch name {
	case "Equals":
	case "NotEquals":
		op.negated = true
	case "LessThan":
		op.relation = less
	case "LessThanEquals":
		op.relation = lessOrEqual
	case "GreaterThan":
		op.relation = greater
	case "GreaterThanEquals":
		op.relation = greaterOrEqual
	default:
		return operator{}, false
	}
	return op, true
}

// quantifier says how a key with several values is read.
type quantifier uint8

const (
	single quantifier = iota
	forAnyValue
	forAllValues
)

// condition is one operator on one key.
type condition struct {
	operator
	quantifier quantifier
	ifExists   bool
	key        Key
	values     []operand
}

// operand is one value of a condition, ready for its family.
type operand struct {
	text    pattern       // as written
	arn     *arnPattern   // of the ARN family
	literal *literalValue // of the others, when the text holds no variable
}

// compileConditions compiles a Condition element.
func compileConditions(value any, variables bool) ([]condition, error) {
	operators, ok := value.(object)
	if !ok {
		return nil, errSyntax
	}
	var out []condition
	for _, m := range operators {
		keys, ok := m.value.(object)
		if !ok {
			return nil, errSyntax
		}
		blank, err := compileOperator(m.name)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			c := blank
			if err := c.compileKey(key, variables); err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// compileOperator compiles an operator's name with its affixes.
func compileOperator(name string) (condition, error) {
	var c condition
	if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		c.quantifier, name = forAnyValue, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		c.quantifier, name = forAllValues, rest
	}
	if rest, ok := strings.CutSuffix(name, "IfExists"); ok {
		c.ifExists, name = true, rest
	}
	op, ok := operatorNamed(name)
	if !ok || op.family == familyNull && c.ifExists {
		return c, errSyntax
	}
	c.operator = op
	return c, nil
}

func (c *condition) compileKey(m member, variables bool) error {
	if !strings.Contains(m.name, ":") {
		return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	}
	c.key = NewKey(m.name)
	list := elements(m.value)
	c.values = make([]operand, 0, len(list))
	for _, element := range list {
		text, ok := scalar(element)
		if !ok {
			return errSyntax
		}
		value, err := c.compileValue(text, variables)
		if err != nil {
			return err
		}
		c.values = append(c.values, value)
	}
	return nil
}

// scalar returns the text of a string, number or boolean.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	default:
		return "", false
	}
}

func (c *condition) compileValue(text string, variables bool) (operand, error) {
	var v operand
	var err error
	syn := c.syntax
	syn.variables = variables
	if v.text, err = compilePattern(text, syn); err != nil {
		return v, err
	}
	if c.family == familyARN {
		p, err := compileARN(text, variables)
		v.arn = &p
		return v, err
	}
	if v.text.shape == matchText && c.family != familyString {
		parsed := parseLiteral(c.family, v.text.text)
		v.literal = &parsed
		if c.family == familyDate && !parsed.valid {
			return v, malformed("The policy failed legacy parsing")
		}
	}
	return v, nil
}

// holds evaluates the condition.
func (c *condition) holds(ev *evaluation) truth {
	e := ev.lookup(c.key)
	if e == nil {
		return unknown
	}
	if c.family == familyNull {
		return c.null(e.len() == 0, ev)
	}
	if e.len() == 0 {
		return truthOf(c.ifExists || c.quantifier == forAllValues || c.negated && c.quantifier == single)
	}
	// A negated operator without a quantifier is the negation of the plain
	// one: none of the key's values may match.
	all := c.quantifier == forAllValues || c.negated && c.quantifier == single
	result := truthOf(all)
	for i := range e.len() {
		one := c.matchAny(e.at(i), ev)
		if c.negated {
			one = not(one)
		}
		if all {
			result = and(result, one)
		} else {
			result = or(result, one)
		}
	}
	return result
}

// null evaluates the Null operator: "true" asks for an absent key.
func (c *condition) null(isAbsent bool, ev *evaluation) truth {
	result := no
	for i := range c.values {
		v := c.values[i].value(c.family, ev)
		switch {
		case !v.valid:
			result = or(result, unknown)
		case v.flag == isAbsent:
			result = yes
		}
	}
	return result
}

// matchAny tells whether s matches any of the condition's values, before
// negation.
func (c *condition) matchAny(s string, ev *evaluation) truth {
	switch c.family {
	case familyString:
		return c.matchString(s, ev)
	case familyARN:
		parts, isARN := splitARN(s)
		result := no
		for i := range c.values {
			result = or(result, c.values[i].arn.match(s, &parts, isARN, ev))
		}
		return result
	default:
		return c.matchLiteral(s, ev)
	}
}

func (c *condition) matchString(s string, ev *evaluation) truth {
	result := no
	for i := range c.values {
		if result = or(result, c.values[i].text.match(s, ev)); result == yes {
			return yes
		}
	}
	return result
}
