package gateway

import (
	"strings"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/policy"
)

// conditionValues are the condition keys that the caller's policies see.
func (c *call) conditionValues(tx Tx, rl realm, resources []string) (*policy.Values, error) {
	facts := iam.Facts{
		Time: c.request.Time, SourceIP: c.sourceAddr, UserAgent: c.request.UserAgent, Referer: c.request.Referer,
		SecureTransport: c.request.Secure, RequestedRegion: c.request.Region,
		ResourceAccount: rl.owner,
	}
	if account := accountOfARN(resources[0]); account != "" {
		facts.ResourceAccount = account
	}
	var err error
	if facts.OrganizationID, err = rl.organizationOf(tx, c.caller.AccountID); err != nil {
		return nil, err
	}
	if facts.ResourceOrganizationID, err = rl.organizationOf(tx, facts.ResourceAccount); err != nil {
		return nil, err
	}
	facts.RequestTags, facts.TagKeys = c.requestTags()
	return c.gateway.keys.Values(c.caller, facts), nil
}

// organizationOf returns the id of the organization that an account is in, ""
// for none.
func (rl realm) organizationOf(tx Tx, accountID string) (string, error) {
	switch {
	case accountID == "":
		return "", nil
	case accountID == rl.owner && rl.organization != "":
		return rl.organization, nil
	}
	org, _, err := tx.OrganizationOfAccount(accountID)
	return org.ID, err
}

// accountOfARN returns the account that an ARN names, "" when it names none.
func accountOfARN(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || !isAccountID(parts[4]) {
		return ""
	}
	return parts[4]
}

// requestTags returns the tags that the input carries, and the keys of tags
// that it names without values. All services call those members alike, and
// require both parts of a tag.
func (c *call) requestTags() (tags map[string]string, keys []string) {
	tags = make(map[string]string)
	names, values := texts(c.inputMember("Tags.Key")), texts(c.inputMember("Tags.Value"))
	for i := range min(len(names), len(values)) {
		tags[names[i]] = values[i]
	}
	return tags, texts(c.inputMember("TagKeys"))
}

// texts returns the strings among the elements of a list.
func texts(list any) (out []string) {
	elements, _ := list.([]any)
	for _, e := range elements {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// policies returns what decides about the caller, and the condition keys and
// the resources that it decides on.
func (c *call) policies(tx Tx, rl realm) (set policy.Set, values *policy.Values, resources []string, err error) {
	if set, err = c.gateway.Policies.PoliciesOf(tx, c.caller); err != nil {
		return set, nil, nil, err
	}
	if resources, err = c.resources(tx, rl); err != nil {
		return set, nil, nil, err
	}
	values, err = c.conditionValues(tx, rl, resources)
	return set, values, resources, err
}
