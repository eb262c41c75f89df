package policy_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/policy"
)

// requestValues are the keys that the table of TestConditions asks about.
// aws:absent is known to be absent, s3:unknown has not been looked at.
func requestValues() *policy.Values {
	v := new(policy.Values)
	for key, values := range map[string][]string{
		"aws:absent":          nil,
		"aws:username":        {"Sam"},
		"aws:TagKeys":         {"cost", "env"},
		"aws:SourceIp":        {"203.0.113.7"},
		"aws:VpcSourceIp":     {"2001:db8::1"},
		"aws:CurrentTime":     {"2026-01-15T12:00:00Z"},
		"aws:EpochTime":       {"1768478400"},
		"aws:SecureTransport": {"true"},
		"aws:PrincipalArn":    {"arn:aws:iam::123456789012:role/path/Name"},
		"s3:max-keys":         {"10"},
		"s3:prefix":           {"home/*"},
		"s3:binary":           {"QmluYXJ5VmFsdWVJbkJhc2U2NA=="},
		"s3:word":             {"ten"},
	} {
		v.Set(policy.NewKey(key), values...)
	}
	v.Cover(policy.NewKeySet("aws:PrincipalTag/*"))
	return v
}

func TestConditions(t *testing.T) {
	tests := []struct{ condition, want string }{
		{`{}`, "yes"},
		{`{"StringEquals":{"aws:username":"Sam"}}`, "yes"},
		{`{"StringEquals":{"AWS:UserName":"Sam"}}`, "yes"},
		{`{"StringEquals":{"aws:username":"sam"}}`, "no"},
		{`{"StringEquals":{"aws:username":["x","Sam"]}}`, "yes"},
		{`{"StringEquals":{"aws:username":[]}}`, "no"},
		{`{"StringEquals":{"aws:username":"S*"}}`, "no"},
		{`{"StringEquals":{"s3:prefix":"home/*"}}`, "yes"},
		{`{"StringEquals":{"aws:username":"${aws:username}"}}`, "yes"},
		{`{"StringEquals":{"aws:username":"x${aws:username}"}}`, "no"},
		{`{"StringEquals":{"aws:username":"${aws:absent}"}}`, "unknown"},
		{`{"StringEquals":{"aws:username":"${aws:absent, 'Sam'}"}}`, "yes"},
		{`{"StringNotEquals":{"aws:username":["x","Sam"]}}`, "no"},
		{`{"StringNotEquals":{"aws:username":["x","y"]}}`, "yes"},
		{`{"StringNotEquals":{"aws:username":"${aws:absent}"}}`, "unknown"},
		{`{"StringEqualsIgnoreCase":{"aws:username":"sAM"}}`, "yes"},
		{`{"StringNotEqualsIgnoreCase":{"aws:username":"sAM"}}`, "no"},
		{`{"StringLike":{"aws:username":"S?m*"}}`, "yes"},
		{`{"StringLike":{"s3:prefix":"home/${*}"}}`, "yes"},
		{`{"StringLike":{"aws:username":"${*}"}}`, "no"},
		{`{"StringNotLike":{"aws:username":"S*"}}`, "no"},

		// Absent keys.
		{`{"StringEquals":{"aws:absent":"x"}}`, "no"},
		{`{"StringNotEquals":{"aws:absent":"x"}}`, "yes"},
		{`{"StringNotLike":{"aws:PrincipalTag/none":"x"}}`, "yes"},
		{`{"StringEqualsIfExists":{"aws:absent":"x"}}`, "yes"},
		{`{"StringEqualsIfExists":{"aws:username":"x"}}`, "no"},
		{`{"StringNotEqualsIfExists":{"aws:absent":"x"}}`, "yes"},
		{`{"NumericLessThan":{"aws:absent":"1"}}`, "no"},
		{`{"NumericNotEquals":{"aws:absent":"1"}}`, "yes"},
		{`{"DateNotEquals":{"aws:absent":"2020-01-01"}}`, "yes"},
		{`{"NotIpAddress":{"aws:absent":"10.0.0.0/8"}}`, "yes"},
		{`{"ArnNotLike":{"aws:absent":"*"}}`, "yes"},
		{`{"Bool":{"aws:absent":"false"}}`, "no"},
		{`{"BoolIfExists":{"aws:absent":"false"}}`, "yes"},
		{`{"StringEquals":{"ec2:Region":"x"}}`, "no"}, // a key of another service
		{`{"Null":{"ec2:Region":"true"}}`, "yes"},
		{`{"Null":{"aws:absent":"true"}}`, "yes"},
		{`{"Null":{"aws:absent":false}}`, "no"},
		{`{"Null":{"aws:username":"true"}}`, "no"},
		{`{"Null":{"aws:username":"False"}}`, "yes"},
		{`{"Null":{"aws:username":["true","false"]}}`, "yes"},
		{`{"Null":{"aws:username":"maybe"}}`, "unknown"},

		// Keys that nobody has looked at.
		{`{"StringEquals":{"s3:unknown":"x"}}`, "unknown"},
		{`{"StringNotEquals":{"s3:unknown":"x"}}`, "unknown"},
		{`{"StringEqualsIfExists":{"s3:unknown":"x"}}`, "unknown"},
		{`{"ForAllValues:StringEquals":{"aws:unknown":"x"}}`, "unknown"},
		{`{"Null":{"aws:unknown":"true"}}`, "unknown"},
		{`{"StringEquals":{"s3:unknown":"x","aws:username":"other"}}`, "no"},
		{`{"StringEquals":{"s3:unknown":"x","aws:username":"Sam"}}`, "unknown"},

		// Several values, several keys, several operators.
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":["env","x"]}}`, "yes"},
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":"x"}}`, "no"},
		{`{"ForAnyValue:StringEquals":{"aws:absent":"x"}}`, "no"},
		{`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["env"]}}`, "yes"},
		{`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["env","cost"]}}`, "no"},
		{`{"ForAnyValue:StringNotEquals":{"aws:absent":"x"}}`, "no"},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["env","cost","x"]}}`, "yes"},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}}`, "no"},
		{`{"ForAllValues:StringLike":{"aws:TagKeys":["e*","c*"]}}`, "yes"},
		{`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["env"]}}`, "no"},
		{`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["x"]}}`, "yes"},
		{`{"ForAllValues:StringEquals":{"aws:absent":"x"}}`, "yes"},
		{`{"StringEquals":{"aws:TagKeys":"env"}}`, "yes"},
		{`{"StringNotEquals":{"aws:TagKeys":"env"}}`, "no"},
		{`{"StringEquals":{"aws:username":"Sam","aws:TagKeys":"x"}}`, "no"},
		{`{"StringEquals":{"aws:username":"Sam"},"Bool":{"aws:SecureTransport":"false"}}`, "no"},

		{`{"NumericEquals":{"s3:max-keys":"10.0"}}`, "yes"},
		{`{"NumericNotEquals":{"s3:max-keys":10}}`, "no"},
		{`{"NumericLessThan":{"s3:max-keys":"10"}}`, "no"},
		{`{"NumericLessThanEquals":{"s3:max-keys":"10"}}`, "yes"},
		{`{"NumericGreaterThan":{"s3:max-keys":9.5}}`, "yes"},
		{`{"NumericGreaterThanEquals":{"s3:max-keys":["11","10"]}}`, "yes"},
		{`{"NumericGreaterThan":{"aws:EpochTime":"1768478399"}}`, "yes"},
		{`{"NumericEquals":{"s3:max-keys":"ten"}}`, "unknown"},
		{`{"NumericEquals":{"s3:max-keys":["ten","10"]}}`, "yes"},
		{`{"NumericEquals":{"s3:word":"10"}}`, "unknown"},
		{`{"NumericEquals":{"s3:max-keys":"NaN"}}`, "unknown"},

		{`{"DateLessThan":{"aws:CurrentTime":"2026-01-15T12:00:01Z"}}`, "yes"},
		{`{"DateLessThan":{"aws:CurrentTime":"2026-01-15T12:00:01+02:00"}}`, "no"},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-01"}}`, "yes"},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2027"}}`, "no"},
		{`{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-01-15"}}`, "yes"},
		{`{"DateLessThanEquals":{"aws:CurrentTime":"2026-01-15T12:00Z"}}`, "yes"},
		{`{"DateEquals":{"aws:EpochTime":"2026-01-15T12:00:00Z"}}`, "yes"},
		{`{"DateEquals":{"aws:CurrentTime":"1768478400"}}`, "yes"},
		{`{"DateNotEquals":{"aws:CurrentTime":1768478400}}`, "no"},
		{`{"DateLessThan":{"aws:CurrentTime":"${aws:CurrentTime}"}}`, "no"},
		{`{"DateEquals":{"s3:word":"2020"}}`, "unknown"},

		{`{"Bool":{"aws:SecureTransport":"TRUE"}}`, "yes"},
		{`{"Bool":{"aws:SecureTransport":false}}`, "no"},
		{`{"Bool":{"aws:SecureTransport":"${aws:SecureTransport}"}}`, "yes"},
		{`{"Bool":{"aws:username":"true"}}`, "unknown"},

		{`{"BinaryEquals":{"s3:binary":"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}`, "yes"},
		{`{"BinaryEquals":{"s3:binary":"QmluYXI="}}`, "no"},
		{`{"BinaryEquals":{"s3:binary":"not base 64"}}`, "unknown"},

		{`{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, "yes"},
		{`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.7"]}}`, "yes"},
		{`{"IpAddress":{"aws:SourceIp":"::ffff:203.0.113.7"}}`, "yes"},
		{`{"IpAddress":{"aws:SourceIp":"::ffff:203.0.113.0/120"}}`, "yes"},
		{`{"IpAddress":{"aws:SourceIp":"::/0"}}`, "no"},
		{`{"IpAddress":{"aws:VpcSourceIp":"2001:DB8::/32"}}`, "yes"},
		{`{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, "yes"},
		{`{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}`, "no"},
		{`{"IpAddress":{"aws:SourceIp":"203.0.113.0/33"}}`, "unknown"},
		{`{"IpAddress":{"s3:word":"10.0.0.0/8"}}`, "unknown"},

		{`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/path/Name"}}`, "yes"},
		{`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, "yes"},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:*:iam::123456789012:role/*/Name"}}`, "yes"},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam:*:role/path/Name"}}`, "no"},
		{`{"ArnLike":{"aws:PrincipalArn":"*"}}`, "yes"},
		{`{"ArnLike":{"aws:username":"arn:*"}}`, "no"},
		{`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}`, "yes"},
		{`{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, "no"},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/*/${aws:absent}"}}`, "unknown"},
	}
	values := requestValues()
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			r := policy.Request{Action: "s3:GetObject", Resource: "*", Context: values}
			got := truthOf(t, "2012-10-17", `"Action":"*","Resource":"*","Condition":`+tt.condition, r)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNilContextKnowsNothing(t *testing.T) {
	r := policy.Request{Action: "s3:GetObject", Resource: "*"}
	if got := truthOf(t, "2012-10-17", `"Action":"*","Resource":"*","Condition":{"Null":{"aws:username":"true"}}`, r); got != "unknown" {
		t.Errorf("got %s, want unknown", got)
	}
}

func TestSetReplaces(t *testing.T) {
	v := new(policy.Values)
	v.Set(policy.NewKey("aws:username"), "a", "b")
	v.Set(policy.NewKey("AWS:USERNAME"), "c")
	r := policy.Request{Action: "s3:GetObject", Resource: "*", Context: v}
	for user, want := range map[string]string{"a": "no", "b": "no", "c": "yes"} {
		got := truthOf(t, "2012-10-17", `"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"`+user+`"}}`, r)
		if got != want {
			t.Errorf("%s: got %s, want %s", user, got, want)
		}
	}
}
