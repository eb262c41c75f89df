package policy

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustPattern(t interface{ Fatal(...any) }, text string, syn syntax) pattern {
	p, err := compilePattern(text, syn)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPattern(t *testing.T) {
	wild, fold := syntax{wildcards: true}, syntax{wildcards: true, fold: true}
	tests := []struct {
		pattern string
		syntax  syntax
		text    string
		want    bool
	}{
		{"", wild, "", true},
		{"", wild, "a", false},
		{"*", wild, "", true},
		{"*", wild, "anything at all", true},
		{"?", wild, "", false},
		{"?", wild, "ü", true},
		{"??", wild, "ü", false},
		{"a*c", wild, "abcabc", true},
		{"a*c", wild, "abcab", false},
		{"a**c", wild, "ac", true},
		{"*a?c*", wild, "xxabcxx", true},
		{"*é?", wild, "caféx", true},
		{"Get*", wild, "getUser", false},
		{"Get*", fold, "gETUser", true},
		{"straße", fold, "STRAẞE", true},
		{"a*", syntax{}, "abc", false},
		{"a*", syntax{}, "a*", true},
		{"${*}", syntax{variables: true, wildcards: true}, "*", true},
		{"${*}", syntax{variables: true, wildcards: true}, "x", false},
		{"${?}${$}", syntax{variables: true, wildcards: true}, "?$", true},
		{"${*}", wild, "${anything}", true},
		{"$x", syntax{variables: true}, "$x", true},
	}
	for _, tt := range tests {
		p := mustPattern(t, tt.pattern, tt.syntax)
		if got := p.match(tt.text, nil) == yes; got != tt.want {
			t.Errorf("%q %+v matches %q: %v, want %v", tt.pattern, tt.syntax, tt.text, got, tt.want)
		}
	}
}

func TestPatternRefusesBrokenVariables(t *testing.T) {
	for _, text := range []string{"${", "a${aws:username", "${}", "${ }", "${aws:username, none}", "${aws:username,'}"} {
		if _, err := compilePattern(text, syntax{variables: true}); err == nil {
			t.Errorf("%q compiled", text)
		}
	}
}

// The matcher agrees with the standard library's regular expressions.
func TestPatternAgreesWithRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?ü:")), 0, 12, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.RuneFrom([]rune("abü:")), 0, 16, -1).Draw(t, "string")
		expr := regexp.QuoteMeta(text)
		expr = strings.ReplaceAll(expr, `\*`, `.*`)
		expr = strings.ReplaceAll(expr, `\?`, `.`)
		want := regexp.MustCompile(`(?s)\A` + expr + `\z`).MatchString(s)
		p := mustPattern(t, text, syntax{wildcards: true})
		if got := p.match(s, nil) == yes; got != want {
			t.Fatalf("%q matches %q: %v, want %v", text, s, got, want)
		}
	})
}

// Patterns made to send a backtracking matcher into exponential time take
// milliseconds; the deadline is generous for slow machines.
func TestPathologicalPatterns(t *testing.T) {
	start := time.Now()
	for _, text := range []string{
		strings.Repeat("a*", 500) + "b",
		strings.Repeat("*a", 500) + "b",
		strings.Repeat("?*", 500) + "b",
		strings.Repeat("*${aws:username}", 300) + "b",
	} {
		p := mustPattern(t, text, syntax{wildcards: true, variables: true})
		values := new(Values)
		values.Set(NewKey("aws:username"), "aa")
		if p.match(strings.Repeat("a", 10000), &evaluation{values: values}) != no {
			t.Errorf("%.10q… matches", text)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
