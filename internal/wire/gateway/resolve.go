package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// target is what a request asks for.
type target struct {
	service *service
	op      *schema.Operation
	index   int // of op in the service's operations
	name    string
}

// resolver finds the service and operation of a request: by X-Amz-Target, by
// the Action of a form or query, or by method and path.
type resolver struct {
	byTarget  map[string]*service // target prefix
	byVersion map[string]*service // awsQuery API version
	byScope   map[string]*service // signing name, awsQuery only
	routes    map[string]target   // "METHOD path" or "METHOD path?query"
	addresses map[string]address  // by path of the routes
}

// address is a path that operations have.
type address struct {
	service *service
	allow   string // the operations' methods, as the header Allow has them
}

func newResolver(services []*service) *resolver {
	r := &resolver{
		byTarget: make(map[string]*service), byVersion: make(map[string]*service),
		byScope: make(map[string]*service), routes: make(map[string]target), addresses: make(map[string]address),
	}
	for _, s := range services {
		switch s.desc.Protocol {
		case schema.AWSJSON11:
			r.byTarget[s.desc.TargetPrefix] = s
		case schema.AWSQuery:
			r.byVersion[s.desc.APIVersion] = s
			r.byScope[s.desc.SigningName] = s
		case schema.RESTJSON1:
			for i := range s.desc.Operations {
				op := &s.desc.Operations[i]
				key := op.Method + " " + op.Path
				if op.Query != "" {
					key += "?" + op.Query
				}
				r.routes[key] = target{service: s, op: op, index: i, name: op.Name}
				r.addAddress(s, op)
			}
		}
	}
	return r
}

// addAddress notes that an operation's path is called by its method.
func (rs *resolver) addAddress(s *service, op *schema.Operation) {
	a := rs.addresses[op.Path]
	switch {
	case a.service == nil:
		a = address{s, op.Method}
	case !slices.Contains(strings.Split(a.allow, ", "), op.Method):
		a.allow += ", " + op.Method
	}
	rs.addresses[op.Path] = a
}

// kind says how a request was recognised.
type kind uint8

const (
	kindNone  kind = iota // not an API request
	kindJSON              // X-Amz-Target
	kindQuery             // Action and Version
	kindREST              // method and path
	kindPage              // by name, from a page: see ServePage
)

// classify says which kind of API request r is, without reading its body.
func (rs *resolver) classify(r *http.Request) kind {
	if r.Header.Get("X-Amz-Target") != "" {
		return kindJSON
	}
	if _, ok := rs.addresses[r.URL.Path]; ok {
		return kindREST // by whichever method: nothing else is there
	}
	if r.URL.Path != "/" {
		return kindNone
	}
	switch r.Method {
	case http.MethodPost:
		if isForm(r) {
			return kindQuery
		}
	case http.MethodGet:
		if r.URL.Query().Has("Action") {
			return kindQuery
		}
	}
	return kindNone
}

func isForm(r *http.Request) bool { return mediaType(r) == "application/x-www-form-urlencoded" }

// isAWSJSON reports whether a request with an X-Amz-Target has the form that
// awsJson prescribes. Nothing else names an operation.
func isAWSJSON(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/" && len(r.Header["X-Amz-Target"]) == 1 &&
		(mediaType(r) == awsjson.ContentType || mediaType(r) == "application/x-amz-json-1.0")
}

// mediaType is the content type of r, without parameters and in lower case.
func mediaType(r *http.Request) string {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// rest resolves method and path. By a method that the path does not have it
// gives a target without op.
func (rs *resolver) rest(r *http.Request) target {
	t, ok := rs.route(r)
	if !ok {
		t.service = rs.addresses[r.URL.Path].service
	}
	return t
}

// route matches REST bindings; a binding with a constant query wins.
func (rs *resolver) route(r *http.Request) (target, bool) {
	key := r.Method + " " + r.URL.Path
	for _, pair := range strings.Split(r.URL.RawQuery, "&") {
		if t, ok := rs.routes[key+"?"+pair]; ok {
			return t, true
		}
	}
	t, ok := rs.routes[key]
	return t, ok
}

// json resolves an X-Amz-Target header. An operation that the service does
// not have gives a target without op; an unknown service gives none at all.
func (rs *resolver) json(header string) target {
	prefix, name, _ := strings.Cut(header, ".")
	return rs.byTarget[prefix].find(name)
}

// query resolves the Action and Version of a form. Where the version is
// missing the service of the credential scope decides.
func (rs *resolver) query(form url.Values, scope func() string) target {
	s := rs.byVersion[form.Get("Version")]
	if s == nil {
		s = rs.byScope[scope()]
	}
	return s.find(form.Get("Action"))
}

func (s *service) find(name string) target {
	if s == nil {
		return target{name: name}
	}
	i, ok := s.byName[name]
	if !ok {
		return target{service: s, name: name}
	}
	return target{service: s, op: &s.desc.Operations[i], index: i, name: name}
}
