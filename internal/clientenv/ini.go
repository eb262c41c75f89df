package clientenv

import (
	"fmt"
	"strings"
	"unicode"
)

// File is an AWS configuration file: what ~/.aws/config holds.
type File struct{ Sections []Section }

// Section is one section of a configuration file.
type Section struct {
	// Comment stands above the section, a line each.
	Comment []string
	// Kind and Name are the header's, e.g. "profile" and "Builder-222222222222".
	Kind, Name string
	Settings   []Setting
}

// Setting is a key with its value, or with settings of its own.
type Setting struct {
	Key, Value string
	Nested     []Setting // their keys and values only
}

// Format returns the file's text. Every reader of the format (the AWS CLI and
// the SDKs) finds in it what f holds, byte for byte. What the format cannot
// say, such as a value of two lines, is an error.
func (f File) Format() (string, error) {
	var b strings.Builder
	for i, s := range f.Sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		if err := s.format(&b); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func (s Section) format(b *strings.Builder) error {
	for _, line := range s.Comment {
		if strings.ContainsFunc(line, unicode.IsControl) {
			return fmt.Errorf("a comment of an AWS configuration cannot hold %q", line)
		}
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	if !isKey(s.Kind) || !isName(s.Name) {
		return fmt.Errorf("a section of an AWS configuration cannot be called %q", s.Kind+" "+s.Name)
	}
	fmt.Fprintf(b, "[%s %s]\n", s.Kind, s.Name)
	for _, setting := range s.Settings {
		if err := setting.format(b); err != nil {
			return err
		}
	}
	return nil
}

func (s Setting) format(b *strings.Builder) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Nested == nil {
		fmt.Fprintf(b, "%s = %s\n", s.Key, s.Value)
		return nil
	}
	fmt.Fprintf(b, "%s =\n", s.Key)
	for _, n := range s.Nested {
		if err := n.check(); err != nil {
			return err
		}
		fmt.Fprintf(b, "  %s = %s\n", n.Key, n.Value)
	}
	return nil
}

func (s Setting) check() error {
	if !isKey(s.Key) || s.Nested == nil && !isValue(s.Value) {
		return fmt.Errorf("an AWS configuration cannot hold the setting %q = %q", s.Key, s.Value)
	}
	return nil
}

// isKey tells whether s is a key, or the kind of a section: lower-case letters,
// digits, underscores and hyphens, as all of AWS's are.
func isKey(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// isName tells whether s is the name of a section that all readers agree
// about: without spaces, quotes, brackets and what begins a comment.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-") == ""
}

// isValue tells whether s is a value that all readers agree about: of
// printable ASCII, not empty, without quotes, without spaces around it, and
// without what some take for the beginning of a comment.
func isValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\'' {
			return false
		}
	}
	written := " " + s
	return s != "" && strings.TrimSpace(s) == s && !strings.Contains(written, " #") && !strings.Contains(written, " ;")
}
