package awsjson

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/wire/codec"
)

var errSyntax = codec.Serialization("The request body is not valid JSON.")

// scanner reads JSON text (RFC 8259, strictly) from data.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// accept consumes the next byte that is not white space if it is c.
func (s *scanner) accept(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) literal(text string) error {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(text)) {
		return errSyntax
	}
	s.pos += len(text)
	return nil
}

// enter opens a list or object, whose first byte is next.
func (s *scanner) enter() error {
	s.pos++
	if s.depth++; s.depth > codec.MaxDepth {
		return codec.Serialization("The request body is nested too deeply.")
	}
	return nil
}

// more reports whether another element of the list or object that ends with
// end follows; first says that none has been read. At the end it leaves.
func (s *scanner) more(end byte, first bool) (bool, error) {
	if s.accept(end) {
		s.depth--
		return false, nil
	}
	if !first && !s.accept(',') {
		return false, errSyntax
	}
	return true, nil
}

// key reads an object's key and the colon after it. The bytes are valid until
// the next call.
func (s *scanner) key() ([]byte, error) {
	if s.peek() != '"' {
		return nil, errSyntax
	}
	key, err := s.str()
	if err != nil {
		return nil, err
	}
	if !s.accept(':') {
		return nil, errSyntax
	}
	return key, nil
}

// str reads a string whose opening quote is next. The result shares memory
// with data unless the string holds escapes.
func (s *scanner) str() ([]byte, error) {
	s.pos++
	start, ascii := s.pos, true
	for i := start; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			text := s.data[start:i]
			if !ascii && !utf8.Valid(text) {
				return nil, errSyntax
			}
			return text, nil
		case c == '\\':
			return s.escaped(start, i)
		case c < 0x20:
			return nil, errSyntax
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, errSyntax
}

// escaped reads the rest of a string that began at start and has its first
// escape at i.
func (s *scanner) escaped(start, i int) ([]byte, error) {
	text := append(make([]byte, 0, i-start+64), s.data[start:i]...)
	for i < len(s.data) {
		c := s.data[i]
		switch {
		case c == '"':
			s.pos = i + 1
			if !utf8.Valid(text) {
				return nil, errSyntax
			}
			return text, nil
		case c < 0x20:
			return nil, errSyntax
		case c != '\\':
			text = append(text, c)
			i++
		default:
			r, n := s.escape(i + 1)
			if n == 0 {
				return nil, errSyntax
			}
			text = utf8.AppendRune(text, r)
			i += 1 + n
		}
	}
	return nil, errSyntax
}

// escape reads the escape whose first byte after the backslash is at i, and
// returns its rune and length; length 0 when it is none. A lone surrogate is
// none: no text of ours could hold it.
func (s *scanner) escape(i int) (rune, int) {
	if i >= len(s.data) {
		return 0, 0
	}
	if n := bytes.IndexByte([]byte(`"\/bfnrt`), s.data[i]); n >= 0 {
		return rune("\"\\/\b\f\n\r\t"[n]), 1
	}
	r, ok := s.hex(i)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 5
	}
	if i+5 >= len(s.data) || s.data[i+5] != '\\' {
		return 0, 0
	}
	low, ok := s.hex(i + 6)
	if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
		return pair, 11
	}
	return 0, 0
}

// hex reads uXXXX at i.
func (s *scanner) hex(i int) (rune, bool) {
	if i+5 > len(s.data) || s.data[i] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.data[i+1:i+5]), 16, 32)
	return rune(n), err == nil
}

// number reads a number and returns its text.
func (s *scanner) number() ([]byte, error) {
	start := s.pos
	if s.at('-') {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits() {
		return nil, errSyntax
	}
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return nil, errSyntax
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		if !s.digits() {
			return nil, errSyntax
		}
	}
	return s.data[start:s.pos], nil
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos]-'0' < 10 {
		s.pos++
	}
	return s.pos > start
}

// skip reads and drops one value.
func (s *scanner) skip() error {
	switch c := s.peek(); {
	case c == '{' || c == '[':
		return s.skipContainer(c)
	case c == '"':
		_, err := s.str()
		return err
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	default:
		_, err := s.number()
		return err
	}
}

func (s *scanner) skipContainer(open byte) error {
	if err := s.enter(); err != nil {
		return err
	}
	end := open + 2 // ASCII: '[' and ']', '{' and '}' are two apart
	for first := true; ; first = false {
		more, err := s.more(end, first)
		if err != nil || !more {
			return err
		}
		if open == '{' {
			if _, err := s.key(); err != nil {
				return err
			}
		}
		if err := s.skip(); err != nil {
			return err
		}
	}
}
