package wiretest

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// Client writes requests as an SDK does.
type Client struct {
	service *schema.Service
	json    *awsjson.Codec
}

// NewClient returns a client of s.
func NewClient(s *schema.Service) *Client { return &Client{s, awsjson.New(s)} }

// Request returns the HTTP method and the parts of the request that carries
// in, a pointer to the generated input of op.
func (c *Client) Request(op *schema.Operation, in any) (string, codec.Request) {
	switch c.service.Protocol {
	case schema.AWSQuery:
		return "POST", c.query(op, in)
	case schema.RESTJSON1:
		return op.Method, c.rest(op, in)
	}
	r := codec.Request{Path: "/", Header: http.Header{
		"Content-Type": {awsjson.ContentType},
		"X-Amz-Target": {c.service.TargetPrefix + "." + op.Name},
	}}
	if op.Input == schema.NoShape {
		r.Body = []byte("{}")
	} else {
		r.Body = c.json.Marshal(nil, op.Input, in)
	}
	return "POST", r
}

func (c *Client) query(op *schema.Operation, in any) codec.Request {
	form := url.Values{"Action": {op.Name}, "Version": {c.service.APIVersion}}
	if op.Input != schema.NoShape {
		c.flatten(form, "", op.Input, reflect.ValueOf(in).Elem())
	}
	return codec.Request{
		Path: "/", Body: []byte(form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}},
	}
}

// flatten writes v under name.
func (c *Client) flatten(form url.Values, name string, ref schema.Ref, v reflect.Value) {
	s := c.service.Shape(ref)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case schema.Structure, schema.Union:
		for i := range s.Members {
			if !v.Field(i).IsNil() {
				c.flatten(form, join(name, s.Members[i].WireName), s.Members[i].Shape, v.Field(i))
			}
		}
	case schema.List:
		if v.Len() == 0 {
			form.Set(name, "")
		}
		if !s.Flattened {
			name = join(name, "member")
		}
		for i := range v.Len() {
			c.flatten(form, join(name, strconv.Itoa(i+1)), s.Element, v.Index(i))
		}
	case schema.Map:
		if v.Len() == 0 {
			form.Set(name, "")
		}
		if !s.Flattened {
			name = join(name, "entry")
		}
		for i, key := range sortedKeys(v) {
			entry := join(name, strconv.Itoa(i+1))
			form.Set(entry+".key", key)
			c.flatten(form, entry+".value", s.Value, v.MapIndex(reflect.ValueOf(key)))
		}
	default:
		form.Set(name, string(codec.AppendText(nil, s, codec.DateTime, v)))
	}
}

func sortedKeys(v reflect.Value) []string {
	var keys []string
	for _, key := range v.MapKeys() {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	return keys
}

func join(name, part string) string {
	if name == "" {
		return part
	}
	return name + "." + part
}

func (c *Client) rest(op *schema.Operation, in any) codec.Request {
	r := codec.Request{Path: op.Path, Header: http.Header{}}
	if op.Input == schema.NoShape {
		return r
	}
	query, err := url.ParseQuery(op.Query)
	if err != nil {
		query = url.Values{}
	}
	s, v, body := c.service.Shape(op.Input), reflect.ValueOf(in).Elem(), false
	for i := range s.Members {
		m := &s.Members[i]
		if m.Location == schema.InBody {
			body = true
			continue
		}
		if !v.Field(i).IsNil() {
			c.bind(&r, query, m, v.Field(i))
		}
	}
	r.RawQuery = query.Encode()
	if body {
		r.Header.Set("Content-Type", "application/json")
		r.Body = c.json.Marshal(nil, op.Input, in)
	}
	return r
}

func (c *Client) bind(r *codec.Request, query url.Values, m *schema.Member, v reflect.Value) {
	format := codec.DateTime
	if m.Location == schema.InHeader {
		format = codec.HTTPDate
	}
	s := c.service.Shape(m.Shape)
	var texts []string
	if s.Kind == schema.List {
		for i := range v.Len() {
			texts = append(texts, string(codec.AppendText(nil, c.service.Shape(s.Element), format, v.Index(i))))
		}
	} else {
		texts = []string{string(codec.AppendText(nil, s, format, v))}
	}
	switch m.Location {
	case schema.InQuery:
		query[m.WireName] = texts
	case schema.InHeader:
		r.Header.Set(m.WireName, strings.Join(texts, ", "))
	case schema.InURI:
		r.Path = strings.ReplaceAll(r.Path, "{"+m.WireName+"}", url.PathEscape(texts[0]))
		r.Path = strings.ReplaceAll(r.Path, "{"+m.WireName+"+}", greedy(texts[0]))
	}
}

// greedy escapes a path, leaving its slashes.
func greedy(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}
