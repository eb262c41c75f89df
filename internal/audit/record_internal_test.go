package audit

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// document is a record's JSON, in CloudTrail's order.
type document struct {
	EventVersion        string          `json:"eventVersion"`
	UserIdentity        *UserIdentity   `json:"userIdentity"`
	EventTime           string          `json:"eventTime"`
	EventSource         string          `json:"eventSource"`
	EventName           string          `json:"eventName"`
	AWSRegion           string          `json:"awsRegion"`
	SourceIPAddress     string          `json:"sourceIPAddress"`
	UserAgent           string          `json:"userAgent"`
	ErrorCode           string          `json:"errorCode,omitempty"`
	ErrorMessage        string          `json:"errorMessage,omitempty"`
	RequestParameters   json.RawMessage `json:"requestParameters"`
	ResponseElements    json.RawMessage `json:"responseElements"`
	AdditionalEventData json.RawMessage `json:"additionalEventData,omitempty"`
	RequestID           string          `json:"requestID"`
	EventID             string          `json:"eventID"`
	ReadOnly            bool            `json:"readOnly"`
	EventType           string          `json:"eventType"`
	ManagementEvent     bool            `json:"managementEvent"`
	RecipientAccountID  string          `json:"recipientAccountId"`
	ServiceEventDetails json.RawMessage `json:"serviceEventDetails,omitempty"`
	EventCategory       string          `json:"eventCategory"`
}

// TestEncode compares the JSON of any record with what encoding/json makes of
// it.
func TestEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.String().Draw(t, name) }
		raw := func(name string) json.RawMessage {
			return json.RawMessage(rapid.SampledFrom([]string{"", "null", "{}", "{\n \"a\": \"<é>\" }"}).Draw(t, name))
		}
		r := Record{
			UserIdentity: UserIdentity{Type: text("type"), ARN: text("arn")}, EventTime: time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "time"), 999),
			EventSource: "s" + text("source"), EventName: "n" + text("name"), Region: text("region"), SourceIPAddress: text("ip"), UserAgent: text("agent"),
			ErrorCode: text("code"), ErrorMessage: text("message"), RequestParameters: raw("parameters"), ResponseElements: raw("elements"),
			AdditionalEventData: raw("data"), ServiceEventDetails: raw("details"), RequestID: text("request"), EventID: "e" + text("event"),
			ReadOnly: rapid.Bool().Draw(t, "read-only"), EventType: "t" + text("event type"), RecipientAccountID: text("account"), Data: rapid.Bool().Draw(t, "data"),
		}
		if len(r.RequestParameters) == 0 {
			r.RequestParameters = nil
		}
		if len(r.ResponseElements) == 0 {
			r.ResponseElements = nil
		}
		category := Management
		if r.Data {
			category = Data
		}
		want, err := json.Marshal(&document{
			EventVersion: EventVersion, UserIdentity: &r.UserIdentity, EventTime: r.EventTime.UTC().Format(time.RFC3339),
			EventSource: r.EventSource, EventName: r.EventName, AWSRegion: r.Region, SourceIPAddress: r.SourceIPAddress, UserAgent: r.UserAgent,
			ErrorCode: r.ErrorCode, ErrorMessage: r.ErrorMessage, RequestParameters: r.RequestParameters, ResponseElements: r.ResponseElements,
			AdditionalEventData: r.AdditionalEventData, RequestID: r.RequestID, EventID: r.EventID, ReadOnly: r.ReadOnly, EventType: r.EventType,
			ManagementEvent: !r.Data, RecipientAccountID: r.RecipientAccountID, ServiceEventDetails: r.ServiceEventDetails, EventCategory: category,
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.encode()
		if err != nil || string(got) != string(want) {
			t.Errorf("got  %s (%v)\nwant %s", got, err, want)
		}
	})
}
