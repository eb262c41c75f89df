package validate_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/validate"
	"github.com/atrium-iam/atrium/internal/wire/validate/violation"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
)

type request struct {
	Name     *string
	ARN      *string
	Secret   *string
	Limit    *int32
	Type     *string
	Tags     []tag
	Words    []string
	Labels   map[string]string
	Scopes   map[string]tag
	Policy   *schema.JSON
	Self     *request
	Secrets  []secret
	TypeList []string
}

type tag struct{ Key, Value *string }

type secret struct{ Value *string }

const (
	refRequest schema.Ref = iota
	refName
	refARN
	refSecret
	refLimit
	refType
	refTags
	refTag
	refWords
	refLabels
	refScopes
	refPolicy
	refSecrets
	refSecretPart
	refTypes
	refKey
)

func service(style string) *schema.Service {
	return &schema.Service{
		Protocol:   schema.AWSJSON11,
		Validation: schema.Dialect{Code: "ValidationException", Style: style},
		Operations: []schema.Operation{{Name: "Do", Input: refRequest, Output: schema.NoShape, NewInput: func() any { return new(request) }}},
		Shapes: []schema.Shape{
			{Name: "Request", Kind: schema.Structure, Members: []schema.Member{
				{Name: "Name", Shape: refName, Required: true},
				{Name: "ARN", Shape: refARN},
				{Name: "Secret", Shape: refSecret},
				{Name: "Limit", Shape: refLimit},
				{Name: "Type", Shape: refType},
				{Name: "Tags", Shape: refTags},
				{Name: "Words", Shape: refWords},
				{Name: "Labels", Shape: refLabels},
				{Name: "Scopes", Shape: refScopes},
				{Name: "Policy", Shape: refPolicy, Required: true},
				{Name: "Self", Shape: refRequest},
				{Name: "Secrets", Shape: refSecrets},
				{Name: "TypeList", Shape: refTypes},
			}},
			{Name: "Name", Kind: schema.String, HasMin: true, Min: 2, HasMax: true, Max: 5},
			{Name: "ARN", Kind: schema.String, HasMin: true, Min: 1, Pattern: `a[a-z]+`, ModelPattern: `a[\u0061-z]+`},
			{Name: "Secret", Kind: schema.String, Sensitive: true, HasMax: true, Max: 3},
			{Name: "Limit", Kind: schema.Integer, HasMin: true, Min: 1, HasMax: true, Max: 100},
			{Name: "PolicyType", Kind: schema.String, Enum: []string{"A_B", "C"}},
			{Name: "Tags", Kind: schema.List, Element: refTag, HasMax: true, Max: 2},
			{Name: "Tag", Kind: schema.Structure, Members: []schema.Member{{Name: "Key", Shape: refKey, Required: true}, {Name: "Value", Shape: refName}}},
			{Name: "Words", Kind: schema.List, Element: refName, HasMin: true, Min: 1},
			{Name: "Labels", Kind: schema.Map, Key: refKey, Value: refName},
			{Name: "Scopes", Kind: schema.Map, Key: refKey, Value: refTag, HasMin: true, Min: 1},
			{Name: "Policy", Kind: schema.Document},
			{Name: "Secrets", Kind: schema.List, Element: refSecretPart, HasMax: true, Max: 1},
			{Name: "SecretPart", Kind: schema.Structure, Members: []schema.Member{{Name: "Value", Shape: refName, Required: true, Sensitive: true}}},
			{Name: "Types", Kind: schema.List, Element: refType},
			{Name: "Key", Kind: schema.String, HasMin: true, Min: 1, HasMax: true, Max: 128, Pattern: `[\p{L}.-]+`, ModelPattern: `[\p{L}.-]+`},
		},
	}
}

func ptr[T any](v T) *T { return &v }

// describe returns the message about in, "" when it is valid.
func describe(t *testing.T, style string, in request) validate.Answer {
	t.Helper()
	s := service(style)
	v, err := validate.New(s)
	if err != nil {
		t.Fatal(err)
	}
	found := v.Check(&s.Operations[0], &in)
	if len(found) == 0 {
		return validate.Answer{}
	}
	return v.Describe(found)
}

func TestCoral(t *testing.T) {
	const name, low, high = "Name", "Member must have length greater than or equal to 2", "Member must have length less than or equal to 5"
	policy := &schema.JSON{Value: map[string]any{}}
	ok := request{Name: ptr("name"), Policy: policy}
	with := func(change func(*request)) request {
		in := ok
		change(&in)
		return in
	}
	for _, test := range []struct {
		name string
		in   request
		want string
	}{
		{"valid", ok, ""},
		{"missing", request{Policy: policy}, "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{"two missing", request{}, "2 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; Value null at 'policy' failed to satisfy constraint: Member must not be null"},
		{"null document", request{Name: ptr("name"), Policy: &schema.JSON{}}, "1 validation error detected: Value null at 'policy' failed to satisfy constraint: Member must not be null"},
		{"too short", with(func(r *request) { r.Name = ptr("é") }), "1 validation error detected: Value 'é' at 'name' failed to satisfy constraint: " + low},
		{"length is in code points", with(func(r *request) { r.Name = ptr("é漢😀éé") }), ""},
		{"too long", with(func(r *request) { r.Name = ptr("abcdef") }), "1 validation error detected: Value 'abcdef' at 'name' failed to satisfy constraint: " + high},
		{"pattern", with(func(r *request) { r.ARN = ptr("xab") }), `1 validation error detected: Value 'xab' at 'aRN' failed to satisfy constraint: Member must satisfy regular expression pattern: a[\u0061-z]+`},
		{"pattern matches the whole", with(func(r *request) { r.ARN = ptr("ab\n") }), "1 validation error detected: Value 'ab\n' at 'aRN' failed to satisfy constraint: Member must satisfy regular expression pattern: a[\\u0061-z]+"},
		{"pattern before length", with(func(r *request) { r.ARN = ptr("") }), `2 validation errors detected: Value '' at 'aRN' failed to satisfy constraint: Member must satisfy regular expression pattern: a[\u0061-z]+; Value '' at 'aRN' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"number too small", with(func(r *request) { r.Limit = ptr(int32(0)) }), "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"number too large", with(func(r *request) { r.Limit = ptr(int32(101)) }), "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"enum", with(func(r *request) { r.Type = ptr("a_b") }), "1 validation error detected: Value 'a_b' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [A_B, C]"},
		{"sensitive", with(func(r *request) { r.Secret = ptr("hush") }), "1 validation error detected: Value at 'secret' failed to satisfy constraint: Member must have length less than or equal to 3"},
		{"sensitive member of an element", with(func(r *request) { r.Secrets = []secret{{ptr("x")}} }), "1 validation error detected: Value at 'secrets.1.member.value' failed to satisfy constraint: " + low},
		{"sensitive and missing", with(func(r *request) { r.Secrets = []secret{{}} }), "1 validation error detected: Value at 'secrets.1.member.value' failed to satisfy constraint: Member must not be null"},
		{"list with something sensitive", with(func(r *request) { r.Secrets = []secret{{ptr("aa")}, {ptr("bb")}} }), "1 validation error detected: Value at 'secrets' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{
			"list too long", with(func(r *request) { r.Tags = []tag{{Key: ptr("a"), Value: ptr("bb")}, {Key: ptr("c")}, {Key: ptr("d")}} }),
			"1 validation error detected: Value '[Tag(key=a, value=bb), Tag(key=c), Tag(key=d)]' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 2",
		},
		{
			"member of an element", with(func(r *request) { r.Tags = []tag{{Key: ptr("a")}, {Value: ptr("b")}} }),
			"2 validation errors detected: Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null; Value 'b' at 'tags.2.member.value' failed to satisfy constraint: " + low,
		},
		{"empty list", with(func(r *request) { r.Words = []string{} }), "1 validation error detected: Value '[]' at 'words' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"elements", with(func(r *request) { r.Words = []string{"good", "x", "toolong"} }), "1 validation error detected: Value '[good, x, toolong]' at 'words' failed to satisfy constraint: Member must satisfy constraint: [" + high + ", " + low + "]"},
		{"enum elements", with(func(r *request) { r.TypeList = []string{"C", "D"} }), "1 validation error detected: Value '[C, D]' at 'typeList' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [A_B, C]]"},
		{
			"map keys", with(func(r *request) { r.Labels = map[string]string{"a b": "good", "c": "good"} }),
			`1 validation error detected: Value '{a b=good, c=good}' at 'labels' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}.-]+]`,
		},
		{"map values", with(func(r *request) { r.Labels = map[string]string{"a": "x"} }), "1 validation error detected: Value '{a=x}' at 'labels' failed to satisfy constraint: Map value must satisfy constraint: [" + high + ", " + low + "]"},
		{
			"member of a map's value", with(func(r *request) { r.Scopes = map[string]tag{"b": {}, "a": {Key: ptr("k"), Value: ptr("v")}} }),
			"2 validation errors detected: Value 'v' at 'scopes.a.member.value' failed to satisfy constraint: " + low + "; Value null at 'scopes.b.member.key' failed to satisfy constraint: Member must not be null",
		},
		{"empty map", with(func(r *request) { r.Scopes = map[string]tag{} }), "1 validation error detected: Value '{}' at 'scopes' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"nested", with(func(r *request) { r.Self = &request{Name: ptr(name), Policy: policy, Self: &request{Policy: policy}} }), "1 validation error detected: Value null at 'self.self.name' failed to satisfy constraint: Member must not be null"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, style := range []string{"coral", "portal"} {
				if diff := cmp.Diff(test.want, describe(t, style, test.in).Message); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestOrganizations(t *testing.T) {
	policy := &schema.JSON{Value: true}
	for _, test := range []struct {
		in   request
		want string // reason
	}{
		{request{Policy: policy}, "INPUT_REQUIRED"},
		{request{Name: ptr("x"), Policy: policy}, "MIN_LENGTH_EXCEEDED"},
		{request{Name: ptr("toolong"), Policy: policy}, "MAX_LENGTH_EXCEEDED"},
		{request{Name: ptr("name"), Limit: ptr(int32(0)), Policy: policy}, "MIN_VALUE_EXCEEDED"},
		{request{Name: ptr("name"), Limit: ptr(int32(101)), Policy: policy}, "MAX_VALUE_EXCEEDED"},
		{request{Name: ptr("name"), ARN: ptr("x"), Policy: policy}, "INVALID_PATTERN"},
		{request{Name: ptr("name"), Type: ptr("x"), Policy: policy}, "INVALID_ENUM_POLICY_TYPE"},
		{request{Name: ptr("name"), TypeList: []string{"x"}, Policy: policy}, "INVALID_LIST_MEMBER"},
		{request{Name: ptr("x"), ARN: ptr("x")}, "MIN_LENGTH_EXCEEDED"}, // the first one only
	} {
		got := describe(t, "organizations", test.in)
		if got.Reason != test.want || !strings.HasPrefix(got.Message, "You ") || got.Code != "ValidationException" {
			t.Errorf("got %+v, want reason %s", got, test.want)
		}
	}
	if got := describe(t, "organizations", request{Name: ptr("name"), ARN: ptr("x"), Policy: policy}).Message; got != "You provided a value that does not match the required pattern." {
		t.Error(got)
	}
}

// TestMessagesAreBounded holds that no input, however large, makes a large
// message.
func TestMessagesAreBounded(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	many := request{Name: &long, ARN: &long, Type: &long, Labels: map[string]string{long: long}, Scopes: map[string]tag{long + "!": {Value: &long}}}
	for range 100_000 {
		many.Words = append(many.Words, "x")
		many.Tags = append(many.Tags, tag{})
	}
	got := describe(t, "coral", many)
	if n := utf8.RuneCountInString(got.Message); n > 10*1400 {
		t.Errorf("a message of %d characters", n)
	}
	if !utf8.ValidString(got.Message) {
		t.Error("the message is not UTF-8")
	}
	if !strings.HasPrefix(got.Message, "10 validation errors detected: ") {
		t.Errorf("got %.60s", got.Message)
	}
}

func TestNewRefusesAPattern(t *testing.T) {
	s := service("coral")
	s.Shapes[refARN].Pattern = `(?=x)`
	if _, err := validate.New(s); err == nil || !strings.Contains(err.Error(), "pattern of ARN") {
		t.Errorf("got %v", err)
	}
}

// TestPatternsAgreeWithRegexp holds the short cut for simple patterns to what
// the regular expression says of the same text.
func TestPatternsAgreeWithRegexp(t *testing.T) {
	patterns := map[string]bool{`[a-z]*`: true, `^[ -~]+$`: true, `[\S\s]*`: true, `.{2,3}`: true, `(?i)[k-m]+`: true, `([\p{L}\p{Z}]*)`: true, `^\d{12}$`: true, `a|b+`: true, `a*b`: true, `^a*|b*$`: true}
	for _, s := range wiretest.Services() {
		for i := range s.Shapes {
			if s.Shapes[i].Pattern != "" {
				patterns[s.Shapes[i].Pattern] = true
			}
		}
	}
	for pattern := range patterns {
		s := service("coral")
		s.Shapes[refARN].Pattern, s.Shapes[refARN].HasMin = pattern, false
		v, err := validate.New(s)
		if err != nil {
			t.Fatal(err)
		}
		whole := regexp.MustCompile(`\A(?:` + pattern + `)\z`)
		texts := rapid.OneOf(rapid.String(), rapid.StringMatching(pattern), rapid.StringMatching(`[ -~\n\x{a0}-\x{ff}ſK\x{3000}]*`), rapid.Just(""))
		rapid.Check(t, func(t *rapid.T) {
			text := texts.Draw(t, "text")
			in := request{Name: ptr("name"), ARN: &text, Policy: &schema.JSON{Value: 1}}
			if got, want := len(v.Check(&s.Operations[0], &in)) == 0, whole.MatchString(text); got != want {
				t.Fatalf("%q on %q: %v, regexp says %v", pattern, text, got, want)
			}
		})
	}
}

// TestEveryDerivedViolation breaks every constraint of every operation that
// the models have, sends it through the codec, and holds that the validator
// finds it and both dialects tell it.
func TestEveryDerivedViolation(t *testing.T) {
	for _, s := range wiretest.Services() {
		s.Validation = schema.Dialect{Code: "ValidationException", Style: "coral"}
		coral, err := validate.New(s.Service)
		if err != nil {
			t.Fatal(err)
		}
		other := *s.Service
		other.Validation.Style = "organizations"
		organizations, err := validate.New(&other)
		if err != nil {
			t.Fatal(err)
		}
		cases, _, err := violation.Derive(s.Service)
		if err != nil {
			t.Fatal(err)
		}
		if len(cases) < len(s.Operations) {
			t.Errorf("%s: only %d cases", s.ID, len(cases))
		}
		c := awsjson.New(s.Service)
		for _, test := range cases {
			in := test.Input
			if s.Protocol == schema.AWSJSON11 {
				in, err = c.Decode(test.Operation, codec.Request{Body: c.Marshal(nil, test.Operation.Input, test.Input)})
				if err != nil {
					t.Errorf("%s %s: %v", s.ID, test.Name(), err)
					continue
				}
			}
			found := coral.Check(test.Operation, in)
			if problem := judge(test, found, coral, organizations); problem != "" {
				t.Errorf("%s %s: %s\n%+v", s.ID, test.Name(), problem, found)
			}
		}
	}
}

// judge returns what is wrong with the violations found in a case.
func judge(test violation.Case, found []validate.Violation, coral, organizations *validate.Validator) string {
	at := -1
	for i, f := range found {
		if f.Path == test.Path && f.Constraint == test.Constraint {
			at = i
		}
	}
	switch {
	case at < 0:
		return "not found"
	case test.Exact && len(found) != 1:
		return "something else is broken too"
	}
	text := map[validate.Constraint]string{
		validate.Required: "Member must not be null", validate.MinLength: "Member must have length greater than or equal to ",
		validate.MaxLength: "Member must have length less than or equal to ", validate.MinValue: "Member must have value greater than or equal to ",
		validate.MaxValue: "Member must have value less than or equal to ", validate.Pattern: "Member must satisfy regular expression pattern: ",
		validate.Enum: "Member must satisfy enum value set: [",
	}[test.Broken]
	message := coral.Describe(found).Message
	if want := fmt.Sprintf("at '%s' failed to satisfy constraint: ", test.Path); !strings.Contains(message, want) || !strings.Contains(message, text) {
		return "told as " + message
	}
	if found[at].Sensitive && found[at].Value != "" {
		return "shows something sensitive"
	}
	if reason := organizations.Describe(found).Reason; reason == "" {
		return "no reason"
	}
	return ""
}

// TestReasonsAreInTheModel holds the reasons to those that AWS Organizations
// has.
func TestReasonsAreInTheModel(t *testing.T) {
	text, err := os.ReadFile("../../../model/organizations.json")
	if err != nil {
		t.Fatal(err)
	}
	var model struct {
		Shapes map[string]struct{ Enum []string }
	}
	if err := json.Unmarshal(text, &model); err != nil {
		t.Fatal(err)
	}
	known := model.Shapes["InvalidInputExceptionReason"].Enum
	s := service("organizations")
	v, err := validate.New(s)
	if err != nil {
		t.Fatal(err)
	}
	for kind := validate.Required; kind <= validate.Values; kind++ {
		for _, shape := range []string{"X", "PolicyType"} {
			if reason := v.Describe([]validate.Violation{{Constraint: kind, Shape: shape}}).Reason; !slices.Contains(known, reason) {
				t.Errorf("%s: %q is not a reason of the model", kind, reason)
			}
		}
	}
}

// FuzzCheck gives any JSON to the validator of the operation with the most
// constraints: it never panics, and what it says is short.
func FuzzCheck(f *testing.F) {
	s := wiretest.Services()[1]
	op, c := s.OperationByName("CreateUser"), awsjson.New(s.Service)
	v, err := validate.New(s.Service)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"UserName":"","Emails":[{},{"Value":""}],"Extensions":{"x":{},"aws:identitystore:enterprise":null}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := c.Decode(op, codec.Request{Body: body})
		if err != nil {
			return
		}
		found := v.Check(op, in)
		if len(found) > validate.MaxViolations {
			t.Fatalf("%d violations", len(found))
		}
		if len(found) == 0 {
			return
		}
		if a := v.Describe(found); !utf8.ValidString(a.Message) || len(a.Message) > 64<<10 {
			t.Fatalf("message of %d bytes: %.100q", len(a.Message), a.Message)
		}
	})
}

func BenchmarkCheckCreateUser(b *testing.B) {
	for _, s := range wiretest.Services() {
		if s.ID != "identitystore" {
			continue
		}
		v, err := validate.New(s.Service)
		if err != nil {
			b.Fatal(err)
		}
		op := s.OperationByName("CreateUser")
		in := op.NewInput()
		if err := json.Unmarshal([]byte(`{"IdentityStoreId":"d-1234567890","UserName":"sam.lee","Name":{"GivenName":"Sam","FamilyName":"Lee"},"DisplayName":"Sam Lee","Emails":[{"Value":"sam.lee@example.com","Type":"work","Primary":true}],"PhoneNumbers":[{"Value":"+1 555 0100","Type":"work"}],"Title":"Engineer","Locale":"en-US","Timezone":"UTC"}`), in); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if found := v.Check(op, in); found != nil {
				b.Fatal(found)
			}
		}
	}
}
