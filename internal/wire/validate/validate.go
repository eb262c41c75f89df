// Package validate holds inputs to the constraints of their model (required
// members, lengths, ranges, patterns, enums) and words what it finds as each
// AWS service does.
package validate

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// MaxViolations is how many violations one answer tells of; AWS stops there too.
const MaxViolations = 10

// Constraint is a kind of constraint.
type Constraint uint8

// The constraints.
const (
	Required Constraint = iota + 1
	MinLength
	MaxLength
	MinValue
	MaxValue
	Pattern
	Enum
	// Elements is any constraint on the strings or numbers in a list.
	Elements
	// Keys and Values are any constraint on a map's keys, or on the strings
	// or numbers that are its values.
	Keys
	Values
)

// String names the constraint.
func (c Constraint) String() string {
	names := [...]string{"", "Required", "MinLength", "MaxLength", "MinValue", "MaxValue", "Pattern", "Enum", "Elements", "Keys", "Values"}
	if int(c) < len(names) {
		return names[c]
	}
	return "Constraint(" + strconv.Itoa(int(c)) + ")"
}

// Violation is one broken constraint.
type Violation struct {
	// Path names the member as AWS does: lower camel case, list elements by
	// number from 1, e.g. "emails.1.member.value".
	Path       string
	Constraint Constraint
	// Shape is the name of the shape that holds the constraint.
	Shape string
	// Text is the constraint in words, e.g. "Member must not be null".
	Text string
	// Value is what the member holds, cut to a length fit for a message, when
	// HasValue. A missing member has none.
	Value    string
	HasValue bool
	// Sensitive says that the value must not be shown; it is not in Value.
	Sensitive bool
}

// Validator checks the inputs of one service. It is safe for concurrent use.
type Validator struct {
	service *schema.Service
	rules   []rule // by schema.Ref
}

// rule is what a shape asks for, worked out once.
type rule struct {
	match     *matcher // nil: no pattern
	names     []string // of members, in lower camel case
	deep      bool     // the shape or something under it has a constraint
	sensitive bool     // the shape or something under it is sensitive
}

// New returns the validator of s. It fails when a pattern is not a valid
// regular expression.
func New(s *schema.Service) (*Validator, error) {
	v := &Validator{service: s, rules: make([]rule, len(s.Shapes))}
	for i := range s.Shapes {
		shape, r := &s.Shapes[i], &v.rules[i]
		r.sensitive = shape.Sensitive
		r.deep = shape.HasMin || shape.HasMax || shape.Pattern != "" || len(shape.Enum) > 0
		for j := range shape.Members {
			r.names = append(r.names, lowerFirst(shape.Members[j].Name))
			r.deep = r.deep || shape.Members[j].Required
			r.sensitive = r.sensitive || shape.Members[j].Sensitive
		}
		if shape.Pattern == "" {
			continue
		}
		m, err := newMatcher(shape.Pattern)
		if err != nil {
			return nil, fmt.Errorf("pattern of %s: %w", shape.Name, err)
		}
		r.match = m
	}
	v.spread()
	return v, nil
}

// spread marks the shapes that hold constrained or sensitive ones, until
// nothing changes.
func (v *Validator) spread() {
	for changed := true; changed; {
		changed = false
		for i := range v.rules {
			r := &v.rules[i]
			for _, ref := range below(&v.service.Shapes[i]) {
				under := &v.rules[ref]
				if under.deep && !r.deep || under.sensitive && !r.sensitive {
					r.deep, r.sensitive = r.deep || under.deep, r.sensitive || under.sensitive
					changed = true
				}
			}
		}
	}
}

// below returns the shapes that s refers to.
func below(s *schema.Shape) (refs []schema.Ref) {
	switch s.Kind {
	case schema.Structure, schema.Union:
		for i := range s.Members {
			refs = append(refs, s.Members[i].Shape)
		}
	case schema.List:
		refs = []schema.Ref{s.Element}
	case schema.Map:
		refs = []schema.Ref{s.Key, s.Value}
	}
	return refs
}

// lowerFirst turns InstanceArn into instanceArn.
func lowerFirst(name string) string {
	if name != "" && name[0] >= 'A' && name[0] <= 'Z' {
		return string(name[0]+'a'-'A') + name[1:]
	}
	return name
}

// Check returns what in, a pointer to op's generated input, breaks; nil when
// it is valid. Members are checked in the model's order; after MaxViolations
// the check ends.
func (v *Validator) Check(op *schema.Operation, in any) []Violation {
	if op.Input == schema.NoShape || !v.rules[op.Input].deep {
		return nil
	}
	c := check{Validator: v}
	c.members(op.Input, reflect.ValueOf(in).Elem())
	return c.found
}

// check is the check of one input.
type check struct {
	*Validator
	path  path
	found []Violation
}

func (c *check) full() bool { return len(c.found) >= MaxViolations }

// members checks the members of the structure v.
func (c *check) members(ref schema.Ref, v reflect.Value) {
	s, r := c.service.Shape(ref), &c.rules[ref]
	for i := range s.Members {
		if c.full() {
			return
		}
		m, field := &s.Members[i], v.Field(i)
		switch {
		case field.IsNil() || c.isNullDocument(m.Shape, field):
			if m.Required {
				c.path.push(r.names[i])
				c.add(c.service.Shape(m.Shape), Required, "Member must not be null", null, m.Sensitive)
				c.path.pop(1)
			}
		case c.rules[m.Shape].deep:
			c.path.push(r.names[i])
			c.value(m.Shape, field, m.Sensitive)
			c.path.pop(1)
		}
	}
}

// isNullDocument reports whether a document was given as JSON's null.
func (c *check) isNullDocument(ref schema.Ref, v reflect.Value) bool {
	if c.service.Shape(ref).Kind != schema.Document {
		return false
	}
	document, ok := v.Interface().(*schema.JSON)
	return ok && document.Value == nil
}

// null stands for a missing value.
var null = reflect.Value{}

// value checks the value v of shape ref, which is not null.
func (c *check) value(ref schema.Ref, v reflect.Value, sensitive bool) {
	s, r := c.service.Shape(ref), &c.rules[ref]
	sensitive = sensitive || r.sensitive
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case schema.Structure, schema.Union:
		c.members(ref, v)
	case schema.List:
		c.size(s, v, sensitive)
		c.elements(s, v, sensitive)
	case schema.Map:
		c.size(s, v, sensitive)
		c.entries(s, v, sensitive)
	default:
		for _, kind := range c.broken(ref, v) {
			c.add(s, kind, constraintText(s, kind), v, sensitive)
		}
	}
}

// size checks the number of elements of a list or map.
func (c *check) size(s *schema.Shape, v reflect.Value, sensitive bool) {
	n := int64(v.Len())
	if s.HasMin && n < s.Min {
		c.add(s, MinLength, constraintText(s, MinLength), v, sensitive)
	}
	if s.HasMax && n > s.Max {
		c.add(s, MaxLength, constraintText(s, MaxLength), v, sensitive)
	}
}

// elements checks a list. Structures are checked one by one; for strings and
// numbers, AWS says once that the list has a wrong one.
func (c *check) elements(s *schema.Shape, v reflect.Value, sensitive bool) {
	element := &c.rules[s.Element]
	if !element.deep {
		return
	}
	if composite(c.service.Shape(s.Element)) {
		for i := range v.Len() {
			if c.full() {
				return
			}
			c.path.push(strconv.Itoa(i+1), "member")
			c.value(s.Element, v.Index(i), sensitive)
			c.path.pop(2)
		}
		return
	}
	for i := range v.Len() {
		if len(c.broken(s.Element, v.Index(i))) > 0 {
			c.add(s, Elements, "Member must satisfy constraint: "+c.allTexts(s.Element), v, sensitive)
			return
		}
	}
}

// entries checks a map, like a list.
func (c *check) entries(s *schema.Shape, v reflect.Value, sensitive bool) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		if c.rules[s.Key].deep && len(c.broken(s.Key, key)) > 0 {
			c.add(s, Keys, "Map keys must satisfy constraint: "+c.allTexts(s.Key), v, sensitive)
			break
		}
	}
	if !c.rules[s.Value].deep {
		return
	}
	nested := composite(c.service.Shape(s.Value))
	for _, key := range keys {
		switch {
		case c.full():
			return
		case nested:
			c.path.push(cut(key.String(), maxKey), "member")
			c.value(s.Value, v.MapIndex(key), sensitive)
			c.path.pop(2)
		case len(c.broken(s.Value, v.MapIndex(key))) > 0:
			c.add(s, Values, "Map value must satisfy constraint: "+c.allTexts(s.Value), v, sensitive)
			return
		}
	}
}

func composite(s *schema.Shape) bool {
	switch s.Kind {
	case schema.Structure, schema.Union, schema.List, schema.Map:
		return true
	}
	return false
}

// broken returns the constraints that the string or number v breaks, in the
// order in which AWS tells them.
func (c *check) broken(ref schema.Ref, v reflect.Value) (kinds []Constraint) {
	s, r := c.service.Shape(ref), &c.rules[ref]
	low, high, size := MinLength, MaxLength, int64(0)
	switch s.Kind {
	case schema.String:
		text := v.String()
		if r.match != nil && !r.match.match(text) {
			kinds = append(kinds, Pattern)
		}
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			kinds = append(kinds, Enum)
		}
		size = int64(utf8.RuneCountInString(text))
	case schema.Blob:
		size = int64(v.Len())
	case schema.Integer, schema.Long:
		low, high, size = MinValue, MaxValue, v.Int()
	default:
		return nil
	}
	if s.HasMin && size < s.Min {
		kinds = append(kinds, low)
	}
	if s.HasMax && size > s.Max {
		kinds = append(kinds, high)
	}
	return kinds
}

func (c *check) add(s *schema.Shape, kind Constraint, text string, v reflect.Value, sensitive bool) {
	if c.full() {
		return
	}
	f := Violation{
		Path: c.path.String(), Constraint: kind, Shape: s.Name, Text: text,
		HasValue: v.IsValid(), Sensitive: sensitive || s.Sensitive,
	}
	if f.HasValue && !f.Sensitive {
		f.Value = c.print(s, v)
	}
	c.found = append(c.found, f)
}
