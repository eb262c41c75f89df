package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/validate"
)

// maxPageBody is the largest request body that is read of a page, in bytes:
// pages name accounts and roles, and page through lists.
const maxPageBody = 16 << 10

// Authenticator tells who calls, or refuses with a *fault.Error.
type Authenticator func(*http.Request) (iam.Principal, error)

// ServePage answers a call of an operation by script of one of this server's
// own pages, by the operation's name. It is a POST whose body and answer are
// the operation's input and output in JSON, as awsJson1.1 has them, whatever
// the service's own protocol; errors have their code in __type. Only
// operations that the model opens to pages are found. From authenticate on, a
// call takes the same path as every other.
func (g *Gateway) ServePage(w http.ResponseWriter, r *http.Request, operation string, authenticate Authenticator) {
	c := g.newCall(r)
	c.kind, c.target = kindPage, g.pages[operation]
	if c.target.name == "" {
		c.target.name = operation
	}
	g.serve(w, r, c, func() *wireError { return c.runPage(r, authenticate) })
}

func (c *call) runPage(r *http.Request, authenticate Authenticator) *wireError {
	switch {
	case c.target.op == nil:
		return refuse(http.StatusNotFound, "UnknownOperationException",
			fmt.Sprintf("Atrium has no operation %q for its pages.", clip(c.target.name, 100)))
	case r.Method != http.MethodPost:
		return wrongMethod(http.MethodPost)
	}
	caller, err := authenticate(r)
	if err != nil {
		return c.refusePage(err)
	}
	c.caller = caller
	if err := c.readBody(r, maxPageBody); err != nil {
		return err
	}
	return c.finish(r)
}

// refusePage tells why a page may not call. A page whose form token is not the
// session's is told so by a code of its own: it has to be loaded again.
func (c *call) refusePage(err error) *wireError {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Subject == "csrf" {
		return refuse(http.StatusForbidden, "InvalidCsrfTokenException", f.Message)
	}
	return translate(c.target.service.desc, c.request.ID, err)
}

// addPages finds the operations of s that pages may call.
func (g *Gateway) addPages(s *service) error {
	var page *service
	for i := range s.desc.Operations {
		op := &s.desc.Operations[i]
		if !op.Page {
			continue
		}
		if page == nil {
			var err error
			if page, err = newPageService(s); err != nil {
				return err
			}
		}
		if _, taken := g.pages[op.Name]; taken {
			return fmt.Errorf("two operations for pages are called %s", op.Name)
		}
		g.pages[op.Name] = target{service: page, op: &page.desc.Operations[i], index: i, name: op.Name}
	}
	return nil
}

// newPageService is s as pages call it.
func newPageService(s *service) (*service, error) {
	desc := inBody(s.desc)
	v, err := validate.New(desc)
	if err != nil {
		return nil, err
	}
	return &service{
		Service: Service{desc: desc, invoke: s.invoke}, codec: pageCodec{awsjson.New(desc)}, validator: v, byName: s.byName,
	}, nil
}

// inBody returns a copy of a service whose inputs travel in the body as a
// whole, under the names that the model gives their members. The caller's
// token is not part of them.
func inBody(s *schema.Service) *schema.Service {
	out := *s
	out.Shapes = slices.Clone(s.Shapes)
	for i := range out.Shapes {
		members := slices.Clone(out.Shapes[i].Members)
		for j := range members {
			if m := &members[j]; !m.Bearer {
				m.Location, m.WireName = schema.InBody, m.Name
			}
		}
		out.Shapes[i].Members = members
	}
	return &out
}

// pageCodec speaks awsJson1.1's JSON under the media type that browsers know.
type pageCodec struct{ *awsjson.Codec }

const pageContentType = "application/json"

// Encode appends the answer of op.
func (p pageCodec) Encode(h http.Header, dst []byte, op *schema.Operation, out any, requestID string) []byte {
	dst = p.Codec.Encode(h, dst, op, out, requestID)
	h.Set("Content-Type", pageContentType)
	return dst
}

// EncodeError appends the answer that tells f.
func (p pageCodec) EncodeError(h http.Header, dst []byte, f codec.Failure, requestID string) []byte {
	dst = p.Codec.EncodeError(h, dst, f, requestID)
	h.Set("Content-Type", pageContentType)
	return dst
}
