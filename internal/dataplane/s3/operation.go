package s3

import (
	"context"
	"io"
	"net/http"
)

// Connector does operations in the storage of an account, where the account
// has buckets of its own.
type Connector interface {
	// Do does what op says in the storage of the account. It fails with an
	// *Error that tells S3's code; any other error is an internal one. The
	// answer's Body is the caller's to close.
	Do(ctx context.Context, account string, op *Operation) (*Answer, error)
}

// Operation is something that its caller may do, in decoded fields. Everything
// in it is known to the table of operations and was checked.
type Operation struct {
	// Name is AWS's name of the operation, such as "PutObject".
	Name string
	// Bucket is a well-formed bucket name, "" for ListBuckets. Key is that of
	// an object, "" for operations on buckets: any UTF-8 of up to 1024 bytes,
	// also one that would mean something else as a path of files.
	Bucket, Key string
	// Query holds the operation's parameters by name, those that make it this
	// operation included. Numbers are within bounds.
	Query map[string]string
	// Header holds the request's header fields that the table names, by
	// canonical name, one value each. X-Amz-Copy-Source is not among them.
	Header http.Header
	// Source is what a copy is made of; nil when nothing is copied.
	Source *Source
	// Document is what the body says: *CreateBucketConfiguration, *Delete,
	// *Tagging or *CompleteMultipartUpload; nil for none.
	Document any
	// Body is the content of PutObject and UploadPart, Size bytes; nil for
	// other operations. Its last byte comes when everything has proved to be
	// as it was signed; an error before that means that nothing may be kept.
	Body io.Reader
	Size int64
	// Checksum returns the checksum that the content was sent with, once Body
	// has been read to its end.
	Checksum func() Checksum
	// PayloadHash is the SHA-256 of the body in hexadecimal when the caller
	// told it in advance, else "". Body is held to it.
	PayloadHash string

	spec *operation
}

// Source names the object that a copy is made of.
type Source struct {
	Bucket, Key string
	VersionID   string // "" for the newest
}

// Checksum is a checksum of content beside its ETag. The zero value is none.
type Checksum struct {
	// Algorithm is CRC32, CRC32C, CRC64NVME, SHA1 or SHA256.
	Algorithm string
	// Value is in base64, with "-N" behind for one of N parts' checksums.
	Value string
}

// Answer is what an operation gave.
type Answer struct {
	// Status is 0 for the usual one, or 206 for a part of an object.
	Status int
	// Header holds what S3 tells in header fields: ETag, Last-Modified, the
	// object's attributes and metadata. Fields that S3 does not have are not
	// passed on.
	Header http.Header
	// Document is the body in XML, one of this package's documents, nil when
	// the operation has none. Names and keys in it are not encoded.
	Document any
	// Body is the content of GetObject, Size bytes.
	Body io.ReadCloser
	// Size is the length of Body, and for HeadObject of what it would be.
	Size int64
}

// Method returns the HTTP method of the operation.
func (o *Operation) Method() string { return o.spec.method }

// Streams tells whether the operation takes content in Body.
func (o *Operation) Streams() bool { return o.spec.body == streamed }

// NewDocument returns an empty document of the kind that the operation answers
// with, and the name of its XML element; nil when it has none.
func (o *Operation) NewDocument() (document any, element string) {
	if o.spec.answer == nil {
		return nil, ""
	}
	return o.spec.answer(), o.spec.element
}
