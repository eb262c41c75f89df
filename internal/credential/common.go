package credential

import (
	_ "embed"
	"slices"
	"sort"
	"strings"
	"unicode"
)

// The lists of common passwords, all in lower case. Those of others and
// commonest are written by the importer beside this package; own are words
// that passwords are made from where Atrium runs.
var (
	//go:embed words/own.txt
	ownText string
	//go:embed words/commonest.txt
	commonestText string
	//go:embed words/others.txt
	othersText string
)

// list is words in bytewise order, each with a line end after it. It is
// searched where it stands: nothing is read or kept beforehand.
type list string

// find tells whether a word of the list begins with prefix, and whether prefix
// is one.
func (l list) find(prefix string) (begins, whole bool) {
	start := sort.Search(len(l), func(i int) bool { return l.line(i) >= prefix })
	if start == len(l) {
		return false, false
	}
	word := l.line(start)
	return strings.HasPrefix(word, prefix), word == prefix
}

// line returns the word that the byte at i belongs to.
func (l list) line(i int) string {
	start := strings.LastIndexByte(string(l[:i]), '\n') + 1
	end := strings.IndexByte(string(l[i:]), '\n')
	return string(l[start : i+end])
}

// The least letters and numbers of what is recognised: of a word that may be
// one of two, and of one that must be the only one.
const (
	minWord   = 3
	minSingle = 4
)

// isCommon tells whether a password is a common one or the person's name, or
// little more: two of the commonest, or the same thing again and again,
// however their letters are disguised and whatever numbers and symbols stand
// around them.
func isCommon(password string, names []string) bool {
	if distinct(password) < minDistinct {
		return true
	}
	text := []rune(password)
	if once := unit(text); len(once) < len(text) {
		if len(once) < MinLength {
			return true
		}
		text = once
	}
	for i, r := range text {
		text[i] = unicode.ToLower(r)
	}
	few := []list{list(ownText), list(commonestText), namesList(names)}
	if isTwoOf(text, few) || isOneOf(text, few, 1) || isOneOf(text, []list{list(othersText)}, 0) {
		return true
	}
	letters := slices.DeleteFunc(slices.Clone(text), func(r rune) bool { return !unicode.IsLetter(r) })
	once := unit(letters)
	return len(once) < len(letters) && isOneOf(once, []list{list(othersText)}, 0)
}

// isOneOf tells whether text is one word of the lists and hardly another
// letter: at most spare of them, and more with a longer word.
func isOneOf(text []rune, lists []list, spare int) bool {
	before, after := strays(text), strays(reversed(text))
	for i := range text {
		for _, l := range lists {
			for _, m := range matches(l, text, i) {
				if m.length >= minSingle && before[i]+after[len(text)-m.end] <= spare+min(m.length-minSingle, 2) {
					return true
				}
			}
		}
	}
	return false
}

// strays counts the letters before each place in text, and in all of it; one
// that is repeated counts once.
func strays(text []rune) []int {
	counts := make([]int, len(text)+1)
	for i, r := range text {
		counts[i+1] = counts[i]
		if unicode.IsLetter(r) && (i == 0 || text[i-1] != r) {
			counts[i+1]++
		}
	}
	return counts
}

func reversed(text []rune) []rune {
	out := slices.Clone(text)
	slices.Reverse(out)
	return out
}

// isTwoOf tells whether text is one or two words of the lists and no other
// letter.
func isTwoOf(text []rune, lists []list) bool {
	const none = 3 // or more
	words := make([]int, len(text)+1)
	for i := range words[1:] {
		words[i+1] = none
	}
	for i, r := range text {
		if words[i] == none {
			continue
		}
		if !unicode.IsLetter(r) {
			words[i+1] = min(words[i+1], words[i])
		}
		for _, l := range lists {
			for _, m := range matches(l, text, i) {
				if m.length >= minWord {
					words[m.end] = min(words[m.end], words[i]+1)
				}
			}
		}
	}
	return words[len(text)] < none
}

// match is a word that was found in a text: it ends before end, and has length
// characters.
type match struct{ end, length int }

// matches returns the words of a list that begin in text at i, in disguise or
// not.
func matches(l list, text []rune, i int) (out []match) {
	var follow func(prefix string, length, i int)
	follow = func(prefix string, length, i int) {
		begins, whole := l.find(prefix)
		if whole {
			out = append(out, match{i, length})
		}
		if !begins || i == len(text) {
			return
		}
		if isSeparator(text[i]) {
			follow(prefix, length, i+1)
		}
		for _, r := range meanings(text[i]) {
			follow(prefix+string(r), length+1, i+1)
		}
	}
	if !isSeparator(text[i]) {
		for _, r := range meanings(text[i]) {
			follow(string(r), 1, i+1)
		}
	}
	return out
}

// isSeparator tells whether a character stands between letters for nothing.
func isSeparator(r rune) bool { return strings.ContainsRune(" .,-_/'*", r) }

// meanings returns the characters that one may stand for: itself, what it looks
// like, and the number on its key.
func meanings(r rune) string {
	switch r {
	case '0':
		return "0o"
	case '1':
		return "1il"
	case '2':
		return "2z"
	case '3':
		return "3e"
	case '4':
		return "4a"
	case '5':
		return "5s"
	case '6':
		return "6g"
	case '7':
		return "7t"
	case '8':
		return "8b"
	case '9':
		return "9g"
	case '!':
		return "!1il"
	case '@':
		return "@2a"
	case '#':
		return "#3"
	case '$':
		return "$4s"
	case '%':
		return "%5"
	case '^':
		return "^6"
	case '&':
		return "&7"
	case '(':
		return "(9c"
	case ')':
		return ")0"
	case '+':
		return "+t"
	case '|':
		return "|il"
	}
	return string(r)
}

// namesList returns the words of a person's names: each as a whole, and each
// of its parts.
func namesList(names []string) list {
	var words []string
	add := func(word string) {
		if len([]rune(word)) >= minWord {
			words = append(words, word+"\n")
		}
	}
	for _, name := range names {
		parts := strings.FieldsFunc(strings.ToLower(Normal(name)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
		add(strings.Join(parts, ""))
		for _, part := range parts {
			add(part)
		}
	}
	slices.Sort(words)
	return list(strings.Join(words, ""))
}

// minDistinct is how many different characters a password has at least.
const minDistinct = 5

func distinct(password string) int {
	seen := make(map[rune]bool)
	for _, r := range password {
		seen[r] = true
	}
	return len(seen)
}

// unit returns what text is made of when it is the same thing again and again,
// otherwise text.
func unit(text []rune) []rune {
	for n := 1; n <= len(text)/2; n++ {
		if len(text)%n == 0 && slices.Equal(text[n:], text[:len(text)-n]) {
			return text[:n]
		}
	}
	return text
}
