package node

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
)

// Call is one HTTP request to a node, before it is signed.
type Call struct {
	Method, Target string // Target is path and query
	Header         http.Header
	Body           []byte
	Service        string // signing name
	Region         string // Region by default
	At             time.Time
	Chunked        bool // sent in chunks, its length not told
}

// Answer is what a node answered.
type Answer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Code    string // of an error
	Message string
	Reason  string
}

// NewCall returns the call that carries in, a pointer to the generated input
// of op.
func NewCall(s *schema.Service, op *schema.Operation, in any) Call {
	method, request := wiretest.NewClient(s).Request(op, in)
	target := request.Path
	if request.RawQuery != "" {
		target += "?" + request.RawQuery
	}
	return Call{Method: method, Target: target, Header: request.Header, Body: request.Body, Service: s.SigningName}
}

// Request builds the HTTP request, signed by the caller; a nil caller signs
// nothing.
func (n *Node) Request(t testing.TB, who *Caller, c Call) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), c.Method, n.URL+c.Target, bytes.NewReader(c.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range c.Header {
		r.Header[name] = values
	}
	if c.Chunked {
		r.ContentLength, r.Body, r.GetBody = -1, io.NopCloser(bytes.NewReader(c.Body)), nil
	}
	if who == nil {
		return r
	}
	region, at := c.Region, c.At
	if region == "" {
		region = Region
	}
	if at.IsZero() {
		at = n.Clock.Now()
	}
	sum := sha256.Sum256(c.Body)
	credentials := aws.Credentials{AccessKeyID: who.KeyID, SecretAccessKey: who.Secret, SessionToken: who.Token}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), c.Service, region, at); err != nil {
		t.Fatal(err)
	}
	return r
}

// Send sends the call, signed by the caller, and holds the answer to what all
// answers must be.
func (n *Node) Send(t testing.TB, who *Caller, c Call) Answer {
	t.Helper()
	return n.Do(t, n.Request(t, who, c))
}

// Do sends a request and holds the answer to what all answers must be.
func (n *Node) Do(t testing.TB, r *http.Request) Answer {
	t.Helper()
	response, err := judge{t: t}.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return readAnswer(t, response)
}

// readAnswer reads an answer of any protocol.
func readAnswer(t testing.TB, response *http.Response) Answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := Answer{Status: response.StatusCode, Header: response.Header, Body: body}
	if a.Status == http.StatusOK {
		return a
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/xml") {
		a.readXML(t)
	} else if strings.Contains(response.Header.Get("Content-Type"), "json") {
		a.readJSON(t)
	}
	return a
}

func (a *Answer) readXML(t testing.TB) {
	t.Helper()
	var told struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   struct{ Type, Code, Message string }
	}
	if err := xml.Unmarshal(a.Body, &told); err != nil {
		t.Errorf("not an error in XML: %v\n%s", err, a.Body)
	}
	a.Code, a.Message = told.Error.Code, told.Error.Message
}

func (a *Answer) readJSON(t testing.TB) {
	t.Helper()
	var told map[string]any
	if err := json.Unmarshal(a.Body, &told); err != nil {
		t.Errorf("not an error in JSON: %v\n%s", err, a.Body)
	}
	a.Code, _ = told["__type"].(string)
	if a.Code == "" {
		a.Code = a.Header.Get("X-Amzn-Errortype")
	}
	for _, name := range []string{"message", "Message", "error_description"} {
		if text, ok := told[name].(string); ok {
			a.Message = text
		}
	}
	a.Reason, _ = told["Reason"].(string)
}
