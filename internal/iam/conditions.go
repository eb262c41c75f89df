package iam

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/atrium-iam/atrium/internal/policy"
)

// Facts are what a request says about itself, for condition keys. What is left
// out of the resource's and the tags' facts is unknown to policies; the rest
// is absent.
type Facts struct {
	Time            time.Time
	SourceIP        netip.Addr
	UserAgent       string
	Referer         string
	SecureTransport bool
	RequestedRegion string
	OrganizationID  string // of the principal's account; "" outside one

	// ResourceAccount and ResourceOrganizationID tell who owns the resource;
	// "" when nobody has looked.
	ResourceAccount, ResourceOrganizationID string
	// RequestTags are the tags in the request, empty when it carries none;
	// nil when nobody has looked. TagKeys are keys that it carries without
	// values, as of tags to remove.
	RequestTags map[string]string
	TagKeys     []string
}

// GlobalKeys are the aws: condition keys that Values decides about: one of
// them that a request has no value for is absent, not unknown.
type GlobalKeys struct {
	always, untagged *policy.KeySet

	principalARN, principalAccount, principalType, principalIsService, userID, userName,
	sourceIP, userAgent, referer, secureTransport, requestedRegion, currentTime, epochTime, viaService,
	organizationID, resourceAccount, resourceOrganizationID, tagKeys,
	mfaPresent, mfaAge, tokenIssueTime, sourceIdentity, identityStoreUser policy.Key
}

// NewGlobalKeys returns the global condition keys (IAM User Guide, "AWS global
// condition context keys").
func NewGlobalKeys() *GlobalKeys {
	return &GlobalKeys{
		// Those of them that Values gives no value are absent: no principal
		// of ours is a service, is called via one or comes from a VPC.
		always: policy.NewKeySet(
			"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:PrincipalIsAWSService",
			"aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:PrincipalOrgID", "aws:PrincipalTag/*",
			"aws:userid", "aws:username", "aws:FederatedProvider", "aws:MultiFactorAuthPresent",
			"aws:MultiFactorAuthAge", "aws:TokenIssueTime",
			"aws:SourceIdentity", "identitystore:UserId",
			"aws:SourceIp", "aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:VpcSourceIp",
			"aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths",
			"aws:Ec2InstanceSourceVpc", "aws:Ec2InstanceSourcePrivateIPv4",
			"aws:UserAgent", "aws:referer", "aws:SecureTransport", "aws:RequestedRegion", "aws:CurrentTime", "aws:EpochTime",
			"aws:ViaAWSService", "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast",
		),
		untagged:     policy.NewKeySet("aws:RequestTag/*", "aws:TagKeys"),
		principalARN: policy.NewKey("aws:PrincipalArn"), principalAccount: policy.NewKey("aws:PrincipalAccount"),
		principalType: policy.NewKey("aws:PrincipalType"), principalIsService: policy.NewKey("aws:PrincipalIsAWSService"),
		userID: policy.NewKey("aws:userid"), userName: policy.NewKey("aws:username"),
		sourceIP: policy.NewKey("aws:SourceIp"), userAgent: policy.NewKey("aws:UserAgent"), referer: policy.NewKey("aws:referer"),
		secureTransport: policy.NewKey("aws:SecureTransport"), requestedRegion: policy.NewKey("aws:RequestedRegion"),
		currentTime: policy.NewKey("aws:CurrentTime"), epochTime: policy.NewKey("aws:EpochTime"),
		viaService:      policy.NewKey("aws:ViaAWSService"),
		organizationID:  policy.NewKey("aws:PrincipalOrgID"),
		resourceAccount: policy.NewKey("aws:ResourceAccount"), resourceOrganizationID: policy.NewKey("aws:ResourceOrgID"),
		tagKeys:    policy.NewKey("aws:TagKeys"),
		mfaPresent: policy.NewKey("aws:MultiFactorAuthPresent"), mfaAge: policy.NewKey("aws:MultiFactorAuthAge"), tokenIssueTime: policy.NewKey("aws:TokenIssueTime"),
		sourceIdentity: policy.NewKey("aws:SourceIdentity"), identityStoreUser: policy.NewKey("identitystore:UserId"),
	}
}

// Values are the condition keys of a request that p makes. Keys of the service
// that it is made to are for the caller to add.
func (k *GlobalKeys) Values(p Principal, f Facts) *policy.Values {
	v := new(policy.Values)
	v.Cover(k.always)
	k.setPrincipal(v, p, f.Time)

	setIf := func(key policy.Key, value string) {
		if value != "" {
			v.Set(key, value)
		}
	}
	if f.SourceIP.IsValid() {
		v.Set(k.sourceIP, f.SourceIP.Unmap().WithZone("").String())
	}
	setIf(k.userAgent, f.UserAgent)
	setIf(k.referer, f.Referer)
	setIf(k.requestedRegion, f.RequestedRegion)
	setIf(k.organizationID, f.OrganizationID)
	setIf(k.resourceAccount, f.ResourceAccount)
	setIf(k.resourceOrganizationID, f.ResourceOrganizationID)
	v.Set(k.secureTransport, strconv.FormatBool(f.SecureTransport))
	v.Set(k.currentTime, f.Time.UTC().Format(time.RFC3339))
	v.Set(k.epochTime, strconv.FormatInt(f.Time.Unix(), 10))
	v.Set(k.viaService, "false")
	if f.RequestTags != nil {
		k.setRequestTags(v, f)
	}
	return v
}

// setPrincipal sets the keys that tell who p is. at is the time of the request.
func (k *GlobalKeys) setPrincipal(v *policy.Values, p Principal, at time.Time) {
	v.Set(k.principalARN, policyARN(p))
	v.Set(k.principalAccount, p.AccountID)
	v.Set(k.principalType, principalType(p.Kind))
	v.Set(k.principalIsService, "false")
	v.Set(k.userID, p.ID)
	if p.Kind == KindUser {
		v.Set(k.userName, p.UserName)
	}
	if p.Session != nil || p.Kind == KindRoleSession || p.Kind == KindFederatedUser {
		// Long-term keys carry no such key at all.
		v.Set(k.mfaPresent, strconv.FormatBool(p.MFAAuthenticated()))
	}
	if p.MFAAuthenticated() {
		v.Set(k.mfaAge, strconv.FormatInt(int64(at.Sub(p.MFAAt)/time.Second), 10))
	}
	if !p.IssuedAt.IsZero() {
		v.Set(k.tokenIssueTime, p.IssuedAt.UTC().Format(time.RFC3339))
	}
	if p.SourceIdentity != "" {
		v.Set(k.sourceIdentity, p.SourceIdentity)
	}
	if p.IdentityStoreUserID != "" {
		v.Set(k.identityStoreUser, p.IdentityStoreUserID)
	}
	for name, value := range p.Tags {
		v.Set(policy.NewKey("aws:PrincipalTag/"+name), value)
	}
}

func (k *GlobalKeys) setRequestTags(v *policy.Values, f Facts) {
	v.Cover(k.untagged)
	names := slices.Clone(f.TagKeys)
	for name, value := range f.RequestTags {
		v.Set(policy.NewKey("aws:RequestTag/"+name), value)
		names = append(names, name)
	}
	v.Set(k.tagKeys, names...)
}

// policyARN is aws:PrincipalArn: for a role session the role's own ARN.
func policyARN(p Principal) string {
	if p.Kind == KindRoleSession {
		return Role{AccountID: p.AccountID, Path: p.RolePath, Name: p.RoleName}.ARN()
	}
	return p.ARN
}

// principalType is aws:PrincipalType.
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
