package iam

import (
	"sync"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/policy"
)

// PolicyReader reads what decides about a principal.
type PolicyReader interface {
	UserReader
	RoleReader
	ManagedPolicyReader
}

// Compiler compiles policies and remembers documents that it has compiled. It
// is safe for concurrent use.
type Compiler struct {
	managed func(arn string) (document string, found bool)
	limit   int

	mu       sync.RWMutex
	compiled map[string]*policy.Policy // by document, or by ARN for AWS's own
}

// NewCompiler returns a Compiler that remembers up to limit documents. managed
// finds AWS's own managed policies.
func NewCompiler(managed func(arn string) (string, bool), limit int) *Compiler {
	return &Compiler{managed: managed, limit: limit, compiled: make(map[string]*policy.Policy)}
}

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// PoliciesOf returns the policies that decide about p, compiled. A principal
// whose user or role is gone has none: everything is denied.
func (c *Compiler) PoliciesOf(tx PolicyReader, p Principal) (policy.Set, error) {
	switch p.Kind {
	case KindRoot:
		all, err := c.compile(allowAll)
		return policy.Set{Identity: []*policy.Policy{all}}, err
	case KindUser:
		u, found, err := tx.IAMUserByID(p.AccountID, p.UserID)
		if err != nil || !found {
			return policy.Set{}, err
		}
		return c.set(tx, u.Policies)
	case KindRoleSession:
		r, found, err := tx.RoleByID(p.AccountID, p.RoleID)
		if err != nil || !found {
			return policy.Set{}, err
		}
		return c.set(tx, r.Policies)
	default:
		return policy.Set{}, nil
	}
}

func (c *Compiler) set(tx ManagedPolicyReader, attached Policies) (policy.Set, error) {
	s := policy.Set{Identity: make([]*policy.Policy, 0, len(attached.Managed)+len(attached.Inline))}
	for _, arn := range attached.Managed {
		p, found, err := c.byARN(tx, arn)
		if err != nil {
			return policy.Set{}, err
		}
		if found {
			s.Identity = append(s.Identity, p)
		}
	}
	for _, document := range attached.Inline {
		p, err := c.compile(document)
		if err != nil {
			return policy.Set{}, err
		}
		s.Identity = append(s.Identity, p)
	}
	if attached.Boundary == "" {
		return s, nil
	}
	// A boundary that is gone allows nothing.
	limit := policy.Limit{Kind: policy.PermissionsBoundary}
	p, found, err := c.byARN(tx, attached.Boundary)
	if found {
		limit.Policies = []*policy.Policy{p}
	}
	s.Limits = []policy.Limit{limit}
	return s, err
}

func (c *Compiler) byARN(tx ManagedPolicyReader, arn string) (*policy.Policy, bool, error) {
	// AWS's own policies never change while we run: their ARN is the key.
	if p := c.remembered(arn); p != nil {
		return p, true, nil
	}
	if document, found := c.managed(arn); found {
		p, err := c.compileAs(arn, document)
		return p, err == nil, err
	}
	m, found, err := tx.ManagedPolicyByARN(arn)
	if err != nil || !found {
		return nil, false, err
	}
	p, err := c.compile(m.Document)
	return p, err == nil, err
}

func (c *Compiler) compile(document string) (*policy.Policy, error) {
	if p := c.remembered(document); p != nil {
		return p, nil
	}
	return c.compileAs(document, document)
}

func (c *Compiler) remembered(key string) *policy.Policy {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.compiled[key]
}

// compileAs compiles a stored document and remembers it under key. That it
// does not compile is a failure of ours: documents are checked before they
// are stored.
func (c *Compiler) compileAs(key, document string) (*policy.Policy, error) {
	p, err := policy.Compile(document)
	if err != nil {
		return nil, fault.New(fault.Internal, "policy", "a stored policy does not compile").WithCause(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.compiled) >= c.limit {
		clear(c.compiled) // what is in use comes back at once
	}
	c.compiled[key] = p
	return p, nil
}
