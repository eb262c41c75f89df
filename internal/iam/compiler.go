package iam

import (
	"errors"
	"sync"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/policy"
)

// PolicyReader reads what decides about a principal.
type PolicyReader interface {
	ManagedPolicyReader
	AttachmentsOfUser(accountID, userID string) (Attachments, bool, error)
	AttachmentsOfRole(accountID, roleID string) (Attachments, bool, error)
	// PolicyDocument finds a document by its digest, as Attachments name it.
	PolicyDocument(digest string) (string, bool, error)
}

// Compiler compiles policies and remembers what it has compiled by what can
// never come to mean another document: an inline document's digest, the ARN of
// one of AWS's own policies, a customer's document itself. It is safe for
// concurrent use.
type Compiler struct {
	managed func(arn string) (document string, found bool)
	limit   int
	root    *policy.Policy

	mu       sync.RWMutex
	compiled map[string]*policy.Policy
}

// NewCompiler returns a Compiler that remembers up to limit documents. managed
// finds AWS's own managed policies.
func NewCompiler(managed func(arn string) (string, bool), limit int) *Compiler {
	all, err := policy.Compile(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	if err != nil {
		panic("iam: " + err.Error()) // a constant document
	}
	return &Compiler{managed: managed, limit: limit, root: all, compiled: make(map[string]*policy.Policy)}
}

// PoliciesOf returns the policies that decide about p, compiled. An account's
// root is allowed everything. A principal whose user or role is gone has no
// policies, and so is denied everything; so are those that are no principals
// of AWS's APIs.
func (c *Compiler) PoliciesOf(tx PolicyReader, p Principal) (policy.Set, error) {
	var a Attachments
	var found bool
	var err error
	switch p.Kind {
	case KindRoot:
		return policy.Set{Identity: []*policy.Policy{c.root}}, nil
	case KindUser:
		a, found, err = tx.AttachmentsOfUser(p.AccountID, p.UserID)
	case KindRoleSession:
		a, found, err = tx.AttachmentsOfRole(p.AccountID, p.RoleID)
	case KindAnonymous, KindFederatedUser, KindIdentityCenterUser:
	}
	if err != nil || !found {
		return policy.Set{}, err
	}
	s, err := c.set(tx, a)
	if err != nil || p.Session == nil {
		return s, err
	}
	return c.limitSession(tx, s, p.Session)
}

// limitSession adds to s the session policies, if there are any.
func (c *Compiler) limitSession(tx PolicyReader, s policy.Set, session *Session) (policy.Set, error) {
	if len(session.Policies)+len(session.PolicyARNs) == 0 {
		return s, nil
	}
	limit := policy.Limit{Kind: policy.SessionPolicy}
	for _, document := range session.Policies {
		p, err := c.byDocument(document)
		if err != nil {
			return policy.Set{}, err
		}
		limit.Policies = append(limit.Policies, p)
	}
	for _, arn := range session.PolicyARNs {
		p, err := c.byARN(tx, arn)
		if err != nil {
			return policy.Set{}, err
		}
		if p != nil { // one that is gone allows nothing
			limit.Policies = append(limit.Policies, p)
		}
	}
	s.Limits = append(s.Limits, limit)
	return s, nil
}

func (c *Compiler) set(tx PolicyReader, a Attachments) (policy.Set, error) {
	s := policy.Set{Identity: make([]*policy.Policy, 0, len(a.Managed)+len(a.Inline))}
	for _, arn := range a.Managed {
		p, err := c.byARN(tx, arn)
		if err != nil {
			return policy.Set{}, err
		}
		if p != nil {
			s.Identity = append(s.Identity, p)
		}
	}
	for _, digest := range a.Inline {
		p, err := c.byDigest(tx, digest)
		if err != nil {
			return policy.Set{}, err
		}
		s.Identity = append(s.Identity, p)
	}
	if a.Boundary == "" {
		return s, nil
	}
	limit := policy.Limit{Kind: policy.PermissionsBoundary}
	p, err := c.byARN(tx, a.Boundary)
	if err != nil {
		return policy.Set{}, err
	}
	if p != nil { // a boundary that is gone allows nothing
		limit.Policies = []*policy.Policy{p}
	}
	s.Limits = []policy.Limit{limit}
	return s, nil
}

// byARN returns a managed policy, nil when it does not exist.
func (c *Compiler) byARN(tx PolicyReader, arn string) (*policy.Policy, error) {
	if p := c.remembered(arn); p != nil {
		return p, nil
	}
	if document, found := c.managed(arn); found {
		return c.compile(arn, document)
	}
	m, found, err := tx.ManagedPolicyByARN(arn)
	if err != nil || !found {
		return nil, err
	}
	return c.byDocument(m.Document)
}

func (c *Compiler) byDocument(document string) (*policy.Policy, error) {
	if p := c.remembered(document); p != nil {
		return p, nil
	}
	return c.compile(document, document)
}

func (c *Compiler) byDigest(tx PolicyReader, digest string) (*policy.Policy, error) {
	if p := c.remembered(digest); p != nil {
		return p, nil
	}
	document, found, err := tx.PolicyDocument(digest)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, unusable(errors.New("no document has the digest " + digest))
	}
	return c.compile(digest, document)
}

func (c *Compiler) remembered(key string) *policy.Policy {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.compiled[key]
}

// compile compiles a stored document and remembers it under key.
func (c *Compiler) compile(key, document string) (*policy.Policy, error) {
	p, err := policy.Compile(document)
	if err != nil {
		return nil, unusable(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.compiled) >= c.limit {
		clear(c.compiled) // what is in use comes back at once
	}
	c.compiled[key] = p
	return p, nil
}

// unusable is the failure of a stored document that cannot be used: ours, for
// documents are checked before they are stored. Whoever has such a policy is
// refused.
func unusable(err error) error {
	return fault.New(fault.Internal, "policy", "a stored policy cannot be used").WithCause(err)
}
