package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/directory"
)

// fill sets some of v's fields to generated values.
func fill(t *rapid.T, v reflect.Value, text *rapid.Generator[string]) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text.Draw(t, "text"))
	case reflect.Struct:
		for i := range v.NumField() {
			if rapid.Bool().Draw(t, v.Type().Field(i).Name) {
				fill(t, v.Field(i), text)
			}
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "elements")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i), text)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		v.Elem().SetBool(rapid.Bool().Draw(t, "flag"))
	default:
		t.Fatalf("attributes have a %s", v.Kind())
	}
}

// TestReadAttributes compares readAttributes with json.Unmarshal, for any
// attributes, and wants plain ones read without it.
func TestReadAttributes(t *testing.T) {
	for name, text := range map[string]*rapid.Generator[string]{
		"plain": rapid.StringMatching(`[ -!#-%'-;=?-\[\]-~äж漢😀]{1,9}`),
		"any":   rapid.String(),
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				var in, want, got directory.Attributes
				fill(t, reflect.ValueOf(&in).Elem(), text)
				stored, err := json.Marshal(in)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(stored, &want); err != nil {
					t.Fatal(err)
				}
				if err := readAttributes(string(stored), &got); err != nil {
					t.Fatalf("%s: %v", stored, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s (-want +got):\n%s", stored, diff)
				}
				r := plainReader{text: string(stored)}
				if plain := r.value(reflect.ValueOf(new(directory.Attributes)).Elem(), attributeFields) && r.pos == len(stored); name == "plain" && !plain {
					t.Fatalf("%s is left to json.Unmarshal", stored)
				}
			})
		})
	}
}

// TestReadAttributesOfOtherForms reads what is not as json.Marshal writes it
// like json.Unmarshal: in whole or not at all.
func TestReadAttributesOfOtherForms(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{}`, `{} `, `{}x`, `null`, `[]`, `"x"`, `{"userName"}`, `{"userName":}`, `{"userName":"a"`, `{"userName":"a",}`,
		`{"userName":"a","userName":"b"}`, `{"displayName":"b","userName":"a"}`, `{ "userName" : "a" }`, `{"USERNAME":"a"}`,
		`{"userName":1}`, `{"userName":null}`, `{"userName":"a","unknown":{"x":[1]},"title":"t"}`, `{"userName":"\u00e4\n"}`,
		`{"userName":"a","emails":[]}`, `{"emails":null}`, `{"emails":[{}]}`, `{"emails":[{"primary":null}]}`, `{"emails":[{"primary":truex}]}`,
		`{"emails":[{"value":"x","primary":true},{"value":"y","primary":false}],"title":"t"}`, `{"emails":[{"value":"x"}`, `{"emails":[{"value":"x"},]}`,
		`{"emails":[{"value":"x"}],"emails":[{"type":"y"}]}`, `{"name":{"familyName":"f"},"x":"unclosed}`, `{"extensions":{"aws:identitystore:enterprise":{"manager":{"$ref":"r"}}}}`,
	} {
		var want, got directory.Attributes
		wantErr := json.Unmarshal([]byte(text), &want)
		gotErr := readAttributes(text, &got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Errorf("%s: %v, want %v", text, gotErr, wantErr)
		} else if diff := cmp.Diff(want, got); wantErr == nil && diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func BenchmarkReadAttributes(b *testing.B) {
	const text = `{"userName":"seed-1","name":{"familyName":"Family","givenName":"Given"},"displayName":"Display seed-1","emails":[{"value":"seed-1@example.com","type":"work","primary":true}]}`
	b.ReportAllocs()
	for b.Loop() {
		var a directory.Attributes
		if err := readAttributes(text, &a); err != nil {
			b.Fatal(err)
		}
	}
}
