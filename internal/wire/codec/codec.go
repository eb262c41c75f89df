// Package codec holds what the three protocol codecs have in common: the parts
// of a request they read, the error by which they refuse one, and an error
// answer before it takes a protocol's form.
package codec

import (
	"net/http"
	"strings"

	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// MaxBody is the largest request body, in bytes, that a codec decodes. No
// valid request to the modelled services comes near it.
const MaxBody = 2 << 20

// MaxDepth is how deeply the values of a request may be nested.
const MaxDepth = 64

// MaxValues is how many values (list elements, map entries, members) one
// request may carry: what bounds the memory that a small body can claim.
const MaxValues = 50_000

// Request is the parts of an HTTP request that carry an operation's input.
type Request struct {
	Path     string // escaped, e.g. "/assignment/accounts"
	RawQuery string
	Header   http.Header
	Body     []byte
}

// Malformed is a request that does not have the form its protocol or its model
// asks for. All protocols answer it with HTTP status 400.
type Malformed struct {
	Code    string // "SerializationException", or "MalformedInput" in awsQuery
	Message string
}

// Error returns code and message.
func (m *Malformed) Error() string { return m.Code + ": " + m.Message }

// Serialization returns the refusal of a JSON protocol.
func Serialization(message string) *Malformed {
	return &Malformed{Code: "SerializationException", Message: message}
}

// Failure is an error answer.
type Failure struct {
	Shape   string // shape name, e.g. "IDPCommunicationErrorException": JSON's __type
	Code    string // code of XML answers, e.g. "IDPCommunicationError"
	Message string
	Sender  bool // whether the client is at fault
	// Members are the body's members in order, the message among them.
	Members []Member
}

// Member is one member of an error body. Value is a string, an integer, a
// bool or a []string.
type Member struct {
	Name  string
	Value any
}

// NewFailure returns the failure that e tells with message, under whichever
// name e's shape gives it (Message, message, error_description). The shape's
// other members come from values; those not in it are left out.
func NewFailure(e *schema.Error, message string, values map[string]any) Failure {
	f := Failure{Shape: e.Shape, Code: e.Code, Message: message, Sender: e.Sender}
	for _, name := range e.Members {
		if value, ok := values[name]; ok {
			f.Members = append(f.Members, Member{name, value})
		} else if isMessage(name) && message != "" {
			f.Members = append(f.Members, Member{name, message})
		}
	}
	return f
}

// Unmodelled returns a failure whose shape no model describes, such as
// UnknownOperationException or SerializationException.
func Unmodelled(code, message string) Failure {
	f := Failure{Shape: code, Code: code, Message: message, Sender: true}
	if message == "" {
		return f
	}
	name := "message"
	if code == "SerializationException" {
		name = "Message"
	}
	f.Members = []Member{{name, message}}
	return f
}

func isMessage(name string) bool {
	return strings.EqualFold(name, "message") || name == "error_description"
}
