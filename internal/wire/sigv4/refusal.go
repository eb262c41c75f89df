package sigv4

import "net/http"

// Dialect is a family of services that words refusals alike.
type Dialect uint8

// The dialects.
const (
	JSON     Dialect = iota // awsJson: organizations, sso-admin, identitystore, …
	RESTJSON                // restJson1: the code also travels as x-amzn-ErrorType
	Query                   // awsQuery: sts, iam
	dialects
)

// answer is what a caller reads.
type answer struct {
	code    string
	status  int
	message string // used when the error has no detail of its own
}

// class groups the kinds that AWS answers with one code.
type class uint8

const (
	missing class = iota
	incomplete
	invalid
	unrecognized
	expiredToken
	expiredRequest
	malformed
	classes
)

// answers holds what AWS answers, by dialect and class. Sources:
//   - codes and statuses of Query: "Common Errors" of the STS and IAM API
//     references; SignatureDoesNotMatch (403) from the IAM User Guide,
//     "Troubleshoot Signature Version 4"; messages from replies of STS quoted
//     in public bug reports.
//   - awsJson services answer every authentication failure with 400, unlike
//     the 403 of their "Common Errors" pages: replies of DynamoDB, Cognito,
//     Cloud9 and Resource Groups Tagging quoted in public bug reports.
//   - restJson1 services answer 403 (Lambda: MissingAuthenticationToken-,
//     InvalidSignature-, UnrecognizedClient- and ExpiredTokenException), and
//     400 for a signature that is not complete, as documented.
var answers = [dialects][classes]answer{
	JSON: {
		missing:        {"MissingAuthenticationTokenException", http.StatusBadRequest, "Missing Authentication Token"},
		incomplete:     {"IncompleteSignatureException", http.StatusBadRequest, ""},
		invalid:        {"InvalidSignatureException", http.StatusBadRequest, ""},
		unrecognized:   {"UnrecognizedClientException", http.StatusBadRequest, "The security token included in the request is invalid."},
		expiredToken:   {"ExpiredTokenException", http.StatusBadRequest, "The security token included in the request is expired"},
		expiredRequest: {"InvalidSignatureException", http.StatusBadRequest, ""},
		malformed:      {"IncompleteSignatureException", http.StatusBadRequest, ""},
	},
	RESTJSON: {
		missing:        {"MissingAuthenticationTokenException", http.StatusForbidden, "Missing Authentication Token"},
		incomplete:     {"IncompleteSignatureException", http.StatusBadRequest, ""},
		invalid:        {"InvalidSignatureException", http.StatusForbidden, ""},
		unrecognized:   {"UnrecognizedClientException", http.StatusForbidden, "The security token included in the request is invalid."},
		expiredToken:   {"ExpiredTokenException", http.StatusForbidden, "The security token included in the request is expired"},
		expiredRequest: {"InvalidSignatureException", http.StatusForbidden, ""},
		malformed:      {"IncompleteSignatureException", http.StatusBadRequest, ""},
	},
	Query: {
		missing:        {"MissingAuthenticationToken", http.StatusForbidden, "Request is missing Authentication Token"},
		incomplete:     {"IncompleteSignature", http.StatusBadRequest, ""},
		invalid:        {"SignatureDoesNotMatch", http.StatusForbidden, ""},
		unrecognized:   {"InvalidClientTokenId", http.StatusForbidden, "The security token included in the request is invalid."},
		expiredToken:   {"ExpiredToken", http.StatusForbidden, "The security token included in the request is expired"},
		expiredRequest: {"RequestExpired", http.StatusBadRequest, ""},
		malformed:      {"MalformedQueryString", http.StatusNotFound, ""},
	},
}

// refusals gives each kind its class, and the message of kinds that are
// worded alike in every dialect.
var refusals = [kinds]struct {
	class   class
	message string
}{
	MissingAuthentication:   {missing, ""},
	IncompleteSignature:     {incomplete, "The request signature does not conform to AWS standards."},
	MalformedCredential:     {incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."},
	UnsupportedAlgorithm:    {incomplete, "Unsupported AWS 'algorithm'."},
	InvalidDate:             {incomplete, "Date must be in ISO-8601 'basic format'."},
	InvalidExpires:          {incomplete, "X-Amz-Expires must be a number of seconds from 1 to 604800."},
	AmbiguousAuthentication: {incomplete, "Only one auth mechanism allowed: sign either the headers or the query string, and each part once."},
	MalformedRequest:        {malformed, "The request target is not well formed."},
	WrongRegion:             {invalid, "Credential should be scoped to a valid region."},
	WrongService:            {invalid, "Credential should be scoped to correct service."},
	WrongTerminator:         {invalid, "Credential should be scoped with a valid terminator: 'aws4_request'."},
	WrongScopeDate:          {invalid, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."},
	UnsignedHeader:          {invalid, "There were headers present in the request which were not signed."},
	SignatureExpired:        {invalid, "Signature expired."},
	NotYetCurrent:           {invalid, "Signature not yet current."},
	PresignExpired:          {expiredRequest, "Request has expired."},
	BodyHashMismatch:        {invalid, "The provided 'x-amz-content-sha256' header does not match what was computed."},
	SignatureMismatch:       {invalid, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
	UnknownAccessKey:        {unrecognized, ""},
	InvalidToken:            {unrecognized, ""},
	ExpiredToken:            {expiredToken, ""},
}

// Refusal tells err as services of the dialect do: the error code, the HTTP
// status and the message.
func Refusal(err *Error, d Dialect) (code string, status int, message string) {
	r := refusals[err.Kind]
	a := answers[d][r.class]
	switch {
	case err.Detail != "":
		return a.code, a.status, err.Detail
	case a.message != "":
		return a.code, a.status, a.message
	}
	return a.code, a.status, r.message
}
