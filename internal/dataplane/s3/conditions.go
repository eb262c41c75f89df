package s3

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/policy"
)

// serviceKeys are S3's condition keys (Service Authorization Reference,
// "Condition keys for Amazon S3"). The tags that an object has already,
// s3:ExistingObjectTag, are not looked at and so unknown to policies: what
// depends on them is denied.
type serviceKeys struct {
	looked *policy.KeySet

	parameters map[string]policy.Key // by name of a parameter of the query
	headers    map[string]policy.Key // by name of a header field
	account, authType, version, age, contentHash, tls, location, source, creation, tagKeys,
	versionID policy.Key
}

func newServiceKeys() *serviceKeys {
	return &serviceKeys{
		// Those of them that a request gives no value are absent.
		looked: policy.NewKeySet(
			"s3:prefix", "s3:delimiter", "s3:max-keys", "s3:VersionId", "s3:LocationConstraint", "s3:locationconstraint",
			"s3:authType", "s3:signatureversion", "s3:signatureAge", "s3:TlsVersion", "s3:ResourceAccount",
			"s3:x-amz-*", "s3:RequestObjectTag/*", "s3:RequestObjectTagKeys", "s3:ObjectCreationOperation",
			"s3:if-match", "s3:if-none-match", "s3:object-lock-*", "s3:DataAccessPoint*", "s3:AccessPoint*",
			"s3:AccessGrantsInstanceArn", "s3:InventoryAccessibleOptionalFields", "s3:AnnotationName", "s3:BucketTag/*",
		),
		parameters: map[string]policy.Key{
			"prefix": policy.NewKey("s3:prefix"), "delimiter": policy.NewKey("s3:delimiter"), "max-keys": policy.NewKey("s3:max-keys"),
		},
		headers: map[string]policy.Key{
			"X-Amz-Acl": policy.NewKey("s3:x-amz-acl"), "X-Amz-Storage-Class": policy.NewKey("s3:x-amz-storage-class"),
			"X-Amz-Metadata-Directive": policy.NewKey("s3:x-amz-metadata-directive"),
			"X-Amz-Object-Ownership":   policy.NewKey("s3:x-amz-object-ownership"),
			"If-Match":                 policy.NewKey("s3:if-match"), "If-None-Match": policy.NewKey("s3:if-none-match"),
		},
		account: policy.NewKey("s3:ResourceAccount"), authType: policy.NewKey("s3:authType"),
		version: policy.NewKey("s3:signatureversion"), age: policy.NewKey("s3:signatureAge"),
		contentHash: policy.NewKey("s3:x-amz-content-sha256"), tls: policy.NewKey("s3:TlsVersion"),
		location: policy.NewKey("s3:LocationConstraint"), source: policy.NewKey("s3:x-amz-copy-source"),
		creation: policy.NewKey("s3:ObjectCreationOperation"), tagKeys: policy.NewKey("s3:RequestObjectTagKeys"),
		versionID: policy.NewKey("s3:VersionId"),
	}
}

// conditionValues are the condition keys that the caller's policies see.
func (c *call) conditionValues(r *http.Request) *policy.Values {
	v := c.keys.Values(c.caller, iam.Facts{
		Time: c.began, SourceIP: c.source, UserAgent: r.UserAgent(), Referer: r.Referer(), SecureTransport: c.Secure(r),
		RequestedRegion: c.claim.Scope.Region, OrganizationID: c.org,
		ResourceAccount: c.caller.AccountID, ResourceOrganizationID: c.org,
	})
	k := c.own
	v.Cover(k.looked)
	for name, key := range k.parameters {
		if value, given := c.op.Query[name]; given {
			v.Set(key, value)
		}
	}
	for name, key := range k.headers {
		if value := r.Header.Get(name); value != "" {
			v.Set(key, value)
		}
	}
	v.Set(k.account, c.caller.AccountID)
	v.Set(k.version, "AWS4-HMAC-SHA256")
	v.Set(k.age, strconv.FormatInt(max(0, c.began.Sub(c.claim.Time).Milliseconds()), 10))
	v.Set(k.contentHash, c.signature.PayloadHash)
	v.Set(k.authType, "REST-HEADER")
	if c.claim.Presigned {
		v.Set(k.authType, "REST-QUERY-STRING")
	}
	if r.TLS != nil {
		v.Set(k.tls, tlsVersion(r.TLS.Version))
	}
	c.setOperation(v)
	return v
}

// setOperation sets the keys that tell what is done.
func (c *call) setOperation(v *policy.Values) {
	k, o := c.own, c.op
	if d, ok := o.Document.(*CreateBucketConfiguration); ok && d.LocationConstraint != "" {
		v.Set(k.location, d.LocationConstraint)
	}
	version := o.Query["versionId"]
	if o.Source != nil {
		v.Set(k.source, o.Source.Bucket+"/"+o.Source.Key)
		version = o.Source.VersionID
	}
	if version != "" {
		v.Set(k.versionID, version)
	}
	switch o.Name {
	case "PutObject", "CopyObject", "CompleteMultipartUpload":
		v.Set(k.creation, "true")
	case "CreateMultipartUpload", "UploadPart", "UploadPartCopy":
		v.Set(k.creation, "false")
	}
	c.setTags(v)
}

// setTags sets the keys of the tags that the request gives an object.
func (c *call) setTags(v *policy.Values) {
	var tags []Tag
	switch d, ok := c.op.Document.(*Tagging); {
	case ok:
		tags = d.Tags
	case c.op.Header.Get("X-Amz-Tagging") != "":
		tags, _ = ParseTags(c.op.Header.Get("X-Amz-Tagging")) // was checked
	}
	var names []string
	for _, t := range tags {
		v.Set(policy.NewKey("s3:RequestObjectTag/"+t.Key), t.Value)
		names = append(names, t.Key)
	}
	if names != nil {
		v.Set(c.own.tagKeys, names...)
	}
}

// ParseTags reads tags in the form of X-Amz-Tagging, a query string, in the
// order of their keys.
func ParseTags(header string) ([]Tag, *Error) {
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil, Fail("InvalidArgument").Saying("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var tags []Tag
	for name, list := range values {
		for _, value := range list {
			tags = append(tags, Tag{Key: name, Value: value})
		}
	}
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags, checkTags(tags)
}

// tlsVersion is s3:TlsVersion: "1.2" or "1.3".
func tlsVersion(v uint16) string { return "1." + strconv.Itoa(int(v)-0x0301) }
