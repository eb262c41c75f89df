package directory

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the type of an attribute.
type kind uint8

const (
	kindText   kind = iota
	kindFlag        // a boolean
	kindObject      // has parts
	kindList        // of objects with the parts
)

// attribute describes an attribute: its name in AWS's spelling, its type and
// its limits. Names in requests match whatever their case.
type attribute struct {
	name  string
	kind  kind
	text  textRule    // kindText
	parts []attribute // kindObject, kindList
	limit int         // kindList: how many elements it may have
	// needs names the part without which an element of a list says nothing.
	needs string
}

// textRule is the constraint on a string: 1 to max characters, each a letter,
// mark, symbol, number or punctuation, or one of extra.
type textRule struct {
	max     int
	extra   string
	pattern string // as AWS's messages write it
}

// The rules of the model's string shapes.
var (
	plainText = textRule{1024, "\t\n\r \u00a0\u3000", `[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ` + "\u00a0\u3000]+"}
	groupText = textRule{1024, "\t\n\r \u00a0", `[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ` + "\u00a0]+"}
	nameText  = textRule{128, "", `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`}

	externalText = textRule{256, "", `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`}
)

// violated returns the constraint that s breaks, "" when it breaks none.
func (t textRule) violated(s string) string {
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		return "Member must have length greater than or equal to 1"
	case n > t.max:
		return fmt.Sprintf("Member must have length less than or equal to %d", t.max)
	}
	for _, r := range s {
		if r == utf8.RuneError || !unicode.In(r, unicode.L, unicode.M, unicode.S, unicode.N, unicode.P) && !strings.ContainsRune(t.extra, r) {
			return "Member must satisfy regular expression pattern: " + t.pattern
		}
	}
	return ""
}

// EnterpriseExtension is the one extension of a user that AWS supports.
const EnterpriseExtension = "aws:identitystore:enterprise"

// userSchema describes the attributes that a caller may set on a user.
var userSchema = attribute{kind: kindObject, parts: []attribute{
	{name: "userName", text: nameText},
	{name: "name", kind: kindObject, parts: texts("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")},
	text("displayName"), text("nickName"), text("profileUrl"),
	{name: "emails", kind: kindList, limit: 1, parts: append(texts("value", "type"), primary), needs: "value"},
	{name: "addresses", kind: kindList, limit: 1, parts: append(
		texts("streetAddress", "locality", "region", "postalCode", "country", "formatted", "type"), primary)},
	{name: "phoneNumbers", kind: kindList, limit: 1, parts: append(texts("value", "type"), primary)},
	text("userType"), text("title"), text("preferredLanguage"), text("locale"), text("timezone"),
	{name: "photos", kind: kindList, limit: 3, parts: append(texts("value", "type", "display"), primary), needs: "value"},
	text("website"), text("birthdate"),
	{name: "roles", kind: kindList, limit: 1, parts: append(texts("value", "type"), primary)},
	{name: "extensions", kind: kindObject, parts: []attribute{enterpriseSchema}},
}}

// enterpriseSchema is the enterprise user of SCIM (RFC 7643, 4.3).
var enterpriseSchema = attribute{name: EnterpriseExtension, kind: kindObject, parts: append(
	texts("employeeNumber", "costCenter", "organization", "division", "department"),
	attribute{name: "manager", kind: kindObject, parts: texts("value", "$ref", "displayName")},
)}

// groupSchema describes the attributes that a caller may set on a group.
var groupSchema = attribute{kind: kindObject, parts: []attribute{
	{name: "displayName", text: groupText},
	text("description"),
}}

// primary marks the preferred one of a list.
var primary = attribute{name: "primary", kind: kindFlag}

func text(name string) attribute { return attribute{name: name, text: plainText} }

func texts(names ...string) []attribute {
	all := make([]attribute, len(names), len(names)+1)
	for i, name := range names {
		all[i] = text(name)
	}
	return all
}

// part returns the part of a called name, whatever its case.
func (a *attribute) part(name string) (*attribute, bool) {
	for i := range a.parts {
		if strings.EqualFold(a.parts[i].name, name) {
			return &a.parts[i], true
		}
	}
	return nil, false
}

// accept checks a document against a and returns it with the names in AWS's
// spelling. path is the document's place, for messages.
func (a *attribute) accept(path string, v any) (any, error) {
	switch a.kind {
	case kindText:
		s, ok := v.(string)
		if !ok {
			return nil, invalid("The value of the attribute %s must be a string.", path)
		}
		if broken := a.text.violated(s); broken != "" {
			return nil, violation(path, broken)
		}
		return s, nil
	case kindFlag:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, invalid("The value of the attribute %s must be a boolean.", path)
	case kindObject:
		return a.acceptObject(path, v)
	default:
		return a.acceptList(path, v)
	}
}

func (a *attribute) acceptObject(path string, v any) (map[string]any, error) {
	in, ok := v.(map[string]any)
	if !ok {
		return nil, invalid("The value of the attribute %s must be an object.", path)
	}
	out := make(map[string]any, len(in))
	for name, value := range in {
		at := join(path, name)
		part, ok := a.part(name)
		if !ok {
			return nil, unsupported(at)
		}
		if _, twice := out[part.name]; twice {
			return nil, invalid("The attribute %s is given more than once.", at)
		}
		accepted, err := part.accept(join(path, part.name), value)
		if err != nil {
			return nil, err
		}
		out[part.name] = accepted
	}
	return out, nil
}

func (a *attribute) acceptList(path string, v any) ([]any, error) {
	in, ok := v.([]any)
	if !ok {
		return nil, invalid("The value of the attribute %s must be a list.", path)
	}
	if len(in) == 0 {
		return nil, violation(path, "Member must have length greater than or equal to 1")
	}
	if len(in) > a.limit {
		return nil, invalid("List attribute %s exceeds allowed limit of %d", path, a.limit)
	}
	out := make([]any, len(in))
	primaries := 0
	for i, value := range in {
		element, err := a.acceptObject(path, value)
		if err != nil {
			return nil, err
		}
		if _, has := element[a.needs]; a.needs != "" && !has {
			return nil, missing(join(path, a.needs))
		}
		if element[primary.name] == true {
			primaries++
		}
		out[i] = element
	}
	if primaries > 1 {
		return nil, invalid("The attribute %s can have only one primary value.", path)
	}
	return out, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
