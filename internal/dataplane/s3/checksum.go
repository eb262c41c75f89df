package s3

import (
	"crypto/md5"  //nolint:gosec // S3's ETags and Content-MD5 are MD5
	"crypto/sha1" //nolint:gosec // one of S3's checksums
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"
)

// The tables of S3's cyclic redundancy checks. CRC64NVME is reflected, with
// the polynomial 0xad93d23594c93659.
var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	nvme       = crc64.MakeTable(0x9a6c9329ac4bc9b5)
)

// NewChecksum returns the hash of a checksum algorithm, nil when S3 has none
// of that name.
func NewChecksum(algorithm string) hash.Hash {
	switch algorithm {
	case "CRC32":
		return crc32.NewIEEE()
	case "CRC32C":
		return crc32.New(castagnoli)
	case "CRC64NVME":
		return crc64.New(nvme)
	case "SHA1":
		return sha1.New() //nolint:gosec // one of S3's checksums
	case "SHA256":
		return sha256.New()
	default:
		return nil
	}
}

// checksumPrefix begins the names of header fields, and trailers, that hold a
// checksum.
const checksumPrefix = "X-Amz-Checksum-"

// algorithmOf returns the algorithm of a header field that holds a checksum,
// "" for other fields.
func algorithmOf(header string) string {
	name, ok := strings.CutPrefix(http.CanonicalHeaderKey(header), checksumPrefix)
	if algorithm := strings.ToUpper(name); ok && NewChecksum(algorithm) != nil {
		return algorithm
	}
	return ""
}

// Header returns the name of the header field for the checksum.
func (c Checksum) Header() string {
	return http.CanonicalHeaderKey(checksumPrefix + c.Algorithm)
}

// sum is a hash that a body is held to.
type sum struct {
	hash hash.Hash
	want string // in the encoding of encode; "" while it is to come
	// encode writes the hash as it is told.
	encode func([]byte) string
	code   string // of the error when they differ
}

func (s *sum) value() string { return s.encode(s.hash.Sum(nil)) }

func sha256Sum(want string) *sum {
	return &sum{hash: sha256.New(), want: want, encode: hex.EncodeToString, code: "XAmzContentSHA256Mismatch"}
}

// md5Sum returns the hash that a Content-MD5 holds the body to.
func md5Sum(want string) (*sum, *Error) {
	if raw, err := base64.StdEncoding.DecodeString(want); err != nil || len(raw) != md5.Size {
		return nil, Fail("InvalidDigest")
	}
	return &sum{hash: md5.New(), want: want, encode: base64.StdEncoding.EncodeToString, code: "BadDigest"}, nil //nolint:gosec // Content-MD5
}

// checksumOf returns the hash that a checksum header holds the body to; nil
// when there is none. trailer is X-Amz-Trailer, which announces one that comes
// behind the body.
func checksumOf(h http.Header, trailer string) (s *sum, algorithm string, bad *Error) {
	for name := range h {
		a := algorithmOf(name)
		if a == "" {
			continue
		}
		if s != nil {
			return nil, "", Fail("InvalidRequest").Saying("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		s, algorithm = &sum{hash: NewChecksum(a), want: h.Get(name)}, a
		if raw, err := base64.StdEncoding.DecodeString(s.want); err != nil || len(raw) != s.hash.Size() {
			return nil, "", Fail("InvalidRequest").Saying("Value for " + strings.ToLower(name) + " header is invalid.")
		}
	}
	if trailer != "" {
		a := algorithmOf(trailer)
		switch {
		case a == "":
			return nil, "", Fail("InvalidRequest").Saying("The value specified in the x-amz-trailer header is not supported")
		case s != nil:
			return nil, "", Fail("InvalidRequest").Saying("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		s, algorithm = &sum{hash: NewChecksum(a)}, a
	}
	if s != nil {
		s.encode, s.code = base64.StdEncoding.EncodeToString, "BadDigest"
	}
	return s, algorithm, nil
}

// Type tells what the checksum is of: FULL_OBJECT, or COMPOSITE when it is one
// of parts' checksums.
func (c Checksum) Type() string {
	if strings.Contains(c.Value, "-") {
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}
