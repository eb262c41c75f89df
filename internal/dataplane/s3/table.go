package s3

import (
	"net/http"
	"slices"
	"strings"
)

// level is what an operation addresses.
type level uint8

const (
	accountLevel level = iota
	bucketLevel
	objectLevel
)

// body is what an operation's request carries.
type body uint8

const (
	empty    body = iota // nothing
	document             // XML
	streamed             // content
)

// target is what a permission is asked on.
type target uint8

const (
	onAccount target = iota
	onBucket
	onObject
	onSource
	onEach // every object that the body names
)

// need is a permission that an operation takes.
type need struct {
	action string
	// versioned is the action when a version is named; "" when it is the same.
	versioned string
	on        target
	// with makes the need depend on a header field that the request carries.
	with string
}

// operation is a row of the table: how a request is recognised as one of S3's
// operations, what it may carry, and which permissions it takes.
type operation struct {
	name   string
	method string
	level  level
	// marks are the parameters that make a request this operation: "uploads",
	// or with the value that they must have, "list-type=2".
	marks []string
	// copies: the operation is the one with an x-amz-copy-source.
	copies bool
	// query and headers are what else the request may carry. A name that ends
	// in "*" stands for all that begin so.
	query, headers []string
	body           body
	request        func() any // a new document of the request
	elements       []string   // that it may have, its root first
	element        string     // of the answer's document
	answer         func() any // a new document of the answer
	status         int        // 0 is 200
	needs          []need
	readOnly       bool
	// data: the operation is about content; its audit record is a data event.
	data bool
}

// The groups of header fields.
var (
	attributes = []string{
		"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires", "X-Amz-Meta-*",
	}
	conditions = []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"}
	checksums  = []string{
		"X-Amz-Checksum-Crc32", "X-Amz-Checksum-Crc32c", "X-Amz-Checksum-Crc64nvme", "X-Amz-Checksum-Sha1", "X-Amz-Checksum-Sha256",
		"X-Amz-Sdk-Checksum-Algorithm", "Content-Md5",
	}
	sourceConditions = []string{
		"X-Amz-Copy-Source-If-Match", "X-Amz-Copy-Source-If-None-Match",
		"X-Amz-Copy-Source-If-Modified-Since", "X-Amz-Copy-Source-If-Unmodified-Since",
	}
	overrides = []string{
		"response-content-type", "response-content-language", "response-expires",
		"response-cache-control", "response-content-disposition", "response-content-encoding",
	}
	getObject = []need{{action: "s3:GetObject", versioned: "s3:GetObjectVersion", on: onObject}}
	putObject = []need{{action: "s3:PutObject", on: onObject}}
	fromCopy  = []need{{action: "s3:GetObject", versioned: "s3:GetObjectVersion", on: onSource}, {action: "s3:PutObject", on: onObject}}
	tagged    = need{action: "s3:PutObjectTagging", on: onObject, with: "X-Amz-Tagging"}
	listed    = need{action: "s3:PutObjectAcl", on: onObject, with: "X-Amz-Acl"}
)

// operations is the table. Actions and resources are those of the Service
// Authorization Reference, "Actions, resources, and condition keys for Amazon
// S3", and of the S3 API reference's "Permissions" sections.
func operations() []operation {
	return slices.Concat(bucketOperations(), listings(), objectOperations(), tagOperations(), uploadOperations())
}

func bucketOperations() []operation {
	return []operation{
		{
			name: "ListBuckets", method: http.MethodGet, level: accountLevel, readOnly: true,
			query:   []string{"prefix", "max-buckets", "continuation-token", "bucket-region"},
			element: "ListAllMyBucketsResult", answer: func() any { return new(ListAllMyBucketsResult) },
			needs: []need{{action: "s3:ListAllMyBuckets", on: onAccount}},
		},
		{
			name: "CreateBucket", method: http.MethodPut, level: bucketLevel, body: document,
			headers: slices.Concat([]string{"X-Amz-Sdk-Checksum-Algorithm"}, checksums),
			request: func() any { return new(CreateBucketConfiguration) }, elements: []string{"CreateBucketConfiguration", "LocationConstraint"},
			needs: []need{
				{action: "s3:CreateBucket", on: onBucket},
				{action: "s3:PutBucketOwnershipControls", on: onBucket, with: "X-Amz-Object-Ownership"},
			},
		},
		{
			name: "HeadBucket", method: http.MethodHead, level: bucketLevel, readOnly: true,
			needs: []need{{action: "s3:ListBucket", on: onBucket}},
		},
		{
			name: "DeleteBucket", method: http.MethodDelete, level: bucketLevel, status: http.StatusNoContent,
			needs: []need{{action: "s3:DeleteBucket", on: onBucket}},
		},
		{
			name: "GetBucketLocation", method: http.MethodGet, level: bucketLevel, marks: []string{"location"}, readOnly: true,
			element: "LocationConstraint", answer: func() any { return new(LocationConstraint) },
			needs: []need{{action: "s3:GetBucketLocation", on: onBucket}},
		},
		{
			name: "GetBucketVersioning", method: http.MethodGet, level: bucketLevel, marks: []string{"versioning"}, readOnly: true,
			element: "VersioningConfiguration", answer: func() any { return new(VersioningConfiguration) },
			needs: []need{{action: "s3:GetBucketVersioning", on: onBucket}},
		},
	}
}

func listings() []operation {
	return []operation{
		{
			name: "ListObjects", method: http.MethodGet, level: bucketLevel, readOnly: true, data: true,
			query:   []string{"prefix", "delimiter", "marker", "max-keys", "encoding-type"},
			element: "ListBucketResult", answer: func() any { return new(ListBucketResult) },
			needs: []need{{action: "s3:ListBucket", on: onBucket}},
		},
		{
			name: "ListObjectsV2", method: http.MethodGet, level: bucketLevel, marks: []string{"list-type=2"}, readOnly: true, data: true,
			query:   []string{"prefix", "delimiter", "continuation-token", "start-after", "max-keys", "encoding-type", "fetch-owner"},
			element: "ListBucketResult", answer: func() any { return new(ListBucketResult) },
			needs: []need{{action: "s3:ListBucket", on: onBucket}},
		},
		{
			name: "ListObjectVersions", method: http.MethodGet, level: bucketLevel, marks: []string{"versions"}, readOnly: true, data: true,
			query:   []string{"prefix", "delimiter", "key-marker", "version-id-marker", "max-keys", "encoding-type"},
			element: "ListVersionsResult", answer: func() any { return new(ListVersionsResult) },
			needs: []need{{action: "s3:ListBucketVersions", on: onBucket}},
		},
		{
			name: "ListMultipartUploads", method: http.MethodGet, level: bucketLevel, marks: []string{"uploads"}, readOnly: true, data: true,
			query:   []string{"prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"},
			element: "ListMultipartUploadsResult", answer: func() any { return new(ListMultipartUploadsResult) },
			needs: []need{{action: "s3:ListBucketMultipartUploads", on: onBucket}},
		},
	}
}

func objectOperations() []operation {
	return []operation{
		{
			name: "GetObject", method: http.MethodGet, level: objectLevel, readOnly: true, data: true,
			query:   slices.Concat([]string{"versionId", "partNumber"}, overrides),
			headers: slices.Concat([]string{"Range", "X-Amz-Checksum-Mode"}, conditions), needs: getObject,
		},
		{
			name: "HeadObject", method: http.MethodHead, level: objectLevel, readOnly: true, data: true,
			query:   slices.Concat([]string{"versionId", "partNumber"}, overrides),
			headers: slices.Concat([]string{"Range", "X-Amz-Checksum-Mode"}, conditions), needs: getObject,
		},
		{
			name: "PutObject", method: http.MethodPut, level: objectLevel, body: streamed, data: true,
			headers: slices.Concat([]string{"X-Amz-Tagging", "If-Match", "If-None-Match"}, attributes, checksums),
			needs:   append(putObject[:1:1], tagged, listed),
		},
		{
			name: "CopyObject", method: http.MethodPut, level: objectLevel, copies: true, data: true,
			headers: slices.Concat([]string{"X-Amz-Metadata-Directive", "X-Amz-Tagging-Directive", "X-Amz-Tagging", "X-Amz-Checksum-Algorithm", "If-Match", "If-None-Match"},
				attributes, sourceConditions),
			element: "CopyObjectResult", answer: func() any { return new(CopyObjectResult) },
			needs: append(fromCopy[:2:2], tagged, listed),
		},
		{
			name: "DeleteObject", method: http.MethodDelete, level: objectLevel, status: http.StatusNoContent, data: true,
			query: []string{"versionId"}, headers: []string{"If-Match"},
			needs: []need{{action: "s3:DeleteObject", versioned: "s3:DeleteObjectVersion", on: onObject}},
		},
		{
			name: "DeleteObjects", method: http.MethodPost, level: bucketLevel, marks: []string{"delete"}, body: document, data: true,
			headers: checksums,
			request: func() any { return new(Delete) }, elements: []string{"Delete", "Quiet", "Object", "Key", "VersionId", "ETag"},
			element: "DeleteResult", answer: func() any { return new(DeleteResult) },
			needs: []need{{action: "s3:DeleteObject", versioned: "s3:DeleteObjectVersion", on: onEach}},
		},
	}
}

func tagOperations() []operation {
	return []operation{
		{
			name: "GetObjectTagging", method: http.MethodGet, level: objectLevel, marks: []string{"tagging"}, readOnly: true, data: true,
			query: []string{"versionId"}, element: "Tagging", answer: func() any { return new(Tagging) },
			needs: []need{{action: "s3:GetObjectTagging", versioned: "s3:GetObjectVersionTagging", on: onObject}},
		},
		{
			name: "PutObjectTagging", method: http.MethodPut, level: objectLevel, marks: []string{"tagging"}, body: document, data: true,
			query: []string{"versionId"}, headers: checksums,
			request: func() any { return new(Tagging) }, elements: []string{"Tagging", "TagSet", "Tag", "Key", "Value"},
			needs: []need{{action: "s3:PutObjectTagging", versioned: "s3:PutObjectVersionTagging", on: onObject}},
		},
		{
			name: "DeleteObjectTagging", method: http.MethodDelete, level: objectLevel, marks: []string{"tagging"}, status: http.StatusNoContent, data: true,
			query: []string{"versionId"},
			needs: []need{{action: "s3:DeleteObjectTagging", versioned: "s3:DeleteObjectVersionTagging", on: onObject}},
		},
	}
}

func uploadOperations() []operation {
	return []operation{
		{
			name: "CreateMultipartUpload", method: http.MethodPost, level: objectLevel, marks: []string{"uploads"}, data: true,
			headers: slices.Concat([]string{"X-Amz-Tagging", "X-Amz-Checksum-Algorithm", "X-Amz-Checksum-Type"}, attributes),
			element: "InitiateMultipartUploadResult", answer: func() any { return new(InitiateMultipartUploadResult) },
			needs: append(putObject[:1:1], tagged, listed),
		},
		{
			name: "UploadPart", method: http.MethodPut, level: objectLevel, marks: []string{"uploadId", "partNumber"}, body: streamed, data: true,
			headers: checksums, needs: putObject,
		},
		{
			name: "UploadPartCopy", method: http.MethodPut, level: objectLevel, marks: []string{"uploadId", "partNumber"}, copies: true, data: true,
			headers: slices.Concat([]string{"X-Amz-Copy-Source-Range"}, sourceConditions),
			element: "CopyPartResult", answer: func() any { return new(CopyPartResult) },
			needs: fromCopy,
		},
		{
			name: "CompleteMultipartUpload", method: http.MethodPost, level: objectLevel, marks: []string{"uploadId"}, body: document, data: true,
			headers: slices.Concat([]string{"If-Match", "If-None-Match", "X-Amz-Checksum-Type", "X-Amz-Mp-Object-Size"}, checksums),
			request: func() any { return new(CompleteMultipartUpload) }, elements: []string{
				"CompleteMultipartUpload", "Part", "PartNumber", "ETag",
				"ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256",
			},
			element: "CompleteMultipartUploadResult", answer: func() any { return new(CompleteMultipartUploadResult) },
			needs: putObject,
		},
		{
			name: "AbortMultipartUpload", method: http.MethodDelete, level: objectLevel, marks: []string{"uploadId"}, status: http.StatusNoContent, data: true,
			needs: []need{{action: "s3:AbortMultipartUpload", on: onObject}},
		},
		{
			name: "ListParts", method: http.MethodGet, level: objectLevel, marks: []string{"uploadId"}, readOnly: true, data: true,
			query:   []string{"max-parts", "part-number-marker", "encoding-type"},
			element: "ListPartsResult", answer: func() any { return new(ListPartsResult) },
			needs: []need{{action: "s3:ListMultipartUploadParts", on: onObject}},
		},
	}
}

// knows tells whether name is in a list of names, of which some end in "*".
func knows(names []string, name string) bool {
	return slices.ContainsFunc(names, func(known string) bool {
		if prefix, ok := strings.CutSuffix(known, "*"); ok {
			return len(name) > len(prefix) && strings.HasPrefix(name, prefix)
		}
		return known == name
	})
}

// marked tells whether the parameters of a request are those that make it this
// operation.
func (o *operation) marked(query map[string]string) bool {
	for _, mark := range o.marks {
		name, want, fixed := strings.Cut(mark, "=")
		if value, given := query[name]; !given || fixed && value != want {
			return false
		}
	}
	return true
}

// takes tells whether the operation knows the parameter.
func (o *operation) takes(parameter string) bool {
	return knows(o.query, parameter) || slices.ContainsFunc(o.marks, func(mark string) bool {
		name, _, _ := strings.Cut(mark, "=")
		return name == parameter
	})
}
