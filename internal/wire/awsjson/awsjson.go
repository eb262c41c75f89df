// Package awsjson is the codec of the awsJson1.1 protocol: an operation's
// input and output are one JSON object each, an error is a JSON object that
// names its shape in __type.
//
// The codec knows no service: it works from the service's descriptor and the
// generated structs, whose field i holds the descriptor's member i. How it
// refuses a request follows AWS's own front end, which is strict about JSON
// types and lenient about unknown members and nulls.
package awsjson

import (
	"net/http"
	"reflect"

	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// ContentType is the media type of requests and answers.
const ContentType = "application/x-amz-json-1.1"

// Codec encodes and decodes the shapes of one service. It is safe for
// concurrent use.
type Codec struct {
	service *schema.Service
	plans   []plan // by schema.Ref; empty for shapes without members
}

// plan is what is worked out once per structure.
type plan struct {
	name    string
	union   bool
	members []member
	index   map[string]int // of members in the body, by wire name
}

type member struct {
	shape schema.Ref
	body  bool
	text  bool   // a string
	key   []byte // `"Name":`
}

// New returns the codec of s.
func New(s *schema.Service) *Codec {
	c := &Codec{service: s, plans: make([]plan, len(s.Shapes))}
	for i := range s.Shapes {
		shape := &s.Shapes[i]
		p := plan{name: shape.Name, union: shape.Kind == schema.Union, index: map[string]int{}}
		for j, m := range shape.Members {
			name := m.WireName
			if name == "" {
				name = m.Name
			}
			key := append(appendString(nil, name), ':')
			p.members = append(p.members, member{
				shape: m.Shape, body: m.Location == schema.InBody, text: s.Shape(m.Shape).Kind == schema.String, key: key,
			})
			if m.Location == schema.InBody {
				p.index[name] = j
			}
		}
		c.plans[i] = p
	}
	return c
}

// Decode returns the input of op that r carries, a pointer to its generated
// struct; nil when op takes none. An empty body stands for an empty object.
// A body that does not have the model's form gives a *codec.Malformed.
func (c *Codec) Decode(op *schema.Operation, r codec.Request) (any, error) {
	if op.NewInput == nil {
		return nil, nil
	}
	in := op.NewInput()
	if op.Input == schema.NoShape {
		return in, nil
	}
	return in, c.Unmarshal(op.Input, r.Body, in)
}

// Unmarshal reads the JSON object body, of shape ref, into the struct that in
// points to. Members bound to other parts of a message than its body are left
// alone.
func (c *Codec) Unmarshal(ref schema.Ref, body []byte, in any) error {
	if len(body) > codec.MaxBody {
		return codec.Serialization("The request body is too large.")
	}
	d := decoder{scanner: scanner{data: body}, codec: c}
	switch d.peek() {
	case 0:
		if d.pos == len(body) {
			return nil
		}
		return errSyntax
	case '{':
	case '[':
		return codec.Serialization(unexpectedList)
	default:
		return errSyntax
	}
	v := reflect.ValueOf(in).Elem()
	if err := d.structure(ref, v); err != nil {
		return err
	}
	if d.peek() != 0 || d.pos != len(body) {
		return errSyntax
	}
	return nil
}

// Encode appends the answer of op, whose output is out (a pointer to its
// generated struct), to dst and sets its headers. An operation without output
// has an empty body.
func (c *Codec) Encode(h http.Header, dst []byte, op *schema.Operation, out any, requestID string) []byte {
	setHeaders(h, requestID)
	if op.Output == schema.NoShape {
		return dst
	}
	return c.Marshal(dst, op.Output, out)
}

// Marshal appends value, a pointer to the generated struct of shape ref, as a
// JSON object. A nil pointer gives an empty object.
func (c *Codec) Marshal(dst []byte, ref schema.Ref, value any) []byte {
	v := reflect.ValueOf(value)
	if !v.IsValid() || v.IsNil() {
		return append(dst, "{}"...)
	}
	return c.appendStructure(dst, ref, v.Elem())
}

// EncodeError appends the answer that tells f and sets its headers.
func (c *Codec) EncodeError(h http.Header, dst []byte, f codec.Failure, requestID string) []byte {
	setHeaders(h, requestID)
	return AppendError(dst, f, true)
}

// AppendError appends f's body, with its shape in __type when typed.
func AppendError(dst []byte, f codec.Failure, typed bool) []byte {
	dst = append(dst, '{')
	empty := len(dst)
	if typed {
		dst = appendString(append(dst, `"__type":`...), f.Shape)
	}
	for _, m := range f.Members {
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, m.Name), ':')
		dst = appendDocument(dst, m.Value)
	}
	return append(dst, '}')
}

func setHeaders(h http.Header, requestID string) {
	h["Content-Type"] = []string{ContentType}
	h["X-Amzn-Requestid"] = []string{requestID}
}
