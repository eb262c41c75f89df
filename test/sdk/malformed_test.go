package sdk

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// jsonCall is a call to an operation of identitystore with any body.
func jsonCall(op, body string) node.Call {
	return node.Call{
		Method: "POST", Target: "/", Service: "identitystore", Body: []byte(body),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSIdentityStore." + op}},
	}
}

// formCall is a call to STS with any form.
func formCall(form string) node.Call {
	return node.Call{
		Method: "POST", Target: "/", Service: "sts", Body: []byte(form),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}},
	}
}

// with returns the call with a header set, or without it when there is no value.
func with(c node.Call, name string, values ...string) node.Call {
	c.Header = c.Header.Clone()
	c.Header[name] = values
	if len(values) == 0 {
		delete(c.Header, name)
	}
	return c
}

// onSQLite runs a test of what does not depend on the engine.
func onSQLite(t *testing.T, test func(t *testing.T, n *node.Node)) {
	t.Helper()
	node.Only(t, store.Config{}, test)
}

// TestMalformedJSON sends bodies that are no JSON, or not the JSON that the
// model asks for.
func TestMalformedJSON(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		id := n.Instance.IdentityStoreID
		const serialization, validation = "SerializationException", "ValidationException"
		for name, c := range map[string]struct{ body, code string }{
			"open object":              {`{`, serialization},
			"list":                     {`[]`, serialization},
			"null":                     {`null`, serialization},
			"text":                     {`"x"`, serialization},
			"number":                   {`1`, serialization},
			"page":                     {`<html>`, serialization},
			"byte order mark":          {"\ufeff{}", serialization},
			"nothing":                  {``, validation},
			"empty object":             {`{}`, validation},
			"null member":              {`{"IdentityStoreId":null}`, validation},
			"other case":               {`{"identitystoreid":"` + id + `"}`, validation},
			"number for text":          {`{"IdentityStoreId":1}`, serialization},
			"object for text":          {`{"IdentityStoreId":{}}`, serialization},
			"text for number":          {`{"IdentityStoreId":"` + id + `","MaxResults":"ten"}`, serialization},
			"boolean for number":       {`{"IdentityStoreId":"` + id + `","MaxResults":true}`, serialization},
			"number too large":         {`{"IdentityStoreId":"` + id + `","MaxResults":99999999999999999999}`, serialization},
			"object for list":          {`{"IdentityStoreId":"` + id + `","Filters":{}}`, serialization},
			"text for list":            {`{"IdentityStoreId":"` + id + `","Filters":"x"}`, serialization},
			"list for object":          {`{"IdentityStoreId":"` + id + `","Filters":[[]]}`, serialization},
			"trailing text":            {`{"IdentityStoreId":"` + id + `"} x`, serialization},
			"two objects":              {`{"IdentityStoreId":"` + id + `"}{}`, serialization},
			"no comma":                 {`{"IdentityStoreId":"` + id + `" "MaxResults":1}`, serialization},
			"trailing comma":           {`{"IdentityStoreId":"` + id + `",}`, serialization},
			"single quotes":            {`{'IdentityStoreId':'` + id + `'}`, serialization},
			"comment":                  {`{/**/"IdentityStoreId":"` + id + `"}`, serialization},
			"NaN":                      {`{"IdentityStoreId":"` + id + `","MaxResults":NaN}`, serialization},
			"leading zero":             {`{"IdentityStoreId":"` + id + `","MaxResults":01}`, serialization},
			"invalid UTF-8":            {"{\"IdentityStoreId\":\"\xff\"}", serialization},
			"raw control character":    {"{\"IdentityStoreId\":\"a\nb\"}", serialization},
			"deep lists":               {`{"IdentityStoreId":"` + id + `","Other":` + strings.Repeat("[", 100_000), serialization},
			"deep objects":             {strings.Repeat(`{"a":`, 100_000), serialization},
			"deep and closed":          {`{"Other":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, serialization},
			"very many values":         {`{"Filters":[` + strings.TrimSuffix(strings.Repeat("{},", 300_000), ",") + `]}`, serialization},
			"unpaired surrogate":       {`{"IdentityStoreId":"\ud800"}`, ""},
			"the same member twice":    {`{"IdentityStoreId":"d-0000000000","IdentityStoreId":"` + id + `"}`, "200"}, // the last counts
			"half of an escape":        {`{"IdentityStoreId":"\u12"}`, serialization},
			"a NUL in the identifier":  {`{"IdentityStoreId":"\u0000"}`, validation},
			"an unknown member is let": {`{"IdentityStoreId":"` + id + `","Unknown":{"a":[1,2,{"b":null}]}}`, "200"},
		} {
			got := n.Send(t, admin, jsonCall("ListUsers", c.body))
			switch {
			case c.code == "200" && got.Status != http.StatusOK,
				c.code != "200" && got.Status != http.StatusBadRequest,
				c.code != "200" && c.code != "" && got.Code != c.code,
				c.code != "200" && got.Message == "":
				t.Errorf("%s: %d %s %q, want %s", name, got.Status, got.Code, got.Message, c.code)
			}
		}
	})
}

// TestUnknownTargets asks for what is not there, in ways that are not foreseen.
func TestUnknownTargets(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		list := jsonCall("ListUsers", `{"IdentityStoreId":"`+n.Instance.IdentityStoreID+`"}`)
		const unknown, identity = "UnknownOperationException", "Action=GetCallerIdentity&Version=2011-06-15"
		for name, c := range map[string]struct {
			call   node.Call
			status int
			code   string
		}{
			"as it should be":         {list, 200, ""},
			"unknown operation":       {jsonCall("Nothing", `{}`), 400, unknown},
			"operation in lower case": {jsonCall("listusers", `{}`), 400, unknown},
			"no operation":            {jsonCall("", `{}`), 400, unknown},
			"no dot":                  {with(list, "X-Amz-Target", "AWSIdentityStore"), 400, unknown},
			"unknown service":         {with(list, "X-Amz-Target", "Nothing.ListUsers"), 400, unknown},
			"operation of another":    {with(list, "X-Amz-Target", "AWSOrganizationsV20161128.ListUsers"), 400, unknown},
			"two targets":             {with(list, "X-Amz-Target", "AWSIdentityStore.ListUsers", "AWSIdentityStore.DeleteUser"), 400, unknown},
			"very long target":        {with(list, "X-Amz-Target", strings.Repeat("x", 10_000)), 400, unknown},
			"unknown action":          {formCall("Action=Nothing&Version=2011-06-15"), 400, "InvalidAction"},
			"no action":               {formCall("Version=2011-06-15"), 400, "InvalidAction"},
			"unknown version":         {formCall("Action=GetCallerIdentity&Version=1999-01-01"), 200, ""},
			"no version":              {formCall("Action=GetCallerIdentity"), 200, ""},
			"broken form":             {formCall(identity + "&x=%zz"), 400, "MalformedInput"},
			"action in lower case":    {formCall("Action=getcalleridentity&Version=2011-06-15"), 400, "InvalidAction"},
			"a form that is JSON":     {formCall(`{"Action":"GetCallerIdentity"}`), 400, "InvalidAction"},
			"action twice":            {formCall("Action=GetCallerIdentity&Action=AssumeRole&Version=2011-06-15"), 200, ""},
			"target on another path":  {atPath(list, "/elsewhere"), 400, unknown},
			"HEAD with a target":      {byMethod(list, "HEAD"), 400, unknown},
			"GET with a target":       {byMethod(list, "GET"), 400, unknown},
			"PUT with a target":       {byMethod(list, "PUT"), 400, unknown},
			"DELETE with a target":    {byMethod(list, "DELETE"), 400, unknown},
			"OPTIONS with a target":   {byMethod(list, "OPTIONS"), 400, unknown},
			"TRACE with a target":     {byMethod(list, "TRACE"), 400, unknown},
			"invented method":         {byMethod(list, "FROB"), 400, unknown},
			"JSON called text":        {with(list, "Content-Type", "text/plain"), 400, unknown},
			"JSON called a form":      {with(list, "Content-Type", "application/x-www-form-urlencoded"), 400, unknown},
			"JSON called JSON":        {with(list, "Content-Type", "application/json"), 400, unknown},
			"JSON of another version": {with(list, "Content-Type", "application/x-amz-json-1.0"), 200, ""},
			"JSON without a type":     {with(list, "Content-Type"), 400, unknown},
			"type with a parameter":   {with(list, "Content-Type", "application/x-amz-json-1.1; charset=utf-8"), 200, ""},
			"type in other case":      {with(list, "Content-Type", "Application/X-AMZ-JSON-1.1"), 200, ""},
			"PUT of a token":          {node.Call{Method: "PUT", Target: "/token", Service: "sso-oauth"}, 405, "UnsupportedMethodException"},
			"OPTIONS of a token":      {node.Call{Method: "OPTIONS", Target: "/token", Service: "sso-oauth"}, 405, "UnsupportedMethodException"},
			"POST of accounts":        {node.Call{Method: "POST", Target: "/assignment/accounts", Service: "sso"}, 405, "UnsupportedMethodException"},
			"HEAD of credentials":     {node.Call{Method: "HEAD", Target: "/federation/credentials", Service: "sso"}, 405, ""},
			"GET of an action":        {node.Call{Method: "GET", Target: "/?" + identity, Service: "sts"}, 200, ""},
		} {
			got := sendAny(t, n, admin, c.call)
			if got.Status != c.status || c.code != "" && got.Code != c.code && c.call.Method != "HEAD" {
				t.Errorf("%s: %d %s %q, want %d %s", name, got.Status, got.Code, got.Message, c.status, c.code)
			}
			if contentType := got.Header.Get("Content-Type"); !strings.Contains(contentType, "json") && !strings.Contains(contentType, "text/xml") {
				t.Errorf("%s: the answer is no answer of a protocol: %v %s", name, got.Header, got.Body)
			}
		}
	})
}

func atPath(c node.Call, path string) node.Call {
	c.Target = path
	return c
}

func byMethod(c node.Call, method string) node.Call {
	c.Method = method
	return c
}

// sendAny sends a call of which the method may be one without an answer's body.
func sendAny(t *testing.T, n *node.Node, who *node.Caller, c node.Call) node.Answer {
	t.Helper()
	if c.Method != "HEAD" {
		return n.Send(t, who, c)
	}
	response, err := http.DefaultTransport.RoundTrip(n.Request(t, who, c))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return node.Answer{Status: response.StatusCode, Header: response.Header}
}

// TestBodySize holds that a body of a mebibyte is read, and a larger one is
// refused, however it is sent.
func TestBodySize(t *testing.T) {
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		start := `{"IdentityStoreId":"` + n.Instance.IdentityStoreID + `"`
		for size, status := range map[int]int{1000: 200, 1 << 20: 200, 1<<20 + 1: 413, 8 << 20: 413} {
			for _, chunked := range []bool{false, true} {
				body := start + strings.Repeat(" ", size-len(start)-1) + "}"
				c := jsonCall("ListUsers", body)
				c.Chunked = chunked
				response, err := http.DefaultTransport.RoundTrip(n.Request(t, admin, c))
				if err != nil && status == 413 {
					continue // the server hung up while we were sending
				}
				if err != nil {
					t.Fatal(err)
				}
				if response.StatusCode != status {
					t.Errorf("%d bytes, chunked %t: %s", size, chunked, response.Status)
				}
				response.Body.Close()
			}
		}
	})
}

// TestEveryServiceReadsJunk sends the same junk to every operation: it is
// refused with an error of the caller's.
func TestEveryServiceReadsJunk(t *testing.T) {
	junk := map[string][]byte{
		"list": []byte(`[]`), "text": []byte(`"x"`), "open": []byte(`{"a":`), "zeroes": make([]byte, 1000),
		"invalid UTF-8": {0xff, 0xfe, 0xfd}, "nesting": bytes.Repeat([]byte(`[`), 5000), "form": []byte("a=%zz"),
	}
	onSQLite(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		for _, o := range operations() {
			for name, body := range junk {
				c := node.NewCall(o.service, o.Operation, o.onInstance(t, n))
				if c.Method == "GET" || len(c.Body) == 0 || string(c.Body) == "{}" {
					continue // the body is not read
				}
				c.Body = body
				if o.service.ID == "sts" {
					c.Body = append([]byte("Action="+o.Name+"&Version=2011-06-15&"), body...)
				}
				got := n.Send(t, admin, c)
				ignored := o.service.ID == "sts" && got.Status == http.StatusOK // parameters that are not the operation's
				if !ignored && (got.Status < 400 || got.Message == "") {
					t.Errorf("%s, %s: %d %s", o, name, got.Status, got.Body)
				}
			}
		}
	})
}
