package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/policy"
)

func TestCompileAccepts(t *testing.T) {
	for name, document := range map[string]string{
		"list of statements": `{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"B","Effect":"Deny","NotAction":["iam:*"],"NotResource":["arn:aws:s3:::b"]}]}`,
		"one statement":      `{"Statement":{"Effect":"Allow","Action":["s3:Get*","SNS:Publish"],"Resource":"*"}}`,
		"old version":        `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:*:s3:::${not-a-variable"}}`,
		"white space":        " \n{\"Statement\" : [{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}\t",
		"empty Sids":         `{"Statement":[{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"*","Resource":"*"}]}`,
		"conditions":         `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":[10,"20"]},"ForAllValues:StringLikeIfExists":{"aws:TagKeys":[]}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := policy.Compile(document); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	const syntax = "Syntax errors in policy."
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[{` + s + `}]}` }
	tests := []struct{ name, document, want string }{
		{"nothing", ``, syntax},
		{"no object", `[]`, syntax},
		{"cut off", `{"Statement":[{"Effect":"Allow"`, syntax},
		{"more than one document", statement(`"Effect":"Allow","Action":"*","Resource":"*"`) + `{}`, syntax},
		{"invalid UTF-8", statement("\"Effect\":\"Allow\",\"Action\":\"s3:\xff\",\"Resource\":\"*\""), syntax},
		{"deep", strings.Repeat("[", 100000), syntax},
		{"unknown element", `{"Version":"2012-10-17","Statements":[]}`, syntax},
		{"unknown version", `{"Version":"2012-10-18","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, syntax},
		{"no statement", `{"Version":"2012-10-17"}`, syntax},
		{"empty statements", `{"Version":"2012-10-17","Statement":[]}`, syntax},
		{"statement of wrong type", `{"Version":"2012-10-17","Statement":["Allow"]}`, syntax},
		{"duplicate key", statement(`"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"`), syntax},
		{"unknown statement element", statement(`"Effect":"Allow","Action":"*","Resource":"*","Reason":"x"`), syntax},
		{"no effect", statement(`"Action":"*","Resource":"*"`), syntax},
		{"effect in wrong case", statement(`"Effect":"allow","Action":"*","Resource":"*"`), syntax},
		{"both actions", statement(`"Effect":"Allow","Action":"*","NotAction":"s3:*","Resource":"*"`), syntax},
		{"both resources", statement(`"Effect":"Allow","Action":"*","NotResource":"*","Resource":"*"`), syntax},
		{"action of wrong type", statement(`"Effect":"Allow","Action":[1],"Resource":"*"`), syntax},
		{"condition of wrong type", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":[]`), syntax},
		{"condition without keys", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":"x"}`), syntax},
		{"condition on an object", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":{}}}`), syntax},
		{"unknown operator", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringMatches":{"aws:username":"x"}}`), syntax},
		{"NullIfExists", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NullIfExists":{"aws:username":"true"}}`), syntax},
		{"open variable", statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username"`), syntax},
		{"sid", statement(`"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"`), "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
		{"duplicate sid", `{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}]}`, "Statement IDs (SID) in a single policy must be unique."},
		{"no actions", statement(`"Effect":"Allow","Resource":"*"`), "Policy statement must contain actions."},
		{"empty actions", statement(`"Effect":"Allow","Action":[],"Resource":"*"`), "Policy statement must contain actions."},
		{"no resources", statement(`"Effect":"Allow","Action":"*"`), "Policy statement must contain resources."},
		{"principal", statement(`"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"`), "Policy document should not specify a principal."},
		{"action without vendor", statement(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"action with wildcard vendor", statement(`"Effect":"Allow","Action":"S3*:Get","Resource":"*"`), "Vendor S3* is not valid"},
		{"action with colons", statement(`"Effect":"Allow","Action":"s3:Get:Object","Resource":"*"`), "Actions/Condition can contain only one colon."},
		{"condition without vendor", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"username":"x"}}`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"resource without colon", statement(`"Effect":"Allow","Action":"*","Resource":"bucket"`), `Resource bucket must be in ARN format or "*".`},
		{"resource of another scheme", statement(`"Effect":"Allow","Action":"*","Resource":"urn:x"`), `Resource urn:x must be in ARN format or "*".`},
		{"partition", statement(`"Effect":"Allow","Action":"*","Resource":"arn:gcp:s3:::b/*"`), `Partition "gcp" is not valid for resource "arn:gcp:s3:::b/*".`},
		{"partition of a short ARN", statement(`"Effect":"Allow","Action":"*","Resource":"arn:x"`), `Partition "x" is not valid for resource "arn:x:*:*:*:*".`},
		{"resource vendor", statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:*:::x"`), "Resource vendor must be fully qualified and cannot contain regexes."},
		{"date", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`), "The policy failed legacy parsing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := policy.Compile(tt.document)
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Category != fault.Invalid || e.Subject != "policy_document" || e.Message != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}/*"}]}`)
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":["a:?"],"NotResource":"*","Condition":{"ForAnyValue:IpAddressIfExists":{"aws:SourceIp":["10.0.0.0/8","::1"]},"Null":{"aws:x":true},"DateLessThan":{"aws:CurrentTime":"2020"},"BinaryEquals":{"a:b":"QQ=="},"NumericEquals":{"a:c":1.5}}}}`)
	values := new(policy.Values)
	for _, name := range []string{"aws:SourceIp", "aws:x", "a:b", "a:c", "aws:username"} {
		values.Set(policy.NewKey(name), "10.0.0.1", "2020-01-01T00:00:00Z", "true")
	}
	f.Fuzz(func(t *testing.T, document string) {
		p, err := policy.Compile(document)
		if err != nil {
			return
		}
		set := policy.Set{Identity: []*policy.Policy{p}}
		set.Decide(policy.Request{Action: "a:b", Resource: "arn:aws:a:::b", Context: values})
		set.Decide(policy.Request{Action: "a:b", Resource: "*"})
	})
}

func TestSize(t *testing.T) {
	document := fmt.Sprintf("{ \"a\" :\t%q\r\n}", strings.Repeat("x", 10))
	if got := policy.Size(document); got != 18 {
		t.Errorf("size %d, want 18", got)
	}
	if err := policy.CheckSize(document, 18); err != nil {
		t.Error(err)
	}
	if err := policy.CheckSize(document, 17); !fault.Is(err, fault.Quota) {
		t.Errorf("got %v, want a quota fault", err)
	}
}
