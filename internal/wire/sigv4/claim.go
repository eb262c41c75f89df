package sigv4

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// timeFormat is ISO-8601 "basic format" in UTC, the only form of a signing
// time.
const timeFormat = "20060102T150405Z"

// maxExpires is the longest lifetime of a presigned request, a week.
const maxExpires = 604800 * time.Second

// Claim is what a request says of its signature, unverified.
type Claim struct {
	AccessKeyID string
	// SessionToken accompanies temporary access keys. Empty: none sent.
	SessionToken string
	Scope        Scope
	// SignedHeaders lists the signed headers in lower case, ordered and
	// separated by semicolons, e.g. "host;x-amz-date".
	SignedHeaders string
	// Time is when the request says it was signed, to the second.
	Time time.Time
	// Presigned says that the signature travels in the query.
	Presigned bool
	// Expires is X-Amz-Expires of a presigned request; zero: not given.
	Expires time.Duration

	request      *http.Request
	path         string      // raw, as sent
	query        []parameter // in canonical order, without X-Amz-Signature
	date         string      // signing time as sent
	dateHeader   string      // header that date was read from; empty when presigned
	terminator   string
	signature    string
	declaredHash string // x-amz-content-sha256; empty: not given
}

// Parse reads the signature of r without verifying it. It reads headers and
// the request target only, never the body. The claim keeps r, whose headers
// must not change before the claim is verified.
func Parse(r *http.Request) (*Claim, *Error) {
	c := &Claim{request: r}
	if err := c.readTarget(); err != nil {
		return nil, err
	}
	authorization := r.Header["Authorization"]
	signedQuery := c.has("X-Amz-Signature") || c.has("X-Amz-Credential") || c.has("X-Amz-Algorithm")
	var err *Error
	switch {
	case len(authorization) > 1 || len(authorization) == 1 && signedQuery:
		err = &Error{Kind: AmbiguousAuthentication}
	case len(authorization) == 1:
		err = c.readHeaders(authorization[0])
	case signedQuery:
		c.Presigned = true
		err = c.readQuery()
	default:
		err = &Error{Kind: MissingAuthentication}
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// readTarget splits the request target into the raw path and the canonical
// query. RequestURI is what a server received; without it (a request made in
// the program) the URL stands in.
func (c *Claim) readTarget() *Error {
	r := c.request
	query := ""
	switch {
	case r.RequestURI != "":
		c.path, query, _ = strings.Cut(r.RequestURI, "?")
	case r.URL != nil:
		c.path, query = r.URL.EscapedPath(), r.URL.RawQuery
		if c.path == "" {
			c.path = "/"
		}
	}
	if !strings.HasPrefix(c.path, "/") {
		return &Error{Kind: MalformedRequest, Detail: "The request target must be a path."}
	}
	var ok bool
	if c.query, ok = parseQuery(query); !ok {
		return &Error{Kind: MalformedRequest, Detail: "The query string contains a syntax error."}
	}
	return nil
}

// readHeaders reads the Authorization header and the headers that go with it.
func (c *Claim) readHeaders(authorization string) *Error {
	credential, err := c.readAuthorization(authorization)
	if err != nil {
		return err
	}
	if err := c.readCredential(credential); err != nil {
		return err
	}
	if c.SessionToken, err = c.single("X-Amz-Security-Token"); err != nil {
		return err
	}
	if c.declaredHash, err = c.single("X-Amz-Content-Sha256"); err != nil {
		return err
	}
	return c.readTime(c.date)
}

// readAuthorization takes the parameters out of an Authorization header and
// returns the credential. It tells all that is missing at once, as AWS does,
// the date included, which therefore is looked up here.
func (c *Claim) readAuthorization(header string) (credential string, err *Error) {
	name, list, _ := strings.Cut(header, " ")
	if strings.HasPrefix(name, "AWS4-") && name != algorithm {
		return "", unsupported(name)
	}
	if name == algorithm {
		if credential, err = c.readParameters(list); err != nil {
			return "", err
		}
	}
	for _, h := range [...]string{"X-Amz-Date", "Date"} {
		if c.date, err = c.single(h); err != nil {
			return "", err
		}
		if c.date != "" {
			c.dateHeader = h
			break
		}
	}
	var missing []string
	for _, p := range [...]struct{ name, value string }{
		{"Credential", credential}, {"Signature", c.signature}, {"SignedHeaders", c.SignedHeaders},
	} {
		if p.value == "" {
			missing = append(missing, "Authorization header requires '"+p.name+"' parameter.")
		}
	}
	if c.date == "" {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if missing != nil {
		return "", &Error{Kind: IncompleteSignature, Detail: strings.Join(missing, " ")}
	}
	return credential, nil
}

// readParameters reads "Credential=…, SignedHeaders=…, Signature=…" in any
// order. Other parameters are passed over.
func (c *Claim) readParameters(list string) (credential string, err *Error) {
	for list != "" {
		var part string
		part, list, _ = strings.Cut(list, ",")
		part = strings.Trim(part, " ")
		name, value, ok := strings.Cut(part, "=")
		if !ok || strings.Contains(part, " ") {
			return "", &Error{Kind: IncompleteSignature, Detail: "Authorization header has a part that is not a valid key=value pair (missing equal-sign)."}
		}
		var into *string
		switch name {
		case "Credential":
			into = &credential
		case "SignedHeaders":
			into = &c.SignedHeaders
		case "Signature":
			into = &c.signature
		default:
			continue
		}
		if *into != "" {
			return "", &Error{Kind: AmbiguousAuthentication}
		}
		*into = value
	}
	return credential, c.checkList()
}

// readQuery reads the X-Amz- parameters of a presigned request.
func (c *Claim) readQuery() *Error {
	var name, credential, expires string
	for _, p := range [...]struct {
		name     string
		into     *string
		optional bool
	}{
		{"X-Amz-Algorithm", &name, false},
		{"X-Amz-Credential", &credential, false},
		{"X-Amz-Signature", &c.signature, false},
		{"X-Amz-SignedHeaders", &c.SignedHeaders, false},
		{"X-Amz-Date", &c.date, false},
		{"X-Amz-Expires", &expires, true},
		{"X-Amz-Security-Token", &c.SessionToken, true},
		{"X-Amz-Content-Sha256", &c.declaredHash, true},
	} {
		value, count := c.parameter(p.name)
		if count > 1 {
			return &Error{Kind: AmbiguousAuthentication}
		}
		*p.into = value
		if value == "" && !p.optional {
			return &Error{Kind: IncompleteSignature, Detail: missingParameter(p.name)}
		}
	}
	if name != algorithm {
		return unsupported(name)
	}
	if c.SessionToken != "" && len(c.request.Header["X-Amz-Security-Token"]) > 0 {
		return &Error{Kind: AmbiguousAuthentication}
	}
	if err := c.readPresigned(credential, expires); err != nil {
		return err
	}
	c.query = without(c.query, "X-Amz-Signature")
	return nil
}

// readPresigned reads what the parameters of a presigned request hold.
func (c *Claim) readPresigned(credential, expires string) *Error {
	if err := c.checkList(); err != nil {
		return err
	}
	if err := c.readCredential(credential); err != nil {
		return err
	}
	if c.declaredHash == "" {
		var err *Error
		if c.declaredHash, err = c.single("X-Amz-Content-Sha256"); err != nil {
			return err
		}
	}
	if _, given := c.parameter("X-Amz-Expires"); given > 0 {
		seconds, err := strconv.ParseUint(expires, 10, 32)
		c.Expires = time.Duration(seconds) * time.Second
		if err != nil || seconds == 0 || c.Expires > maxExpires {
			return &Error{Kind: InvalidExpires}
		}
	}
	return c.readTime(c.date)
}

// readCredential splits "keyid/date/region/service/aws4_request". What was
// sent is not repeated in the error: people swap key id and secret.
func (c *Claim) readCredential(credential string) *Error {
	if strings.Count(credential, "/") != 4 {
		return &Error{Kind: MalformedCredential}
	}
	c.AccessKeyID, credential, _ = strings.Cut(credential, "/")
	c.Scope.Date, credential, _ = strings.Cut(credential, "/")
	c.Scope.Region, credential, _ = strings.Cut(credential, "/")
	c.Scope.Service, c.terminator, _ = strings.Cut(credential, "/")
	if c.AccessKeyID == "" {
		return &Error{Kind: MalformedCredential}
	}
	return nil
}

func (c *Claim) readTime(date string) *Error {
	t, err := time.Parse(timeFormat, date)
	if err != nil || len(date) != len(timeFormat) {
		return &Error{Kind: InvalidDate}
	}
	c.Time = t
	return nil
}

// checkList requires the list of signed headers to be lower-case header names
// in ascending order, each once, as the signature's definition does.
func (c *Claim) checkList() *Error {
	last := ""
	for rest, more := c.SignedHeaders, c.SignedHeaders != ""; more; {
		var name string
		name, rest, more = strings.Cut(rest, ";")
		if name <= last || !isHeaderName(name) {
			return &Error{Kind: IncompleteSignature, Detail: "SignedHeaders must list lower-case header names in ascending order, separated by ';'."}
		}
		last = name
	}
	return nil
}

// single returns the value of a header that may be sent once at most.
func (c *Claim) single(header string) (string, *Error) {
	switch values := c.request.Header[header]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", &Error{Kind: AmbiguousAuthentication, Detail: "The header '" + header + "' may be sent only once."}
}

func unsupported(name string) *Error {
	if strings.HasPrefix(name, "AWS4-ECDSA-P256-SHA256") {
		return &Error{Kind: UnsupportedAlgorithm, Detail: "Unsupported AWS 'algorithm': Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not accepted here, sign with " + algorithm + "."}
	}
	return &Error{Kind: UnsupportedAlgorithm, Detail: "Unsupported AWS 'algorithm', sign with " + algorithm + "."}
}

func missingParameter(name string) string {
	return "AWS query-string parameters must include '" + name + "'. Re-examine the query-string parameters."
}
