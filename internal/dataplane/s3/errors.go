package s3

import (
	"net/http"

	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// Error is a failure as S3 tells it.
type Error struct {
	Code    string
	Status  int
	Message string
	// Details are further elements of the error document, such as the region
	// that a request must be signed for.
	Details []Detail

	cause error
}

// Detail is an element of an error document.
type Detail struct{ Name, Value string }

// Error returns code and message.
func (e *Error) Error() string {
	text := e.Code + ": " + e.Message
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the cause, which is for the log only.
func (e *Error) Unwrap() error { return e.cause }

// Fail returns the error of a code, in S3's words. A code that S3 does not have
// is an internal error.
func Fail(code string) *Error {
	k, known := codes[code]
	if !known {
		code, k = "InternalError", codes["InternalError"]
	}
	return &Error{Code: code, Status: k.status, Message: k.message}
}

// Saying returns e with another message.
func (e *Error) Saying(message string) *Error { e.Message = message; return e }

// With returns e with one more element.
func (e *Error) With(name, value string) *Error {
	e.Details = append(e.Details, Detail{name, value})
	return e
}

// Known tells whether S3 has an error of that code.
func Known(code string) bool { _, known := codes[code]; return known }

// codes are S3's errors, with the statuses and words of the API reference,
// "Error responses".
var codes = map[string]struct {
	status  int
	message string
}{
	"AccessControlListNotSupported":      {http.StatusBadRequest, "The bucket does not allow ACLs"},
	"AccessDenied":                       {http.StatusForbidden, "Access Denied"},
	"AuthorizationHeaderMalformed":       {http.StatusBadRequest, "The authorization header that you provided is not valid."},
	"AuthorizationQueryParametersError":  {http.StatusBadRequest, "The authorization query parameters that you provided are not valid."},
	"BadDigest":                          {http.StatusBadRequest, "The Content-MD5 or checksum value that you specified did not match what the server received."},
	"BucketAlreadyExists":                {http.StatusConflict, "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."},
	"BucketAlreadyOwnedByYou":            {http.StatusConflict, "Your previous request to create the named bucket succeeded and you already own it."},
	"BucketNotEmpty":                     {http.StatusConflict, "The bucket you tried to delete is not empty"},
	"ConditionalRequestConflict":         {http.StatusConflict, "The conditional request cannot succeed due to a conflicting operation against this resource."},
	"EntityTooLarge":                     {http.StatusBadRequest, "Your proposed upload exceeds the maximum allowed size"},
	"EntityTooSmall":                     {http.StatusBadRequest, "Your proposed upload is smaller than the minimum allowed size"},
	"ExpiredToken":                       {http.StatusBadRequest, "The provided token has expired."},
	"IllegalLocationConstraintException": {http.StatusBadRequest, "The specified location constraint is incompatible for the region specific endpoint this request was sent to."},
	"IncompleteBody":                     {http.StatusBadRequest, "You did not provide the number of bytes specified by the Content-Length HTTP header"},
	"InternalError":                      {http.StatusInternalServerError, "We encountered an internal error. Please try again."},
	"InvalidAccessKeyId":                 {http.StatusForbidden, "The AWS Access Key Id you provided does not exist in our records."},
	"InvalidArgument":                    {http.StatusBadRequest, "Invalid Argument"},
	"InvalidBucketName":                  {http.StatusBadRequest, "The specified bucket is not valid."},
	"InvalidChunkSizeError":              {http.StatusBadRequest, "The chunk size of the aws-chunked body is not valid."},
	"InvalidDigest":                      {http.StatusBadRequest, "The Content-MD5 you specified was invalid."},
	"InvalidPart":                        {http.StatusBadRequest, "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."},
	"InvalidPartOrder":                   {http.StatusBadRequest, "The list of parts was not in ascending order. Parts must be ordered by part number."},
	"InvalidRange":                       {http.StatusRequestedRangeNotSatisfiable, "The requested range is not satisfiable"},
	"InvalidRequest":                     {http.StatusBadRequest, "Invalid Request"},
	"InvalidStorageClass":                {http.StatusBadRequest, "The storage class you specified is not valid"},
	"InvalidTag":                         {http.StatusBadRequest, "The tag provided was not a valid tag."},
	"InvalidToken":                       {http.StatusBadRequest, "The provided token is malformed or otherwise invalid."},
	"InvalidURI":                         {http.StatusBadRequest, "Couldn't parse the specified URI."},
	"KeyTooLongError":                    {http.StatusBadRequest, "Your key is too long"},
	"MalformedTrailerError":              {http.StatusBadRequest, "The request contained trailing data that was not well-formed or did not conform to our published schema."},
	"MalformedXML":                       {http.StatusBadRequest, "The XML you provided was not well-formed or did not validate against our published schema"},
	"MetadataTooLarge":                   {http.StatusBadRequest, "Your metadata headers exceed the maximum allowed metadata size"},
	"MethodNotAllowed":                   {http.StatusMethodNotAllowed, "The specified method is not allowed against this resource."},
	"MissingContentLength":               {http.StatusLengthRequired, "You must provide the Content-Length HTTP header."},
	"MissingRequestBodyError":            {http.StatusBadRequest, "Request Body is empty"},
	"NoSuchBucket":                       {http.StatusNotFound, "The specified bucket does not exist"},
	"NoSuchKey":                          {http.StatusNotFound, "The specified key does not exist."},
	"NoSuchUpload":                       {http.StatusNotFound, "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."},
	"NoSuchVersion":                      {http.StatusNotFound, "The specified version does not exist."},
	"NotImplemented":                     {http.StatusNotImplemented, "A header or query you provided requested a function that is not implemented."},
	"NotModified":                        {http.StatusNotModified, "Not Modified"},
	"OperationAborted":                   {http.StatusConflict, "A conflicting conditional operation is currently in progress against this resource. Please try again."},
	"PreconditionFailed":                 {http.StatusPreconditionFailed, "At least one of the pre-conditions you specified did not hold"},
	"QuotaExceeded":                      {http.StatusForbidden, "The storage has no room left."},
	"RequestTimeTooSkewed":               {http.StatusForbidden, "The difference between the request time and the current time is too large."},
	"RequestTimeout":                     {http.StatusBadRequest, "Your socket connection to the server was not read from or written to within the timeout period."},
	"ServiceUnavailable":                 {http.StatusServiceUnavailable, "Service is unable to handle request."},
	"SignatureDoesNotMatch":              {http.StatusForbidden, "The request signature we calculated does not match the signature you provided. Check your key and signing method."},
	"SlowDown":                           {http.StatusServiceUnavailable, "Please reduce your request rate."},
	"TooManyBuckets":                     {http.StatusBadRequest, "You have attempted to create more buckets than allowed"},
	"XAmzContentChecksumMismatch":        {http.StatusBadRequest, "The provided 'x-amz-checksum' header does not match what was computed."},
	"XAmzContentSHA256Mismatch":          {http.StatusBadRequest, "The provided 'x-amz-content-sha256' header does not match what was computed."},
}

// unsigned tells what S3 answers to a request whose authentication fails.
func unauthenticated(e *sigv4.Error, presigned bool) *Error {
	malformed := "AuthorizationHeaderMalformed"
	if presigned {
		malformed = "AuthorizationQueryParametersError"
	}
	var out *Error
	switch e.Kind {
	case sigv4.MissingAuthentication:
		return Fail("AccessDenied")
	case sigv4.UnsupportedAlgorithm:
		return Fail("InvalidRequest").Saying("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	case sigv4.AmbiguousAuthentication:
		return Fail("InvalidArgument").Saying("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified, and each part of it once")
	case sigv4.MalformedRequest:
		return Fail("InvalidURI")
	case sigv4.InvalidDate:
		return Fail("AccessDenied").Saying("AWS authentication requires a valid Date or x-amz-date header")
	case sigv4.UnsignedHeader:
		return Fail("AccessDenied").Saying("There were headers present in the request which were not signed")
	case sigv4.SignatureExpired, sigv4.NotYetCurrent:
		return Fail("RequestTimeTooSkewed")
	case sigv4.PresignExpired:
		return Fail("AccessDenied").Saying("Request has expired")
	case sigv4.BodyHashMismatch:
		out = Fail("InvalidRequest")
	case sigv4.SignatureMismatch:
		return Fail("SignatureDoesNotMatch")
	case sigv4.UnknownAccessKey:
		return Fail("InvalidAccessKeyId")
	case sigv4.InvalidToken:
		return Fail("InvalidToken")
	case sigv4.ExpiredToken:
		return Fail("ExpiredToken")
	default:
		out = Fail(malformed)
	}
	if e.Detail != "" {
		out.Message = e.Detail
	}
	return out
}
