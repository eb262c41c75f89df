package wiretest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	identitydocument "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admindocument "github.com/aws/aws-sdk-go-v2/service/ssoadmin/document"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/awsquery"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/restjson"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
)

// examples is how many random values each operation is tried with.
const examples = 10

// server is what the SDK talks to: it keeps the request and gives the answer.
type server struct {
	request *http.Request
	body    []byte
	status  int
	header  http.Header
	answer  []byte
}

func (s *server) Do(r *http.Request) (*http.Response, error) {
	s.request, s.body = r, nil
	if r.Body != nil {
		s.body, _ = io.ReadAll(r.Body)
	}
	return &http.Response{
		StatusCode: s.status, Header: s.header, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(s.answer)), ContentLength: int64(len(s.answer)),
	}, nil
}

// client returns the official client of a service.
func client(id string, s *server) any {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
	})
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1"), HTTPClient: s, Credentials: credentials,
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	switch id {
	case "sso-admin":
		return ssoadmin.NewFromConfig(config)
	case "identitystore":
		return identitystore.NewFromConfig(config)
	case "organizations":
		return organizations.NewFromConfig(config)
	case "sso":
		return sso.NewFromConfig(config)
	case "sso-oidc":
		return ssooidc.NewFromConfig(config)
	default:
		return sts.NewFromConfig(config)
	}
}

type protocolCodec interface {
	Decode(op *schema.Operation, r codec.Request) (any, error)
	Encode(h http.Header, dst []byte, op *schema.Operation, out any, requestID string) []byte
	EncodeError(h http.Header, dst []byte, f codec.Failure, requestID string) []byte
}

func newCodec(s *schema.Service) protocolCodec {
	switch s.Protocol {
	case schema.AWSQuery:
		return awsquery.New(s)
	case schema.RESTJSON1:
		return restjson.New(s)
	default:
		return awsjson.New(s)
	}
}

// TestSDK calls every operation with AWS's own SDK: what the SDK sends, the
// codec reads; what the codec answers, the SDK reads.
func TestSDK(t *testing.T) {
	for _, s := range wiretest.AWSServices() {
		fake := &server{}
		c, sdk := newCodec(s.Service), reflect.ValueOf(client(s.ID, fake))
		for i := range s.Operations {
			op := &s.Operations[i]
			t.Run(s.ID+" "+op.Name, func(t *testing.T) {
				method := sdk.MethodByName(op.Name)
				if !method.IsValid() {
					t.Fatal("the SDK does not have the operation")
				}
				inputs := rapid.Custom(func(t *rapid.T) any {
					return wiretest.Draw(t, s.Service, op.Input, reflect.TypeOf(op.NewInput()).Elem())
				})
				outputs := rapid.Custom(func(t *rapid.T) any { return wiretest.Draw(t, s.Service, op.Output, s.Outputs[i]) })
				for seed := range examples {
					exchange(t, fake, c, op, method, inputs.Example(seed), outputs.Example(seed))
				}
			})
		}
	}
}

func exchange(t *testing.T, fake *server, c protocolCodec, op *schema.Operation, method reflect.Value, in, out any) {
	t.Helper()
	input := reflect.New(method.Type().In(1).Elem())
	assign(input.Elem(), reflect.ValueOf(in).Elem())
	fake.status, fake.header = http.StatusOK, http.Header{}
	fake.answer = c.Encode(fake.header, nil, op, out, "req-1")
	results := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), input})
	if err, _ := results[1].Interface().(error); err != nil {
		t.Fatalf("the SDK: %v\n%s", err, fake.answer)
	}
	got, err := c.Decode(op, codec.Request{
		Path: fake.request.URL.EscapedPath(), RawQuery: fake.request.URL.RawQuery, Header: fake.request.Header, Body: fake.body,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, fake.body)
	}
	if problem := differ(reflect.ValueOf(got).Elem(), input.Elem()); problem != "" {
		t.Errorf("input: %s\n%s", problem, fake.body)
	}
	if problem := differ(reflect.ValueOf(out).Elem(), results[0].Elem()); problem != "" {
		t.Errorf("output: %s\n%s", problem, fake.answer)
	}
}

// TestSDKReadsErrors answers each operation with each error of its model and
// with one of no model.
func TestSDKReadsErrors(t *testing.T) {
	for _, s := range wiretest.AWSServices() {
		fake := &server{}
		c, sdk := newCodec(s.Service), reflect.ValueOf(client(s.ID, fake))
		for i := range s.Operations {
			op := &s.Operations[i]
			failures := []codec.Failure{codec.Unmodelled("SerializationException", "odd <input> & \"more\"")}
			for _, name := range op.Errors {
				failures = append(failures, codec.NewFailure(s.ErrorByShape(name), "told of "+name, map[string]any{"Reason": "BECAUSE"}))
			}
			method := sdk.MethodByName(op.Name)
			drawn := rapid.Custom(func(t *rapid.T) any {
				return wiretest.Draw(t, s.Service, op.Input, reflect.TypeOf(op.NewInput()).Elem())
			}).Example(1)
			for _, f := range failures {
				fake.status, fake.header = http.StatusBadRequest, http.Header{}
				fake.answer = c.EncodeError(fake.header, nil, f, "req-1")
				input := reflect.New(method.Type().In(1).Elem())
				assign(input.Elem(), reflect.ValueOf(drawn).Elem())
				err, _ := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), input})[1].Interface().(error)
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != f.Shape && api.ErrorCode() != f.Code {
					t.Errorf("%s %s: the SDK makes %v of %s", s.ID, op.Name, err, fake.answer)
					continue
				}
				if told := message(err, api); told != f.Message {
					t.Errorf("%s %s %s: message %q, want %q", s.ID, op.Name, f.Shape, told, f.Message)
				}
			}
		}
	}
}

// message returns the text of an error; sso-oidc's types keep it in a member
// of their own.
func message(err error, api smithy.APIError) string {
	for e := err; e != nil; e = errors.Unwrap(e) {
		v := reflect.Indirect(reflect.ValueOf(e))
		if v.Kind() != reflect.Struct {
			continue
		}
		if f := v.FieldByName("Error_description"); f.IsValid() && !f.IsNil() {
			return f.Elem().String()
		}
	}
	return api.ErrorMessage()
}

// unions are the SDK's types of union members, by union and member.
var unions = map[string]reflect.Type{
	"AlternateIdentifier.ExternalId":                             reflect.TypeFor[identitytypes.AlternateIdentifierMemberExternalId](),
	"AlternateIdentifier.UniqueAttribute":                        reflect.TypeFor[identitytypes.AlternateIdentifierMemberUniqueAttribute](),
	"MemberId.UserId":                                            reflect.TypeFor[identitytypes.MemberIdMemberUserId](),
	"AuthenticationMethod.Iam":                                   reflect.TypeFor[admintypes.AuthenticationMethodMemberIam](),
	"Grant.AuthorizationCode":                                    reflect.TypeFor[admintypes.GrantMemberAuthorizationCode](),
	"Grant.JwtBearer":                                            reflect.TypeFor[admintypes.GrantMemberJwtBearer](),
	"Grant.RefreshToken":                                         reflect.TypeFor[admintypes.GrantMemberRefreshToken](),
	"Grant.TokenExchange":                                        reflect.TypeFor[admintypes.GrantMemberTokenExchange](),
	"TrustedTokenIssuerConfiguration.OidcJwtConfiguration":       reflect.TypeFor[admintypes.TrustedTokenIssuerConfigurationMemberOidcJwtConfiguration](),
	"TrustedTokenIssuerUpdateConfiguration.OidcJwtConfiguration": reflect.TypeFor[admintypes.TrustedTokenIssuerUpdateConfigurationMemberOidcJwtConfiguration](),
}

// assign copies one of our values to the SDK's type of it.
func assign(dst, src reflect.Value) {
	switch {
	case src.Kind() == reflect.Pointer && src.IsNil(), src.Kind() == reflect.Slice && src.IsNil(), src.Kind() == reflect.Map && src.IsNil():
	case src.Type() == reflect.TypeFor[*schema.JSON](), src.Type() == reflect.TypeFor[schema.JSON]():
		value := plain(reflect.Indirect(src).Interface().(schema.JSON).Value)
		if dst.Type() == reflect.TypeFor[identitydocument.Interface]() {
			dst.Set(reflect.ValueOf(identitydocument.NewLazyDocument(value)))
		} else {
			dst.Set(reflect.ValueOf(admindocument.NewLazyDocument(value)))
		}
	case dst.Kind() == reflect.Interface:
		name, member := setMember(src.Elem())
		union := reflect.New(unions[dst.Type().Name()+"."+name])
		assign(union.Elem().FieldByName("Value"), member)
		dst.Set(union)
	case dst.Kind() == reflect.Pointer && dst.Type().Elem().Kind() != reflect.Struct || dst.Kind() == reflect.Pointer && src.Kind() == reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		assign(dst.Elem(), reflect.Indirect(src))
	case src.Kind() == reflect.Pointer:
		assign(dst, src.Elem())
	case src.Type() == reflect.TypeFor[time.Time]():
		dst.Set(src)
	case src.Kind() == reflect.Struct:
		for i := range src.NumField() {
			if f := sdkField(dst, src.Type().Field(i).Name); f.IsValid() {
				assign(f, src.Field(i))
			}
		}
	case src.Kind() == reflect.Slice:
		dst.Set(reflect.MakeSlice(dst.Type(), src.Len(), src.Len()))
		for i := range src.Len() {
			assign(dst.Index(i), src.Index(i))
		}
	case src.Kind() == reflect.Map:
		dst.Set(reflect.MakeMap(dst.Type()))
		for _, key := range src.MapKeys() {
			element := reflect.New(dst.Type().Elem()).Elem()
			assign(element, src.MapIndex(key))
			dst.SetMapIndex(key.Convert(dst.Type().Key()), element)
		}
	default:
		dst.Set(src.Convert(dst.Type()))
	}
}

// sdkField finds the SDK's field of a member, whose case it changes at will.
func sdkField(v reflect.Value, name string) reflect.Value {
	return v.FieldByNameFunc(func(candidate string) bool { return strings.EqualFold(candidate, name) })
}

// setMember returns the member of a union that is set.
func setMember(v reflect.Value) (string, reflect.Value) {
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			return v.Type().Field(i).Name, v.Field(i)
		}
	}
	panic("a union with nothing set")
}

// plain turns the numbers of a document into what the SDK takes.
func plain(value any) any {
	switch value := value.(type) {
	case json.Number:
		n, _ := value.Int64()
		return n
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = plain(value[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for key := range value {
			object[key] = plain(value[key])
		}
		return object
	}
	return value
}

// differ compares one of our values with the SDK's, and tells the first
// difference. Where the SDK has no pointer, absent and zero are the same.
func differ(ours, sdk reflect.Value) string {
	switch {
	case ours.Kind() == reflect.Pointer && ours.IsNil(), ours.Kind() == reflect.Slice && ours.IsNil(), ours.Kind() == reflect.Map && ours.IsNil():
		if !sdk.IsZero() {
			return fmt.Sprintf("absent, but the SDK has %v", sdk)
		}
		return ""
	case sdk.Kind() == reflect.Interface && sdk.IsNil(), sdk.Kind() == reflect.Pointer && sdk.IsNil():
		return fmt.Sprintf("%v, but absent in the SDK", ours)
	case ours.Type() == reflect.TypeFor[*schema.JSON](), ours.Type() == reflect.TypeFor[schema.JSON]():
		return differDocument(reflect.Indirect(ours).Interface().(schema.JSON), sdk)
	case sdk.Kind() == reflect.Interface:
		name, member := setMember(ours.Elem())
		if sdk.Elem().Type().Elem() != unions[sdk.Type().Name()+"."+name] {
			return fmt.Sprintf("%s, but the SDK has %v", name, sdk.Elem().Type())
		}
		return differ(member, sdk.Elem().Elem().FieldByName("Value"))
	case ours.Kind() == reflect.Pointer:
		return differ(ours.Elem(), reflect.Indirect(sdk))
	case ours.Type() == reflect.TypeFor[time.Time]():
		// The SDK reads seconds as a float and cuts it.
		if d := ours.Interface().(time.Time).Sub(sdk.Interface().(time.Time)); d.Abs() > time.Millisecond {
			return fmt.Sprintf("%v, but the SDK has %v", ours, sdk)
		}
		return ""
	case ours.Kind() == reflect.Struct:
		for i := range ours.NumField() {
			name := ours.Type().Field(i).Name
			f := sdkField(sdk, name)
			if !f.IsValid() {
				return name + ": not in the SDK"
			}
			if problem := differ(ours.Field(i), f); problem != "" {
				return name + ": " + problem
			}
		}
		return ""
	case ours.Kind() == reflect.Slice || ours.Kind() == reflect.Map:
		return differCollection(ours, sdk)
	}
	if sdk = reflect.Indirect(sdk).Convert(ours.Type()); !ours.Equal(sdk) {
		return fmt.Sprintf("%#v, but the SDK has %#v", ours, sdk)
	}
	return ""
}

func differCollection(ours, sdk reflect.Value) string {
	if ours.Len() != sdk.Len() {
		return fmt.Sprintf("%d elements, but the SDK has %d", ours.Len(), sdk.Len())
	}
	if ours.Kind() == reflect.Slice {
		for i := range ours.Len() {
			if problem := differ(ours.Index(i), sdk.Index(i)); problem != "" {
				return fmt.Sprintf("[%d]: %s", i, problem)
			}
		}
		return ""
	}
	for _, key := range ours.MapKeys() {
		element := sdk.MapIndex(key.Convert(sdk.Type().Key()))
		if !element.IsValid() {
			return fmt.Sprintf("[%s]: not in the SDK", key)
		}
		if problem := differ(ours.MapIndex(key), element); problem != "" {
			return fmt.Sprintf("[%s]: %s", key, problem)
		}
	}
	return ""
}

func differDocument(ours schema.JSON, sdk reflect.Value) string {
	text, err := sdk.Interface().(interface{ MarshalSmithyDocument() ([]byte, error) }).MarshalSmithyDocument()
	if err != nil {
		return err.Error()
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var got any
	if err := decoder.Decode(&got); err != nil {
		return err.Error()
	}
	return cmp.Diff(ours.Value, got)
}
