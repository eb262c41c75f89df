package sdk

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/test/node"
)

// oddities are texts that programs stumble over. They are written as they stand
// in JSON.
var oddities = map[string]string{
	"NUL":                  `\u0000`,
	"NUL within":           `a\u0000b`,
	"unpaired surrogate":   `\ud800`,
	"invalid UTF-8":        "\xff\xfe",
	"SQL":                  `'; DROP TABLE directory_users; --`,
	"a pattern of SQL":     `%_%`,
	"a path":               `../../../etc/passwd`,
	"a script":             `<script>alert(1)</script>`,
	"a format":             `%s%n%d{0}${x}`,
	"right to left":        `\u202eabc\u202c`,
	"nothing":              ``,
	"blanks":               `   `,
	"line ends":            `a\r\nb`,
	"beyond the plane":     `😀𝕏`,
	"combining characters": `e\u0301\u0301\u0301`,
	"large":                strings.Repeat("x", 70_000),
	"a number":             `18446744073709551616`,
	"an ARN of nobody":     `arn:aws:iam:::`,
}

// TestOddText puts each odd text into each text of each operation's input, one at
// a time. Whatever the answer is, it is not a failure of the server, and
// afterwards the node answers as before.
func TestOddText(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		sent := 0
		for _, o := range operations() {
			if o.Input == schema.NoShape || o.service.Protocol == schema.RESTJSON1 && o.Method == "GET" {
				continue
			}
			for _, call := range o.withOddities(t, n) {
				n.Send(t, admin, call)
				sent++
			}
		}
		t.Logf("%d requests", sent)
		if got := n.Send(t, admin, formCall("Action=GetCallerIdentity&Version=2011-06-15")); got.Status != 200 {
			t.Errorf("afterwards: %d %s", got.Status, got.Body)
		}
		n.VerifyAudit(t)
	})
}

// withOddities returns the operation's calls with one odd text each.
func (o operation) withOddities(t *testing.T, n *node.Node) (calls []node.Call) {
	const mark = "0dd-text-here"
	for _, in := range o.marked(t, n, mark) {
		call := node.NewCall(o.service, o.Operation, in)
		for _, odd := range oddities {
			c := call
			if o.service.Protocol == schema.AWSQuery {
				var text string
				if err := json.Unmarshal([]byte(`"`+odd+`"`), &text); err != nil {
					text = odd
				}
				c.Body = bytes.ReplaceAll(call.Body, []byte(mark), []byte(url.QueryEscape(text)))
			} else {
				c.Body = bytes.ReplaceAll(call.Body, []byte(mark), []byte(odd))
			}
			calls = append(calls, c)
		}
	}
	return calls
}

// marked returns valid inputs with one text each replaced by mark: each text
// that a valid input needs, and each optional one at the top.
func (o operation) marked(t *testing.T, n *node.Node, mark string) (inputs []any) {
	for i := 0; ; i++ {
		in := o.onInstance(t, n)
		at := i
		if !setText(reflect.ValueOf(in).Elem(), &at, mark) {
			break
		}
		inputs = append(inputs, in)
	}
	for i := range reflect.ValueOf(o.valid(t)).Elem().NumField() {
		in := o.onInstance(t, n)
		if text, ok := reflect.ValueOf(in).Elem().Field(i).Addr().Interface().(**string); ok && *text == nil {
			*text = &mark
			inputs = append(inputs, in)
		}
	}
	return inputs
}

// setText sets the at-th text in v, counting down, and reports whether there is
// one.
func setText(v reflect.Value, at *int, mark string) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && setText(v.Elem(), at, mark)
	case reflect.String:
		if *at--; *at < 0 {
			v.SetString(mark)
			return true
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && setText(v.Field(i), at, mark) {
				return true
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if setText(v.Index(i), at, mark) {
				return true
			}
		}
	}
	return false
}
