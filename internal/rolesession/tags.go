package rolesession

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
)

// tagValue is what the value of a session tag consists of (STS API reference,
// Tag), and maxTagValue its length in characters.
var tagValue = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

const maxTagValue = 256

// SessionTags returns the tags of a person's sessions: those attributes for
// access control that the person has. It is a fault.Invalid, subject
// "session_tag", when one of them cannot be a tag's value: a session without
// the tag would be another one than its policies are written for.
func SessionTags(attributes []instance.AccessControlAttribute, u directory.User) (map[string]string, error) {
	var tags map[string]string
	for _, a := range attributes {
		path, isPath := strings.CutPrefix(a.Source, "${path:")
		path, ends := strings.CutSuffix(path, "}")
		if !isPath || !ends {
			continue
		}
		value, found := u.At(path)
		switch {
		case !found:
			continue
		case utf8.RuneCountInString(value) > maxTagValue || !tagValue.MatchString(value):
			return nil, fault.New(fault.Invalid, "session_tag",
				"The attribute for access control %s cannot be passed on: the user's %s has more than %d characters, or others than a session tag may have.", a.Key, path, maxTagValue)
		}
		if tags == nil {
			tags = make(map[string]string, len(attributes))
		}
		tags[a.Key] = value
	}
	return tags, nil
}
