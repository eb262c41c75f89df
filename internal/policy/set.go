package policy

import "strings"

// Kind is a kind of policy, as far as decisions tell them apart.
type Kind uint8

// The kinds of policies.
const (
	IdentityPolicy Kind = iota
	PermissionsBoundary
	SessionPolicy
	ServiceControlPolicy
)

// Set is what decides about a principal. The zero Set denies everything.
type Set struct {
	// Identity are the principal's own policies: one of them must allow.
	Identity []*Policy
	// Limits can only take away: each must allow as well.
	Limits []Limit
}

// Limit is a permissions boundary, the session policies of one session, or
// the service control policies of one level of an organization. Its policies
// allow together what any of them allows.
type Limit struct {
	Kind     Kind
	Policies []*Policy
}

// Request is a question: may this action be done on this resource?
type Request struct {
	// Action is service and name with a colon between: "sso:ListInstances".
	Action string
	// Resource is an ARN, or "*" for an action that is asked on no resource
	// in particular: only a statement on "*" covers that.
	Resource string
	// Context are the condition keys. Nil knows nothing.
	Context *Values
}

// Effect is the outcome of a decision. The zero value denies.
type Effect uint8

// The effects.
const (
	ImplicitDeny Effect = iota
	ExplicitDeny
	Allow
)

// Decision is an answer and, when it is a denial, the kind of policy that
// denied or, of an implicit denial, that failed to allow.
type Decision struct {
	Effect Effect
	Kind   Kind
}

// evaluation is a request in the form that matching wants.
type evaluation struct {
	values   *Values
	action   string
	colon    int // its index in action
	resource string
	parts    arn // of the resource, when isARN
	isARN    bool
	lowered  [128]byte // action in lower case; longer ones do not exist
	parsed   [2]parsed
}

// lookup returns the entry of key, nil when it is unknown.
func (ev *evaluation) lookup(key Key) *entry {
	return ev.values.lookup(key, ev.service())
}

func (ev *evaluation) service() []byte { return ev.lowered[:ev.colon] }
func (ev *evaluation) name() []byte    { return ev.lowered[ev.colon+1 : len(ev.action)] }

// begin prepares the evaluation of r, false when nothing can match it.
func (ev *evaluation) begin(r Request) bool {
	ev.values, ev.action, ev.resource = r.Context, r.Action, r.Resource
	if ev.colon = strings.IndexByte(r.Action, ':'); ev.colon < 0 || len(r.Action) > len(ev.lowered) {
		return false
	}
	for i := range len(r.Action) {
		ev.lowered[i] = lower(r.Action[i])
	}
	ev.parts, ev.isARN = splitARN(r.Resource)
	return true
}

// Decide answers r.
func (s Set) Decide(r Request) Decision { return s.decide(r, false) }

// DecideGranted answers r where the resource's own policy has allowed the
// principal by name: no identity policy need allow. Denials and limits hold.
func (s Set) DecideGranted(r Request) Decision { return s.decide(r, true) }

func (s Set) decide(r Request, granted bool) Decision {
	var ev evaluation
	if !ev.begin(r) {
		return Decision{Effect: ImplicitDeny}
	}
	if denies(s.Identity, &ev) {
		return Decision{ExplicitDeny, IdentityPolicy}
	}
	for _, limit := range s.Limits {
		if denies(limit.Policies, &ev) {
			return Decision{ExplicitDeny, limit.Kind}
		}
	}
	if !granted && !allows(s.Identity, &ev) {
		return Decision{ImplicitDeny, IdentityPolicy}
	}
	for _, limit := range s.Limits {
		if !allows(limit.Policies, &ev) {
			return Decision{ImplicitDeny, limit.Kind}
		}
	}
	return Decision{Effect: Allow}
}

// denies reports whether a Deny of any policy applies, or cannot be ruled out.
func denies(policies []*Policy, ev *evaluation) bool {
	for _, p := range policies {
		if p.applies(&p.deny, ev) != no {
			return true
		}
	}
	return false
}

// allows reports whether an Allow of any policy certainly applies.
func allows(policies []*Policy, ev *evaluation) bool {
	for _, p := range policies {
		if p.applies(&p.allow, ev) == yes {
			return true
		}
	}
	return false
}
