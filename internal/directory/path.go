package directory

import (
	"regexp"
	"strings"
)

// segment is a part of an attribute's path: a name and, for one of a list, the
// value that an attribute of the element has: emails[primary eq true].
var segment = regexp.MustCompile(`^([A-Za-z]+)(?:\[([A-Za-z]+) eq (true|false|"[^"\\]*")\])?$`)

// At returns the text at a path as attributes for access control write it:
// "userName", "name.familyName", "emails[primary eq true].value",
// "addresses[type eq \"work\"].region", "enterprise.costCenter". found is false
// when there is no text, or no such path.
//
// A list of one whose element does not say whether it is the primary one has
// that element as its primary.
func (a *Attributes) At(path string) (value string, found bool) {
	var document map[string]any
	if err := convert(a, &document); err != nil {
		return "", false
	}
	if extensions, ok := document["extensions"].(map[string]any); ok {
		document["enterprise"] = extensions[EnterpriseExtension]
	}
	var at any = document
	for part := range strings.SplitSeq(path, ".") {
		m := segment.FindStringSubmatch(part)
		object, ok := at.(map[string]any)
		if m == nil || !ok {
			return "", false
		}
		if at = object[m[1]]; m[2] != "" {
			at = element(at, m[2], m[3])
		}
	}
	value, found = at.(string)
	return value, found && value != ""
}

// element returns the element of a list whose attribute name has a value, nil
// when there is none.
func element(list any, name, value string) any {
	elements, _ := list.([]any)
	for _, e := range elements {
		object, _ := e.(map[string]any)
		switch is := object[name].(type) {
		case string:
			if `"`+is+`"` == value {
				return e
			}
		case bool:
			if is == (value == "true") {
				return e
			}
		case nil:
			if len(elements) == 1 && name == "primary" && value == "true" {
				return e
			}
		}
	}
	return nil
}
