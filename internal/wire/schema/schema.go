// Package schema holds the descriptors that generated code hands to the wire
// codecs: services, operations, shapes and their traits.
//
// A descriptor states facts of AWS's published service model and of our own
// overlay; it has no behaviour of its own. Shapes live in one slice per
// service and refer to each other by index, so that recursive shapes need no
// special case.
package schema

import (
	"errors"
	"time"
)

// ErrNotImplemented is returned by an operation that Atrium does not serve yet.
var ErrNotImplemented = errors.New("operation is not implemented")

// Protocol names the wire protocol of a service.
type Protocol uint8

// The protocols Atrium serves.
const (
	AWSJSON11 Protocol = iota + 1
	RESTJSON1
	AWSQuery
	// PageJSON is of services that only this server's own pages call, by the
	// names of operations, with input and output as awsJson1.1 has them.
	PageJSON
)

// Kind is the type of a shape.
type Kind uint8

// The kinds a model can name.
const (
	Structure Kind = iota + 1
	Union
	List
	Map
	String
	Integer
	Long
	Double
	Boolean
	Timestamp
	Blob
	Document
)

// Location says where a member travels in an HTTP message.
type Location uint8

// Body is the zero value: only REST protocols bind members elsewhere.
const (
	InBody Location = iota
	InHeader
	InQuery
	InURI
)

// Ref is the index of a shape in Service.Shapes. NoShape means "none".
type Ref int

// NoShape is the Ref of an operation without input or output.
const NoShape Ref = -1

// Service describes one AWS service.
type Service struct {
	ID           string // model name, e.g. "sso-admin"
	Protocol     Protocol
	APIVersion   string
	TargetPrefix string // X-Amz-Target prefix of awsJson, e.g. "SWBExternalService"
	SigningName  string // service of the SigV4 credential scope
	XMLNamespace string // awsQuery only
	ActionPrefix string // IAM action prefix, e.g. "sso"
	EventSource  string // audit eventSource, e.g. "sso.amazonaws.com"
	// Global services accept a credential scope of any region.
	Global bool

	// ClockSkew is how far a request's signing time may be from ours.
	ClockSkew time.Duration
	// Validation names the dialect in which constraint violations are told.
	Validation Dialect
	// Faults maps a fault ("not_found", or narrower "not_found:account") to
	// the name of the error shape that tells it on the wire.
	Faults map[string]string

	Shapes     []Shape
	Operations []Operation
	Errors     []Error
}

// Dialect says how a service words a constraint violation.
type Dialect struct {
	Code    string // error code, e.g. "ValidationException"
	Style   string // "coral" or "organizations" or "portal"
	Reasons bool   // whether the error carries a Reason of its own per constraint
}

// Operation describes one operation.
type Operation struct {
	Name   string
	Input  Ref
	Output Ref
	// NewInput returns a pointer to a zero generated input struct; nil when
	// the operation takes none.
	NewInput func() any

	Method string // HTTP method of REST bindings, "POST" otherwise
	Path   string // URI template, e.g. "/assignment/accounts"
	Query  string // constant query of the binding, e.g. "aws_iam=t"

	ResultWrapper string // awsQuery
	Unsigned      bool   // authtype none: carries no SigV4 signature
	ReadOnly      bool
	// Stateless operations read and write nothing and need no permission:
	// they run without a transaction.
	Stateless bool
	// Page operations may be called by this server's pages, for the person
	// who is signed in.
	Page      bool
	Paginated Paginator
	Errors    []string

	// Action is the full IAM action, e.g. "sso:CreateAccountAssignment".
	// Empty when AWS answers without asking for permission.
	Action string
	// Resources are ARN templates of what the action is asked on. {Member}
	// stands for an input member (dotted for nested ones) and {@account},
	// {@region}, {@identityStoreOwner} for facts of the call. Empty: "*".
	Resources []string
	// Gate says from which accounts the operation may be called.
	Gate Gate
	// EventSource is the audit eventSource, where it is not the service's.
	EventSource string
	// AuditRequest and AuditResponse name the members that an audit record
	// may carry (dotted paths). What is not named is not recorded.
	AuditRequest  []string
	AuditResponse []string
}

// Gate is the account gate of an operation.
type Gate uint8

// The account gates.
const (
	// GateOwner: the account that owns the instance, or its delegated administrator.
	GateOwner Gate = iota + 1
	// GateMember: any account of the instance's organization.
	GateMember
	// GateManagement: the organization's management account; the account that
	// owns the instance, where the input names one.
	GateManagement
	// GateDelegated: the management account or a delegated administrator.
	GateDelegated
	// GateAny: any authenticated caller.
	GateAny
	// GateNone: the operation authenticates its caller itself.
	GateNone
)

// Paginator names the members that page an operation. Zero: not paged.
type Paginator struct {
	InputToken, OutputToken, LimitKey string
	ResultKeys                        []string
}

// Error describes an error shape.
type Error struct {
	Shape  string // shape name, e.g. "IDPCommunicationErrorException"
	Code   string // wire code, e.g. "IDPCommunicationError"
	Status int    // HTTP status
	Sender bool   // whether the client is at fault
	// Members are the error body's members in model order.
	Members []string
}

// Shape describes one shape.
type Shape struct {
	Name string
	Kind Kind

	HasMin, HasMax bool
	Min, Max       int64  // length in code points, number of elements, or value
	Pattern        string // Go (RE2) form, unanchored; the whole value must match
	ModelPattern   string // as the model writes it; used in messages
	Enum           []string
	Sensitive      bool
	Flattened      bool
	TimestampUnix  bool // epoch seconds regardless of protocol

	Members    []Member // Structure, Union: in model order, equal to the struct's field order
	Element    Ref      // List
	ElementTag string   // List in query or XML: member name, "member" by default
	Key, Value Ref      // Map
}

// Member is a member of a structure or union. Its index is the index of the
// generated struct's field.
type Member struct {
	Name        string // as in the model, e.g. "InstanceArn"
	WireName    string // locationName or Name
	Shape       Ref
	Location    Location
	Required    bool
	Sensitive   bool
	Idempotency bool
	// Bearer members carry the caller's token. They are never required: the
	// operation refuses who has none like who has a wrong one.
	Bearer bool
}

// Shape returns the shape that r refers to.
func (s *Service) Shape(r Ref) *Shape { return &s.Shapes[r] }

// OperationByName returns the operation called name, or nil.
func (s *Service) OperationByName(name string) *Operation {
	for i := range s.Operations {
		if s.Operations[i].Name == name {
			return &s.Operations[i]
		}
	}
	return nil
}

// ErrorByShape returns the error whose shape is called name, or nil.
func (s *Service) ErrorByShape(name string) *Error {
	for i := range s.Errors {
		if s.Errors[i].Shape == name {
			return &s.Errors[i]
		}
	}
	return nil
}

// JSON is a document value (Smithy's document type): what a JSON decoder
// returns with numbers kept as json.Number. Nil means JSON null.
type JSON struct{ Value any }
