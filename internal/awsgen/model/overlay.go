package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Overlay holds what the vendor model leaves out: how a service words its
// refusals, which IAM action and resources an operation asks for, from which
// accounts it may be called, and what its audit record may carry.
type Overlay struct {
	ActionPrefix string            `json:"actionPrefix"`
	EventSource  string            `json:"eventSource"`
	Global       bool              `json:"global,omitempty"` // any region in the credential scope
	ClockSkew    int               `json:"clockSkewSeconds"`
	Validation   OverlayValidation `json:"validation"`
	// Faults maps "category" or "category:subject" to an error shape.
	Faults map[string]string `json:"faults"`
	// Bearer is the member that carries the caller's token, of inputs that
	// have it. A request without a token is refused like one with a wrong one.
	Bearer string `json:"bearer,omitempty"`
	// Patterns replaces, by shape name, patterns that RE2 cannot express.
	Patterns   map[string]string           `json:"patterns,omitempty"`
	Defaults   OverlayOperation            `json:"defaults"`
	Operations map[string]OverlayOperation `json:"operations"`
}

// OverlayValidation names the dialect of constraint violations.
type OverlayValidation struct {
	Code    string `json:"code"`
	Style   string `json:"style"`
	Reasons bool   `json:"reasons"`
}

// OverlayOperation is what the overlay says of one operation.
type OverlayOperation struct {
	Action        string   `json:"action,omitempty"`
	NoPermission  bool     `json:"noPermission,omitempty"`
	Resources     []string `json:"resources,omitempty"`
	Gate          string   `json:"gate,omitempty"`
	ReadOnly      *bool    `json:"readOnly,omitempty"`
	Stateless     bool     `json:"stateless,omitempty"`
	Page          bool     `json:"page,omitempty"`        // open to the pages
	EventSource   string   `json:"eventSource,omitempty"` // overrides the service's
	AuditRequest  []string `json:"auditRequest,omitempty"`
	AuditResponse []string `json:"auditResponse,omitempty"`
}

// LoadOverlay reads the overlay of service s from dir. A service without one
// gets conservative defaults: owner gate, nothing recorded.
func LoadOverlay(dir string, s *Service) (*Overlay, error) {
	path := filepath.Join(dir, s.ID+".json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return defaultOverlay(s), nil
	}
	if err != nil {
		return nil, err
	}
	o := new(Overlay)
	if err := DecodeStrict(raw, o); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for name := range o.Operations {
		if _, ok := s.Operations[name]; !ok {
			return nil, fmt.Errorf("%s: the model has no operation %q", path, name)
		}
	}
	for fault, shape := range o.Faults {
		if s.Shapes[shape].Error == nil {
			return nil, fmt.Errorf("%s: fault %q names %q, which is no error of the model", path, fault, shape)
		}
	}
	return o, nil
}

func defaultOverlay(s *Service) *Overlay {
	return &Overlay{
		ActionPrefix: s.SigningName,
		EventSource:  s.SigningName + ".amazonaws.com",
		ClockSkew:    300,
		Validation:   OverlayValidation{Code: "ValidationException", Style: "coral"},
		Defaults:     OverlayOperation{Gate: "owner"},
	}
}
