package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
)

// fill completes an answer with what does not depend on the storage: what the
// caller asked for, who owns it, and where it is.
func (c *call) fill(document any) {
	owner := ownerOf(c.caller.AccountID)
	switch d := document.(type) {
	case *ListAllMyBucketsResult:
		d.Owner, d.Prefix = owner, c.query["prefix"]
		for i := range d.Buckets {
			d.Buckets[i].BucketRegion = c.Region
		}
	case *LocationConstraint:
		if d.Region = c.Region; c.Region == "us-east-1" {
			d.Region = ""
		}
	case *ListBucketResult:
		c.fillList(d, owner)
	case *ListVersionsResult:
		d.Name, d.Prefix, d.Delimiter = c.bucket, c.query["prefix"], c.query["delimiter"]
		d.KeyMarker, d.VersionIDMarker, d.MaxKeys = c.query["key-marker"], c.query["version-id-marker"], c.limit("max-keys")
		for _, list := range [][]Version{d.Versions, d.DeleteMarkers} {
			for i := range list {
				list[i].Owner = &owner
			}
		}
		for i := range d.Versions {
			d.Versions[i].StorageClass = standard
		}
	case *ListMultipartUploadsResult:
		d.Bucket, d.Prefix, d.Delimiter = c.bucket, c.query["prefix"], c.query["delimiter"]
		d.KeyMarker, d.UploadIDMarker, d.MaxUploads = c.query["key-marker"], c.query["upload-id-marker"], c.limit("max-uploads")
		for i := range d.Uploads {
			d.Uploads[i].Owner, d.Uploads[i].Initiator, d.Uploads[i].StorageClass = owner, owner, standard
		}
	case *ListPartsResult:
		d.Bucket, d.Key, d.UploadID, d.Owner, d.Initiator, d.StorageClass = c.bucket, c.key, c.query["uploadId"], owner, owner, standard
		d.MaxParts = c.limit("max-parts")
		d.PartNumberMarker, _ = strconv.Atoi(c.query["part-number-marker"]) // was checked; 0 when not given
	case *InitiateMultipartUploadResult:
		d.Bucket, d.Key = c.bucket, c.key
	case *CompleteMultipartUploadResult:
		d.Bucket, d.Key = c.bucket, c.key
		d.Location = c.URL.String() + "/" + c.bucket + "/" + (&url.URL{Path: c.key}).EscapedPath()
	}
}

// standard is the one storage class.
const standard = "STANDARD"

func (c *call) fillList(d *ListBucketResult, owner Owner) {
	d.Name, d.Prefix, d.Delimiter, d.MaxKeys = c.bucket, c.query["prefix"], c.query["delimiter"], c.limit("max-keys")
	second := c.spec.name == "ListObjectsV2"
	for i := range d.Contents {
		d.Contents[i].StorageClass = standard
		if !second || strings.EqualFold(c.query["fetch-owner"], "true") {
			d.Contents[i].Owner = &owner
		}
	}
	if !second {
		marker := c.query["marker"]
		d.Marker = &marker
		return
	}
	count := len(d.Contents) + len(d.CommonPrefixes)
	d.KeyCount, d.StartAfter, d.ContinuationToken = &count, c.query["start-after"], c.query["continuation-token"]
}

// limit is the length of a page that the caller gets at most.
func (c *call) limit(parameter string) int {
	n, err := strconv.Atoi(c.query[parameter])
	if err != nil {
		return maxList
	}
	return n
}

// ownerOf returns the canonical user id of an account: always the same, and
// not telling the account.
func ownerOf(account string) Owner {
	sum := sha256.Sum256([]byte("canonical user of " + account))
	return Owner{ID: hex.EncodeToString(sum[:])}
}
