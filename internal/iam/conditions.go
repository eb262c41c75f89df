package iam

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/atrium-iam/atrium/internal/policy"
)

// Facts are what a request says about itself, for condition keys.
type Facts struct {
	Time            time.Time
	SourceIP        netip.Addr
	UserAgent       string
	SecureTransport bool
	RequestedRegion string
	OrganizationID  string // of the principal's account; "" outside one
}

// GlobalKeys are the aws: condition keys that Values decides about: one of
// them that a request has no value for is absent, not unknown.
type GlobalKeys struct {
	set *policy.KeySet

	principalARN, principalAccount, principalType, userID, userName, sourceIP, userAgent,
	secureTransport, requestedRegion, currentTime, epochTime, organizationID, mfaPresent policy.Key
}

// NewGlobalKeys returns the global condition keys (IAM User Guide, "AWS global
// condition context keys").
func NewGlobalKeys() *GlobalKeys {
	return &GlobalKeys{
		set: policy.NewKeySet("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid", "aws:username",
			"aws:SourceIp", "aws:UserAgent", "aws:SecureTransport", "aws:RequestedRegion", "aws:CurrentTime", "aws:EpochTime",
			"aws:PrincipalOrgID", "aws:MultiFactorAuthPresent", "aws:PrincipalTag/*", "aws:referer", "aws:ViaAWSService",
			"aws:CalledVia", "aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp"),
		principalARN: policy.NewKey("aws:PrincipalArn"), principalAccount: policy.NewKey("aws:PrincipalAccount"),
		principalType: policy.NewKey("aws:PrincipalType"), userID: policy.NewKey("aws:userid"), userName: policy.NewKey("aws:username"),
		sourceIP: policy.NewKey("aws:SourceIp"), userAgent: policy.NewKey("aws:UserAgent"),
		secureTransport: policy.NewKey("aws:SecureTransport"), requestedRegion: policy.NewKey("aws:RequestedRegion"),
		currentTime: policy.NewKey("aws:CurrentTime"), epochTime: policy.NewKey("aws:EpochTime"),
		organizationID: policy.NewKey("aws:PrincipalOrgID"), mfaPresent: policy.NewKey("aws:MultiFactorAuthPresent"),
	}
}

// Values are the condition keys of a request that p makes.
func (k *GlobalKeys) Values(p Principal, f Facts) *policy.Values {
	v := new(policy.Values)
	v.Cover(k.set)
	v.Set(k.principalARN, policyARN(p))
	v.Set(k.principalAccount, p.AccountID)
	v.Set(k.principalType, principalType(p.Kind))
	v.Set(k.userID, p.ID)
	if p.Kind == KindUser {
		v.Set(k.userName, p.UserName)
	}
	if f.SourceIP.IsValid() {
		v.Set(k.sourceIP, f.SourceIP.String())
	}
	if f.UserAgent != "" {
		v.Set(k.userAgent, f.UserAgent)
	}
	v.Set(k.secureTransport, strconv.FormatBool(f.SecureTransport))
	v.Set(k.requestedRegion, f.RequestedRegion)
	v.Set(k.currentTime, f.Time.UTC().Format(time.RFC3339))
	v.Set(k.epochTime, strconv.FormatInt(f.Time.Unix(), 10))
	if f.OrganizationID != "" {
		v.Set(k.organizationID, f.OrganizationID)
	}
	if p.Kind == KindRoleSession || p.Kind == KindFederatedUser {
		// Long-term keys carry no such key at all.
		v.Set(k.mfaPresent, strconv.FormatBool(p.MFAAuthenticated))
	}
	for name, value := range p.Tags {
		v.Set(policy.NewKey("aws:PrincipalTag/"+name), value)
	}
	return v
}

// policyARN is aws:PrincipalArn: for a role session the role's own ARN.
func policyARN(p Principal) string {
	if p.Kind == KindRoleSession {
		return Role{AccountID: p.AccountID, Path: p.RolePath, Name: p.RoleName}.ARN()
	}
	return p.ARN
}

func principalType(k Kind) string {
	switch k {
	case KindRoot:
		return "Account"
	case KindUser:
		return "User"
	case KindRoleSession:
		return "AssumedRole"
	case KindFederatedUser:
		return "FederatedUser"
	default:
		return "Anonymous"
	}
}
