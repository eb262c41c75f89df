package codec

import (
	"encoding/base64"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// TimeFormat is how a timestamp is written in text.
type TimeFormat uint8

// The formats. A shape may ask for Epoch wherever it stands.
const (
	DateTime TimeFormat = iota // RFC 3339: forms, XML, query parameters, URIs
	HTTPDate                   // RFC 9110: headers
	EpochSeconds
)

// Unconvertible is AWS's message about a value that cannot become a kind.
// found is the type of what was sent, e.g. "STRING_VALUE".
func Unconvertible(found string, kind schema.Kind) string {
	target := "a String"
	switch kind {
	case schema.Integer:
		target = "an Integer"
	case schema.Long:
		target = "a Long"
	case schema.Double:
		target = "a Double"
	case schema.Boolean:
		if target = "a Boolean"; found == "STRING_VALUE" {
			target = "an Boolean"
		}
	case schema.Blob:
		target = "a Blob"
	case schema.Timestamp:
		target = "milliseconds since epoch"
	}
	return found + " can not be converted to " + target
}

// Into returns what v holds or, when it is a pointer, a new value that it
// points to from now on.
func Into(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		v.SetZero()
		return v
	}
	v.Set(reflect.New(v.Type().Elem()))
	return v.Elem()
}

// SetText stores the scalar that text spells in v, a field or element of shape
// s. It reports whether text spells one. Strings are never guessed at: a
// string of digits stays what it is.
func SetText(s *schema.Shape, format TimeFormat, text string, v reflect.Value) bool {
	switch s.Kind {
	case schema.String:
		if !utf8.ValidString(text) {
			return false
		}
		Into(v).SetString(text)
		return true
	case schema.Integer, schema.Long:
		bits := 64
		if s.Kind == schema.Integer {
			bits = 32
		}
		n, err := strconv.ParseInt(text, 10, bits)
		if err == nil {
			Into(v).SetInt(n)
		}
		return err == nil
	case schema.Double:
		f, ok := parseDouble(text)
		if ok {
			Into(v).SetFloat(f)
		}
		return ok
	case schema.Boolean:
		b := strings.EqualFold(text, "true")
		if !b && !strings.EqualFold(text, "false") {
			return false
		}
		Into(v).SetBool(b)
		return true
	case schema.Timestamp:
		t, ok := parseTime(s, format, text)
		if ok {
			Into(v).Set(reflect.ValueOf(t))
		}
		return ok
	case schema.Blob:
		data, err := base64.StdEncoding.Strict().DecodeString(text)
		if err == nil {
			v.SetBytes(data)
		}
		return err == nil
	default:
		return false
	}
}

// parseDouble reads a decimal number, or one of the three that JSON lacks.
func parseDouble(text string) (float64, bool) {
	switch text {
	case "NaN", "Infinity", "-Infinity":
	default:
		if strings.Trim(text, "+-.0123456789eE") != "" {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

func parseTime(s *schema.Shape, format TimeFormat, text string) (time.Time, bool) {
	if s.TimestampUnix || format == EpochSeconds {
		return Epoch(text)
	}
	if format == HTTPDate {
		t, err := http.ParseTime(text)
		return t.UTC(), err == nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if t = t.UTC(); err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t.Truncate(time.Millisecond), true
}

// Epoch reads seconds since 1970 with an optional fraction, to the
// millisecond.
func Epoch(text string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(text, 64)
	// The years 1 to 9999: what every format of ours can write.
	if err != nil || !(seconds >= -62135596800 && seconds < 253402300800) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), true
}

// AppendText appends the scalar v of shape s to dst, as SetText reads it.
func AppendText(dst []byte, s *schema.Shape, format TimeFormat, v reflect.Value) []byte {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case schema.String:
		return append(dst, v.String()...)
	case schema.Integer, schema.Long:
		return strconv.AppendInt(dst, v.Int(), 10)
	case schema.Double:
		return appendDouble(dst, v.Float())
	case schema.Boolean:
		return strconv.AppendBool(dst, v.Bool())
	case schema.Timestamp:
		return appendTime(dst, s, format, v.Interface().(time.Time))
	case schema.Blob:
		return base64.StdEncoding.AppendEncode(dst, v.Bytes())
	default:
		return dst
	}
}

func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64) // NaN is "NaN"
}

func appendTime(dst []byte, s *schema.Shape, format TimeFormat, t time.Time) []byte {
	switch {
	case s.TimestampUnix || format == EpochSeconds:
		return AppendEpoch(dst, t)
	case format == HTTPDate:
		return t.UTC().AppendFormat(dst, http.TimeFormat)
	}
	return t.UTC().Truncate(time.Millisecond).AppendFormat(dst, "2006-01-02T15:04:05.999Z")
}

// AppendEpoch appends seconds since 1970, with milliseconds when there are any.
func AppendEpoch(dst []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		dst, ms = append(dst, '-'), -ms
	}
	dst = strconv.AppendInt(dst, ms/1000, 10)
	if ms %= 1000; ms == 0 {
		return dst
	}
	return append(dst, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}
