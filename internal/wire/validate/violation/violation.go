// Package violation derives, from a service's model alone, every way to break
// one constraint of an operation's input. It is for tests: of the validator,
// and of the whole program from outside.
package violation

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/validate"
)

// Case is an input that is valid but for one constraint.
type Case struct {
	Operation *schema.Operation
	// Path is where the constraint is broken, as AWS names it, and Constraint
	// which kind it is, as the validator tells it.
	Path       string
	Constraint validate.Constraint
	// Broken is the constraint itself: for the strings in a list it is, say,
	// MaxLength where Constraint is Elements.
	Broken validate.Constraint
	Shape  string // of the value
	// Exact says that no other constraint is broken. Some cannot be broken
	// alone: an empty string is too short and matches no pattern either.
	Exact bool
	// Input is a pointer to the operation's generated input.
	Input any
}

// Name tells the case in one line.
func (c Case) Name() string {
	return fmt.Sprintf("%s %s %s", c.Operation.Name, c.Path, c.Broken)
}

// Derive returns the cases of all operations of s, in the model's order, and
// the constraints that nothing can break (a pattern that any text matches).
func Derive(s *schema.Service) (cases []Case, unbreakable []string, err error) {
	d := &deriver{service: s, samples: make(map[schema.Ref]*sample)}
	for i := range s.Operations {
		d.op = &s.Operations[i]
		if d.op.Input == schema.NoShape {
			continue
		}
		if _, err := Valid(s, d.op); err != nil {
			return nil, nil, err
		}
		if err := d.structure(d.op.Input, nil, "", nil); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", d.op.Name, err)
		}
	}
	return d.cases, d.unbreakable, nil
}

// Valid returns a minimal valid input of op, a pointer to its generated
// struct: required members, and those that they need.
func Valid(s *schema.Service, op *schema.Operation) (any, error) {
	in := op.NewInput()
	if op.Input == schema.NoShape {
		return in, nil
	}
	d := &deriver{service: s, samples: make(map[schema.Ref]*sample)}
	if err := d.fill(op.Input, reflect.ValueOf(in).Elem(), 0); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	return in, nil
}

type deriver struct {
	service     *schema.Service
	samples     map[schema.Ref]*sample
	op          *schema.Operation
	cases       []Case
	unbreakable []string
}

// step is one step into a value: to a member, or to the first element of a
// list or map.
type step struct {
	ref    schema.Ref // of the value that the step leaves
	member int
}

// structure derives the cases of the members of ref, which stands at path.
// open holds the structures on the way, so that recursion ends.
func (d *deriver) structure(ref schema.Ref, steps []step, path string, open []schema.Ref) error {
	for _, r := range open {
		if r == ref {
			return nil
		}
	}
	open = append(open[:len(open):len(open)], ref)
	s := d.service.Shape(ref)
	for i := range s.Members {
		m := &s.Members[i]
		at := strings.TrimPrefix(path+"."+lowerFirst(m.Name), ".")
		to := append(steps[:len(steps):len(steps)], step{ref, i})
		if m.Required {
			err := d.add(at, validate.Required, validate.Required, m.Shape, true, to, func(v reflect.Value) error {
				v.SetZero()
				return nil
			})
			if err != nil {
				return err
			}
		}
		if err := d.value(m.Shape, to, at, open); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

// value derives the cases of a value of shape ref.
func (d *deriver) value(ref schema.Ref, steps []step, path string, open []schema.Ref) error {
	s := d.service.Shape(ref)
	switch s.Kind {
	case schema.Structure, schema.Union:
		return d.structure(ref, steps, path, open)
	case schema.List:
		return d.collection(ref, s.Element, steps, path, path+".1.member", validate.Elements, open)
	case schema.Map:
		if err := d.keys(ref, steps, path); err != nil {
			return err
		}
		key, err := d.string(s.Key, 0)
		if err != nil {
			return err
		}
		return d.collection(ref, s.Value, steps, path, path+"."+key+".member", validate.Values, open)
	default:
		return d.scalar(ref, steps, path, 0)
	}
}

// collection derives the cases of a list's or map's size and of its elements.
func (d *deriver) collection(ref, element schema.Ref, steps []step, path, under string, as validate.Constraint, open []schema.Ref) error {
	s := d.service.Shape(ref)
	resize := func(kind validate.Constraint, n int64) error {
		return d.add(path, kind, kind, ref, true, steps, func(v reflect.Value) error { return d.fillCollection(s, v, int(n), 0) })
	}
	if s.HasMin && s.Min > 0 {
		if err := resize(validate.MinLength, s.Min-1); err != nil {
			return err
		}
	}
	if s.HasMax {
		if err := resize(validate.MaxLength, s.Max+1); err != nil {
			return err
		}
	}
	to := append(steps[:len(steps):len(steps)], step{ref, 0})
	switch d.service.Shape(element).Kind {
	case schema.Structure, schema.Union, schema.List, schema.Map:
		return d.value(element, to, under, open)
	default:
		return d.scalar(element, to, path, as)
	}
}

// keys derives the cases of a map's keys.
func (d *deriver) keys(ref schema.Ref, steps []step, path string) error {
	s := d.service.Shape(ref)
	broken, err := d.breakString(s.Key)
	if err != nil {
		return err
	}
	for _, b := range broken {
		err := d.add(path, validate.Keys, b.kind, s.Key, b.exact, steps, func(v reflect.Value) error {
			v.Set(reflect.MakeMap(v.Type()))
			element := reflect.New(v.Type().Elem()).Elem()
			if err := d.fill(s.Value, element, 0); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(b.text), element)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scalar derives the cases of a string or number; as is how the validator
// tells them when it is an element, 0 otherwise.
func (d *deriver) scalar(ref schema.Ref, steps []step, path string, as validate.Constraint) error {
	told := func(kind validate.Constraint) validate.Constraint {
		if as != 0 {
			return as
		}
		return kind
	}
	s := d.service.Shape(ref)
	switch s.Kind {
	case schema.String:
		broken, err := d.breakString(ref)
		if err != nil {
			return err
		}
		if s.Pattern != "" && !hasKind(broken, validate.Pattern) {
			d.unbreakable = append(d.unbreakable, d.op.Name+" "+path+" "+s.Name)
		}
		for _, b := range broken {
			// One broken element is one violation, however it is broken.
			err := d.add(path, told(b.kind), b.kind, ref, b.exact || as != 0, steps, func(v reflect.Value) error {
				deref(v).SetString(b.text)
				return nil
			})
			if err != nil {
				return err
			}
		}
	case schema.Integer, schema.Long:
		set := func(kind validate.Constraint, n int64) error {
			return d.add(path, told(kind), kind, ref, true, steps, func(v reflect.Value) error {
				deref(v).SetInt(n)
				return nil
			})
		}
		if s.HasMin && s.Min > math.MinInt32 {
			if err := set(validate.MinValue, s.Min-1); err != nil {
				return err
			}
		}
		if s.HasMax && s.Max < math.MaxInt32 {
			return set(validate.MaxValue, s.Max+1)
		}
	}
	return nil
}

// brokenString is a string that breaks one constraint.
type brokenString struct {
	kind  validate.Constraint
	text  string
	exact bool
}

func hasKind(broken []brokenString, kind validate.Constraint) bool {
	for _, b := range broken {
		if b.kind == kind {
			return true
		}
	}
	return false
}

// breakString returns a string for each constraint of ref that one can break.
func (d *deriver) breakString(ref schema.Ref) (broken []brokenString, err error) {
	s := d.service.Shape(ref)
	if len(s.Enum) > 0 {
		broken = append(broken, brokenString{validate.Enum, "NOT_A_VALUE", s.Pattern == "" && !s.HasMin && !s.HasMax})
	}
	sample, err := d.sample(ref)
	if err != nil {
		return nil, err
	}
	ofLength := func(kind validate.Constraint, n int64) {
		text, matches := sample.text(int(n), int(n), 0)
		if !matches {
			text = strings.Repeat("x", int(n))
		}
		exact := (s.Pattern == "" || sample.match.MatchString(text)) && len(s.Enum) == 0
		broken = append(broken, brokenString{kind, text, exact})
	}
	if s.HasMin && s.Min > 0 {
		ofLength(validate.MinLength, s.Min-1)
	}
	if s.HasMax {
		ofLength(validate.MaxLength, s.Max+1)
	}
	if s.Pattern != "" {
		valid, err := d.string(ref, 0)
		if err != nil {
			return nil, err
		}
		low, high := bounds(s)
		if text, ok := sample.other(valid, low, high); ok {
			broken = append(broken, brokenString{validate.Pattern, text, len(s.Enum) == 0})
		}
	}
	return broken, nil
}

// add makes the case that changing the value at the end of steps gives.
func (d *deriver) add(path string, told, broken validate.Constraint, ref schema.Ref, exact bool, steps []step, change func(reflect.Value) error) error {
	in, err := Valid(d.service, d.op)
	if err != nil {
		return err
	}
	if err := d.reach(reflect.ValueOf(in).Elem(), steps, change); err != nil {
		return err
	}
	d.cases = append(d.cases, Case{
		Operation: d.op, Path: path, Constraint: told, Broken: broken,
		Shape: d.service.Shape(ref).Name, Exact: exact, Input: in,
	})
	return nil
}

// reach goes from v along steps, making valid what is missing, and changes
// what it comes to.
func (d *deriver) reach(v reflect.Value, steps []step, change func(reflect.Value) error) error {
	if len(steps) == 0 {
		return change(v)
	}
	here, rest := steps[0], steps[1:]
	s, v := d.service.Shape(here.ref), deref(v)
	switch s.Kind {
	case schema.List:
		if v.Len() == 0 {
			if err := d.fillCollection(s, v, max(1, int(s.Min)), 0); err != nil {
				return err
			}
		}
		return d.reach(v.Index(0), rest, change)
	case schema.Map:
		key, err := d.string(s.Key, 0)
		if err != nil {
			return err
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := d.fill(s.Value, element, 0); err != nil {
			return err
		}
		if err := d.reach(element, rest, change); err != nil {
			return err
		}
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(key), element)
		return nil
	}
	field := v.Field(here.member)
	if field.IsNil() {
		if s.Kind == schema.Union {
			v.SetZero()
		}
		if err := d.fill(s.Members[here.member].Shape, field, 0); err != nil {
			return err
		}
	}
	return d.reach(field, rest, change)
}

// deref returns what v points to, or v.
func deref(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer {
		return v.Elem()
	}
	return v
}

// fill makes v a minimal valid value of shape ref.
func (d *deriver) fill(ref schema.Ref, v reflect.Value, variant int) error {
	s := d.service.Shape(ref)
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch s.Kind {
	case schema.Structure:
		for i := range s.Members {
			if s.Members[i].Required {
				if err := d.fill(s.Members[i].Shape, v.Field(i), variant); err != nil {
					return err
				}
			}
		}
	case schema.Union:
		return d.fill(s.Members[0].Shape, v.Field(0), variant)
	case schema.List, schema.Map:
		n := 0
		if s.HasMin {
			n = int(s.Min)
		}
		return d.fillCollection(s, v, n, variant)
	case schema.String:
		text, err := d.string(ref, variant)
		v.SetString(text)
		return err
	case schema.Integer, schema.Long:
		n := int64(1)
		if s.HasMin {
			n = max(n, s.Min)
		}
		v.SetInt(n)
	case schema.Double:
		v.SetFloat(1)
	case schema.Boolean:
		v.SetBool(true)
	case schema.Timestamp:
		v.Set(reflect.ValueOf(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)))
	case schema.Blob:
		v.SetBytes([]byte{})
	case schema.Document:
		v.Set(reflect.ValueOf(schema.JSON{Value: map[string]any{}}))
	}
	return nil
}

// fillCollection makes v a list or map of n valid elements.
func (d *deriver) fillCollection(s *schema.Shape, v reflect.Value, n, variant int) error {
	if s.Kind == schema.List {
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			if err := d.fill(s.Element, v.Index(i), variant+i); err != nil {
				return err
			}
		}
		return nil
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; v.Len() < n; i++ {
		if i > 100*n {
			return fmt.Errorf("no %d different keys of %s", n, s.Name)
		}
		key, err := d.string(s.Key, variant+i)
		if err != nil {
			return err
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := d.fill(s.Value, element, variant+i); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key), element)
	}
	return nil
}

// string returns a valid string of shape ref.
func (d *deriver) string(ref schema.Ref, variant int) (string, error) {
	s := d.service.Shape(ref)
	if len(s.Enum) > 0 {
		return s.Enum[variant%len(s.Enum)], nil
	}
	sample, err := d.sample(ref)
	if err != nil {
		return "", err
	}
	low, high := bounds(s)
	if text, ok := sample.text(max(low, min(4, high)), high, variant); ok {
		return text, nil
	}
	if text, ok := sample.text(low, high, variant); ok {
		return text, nil
	}
	return "", fmt.Errorf("no string of %d to %s characters found that matches %s of %s", low, strconv.Itoa(high), s.Pattern, s.Name)
}

func (d *deriver) sample(ref schema.Ref) (*sample, error) {
	if s, ok := d.samples[ref]; ok {
		return s, nil
	}
	s, err := newSample(d.service.Shape(ref).Pattern)
	d.samples[ref] = s
	return s, err
}

// bounds returns the least and most code points of a string.
func bounds(s *schema.Shape) (low, high int) {
	high = math.MaxInt32
	if s.HasMin {
		low = int(s.Min)
	}
	if s.HasMax {
		high = int(s.Max)
	}
	return low, high
}

func lowerFirst(name string) string {
	return strings.ToLower(name[:1]) + name[1:]
}
