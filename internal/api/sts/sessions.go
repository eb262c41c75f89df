package sts

import (
	"strings"
	"time"

	wire "github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/policy"
	"github.com/atrium-iam/atrium/internal/rolesession"
)

// AssumeRole opens a session of a role. The role's trust policy and the
// caller's own policies decide together, which is why the gateway does not.
func (s Service) AssumeRole(c Context, in *wire.AssumeRoleRequest) (*wire.AssumeRoleResponse, error) {
	if c.Caller.Kind == iam.KindRoot {
		return nil, fault.New(fault.Denied, "", "Roles may not be assumed by root accounts.")
	}
	if in.ProvidedContexts != nil {
		return nil, fault.New(fault.Invalid, "providedContexts", "Trusted context assertions are not supported.")
	}
	if err := refuseMFA(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	a, err := assumption(in)
	if err != nil {
		return nil, err
	}
	if a.Role, err = mayAssume(c, in, a); err != nil {
		return nil, err
	}
	if err := checkPolicies(c.Tx, a); err != nil {
		return nil, err
	}
	change, err := c.Tx.Change()
	if err != nil {
		return nil, err
	}
	p, err := rolesession.Assume(c.Request.Time, change, c.Caller, a)
	if err != nil {
		return nil, err
	}
	credentials, err := rolesession.Issue(s.Sessions, c.IDs, p)
	if err != nil {
		return nil, err
	}
	out := &wire.AssumeRoleResponse{
		Credentials:     wireCredentials(credentials),
		AssumedRoleUser: &wire.AssumedRoleUser{Arn: &p.ARN, AssumedRoleId: &p.ID},
	}
	if len(a.Policies)+len(a.PolicyARNs)+len(p.Tags) > 0 {
		out.PackedPolicySize = new(int32(credentials.PackedSize))
	}
	if p.SourceIdentity != "" {
		out.SourceIdentity = &p.SourceIdentity
	}
	return out, nil
}

// GetSessionToken gives an IAM user temporary credentials of the same rights.
// It needs no permission.
func (s Service) GetSessionToken(c Context, in *wire.GetSessionTokenRequest) (*wire.GetSessionTokenResponse, error) {
	if c.Caller.Kind != iam.KindUser || c.Caller.Session != nil {
		return nil, fault.New(fault.Denied, "", "Cannot call GetSessionToken with session credentials")
	}
	if err := refuseMFA(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	duration := rolesession.DefaultUserDuration
	if in.DurationSeconds != nil {
		duration = seconds(in.DurationSeconds)
	}
	change, err := c.Tx.Change()
	if err != nil {
		return nil, err
	}
	credentials, err := rolesession.Issue(s.Sessions, c.IDs, rolesession.ForUser(c.Request.Time, change, c.Caller, duration))
	if err != nil {
		return nil, err
	}
	return &wire.GetSessionTokenResponse{Credentials: wireCredentials(credentials)}, nil
}

// refuseMFA refuses the code of an MFA device: no IAM user has one.
func refuseMFA(serial, code *string) error {
	if serial == nil && code == nil {
		return nil
	}
	return fault.New(fault.Denied, "", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
}

// maxPolicyARNs is how many managed session policies a session may have (STS
// API reference).
const maxPolicyARNs = 10

// assumption reads what a request asks for, but for the role.
func assumption(in *wire.AssumeRoleRequest) (a rolesession.Assumption, err error) {
	a = rolesession.Assumption{SessionName: *in.RoleSessionName, Duration: seconds(in.DurationSeconds), TransitiveTagKeys: in.TransitiveTagKeys}
	if in.SourceIdentity != nil {
		a.SourceIdentity = *in.SourceIdentity
	}
	if in.Policy != nil {
		a.Policies = []string{*in.Policy}
	}
	if len(in.PolicyArns) > maxPolicyARNs {
		return a, fault.New(fault.Invalid, "policyArns", "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to %d", maxPolicyARNs)
	}
	for _, p := range in.PolicyArns {
		if p.Arn != nil {
			a.PolicyARNs = append(a.PolicyARNs, *p.Arn)
		}
	}
	a.Tags, err = sessionTags(in.Tags)
	return a, err
}

// sessionTags reads tags, whose keys are unique whatever their case.
func sessionTags(in []wire.Tag) (map[string]string, error) {
	tags, keys := make(map[string]string, len(in)), make(map[string]bool, len(in))
	for _, t := range in {
		lower := strings.ToLower(*t.Key)
		switch {
		case keys[lower]:
			return nil, fault.New(fault.Invalid, "tags", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case strings.HasPrefix(lower, "aws:"):
			return nil, fault.New(fault.Invalid, "tags", "Tag keys that begin with aws: are reserved for system use.")
		}
		keys[lower] = true
		tags[*t.Key] = *t.Value
	}
	return tags, nil
}

// mayAssume returns the role, if the caller may assume it in this way.
func mayAssume(c Context, in *wire.AssumeRoleRequest, a rolesession.Assumption) (iam.Role, error) {
	if !strings.HasPrefix(*in.RoleArn, "arn:") {
		return iam.Role{}, fault.New(fault.Invalid, "roleArn", "%s is invalid", *in.RoleArn)
	}
	role, found, err := iam.RoleByARN(c.Tx, *in.RoleArn)
	if err != nil {
		return role, err
	}
	if found {
		var account bool
		account, err = active(c.Tx, role.AccountID)
		found = account
	}
	if err == nil && !found {
		err = iam.CannotAssume(c.Caller, "sts:AssumeRole", *in.RoleArn)
	}
	if err != nil {
		return role, err
	}
	if a.SourceIdentity != "" && c.Caller.SourceIdentity != "" && a.SourceIdentity != c.Caller.SourceIdentity {
		return role, iam.CannotAssume(c.Caller, "sts:SetSourceIdentity", *in.RoleArn)
	}
	return role, authorize(c, in, a, role)
}

func active(tx Tx, accountID string) (bool, error) {
	account, found, err := tx.AccountByID(accountID)
	return found && account.Active(), err
}

// authorize asks the role's trust policy and the caller's policies for each
// action that the request amounts to.
func authorize(c Context, in *wire.AssumeRoleRequest, a rolesession.Assumption, role iam.Role) error {
	trust, err := policy.CompileTrust(role.TrustPolicy)
	if err != nil {
		return fault.New(fault.Internal, "role", "a stored trust policy cannot be used").WithCause(err)
	}
	set, values, err := c.Policies()
	if err != nil {
		return err
	}
	setKeys(values, in, a)
	actions := []string{"sts:AssumeRole"}
	if len(a.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if a.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		if err := iam.AuthorizeOnRole(set, c.Caller, action, role, trust, values); err != nil {
			return err
		}
	}
	return nil
}

// setKeys sets STS's own condition keys.
func setKeys(values *policy.Values, in *wire.AssumeRoleRequest, a rolesession.Assumption) {
	one := func(name string, value *string) {
		if value != nil {
			values.Set(policy.NewKey(name), *value)
		} else {
			values.Set(policy.NewKey(name))
		}
	}
	one("sts:RoleSessionName", in.RoleSessionName)
	one("sts:ExternalId", in.ExternalId)
	one("sts:SourceIdentity", in.SourceIdentity)
	values.Set(policy.NewKey("sts:TransitiveTagKeys"), a.TransitiveTagKeys...)
}

// checkPolicies checks the session policies: documents compile, managed
// policies are AWS's or of the role's account.
func checkPolicies(tx iam.PolicyReader, a rolesession.Assumption) error {
	for _, document := range a.Policies {
		if _, err := policy.Compile(document); err != nil {
			return err
		}
	}
	return iam.CheckSessionPolicies(tx, a.Role.AccountID, a.PolicyARNs)
}

func seconds(n *int32) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Second
}

func wireCredentials(c rolesession.Credentials) *wire.Credentials {
	return &wire.Credentials{
		AccessKeyId: &c.AccessKeyID, SecretAccessKey: &c.SecretAccessKey, SessionToken: &c.SessionToken,
		Expiration: new(c.ExpiresAt.Truncate(time.Second)),
	}
}
