package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/policy"
)

// statementsWithConditions returns the set of one policy of n statements, each
// with three conditions. Every fourth concerns the benchmark's action and
// resource, by patterns, and only the last of those allows it.
func statementsWithConditions(tb testing.TB, n int) policy.Set {
	statements := make([]string, n)
	for i := range statements {
		action := fmt.Sprintf(`["svc%d:Get*","svc%d:Put*","svc%d:ListThings"]`, i%50, i%50, i%50)
		if i%4 == 3 || n == 1 {
			action = fmt.Sprintf(`["s3:Get*","s3:PutObject","ec2:Run%d*"]`, i)
		}
		account := fmt.Sprint(i)
		if i == n-1 {
			account = "production"
		}
		statements[i] = fmt.Sprintf(`{"Effect":"Allow","Action":%s,"Resource":["arn:aws:s3:::other-%d/*","arn:aws:s3:::bucket-*/${aws:username}/*"],`+
			`"Condition":{"StringEquals":{"aws:PrincipalTag/stage":%q},"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]},"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}`, action, i, account)
	}
	return policy.Set{Identity: []*policy.Policy{compiled(tb, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)}}
}

func benchmarkRequest() policy.Request {
	v := new(policy.Values)
	for _, key := range []string{"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid", "aws:UserAgent", "aws:SecureTransport", "aws:RequestedRegion", "aws:PrincipalOrgID", "aws:EpochTime", "aws:MultiFactorAuthPresent"} {
		v.Set(policy.NewKey(key), "value")
	}
	v.Set(policy.NewKey("aws:PrincipalTag/stage"), "production")
	v.Set(policy.NewKey("aws:username"), "sam")
	v.Set(policy.NewKey("aws:SourceIp"), "203.0.113.7")
	v.Set(policy.NewKey("aws:CurrentTime"), "2026-01-15T12:00:00Z")
	return policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket-1/sam/key", Context: v}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1, 20, 100, 500} {
		b.Run(fmt.Sprintf("statements=%d", n), func(b *testing.B) {
			set, r := statementsWithConditions(b, n), benchmarkRequest()
			b.ReportAllocs()
			for b.Loop() {
				if set.Decide(r).Effect != policy.Allow {
					b.Fatal("not allowed")
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	const document = `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"],"Condition":{"StringEquals":{"aws:PrincipalTag/stage":["a","b"]}}}]}`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Compile(document); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	set, r := statementsWithConditions(t, 20), benchmarkRequest()
	if allocs := testing.AllocsPerRun(100, func() { set.Decide(r) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
