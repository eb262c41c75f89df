package s3_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// yes is a storage that does everything.
type yes struct{}

func (yes) Do(_ context.Context, _ string, op *s3.Operation) (*s3.Answer, error) {
	if op.Body != nil {
		if _, err := io.Copy(io.Discard, op.Body); err != nil {
			return nil, err
		}
	}
	document, _ := op.NewDocument()
	return &s3.Answer{Document: document}, nil
}

// request is an operation as a client asks for it, with all that bears on
// permissions.
type request struct {
	name, method, target, body string
	headers                    []string
	// needs are the actions that it takes, each with its resource and, after
	// that, those of the optional condition keys that it has there (Service
	// Authorization Reference, "Actions defined by Amazon S3").
	needs []string
}

const (
	listed = " s3:delimiter s3:max-keys s3:prefix"
	lists  = "prefix=a&delimiter=/&max-keys=7"
	key    = " arn:aws:s3:::bucket/a/key"
	source = " arn:aws:s3:::bucket/source"
)

// requests are all operations.
func requests() []request {
	stores := []string{
		"If-Match", "x", "X-Amz-Tagging", "team=a", "X-Amz-Acl", "private", "X-Amz-Storage-Class", "STANDARD",
	}
	copies := append([]string{"X-Amz-Copy-Source", "bucket/source?versionId=null", "X-Amz-Metadata-Directive", "COPY", "If-None-Match", "*"}, stores[2:]...)
	const (
		stored = " s3:ObjectCreationOperation s3:RequestObjectTag/team s3:RequestObjectTagKeys s3:if-match s3:x-amz-acl s3:x-amz-storage-class"
		copied = " s3:ObjectCreationOperation s3:RequestObjectTag/team s3:RequestObjectTagKeys s3:if-none-match s3:x-amz-acl s3:x-amz-copy-source s3:x-amz-metadata-directive s3:x-amz-storage-class"
		began  = " s3:ObjectCreationOperation s3:RequestObjectTag/team s3:RequestObjectTagKeys s3:x-amz-acl s3:x-amz-storage-class"
		tagged = " s3:RequestObjectTag/team s3:RequestObjectTagKeys"
		tags   = "<Tagging><TagSet><Tag><Key>team</Key><Value>a</Value></Tag></TagSet></Tagging>"
		parts  = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
		drops  = "<Delete><Object><Key>a/key</Key></Object><Object><Key>b</Key><VersionId>null</VersionId></Object></Delete>"
	)
	return []request{
		{"ListBuckets", "GET", "/?prefix=a&max-buckets=7", "", nil, []string{"s3:ListAllMyBuckets *"}},
		{"CreateBucket", "PUT", "/bucket", "<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>", []string{"X-Amz-Acl", "private", "X-Amz-Object-Ownership", "BucketOwnerEnforced"}, []string{
			"s3:CreateBucket arn:aws:s3:::bucket s3:LocationConstraint s3:x-amz-acl s3:x-amz-object-ownership", "s3:PutBucketOwnershipControls arn:aws:s3:::bucket",
		}},
		{"HeadBucket", "HEAD", "/bucket", "", nil, []string{"s3:ListBucket arn:aws:s3:::bucket"}},
		{"DeleteBucket", "DELETE", "/bucket", "", nil, []string{"s3:DeleteBucket arn:aws:s3:::bucket"}},
		{"GetBucketLocation", "GET", "/bucket?location=", "", nil, []string{"s3:GetBucketLocation arn:aws:s3:::bucket"}},
		{"GetBucketVersioning", "GET", "/bucket?versioning=", "", nil, []string{"s3:GetBucketVersioning arn:aws:s3:::bucket"}},
		{"ListObjects", "GET", "/bucket?" + lists, "", nil, []string{"s3:ListBucket arn:aws:s3:::bucket" + listed}},
		{"ListObjectsV2", "GET", "/bucket?list-type=2&" + lists, "", nil, []string{"s3:ListBucket arn:aws:s3:::bucket" + listed}},
		{"ListObjectVersions", "GET", "/bucket?versions=&" + lists, "", nil, []string{"s3:ListBucketVersions arn:aws:s3:::bucket" + listed}},
		{"ListMultipartUploads", "GET", "/bucket?uploads=&prefix=a&delimiter=/", "", nil, []string{"s3:ListBucketMultipartUploads arn:aws:s3:::bucket"}},
		{"GetObject", "GET", "/bucket/a/key", "", []string{"If-Match", "x"}, []string{"s3:GetObject" + key}},
		{"GetObject", "GET", "/bucket/a/key?versionId=null", "", nil, []string{"s3:GetObjectVersion" + key + " s3:VersionId"}},
		{"HeadObject", "HEAD", "/bucket/a/key", "", nil, []string{"s3:GetObject" + key}},
		{"HeadObject", "HEAD", "/bucket/a/key?versionId=null", "", nil, []string{"s3:GetObjectVersion" + key + " s3:VersionId"}},
		{"PutObject", "PUT", "/bucket/a/key", "content", stores, []string{"s3:PutObject" + key + stored, "s3:PutObjectTagging" + key + tagged, "s3:PutObjectAcl" + key + " s3:x-amz-acl"}},
		{"PutObject", "PUT", "/bucket/a/key", "content", nil, []string{"s3:PutObject" + key + " s3:ObjectCreationOperation"}},
		{"CopyObject", "PUT", "/bucket/a/key", "", copies, []string{
			"s3:GetObjectVersion" + source + " s3:VersionId", "s3:PutObject" + key + copied, "s3:PutObjectTagging" + key + tagged, "s3:PutObjectAcl" + key + " s3:x-amz-acl",
		}},
		{"CopyObject", "PUT", "/bucket/a/key", "", []string{"X-Amz-Copy-Source", "/bucket%2Fsource"}, []string{"s3:GetObject" + source, "s3:PutObject" + key + " s3:ObjectCreationOperation s3:x-amz-copy-source"}},
		{"DeleteObject", "DELETE", "/bucket/a/key", "", []string{"If-Match", "x"}, []string{"s3:DeleteObject" + key + " s3:if-match"}},
		{"DeleteObject", "DELETE", "/bucket/a/key?versionId=null", "", nil, []string{"s3:DeleteObjectVersion" + key + " s3:VersionId"}},
		{"DeleteObjects", "POST", "/bucket?delete=", drops, nil, []string{"s3:DeleteObject" + key, "s3:DeleteObjectVersion arn:aws:s3:::bucket/b s3:VersionId"}},
		{"GetObjectTagging", "GET", "/bucket/a/key?tagging=", "", nil, []string{"s3:GetObjectTagging" + key}},
		{"GetObjectTagging", "GET", "/bucket/a/key?tagging=&versionId=null", "", nil, []string{"s3:GetObjectVersionTagging" + key + " s3:VersionId"}},
		{"PutObjectTagging", "PUT", "/bucket/a/key?tagging=", tags, nil, []string{"s3:PutObjectTagging" + key + tagged}},
		{"PutObjectTagging", "PUT", "/bucket/a/key?tagging=&versionId=null", tags, nil, []string{"s3:PutObjectVersionTagging" + key + tagged + " s3:VersionId"}},
		{"DeleteObjectTagging", "DELETE", "/bucket/a/key?tagging=", "", nil, []string{"s3:DeleteObjectTagging" + key}},
		{"DeleteObjectTagging", "DELETE", "/bucket/a/key?tagging=&versionId=null", "", nil, []string{"s3:DeleteObjectVersionTagging" + key + " s3:VersionId"}},
		{"CreateMultipartUpload", "POST", "/bucket/a/key?uploads=", "", stores[2:], []string{"s3:PutObject" + key + began, "s3:PutObjectTagging" + key + tagged, "s3:PutObjectAcl" + key + " s3:x-amz-acl"}},
		{"UploadPart", "PUT", "/bucket/a/key?uploadId=u&partNumber=1", "content", nil, []string{"s3:PutObject" + key + " s3:ObjectCreationOperation"}},
		{"UploadPartCopy", "PUT", "/bucket/a/key?uploadId=u&partNumber=1", "", []string{"X-Amz-Copy-Source", "bucket/source"}, []string{"s3:GetObject" + source, "s3:PutObject" + key + " s3:ObjectCreationOperation s3:x-amz-copy-source"}},
		{"CompleteMultipartUpload", "POST", "/bucket/a/key?uploadId=u", parts, []string{"If-None-Match", "*"}, []string{"s3:PutObject" + key + " s3:ObjectCreationOperation s3:if-none-match"}},
		{"AbortMultipartUpload", "DELETE", "/bucket/a/key?uploadId=u", "", nil, []string{"s3:AbortMultipartUpload" + key}},
		{"ListParts", "GET", "/bucket/a/key?uploadId=u", "", nil, []string{"s3:ListMultipartUploadParts" + key}},
	}
}

// optional are the condition keys that some actions have and others have not.
var optional = strings.Fields(`s3:delimiter s3:max-keys s3:prefix s3:VersionId s3:LocationConstraint s3:x-amz-acl s3:x-amz-object-ownership
	s3:x-amz-storage-class s3:x-amz-metadata-directive s3:x-amz-copy-source s3:if-match s3:if-none-match s3:ObjectCreationOperation
	s3:RequestObjectTag/team s3:RequestObjectTagKeys s3:x-amz-server-side-encryption`)

// statement is one of a policy.
type statement struct {
	Effect    string
	Action    string
	Resource  string
	Condition any `json:",omitempty"`
}

func policyOf(statements ...statement) string {
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return string(text)
}

// denied asks with a policy and tells whether a need was denied, and that the
// answer says which.
func (d *door) denied(t *testing.T, r request, need []string, policy string) bool {
	t.Helper()
	status, body := d.ask(t, d.admit(account, policy), r.method, r.target, r.body, r.headers...)
	if !strings.Contains(body, "AccessDenied") && (r.method != http.MethodHead || status != http.StatusForbidden) {
		if status >= http.StatusMultipleChoices {
			t.Errorf("%s %s: %d %s", r.method, r.target, status, body)
		}
		return false
	}
	text := "is not authorized to perform: " + need[0] + " "
	if need[1] != "*" {
		text = "is not authorized to perform: " + need[0] + " on resource: &#34;" + need[1] + "&#34; "
	}
	if r.method != http.MethodHead && !strings.Contains(body, text) {
		t.Errorf("%s %s: %s does not say %s", r.method, r.target, body, text)
	}
	return true
}

// TestEveryOperationTakesItsPermissions holds each operation to exactly the
// actions that it takes, on exactly their resources.
func TestEveryOperationTakesItsPermissions(t *testing.T) {
	d := open(t, func(o *s3.Options) { o.Connector = yes{} })
	known := map[string]bool{}
	for _, r := range requests() {
		known[r.name] = true
		allowed := make([]statement, len(r.needs))
		for i, n := range r.needs {
			need := strings.Fields(n)
			allowed[i] = statement{Effect: "Allow", Action: need[0], Resource: need[1]}
		}
		for i, n := range r.needs {
			need := strings.Fields(n)
			if d.denied(t, r, need, policyOf(allowed...)) {
				t.Errorf("%s %s is denied with %v", r.name, r.target, r.needs)
			}
			without := slices.Delete(slices.Clone(allowed), i, i+1)
			if !d.denied(t, r, need, policyOf(append(without, statement{Effect: "Allow", Action: "s3:GetObjectAcl", Resource: "*"})...)) {
				t.Errorf("%s %s does not take %s", r.name, r.target, need[0])
			}
			if need[1] == "*" {
				continue
			}
			elsewhere := statement{Effect: "Allow", Action: need[0], Resource: need[1] + "x"}
			if !d.denied(t, r, need, policyOf(append(without, elsewhere)...)) {
				t.Errorf("%s %s does not take %s on %s", r.name, r.target, need[0], need[1])
			}
		}
	}
	for _, name := range s3.OperationNames() {
		if !known[name] {
			t.Errorf("which permissions does %s take?", name)
		}
	}
}

// TestActionsHaveTheirConditionKeys looks at which of the optional condition
// keys have a value for each action.
func TestActionsHaveTheirConditionKeys(t *testing.T) {
	d := open(t, func(o *s3.Options) { o.Connector = yes{} })
	for _, r := range requests() {
		for _, n := range r.needs {
			need := strings.Fields(n)
			var present []string
			for _, key := range optional {
				deny := statement{Effect: "Deny", Action: need[0], Resource: "*", Condition: map[string]any{"Null": map[string]string{key: "false"}}}
				if d.denied(t, r, need, policyOf(statement{Effect: "Allow", Action: "*", Resource: "*"}, deny)) {
					present = append(present, key)
				}
			}
			slices.Sort(present)
			want := slices.Clone(need[2:])
			slices.Sort(want)
			if diff := cmp.Diff(want, present, cmp.Transformer("", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
				t.Errorf("%s %s: condition keys of %s (-want +got):\n%s", r.name, r.target, need[0], diff)
			}
		}
	}
}

// TestConditionsHold has policies that depend on what requests carry.
func TestConditionsHold(t *testing.T) {
	d := open(t, func(o *s3.Options) { o.Connector = yes{} })
	on := func(operator, key string, values ...string) any {
		return map[string]any{operator: map[string]any{key: values}}
	}
	for _, test := range []struct {
		what      string
		condition any
		request   string // method and target
		headers   []string
		want      bool
	}{
		{"a prefix", on("StringLike", "s3:prefix", "home/sam/*"), "GET /bucket?list-type=2&prefix=home/sam/x", nil, true},
		{"another prefix", on("StringLike", "s3:prefix", "home/sam/*"), "GET /bucket?list-type=2&prefix=home/", nil, false},
		{"no prefix", on("StringLike", "s3:prefix", "home/sam/*"), "GET /bucket?list-type=2", nil, false},
		{"an empty prefix", on("StringEquals", "s3:prefix", ""), "GET /bucket?list-type=2&prefix=", nil, true},
		{"a delimiter", on("StringEquals", "s3:delimiter", "/"), "GET /bucket?delimiter=/", nil, true},
		{"no delimiter", on("StringEquals", "s3:delimiter", "/"), "GET /bucket", nil, false},
		{"few keys", on("NumericLessThanEquals", "s3:max-keys", "10"), "GET /bucket?max-keys=10", nil, true},
		{"many keys", on("NumericLessThanEquals", "s3:max-keys", "10"), "GET /bucket?max-keys=11", nil, false},
		{"more keys than there are on a page", on("NumericLessThanEquals", "s3:max-keys", "1000"), "GET /bucket?max-keys=100000", nil, true},
		{"an ACL", on("StringEquals", "s3:x-amz-acl", "bucket-owner-full-control"), "PUT /bucket/key", []string{"X-Amz-Acl", "bucket-owner-full-control"}, true},
		{"another ACL", on("StringEquals", "s3:x-amz-acl", "bucket-owner-full-control"), "PUT /bucket/key", []string{"X-Amz-Acl", "private"}, false},
		{"a source", on("StringLike", "s3:x-amz-copy-source", "bucket/open/*"), "PUT /bucket/key", []string{"X-Amz-Copy-Source", "/bucket/open/x"}, false}, // GetObject has no such key
		{"a tag", on("StringEquals", "s3:RequestObjectTag/team", "a"), "PUT /bucket/key", []string{"X-Amz-Tagging", "team=a"}, true},
		{"another tag", on("StringEquals", "s3:RequestObjectTag/team", "a"), "PUT /bucket/key", []string{"X-Amz-Tagging", "team=b"}, false},
		{"signed in headers", on("StringEquals", "s3:authType", "REST-HEADER"), "GET /bucket/key", nil, true},
		{"an old signature", on("NumericLessThan", "s3:signatureAge", "600000"), "GET /bucket/key", nil, true},
		{"no TLS", on("NumericGreaterThanEquals", "s3:TlsVersion", "1.2"), "GET /bucket/key", nil, false},
		{"unsigned content", on("StringNotEquals", "s3:x-amz-content-sha256", "UNSIGNED-PAYLOAD"), "GET /bucket/key", nil, true},
		{"tags that the object has", on("StringEquals", "s3:ExistingObjectTag/team", "a"), "GET /bucket/key", nil, false},
		{"the account", on("StringEquals", "s3:ResourceAccount", account), "GET /bucket/key", nil, true},
		{"another account", on("StringEquals", "aws:ResourceAccount", other), "GET /bucket/key", nil, false},
		{"encryption that is not there", on("StringEquals", "s3:x-amz-server-side-encryption", "AES256"), "PUT /bucket/key", nil, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			method, target, _ := strings.Cut(test.request, " ")
			policy := policyOf(statement{Effect: "Allow", Action: "s3:*", Resource: "*", Condition: test.condition})
			status, body := d.ask(t, d.admit(account, policy), method, target, "", test.headers...)
			if (status < http.StatusMultipleChoices) != test.want {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
}
