package botocore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/atrium-iam/atrium/internal/awsgen/model"
)

func convert(id string, vm *vendorModel, vp *vendorPaginators) (*model.Service, error) {
	s := &model.Service{
		ID: id, Protocol: vm.Metadata.Protocol, APIVersion: vm.Metadata.APIVersion,
		TargetPrefix: vm.Metadata.TargetPrefix, XMLNamespace: vm.Metadata.XMLNamespace,
		SigningName: vm.Metadata.SigningName,
		Operations:  make(map[string]model.Operation), Shapes: make(map[string]model.Shape),
	}
	if s.SigningName == "" {
		s.SigningName = vm.Metadata.EndpointPrefix
	}
	for name, op := range vm.Operations {
		s.Operations[name] = convertOperation(name, op, vp)
	}
	for name, shape := range vm.Shapes {
		converted, err := convertShape(name, shape)
		if err != nil {
			return nil, fmt.Errorf("%s: shape %s: %w", id, name, err)
		}
		s.Shapes[name] = converted
	}
	return s, nil
}

func convertOperation(name string, op vendorOperation, vp *vendorPaginators) model.Operation {
	o := model.Operation{
		Method: op.HTTP.Method, URI: op.HTTP.RequestURI, ReadOnly: op.ReadOnly,
		Unsigned: op.AuthType == "none" || slices.Contains(op.Auth, "smithy.api#noAuth"),
	}
	if op.Input != nil {
		o.Input = op.Input.Shape
	}
	if op.Output != nil {
		o.Output, o.ResultWrapper = op.Output.Shape, op.Output.ResultWrapper
	}
	for _, e := range op.Errors {
		o.Errors = append(o.Errors, e.Shape)
	}
	if p, ok := vp.Pagination[name]; ok && len(p.InputToken) > 0 {
		o.Paginator = &model.Paginator{
			InputToken: p.InputToken[0], OutputToken: p.OutputToken[0],
			LimitKey: p.LimitKey, ResultKeys: p.ResultKey,
		}
	}
	return o
}

func convertShape(name string, v vendorShape) (model.Shape, error) {
	s := model.Shape{
		Type: v.Type, Union: v.Union, Document: v.Document, Flattened: v.Flattened,
		Pattern: v.Pattern, Enum: v.Enum, Sensitive: v.Sensitive, TimestampFormat: v.TimestampFormat,
		Min: whole(v.Min), Max: whole(v.Max),
	}
	if v.Member != nil {
		s.Element = &model.Member{Shape: v.Member.Shape, WireName: v.Member.LocationName}
	}
	if v.Key != nil && v.Value != nil {
		s.Key, s.Value = v.Key.Shape, v.Value.Shape
	}
	if v.Exception {
		s.Error = convertError(name, v)
	}
	members, err := convertMembers(v)
	s.Members = members
	return s, err
}

func whole(f *float64) *int64 {
	if f == nil {
		return nil
	}
	return new(int64(*f))
}

// convertError applies the vendor's defaults: the code is the shape's name,
// the status 400 for the caller's faults and 500 for the service's.
func convertError(name string, v vendorShape) *model.Error {
	e := &model.Error{Code: name, Status: 400, Sender: !v.Fault}
	if v.Fault {
		e.Status = 500
	}
	if v.Error != nil {
		if v.Error.Code != "" {
			e.Code = v.Error.Code
		}
		if v.Error.HTTPStatusCode != 0 {
			e.Status = v.Error.HTTPStatusCode
		}
	}
	return e
}

// convertMembers reads the members in the vendor's order, which JSON objects
// keep in the file but Go maps would lose.
func convertMembers(v vendorShape) ([]model.Member, error) {
	if len(v.Members) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(v.Members))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var members []model.Member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var ref vendorRef
		if err := d.Decode(&ref); err != nil {
			return nil, err
		}
		name := key.(string)
		members = append(members, model.Member{
			Name: name, Shape: ref.Shape, WireName: ref.LocationName, Location: ref.Location,
			Required: slices.Contains(v.Required, name), Idempotency: ref.Idempotency,
		})
	}
	return members, nil
}
