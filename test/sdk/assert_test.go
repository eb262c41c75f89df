package sdk

import (
	"errors"
	"testing"

	"github.com/aws/smithy-go"
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

// must returns the output of a call, or ends the test.
func must[T any](t testing.TB, out T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// refusedAs holds that a call was refused with a code.
func refusedAs(t testing.TB, what string, err error, code string) {
	t.Helper()
	if codeOf(err) != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}
