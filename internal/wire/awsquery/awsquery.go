// Package awsquery is the codec of the awsQuery protocol: an operation's input
// is a form of flattened names (Tags.member.1.Key), in a POST's body or a
// GET's query; answers are XML.
package awsquery

import (
	"net/http"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// ContentType is the media type of answers.
const ContentType = "text/xml"

// Codec encodes and decodes the shapes of one service. It is safe for
// concurrent use.
type Codec struct {
	service *schema.Service
	open    []byte // ` xmlns="…">`, what follows the root element's name
}

// New returns the codec of s.
func New(s *schema.Service) *Codec {
	open := []byte(">")
	if s.XMLNamespace != "" {
		open = append(appendEscaped([]byte(` xmlns="`), s.XMLNamespace), `">`...)
	}
	return &Codec{service: s, open: open}
}

// Encode appends the answer of op, whose output is out (a pointer to its
// generated struct), to dst and sets its headers.
func (c *Codec) Encode(h http.Header, dst []byte, op *schema.Operation, out any, requestID string) []byte {
	setHeaders(h, requestID)
	root := op.Name + "Response"
	dst = append(append(append(dst, '<'), root...), c.open...)
	if op.Output != schema.NoShape {
		wrapper := op.ResultWrapper
		if wrapper == "" {
			wrapper = op.Name + "Result"
		}
		dst = appendStart(dst, wrapper)
		if v := reflect.ValueOf(out); v.IsValid() && !v.IsNil() {
			dst = c.appendMembers(dst, c.service.Shape(op.Output), v.Elem())
		}
		dst = appendEnd(dst, wrapper)
	}
	dst = appendStart(dst, "ResponseMetadata")
	dst = appendElement(dst, "RequestId", requestID)
	dst = appendEnd(dst, "ResponseMetadata")
	return appendEnd(dst, root)
}

// EncodeError appends the answer that tells f and sets its headers.
func (c *Codec) EncodeError(h http.Header, dst []byte, f codec.Failure, requestID string) []byte {
	setHeaders(h, requestID)
	fault := "Receiver"
	if f.Sender {
		fault = "Sender"
	}
	dst = append(append(dst, "<ErrorResponse"...), c.open...)
	dst = appendStart(dst, "Error")
	dst = appendElement(dst, "Type", fault)
	dst = appendElement(dst, "Code", f.Code)
	dst = appendElement(dst, "Message", f.Message)
	dst = appendEnd(dst, "Error")
	dst = appendElement(dst, "RequestId", requestID)
	return appendEnd(dst, "ErrorResponse")
}

// appendMembers writes the members of the structure v that are set.
func (c *Codec) appendMembers(dst []byte, s *schema.Shape, v reflect.Value) []byte {
	for i := range s.Members {
		if field := v.Field(i); !field.IsNil() {
			dst = c.appendNamed(dst, wireName(&s.Members[i]), s.Members[i].Shape, field)
		}
	}
	return dst
}

// appendNamed writes the value v of shape ref as elements called name: one, or
// as many as a flattened collection has entries.
func (c *Codec) appendNamed(dst []byte, name string, ref schema.Ref, v reflect.Value) []byte {
	s := c.service.Shape(ref)
	if s.Flattened && (s.Kind == schema.List || s.Kind == schema.Map) {
		return c.appendEntries(dst, name, s, v)
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	dst = appendStart(dst, name)
	switch s.Kind {
	case schema.Structure, schema.Union:
		dst = c.appendMembers(dst, s, v)
	case schema.List:
		dst = c.appendEntries(dst, elementTag(s), s, v)
	case schema.Map:
		dst = c.appendEntries(dst, "entry", s, v)
	case schema.String:
		dst = appendEscaped(dst, v.String())
	default:
		dst = codec.AppendText(dst, s, codec.DateTime, v)
	}
	return appendEnd(dst, name)
}

// appendEntries writes the elements of a list, or the entries of a map sorted
// by key.
func (c *Codec) appendEntries(dst []byte, name string, s *schema.Shape, v reflect.Value) []byte {
	if s.Kind == schema.List {
		for i := range v.Len() {
			dst = c.appendNamed(dst, name, s.Element, v.Index(i))
		}
		return dst
	}
	keys := make([]string, 0, v.Len())
	for _, key := range v.MapKeys() {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	for _, key := range keys {
		dst = appendStart(dst, name)
		dst = appendElement(dst, "key", key)
		dst = c.appendNamed(dst, "value", s.Value, v.MapIndex(reflect.ValueOf(key)))
		dst = appendEnd(dst, name)
	}
	return dst
}

// elementTag is the name of a list's elements.
func elementTag(s *schema.Shape) string {
	if s.ElementTag == "" {
		return "member"
	}
	return s.ElementTag
}

func wireName(m *schema.Member) string {
	if m.WireName == "" {
		return m.Name
	}
	return m.WireName
}

func appendStart(dst []byte, name string) []byte {
	return append(append(append(dst, '<'), name...), '>')
}

func appendEnd(dst []byte, name string) []byte {
	return append(append(append(dst, '<', '/'), name...), '>')
}

func appendElement(dst []byte, name, text string) []byte {
	return appendEnd(appendEscaped(appendStart(dst, name), text), name)
}

// appendEscaped writes text content. What XML 1.0 cannot hold at all (most
// control characters, and bytes that are not UTF-8) becomes U+FFFD; white
// space that a parser would normalise is written as references.
func appendEscaped(dst []byte, s string) []byte {
	start := 0 // of what is not yet written
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		reference := escape(r)
		if r == utf8.RuneError && size == 1 { // a byte that is not UTF-8
			reference = "\uFFFD"
		}
		if reference != "" {
			dst = append(append(dst, s[start:i]...), reference...)
			start = i + size
		}
		i += size
	}
	return append(dst, s[start:]...)
}

// escape returns what stands for r in XML text; "" for r itself.
func escape(r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	case '\r':
		return "&#xD;"
	case '\n':
		return "&#xA;"
	case '\t':
		return ""
	case 0x85:
		return "&#x85;"
	case 0x2028:
		return "&#x2028;"
	case 0xFFFE, 0xFFFF:
		return "\uFFFD"
	}
	if r < 0x20 {
		return "\uFFFD"
	}
	return ""
}

func setHeaders(h http.Header, requestID string) {
	h["Content-Type"] = []string{ContentType}
	h["X-Amzn-Requestid"] = []string{requestID}
}
