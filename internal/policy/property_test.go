package policy_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/policy"
)

// The generators draw from few words, so that statements often meet requests.
var (
	drawAction    = rapid.SampledFrom([]string{"*", "s3:*", "s3:Get*", "s3:GetObject", "s3:*Object", "iam:*", "iam:PassRole"})
	drawResource  = rapid.SampledFrom([]string{"*", "arn:aws:s3:::*", "arn:aws:s3:::b/*", "arn:aws:s3:::${aws:username}/?", "arn:aws:iam::*:role/*"})
	drawCondition = rapid.SampledFrom([]string{
		"", `{"StringEquals":{"aws:username":"b"}}`, `{"StringNotEquals":{"aws:username":["b","c"]}}`,
		`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`,
		`{"NumericLessThan":{"s3:max-keys":"x"}}`, `{"ForAllValues:StringLike":{"aws:TagKeys":["a*"]}}`,
	})
	drawRequest = rapid.Custom(func(t *rapid.T) policy.Request {
		values := new(policy.Values)
		for _, key := range []string{"aws:username", "aws:MultiFactorAuthPresent", "aws:TagKeys"} {
			if rapid.Bool().Draw(t, "known "+key) {
				values.Set(policy.NewKey(key), rapid.SliceOfN(rapid.SampledFrom([]string{"b", "true", "ab"}), 0, 2).Draw(t, key)...)
			}
		}
		return policy.Request{
			Action:   rapid.SampledFrom([]string{"s3:GetObject", "s3:PutObject", "iam:PassRole"}).Draw(t, "action"),
			Resource: rapid.SampledFrom([]string{"*", "arn:aws:s3:::b/k", "arn:aws:s3:::c/k", "arn:aws:iam::1:role/r"}).Draw(t, "resource"),
			Context:  values,
		}
	})
)

func drawStatement(t *rapid.T, effect string) string {
	var s strings.Builder
	s.WriteString(`{"Effect":"` + effect + `","`)
	if rapid.IntRange(0, 4).Draw(t, "NotAction") == 0 {
		s.WriteString("Not")
	}
	s.WriteString(`Action":["` + drawAction.Draw(t, "action") + `","` + drawAction.Draw(t, "action") + `"],"`)
	if rapid.IntRange(0, 4).Draw(t, "NotResource") == 0 {
		s.WriteString("Not")
	}
	s.WriteString(`Resource":"` + drawResource.Draw(t, "resource") + `"`)
	if condition := drawCondition.Draw(t, "condition"); condition != "" {
		s.WriteString(`,"Condition":` + condition)
	}
	return s.String() + "}"
}

func drawStatements(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		return drawStatement(t, rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect"))
	}), 1, 6).Draw(t, "statements")
}

func setOf(t *rapid.T, statements ...string) policy.Set {
	p := compiled(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
	return policy.Set{Identity: []*policy.Policy{p}}
}

func TestDenyAlwaysWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements, r := drawStatements(t), drawRequest.Draw(t, "request")
		deny := drawStatement(t, "Deny")
		denied := setOf(t, deny).Decide(r).Effect == policy.ExplicitDeny
		before := setOf(t, statements...).Decide(r)
		after := setOf(t, append(statements, deny)...).Decide(r)
		want := before
		if denied {
			want = policy.Decision{Effect: policy.ExplicitDeny}
		}
		if after != want {
			t.Fatalf("denied by it alone: %v; decision before %+v, after %+v", denied, before, after)
		}
	})
}

func TestAddingAnAllowNeverTakesAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements, r := drawStatements(t), drawRequest.Draw(t, "request")
		before := setOf(t, statements...).Decide(r).Effect
		after := setOf(t, append(statements, drawStatement(t, "Allow"))...).Decide(r).Effect
		if before == policy.Allow && after != policy.Allow || (before == policy.ExplicitDeny) != (after == policy.ExplicitDeny) {
			t.Fatalf("before %v, after %v", before, after)
		}
	})
}

// Learning the value of a key that was unknown may settle a decision, but what
// was certain stays: an Allow was given although the key was unknown, so it is
// given whatever the key's value.
func TestKnowingMoreNeverTakesAnAllowAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements, r := drawStatements(t), drawRequest.Draw(t, "request")
		r.Context = new(policy.Values)
		if setOf(t, statements...).Decide(r).Effect != policy.Allow {
			return
		}
		r.Context = drawRequest.Draw(t, "more").Context
		if got := setOf(t, statements...).Decide(r).Effect; got != policy.Allow {
			t.Fatalf("then %v", got)
		}
	})
}

func TestOneDocumentOrManyDecideAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements, r := drawStatements(t), drawRequest.Draw(t, "request")
		var many policy.Set
		for _, s := range statements {
			many.Identity = append(many.Identity, setOf(t, s).Identity...)
		}
		if one, parts := setOf(t, statements...).Decide(r), many.Decide(r); one != parts {
			t.Fatalf("one document: %+v, many: %+v", one, parts)
		}
	})
}

func TestLimitsNeverGrant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set, limit, r := setOf(t, drawStatements(t)...), setOf(t, drawStatements(t)...), drawRequest.Draw(t, "request")
		limited := policy.Set{Identity: set.Identity, Limits: []policy.Limit{{Kind: policy.SessionPolicy, Policies: limit.Identity}}}
		got := limited.Decide(r).Effect == policy.Allow
		want := set.Decide(r).Effect == policy.Allow && limit.Decide(r).Effect == policy.Allow
		if got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
