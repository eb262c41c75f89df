package awsjson_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
)

// TestRoundTrip holds that whatever a generated shape can hold is the same
// after it was written and read, and that what is written is JSON.
func TestRoundTrip(t *testing.T) {
	services := []wiretest.Service{{Service: wiretest.SinkService(schema.AWSJSON11)}}
	services[0].Outputs = []reflect.Type{reflect.TypeFor[wiretest.Sink](), reflect.TypeFor[wiretest.Sink](), reflect.TypeFor[struct{}]()}
	services[0].Operations = services[0].Operations[:1]
	for _, s := range append(services, wiretest.Services()...) {
		if s.Protocol != schema.AWSJSON11 {
			continue
		}
		c := awsjson.New(s.Service)
		for i := range s.Operations {
			op := &s.Operations[i]
			t.Run(s.ID+" "+op.Name, func(t *testing.T) {
				roundTrip(t, c, s.Service, op.Input, reflect.TypeOf(op.NewInput()).Elem())
				roundTrip(t, c, s.Service, op.Output, s.Outputs[i])
			})
		}
	}
}

func roundTrip(t *testing.T, c *awsjson.Codec, s *schema.Service, ref schema.Ref, typ reflect.Type) {
	if ref == schema.NoShape {
		return
	}
	rapid.Check(t, func(t *rapid.T) {
		value := wiretest.Draw(t, s, ref, typ)
		text := c.Marshal(nil, ref, value)
		if !json.Valid(text) {
			t.Fatalf("not JSON: %s", text)
		}
		again := reflect.New(typ).Interface()
		if err := c.Unmarshal(ref, text, again); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if diff := cmp.Diff(value, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

const createUser = `{"IdentityStoreId":"d-1234567890","UserName":"sam.lee","Name":{"GivenName":"Sam","FamilyName":"Lee"},"DisplayName":"Sam Lee","Emails":[{"Value":"sam.lee@example.com","Type":"work","Primary":true}],"PhoneNumbers":[{"Value":"+1 555 0100","Type":"work"}],"Title":"Engineer","Locale":"en-US","Timezone":"UTC"}`

func BenchmarkDecodeCreateUser(b *testing.B) {
	s := identitystore.Descriptor()
	c, op := awsjson.New(s), s.OperationByName("CreateUser")
	b.SetBytes(int64(len(createUser)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Decode(op, codec.Request{Body: []byte(createUser)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeListUsers(b *testing.B) {
	s := identitystore.Descriptor()
	c, op := awsjson.New(s), s.OperationByName("ListUsers")
	now, out := time.UnixMilli(1714979289123), &identitystore.ListUsersResponse{NextToken: new("token")}
	for i := range 100 {
		name := fmt.Sprintf("user.%03d", i)
		out.Users = append(out.Users, identitystore.User{
			IdentityStoreId: new("d-1234567890"), UserId: new(fmt.Sprintf("90677c608a-7afcdc23-22e4-4fb2-8a3f-9b7dcb1c%04d", i)),
			UserName: &name, DisplayName: &name, Name: &identitystore.Name{GivenName: new("Given"), FamilyName: new("Family")},
			Emails:     []identitystore.Email{{Value: new(name + "@example.com"), Type: new("work"), Primary: new(true)}},
			UserStatus: new("ENABLED"), CreatedAt: &now, UpdatedAt: &now, CreatedBy: new("arn"), UpdatedBy: new("arn"),
		})
	}
	header, dst := http.Header{}, []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		dst = c.Encode(header, dst[:0], op, out, "r")
	}
	b.SetBytes(int64(len(dst)))
}
