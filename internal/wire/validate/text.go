package validate

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// How much of what a caller sent a message repeats, in code points.
const (
	maxEcho = 1024
	maxKey  = 128
)

// path is where a check is.
type path struct{ parts []string }

func (p *path) push(parts ...string) { p.parts = append(p.parts, parts...) }

// pop takes away the last n parts.
func (p *path) pop(n int) { p.parts = p.parts[:len(p.parts)-n] }

// String joins the parts with dots.
func (p *path) String() string { return strings.Join(p.parts, ".") }

// constraintText is one constraint of s in words.
func constraintText(s *schema.Shape, kind Constraint) string {
	switch kind {
	case MinLength:
		return "Member must have length greater than or equal to " + strconv.FormatInt(s.Min, 10)
	case MaxLength:
		return "Member must have length less than or equal to " + strconv.FormatInt(s.Max, 10)
	case MinValue:
		return "Member must have value greater than or equal to " + strconv.FormatInt(s.Min, 10)
	case MaxValue:
		return "Member must have value less than or equal to " + strconv.FormatInt(s.Max, 10)
	case Pattern:
		return "Member must satisfy regular expression pattern: " + s.ModelPattern
	case Enum:
		return "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"
	default:
		return ""
	}
}

// allTexts lists the constraints of a list's elements or a map's keys or
// values, all of them, whichever is broken.
func (v *Validator) allTexts(ref schema.Ref) string {
	s := v.service.Shape(ref)
	low, high := MinLength, MaxLength
	if s.Kind != schema.String && s.Kind != schema.Blob {
		low, high = MinValue, MaxValue
	}
	var texts []string
	if s.HasMax {
		texts = append(texts, constraintText(s, high))
	}
	if s.HasMin {
		texts = append(texts, constraintText(s, low))
	}
	if s.Pattern != "" {
		texts = append(texts, constraintText(s, Pattern))
	}
	if len(s.Enum) > 0 {
		texts = append(texts, constraintText(s, Enum))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// print writes a value as AWS's messages do: [a, b] for a list, {k=v} for a
// map, Name(member=value) for a structure.
func (v *Validator) print(s *schema.Shape, value reflect.Value) string {
	p := printer{service: v.service}
	p.value(s, value)
	return cut(p.out.String(), maxEcho)
}

type printer struct {
	service *schema.Service
	out     strings.Builder
}

// value writes a value, or nothing once there is more than will be shown.
func (p *printer) value(s *schema.Shape, v reflect.Value) {
	if p.out.Len() > maxEcho*utf8.UTFMax {
		return
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case schema.List:
		p.list(s, v)
	case schema.Map:
		p.mapping(s, v)
	case schema.Structure, schema.Union:
		p.structure(s, v)
	case schema.Document:
		p.out.WriteString("…")
	case schema.String:
		text := v.String()
		p.out.WriteString(text[:min(len(text), maxEcho*utf8.UTFMax)])
	default:
		p.out.Write(codec.AppendText(nil, s, codec.DateTime, v))
	}
}

func (p *printer) list(s *schema.Shape, v reflect.Value) {
	p.out.WriteByte('[')
	for i := range v.Len() {
		if i > maxEcho {
			break
		}
		if i > 0 {
			p.out.WriteString(", ")
		}
		p.value(p.service.Shape(s.Element), v.Index(i))
	}
	p.out.WriteByte(']')
}

func (p *printer) mapping(s *schema.Shape, v reflect.Value) {
	keys := make([]string, 0, v.Len())
	for _, key := range v.MapKeys() {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	p.out.WriteByte('{')
	for i, key := range keys[:min(len(keys), maxEcho)] {
		if i > 0 {
			p.out.WriteString(", ")
		}
		p.out.WriteString(key[:min(len(key), maxEcho*utf8.UTFMax)])
		p.out.WriteByte('=')
		p.value(p.service.Shape(s.Value), v.MapIndex(reflect.ValueOf(key)))
	}
	p.out.WriteByte('}')
}

func (p *printer) structure(s *schema.Shape, v reflect.Value) {
	p.out.WriteString(s.Name)
	p.out.WriteByte('(')
	first := true
	for i := range s.Members {
		if v.Field(i).IsNil() {
			continue
		}
		if !first {
			p.out.WriteString(", ")
		}
		first = false
		p.out.WriteString(lowerFirst(s.Members[i].Name))
		p.out.WriteByte('=')
		p.value(p.service.Shape(s.Members[i].Shape), v.Field(i))
	}
	p.out.WriteByte(')')
}

// cut shortens text to n code points, and shows that it did.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for i := range text {
		if n == 0 {
			return text[:i] + "…"
		}
		n--
	}
	return text
}
