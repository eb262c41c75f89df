package rolesession

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
)

// How long sessions last that no permission set tells (STS API reference).
const (
	defaultRoleDuration = time.Hour
	// maxChained is the longest session that is opened with another role's.
	maxChained = time.Hour
	// DefaultUserDuration is how long GetSessionToken's credentials last.
	DefaultUserDuration = 12 * time.Hour
)

// Assumption is a request to assume a role. That the caller may is the API's
// to find out.
type Assumption struct {
	Role        iam.Role
	SessionName string
	Duration    time.Duration // 0 for an hour
	// Policies are documents and PolicyARNs managed policies that limit the
	// session.
	Policies, PolicyARNs []string
	Tags                 map[string]string
	TransitiveTagKeys    []string
	SourceIdentity       string
}

// Assume returns the principal of a session in which caller has assumed a
// role. What ends the caller's own session ends it too, and a person stays the
// person, with the second factor that was proved. change is the value of
// the change counter.
func Assume(now time.Time, change int64, caller iam.Principal, in Assumption) (iam.Principal, error) {
	duration, err := in.duration(caller)
	if err != nil {
		return iam.Principal{}, err
	}
	p := in.Role.Session(in.SessionName)
	p.IssuedAt = now
	p.IdentityStoreUserID, p.MFAAt = caller.IdentityStoreUserID, caller.MFAAt
	p.SourceIdentity = in.SourceIdentity
	if caller.SourceIdentity != "" {
		p.SourceIdentity = caller.SourceIdentity
	}
	p.Session = &iam.Session{
		ExpiresAt: now.Add(duration), Policies: in.Policies, PolicyARNs: in.PolicyARNs,
		Change: change, DependsOn: dependsOn(caller),
	}
	if caller.Session != nil {
		p.Session.Change = caller.Session.Change
	}
	for _, ref := range []epoch.Ref{{Scope: epoch.Account, ID: in.Role.AccountID}, {Scope: epoch.Principal, ID: in.Role.ID}} {
		if !slices.Contains(p.Session.DependsOn, ref) {
			p.Session.DependsOn = append(p.Session.DependsOn, ref)
		}
	}
	return p, in.tag(&p, caller)
}

// duration is how long the session lasts.
func (in Assumption) duration(caller iam.Principal) (time.Duration, error) {
	d := in.Duration
	switch {
	case d == 0:
		return defaultRoleDuration, nil
	case caller.Kind == iam.KindRoleSession && d > maxChained:
		return 0, fault.New(fault.Invalid, "durationSeconds", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	case d > in.Role.MaxSessionDuration:
		return 0, fault.New(fault.Invalid, "durationSeconds", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return d, nil
}

// tag gives p the session tags: those of the request, and those of the
// caller's that pass on.
func (in Assumption) tag(p *iam.Principal, caller iam.Principal) error {
	p.Tags = maps.Clone(in.Tags)
	keys := make(map[string]string) // by their lower case, in which they are unique
	for key := range in.Tags {
		keys[strings.ToLower(key)] = key
	}
	for _, named := range in.TransitiveTagKeys {
		key, ok := keys[strings.ToLower(named)]
		if !ok {
			return fault.New(fault.Invalid, "tags", "The specified transitive tag key must be included in the requested tags.")
		}
		p.Session.TransitiveTagKeys = append(p.Session.TransitiveTagKeys, key)
	}
	if caller.Session == nil {
		return nil
	}
	for _, key := range caller.Session.TransitiveTagKeys {
		if _, ok := keys[strings.ToLower(key)]; ok {
			return fault.New(fault.Invalid, "tags", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		if p.Tags == nil {
			p.Tags = make(map[string]string)
		}
		p.Tags[key] = caller.Tags[key]
		p.Session.TransitiveTagKeys = append(p.Session.TransitiveTagKeys, key)
	}
	return nil
}

// dependsOn is what ends everything that caller opens.
func dependsOn(caller iam.Principal) []epoch.Ref {
	if caller.Session != nil {
		return slices.Clone(caller.Session.DependsOn)
	}
	refs := []epoch.Ref{{Scope: epoch.Account, ID: caller.AccountID}}
	if caller.UserID != "" {
		refs = append(refs, epoch.Ref{Scope: epoch.Principal, ID: caller.UserID})
	}
	return refs
}

// ForUser returns the principal of a session of an IAM user who calls with
// long-term credentials.
func ForUser(now time.Time, change int64, caller iam.Principal, duration time.Duration) iam.Principal {
	p := caller
	p.AccessKeyID = ""
	p.IssuedAt = now
	p.Session = &iam.Session{ExpiresAt: now.Add(duration), Change: change, DependsOn: dependsOn(caller)}
	return p
}
