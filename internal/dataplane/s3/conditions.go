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

	listing []requestKey // of a list
	writing []requestKey // of what is stored
	acl     requestKey
	match   requestKey
	bucket  []requestKey // of a new bucket

	account, authType, version, age, contentHash, tls, location, source, creation, tagKeys,
	versionID policy.Key
}

// requestKey is a condition key and the parameter or header field that its
// value is from.
type requestKey struct {
	from string
	key  policy.Key
}

// keys are groups of condition keys that actions have beside those that all
// have, which tell how the request is signed and whose the bucket is.
type keys uint8

const (
	listKeys    keys = 1 << iota // s3:prefix, s3:delimiter, s3:max-keys
	versionKeys                  // s3:VersionId
	writeKeys                    // of a copy, of conditions, of attributes
	tagKeys                      // of the tags that the request gives
	aclKeys                      // s3:x-amz-acl
	matchKeys                    // s3:if-match
	bucketKeys                   // s3:LocationConstraint, s3:x-amz-object-ownership
)

// keysOf are the groups that an action has (Service Authorization Reference,
// "Actions defined by Amazon S3"). A key that an action does not have is absent
// there, whatever the request carries.
func keysOf(action string) keys {
	switch action {
	case "s3:ListBucket", "s3:ListBucketVersions":
		return listKeys
	case "s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:DeleteObjectVersionTagging":
		return versionKeys
	case "s3:DeleteObject":
		return matchKeys
	case "s3:DeleteObjectVersion":
		return matchKeys | versionKeys
	case "s3:PutObject":
		return writeKeys | tagKeys | aclKeys | matchKeys
	case "s3:PutObjectAcl":
		return aclKeys
	case "s3:PutObjectTagging":
		return tagKeys
	case "s3:PutObjectVersionTagging":
		return tagKeys | versionKeys
	case "s3:CreateBucket":
		return bucketKeys | aclKeys
	}
	return 0
}

func newServiceKeys() *serviceKeys {
	return &serviceKeys{
		// Those of them that a request gives no value are absent.
		looked: policy.NewKeySet(
			"s3:prefix", "s3:delimiter", "s3:max-keys", "s3:VersionId", "s3:LocationConstraint",
			"s3:authType", "s3:signatureversion", "s3:signatureAge", "s3:TlsVersion", "s3:ResourceAccount",
			"s3:x-amz-*", "s3:RequestObjectTag/*", "s3:RequestObjectTagKeys", "s3:ObjectCreationOperation",
			"s3:if-match", "s3:if-none-match", "s3:object-lock-*", "s3:DataAccessPoint*", "s3:AccessPoint*",
			"s3:AccessGrantsInstanceArn", "s3:InventoryAccessibleOptionalFields", "s3:AnnotationName", "s3:BucketTag/*",
		),
		listing: []requestKey{
			{"prefix", policy.NewKey("s3:prefix")}, {"delimiter", policy.NewKey("s3:delimiter")}, {"max-keys", policy.NewKey("s3:max-keys")},
		},
		writing: []requestKey{
			{"X-Amz-Storage-Class", policy.NewKey("s3:x-amz-storage-class")},
			{"X-Amz-Metadata-Directive", policy.NewKey("s3:x-amz-metadata-directive")},
			{"If-None-Match", policy.NewKey("s3:if-none-match")},
		},
		acl:     requestKey{"X-Amz-Acl", policy.NewKey("s3:x-amz-acl")},
		match:   requestKey{"If-Match", policy.NewKey("s3:if-match")},
		bucket:  []requestKey{{"X-Amz-Object-Ownership", policy.NewKey("s3:x-amz-object-ownership")}},
		account: policy.NewKey("s3:ResourceAccount"), authType: policy.NewKey("s3:authType"),
		version: policy.NewKey("s3:signatureversion"), age: policy.NewKey("s3:signatureAge"),
		contentHash: policy.NewKey("s3:x-amz-content-sha256"), tls: policy.NewKey("s3:TlsVersion"),
		location: policy.NewKey("s3:LocationConstraint"), source: policy.NewKey("s3:x-amz-copy-source"),
		creation: policy.NewKey("s3:ObjectCreationOperation"), tagKeys: policy.NewKey("s3:RequestObjectTagKeys"),
		versionID: policy.NewKey("s3:VersionId"),
	}
}

// conditionValues returns what makes the condition keys that the caller's
// policies see when they are asked for an action, on a version of an object
// when it is named.
func (c *call) conditionValues(r *http.Request) func(action, versionID string) *policy.Values {
	facts := iam.Facts{
		Time: c.began, SourceIP: c.source, UserAgent: r.UserAgent(), Referer: r.Referer(), SecureTransport: c.Secure(r),
		RequestedRegion: c.claim.Scope.Region, OrganizationID: c.org,
		ResourceAccount: c.caller.AccountID, ResourceOrganizationID: c.org,
	}
	return func(action, versionID string) *policy.Values {
		v := c.keys.Values(c.caller, facts)
		v.Cover(c.own.looked)
		c.setSignature(v, r)
		c.setRequest(v, keysOf(action))
		if keysOf(action)&versionKeys != 0 && versionID != "" {
			v.Set(c.own.versionID, versionID)
		}
		return v
	}
}

// setSignature sets the keys that all actions have.
func (c *call) setSignature(v *policy.Values, r *http.Request) {
	k := c.own
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
}

// setRequest sets the keys of the groups that are about what the request asks
// for.
func (c *call) setRequest(v *policy.Values, has keys) {
	k, o := c.own, c.op
	if has&listKeys != 0 {
		for _, l := range k.listing {
			if value, given := o.Query[l.from]; given {
				v.Set(l.key, value)
			}
		}
	}
	if has&writeKeys != 0 {
		c.setFields(v, k.writing...)
		if o.Source != nil {
			v.Set(k.source, o.Source.Bucket+"/"+o.Source.Key)
		}
		v.Set(k.creation, strconv.FormatBool(o.Name == "PutObject" || o.Name == "CopyObject" || o.Name == "CompleteMultipartUpload"))
	}
	if has&aclKeys != 0 {
		c.setFields(v, k.acl)
	}
	if has&matchKeys != 0 {
		c.setFields(v, k.match)
	}
	if has&bucketKeys != 0 {
		c.setFields(v, k.bucket...)
		if d, ok := o.Document.(*CreateBucketConfiguration); ok && d.LocationConstraint != "" {
			v.Set(k.location, d.LocationConstraint)
		}
	}
	if has&tagKeys != 0 {
		c.setTags(v)
	}
}

func (c *call) setFields(v *policy.Values, fields ...requestKey) {
	for _, f := range fields {
		if value := c.field(f.from); value != "" {
			v.Set(f.key, value)
		}
	}
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
