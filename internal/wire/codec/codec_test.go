package codec_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// TestTextRoundTrip holds that each scalar reads back as it was written, in
// each format of a timestamp.
func TestTextRoundTrip(t *testing.T) {
	second := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "s"), 0).UTC()
	})
	ms := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "ms")).UTC()
	})
	values := map[string]struct {
		shape  schema.Shape
		format codec.TimeFormat
		draw   func(t *rapid.T) any
	}{
		"string":    {schema.Shape{Kind: schema.String}, 0, func(t *rapid.T) any { return new(rapid.String().Draw(t, "v")) }},
		"integer":   {schema.Shape{Kind: schema.Integer}, 0, func(t *rapid.T) any { return new(rapid.Int32().Draw(t, "v")) }},
		"long":      {schema.Shape{Kind: schema.Long}, 0, func(t *rapid.T) any { return new(rapid.Int64().Draw(t, "v")) }},
		"double":    {schema.Shape{Kind: schema.Double}, 0, func(t *rapid.T) any { return new(rapid.Float64().Draw(t, "v")) }},
		"infinity":  {schema.Shape{Kind: schema.Double}, 0, func(t *rapid.T) any { return new(math.Inf(1)) }},
		"boolean":   {schema.Shape{Kind: schema.Boolean}, 0, func(t *rapid.T) any { return new(rapid.Bool().Draw(t, "v")) }},
		"blob":      {schema.Shape{Kind: schema.Blob}, 0, func(t *rapid.T) any { return new(rapid.SliceOf(rapid.Byte()).Draw(t, "v")) }},
		"date-time": {schema.Shape{Kind: schema.Timestamp}, codec.DateTime, func(t *rapid.T) any { return new(ms.Draw(t, "v")) }},
		"HTTP date": {schema.Shape{Kind: schema.Timestamp}, codec.HTTPDate, func(t *rapid.T) any { return new(second.Draw(t, "v")) }},
		"seconds":   {schema.Shape{Kind: schema.Timestamp}, codec.EpochSeconds, func(t *rapid.T) any { return new(ms.Draw(t, "v")) }},
		"unix time": {schema.Shape{Kind: schema.Timestamp, TimestampUnix: true}, codec.HTTPDate, func(t *rapid.T) any { return new(ms.Draw(t, "v")) }},
	}
	for name, value := range values {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			want := reflect.ValueOf(value.draw(t)).Elem()
			text := string(codec.AppendText(nil, &value.shape, value.format, want))
			got := reflect.New(want.Type()).Elem()
			if !codec.SetText(&value.shape, value.format, text, got) {
				t.Fatalf("does not read %q", text)
			}
			if diff := cmp.Diff(want.Interface(), got.Interface()); diff != "" {
				t.Fatalf("%q: %s", text, diff)
			}
		}))
	}
}

func TestSetTextLeavesWhatItRefuses(t *testing.T) {
	for _, test := range []struct {
		kind schema.Kind
		text string
	}{
		{schema.String, "a\xff"},
		{schema.Integer, " 1"},
		{schema.Integer, "1_000"},
		{schema.Long, "0x10"},
		{schema.Double, "inf"},
		{schema.Double, "1e999"},
		{schema.Boolean, "yes"},
		{schema.Timestamp, "2024-05-06"},
		{schema.Timestamp, "2024-05-06T07:08:09"},
		{schema.Structure, "a"},
	} {
		for _, v := range []any{new(new("was")), new(new(int32(7))), new(new(int64(7))), new(new(7.5)), new(new(true)), new(new(time.Unix(7, 0)))} {
			field := reflect.ValueOf(v).Elem()
			before := field.Pointer()
			if codec.SetText(&schema.Shape{Kind: test.kind}, codec.DateTime, test.text, field) || field.Pointer() != before {
				t.Errorf("%v takes %q", test.kind, test.text)
			}
		}
	}
}
