// Package audit keeps the trail of what was asked of Atrium, in the shape of
// AWS CloudTrail's records.
//
// A mutation's record is appended in the mutation's own transaction: one small
// row. Reads, denials and the like wait in memory and are written within a
// second by a Writer; what a crash or an overload loses of those is bounded
// and, where it can be known, stated in the trail. The Writer gathers both
// into batches, numbers their records without gaps and chains and signs the
// batches, so that Verify finds what was altered or removed afterwards. A
// mutation's record is protected from the moment its batch is sealed, about a
// second after its commit.
package audit

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// SchemaVersion is the version of Atrium's own part of a record. It grows
// when a field changes its meaning or goes away.
const SchemaVersion = 1

// Values of Record's fields that CloudTrail fixes.
const (
	// EventVersion is the version of CloudTrail's record format that records
	// follow.
	EventVersion = "1.11"
	// APICall is the EventType of a call to an API.
	APICall = "AwsApiCall"
	// ServiceEvent is the EventType of what the service itself did or saw.
	ServiceEvent = "AwsServiceEvent"
	// Management is the EventCategory of everything but access to data, which
	// has Data.
	Management = "Management"
	Data       = "Data"
	// Source is the EventSource of records about the trail itself.
	Source = "atrium"
)

// maxElements is the size, in bytes, from which request parameters and
// response elements are left out; CloudTrail's limit is the same.
const maxElements = 100 << 10

// Record is one event. Its JSON is CloudTrail's; absent values are left out
// or null, as CloudTrail does.
type Record struct {
	// UserIdentity tells who called.
	UserIdentity UserIdentity
	// EventTime is when the request arrived; written with seconds only.
	EventTime time.Time
	// EventSource is the service's host name ("sso.amazonaws.com"), EventName
	// the operation.
	EventSource, EventName string
	Region                 string
	SourceIPAddress        string
	UserAgent              string
	// ErrorCode and ErrorMessage are what the caller was told; empty when the
	// call succeeded.
	ErrorCode, ErrorMessage string
	// RequestParameters and ResponseElements are JSON objects of the members
	// that the operation's allow-list names, nil for none. Never secrets.
	RequestParameters, ResponseElements json.RawMessage
	// AdditionalEventData is a JSON object of what fits nowhere else.
	AdditionalEventData json.RawMessage
	// ServiceEventDetails is a JSON object of what a ServiceEvent led to.
	ServiceEventDetails json.RawMessage
	RequestID           string
	// EventID is a UUID, unique to the record.
	EventID  string
	ReadOnly bool
	// Data: the event is access to data, not management.
	Data bool
	// EventType is APICall when empty.
	EventType string
	// RecipientAccountID is the account whose trail the record belongs to.
	RecipientAccountID string
}

// UserIdentity tells who made a request, in CloudTrail's words: Type is Root,
// IAMUser, AssumedRole, FederatedUser, IdentityCenterUser, AWSService or
// Unknown.
type UserIdentity struct {
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	UserName       string          `json:"userName,omitempty"`
	SessionContext *SessionContext `json:"sessionContext,omitempty"`
	OnBehalfOf     *OnBehalfOf     `json:"onBehalfOf,omitempty"`
	CredentialID   string          `json:"credentialId,omitempty"`
	InvokedBy      string          `json:"invokedBy,omitempty"`
}

// SessionContext describes the session of temporary credentials.
type SessionContext struct {
	SessionIssuer *SessionIssuer    `json:"sessionIssuer,omitempty"`
	Attributes    SessionAttributes `json:"attributes"`
}

// SessionIssuer is the role or user that the session was made from.
type SessionIssuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId,omitempty"`
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId,omitempty"`
	UserName    string `json:"userName,omitempty"`
}

// SessionAttributes are facts about a session; both are text in CloudTrail.
type SessionAttributes struct {
	CreationDate     string `json:"creationDate,omitempty"`
	MFAAuthenticated string `json:"mfaAuthenticated,omitempty"`
}

// OnBehalfOf is the Identity Center user for whom a call was made.
type OnBehalfOf struct {
	UserID           string `json:"userId"`
	IdentityStoreARN string `json:"identityStoreArn"`
}

// encode returns r's JSON, on one line. It fails when a field that every
// record needs is missing, or one that must be JSON is not: mistakes of the
// caller.
func (r *Record) encode() ([]byte, error) {
	if r.EventID == "" || r.EventName == "" || r.EventSource == "" || r.EventTime.IsZero() {
		return nil, fmt.Errorf("audit: the record %q of %q lacks its id, name, source or time", r.EventID, r.EventName)
	}
	eventType := r.EventType
	if eventType == "" {
		eventType = APICall
	}
	category := Management
	if r.Data {
		category = Data
	}
	e := encoder{text: make([]byte, 0, 1024)}
	e.text = append(e.text, `{"eventVersion":"`+EventVersion+`","userIdentity":`...)
	e.value(&r.UserIdentity)
	e.member("eventTime", r.EventTime.UTC().Format(time.RFC3339))
	e.member("eventSource", r.EventSource)
	e.member("eventName", r.EventName)
	e.member("awsRegion", r.Region)
	e.member("sourceIPAddress", r.SourceIPAddress)
	e.member("userAgent", r.UserAgent)
	e.optional("errorCode", r.ErrorCode)
	e.optional("errorMessage", r.ErrorMessage)
	e.elements("requestParameters", bounded(r.RequestParameters))
	e.elements("responseElements", bounded(r.ResponseElements))
	if len(r.AdditionalEventData) > 0 {
		e.elements("additionalEventData", r.AdditionalEventData)
	}
	e.member("requestID", r.RequestID)
	e.member("eventID", r.EventID)
	e.flag("readOnly", r.ReadOnly)
	e.member("eventType", eventType)
	e.flag("managementEvent", !r.Data)
	e.member("recipientAccountId", r.RecipientAccountID)
	if len(r.ServiceEventDetails) > 0 {
		e.elements("serviceEventDetails", r.ServiceEventDetails)
	}
	e.member("eventCategory", category)
	if e.err != nil {
		return nil, fmt.Errorf("audit: encode the record of %s: %w", r.EventName, e.err)
	}
	return append(e.text, '}'), nil
}

// encoder writes the JSON of a record, on one line and in CloudTrail's order.
// There is a record for every request, so it is written without reflection
// where that is simple.
type encoder struct {
	text []byte
	err  error
}

// value writes what encoding/json makes of v.
func (e *encoder) value(v any) {
	raw, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.text = append(e.text, raw...)
}

func (e *encoder) name(name string) {
	e.text = append(append(append(e.text, ',', '"'), name...), '"', ':')
}

// member writes a member that is text.
func (e *encoder) member(name, text string) {
	e.name(name)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			e.value(text)
			return
		}
	}
	e.text = append(append(append(e.text, '"'), text...), '"')
}

// optional writes a member that is left out when it is empty.
func (e *encoder) optional(name, text string) {
	if text != "" {
		e.member(name, text)
	}
}

func (e *encoder) flag(name string, value bool) {
	e.name(name)
	e.text = strconv.AppendBool(e.text, value)
}

// elements writes a member that is JSON already, or null.
func (e *encoder) elements(name string, elements json.RawMessage) {
	e.name(name)
	if elements == nil {
		e.text = append(e.text, "null"...)
		return
	}
	e.value(elements)
}

// bounded replaces elements that are too large, and says so in their place.
func bounded(elements json.RawMessage) json.RawMessage {
	if len(elements) <= maxElements {
		return elements
	}
	return fmt.Appendf(nil, `{"omitted":true,"originalSize":%d}`, len(elements))
}
