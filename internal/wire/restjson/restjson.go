// Package restjson is the codec of the restJson1 protocol: an operation's
// input travels in the URI, the query, headers and a JSON body, as the model
// binds it; an error names its shape in the header x-amzn-ErrorType.
package restjson

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// ContentType is the media type of answers.
const ContentType = "application/json"

// Codec encodes and decodes the shapes of one service. It is safe for
// concurrent use.
type Codec struct {
	service *schema.Service
	body    *awsjson.Codec
	// oauth says that the service's errors are OAuth's: a code in the member
	// "error", its text in "error_description".
	oauth bool
}

// New returns the codec of s.
func New(s *schema.Service) *Codec {
	c := &Codec{service: s, body: awsjson.New(s)}
	for i := range s.Errors {
		for _, name := range s.Errors[i].Members {
			c.oauth = c.oauth || name == "error"
		}
	}
	return c
}

// Decode returns the input of op that r carries, a pointer to its generated
// struct; nil when op takes none. A request that does not have the model's
// form gives a *codec.Malformed.
func (c *Codec) Decode(op *schema.Operation, r codec.Request) (any, error) {
	if op.NewInput == nil {
		return nil, nil
	}
	in := op.NewInput()
	if op.Input == schema.NoShape {
		return in, nil
	}
	query, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		return nil, codec.Serialization("The query string is not well-formed.")
	}
	if len(query) > codec.MaxValues {
		return nil, codec.Serialization("The query string holds too many parameters.")
	}
	members := c.service.Shape(op.Input).Members
	if hasBody(members) {
		if err := c.body.Unmarshal(op.Input, r.Body, in); err != nil {
			return nil, err
		}
	}
	labels := match(op.Path, r.Path)
	v := reflect.ValueOf(in).Elem()
	for i := range members {
		if err := c.bind(&members[i], labels, query, r.Header, v.Field(i)); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func hasBody(members []schema.Member) bool {
	for i := range members {
		if members[i].Location == schema.InBody {
			return true
		}
	}
	return false
}

// bind reads a member that does not travel in the body.
func (c *Codec) bind(m *schema.Member, labels map[string]string, query url.Values, h http.Header, v reflect.Value) error {
	switch m.Location {
	case schema.InURI:
		if text, ok := labels[m.WireName]; ok {
			return c.text(m, codec.DateTime, text, v)
		}
	case schema.InQuery:
		if values := query[m.WireName]; len(values) > 0 {
			return c.texts(m, codec.DateTime, values, v)
		}
	case schema.InHeader:
		if values := h.Values(m.WireName); len(values) > 0 {
			return c.header(m, values, v)
		}
	}
	return nil
}

// text reads a scalar. An empty text is a value for a string only: clients
// send empty parameters for what they leave out.
func (c *Codec) text(m *schema.Member, format codec.TimeFormat, text string, v reflect.Value) error {
	s := c.service.Shape(m.Shape)
	if text == "" && s.Kind != schema.String {
		return nil
	}
	if !codec.SetText(s, format, text, v) {
		return codec.Serialization(codec.Unconvertible("STRING_VALUE", s.Kind))
	}
	return nil
}

// texts reads a scalar from the first of values or a list from all of them.
func (c *Codec) texts(m *schema.Member, format codec.TimeFormat, values []string, v reflect.Value) error {
	s := c.service.Shape(m.Shape)
	if s.Kind != schema.List {
		return c.text(m, format, values[0], v)
	}
	element := c.service.Shape(s.Element)
	v.Set(reflect.MakeSlice(v.Type(), len(values), len(values)))
	for i, text := range values {
		if !codec.SetText(element, format, text, v.Index(i)) {
			return codec.Serialization(codec.Unconvertible("STRING_VALUE", element.Kind))
		}
	}
	return nil
}

// header reads a header, whose list elements stand between commas.
func (c *Codec) header(m *schema.Member, values []string, v reflect.Value) error {
	s := c.service.Shape(m.Shape)
	if s.Kind == schema.List && c.service.Shape(s.Element).Kind != schema.Timestamp {
		var all []string
		for _, value := range values {
			for text := range strings.SplitSeq(value, ",") {
				all = append(all, strings.TrimSpace(text))
			}
		}
		values = all
	}
	return c.texts(m, codec.HTTPDate, values, v)
}

// match returns the labels of path under a template such as
// "/users/{id}/files/{path+}", unescaped; none when it does not fit.
func match(template, path string) map[string]string {
	if !strings.Contains(template, "{") {
		return nil
	}
	labels := make(map[string]string)
	for part := range strings.SplitSeq(strings.TrimPrefix(template, "/"), "/") {
		path = strings.TrimPrefix(path, "/")
		name, label := strings.CutPrefix(part, "{")
		name = strings.TrimSuffix(name, "}")
		var text string
		if name, greedy := strings.CutSuffix(name, "+"); label && greedy {
			return put(labels, name, path)
		}
		if i := strings.IndexByte(path, '/'); i >= 0 {
			text, path = path[:i], path[i:]
		} else {
			text, path = path, ""
		}
		if label {
			if put(labels, name, text) == nil {
				return nil
			}
		} else if text != part {
			return nil
		}
	}
	return labels
}

func put(labels map[string]string, name, escaped string) map[string]string {
	text, err := url.PathUnescape(escaped)
	if err != nil {
		return nil
	}
	labels[name] = text
	return labels
}

// Encode appends the answer of op, whose output is out (a pointer to its
// generated struct), to dst and sets its headers. An operation without output
// has an empty body.
func (c *Codec) Encode(h http.Header, dst []byte, op *schema.Operation, out any, requestID string) []byte {
	setHeaders(h, requestID)
	if op.Output == schema.NoShape {
		return dst
	}
	if v := reflect.ValueOf(out); v.IsValid() && !v.IsNil() {
		c.setBound(h, c.service.Shape(op.Output).Members, v.Elem())
	}
	return c.body.Marshal(dst, op.Output, out)
}

// setBound sets the headers that carry members of an output.
func (c *Codec) setBound(h http.Header, members []schema.Member, v reflect.Value) {
	for i := range members {
		m, field := &members[i], v.Field(i)
		if m.Location != schema.InHeader || field.IsNil() {
			continue
		}
		s := c.service.Shape(m.Shape)
		if s.Kind != schema.List {
			h.Set(m.WireName, headerText(codec.AppendText(nil, s, codec.HTTPDate, field)))
			continue
		}
		var list []byte
		for j := range field.Len() {
			if j > 0 {
				list = append(list, ", "...)
			}
			list = codec.AppendText(list, c.service.Shape(s.Element), codec.HTTPDate, field.Index(j))
		}
		h.Set(m.WireName, headerText(list))
	}
}

// headerText drops what may not stand in a header.
func headerText(text []byte) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, string(text))
}

// EncodeError appends the answer that tells f and sets its headers.
func (c *Codec) EncodeError(h http.Header, dst []byte, f codec.Failure, requestID string) []byte {
	setHeaders(h, requestID)
	h["X-Amzn-Errortype"] = []string{f.Shape}
	if c.oauth {
		f.Members = oauthMembers(f)
	}
	return awsjson.AppendError(dst, f, false)
}

// oauthMembers returns f's members with OAuth's error code in front. The text
// of an error that is not in the model is told as error_description too: OAuth
// clients look there, SDKs for the message.
func oauthMembers(f codec.Failure) []codec.Member {
	members := []codec.Member{{Name: "error", Value: oauthCode(f.Shape)}}
	for _, m := range f.Members {
		switch strings.ToLower(m.Name) {
		case "error":
		case "message":
			members = append(members, codec.Member{Name: "error_description", Value: m.Value}, codec.Member{Name: "message", Value: m.Value})
		default:
			members = append(members, m)
		}
	}
	return members
}

// oauthCode returns the code of an error shape in RFC 6749, 7591 and 8628:
// AuthorizationPendingException is authorization_pending. Shapes that those
// do not know are faults of the request.
func oauthCode(shape string) string {
	switch shape {
	case "InternalServerException", "InternalFailure", "ServiceUnavailableException":
		return "server_error"
	case "AccessDeniedException", "AuthorizationPendingException", "ExpiredTokenException", "InvalidClientException",
		"InvalidClientMetadataException", "InvalidGrantException", "InvalidRedirectUriException", "InvalidScopeException",
		"SlowDownException", "UnauthorizedClientException", "UnsupportedGrantTypeException":
		return snake(strings.TrimSuffix(shape, "Exception"))
	default:
		return "invalid_request"
	}
}

// snake turns InvalidGrant into invalid_grant.
func snake(name string) string {
	var out []byte
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				out = append(out, '_')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}

func setHeaders(h http.Header, requestID string) {
	h["Content-Type"] = []string{ContentType}
	h["X-Amzn-Requestid"] = []string{requestID}
}
