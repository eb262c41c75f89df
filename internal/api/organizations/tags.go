package organizations

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// TagResource adds tags to an account, root or unit.
func (Service) TagResource(c *gateway.Context[Tx], in *wire.TagResourceRequest) (*wire.TagResourceOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.TagResourceOutput{}, organization.TagResource(c.Tx, o, *in.ResourceId, tagsOf(in.Tags)))
}

// UntagResource removes tags.
func (Service) UntagResource(c *gateway.Context[Tx], in *wire.UntagResourceRequest) (*wire.UntagResourceOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.UntagResourceOutput{}, organization.UntagResource(c.Tx, o, *in.ResourceId, in.TagKeys))
}

// ListTagsForResource lists the tags of an account, root or unit: they fit on
// one page.
func (Service) ListTagsForResource(c *gateway.Context[Tx], in *wire.ListTagsForResourceRequest) (*wire.ListTagsForResourceResponse, error) {
	o, _, err := ownPage(c, in.NextToken, nil, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	tags, err := organization.ListTags(c.Tx, o, *in.ResourceId)
	return answer(&wire.ListTagsForResourceResponse{Tags: each(tags, wireTag)}, err)
}
