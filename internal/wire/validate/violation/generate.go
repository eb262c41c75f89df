package violation

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// sample makes strings that a pattern matches.
type sample struct {
	tree  *syntax.Regexp
	match *regexp.Regexp
}

func newSample(pattern string) (*sample, error) {
	if pattern == "" {
		pattern = `[a-z0-9]*`
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	match, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	return &sample{tree, match}, err
}

// text returns a matching string of low to high code points; false when it
// found none. Other variants give other strings where the pattern leaves room.
func (s *sample) text(low, high, variant int) (string, bool) {
	for base := range 3 {
		for seed := range uint64(12) {
			w := writer{base: base, variant: variant, seed: seed}
			text := w.write(s.tree)
			if missing := low - utf8.RuneCountInString(text); missing > 0 {
				text = w.stretched(s.tree, missing)
			}
			n := utf8.RuneCountInString(text)
			if n >= low && n <= high && s.match.MatchString(text) {
				return text, true
			}
		}
	}
	return "", false
}

// writer writes one string of a pattern: every repetition base times more than
// it must be, alternatives chosen by seed.
type writer struct {
	base, variant int
	seed          uint64
	random        *rand.Rand
	extra         []int // more repetitions of the i-th repetition of one character
	room          []int // how many more each of them could take
}

func (w *writer) write(tree *syntax.Regexp) string {
	w.random = rand.New(rand.NewPCG(w.seed, 0))
	w.room = nil
	var b strings.Builder
	w.node(tree, &b)
	return b.String()
}

// stretched writes the string again with missing more characters, spread over
// the repetitions that have room.
func (w *writer) stretched(tree *syntax.Regexp, missing int) string {
	for _, room := range w.room {
		take := min(room, missing)
		w.extra = append(w.extra, take)
		missing -= take
	}
	return w.write(tree)
}

func (w *writer) node(n *syntax.Regexp, b *strings.Builder) {
	switch n.Op {
	case syntax.OpLiteral:
		b.WriteString(string(n.Rune))
	case syntax.OpCharClass:
		b.WriteRune(w.pick(n.Rune, b.Len()))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteRune(w.pick([]rune{'a', 'z'}, b.Len()))
	case syntax.OpCapture:
		w.node(n.Sub[0], b)
	case syntax.OpConcat:
		for _, sub := range n.Sub {
			w.node(sub, b)
		}
	case syntax.OpAlternate:
		choice := 0
		if w.seed > 0 {
			choice = w.random.IntN(len(n.Sub))
		}
		w.node(n.Sub[choice], b)
	case syntax.OpStar:
		w.repeat(n.Sub[0], 0, 1<<30, b)
	case syntax.OpPlus:
		w.repeat(n.Sub[0], 1, 1<<30, b)
	case syntax.OpQuest:
		w.repeat(n.Sub[0], 0, 1, b)
	case syntax.OpRepeat:
		high := n.Max
		if high < 0 {
			high = 1 << 30
		}
		w.repeat(n.Sub[0], n.Min, high, b)
	}
}

func (w *writer) repeat(n *syntax.Regexp, low, high int, b *strings.Builder) {
	times := min(low+w.base, high)
	if n.Op == syntax.OpCharClass || n.Op == syntax.OpAnyChar || n.Op == syntax.OpAnyCharNotNL {
		w.room = append(w.room, high-times)
		if i := len(w.room) - 1; i < len(w.extra) {
			times += w.extra[i]
		}
	}
	for range times {
		w.node(n, b)
	}
}

// pick chooses a character of a class, a letter or digit if there is one.
func (w *writer) pick(ranges []rune, at int) rune {
	var plain []rune
	for i := 0; i < len(ranges); i += 2 {
		for r := max(ranges[i], '0'); r <= min(ranges[i+1], 'z'); r++ {
			if r <= '9' || r >= 'a' || r >= 'A' && r <= 'Z' {
				plain = append(plain, r)
			}
		}
	}
	if len(plain) == 0 {
		return ranges[0]
	}
	if w.seed > 0 {
		return plain[w.random.IntN(len(plain))]
	}
	return plain[(at+w.variant)%len(plain)]
}

// other returns a string of low to high code points that does not match; false
// when it found none. text is one that does.
func (s *sample) other(text string, low, high int) (string, bool) {
	for _, odd := range []string{" ", "!", "\x01", "\n", "é", "漢", "\u200b", "\ue000", "😀"} {
		candidates := []string{text + odd, odd}
		if text != "" {
			_, size := utf8.DecodeRuneInString(text)
			candidates = append(candidates, odd+text[size:], odd+text)
		}
		for _, candidate := range candidates {
			n := utf8.RuneCountInString(candidate)
			if n >= low && n <= high && !s.match.MatchString(candidate) {
				return candidate, true
			}
		}
	}
	return "", false
}
