package awsquery

import (
	"cmp"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// node is the part of a form under one name: the value given to the name
// itself and the parts under it.
type node struct {
	value string
	set   bool
	under map[string]*node
}

// Decode returns the input of op that r carries, a pointer to its generated
// struct; nil when op takes none. Parameters come from a POST's body or, when
// it is empty, from the query. A form that does not have the model's form
// gives a *codec.Malformed.
func (c *Codec) Decode(op *schema.Operation, r codec.Request) (any, error) {
	if op.NewInput == nil {
		return nil, nil
	}
	in := op.NewInput()
	if op.Input == schema.NoShape {
		return in, nil
	}
	text := r.RawQuery
	if len(r.Body) > 0 {
		text = string(r.Body)
	}
	form, err := parse(text)
	if err != nil {
		return nil, err
	}
	return in, c.members(c.service.Shape(op.Input), form, reflect.ValueOf(in).Elem())
}

func malformed(message string) error {
	return &codec.Malformed{Code: "MalformedInput", Message: message}
}

// parse reads a form into a tree. Of parameters given twice the first counts.
func parse(text string) (*node, error) {
	if len(text) > codec.MaxBody {
		return nil, malformed("The request is too large.")
	}
	root := &node{}
	nodes := 0
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err != nil || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, malformed("The request parameters are not well-formed.")
		}
		if nodes += strings.Count(name, ".") + 1; nodes > codec.MaxValues {
			return nil, malformed("The request holds too many parameters.")
		}
		if err := root.put(name, value); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func (n *node) put(name, value string) error {
	depth := 0
	for part := range strings.SplitSeq(name, ".") {
		if depth++; depth > codec.MaxDepth {
			return malformed("The request parameters are nested too deeply.")
		}
		next := n.under[part]
		if next == nil {
			if n.under == nil {
				n.under = make(map[string]*node)
			}
			next = &node{}
			n.under[part] = next
		}
		n = next
	}
	if !n.set {
		n.value, n.set = value, true
	}
	return nil
}

// members reads the members of a structure that stand under n.
func (c *Codec) members(s *schema.Shape, n *node, v reflect.Value) error {
	for i := range s.Members {
		m := &s.Members[i]
		child := n.under[wireName(m)]
		if child == nil {
			continue
		}
		if err := c.value(m.Shape, child, v.Field(i)); err != nil {
			return err
		}
	}
	if s.Kind == schema.Union && set(v) != 1 {
		return malformed("Exactly one member of " + s.Name + " must be set")
	}
	return nil
}

func set(v reflect.Value) (count int) {
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			count++
		}
	}
	return count
}

func (c *Codec) value(ref schema.Ref, n *node, v reflect.Value) error {
	s := c.service.Shape(ref)
	switch s.Kind {
	case schema.Structure, schema.Union:
		if n.under == nil {
			return malformed("Expected null")
		}
		return c.members(s, n, codec.Into(v))
	case schema.List:
		return c.list(s, n, v)
	case schema.Map:
		return c.mapping(s, n, v)
	}
	if n.under != nil {
		return malformed("Start of structure or map found where not expected.")
	}
	if n.value == "" && s.Kind != schema.String && s.Kind != schema.Blob {
		return nil // an empty parameter stands for one left out
	}
	if !codec.SetText(s, codec.DateTime, n.value, v) {
		return malformed(codec.Unconvertible("STRING_VALUE", s.Kind))
	}
	return nil
}

// list reads Name.member.1, Name.member.2 and so on, or Name.1 when flattened;
// an empty Name is an empty list.
func (c *Codec) list(s *schema.Shape, n *node, v reflect.Value) error {
	elements, err := numbered(s, n, elementTag(s))
	if err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
	for i, element := range elements {
		if err := c.value(s.Element, element, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// mapping reads Name.entry.1.key and Name.entry.1.value and so on.
func (c *Codec) mapping(s *schema.Shape, n *node, v reflect.Value) error {
	entries, err := numbered(s, n, "entry")
	if err != nil {
		return err
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, entry := range entries {
		key, value := entry.under["key"], entry.under["value"]
		if key == nil || value == nil || !key.set {
			return malformed("An entry of a map needs a key and a value.")
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := c.value(s.Value, value, element); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key.value).Convert(v.Type().Key()), element)
	}
	return nil
}

// numbered returns what stands under the numbers of a list or map, in their
// order. Numbers start at 1 and may leave gaps.
func numbered(s *schema.Shape, n *node, tag string) ([]*node, error) {
	if n.under == nil {
		if n.value != "" {
			return nil, malformed("Expected list or null")
		}
		return nil, nil
	}
	if !s.Flattened {
		if n = n.under[tag]; n == nil {
			return nil, malformed("Start of structure or map found where not expected.")
		}
	}
	type numberedNode struct {
		number int
		*node
	}
	var found []numberedNode
	for text, child := range n.under {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || text[0] == '+' || text[0] == '0' {
			return nil, malformed("The number of a list element is not valid.")
		}
		found = append(found, numberedNode{number, child})
	}
	slices.SortFunc(found, func(a, b numberedNode) int { return cmp.Compare(a.number, b.number) })
	elements := make([]*node, len(found))
	for i := range found {
		elements[i] = found[i].node
	}
	return elements, nil
}
