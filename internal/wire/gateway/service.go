package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/awsquery"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/restjson"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/validate"
)

// Database runs a function in a transaction whose reads and writes are those
// of T. The function may run more than once before it commits.
type Database[T any] interface {
	Update(ctx context.Context, fn func(T) error) error
	View(ctx context.Context, fn func(T) error) error
}

// Service is one AWS service, ready to be served. Make it with NewService.
type Service struct {
	desc   *schema.Service
	invoke func(context.Context, *call) error
}

// NewService binds the operations of a service to a database. ops are in the
// order of desc.Operations, as the generated Bind returns them.
func NewService[T Tx](desc *schema.Service, db Database[T], ops []func(*Context[T], any) (any, error)) Service {
	return Service{desc: desc, invoke: func(ctx context.Context, c *call) error {
		op, work := ops[c.target.index], new(outside)
		if c.target.op.Stateless {
			return runStateless(ctx, c, work, op)
		}
		run := db.Update
		if c.target.op.ReadOnly {
			run = db.View
		}
		err := work.run(ctx, func() error {
			return run(ctx, func(tx T) error { return runOperation(ctx, c, tx, work, op) })
		})
		if err == nil {
			err = c.refused
		}
		return err
	}}
}

// runStateless runs an operation that reads and writes nothing, and that
// everybody may call, without a transaction.
func runStateless[T Tx](ctx context.Context, c *call, work *outside, op func(*Context[T], any) (any, error)) (err error) {
	var none T
	c.output, err = op(newContext(ctx, c, none, work), c.input)
	return err
}

func newContext[T Tx](ctx context.Context, c *call, tx T, work *outside) *Context[T] {
	return &Context[T]{
		Context: ctx, Tx: tx, Caller: c.caller, Request: c.request,
		IDs: c.gateway.IDs, Op: c.target.op, tokens: c.gateway.Tokens, call: c, outside: work, tx: tx,
	}
}

// runOperation is the part of a request that happens in its transaction. It
// may run more than once and so begins from the decoded input each time.
func runOperation[T Tx](ctx context.Context, c *call, tx T, work *outside, op func(*Context[T], any) (any, error)) error {
	c.output, c.replay = nil, nil
	c.identified, c.refused, c.recorded, c.unsealed = nil, nil, false, nil
	if err := c.authorize(tx); err != nil {
		return err
	}
	if err := c.findReplay(tx); err != nil || c.replay != nil {
		return err
	}
	out, err := op(newContext(ctx, c, tx, work), c.input)
	if r, ok := errors.AsType[*refusal](err); ok {
		c.refused = r.answer
		return c.auditRefusal(tx)
	}
	if err == nil {
		err = c.unsealed
	}
	if err != nil {
		return err
	}
	c.output = out
	if c.target.op.ReadOnly {
		return nil
	}
	if err := c.saveReplay(tx); err != nil {
		return err
	}
	return c.auditMutation(tx)
}

// Tx is what the gateway itself asks of an operation's transaction: the reads
// that authorise, repeats of requests, and the audit record.
type Tx interface {
	iam.PolicyReader
	audit.Tx
	idempotencyTx
	organization.DelegationReader
	InstanceByID(id string) (instance.Instance, bool, error)
	InstanceByIdentityStore(storeID string) (instance.Instance, bool, error)
	DirectoryMembership(storeID, membershipID string) (directory.Membership, bool, error)
}

// service is a Service as the gateway holds it.
type service struct {
	Service
	codec     protocolCodec
	validator *validate.Validator
	byName    map[string]int
}

func newService(s Service) (*service, error) {
	v, err := validate.New(s.desc)
	if err != nil {
		return nil, err
	}
	out := &service{Service: s, codec: newCodec(s.desc), validator: v, byName: make(map[string]int, len(s.desc.Operations))}
	for i := range s.desc.Operations {
		out.byName[s.desc.Operations[i].Name] = i
	}
	return out, nil
}

// protocolCodec is one protocol's reading and writing of one service.
type protocolCodec interface {
	Decode(op *schema.Operation, r codec.Request) (any, error)
	Encode(h http.Header, dst []byte, op *schema.Operation, out any, requestID string) []byte
	EncodeError(h http.Header, dst []byte, f codec.Failure, requestID string) []byte
}

func newCodec(s *schema.Service) protocolCodec {
	switch s.Protocol {
	case schema.AWSQuery:
		return awsquery.New(s)
	case schema.RESTJSON1:
		return restjson.New(s)
	case schema.PageJSON:
		return pageCodec{awsjson.New(s)}
	default:
		return awsjson.New(s)
	}
}

func kindOf(p schema.Protocol) kind {
	switch p {
	case schema.AWSQuery:
		return kindQuery
	case schema.RESTJSON1:
		return kindREST
	case schema.PageJSON:
		return kindPage
	default:
		return kindJSON
	}
}
