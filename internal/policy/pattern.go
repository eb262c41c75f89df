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
	text string // literal: what it matches
	key  Key    // variable
	// fallback is a variable's default; hasFallback tells "" from none.
	fallback    string
	hasFallback bool
}

// pattern is a compiled string of a policy.
type pattern struct {
	tokens    []token
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
			reference := text[i+2 : i+end]
			i += end + 1
			if reference == "*" || reference == "?" || reference == "$" {
				lit.WriteString(reference) // the character itself
				continue
			}
			t, err := compileVariable(reference)
			if err != nil {
				return pattern{}, err
			}
			flush()
			p.tokens = append(p.tokens, t)
			p.variables = true
		default:
			lit.WriteByte(c)
			i++
		}
	}
	flush()
	return p, nil
}

// compileVariable compiles what stands inside ${…}: a key and, optionally,
// a comma and a default in single quotes.
func compileVariable(reference string) (token, error) {
	name, fallback, hasFallback := strings.Cut(reference, ",")
	t := token{kind: variable, key: NewKey(strings.TrimSpace(name)), hasFallback: hasFallback}
	if t.key.name == "" {
		return token{}, errSyntax
	}
	if hasFallback {
		fallback = strings.TrimSpace(fallback)
		if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
			return token{}, errSyntax
		}
		t.fallback = fallback[1 : len(fallback)-1]
	}
	return t, nil
}

// matchesAll reports whether p matches every string.
func (p *pattern) matchesAll() bool {
	return len(p.tokens) == 1 && p.tokens[0].kind == anyRun
}

// exact returns the only string that p matches, when there is just one.
func (p *pattern) exact() (string, bool) {
	switch {
	case len(p.tokens) == 0:
		return "", true
	case len(p.tokens) == 1 && p.tokens[0].kind == literal:
		return p.tokens[0].text, true
	default:
		return "", false
	}
}

// match tells whether s matches p. A variable without a value could be
// anything: the answer is unknown when s would match with some value of it.
func (p *pattern) match(s string, ev *evaluation) truth {
	if !p.variables {
		return truthOf(p.run(s, nil))
	}
	if !p.run(s, ev) {
		return no
	}
	for i := range p.tokens {
		if _, ok := p.tokens[i].value(ev); !ok {
			return unknown
		}
	}
	return yes
}

// run is the matcher: it walks s and the tokens together and, on a mismatch,
// lets the last run of any characters take one more. Going back to the last
// one only makes it O(len(s) × size of p), never exponential.
func (p *pattern) run(s string, ev *evaluation) bool {
	at, t := 0, 0
	star, starAt := -1, 0
	for {
		if t == len(p.tokens) {
			if at == len(s) {
				return true
			}
		} else if tok := &p.tokens[t]; tok.isRun(ev) {
			if t == len(p.tokens)-1 {
				return true
			}
			star, starAt = t, at
			t++
			continue
		} else if n := p.step(tok, s[at:], ev); n >= 0 {
			at += n
			t++
			continue
		}
		if star < 0 || starAt >= len(s) {
			return false
		}
		starAt += width(s[starAt:])
		at, t = starAt, star+1
	}
}

// isRun reports whether t takes any run of characters: an asterisk, or a
// variable whose value is not known.
func (t *token) isRun(ev *evaluation) bool {
	if t.kind != variable {
		return t.kind == anyRun
	}
	_, ok := t.value(ev)
	return !ok
}

// value returns the text that t stands for, false when it is a variable
// without a single known value.
func (t *token) value(ev *evaluation) (string, bool) {
	if t.kind != variable {
		return t.text, true
	}
	e := ev.lookup(t.key)
	switch {
	case e == nil || e.len() > 1:
		return "", false
	case e.len() == 1:
		return e.first, true
	default:
		return t.fallback, t.hasFallback
	}
}

// step returns how many bytes of s the token takes, -1 when it does not match.
func (p *pattern) step(t *token, s string, ev *evaluation) int {
	if t.kind == anyOne {
		if s == "" {
			return -1
		}
		return width(s)
	}
	text, _ := t.value(ev)
	if p.fold {
		return foldPrefix(s, text)
	}
	if strings.HasPrefix(s, text) {
		return len(text)
	}
	return -1
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
