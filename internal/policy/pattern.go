package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is what a token of a pattern matches.
type tokenKind uint8

const (
	literal  tokenKind = iota // its text
	anyRun                    // any run of characters: *
	anyOne                    // any one character: ?
	variable                  // the value of a condition key: ${…}
)

type token struct {
	kind tokenKind
	text string     // literal: what it matches
	ref  *reference // variable
}

// reference is a policy variable: a key and, perhaps, a default.
type reference struct {
	key         Key
	fallback    string
	hasFallback bool // tells an empty default from none
}

// shape tells the patterns apart that need no general matcher.
type shape uint8

const (
	general   shape = iota
	matchAll        // "*"
	matchText       // no wildcard, no variable, exact case
	matchHead       // text and then "*"
)

// pattern is a compiled string of a policy.
type pattern struct {
	shape  shape
	text   string // matchText, matchHead
	tokens []token
	// variables says that there are some.
	variables bool
	// fold matches letters of either case.
	fold bool
}

// syntax says what is special in a string besides its literal text.
type syntax struct {
	wildcards bool // * and ?
	variables bool // ${…}, documents of version 2012-10-17 only
	fold      bool
}

// compilePattern compiles text. It fails on a "${" without its "}" and on a
// reference that has no key.
func compilePattern(text string, syn syntax) (pattern, error) {
	p := pattern{fold: syn.fold}
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p.tokens = append(p.tokens, token{kind: literal, text: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '*' && syn.wildcards:
			flush()
			if n := len(p.tokens); n == 0 || p.tokens[n-1].kind != anyRun {
				p.tokens = append(p.tokens, token{kind: anyRun})
			}
			i++
		case c == '?' && syn.wildcards:
			flush()
			p.tokens = append(p.tokens, token{kind: anyOne})
			i++
		case c == '$' && syn.variables && strings.HasPrefix(text[i:], "${"):
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return pattern{}, errSyntax
			}
			inner := text[i+2 : i+end]
			i += end + 1
			if inner == "*" || inner == "?" || inner == "$" {
				lit.WriteString(inner) // the character itself
				continue
			}
			ref, err := compileReference(inner)
			if err != nil {
				return pattern{}, err
			}
			flush()
			p.tokens = append(p.tokens, token{kind: variable, ref: ref})
			p.variables = true
		default:
			lit.WriteByte(c)
			i++
		}
	}
	flush()
	p.classify()
	return p, nil
}

// classify sets the pattern's shape.
func (p *pattern) classify() {
	switch t := p.tokens; {
	case len(t) == 1 && t[0].kind == anyRun:
		p.shape = matchAll
	case p.fold:
	case len(t) == 0:
		p.shape = matchText
	case len(t) == 1 && t[0].kind == literal:
		p.shape, p.text = matchText, t[0].text
	case len(t) == 2 && t[0].kind == literal && t[1].kind == anyRun:
		p.shape, p.text = matchHead, t[0].text
	}
}

// compileReference compiles what stands inside ${…}: a key and, optionally,
// a comma and a default in single quotes.
func compileReference(inner string) (*reference, error) {
	name, fallback, hasFallback := strings.Cut(inner, ",")
	ref := &reference{key: NewKey(strings.TrimSpace(name)), hasFallback: hasFallback}
	if ref.key.name == "" {
		return nil, errSyntax
	}
	if hasFallback {
		fallback = strings.TrimSpace(fallback)
		if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
			return nil, errSyntax
		}
		ref.fallback = fallback[1 : len(fallback)-1]
	}
	return ref, nil
}

// match tells whether s matches p. A variable without a value could be
// anything: the answer is unknown when s would match with some value of it.
func (p *pattern) match(s string, ev *evaluation) truth {
	switch p.shape {
	case matchAll:
		return yes
	case matchText:
		return truthOf(s == p.text)
	case matchHead:
		return truthOf(strings.HasPrefix(s, p.text))
	default:
		return p.run(s, ev)
	}
}

// run is the matcher: it walks s and the tokens together and, on a mismatch,
// lets the last run of any characters take one more. Going back to the last
// one only makes it O(len(s) × size of p), never exponential.
func (p *pattern) run(s string, ev *evaluation) truth {
	at, t := 0, 0
	star, starAt := -1, 0
	matched := yes // unknown once a variable without a value has been passed
	for {
		n := -1
		switch {
		case t == len(p.tokens):
			if at == len(s) {
				return matched
			}
		case p.tokens[t].kind == anyRun:
			n = 0
			star, starAt = t, at
		default:
			text, known := p.tokens[t].value(ev)
			if !known {
				matched, n = unknown, 0
				star, starAt = t, at
				break
			}
			n = p.step(p.tokens[t].kind, text, s[at:])
		}
		switch {
		case n >= 0:
			at += n
			t++
			if star == len(p.tokens)-1 {
				return matched
			}
		case star < 0 || starAt >= len(s):
			return no
		default:
			starAt += width(s[starAt:])
			at, t = starAt, star+1
		}
	}
}

// value returns the text that t stands for, false when it is a variable
// without a single known value.
func (t *token) value(ev *evaluation) (string, bool) {
	if t.kind != variable {
		return t.text, true
	}
	e := ev.lookup(t.ref.key)
	switch {
	case e == nil || e.len() > 1:
		return "", false
	case e.len() == 1:
		return e.first, true
	default:
		return t.ref.fallback, t.ref.hasFallback
	}
}

// step returns how many bytes of s a token takes, -1 when it does not match.
func (p *pattern) step(kind tokenKind, text, s string) int {
	switch {
	case kind == anyOne && s == "":
		return -1
	case kind == anyOne:
		return width(s)
	case p.fold:
		return foldPrefix(s, text)
	case strings.HasPrefix(s, text):
		return len(text)
	default:
		return -1
	}
}

// width returns the length of the first character of s.
func width(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// foldPrefix returns the length of the beginning of s that equals prefix but
// for the case of letters, -1 when it does not begin so.
func foldPrefix(s, prefix string) int {
	at := 0
	for _, want := range prefix {
		if at == len(s) {
			return -1
		}
		got, n := rune(s[at]), 1
		if got >= utf8.RuneSelf {
			got, n = utf8.DecodeRuneInString(s[at:])
		}
		if got != want && !equalFold(got, want) {
			return -1
		}
		at += n
	}
	return at
}

func equalFold(a, b rune) bool {
	if a < utf8.RuneSelf && b < utf8.RuneSelf {
		return lower(byte(a)) == lower(byte(b))
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
