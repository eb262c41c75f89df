package awsquery_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/wire/awsquery"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
)

func ptr[T any](v T) *T { return &v }

func decode(r codec.Request) (*wiretest.Sink, error) {
	service := wiretest.SinkService(schema.AWSQuery)
	in, err := awsquery.New(service).Decode(service.OperationByName("Put"), r)
	sink, _ := in.(*wiretest.Sink)
	return sink, err
}

func TestDecode(t *testing.T) {
	when := time.Date(2024, 5, 6, 7, 8, 9, 123e6, time.UTC)
	for _, test := range []struct {
		name, form string
		want       wiretest.Sink
	}{
		{"nothing", "Action=Put&Version=2020-01-01", wiretest.Sink{}},
		{"empty", "", wiretest.Sink{}},
		{"string", "Action=Put&Text=a+b%20c%26%3D%C3%A9", wiretest.Sink{Text: ptr("a b c&=é")}},
		{"digits stay a string", "Text=012345678901", wiretest.Sink{Text: ptr("012345678901")}},
		{"words stay a string", "Text=true", wiretest.Sink{Text: ptr("true")}},
		{"empty string", "Text=", wiretest.Sink{Text: ptr("")}},
		{"no equals sign", "Text", wiretest.Sink{Text: ptr("")}},
		{"numbers", "Number=-5&Big=9223372036854775807&Ratio=0.5", wiretest.Sink{Number: ptr(int32(-5)), Big: ptr(int64(math.MaxInt64)), Ratio: ptr(0.5)}},
		{"infinity", "Ratio=-Infinity", wiretest.Sink{Ratio: ptr(math.Inf(-1))}},
		{"boolean", "Flag=true", wiretest.Sink{Flag: ptr(true)}},
		{"boolean in capitals", "Flag=FALSE", wiretest.Sink{Flag: ptr(false)}},
		{"empty parameters are absent", "Number=&Flag=&When=", wiretest.Sink{}},
		{"timestamp", "When=2024-05-06T07:08:09.123Z", wiretest.Sink{When: &when}},
		{"timestamp with an offset", "When=2024-05-06T09:08:09.123%2B02:00", wiretest.Sink{When: &when}},
		{"blob", "Data=AQID%2Fw==", wiretest.Sink{Data: []byte{1, 2, 3, 255}}},
		{"list", "Texts.member.1=a&Texts.member.2=", wiretest.Sink{Texts: []string{"a", ""}}},
		{"list by number", "Texts.member.10=c&Texts.member.2=b&Texts.member.1=a", wiretest.Sink{Texts: []string{"a", "b", "c"}}},
		{"empty list", "Texts=", wiretest.Sink{Texts: []string{}}},
		{"list of structures", "Parts.member.1.Name=a&Parts.member.2.Size=5", wiretest.Sink{Parts: []wiretest.Part{{Name: ptr("a")}, {Size: ptr(int32(5))}}}},
		{"structure", "Part.Name=a&Part.Unknown=b", wiretest.Sink{Part: &wiretest.Part{Name: ptr("a")}}},
		{"recursion", "Self.Self.Text=a", wiretest.Sink{Self: &wiretest.Sink{Self: &wiretest.Sink{Text: ptr("a")}}}},
		{"flattened list", "Flat.1=a&Flat.2=b", wiretest.Sink{Flat: []string{"a", "b"}}},
		{"map", "Labels.entry.1.key=a&Labels.entry.1.value=1&Labels.entry.2.key=b.c&Labels.entry.2.value=", wiretest.Sink{Labels: map[string]string{"a": "1", "b.c": ""}}},
		{"flattened map", "FlatMap.1.key=a&FlatMap.1.value=1", wiretest.Sink{FlatMap: map[string]string{"a": "1"}}},
		{"map of structures", "PartsByID.entry.1.key=a&PartsByID.entry.1.value.Name=b", wiretest.Sink{PartsByID: map[string]wiretest.Part{"a": {Name: ptr("b")}}}},
		{"union", "Choice.Part.Name=a", wiretest.Sink{Choice: &wiretest.Choice{Part: &wiretest.Part{Name: ptr("a")}}}},
		{"wire name", "other-name=a&Renamed=b", wiretest.Sink{Renamed: ptr("a")}},
		{"first of two counts", "Text=a&Text=b", wiretest.Sink{Text: ptr("a")}},
		{"unknown parameters", "Nope.member.1.x=a&Text=a&&", wiretest.Sink{Text: ptr("a")}},
		{"dots", "Text=a&.=b&..=c&Text.=d", wiretest.Sink{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(codec.Request{Body: []byte(test.form)})
			if test.name == "dots" {
				if err == nil {
					t.Error("a string with parts was taken")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
			if inQuery, err := decode(codec.Request{RawQuery: test.form}); err != nil || !reflect.DeepEqual(inQuery, got) {
				t.Errorf("in the query: %v, %v", inQuery, err)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for form, want := range map[string]string{
		"Number=x":                            "STRING_VALUE can not be converted to an Integer",
		"Number=1.5":                          "STRING_VALUE can not be converted to an Integer",
		"Number=2147483648":                   "STRING_VALUE can not be converted to an Integer",
		"Big=1e3":                             "STRING_VALUE can not be converted to a Long",
		"Ratio=0x1p-2":                        "STRING_VALUE can not be converted to a Double",
		"Flag=1":                              "STRING_VALUE can not be converted to an Boolean",
		"When=1714979289":                     "STRING_VALUE can not be converted to milliseconds since epoch",
		"When=0000-01-01T00:00:00Z":           "STRING_VALUE can not be converted to milliseconds since epoch",
		"Data=!!":                             "STRING_VALUE can not be converted to a Blob",
		"Texts=a":                             "Expected list or null",
		"Texts.1=a":                           "Start of structure or map found where not expected.",
		"Texts.member.0=a":                    "The number of a list element is not valid.",
		"Texts.member.-1=a":                   "The number of a list element is not valid.",
		"Texts.member.01=a":                   "The number of a list element is not valid.",
		"Texts.member.x=a":                    "The number of a list element is not valid.",
		"Texts.member.99999999999999999999=a": "The number of a list element is not valid.",
		"Texts.member.1.x=a":                  "Start of structure or map found where not expected.",
		"Part=a":                              "Expected null",
		"Text.x=a":                            "Start of structure or map found where not expected.",
		"Labels.entry.1.key=a":                "An entry of a map needs a key and a value.",
		"Labels.entry.1.value=a":              "An entry of a map needs a key and a value.",
		"Choice.Other=a":                      "Exactly one member of Choice must be set",
		"Choice.Text=a&Choice.Part.Name=b":    "Exactly one member of Choice must be set",
		"Text=%zz":                            "The request parameters are not well-formed.",
		"Text=%ff":                            "The request parameters are not well-formed.",
		"%c3=a":                               "The request parameters are not well-formed.",
		"%zz=a":                               "The request parameters are not well-formed.",
		strings.Repeat("Self.", codec.MaxDepth) + "Text=a": "The request parameters are nested too deeply.",
		strings.Repeat("a.b&", codec.MaxValues/2+1):        "The request holds too many parameters.",
		strings.Repeat("a", codec.MaxBody+1):               "The request is too large.",
	} {
		_, err := decode(codec.Request{Body: []byte(form)})
		var malformed *codec.Malformed
		if !errors.As(err, &malformed) || malformed.Code != "MalformedInput" || malformed.Message != want {
			t.Errorf("%.60s: got %v, want %s", form, err, want)
		}
	}
}

func TestEncode(t *testing.T) {
	const head, tail = `<PutResponse xmlns="https://sink.example/doc/2020-01-01/"><PutResult>`, `</PutResult><ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></PutResponse>`
	for _, test := range []struct {
		name string
		out  *wiretest.Sink
		want string
	}{
		{"nil", nil, ""},
		{"nothing set", &wiretest.Sink{}, ""},
		{"text", &wiretest.Sink{Text: ptr("a<b>&\"'é😀 c")}, "<Text>a&lt;b&gt;&amp;&quot;'é😀 c</Text>"},
		{"white space", &wiretest.Sink{Text: ptr("\t\r\n\u0085\u2028")}, "<Text>\t&#xD;&#xA;&#x85;&#x2028;</Text>"},
		{"what XML cannot hold", &wiretest.Sink{Text: ptr("a\x00\x1b\uffffb\xff")}, "<Text>a\ufffd\ufffd\ufffdb\ufffd</Text>"},
		{"numbers", &wiretest.Sink{Number: ptr(int32(-1)), Big: ptr(int64(2)), Ratio: ptr(0.5), Flag: ptr(false)}, "<Number>-1</Number><Big>2</Big><Ratio>0.5</Ratio><Flag>false</Flag>"},
		{"not finite", &wiretest.Sink{Ratio: ptr(math.Inf(-1))}, "<Ratio>-Infinity</Ratio>"},
		{"timestamp", &wiretest.Sink{When: ptr(time.UnixMilli(1714979289120))}, "<When>2024-05-06T07:08:09.12Z</When>"},
		{"whole seconds", &wiretest.Sink{When: ptr(time.Unix(1714979289, 0))}, "<When>2024-05-06T07:08:09Z</When>"},
		{"blob", &wiretest.Sink{Data: []byte{1, 2, 3, 255}}, "<Data>AQID/w==</Data>"},
		{
			"lists", &wiretest.Sink{Texts: []string{"a", ""}, Parts: []wiretest.Part{{Name: ptr("b")}}, Flat: []string{"c", "d"}},
			"<Texts><member>a</member><member></member></Texts><Parts><member><Name>b</Name></member></Parts><Flat>c</Flat><Flat>d</Flat>",
		},
		{"empty list", &wiretest.Sink{Texts: []string{}, Flat: []string{}}, "<Texts></Texts>"},
		{
			"maps", &wiretest.Sink{Labels: map[string]string{"b": "2", "a": "<"}, FlatMap: map[string]string{"k": "v"}},
			"<Labels><entry><key>a</key><value>&lt;</value></entry><entry><key>b</key><value>2</value></entry></Labels><FlatMap><key>k</key><value>v</value></FlatMap>",
		},
		{
			"structures", &wiretest.Sink{Part: &wiretest.Part{}, Choice: &wiretest.Choice{Text: ptr("a")}, Self: &wiretest.Sink{Renamed: ptr("b")}},
			"<Part></Part><Choice><Text>a</Text></Choice><Self><other-name>b</other-name></Self>",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			service, header := wiretest.SinkService(schema.AWSQuery), http.Header{}
			got := awsquery.New(service).Encode(header, nil, service.OperationByName("Put"), test.out, "req-1")
			if diff := cmp.Diff(head+test.want+tail, string(got)); diff != "" {
				t.Error(diff)
			}
			wellFormed(t, got)
			if header.Get("Content-Type") != "text/xml" || header.Get("x-amzn-RequestId") != "req-1" {
				t.Errorf("headers %v", header)
			}
		})
	}
}

func TestEncodeWithoutOutput(t *testing.T) {
	service := wiretest.SinkService(schema.AWSQuery)
	got := string(awsquery.New(service).Encode(http.Header{}, nil, service.OperationByName("Nothing"), nil, "r"))
	want := `<NothingResponse xmlns="https://sink.example/doc/2020-01-01/"><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></NothingResponse>`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEncodeError(t *testing.T) {
	service := wiretest.SinkService(schema.AWSQuery)
	c := awsquery.New(service)
	got := string(c.EncodeError(http.Header{}, nil, codec.NewFailure(service.ErrorByShape("NoSuchPartException"), "no <x>", nil), "req-1"))
	want := `<ErrorResponse xmlns="https://sink.example/doc/2020-01-01/"><Error><Type>Sender</Type><Code>NoSuchPart</Code><Message>no &lt;x&gt;</Message></Error><RequestId>req-1</RequestId></ErrorResponse>`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	ours := codec.Unmodelled("InternalFailure", "")
	ours.Sender = false
	got = string(c.EncodeError(http.Header{}, nil, ours, "r"))
	want = `<ErrorResponse xmlns="https://sink.example/doc/2020-01-01/"><Error><Type>Receiver</Type><Code>InternalFailure</Code><Message></Message></Error><RequestId>r</RequestId></ErrorResponse>`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func wellFormed(t interface {
	Helper()
	Fatalf(string, ...any)
}, text []byte,
) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(text)))
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
}

// TestRoundTrip encodes random inputs as an SDK does. A form cannot tell an
// empty structure from none, so what one pass keeps, the next must keep.
func TestRoundTrip(t *testing.T) {
	for _, s := range wiretest.Services() {
		if s.Protocol != schema.AWSQuery {
			continue
		}
		c, client := awsquery.New(s.Service), wiretest.NewClient(s.Service)
		for i := range s.Operations {
			op := &s.Operations[i]
			t.Run(s.ID+" "+op.Name, rapid.MakeCheck(func(t *rapid.T) {
				in := wiretest.Draw(t, s.Service, op.Input, reflect.TypeOf(op.NewInput()).Elem())
				_, request := client.Request(op, in)
				first, err := c.Decode(op, request)
				if err != nil {
					t.Fatal(err)
				}
				_, request = client.Request(op, first)
				second, err := c.Decode(op, request)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(first, second); diff != "" {
					t.Fatal(diff)
				}
				out := wiretest.Draw(t, s.Service, op.Output, s.Outputs[i])
				wellFormed(t, c.Encode(http.Header{}, nil, op, out, "r"))
			}))
		}
	}
}

// TestMemoryIsBounded holds what the most greedy forms make the decoder keep.
func TestMemoryIsBounded(t *testing.T) {
	forms := map[string]func(i int) string{
		"list":      func(i int) string { return fmt.Sprintf("Parts.member.%d.Size=1&", i+1) },
		"recursion": func(i int) string { return strings.Repeat("Self.", i%60) + fmt.Sprintf("x%d=&", i) },
		"unknown":   func(i int) string { return fmt.Sprintf("%x=&", i) },
	}
	for name, pair := range forms {
		var b strings.Builder
		for i := 0; b.Len() < codec.MaxBody-400; i++ {
			b.WriteString(pair(i))
		}
		body := []byte(b.String())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = decode(codec.Request{Body: body})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d MiB for %d KiB", name, used>>20, len(body)>>10)
		}
	}
}

func BenchmarkDecodeAssumeRole(b *testing.B) {
	s := sts.Descriptor()
	c, op := awsquery.New(s), s.OperationByName("AssumeRole")
	body := []byte("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdemo&RoleSessionName=alice&DurationSeconds=3600&Tags.member.1.Key=team&Tags.member.1.Value=blue")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Decode(op, codec.Request{Body: body}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeGetCallerIdentity(b *testing.B) {
	s := sts.Descriptor()
	c, op := awsquery.New(s), s.OperationByName("GetCallerIdentity")
	out := &sts.GetCallerIdentityResponse{Account: new("123456789012"), UserId: new("AIDAEXAMPLEEXAMPLEEX"), Arn: new("arn:aws:iam::123456789012:user/admin")}
	header, dst := http.Header{}, []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		dst = c.Encode(header, dst[:0], op, out, "01234567-89ab-cdef-0123-456789abcdef")
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"Action=Put&Text=a&Parts.member.1.Size=5", "Texts=&Labels.entry.1.key=a&Labels.entry.1.value=b", "Choice.Text=%41", "When=2024-05-06T07:08:09Z&Data=AQ==", "Flat.1=a&.=&Self.Self.Flag=true"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, form string) {
		_, err := decode(codec.Request{Body: []byte(form)})
		var malformed *codec.Malformed
		if err != nil && !errors.As(err, &malformed) {
			t.Fatalf("an error of another kind: %v", err)
		}
	})
}

func FuzzEscape(f *testing.F) {
	f.Add("\xef")
	f.Add("a<&>\"'\x00\r\n\u2028\uffff\xff")
	service := wiretest.SinkService(schema.AWSQuery)
	c, op := awsquery.New(service), service.OperationByName("Put")
	f.Fuzz(func(t *testing.T, text string) {
		wellFormed(t, c.Encode(http.Header{}, nil, op, &wiretest.Sink{Text: &text}, text))
	})
}
