package store

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type named string

// TestAssign reads what SQLite has in columns into the variables of the
// queries.
func TestAssign(t *testing.T) {
	text := "x"
	for _, c := range []struct {
		column any
		dest   any
		want   any // nil: refused
	}{
		{"x", new(string), "x"},
		{"x", new(named), named("x")},
		{"x", new([]byte), []byte("x")},
		{[]byte("x"), new([]byte), []byte("x")},
		{"x", new(*string), &text},
		{nil, &[]*string{&text}[0], (*string)(nil)},
		{int64(7), new(int64), int64(7)},
		{int64(7), new(int), 7},
		{int64(7), new(uint32), uint32(7)},
		{int64(1), new(bool), true},
		{int64(0), &[]bool{true}[0], false},
		{int64(7), new(string), "7"},
		{nil, new(string), nil},
		{nil, new(int64), nil},
		{"7", new(int64), nil},
		{"7", new(int), nil},
		{int64(2), new(bool), nil},
		{int64(-1), new(uint32), nil},
		{int64(1) << 40, new(int32), nil},
		{1.5, new(int64), nil},
		{"x", "", nil},
	} {
		err := assign(c.dest, c.column)
		switch {
		case c.want == nil:
			if err == nil {
				t.Errorf("%#v was read into a %T", c.column, c.dest)
			}
		case err != nil:
			t.Errorf("%#v into a %T: %v", c.column, c.dest, err)
		default:
			if diff := cmp.Diff(c.want, reflect.ValueOf(c.dest).Elem().Interface()); diff != "" {
				t.Errorf("%#v into a %T (-want +got):\n%s", c.column, c.dest, diff)
			}
		}
	}
}
