package store

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/directory"
)

// readAttributes is json.Unmarshal for the attributes of users as they are
// stored, of which a page has many. Nearly all of them are plain: written by
// json.Marshal from the type that is read, without an escape in any string.
// Those are read in a tenth of the time; everything else is left to
// json.Unmarshal.
func readAttributes(text string, a *directory.Attributes) error {
	r := plainReader{text: text}
	if r.value(reflect.ValueOf(a).Elem(), attributeFields) && r.pos == len(text) {
		return nil
	}
	*a = directory.Attributes{}
	return json.Unmarshal([]byte(text), a)
}

// plainFields are the fields of a structure by the names in its JSON, in
// order; of a list those of its elements. Nil for anything else.
type plainFields []struct {
	name   string
	fields plainFields
}

var attributeFields = fieldsOf(reflect.TypeFor[directory.Attributes]())

func fieldsOf(t reflect.Type) plainFields {
	if t.Kind() == reflect.Slice {
		return fieldsOf(t.Elem())
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	fields := make(plainFields, t.NumField())
	for i := range fields {
		f := t.Field(i)
		fields[i].name, _, _ = strings.Cut(f.Tag.Get("json"), ",")
		fields[i].fields = fieldsOf(f.Type)
	}
	return fields
}

// plainReader reads plain JSON. Its methods report whether text is what they
// read; where it is not, pos is anywhere.
type plainReader struct {
	text string
	pos  int
}

// accept reads the byte c.
func (r *plainReader) accept(c byte) bool {
	if r.pos < len(r.text) && r.text[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

// value reads a string, a boolean, a structure or a list of structures. A
// string shares the memory of text.
func (r *plainReader) value(v reflect.Value, fields plainFields) bool {
	switch v.Kind() { //nolint:exhaustive // nothing else is plain
	case reflect.String:
		s, ok := r.str()
		v.SetString(s)
		return ok
	case reflect.Struct:
		return r.structure(v, fields)
	case reflect.Slice:
		return r.list(v, fields)
	case reflect.Pointer:
		if yes, ok := v.Interface().(*bool); ok && yes == nil {
			return r.boolean(v)
		}
	}
	return false
}

func (r *plainReader) str() (string, bool) {
	if !r.accept('"') {
		return "", false
	}
	end := strings.IndexByte(r.text[r.pos:], '"')
	if end < 0 {
		return "", false
	}
	s := r.text[r.pos : r.pos+end]
	r.pos += end + 1
	return s, strings.IndexByte(s, '\\') < 0
}

func (r *plainReader) boolean(v reflect.Value) bool {
	yes := strings.HasPrefix(r.text[r.pos:], "true")
	if !yes && !strings.HasPrefix(r.text[r.pos:], "false") {
		return false
	}
	r.pos += len(strconv.FormatBool(yes))
	v.Set(reflect.ValueOf(&yes))
	return true
}

// structure reads an object with some of the fields, in their order.
func (r *plainReader) structure(v reflect.Value, fields plainFields) bool {
	if !r.accept('{') {
		return false
	}
	if r.accept('}') {
		return true
	}
	for i := 0; ; i++ {
		name, ok := r.str()
		for i < len(fields) && fields[i].name != name {
			i++
		}
		if !ok || i == len(fields) || !r.accept(':') || !r.value(v.Field(i), fields[i].fields) {
			return false
		}
		if r.accept('}') {
			return true
		}
		if !r.accept(',') {
			return false
		}
	}
}

func (r *plainReader) list(v reflect.Value, fields plainFields) bool {
	if !r.accept('[') {
		return false
	}
	for n := 0; ; n++ {
		v.Grow(1)
		v.SetLen(n + 1)
		if !r.value(v.Index(n), fields) {
			return false
		}
		if r.accept(']') {
			return true
		}
		if !r.accept(',') {
			return false
		}
	}
}
