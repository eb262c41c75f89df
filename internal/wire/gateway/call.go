package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/validate"
)

// call is one request on its way through the gateway.
type call struct {
	gateway *Gateway
	kind    kind
	target  target
	request Request
	caller  iam.Principal
	// sourceAddr is request.SourceIP parsed.
	sourceAddr netip.Addr
	body       []byte
	form       url.Values // kindQuery

	input  any
	output any
	replay []byte // stored answer of an idempotent repeat

	// identified is the caller as the operation found out, see Context.Identify.
	identified *iam.Principal
	refused    error // of Refuse: the answer, once the transaction has committed
	recorded   bool  // the refusal has its audit record
	unsealed   error // a paging token could not be made

	status int
}

func (g *Gateway) newCall(r *http.Request) *call {
	addr := g.ClientIP(r)
	return &call{gateway: g, kind: g.resolver.classify(r), sourceAddr: addr, request: Request{
		ID: g.IDs.UUID(), Time: g.Now().UTC().Truncate(time.Millisecond), SourceIP: addr.String(),
		UserAgent: r.UserAgent(), Referer: r.Referer(), Secure: g.Secure(r),
	}}
}

// actor is who the call is made by: the one the operation found out, or the
// signer of the request.
func (c *call) actor() iam.Principal {
	if c.identified != nil {
		return *c.identified
	}
	return c.caller
}

// run takes the call through every step up to the operation itself.
func (c *call) run(r *http.Request) *wireError {
	if err := c.readBody(r, maxBody); err != nil {
		return err
	}
	c.resolve(r)
	switch {
	case c.target.op != nil:
	case c.kind == kindREST:
		return wrongMethod(c.gateway.resolver.addresses[r.URL.Path].allow)
	default:
		return unknownOperation(c.kind, c.target.name)
	}
	if err := c.admit(r); err != nil {
		return err
	}
	return c.finish(r)
}

// finish runs the operation for a caller who was let in.
func (c *call) finish(r *http.Request) *wireError {
	if err := c.decode(r); err != nil {
		return err
	}
	if err := c.target.service.invoke(r.Context(), c); err != nil {
		return translate(c.target.service.desc, c.request.ID, err)
	}
	return nil
}

// admit lets in the caller: one who is known, or one who may ask unknown.
func (c *call) admit(r *http.Request) *wireError {
	if !c.target.op.Unsigned {
		return c.authenticate(r)
	}
	if c.gateway.Admit != nil {
		if err := c.gateway.Admit(c.target.op.Name, c.sourceAddr); err != nil {
			return translate(c.target.service.desc, c.request.ID, err)
		}
	}
	return nil
}

// readBody reads the request's body, of at most limit bytes.
func (c *call) readBody(r *http.Request, limit int64) *wireError {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if err == nil {
		c.body = body
		return nil
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", fmt.Sprintf("The request body is larger than %d KiB.", limit>>10))
	}
	return refuse(http.StatusBadRequest, "SerializationException", "The request body could not be read to its end.")
}

func (c *call) resolve(r *http.Request) {
	switch c.kind {
	case kindJSON:
		if isAWSJSON(r) {
			c.target = c.gateway.resolver.json(r.Header.Get("X-Amz-Target"))
		}
	case kindREST:
		c.target = c.gateway.resolver.rest(r)
	case kindQuery:
		c.form = r.URL.Query()
		if r.Method == http.MethodPost {
			// A body that is no form has no Action and resolves to nothing.
			c.form, _ = url.ParseQuery(string(c.body))
		}
		c.target = c.gateway.resolver.query(c.form, func() string { return scopeOf(r) })
	}
}

// decode reads the input and holds it to the model's constraints.
func (c *call) decode(r *http.Request) *wireError {
	s := c.target.service
	in, err := s.codec.Decode(c.target.op, codec.Request{
		Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Header: r.Header, Body: c.body,
	})
	if err != nil {
		if m, ok := errors.AsType[*codec.Malformed](err); ok {
			return refuse(http.StatusBadRequest, m.Code, m.Message)
		}
		return translate(s.desc, c.request.ID, err)
	}
	c.input = in
	if found := s.validator.Check(c.target.op, in); len(found) > 0 {
		return refuseInput(s, found, c.request.ID)
	}
	return nil
}

// refuseInput tells what of the input breaks the model's constraints.
func refuseInput(s *service, found []validate.Violation, requestID string) *wireError {
	a := s.validator.Describe(found)
	e := s.desc.ErrorByShape(a.Code)
	if e == nil {
		return refuse(http.StatusBadRequest, a.Code, a.Message)
	}
	values := map[string]any{"RequestId": requestID}
	if a.Reason != "" {
		values["Reason"] = a.Reason
	}
	return &wireError{status: e.Status, failure: codec.NewFailure(e, a.Message, values)}
}

// answer writes the reply in one piece.
func (c *call) answer(w http.ResponseWriter, err *wireError) {
	protocol := c.gateway.fallback[c.kind]
	if c.target.service != nil {
		protocol = c.target.service.codec
	}
	buffer := c.gateway.bodies.Get().(*[]byte)
	body := (*buffer)[:0]
	c.status = http.StatusOK
	switch {
	case err != nil:
		if err.allow != "" {
			w.Header().Set("Allow", err.allow)
		}
		body = protocol.EncodeError(w.Header(), body, err.failure, c.request.ID)
		c.status = err.status
	case c.replay != nil:
		protocol.Encode(w.Header(), body, c.target.op, nil, c.request.ID)
		body = append(body, c.replay...)
	default:
		body = protocol.Encode(w.Header(), body, c.target.op, c.output, c.request.ID)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(c.status)
	// A client that went away reads no answer; what it asked for is done.
	_, _ = w.Write(body)
	if cap(body) <= maxKept {
		*buffer = body
		c.gateway.bodies.Put(buffer)
	}
}
