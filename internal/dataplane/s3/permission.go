package s3

import (
	"context"
	"net/http"
	"strings"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/policy"
)

// permit decides about the caller of one request.
type permit struct {
	set    policy.Set
	values func(action, versionID string) *policy.Values
	caller iam.Principal
}

// authorize asks the caller's policies for every permission that the operation
// takes. Of DeleteObjects only those keys stay that the caller may delete.
func (c *call) authorize(ctx context.Context, r *http.Request) *Error {
	err := c.DB.View(ctx, func(tx Tx) error {
		c.permit = &permit{caller: c.caller}
		org, _, err := tx.OrganizationOfAccount(c.caller.AccountID)
		if err != nil {
			return err
		}
		c.org = org.ID
		c.permit.set, err = c.Policies.PoliciesOf(tx, c.caller)
		return err
	})
	if err != nil {
		return c.translate(err)
	}
	c.permit.values = c.conditionValues(r)
	for _, n := range c.spec.needs {
		if n.with != "" && c.field(n.with) == "" {
			continue
		}
		if n.on == onEach {
			c.keepAllowed(n)
			continue
		}
		version := c.op.Query["versionId"]
		if n.on == onSource {
			version = c.op.Source.VersionID
		}
		if err := c.permit.check(n.of(version), c.arn(n.on), version); err != nil {
			return err
		}
	}
	c.limitTags()
	return nil
}

// of returns the action on a version, or on the newest when it is "".
func (n need) of(version string) string {
	if version != "" && n.versioned != "" {
		return n.versioned
	}
	return n.action
}

// arn returns the ARN that a permission is asked on. S3's ARNs do not tell the
// account.
func (c *call) arn(on target) string {
	switch on {
	case onBucket:
		return bucketARN(c.bucket)
	case onSource:
		return objectARN(c.op.Source.Bucket, c.op.Source.Key)
	case onObject:
		return objectARN(c.bucket, c.key)
	default:
		return "*"
	}
}

func bucketARN(bucket string) string { return "arn:aws:s3:::" + bucket }

func objectARN(bucket, key string) string { return bucketARN(bucket) + "/" + key }

// check refuses, in AWS's words, what the caller's policies do not allow.
func (p *permit) check(action, resource, versionID string) *Error {
	d := p.set.Decide(policy.Request{Action: action, Resource: resource, Context: p.values(action, versionID)})
	if d.Effect == policy.Allow {
		return nil
	}
	on := ""
	if resource != "*" {
		on = ` on resource: "` + resource + `"`
	}
	return Fail("AccessDenied").Saying("User: " + p.caller.ARN + " is not authorized to perform: " + action + on + " " + iam.Because(action, d))
}

// keepAllowed takes out of a DeleteObjects what the caller may not delete.
func (c *call) keepAllowed(n need) {
	drop, ok := c.op.Document.(*Delete)
	if !ok {
		return
	}
	allowed := drop.Objects[:0]
	for _, o := range drop.Objects {
		if err := c.permit.check(n.of(o.VersionID), objectARN(c.bucket, o.Key), o.VersionID); err != nil {
			c.refused = append(c.refused, DeleteError{Key: o.Key, VersionID: o.VersionID, Code: err.Code, Message: err.Message})
			continue
		}
		allowed = append(allowed, o)
	}
	drop.Objects = allowed
}

// limitTags keeps a copy from taking tags along that the caller may not read
// or set: the copy has none then.
func (c *call) limitTags() {
	o := c.op
	if o.Name != "CopyObject" || strings.EqualFold(o.Header.Get("X-Amz-Tagging-Directive"), "REPLACE") {
		return
	}
	read := need{action: "s3:GetObjectTagging", versioned: "s3:GetObjectVersionTagging"}
	version := o.Source.VersionID
	if c.permit.check(read.of(version), c.arn(onSource), version) != nil || c.permit.check("s3:PutObjectTagging", c.arn(onObject), "") != nil {
		o.Header.Set("X-Amz-Tagging-Directive", "REPLACE")
		o.Header.Del("X-Amz-Tagging")
	}
}

// hide keeps callers who may not list a bucket from learning which keys it
// has: as S3 does, they are told that they may not, instead of that there is
// no such object.
func (c *call) hide(err *Error) *Error {
	if err.Code != "NoSuchKey" || c.spec.level != objectLevel {
		return err
	}
	bucket := c.bucket
	if c.op.Source != nil {
		bucket = c.op.Source.Bucket
	}
	if denied := c.permit.check("s3:ListBucket", bucketARN(bucket), ""); denied != nil {
		return denied
	}
	return err
}
