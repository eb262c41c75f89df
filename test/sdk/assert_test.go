package sdk

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// codeOf is the code of an error that the program answered, "" for nil and
// "?" for any other error.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return "?"
}

// result is what a call returned.
type result[T any] struct {
	out T
	err error
}

// must takes what a call returned: must(c.Call(ctx, in)).or(t) is its output, or
// ends the test.
func must[T any](out T, err error) result[T] { return result[T]{out, err} }

func (r result[T]) or(t testing.TB) T {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.out
}

// refusedAs holds that a call was refused with a code.
func refusedAs(t testing.TB, what string, err error, code string) {
	t.Helper()
	if codeOf(err) != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// same holds that two values are equal, ignoring what the SDK keeps to itself.
func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool {
		last := p.Last().String()
		return strings.HasSuffix(last, "noSmithyDocumentSerde") || last == ".ResultMetadata"
	}, cmp.Ignore()), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// matches holds that a text has a form.
func matches(t testing.TB, what string, text *string, form string) {
	t.Helper()
	if text == nil || !regexp.MustCompile(`\A(?:`+form+`)\z`).MatchString(*text) {
		t.Errorf("%s is %q, want the form %s", what, aws.ToString(text), form)
	}
}

// recent holds that a moment was within the last minute.
func recent(t testing.TB, what string, at *time.Time) {
	t.Helper()
	if at == nil || time.Since(*at) > time.Minute || time.Since(*at) < -time.Second {
		t.Errorf("%s is %v, want now", what, at)
	}
}

// pages walks a listing to its end, page by page. Every page but the last must
// be full, and no item may come twice.
func pages(t testing.TB, size int, list func(token *string) (items []string, next *string, err error)) (all []string) {
	t.Helper()
	seen := map[string]bool{}
	var token *string
	for n := 0; ; n++ {
		items, next, err := list(token)
		if err != nil {
			t.Fatalf("page %d: %v", n, err)
		}
		if len(items) > size || next != nil && len(items) != size {
			t.Errorf("page %d has %d items, want %d", n, len(items), size)
		}
		for _, item := range items {
			if seen[item] {
				t.Errorf("%s comes twice", item)
			}
			seen[item] = true
		}
		all = append(all, items...)
		if next == nil {
			return all
		}
		if token = next; n > 1000 {
			t.Fatal("the listing does not end")
		}
	}
}

// each maps a list.
func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i := range in {
		out[i] = f(in[i])
	}
	return out
}

const (
	uuidForm = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	idForm   = `[0-9a-f]{10}-` + uuidForm
)
