package awsjson

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// The refusals of AWS's JSON front end, in its words.
const (
	unexpectedList   = "Start of list found where not expected"
	unexpectedObject = "Start of structure or map found where not expected."
	expectedList     = "Expected list or null"
	expectedMap      = "Expected map or null"
	expectedNull     = "Expected null" // a scalar where a structure belongs
)

// decoder reads one request body into a generated struct.
type decoder struct {
	scanner
	codec  *Codec
	values int
}

// count refuses a request of too many values.
func (d *decoder) count() error {
	if d.values++; d.values > codec.MaxValues {
		return codec.Serialization("The request body holds too many values.")
	}
	return nil
}

// null consumes a null if one is next.
func (d *decoder) null() (bool, error) {
	if d.peek() != 'n' {
		return false, nil
	}
	return true, d.literal("null")
}

// value reads one value of shape ref into v. Null leaves v zero: it stands for
// an absent member.
func (d *decoder) value(ref schema.Ref, v reflect.Value) error {
	if err := d.count(); err != nil {
		return err
	}
	s := d.codec.service.Shape(ref)
	if s.Kind == schema.Document {
		return d.documentInto(v)
	}
	if null, err := d.null(); null || err != nil {
		v.SetZero()
		return err
	}
	switch s.Kind {
	case schema.Structure, schema.Union:
		return d.structure(ref, codec.Into(v))
	case schema.List:
		return d.list(s, v)
	case schema.Map:
		return d.mapping(s, v)
	default:
		return d.scalar(s.Kind, v)
	}
}

// structure reads an object into the struct v. Of members given twice the last
// one counts; unknown members are passed over.
func (d *decoder) structure(ref schema.Ref, v reflect.Value) error {
	if err := d.open('{', expectedNull); err != nil {
		return err
	}
	plan := &d.codec.plans[ref]
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		key, err := d.key()
		if err != nil {
			return err
		}
		if i, known := plan.index[string(key)]; known {
			err = d.value(plan.members[i].shape, v.Field(i))
		} else {
			err = d.skip()
		}
		if err != nil {
			return err
		}
	}
	if plan.union && set(v) != 1 {
		return codec.Serialization("Exactly one member of " + plan.name + " must be set")
	}
	return nil
}

// set counts the members of a union that are set.
func set(v reflect.Value) (n int) {
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			n++
		}
	}
	return n
}

// open consumes the start of a container, or refuses what is there instead.
func (d *decoder) open(start byte, scalar string) error {
	switch c := d.peek(); {
	case c == start:
		return d.enter()
	case c == '[':
		return codec.Serialization(unexpectedList)
	case c == '{':
		return codec.Serialization(unexpectedObject)
	}
	if err := d.skip(); err != nil {
		return err
	}
	return codec.Serialization(scalar)
}

// list reads a list. Null elements are dropped, as AWS does.
func (d *decoder) list(s *schema.Shape, v reflect.Value) error {
	if err := d.open('[', expectedList); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for first := true; ; first = false {
		more, err := d.more(']', first)
		if err != nil || !more {
			return err
		}
		if null, err := d.null(); err != nil {
			return err
		} else if null {
			continue
		}
		n := v.Len()
		if n == v.Cap() {
			v.Grow(n + 1)
		}
		v.SetLen(n + 1)
		if err := d.value(s.Element, v.Index(n)); err != nil {
			return err
		}
	}
}

// mapping reads a map. Entries whose value is null are dropped; of entries
// with the same key the last one counts.
func (d *decoder) mapping(s *schema.Shape, v reflect.Value) error {
	if err := d.open('{', expectedMap); err != nil {
		return err
	}
	v.Set(reflect.MakeMap(v.Type()))
	document := d.codec.service.Shape(s.Value).Kind == schema.Document
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if err != nil || !more {
			return err
		}
		key, err := d.key()
		if err != nil {
			return err
		}
		name := reflect.ValueOf(string(key))
		if !document {
			if null, err := d.null(); err != nil {
				return err
			} else if null {
				v.SetMapIndex(name, reflect.Value{})
				continue
			}
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(s.Value, element); err != nil {
			return err
		}
		v.SetMapIndex(name, element)
	}
}

// scalar reads a string, number, boolean, timestamp or blob.
func (d *decoder) scalar(kind schema.Kind, v reflect.Value) error {
	c := d.peek()
	switch {
	case c == '[':
		return codec.Serialization(unexpectedList)
	case c == '{':
		return codec.Serialization(unexpectedObject)
	case c == '"':
		text, err := d.str()
		if err != nil {
			return err
		}
		return fromString(kind, string(text), v)
	case c == 't' || c == 'f':
		found := map[bool]string{true: "TRUE_VALUE", false: "FALSE_VALUE"}[c == 't']
		if err := d.skip(); err != nil {
			return err
		}
		if kind != schema.Boolean {
			return unconvertible(found, kind)
		}
		codec.Into(v).SetBool(c == 't')
		return nil
	default:
		text, err := d.number()
		if err != nil {
			return err
		}
		return fromNumber(kind, string(text), v)
	}
}

// fromString stores a JSON string. AWS takes the usual words for a boolean.
func fromString(kind schema.Kind, text string, v reflect.Value) error {
	switch kind {
	case schema.String:
		if p, ok := v.Addr().Interface().(**string); ok {
			*p = &text
			return nil
		}
		codec.Into(v).SetString(text)
		return nil
	case schema.Blob:
		data, err := base64.StdEncoding.Strict().DecodeString(text)
		if err == nil {
			v.SetBytes(data)
			return nil
		}
	case schema.Double:
		if text == "NaN" || text == "Infinity" || text == "-Infinity" {
			f, _ := strconv.ParseFloat(text, 64)
			codec.Into(v).SetFloat(f)
			return nil
		}
	case schema.Boolean:
		switch strings.ToLower(text) {
		case "true", "yes", "y", "t", "1":
			codec.Into(v).SetBool(true)
			return nil
		case "false", "no", "n", "f", "0":
			codec.Into(v).SetBool(false)
			return nil
		}
	}
	return unconvertible("STRING_VALUE", kind)
}

// fromNumber stores a JSON number. As AWS does, it drops the fraction of a
// number given for an integer.
func fromNumber(kind schema.Kind, text string, v reflect.Value) error {
	switch kind {
	case schema.Integer, schema.Long:
		if n, ok := integer(text); ok && (kind == schema.Long || n == int64(int32(n))) {
			codec.Into(v).SetInt(n)
			return nil
		}
	case schema.Double:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			codec.Into(v).SetFloat(f)
			return nil
		}
	case schema.Timestamp:
		if t, ok := codec.Epoch(text); ok {
			codec.Into(v).Set(reflect.ValueOf(t))
			return nil
		}
	}
	return unconvertible("NUMBER_VALUE", kind)
}

func integer(text string) (int64, bool) {
	if strings.ContainsAny(text, "eE") {
		f, err := strconv.ParseFloat(text, 64)
		return int64(f), err == nil && math.Abs(f) < 1<<63
	}
	whole, _, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	return n, err == nil
}

// unconvertible refuses a JSON value of the wrong type.
func unconvertible(found string, kind schema.Kind) error {
	return codec.Serialization(codec.Unconvertible(found, kind))
}

// documentInto reads any JSON value. Null is a value of its own here.
func (d *decoder) documentInto(v reflect.Value) error {
	value, err := d.document()
	if err != nil {
		return err
	}
	codec.Into(v).Set(reflect.ValueOf(schema.JSON{Value: value}))
	return nil
}

func (d *decoder) document() (any, error) {
	switch c := d.peek(); c {
	case '{':
		return d.documentObject()
	case '[':
		return d.documentList()
	case '"':
		text, err := d.str()
		return string(text), err
	case 't':
		return true, d.literal("true")
	case 'f':
		return false, d.literal("false")
	case 'n':
		return nil, d.literal("null")
	default:
		text, err := d.number()
		return json.Number(text), err
	}
}

func (d *decoder) documentObject() (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if err != nil || !more {
			return object, err
		}
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		name := string(key)
		if object[name], err = d.element(); err != nil {
			return nil, err
		}
	}
}

func (d *decoder) documentList() (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	list := []any{}
	for first := true; ; first = false {
		more, err := d.more(']', first)
		if err != nil || !more {
			return list, err
		}
		element, err := d.element()
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
}

// element reads one value inside a document.
func (d *decoder) element() (any, error) {
	if err := d.count(); err != nil {
		return nil, err
	}
	return d.document()
}
