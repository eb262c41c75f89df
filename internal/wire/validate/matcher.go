package validate

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// matcher tells whether a whole value fits a pattern. Most patterns of AWS's
// models are one character class repeated; for those a table does what the
// regular expression would.
type matcher struct {
	expression *regexp.Regexp // nil when class holds it all

	ascii    [utf8.RuneSelf]bool
	ranges   []rune // pairs of first and last, ascending, as regexp/syntax has them
	min, max int    // repetitions; max -1: any number
}

func newMatcher(pattern string) (*matcher, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if m := classMatcher(tree); m != nil {
		return m, nil
	}
	expression, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, err
	}
	return &matcher{expression: expression}, nil
}

// classMatcher returns the matcher of a repeated character class, nil when the
// pattern is anything else. Anchors around it and groups change nothing, since
// the whole value has to match.
func classMatcher(tree *syntax.Regexp) *matcher {
	tree = unwrap(tree)
	m := &matcher{}
	switch tree.Op {
	case syntax.OpStar:
		m.min, m.max = 0, -1
	case syntax.OpPlus:
		m.min, m.max = 1, -1
	case syntax.OpRepeat:
		m.min, m.max = tree.Min, tree.Max
	default:
		return nil
	}
	switch class := unwrap(tree.Sub[0]); class.Op {
	case syntax.OpCharClass:
		m.ranges = class.Rune
	case syntax.OpAnyChar:
		m.ranges = []rune{0, utf8.MaxRune}
	case syntax.OpAnyCharNotNL:
		m.ranges = []rune{0, '\n' - 1, '\n' + 1, utf8.MaxRune}
	default:
		return nil
	}
	for i := 0; i < len(m.ranges); i += 2 {
		for r := m.ranges[i]; r <= m.ranges[i+1] && r < utf8.RuneSelf; r++ {
			m.ascii[r] = true
		}
	}
	return m
}

// unwrap takes away groups and the anchors at both ends.
func unwrap(tree *syntax.Regexp) *syntax.Regexp {
	for {
		switch {
		case tree.Op == syntax.OpCapture:
			tree = tree.Sub[0]
		case tree.Op == syntax.OpConcat && len(tree.Sub) > 1 && tree.Sub[0].Op == syntax.OpBeginText:
			tree = concat(tree.Sub[1:])
		case tree.Op == syntax.OpConcat && len(tree.Sub) > 1 && tree.Sub[len(tree.Sub)-1].Op == syntax.OpEndText:
			tree = concat(tree.Sub[:len(tree.Sub)-1])
		default:
			return tree
		}
	}
}

func concat(parts []*syntax.Regexp) *syntax.Regexp {
	if len(parts) == 1 {
		return parts[0]
	}
	return &syntax.Regexp{Op: syntax.OpConcat, Sub: parts}
}

func (m *matcher) match(text string) bool {
	if m.expression != nil {
		return m.expression.MatchString(text)
	}
	n := 0
	for _, r := range text {
		if r < utf8.RuneSelf && !m.ascii[r] || r >= utf8.RuneSelf && !m.holds(r) {
			return false
		}
		n++
	}
	return n >= m.min && (m.max < 0 || n <= m.max)
}

// holds finds r among the ranges.
func (m *matcher) holds(r rune) bool {
	low, high := 0, len(m.ranges)/2
	for low < high {
		middle := (low + high) / 2
		switch {
		case r < m.ranges[2*middle]:
			high = middle
		case r > m.ranges[2*middle+1]:
			low = middle + 1
		default:
			return true
		}
	}
	return false
}
