package awsjson_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
)

func ptr[T any](v T) *T { return &v }

func decode(t *testing.T, body string) (*wiretest.Sink, error) {
	t.Helper()
	service := wiretest.SinkService(schema.AWSJSON11)
	in, err := awsjson.New(service).Decode(service.OperationByName("Put"), codec.Request{Body: []byte(body)})
	return in.(*wiretest.Sink), err
}

func TestDecode(t *testing.T) {
	when := time.Date(2024, 5, 6, 7, 8, 9, 123e6, time.UTC)
	for _, test := range []struct {
		name, body string
		want       wiretest.Sink
	}{
		{"empty body", "", wiretest.Sink{}},
		{"only white space", " \r\n\t ", wiretest.Sink{}},
		{"empty object", "{}", wiretest.Sink{}},
		{"string", `{"Text":"a"}`, wiretest.Sink{Text: ptr("a")}},
		{"empty string", `{"Text":""}`, wiretest.Sink{Text: ptr("")}},
		{"escapes", `{"Text":"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"}`, wiretest.Sink{Text: ptr("\"\\/\b\f\n\r\té😀")}},
		{"UTF-8", `{"Text":"žluťoučký 😀"}`, wiretest.Sink{Text: ptr("žluťoučký 😀")}},
		{"escaped key", `{"\u0054ext":"a"}`, wiretest.Sink{Text: ptr("a")}},
		{"integer", `{"Number":-2147483648}`, wiretest.Sink{Number: ptr(int32(math.MinInt32))}},
		{"integer with a fraction is cut", `{"Number":7.9}`, wiretest.Sink{Number: ptr(int32(7))}},
		{"integer with an exponent", `{"Number":12e2}`, wiretest.Sink{Number: ptr(int32(1200))}},
		{"long", `{"Big":9223372036854775807}`, wiretest.Sink{Big: ptr(int64(math.MaxInt64))}},
		{"double", `{"Ratio":-1.5e-3}`, wiretest.Sink{Ratio: ptr(-0.0015)}},
		{"infinity", `{"Ratio":"-Infinity"}`, wiretest.Sink{Ratio: ptr(math.Inf(-1))}},
		{"true", `{"Flag":true}`, wiretest.Sink{Flag: ptr(true)}},
		{"boolean by word", `{"Flag":"No"}`, wiretest.Sink{Flag: ptr(false)}},
		{"timestamp", `{"When":1714979289.123}`, wiretest.Sink{When: &when}},
		{"timestamp with an exponent", `{"When":1.714979289123E9}`, wiretest.Sink{When: &when}},
		{"timestamp before 1970", `{"When":-1.5}`, wiretest.Sink{When: ptr(time.UnixMilli(-1500).UTC())}},
		{"blob", `{"Data":"AQID/w=="}`, wiretest.Sink{Data: []byte{1, 2, 3, 255}}},
		{"empty blob", `{"Data":""}`, wiretest.Sink{Data: []byte{}}},
		{"list", `{"Texts":["a","","b"]}`, wiretest.Sink{Texts: []string{"a", "", "b"}}},
		{"empty list", `{"Texts":[]}`, wiretest.Sink{Texts: []string{}}},
		{"nulls in a list", `{"Texts":[null,"a",null],"Parts":[null]}`, wiretest.Sink{Texts: []string{"a"}, Parts: []wiretest.Part{}}},
		{"list of numbers", `{"Numbers":[1,-1]}`, wiretest.Sink{Numbers: []int32{1, -1}}},
		{"list of structures", `{"Parts":[{"Name":"a"},{}]}`, wiretest.Sink{Parts: []wiretest.Part{{Name: ptr("a")}, {}}}},
		{"structure", `{"Part":{"Size":3}}`, wiretest.Sink{Part: &wiretest.Part{Size: ptr(int32(3))}}},
		{"recursion", `{"Self":{"Self":{"Text":"a"}}}`, wiretest.Sink{Self: &wiretest.Sink{Self: &wiretest.Sink{Text: ptr("a")}}}},
		{"map", `{"Labels":{"a":"1","b":null,"":"2"}}`, wiretest.Sink{Labels: map[string]string{"a": "1", "": "2"}}},
		{"map of structures", `{"PartsByID":{"x":{"Name":"a"}}}`, wiretest.Sink{PartsByID: map[string]wiretest.Part{"x": {Name: ptr("a")}}}},
		{"union", `{"Choice":{"Part":{"Name":"a"}}}`, wiretest.Sink{Choice: &wiretest.Choice{Part: &wiretest.Part{Name: ptr("a")}}}},
		{"union with a null beside", `{"Choice":{"Text":"a","Part":null,"__type":"x"}}`, wiretest.Sink{Choice: &wiretest.Choice{Text: ptr("a")}}},
		{"document", `{"Any":{"a":[1,2.50,"x",true,null,{}]}}`, wiretest.Sink{Any: &schema.JSON{Value: map[string]any{
			"a": []any{json.Number("1"), json.Number("2.50"), "x", true, nil, map[string]any{}},
		}}}},
		{"document null", `{"Any":null}`, wiretest.Sink{Any: &schema.JSON{}}},
		{"wire name", `{"other-name":"a","Renamed":"b"}`, wiretest.Sink{Renamed: ptr("a")}},
		{"unknown members", `{"Nope":{"a":[1,{"b":null}],"c":"\n"},"Text":"a","Neither":[]}`, wiretest.Sink{Text: ptr("a")}},
		{"names match by case", `{"text":"a"}`, wiretest.Sink{}},
		{"null is absent", `{"Text":null,"Number":null,"Part":null,"Texts":null,"Labels":null,"Choice":null,"When":null}`, wiretest.Sink{}},
		{
			"last of two wins", `{"Text":"a","Text":"b","Part":{"Name":"x"},"Part":{"Size":1},"Texts":["a","b"],"Texts":["c"]}`,
			wiretest.Sink{Text: ptr("b"), Part: &wiretest.Part{Size: ptr(int32(1))}, Texts: []string{"c"}},
		},
		{"null after a value", `{"Text":"a","Text":null}`, wiretest.Sink{}},
		{"white space", " {\t\"Text\" :\r\n\"a\" , \"Texts\" : [ ] } ", wiretest.Sink{Text: ptr("a"), Texts: []string{}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(t, test.body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecodeTypeMismatch holds the answers that AWS's JSON front end was seen
// to give for each pair of found and wanted type.
func TestDecodeTypeMismatch(t *testing.T) {
	const list, object = "Start of list found where not expected", "Start of structure or map found where not expected."
	for body, want := range map[string]string{
		`{"Text":1}`:                        "NUMBER_VALUE can not be converted to a String",
		`{"Text":1.5}`:                      "NUMBER_VALUE can not be converted to a String",
		`{"Text":true}`:                     "TRUE_VALUE can not be converted to a String",
		`{"Text":false}`:                    "FALSE_VALUE can not be converted to a String",
		`{"Text":["x"]}`:                    list,
		`{"Text":{"a":1}}`:                  object,
		`{"Number":"1"}`:                    "STRING_VALUE can not be converted to an Integer",
		`{"Number":true}`:                   "TRUE_VALUE can not be converted to an Integer",
		`{"Number":[1]}`:                    list,
		`{"Number":{"a":1}}`:                object,
		`{"Number":2147483648}`:             "NUMBER_VALUE can not be converted to an Integer",
		`{"Number":1e400}`:                  "NUMBER_VALUE can not be converted to an Integer",
		`{"Big":"1"}`:                       "STRING_VALUE can not be converted to a Long",
		`{"Big":92233720368547758070}`:      "NUMBER_VALUE can not be converted to a Long",
		`{"Ratio":"1"}`:                     "STRING_VALUE can not be converted to a Double",
		`{"Flag":"perhaps"}`:                "STRING_VALUE can not be converted to an Boolean",
		`{"Flag":1}`:                        "NUMBER_VALUE can not be converted to a Boolean",
		`{"Flag":[]}`:                       list,
		`{"When":"2024-05-06"}`:             "STRING_VALUE can not be converted to milliseconds since epoch",
		`{"When":1e300}`:                    "NUMBER_VALUE can not be converted to milliseconds since epoch",
		`{"When":253402300800}`:             "NUMBER_VALUE can not be converted to milliseconds since epoch",
		`{"Data":1}`:                        "NUMBER_VALUE can not be converted to a Blob",
		`{"Data":"not base64!"}`:            "STRING_VALUE can not be converted to a Blob",
		`{"Data":"AQI"}`:                    "STRING_VALUE can not be converted to a Blob",
		`{"Texts":"x"}`:                     "Expected list or null",
		`{"Texts":1}`:                       "Expected list or null",
		`{"Texts":true}`:                    "Expected list or null",
		`{"Texts":{}}`:                      object,
		`{"Texts":[1]}`:                     "NUMBER_VALUE can not be converted to a String",
		`{"Texts":[["a"]]}`:                 list,
		`{"Parts":{"Name":"a"}}`:            object,
		`{"Parts":["a"]}`:                   "Expected null",
		`{"Labels":"x"}`:                    "Expected map or null",
		`{"Labels":[]}`:                     list,
		`{"Labels":{"a":1}}`:                "NUMBER_VALUE can not be converted to a String",
		`{"Part":"x"}`:                      "Expected null",
		`{"Part":1}`:                        "Expected null",
		`{"Part":[]}`:                       list,
		`{"Part":{"Name":1}}`:               "NUMBER_VALUE can not be converted to a String",
		`{"Choice":{}}`:                     "Exactly one member of Choice must be set",
		`{"Choice":{"Other":1}}`:            "Exactly one member of Choice must be set",
		`{"Choice":{"Text":"a","Part":{}}}`: "Exactly one member of Choice must be set",
		`[]`:                                list,
	} {
		_, err := decode(t, body)
		var malformed *codec.Malformed
		if !errors.As(err, &malformed) || malformed.Code != "SerializationException" || malformed.Message != want {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

func TestDecodeRefusesWhatIsNotJSON(t *testing.T) {
	deep := strings.Repeat("[", codec.MaxDepth+1) + strings.Repeat("]", codec.MaxDepth+1)
	for _, body := range []string{
		"{", "}", `"x"`, "1", "true", "null", "nul", "{]", `{"Text"}`, `{"Text":}`, `{"Text":"a"`, `{"Text":"a}`,
		`{"Text":"a",}`, `{,}`, `{"Text" "a"}`, `{"Text":"a" "Number":1}`, `{Text:"a"}`, `{'Text':'a'}`, `{1:2}`,
		`{"Text":"a"}x`, `{"Text":"a"} {}`, `{}` + "\x00", "\ufeff{}", "\x00{}",
		"{\"Text\":\"\n\"}", "{\"Text\":\"\x00\"}", "{\"Text\":\"\xff\"}", "{\"Text\":\"\\n\xff\"}",
		`{"Text":"\x"}`, `{"Text":"\u12"}`, `{"Text":"\u12G4"}`, `{"Text":"\`, `{"Text":"\ud800"}`, `{"Text":"\udc00"}`, `{"Text":"\ud800\u0041"}`,
		`{"Text":NaN}`, `{"Number":01}`, `{"Number":-}`, `{"Number":1.}`, `{"Number":.5}`, `{"Number":+1}`, `{"Number":1e}`, `{"Number":0x10}`,
		`{"Texts":[}`, `{"Texts":["a",]}`, `{"Texts":["a" "b"]}`, `{"Texts":[`, `{"Flag":tru}`, `{"Unknown":[1,}`, `{"Unknown":}`,
		`{"Any":` + deep + `}`, `{"Unknown":` + deep + `}`,
		`{"Unknown":` + strings.Repeat(`{"a":`, codec.MaxDepth) + "1" + strings.Repeat("}", codec.MaxDepth) + "}",
		strings.Repeat(`{"Self":`, codec.MaxDepth) + "{}" + strings.Repeat("}", codec.MaxDepth),
		`{"Parts":[` + strings.Repeat("{},", codec.MaxValues) + `{}]}`,
		`{"Any":[` + strings.Repeat("[],", codec.MaxValues) + `[]]}`,
		`{"Text":"` + strings.Repeat("a", codec.MaxBody) + `"}`,
	} {
		_, err := decode(t, body)
		var malformed *codec.Malformed
		if !errors.As(err, &malformed) || malformed.Code != "SerializationException" || malformed.Message == "" {
			t.Errorf("%.60q: got %v, want a SerializationException", body, err)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%.60q: the message has %d bytes", body, len(err.Error()))
		}
	}
}

// TestMemoryIsBounded holds what the most greedy bodies make the decoder keep.
func TestMemoryIsBounded(t *testing.T) {
	fill := func(head, element, tail string) string {
		return head + strings.Repeat(element+",", (codec.MaxBody-100)/(len(element)+1)) + element + tail
	}
	for name, body := range map[string]string{
		"list of structures": fill(`{"Parts":[`, `{}`, `]}`),
		"list of strings":    fill(`{"Texts":[`, `""`, `]}`),
		"nulls":              fill(`{"Parts":[`, `null`, `]}`),
		"same member":        fill(`{`, `"Self":{}`, `}`),
		"document":           fill(`{"Any":[`, `{}`, `]}`),
		"unknown":            fill(`{"Nope":[`, `[]`, `]}`),
		"escapes":            fill(`{`, `"Text":"\n"`, `}`),
		"long number":        `{"Any":` + strings.Repeat("1", codec.MaxBody-20) + `}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = decode(t, body)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d MiB for %d KiB", name, used>>20, len(body)>>10)
		}
	}
}

func TestEncode(t *testing.T) {
	for _, test := range []struct {
		name string
		out  *wiretest.Sink
		want string
	}{
		{"nil", nil, `{}`},
		{"nothing set", &wiretest.Sink{}, `{}`},
		{"string", &wiretest.Sink{Text: ptr("a<b>&'\"\\/ é😀\u2028")}, `{"Text":"a<b>&'\"\\/ é😀` + "\u2028" + `"}`},
		{"control characters", &wiretest.Sink{Text: ptr("\x00\n\r\t\x1f\x7f")}, `{"Text":"\u0000\n\r\t\u001f` + "\x7f" + `"}`},
		{"not UTF-8", &wiretest.Sink{Text: ptr("a\xffb\xc3")}, `{"Text":"a` + "\ufffdb\ufffd" + `"}`},
		{"numbers", &wiretest.Sink{Number: ptr(int32(-5)), Big: ptr(int64(math.MinInt64)), Ratio: ptr(0.25)}, `{"Number":-5,"Big":-9223372036854775808,"Ratio":0.25}`},
		{"not a number", &wiretest.Sink{Ratio: ptr(math.NaN())}, `{"Ratio":"NaN"}`},
		{"zero values are values", &wiretest.Sink{Text: ptr(""), Number: ptr(int32(0)), Flag: ptr(false)}, `{"Text":"","Number":0,"Flag":false}`},
		{"timestamp", &wiretest.Sink{When: ptr(time.UnixMilli(1714979289123))}, `{"When":1714979289.123}`},
		{"timestamp with leading zeros", &wiretest.Sink{When: ptr(time.UnixMilli(1714979289007))}, `{"When":1714979289.007}`},
		{"whole seconds", &wiretest.Sink{When: ptr(time.Unix(1714979289, 0))}, `{"When":1714979289}`},
		{"before 1970", &wiretest.Sink{When: ptr(time.UnixMilli(-1500))}, `{"When":-1.500}`},
		{"blob", &wiretest.Sink{Data: []byte{1, 2, 3, 255}}, `{"Data":"AQID/w=="}`},
		{
			"empty collections are kept", &wiretest.Sink{Data: []byte{}, Texts: []string{}, Parts: []wiretest.Part{}, Labels: map[string]string{}, Part: &wiretest.Part{}},
			`{"Data":"","Texts":[],"Parts":[],"Part":{},"Labels":{}}`,
		},
		{
			"lists", &wiretest.Sink{Texts: []string{"a", ""}, Parts: []wiretest.Part{{}, {Name: ptr("b")}}, Numbers: []int32{1, 2}},
			`{"Texts":["a",""],"Parts":[{},{"Name":"b"}],"Numbers":[1,2]}`,
		},
		{
			"maps by key", &wiretest.Sink{Labels: map[string]string{"b": "2", "a\n": "1"}, PartsByID: map[string]wiretest.Part{"x": {}}},
			`{"Labels":{"a\n":"1","b":"2"},"PartsByID":{"x":{}}}`,
		},
		{"union", &wiretest.Sink{Choice: &wiretest.Choice{Text: ptr("a")}}, `{"Choice":{"Text":"a"}}`},
		{"document", &wiretest.Sink{Any: &schema.JSON{Value: map[string]any{"b": []any{json.Number("1.50"), nil, "x", 1.5}, "a": true}}}, `{"Any":{"a":true,"b":[1.50,null,"x",1.5]}}`},
		{"document null", &wiretest.Sink{Any: &schema.JSON{}}, `{"Any":null}`},
		{"wire name", &wiretest.Sink{Renamed: ptr("a")}, `{"other-name":"a"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			service := wiretest.SinkService(schema.AWSJSON11)
			header := http.Header{}
			got := awsjson.New(service).Encode(header, []byte("x"), service.OperationByName("Put"), test.out, "req-1")
			if diff := cmp.Diff("x"+test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if !json.Valid(got[1:]) {
				t.Error("not JSON")
			}
			if header.Get("Content-Type") != "application/x-amz-json-1.1" || header.Get("x-amzn-RequestId") != "req-1" {
				t.Errorf("headers %v", header)
			}
		})
	}
}

func TestOperationWithoutShapes(t *testing.T) {
	service := wiretest.SinkService(schema.AWSJSON11)
	op, c := service.OperationByName("Nothing"), awsjson.New(service)
	for _, body := range []string{"", "{}", `{"a":1}`} {
		if in, err := c.Decode(op, codec.Request{Body: []byte(body)}); err != nil || in == nil {
			t.Errorf("%q: %v, %v", body, in, err)
		}
	}
	if got := c.Encode(http.Header{}, nil, op, &struct{}{}, "r"); len(got) != 0 {
		t.Errorf("body %q of an operation without output", got)
	}
}

func TestEncodeError(t *testing.T) {
	service := wiretest.SinkService(schema.AWSJSON11)
	c := awsjson.New(service)
	for _, test := range []struct {
		name    string
		failure codec.Failure
		want    string
	}{
		{
			"modelled", codec.NewFailure(service.ErrorByShape("NoSuchPartException"), `no "x"`, map[string]any{"Reason": "GONE", "Other": "y"}),
			`{"__type":"NoSuchPartException","Message":"no \"x\"","Reason":"GONE"}`,
		},
		{
			"members not given are left out", codec.NewFailure(service.ErrorByShape("NoSuchPartException"), "m", nil),
			`{"__type":"NoSuchPartException","Message":"m"}`,
		},
		{
			"own names", codec.NewFailure(&schema.Error{Shape: "E", Members: []string{"RetryAfterSeconds", "message", "List"}}, "m", map[string]any{"RetryAfterSeconds": 3, "List": []string{"a", "b"}}),
			`{"__type":"E","RetryAfterSeconds":3,"message":"m","List":["a","b"]}`,
		},
		{"serialization", codec.Unmodelled("SerializationException", "m"), `{"__type":"SerializationException","Message":"m"}`},
		{"front end", codec.Unmodelled("UnknownOperationException", "m"), `{"__type":"UnknownOperationException","message":"m"}`},
		{"no message", codec.Unmodelled("UnknownOperationException", ""), `{"__type":"UnknownOperationException"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			got := c.EncodeError(header, nil, test.failure, "req-1")
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if header.Get("x-amzn-RequestId") != "req-1" {
				t.Errorf("headers %v", header)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"Text":"a\u00e9","Parts":[{"Size":1e2}],"Any":{"a":[null,-0.5]},"Choice":{"Text":""},"Labels":{"a":"b"},"When":1.5}`, `{"Self":{"Self":{}}}`, "", "[", `{"Data":"AQ=="}`} {
		f.Add([]byte(seed))
	}
	service := wiretest.SinkService(schema.AWSJSON11)
	op, c := service.OperationByName("Put"), awsjson.New(service)
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := c.Decode(op, codec.Request{Body: body})
		if err != nil {
			var malformed *codec.Malformed
			if !errors.As(err, &malformed) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if len(body) > 0 && strings.TrimSpace(string(body)) != "" && !json.Valid(body) {
			t.Fatalf("took what is not JSON")
		}
		// What was read, written and read again is the same.
		again, err := c.Decode(op, codec.Request{Body: c.Marshal(nil, op.Output, in)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
