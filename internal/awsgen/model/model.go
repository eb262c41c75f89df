// Package model is the form in which Atrium keeps AWS's published service
// models: facts only (names, shapes, constraints, errors, bindings), without
// their prose, one JSON file per service under model/.
package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Service is one service's model.
type Service struct {
	ID           string               `json:"service"`
	Protocol     string               `json:"protocol"` // json, rest-json or query
	APIVersion   string               `json:"apiVersion"`
	TargetPrefix string               `json:"targetPrefix,omitempty"`
	SigningName  string               `json:"signingName"`
	XMLNamespace string               `json:"xmlNamespace,omitempty"`
	Operations   map[string]Operation `json:"operations"`
	Shapes       map[string]Shape     `json:"shapes"`
}

// Operation is one operation.
type Operation struct {
	Input         string     `json:"input,omitempty"`
	Output        string     `json:"output,omitempty"`
	ResultWrapper string     `json:"resultWrapper,omitempty"`
	Method        string     `json:"method"`
	URI           string     `json:"uri"`
	Unsigned      bool       `json:"unsigned,omitempty"`
	ReadOnly      bool       `json:"readOnly,omitempty"`
	Errors        []string   `json:"errors,omitempty"`
	Paginator     *Paginator `json:"paginator,omitempty"`
}

// Paginator names the members that page an operation.
type Paginator struct {
	InputToken  string   `json:"inputToken"`
	OutputToken string   `json:"outputToken"`
	LimitKey    string   `json:"limitKey,omitempty"`
	ResultKeys  []string `json:"resultKeys,omitempty"`
}

// Shape is one shape. Members keep the vendor model's order.
type Shape struct {
	Type            string   `json:"type"`
	Union           bool     `json:"union,omitempty"`
	Document        bool     `json:"document,omitempty"`
	Members         []Member `json:"members,omitempty"`
	Element         *Member  `json:"element,omitempty"`
	Key             string   `json:"key,omitempty"`
	Value           string   `json:"value,omitempty"`
	Flattened       bool     `json:"flattened,omitempty"`
	Min             *int64   `json:"min,omitempty"`
	Max             *int64   `json:"max,omitempty"`
	Pattern         string   `json:"pattern,omitempty"`
	Enum            []string `json:"enum,omitempty"`
	Sensitive       bool     `json:"sensitive,omitempty"`
	TimestampFormat string   `json:"timestampFormat,omitempty"`
	Error           *Error   `json:"error,omitempty"`
}

// Member is a member of a structure, or the element of a list.
type Member struct {
	Name        string `json:"name,omitempty"`
	Shape       string `json:"shape"`
	WireName    string `json:"wireName,omitempty"`
	Location    string `json:"location,omitempty"` // header, querystring or uri
	Required    bool   `json:"required,omitempty"`
	Idempotency bool   `json:"idempotency,omitempty"`
}

// Error says how an error shape travels.
type Error struct {
	Code   string `json:"code"`
	Status int    `json:"status"`
	Sender bool   `json:"sender"`
}

// Load reads the model of service id from dir.
func Load(dir, id string) (*Service, error) {
	path := filepath.Join(dir, id+".json")
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := new(Service)
	if err := DecodeStrict(raw, s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Write stores the model in dir, in a stable form.
func (s *Service) Write(dir string) error {
	raw, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, s.ID+".json"), append(raw, '\n'), 0o644)
}

// DecodeStrict decodes JSON and refuses unknown fields.
func DecodeStrict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
