package restjson_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/awsapi/ssooidc"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/restjson"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
)

func ptr[T any](v T) *T { return &v }

func decode(r codec.Request) (*wiretest.Bound, error) {
	service := wiretest.SinkService(schema.RESTJSON1)
	if r.Path == "" {
		r.Path = "/bind/a/rest/b"
	}
	in, err := restjson.New(service).Decode(service.OperationByName("Bind"), r)
	bound, _ := in.(*wiretest.Bound)
	return bound, err
}

func TestDecode(t *testing.T) {
	day := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, test := range []struct {
		name    string
		request codec.Request
		want    wiretest.Bound
	}{
		{"nothing", codec.Request{}, wiretest.Bound{}},
		{"labels", codec.Request{Path: "/bind/a%20%2Fb/rest/x/y%2Fz/"}, wiretest.Bound{ID: ptr("a /b"), Rest: ptr("x/y/z/")}},
		{"label with a plus", codec.Request{Path: "/bind/a+b/rest/x"}, wiretest.Bound{ID: ptr("a+b"), Rest: ptr("x")}},
		{"string header", codec.Request{Header: http.Header{"X-Sink-Token": {"abc"}}}, wiretest.Bound{Token: ptr("abc")}},
		{"integer in the query", codec.Request{RawQuery: "count=-5"}, wiretest.Bound{Count: ptr(int32(-5))}},
		{"empty integer is absent", codec.Request{RawQuery: "count="}, wiretest.Bound{}},
		{"timestamp in the query", codec.Request{RawQuery: "since=2024-05-06T07:08:09Z"}, wiretest.Bound{Since: &day}},
		{"timestamp with an offset", codec.Request{RawQuery: "since=2024-05-06T09:08:09.000%2B02:00"}, wiretest.Bound{Since: &day}},
		{"list in the query", codec.Request{RawQuery: "tag=a&tag=&tag=b%26c"}, wiretest.Bound{Tags: []string{"a", "", "b&c"}}},
		{"timestamp in a header", codec.Request{Header: http.Header{"X-Modified-At": {"Mon, 06 May 2024 07:08:09 GMT"}}}, wiretest.Bound{ModifiedAt: &day}},
		{"list in a header", codec.Request{Header: http.Header{"X-Words": {"a, b", "c"}}}, wiretest.Bound{Words: []string{"a", "b", "c"}}},
		{"first of two values", codec.Request{RawQuery: "count=1&count=2"}, wiretest.Bound{Count: ptr(int32(1))}},
		{"body", codec.Request{Body: []byte(`{"body":"a","part":{"Name":"b"}}`)}, wiretest.Bound{Body: ptr("a"), Part: &wiretest.Part{Name: ptr("b")}}},
		{"bound members are not read from the body", codec.Request{Body: []byte(`{"x-sink-token":"a","count":1,"Token":"b","ID":"c","tag":["d"]}`)}, wiretest.Bound{}},
		{"body members are not read from the query", codec.Request{RawQuery: "body=a&part=b"}, wiretest.Bound{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(test.request)
			if err != nil {
				t.Fatal(err)
			}
			if test.request.Path == "" {
				test.want.ID, test.want.Rest = ptr("a"), ptr("b")
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, request := range map[string]codec.Request{
		"integer that is none":    {RawQuery: "count=x"},
		"integer out of range":    {RawQuery: "count=2147483648"},
		"timestamp that is none":  {RawQuery: "since=yesterday"},
		"timestamp out of range":  {RawQuery: "since=0000-01-01T00:00:00Z"},
		"header of another form":  {Header: http.Header{"X-Modified-At": {"2024-05-06T07:08:09Z"}}},
		"text that is not UTF-8":  {RawQuery: "tag=%ff"},
		"query that is none":      {RawQuery: "count=%zz"},
		"query with a semicolon":  {RawQuery: "count=1;tag=2"},
		"too many parameters":     {RawQuery: manyParameters()},
		"body that is no JSON":    {Body: []byte("{")},
		"body of a wrong type":    {Body: []byte(`{"body":1}`)},
		"list instead of a body":  {Body: []byte(`[]`)},
		"body with a second body": {Body: []byte(`{}{}`)},
	} {
		_, err := decode(request)
		var malformed *codec.Malformed
		if !errors.As(err, &malformed) || malformed.Code != "SerializationException" || malformed.Message == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func manyParameters() string {
	var b strings.Builder
	for i := range codec.MaxValues + 1 {
		b.WriteString("a")
		for ; i > 0; i /= 26 {
			b.WriteByte(byte('a' + i%26))
		}
		b.WriteString("=&")
	}
	return b.String()
}

func TestPathThatDoesNotFit(t *testing.T) {
	for _, path := range []string{"/", "/bind", "/other/a/rest/b", "/bind/a/other/b", "/bind/%zz/rest/b"} {
		got, err := decode(codec.Request{Path: path})
		if err != nil || got.ID != nil || got.Rest != nil {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
}

func TestEncode(t *testing.T) {
	service := wiretest.SinkService(schema.RESTJSON1)
	c, header := restjson.New(service), http.Header{}
	body := c.Encode(header, nil, service.OperationByName("Bind"), &wiretest.Bound{
		Token: ptr("a\r\nInjected: b"), ModifiedAt: ptr(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)), Words: []string{"a", "b"},
		Body: ptr("x"), Part: &wiretest.Part{Size: ptr(int32(1))}, Count: ptr(int32(5)),
	}, "req-1")
	if diff := cmp.Diff(`{"body":"x","part":{"Size":1}}`, string(body)); diff != "" {
		t.Error(diff)
	}
	want := http.Header{
		"Content-Type": {"application/json"}, "X-Amzn-Requestid": {"req-1"}, "X-Sink-Token": {"aInjected: b"},
		"X-Modified-At": {"Mon, 06 May 2024 07:08:09 GMT"}, "X-Words": {"a, b"},
	}
	if diff := cmp.Diff(want, header); diff != "" {
		t.Error(diff)
	}
	if got := c.Encode(http.Header{}, nil, service.OperationByName("Nothing"), nil, "r"); len(got) != 0 {
		t.Errorf("body %q of an operation without output", got)
	}
}

func TestEncodeError(t *testing.T) {
	portal, oidc := restjson.New(wiretest.SinkService(schema.RESTJSON1)), restjson.New(ssooidc.Descriptor())
	modelled := func(shape string, values map[string]any) codec.Failure {
		return codec.NewFailure(ssooidc.Descriptor().ErrorByShape(shape), "why", values)
	}
	for _, test := range []struct {
		name    string
		codec   *restjson.Codec
		failure codec.Failure
		want    string
	}{
		{"portal", portal, codec.NewFailure(&schema.Error{Shape: "UnauthorizedException", Members: []string{"message"}}, "why", nil), `{"message":"why"}`},
		{"portal, not in the model", portal, codec.Unmodelled("ForbiddenException", "No access"), `{"message":"No access"}`},
		{"pending", oidc, modelled("AuthorizationPendingException", nil), `{"error":"authorization_pending","error_description":"why"}`},
		{"slow down", oidc, modelled("SlowDownException", nil), `{"error":"slow_down","error_description":"why"}`},
		{"metadata", oidc, modelled("InvalidClientMetadataException", nil), `{"error":"invalid_client_metadata","error_description":"why"}`},
		{"server", oidc, modelled("InternalServerException", nil), `{"error":"server_error","error_description":"why"}`},
		{"region", oidc, modelled("InvalidRequestRegionException", map[string]any{"region": "eu-west-1"}), `{"error":"invalid_request","error_description":"why","region":"eu-west-1"}`},
		{"malformed", oidc, codec.Unmodelled("SerializationException", "why"), `{"error":"invalid_request","error_description":"why","message":"why"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			got := test.codec.EncodeError(header, nil, test.failure, "req-1")
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if header.Get("x-amzn-ErrorType") != test.failure.Shape || header.Get("x-amzn-RequestId") != "req-1" {
				t.Errorf("headers %v", header)
			}
		})
	}
}

// TestEveryOIDCErrorHasACode holds that the OAuth code of each error is the
// one its model documents.
func TestEveryOIDCErrorHasACode(t *testing.T) {
	service := ssooidc.Descriptor()
	c := restjson.New(service)
	codes := map[string]string{
		"AccessDeniedException": "access_denied", "AuthorizationPendingException": "authorization_pending", "ExpiredTokenException": "expired_token",
		"InternalServerException": "server_error", "InvalidClientException": "invalid_client", "InvalidClientMetadataException": "invalid_client_metadata",
		"InvalidGrantException": "invalid_grant", "InvalidRedirectUriException": "invalid_redirect_uri", "InvalidRequestException": "invalid_request",
		"InvalidRequestRegionException": "invalid_request", "InvalidScopeException": "invalid_scope", "SlowDownException": "slow_down",
		"UnauthorizedClientException": "unauthorized_client", "UnsupportedGrantTypeException": "unsupported_grant_type",
	}
	for i := range service.Errors {
		e := &service.Errors[i]
		body := string(c.EncodeError(http.Header{}, nil, codec.NewFailure(e, "why", nil), "r"))
		if !strings.HasPrefix(body, `{"error":"`+codes[e.Shape]+`","error_description":"why"`) {
			t.Errorf("%s: %s", e.Shape, body)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	services := []*schema.Service{wiretest.SinkService(schema.RESTJSON1)}
	for _, s := range wiretest.Services() {
		if s.Protocol == schema.RESTJSON1 {
			services = append(services, s.Service)
		}
	}
	for _, s := range services {
		c, client := restjson.New(s), wiretest.NewClient(s)
		for i := range s.Operations {
			op := &s.Operations[i]
			t.Run(s.ID+" "+op.Name, rapid.MakeCheck(func(t *rapid.T) {
				in := wiretest.Draw(t, s, op.Input, reflect.TypeOf(op.NewInput()).Elem())
				_, request := client.Request(op, in)
				got, err := c.Decode(op, request)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(in, got); diff != "" {
					t.Fatal(diff)
				}
			}))
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("/bind/a/rest/b/c", "count=1&since=2024-05-06T07:08:09Z&tag=a", "Mon, 06 May 2024 07:08:09 GMT", `{"body":"a"}`)
	f.Add("/bind/%2F/rest/", "count", "a,b", "")
	f.Fuzz(func(t *testing.T, path, query, header, body string) {
		_, err := decode(codec.Request{Path: path, RawQuery: query, Body: []byte(body), Header: http.Header{"X-Modified-At": {header}, "X-Words": {header}}})
		var malformed *codec.Malformed
		if err != nil && !errors.As(err, &malformed) {
			t.Fatalf("an error of another kind: %v", err)
		}
	})
}
