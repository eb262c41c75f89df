package awsjson

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// appendValue writes the value v of shape ref. v is not nil.
func (c *Codec) appendValue(dst []byte, ref schema.Ref, v reflect.Value) []byte {
	s := c.service.Shape(ref)
	if s.Kind == schema.Timestamp && v.Kind() == reflect.Pointer {
		return codec.AppendEpoch(dst, *v.Interface().(*time.Time))
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case schema.Structure, schema.Union:
		return c.appendStructure(dst, ref, v)
	case schema.List:
		return c.appendList(dst, s, v)
	case schema.Map:
		return c.appendMap(dst, s, v)
	case schema.String:
		return appendString(dst, v.String())
	case schema.Integer, schema.Long:
		return strconv.AppendInt(dst, v.Int(), 10)
	case schema.Double:
		return appendFloat(dst, v.Float())
	case schema.Boolean:
		return strconv.AppendBool(dst, v.Bool())
	case schema.Timestamp:
		return codec.AppendEpoch(dst, v.Interface().(time.Time))
	case schema.Blob:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.Bytes())
		return append(dst, '"')
	default: // schema.Document
		return appendDocument(dst, v.Interface().(schema.JSON).Value)
	}
}

// appendStructure writes the members that are set and travel in the body.
func (c *Codec) appendStructure(dst []byte, ref schema.Ref, v reflect.Value) []byte {
	dst = append(dst, '{')
	empty := len(dst)
	for i := range c.plans[ref].members {
		m := &c.plans[ref].members[i]
		if !m.body {
			continue
		}
		field := v.Field(i)
		if field.IsNil() {
			continue
		}
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = append(dst, m.key...)
		if m.text { // most members are strings
			dst = appendString(dst, field.Elem().String())
		} else {
			dst = c.appendValue(dst, m.shape, field)
		}
	}
	return append(dst, '}')
}

func (c *Codec) appendList(dst []byte, s *schema.Shape, v reflect.Value) []byte {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = c.appendElement(dst, s.Element, v.Index(i))
	}
	return append(dst, ']')
}

// appendMap writes the entries sorted by key, so that equal maps give equal
// bytes.
func (c *Codec) appendMap(dst []byte, s *schema.Shape, v reflect.Value) []byte {
	keys := make([]string, 0, v.Len())
	for _, key := range v.MapKeys() {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, key), ':')
		dst = c.appendElement(dst, s.Value, v.MapIndex(reflect.ValueOf(key)))
	}
	return append(dst, '}')
}

func (c *Codec) appendElement(dst []byte, ref schema.Ref, v reflect.Value) []byte {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return append(dst, "null"...)
	}
	return c.appendValue(dst, ref, v)
}

func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

const hexDigits = "0123456789abcdef"

// plain holds the bytes that stand for themselves in a string: ASCII without
// controls, quote and backslash.
var plain = func() (table [256]bool) {
	for c := range table {
		table[c] = c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\'
	}
	return table
}()

// appendString writes a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = append(append(dst, s[start:i]...), '\\')
		switch c {
		case '"', '\\':
			dst = append(dst, c)
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		case '\t':
			dst = append(dst, 't')
		default:
			dst = append(dst, 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// appendDocument writes what a JSON decoder returned.
func appendDocument(dst []byte, value any) []byte {
	switch value := value.(type) {
	case string:
		return appendString(dst, value)
	case bool:
		return strconv.AppendBool(dst, value)
	case json.Number:
		return append(dst, value...)
	case float64:
		return appendFloat(dst, value)
	case int:
		return strconv.AppendInt(dst, int64(value), 10)
	case int64:
		return strconv.AppendInt(dst, value, 10)
	case []string:
		dst = append(dst, '[')
		for i, element := range value {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, element)
		}
		return append(dst, ']')
	case []any:
		dst = append(dst, '[')
		for i, element := range value {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendDocument(dst, element)
		}
		return append(dst, ']')
	case map[string]any:
		return appendDocumentObject(dst, value)
	default:
		return append(dst, "null"...)
	}
}

func appendDocumentObject(dst []byte, object map[string]any) []byte {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, key), ':')
		dst = appendDocument(dst, object[key])
	}
	return append(dst, '}')
}
