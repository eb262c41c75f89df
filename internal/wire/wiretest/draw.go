package wiretest

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// Draw returns a random value of shape ref as a pointer to a struct of type
// typ, without regard to constraints but with its required members. Members
// bound to headers and URIs, and strings of an XML protocol, hold text that
// fits there. Lists and maps hold at most three elements, nesting ends after
// five levels.
func Draw(t *rapid.T, s *schema.Service, ref schema.Ref, typ reflect.Type) any {
	rapid.Bool().Draw(t, "nothing") // a generator has to draw something
	v := reflect.New(typ)
	if ref != schema.NoShape {
		drawMembers(t, s, s.Shape(ref), v.Elem(), 0)
	}
	return v.Interface()
}

func drawMembers(t *rapid.T, s *schema.Service, shape *schema.Shape, v reflect.Value, depth int) {
	only := -1
	if shape.Kind == schema.Union {
		only = rapid.IntRange(0, len(shape.Members)-1).Draw(t, shape.Name)
	}
	for i := range shape.Members {
		m := &shape.Members[i]
		switch {
		case only >= 0 && i != only:
		case m.Location == schema.InURI:
			text := rapid.StringMatching(`[a-z/ é%?#]{1,8}`).Draw(t, m.Name)
			v.Field(i).Set(reflect.ValueOf(&text))
		case m.Location == schema.InHeader && s.Shape(m.Shape).Kind == schema.String:
			text := rapid.StringMatching(`[a-z]([ -~]*[a-z])?`).Draw(t, m.Name)
			v.Field(i).Set(reflect.ValueOf(&text))
		case m.Location == schema.InHeader && s.Shape(m.Shape).Kind == schema.List:
			v.Field(i).Set(reflect.ValueOf(rapid.SliceOfN(rapid.StringMatching(`[a-z]+`), 1, 3).Draw(t, m.Name)))
		case m.Location == schema.InHeader && s.Shape(m.Shape).Kind == schema.Timestamp:
			v.Field(i).Set(reflect.ValueOf(new(drawTime(t).Truncate(time.Second))))
		case m.Location == schema.InQuery && s.Shape(m.Shape).Kind == schema.List:
			v.Field(i).Set(reflect.ValueOf(rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, m.Name)))
		case only == i || only < 0 && (m.Required || m.Idempotency) || depth < 5 && rapid.Bool().Draw(t, m.Name+" set"):
			drawValue(t, s, m.Shape, v.Field(i), depth+1)
		}
	}
}

func drawValue(t *rapid.T, s *schema.Service, ref schema.Ref, v reflect.Value, depth int) {
	shape := s.Shape(ref)
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch shape.Kind {
	case schema.Structure, schema.Union:
		drawMembers(t, s, shape, v, depth)
		if s.Protocol == schema.AWSQuery && v.IsZero() { // a form cannot tell it from an absent one
			drawValue(t, s, shape.Members[0].Shape, v.Field(0), depth+1)
		}
	case schema.List:
		n := rapid.IntRange(0, 3).Draw(t, "length")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			drawValue(t, s, shape.Element, v.Index(i), depth+1)
		}
	case schema.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 3).Draw(t, "size") {
			element := reflect.New(v.Type().Elem()).Elem()
			drawValue(t, s, shape.Value, element, depth+1)
			v.SetMapIndex(reflect.ValueOf(rapid.String().Draw(t, "key")), element)
		}
	case schema.String:
		text := rapid.String()
		if len(shape.Enum) > 0 {
			text = rapid.SampledFrom(shape.Enum)
		} else if s.Protocol == schema.AWSQuery {
			text = rapid.StringMatching(`[\t\n\r -~\x{85}\x{a0}-\x{d7ff}\x{2028}\x{1f600}-\x{1f64f}]*`)
		}
		v.SetString(text.Draw(t, "string"))
	case schema.Integer:
		v.SetInt(int64(rapid.Int32().Draw(t, "integer")))
	case schema.Long:
		v.SetInt(rapid.Int64().Draw(t, "long"))
	case schema.Double:
		v.SetFloat(rapid.Float64().Draw(t, "double"))
	case schema.Boolean:
		v.SetBool(rapid.Bool().Draw(t, "boolean"))
	case schema.Timestamp:
		v.Set(reflect.ValueOf(drawTime(t)))
	case schema.Blob:
		v.SetBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "blob"))
	case schema.Document:
		value := drawDocument(t, depth)
		if value == nil { // SDKs cannot tell it from an absent one
			value = false
		}
		v.Set(reflect.ValueOf(schema.JSON{Value: value}))
	}
}

// drawTime keeps to the years that an SDK's nanoseconds reach.
func drawTime(t *rapid.T) time.Time {
	return time.UnixMilli(rapid.Int64Range(-9e12, 9e12).Draw(t, "ms")).UTC()
}

func drawDocument(t *rapid.T, depth int) any {
	kinds := 6
	if depth > 5 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "document") {
	case 0:
		return rapid.String().Draw(t, "string")
	case 1:
		return json.Number(strconv.FormatInt(rapid.Int64().Draw(t, "number"), 10))
	case 2:
		return rapid.Bool().Draw(t, "boolean")
	case 3:
		return nil
	case 4:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawDocument(t, depth+1))
		}
		return list
	default:
		object := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "size") {
			// SDKs refuse an empty key.
			object[rapid.StringN(1, -1, -1).Draw(t, "key")] = drawDocument(t, depth+1)
		}
		return object
	}
}
