package s3

import (
	"encoding/xml"
	"time"
)

// The documents of S3's REST API, as far as its operations here read and write
// them. Names and keys in them are as they are, not encoded for URLs.

// Namespace is the XML namespace of S3's documents.
const Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// Time is a time as S3 writes it in documents: UTC with milliseconds.
type Time struct{ time.Time }

// MarshalText writes the time.
func (t Time) MarshalText() ([]byte, error) {
	return []byte(t.UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

// UnmarshalText reads the time, with or without fractions of seconds.
func (t *Time) UnmarshalText(text []byte) (err error) {
	t.Time, err = time.Parse(time.RFC3339Nano, string(text))
	return err
}

// Owner is who owns buckets and objects: the account, by a name that does not
// tell which.
type Owner struct {
	ID          string `xml:"ID"`
	DisplayName string `xml:"DisplayName,omitempty"`
}

// ListAllMyBucketsResult answers ListBuckets.
type ListAllMyBucketsResult struct {
	Owner             Owner    `xml:"Owner"`
	Buckets           []Bucket `xml:"Buckets>Bucket"`
	ContinuationToken string   `xml:"ContinuationToken,omitempty"`
	Prefix            string   `xml:"Prefix,omitempty"`
}

// Bucket is a bucket in a list.
type Bucket struct {
	Name         string `xml:"Name"`
	CreationDate Time   `xml:"CreationDate"`
	BucketRegion string `xml:"BucketRegion,omitempty"`
}

// LocationConstraint answers GetBucketLocation: "" is us-east-1.
type LocationConstraint struct {
	Region string `xml:",chardata"`
}

// VersioningConfiguration answers GetBucketVersioning.
type VersioningConfiguration struct {
	Status string `xml:"Status,omitempty"`
}

// Prefix is what the keys of a group have in common.
type Prefix struct {
	Prefix string `xml:"Prefix"`
}

// ListBucketResult answers ListObjects and ListObjectsV2. Pointers are the
// fields of only one of them.
type ListBucketResult struct {
	Name                  string   `xml:"Name"`
	Prefix                string   `xml:"Prefix"`
	Marker                *string  `xml:"Marker"`
	NextMarker            string   `xml:"NextMarker,omitempty"`
	StartAfter            string   `xml:"StartAfter,omitempty"`
	ContinuationToken     string   `xml:"ContinuationToken,omitempty"`
	NextContinuationToken string   `xml:"NextContinuationToken,omitempty"`
	KeyCount              *int     `xml:"KeyCount"`
	MaxKeys               int      `xml:"MaxKeys"`
	Delimiter             string   `xml:"Delimiter,omitempty"`
	EncodingType          string   `xml:"EncodingType,omitempty"`
	IsTruncated           bool     `xml:"IsTruncated"`
	Contents              []Object `xml:"Contents"`
	CommonPrefixes        []Prefix `xml:"CommonPrefixes"`
}

// Object is an object in a list.
type Object struct {
	Key               string `xml:"Key"`
	LastModified      Time   `xml:"LastModified"`
	ETag              string `xml:"ETag"`
	ChecksumAlgorithm string `xml:"ChecksumAlgorithm,omitempty"`
	Size              int64  `xml:"Size"`
	Owner             *Owner `xml:"Owner"`
	StorageClass      string `xml:"StorageClass,omitempty"`
}

// ListVersionsResult answers ListObjectVersions.
type ListVersionsResult struct {
	Name                string    `xml:"Name"`
	Prefix              string    `xml:"Prefix"`
	KeyMarker           string    `xml:"KeyMarker"`
	VersionIDMarker     string    `xml:"VersionIdMarker"`
	NextKeyMarker       string    `xml:"NextKeyMarker,omitempty"`
	NextVersionIDMarker string    `xml:"NextVersionIdMarker,omitempty"`
	MaxKeys             int       `xml:"MaxKeys"`
	Delimiter           string    `xml:"Delimiter,omitempty"`
	EncodingType        string    `xml:"EncodingType,omitempty"`
	IsTruncated         bool      `xml:"IsTruncated"`
	Versions            []Version `xml:"Version"`
	DeleteMarkers       []Version `xml:"DeleteMarker"`
	CommonPrefixes      []Prefix  `xml:"CommonPrefixes"`
}

// Version is a version of an object or, without ETag, Size and StorageClass, a
// delete marker.
type Version struct {
	Key          string `xml:"Key"`
	VersionID    string `xml:"VersionId"`
	IsLatest     bool   `xml:"IsLatest"`
	LastModified Time   `xml:"LastModified"`
	ETag         string `xml:"ETag,omitempty"`
	Size         *int64 `xml:"Size"`
	Owner        *Owner `xml:"Owner"`
	StorageClass string `xml:"StorageClass,omitempty"`
}

// CopyObjectResult answers CopyObject.
type CopyObjectResult struct {
	LastModified Time   `xml:"LastModified"`
	ETag         string `xml:"ETag"`
	Checksums
}

// CopyPartResult answers UploadPartCopy.
type CopyPartResult struct {
	LastModified Time   `xml:"LastModified"`
	ETag         string `xml:"ETag"`
	Checksums
}

// Checksums are the elements that tell a checksum.
type Checksums struct {
	CRC32     string `xml:"ChecksumCRC32,omitempty"`
	CRC32C    string `xml:"ChecksumCRC32C,omitempty"`
	CRC64NVME string `xml:"ChecksumCRC64NVME,omitempty"`
	SHA1      string `xml:"ChecksumSHA1,omitempty"`
	SHA256    string `xml:"ChecksumSHA256,omitempty"`
}

// Of returns the checksum of an algorithm, "" for none.
func (c *Checksums) Of(algorithm string) string {
	if at := c.at(algorithm); at != nil {
		return *at
	}
	return ""
}

// Add puts a checksum into the element of its algorithm.
func (c *Checksums) Add(sum Checksum) {
	if at := c.at(sum.Algorithm); at != nil {
		*at = sum.Value
	}
}

func (c *Checksums) at(algorithm string) *string {
	switch algorithm {
	case "CRC32":
		return &c.CRC32
	case "CRC32C":
		return &c.CRC32C
	case "CRC64NVME":
		return &c.CRC64NVME
	case "SHA1":
		return &c.SHA1
	case "SHA256":
		return &c.SHA256
	default:
		return nil
	}
}

// InitiateMultipartUploadResult answers CreateMultipartUpload.
type InitiateMultipartUploadResult struct {
	Bucket   string `xml:"Bucket"`
	Key      string `xml:"Key"`
	UploadID string `xml:"UploadId"`
}

// CompleteMultipartUploadResult answers CompleteMultipartUpload.
type CompleteMultipartUploadResult struct {
	Location string `xml:"Location"`
	Bucket   string `xml:"Bucket"`
	Key      string `xml:"Key"`
	ETag     string `xml:"ETag"`
	Checksums
	ChecksumType string `xml:"ChecksumType,omitempty"`
}

// ListPartsResult answers ListParts.
type ListPartsResult struct {
	Bucket               string `xml:"Bucket"`
	Key                  string `xml:"Key"`
	UploadID             string `xml:"UploadId"`
	Initiator            Owner  `xml:"Initiator"`
	Owner                Owner  `xml:"Owner"`
	StorageClass         string `xml:"StorageClass,omitempty"`
	PartNumberMarker     int    `xml:"PartNumberMarker"`
	NextPartNumberMarker int    `xml:"NextPartNumberMarker,omitempty"`
	MaxParts             int    `xml:"MaxParts"`
	EncodingType         string `xml:"EncodingType,omitempty"`
	IsTruncated          bool   `xml:"IsTruncated"`
	Parts                []Part `xml:"Part"`
}

// Part is a part of a multipart upload.
type Part struct {
	PartNumber   int    `xml:"PartNumber"`
	LastModified Time   `xml:"LastModified"`
	ETag         string `xml:"ETag"`
	Size         int64  `xml:"Size"`
	Checksums
}

// ListMultipartUploadsResult answers ListMultipartUploads.
type ListMultipartUploadsResult struct {
	Bucket             string   `xml:"Bucket"`
	KeyMarker          string   `xml:"KeyMarker"`
	UploadIDMarker     string   `xml:"UploadIdMarker"`
	NextKeyMarker      string   `xml:"NextKeyMarker,omitempty"`
	NextUploadIDMarker string   `xml:"NextUploadIdMarker,omitempty"`
	Prefix             string   `xml:"Prefix"`
	Delimiter          string   `xml:"Delimiter,omitempty"`
	EncodingType       string   `xml:"EncodingType,omitempty"`
	MaxUploads         int      `xml:"MaxUploads"`
	IsTruncated        bool     `xml:"IsTruncated"`
	Uploads            []Upload `xml:"Upload"`
	CommonPrefixes     []Prefix `xml:"CommonPrefixes"`
}

// Upload is a multipart upload that is under way.
type Upload struct {
	Key          string `xml:"Key"`
	UploadID     string `xml:"UploadId"`
	Initiator    Owner  `xml:"Initiator"`
	Owner        Owner  `xml:"Owner"`
	StorageClass string `xml:"StorageClass,omitempty"`
	Initiated    Time   `xml:"Initiated"`
}

// CreateBucketConfiguration is the body of CreateBucket.
type CreateBucketConfiguration struct {
	XMLName            xml.Name `xml:"CreateBucketConfiguration"`
	LocationConstraint string   `xml:"LocationConstraint,omitempty"`
}

// Delete is the body of DeleteObjects.
type Delete struct {
	XMLName xml.Name       `xml:"Delete"`
	Objects []ObjectToDrop `xml:"Object"`
	Quiet   bool           `xml:"Quiet,omitempty"`
}

// ObjectToDrop names an object to delete, and perhaps its version, and the ETag
// that it must have.
type ObjectToDrop struct {
	Key       string `xml:"Key"`
	VersionID string `xml:"VersionId,omitempty"`
	ETag      string `xml:"ETag,omitempty"`
}

// DeleteResult answers DeleteObjects.
type DeleteResult struct {
	Deleted []Deleted     `xml:"Deleted"`
	Errors  []DeleteError `xml:"Error"`
}

// Deleted is an object that is gone.
type Deleted struct {
	Key                   string `xml:"Key"`
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:"DeleteMarker,omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

// DeleteError is an object that is not deleted.
type DeleteError struct {
	Key       string `xml:"Key"`
	VersionID string `xml:"VersionId,omitempty"`
	Code      string `xml:"Code"`
	Message   string `xml:"Message"`
}

// Tagging holds the tags of an object.
type Tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	Tags    []Tag    `xml:"TagSet>Tag"`
}

// Tag is a tag of an object.
type Tag struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
}

// CompleteMultipartUpload is the body of CompleteMultipartUpload.
type CompleteMultipartUpload struct {
	XMLName xml.Name        `xml:"CompleteMultipartUpload"`
	Parts   []CompletedPart `xml:"Part"`
}

// CompletedPart names a part that the object is made of.
type CompletedPart struct {
	PartNumber int    `xml:"PartNumber"`
	ETag       string `xml:"ETag"`
	Checksums
}
