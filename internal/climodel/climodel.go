// Package climodel writes the description of a service in the form that
// botocore loads: with it the AWS CLI and boto3 have the service's operations
// as commands and methods of their own.
package climodel

import (
	"encoding/json"
	"path"

	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// Name says how clients call a service.
type Name struct {
	Command string // on the AWS CLI's command line, e.g. "atrium"
	Title   string // in help texts, e.g. "Atrium settings"
	ID      string // in variables and configuration: AWS_ENDPOINT_URL_<ID>, e.g. "Atrium"
}

// File is where a service's model lies below one of the directories that
// AWS_DATA_PATH names, in slashes.
func File(s *schema.Service, n Name) string {
	return path.Join(n.Command, s.APIVersion, "service-2.json")
}

// Write returns the model of a service that speaks awsJson1.1.
func Write(s *schema.Service, n Name) ([]byte, error) {
	m := model{
		Version: "2.0",
		Metadata: metadata{
			APIVersion: s.APIVersion, EndpointPrefix: n.Command, JSONVersion: "1.1", Protocol: "json",
			ServiceFullName: n.Title, ServiceID: n.ID, SignatureVersion: "v4", SigningName: s.SigningName,
			TargetPrefix: s.TargetPrefix, UID: n.Command + "-" + s.APIVersion,
		},
		Operations: make(map[string]operation), Shapes: make(map[string]shape),
	}
	for i := range s.Operations {
		op := &s.Operations[i]
		m.Operations[op.Name] = operation{
			Name: op.Name, HTTP: binding{op.Method, op.Path},
			Input: reference(s, op.Input), Output: reference(s, op.Output), Errors: errorReferences(op.Errors),
		}
	}
	for i := range s.Shapes {
		m.Shapes[s.Shapes[i].Name] = shapeOf(s, &s.Shapes[i])
	}
	m.addErrors(s)
	raw, err := json.MarshalIndent(m, "", "  ")
	return append(raw, '\n'), err
}

// The form of botocore's files.
type (
	model struct {
		Version    string               `json:"version"`
		Metadata   metadata             `json:"metadata"`
		Operations map[string]operation `json:"operations"`
		Shapes     map[string]shape     `json:"shapes"`
	}
	metadata struct {
		APIVersion       string `json:"apiVersion"`
		EndpointPrefix   string `json:"endpointPrefix"`
		JSONVersion      string `json:"jsonVersion"`
		Protocol         string `json:"protocol"`
		ServiceFullName  string `json:"serviceFullName"`
		ServiceID        string `json:"serviceId"`
		SignatureVersion string `json:"signatureVersion"`
		SigningName      string `json:"signingName"`
		TargetPrefix     string `json:"targetPrefix"`
		UID              string `json:"uid"`
	}
	operation struct {
		Name   string  `json:"name"`
		HTTP   binding `json:"http"`
		Input  *ref    `json:"input,omitempty"`
		Output *ref    `json:"output,omitempty"`
		Errors []ref   `json:"errors,omitempty"`
	}
	binding struct {
		Method     string `json:"method"`
		RequestURI string `json:"requestUri"`
	}
	ref struct {
		Shape       string `json:"shape"`
		Location    string `json:"locationName,omitempty"`
		Idempotency bool   `json:"idempotencyToken,omitempty"`
	}
	shape struct {
		Type            string         `json:"type"`
		Required        []string       `json:"required,omitempty"`
		Members         map[string]ref `json:"members,omitempty"`
		Member          *ref           `json:"member,omitempty"`
		Key             *ref           `json:"key,omitempty"`
		Value           *ref           `json:"value,omitempty"`
		Enum            []string       `json:"enum,omitempty"`
		Min             *int64         `json:"min,omitempty"`
		Max             *int64         `json:"max,omitempty"`
		Pattern         string         `json:"pattern,omitempty"`
		Sensitive       bool           `json:"sensitive,omitempty"`
		Union           bool           `json:"union,omitempty"`
		Document        bool           `json:"document,omitempty"`
		TimestampFormat string         `json:"timestampFormat,omitempty"`
		Exception       bool           `json:"exception,omitempty"`
		Fault           bool           `json:"fault,omitempty"`
		Error           *wireError     `json:"error,omitempty"`
	}
	wireError struct {
		Code        string `json:"code"`
		Status      int    `json:"httpStatusCode"`
		SenderFault bool   `json:"senderFault,omitempty"`
	}
)

func reference(s *schema.Service, r schema.Ref) *ref {
	if r == schema.NoShape {
		return nil
	}
	return &ref{Shape: s.Shape(r).Name}
}

func errorReferences(names []string) (refs []ref) {
	for _, name := range names {
		refs = append(refs, ref{Shape: name})
	}
	return refs
}

// types are botocore's names of the kinds of shapes.
var types = map[schema.Kind]string{
	schema.Structure: "structure", schema.Union: "structure", schema.Document: "structure",
	schema.List: "list", schema.Map: "map", schema.String: "string", schema.Integer: "integer",
	schema.Long: "long", schema.Double: "double", schema.Boolean: "boolean",
	schema.Timestamp: "timestamp", schema.Blob: "blob",
}

func shapeOf(s *schema.Service, in *schema.Shape) shape {
	out := shape{
		Type: types[in.Kind], Enum: in.Enum, Pattern: in.ModelPattern, Sensitive: in.Sensitive,
		Union: in.Kind == schema.Union, Document: in.Kind == schema.Document,
		Member: reference(s, in.Element), Key: reference(s, in.Key), Value: reference(s, in.Value),
	}
	if in.HasMin {
		out.Min = &in.Min
	}
	if in.HasMax {
		out.Max = &in.Max
	}
	if in.TimestampUnix {
		out.TimestampFormat = "unixTimestamp"
	}
	if out.Type == "structure" {
		out.Members = make(map[string]ref, len(in.Members))
	}
	for i := range in.Members {
		m := &in.Members[i]
		member := ref{Shape: s.Shape(m.Shape).Name, Idempotency: m.Idempotency}
		if m.WireName != m.Name {
			member.Location = m.WireName
		}
		out.Members[m.Name] = member
		if m.Required {
			out.Required = append(out.Required, m.Name)
		}
	}
	return out
}

// errorText is the shape of the members of errors. The descriptor names them
// only; clients show the message.
const errorText = "ErrorText"

func (m *model) addErrors(s *schema.Service) {
	if len(s.Errors) > 0 {
		m.Shapes[errorText] = shape{Type: "string"}
	}
	for _, e := range s.Errors {
		out := shape{
			Type: "structure", Members: map[string]ref{}, Exception: true, Fault: !e.Sender,
			Error: &wireError{Code: e.Code, Status: e.Status, SenderFault: e.Sender},
		}
		for _, name := range e.Members {
			out.Members[name] = ref{Shape: errorText}
		}
		m.Shapes[e.Shape] = out
	}
}
