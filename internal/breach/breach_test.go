package breach_test

import (
	"crypto/sha1"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/breach"
)

// hash is a password's in the list.
func hash(password string) string {
	return fmt.Sprintf("%X", sha1.Sum([]byte(password)))
}

// lines returns a list of passwords, each line with an end after it.
func lines(end string, passwords ...string) string {
	var all []string
	for i, p := range passwords {
		all = append(all, fmt.Sprintf("%s:%d%s", hash(p), 1+i*i*i, end))
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pwned.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// numbered returns n passwords.
func numbered(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("Password-%d", i))
	}
	return out
}

// open returns the list in the file at path, and what it logs.
func open(path string) (*breach.List, *strings.Builder) {
	var log strings.Builder
	return breach.NewList(path, slog.New(slog.NewTextHandler(&log, nil))), &log
}

func TestContains(t *testing.T) {
	in := numbered(1000)
	for name, text := range map[string]string{
		"LF":            lines("\n", in...),
		"CR LF":         lines("\r\n", in...),
		"no end":        strings.TrimSuffix(lines("\n", in...), "\n"),
		"no end, CR LF": strings.TrimSuffix(lines("\r\n", in...), "\r\n"),
		"small letters": strings.ToLower(lines("\n", in...)),
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, text)
			if err := breach.Check(path); err != nil {
				t.Fatal(err)
			}
			l, log := open(path)
			for _, p := range in { // the first and the last line among them
				if !l.Contains(p) {
					t.Errorf("%s is not found", p)
				}
			}
			for i := range 1000 {
				if p := fmt.Sprintf("Another-%d", i); l.Contains(p) {
					t.Errorf("%s is found", p)
				}
			}
			if l.Count(breach.Found) != 1000 || l.Count(breach.Absent) != 1000 || l.Count(breach.Failed) != 0 || log.Len() > 0 {
				t.Errorf("found %d, absent %d, failed %d; logged %s", l.Count(breach.Found), l.Count(breach.Absent), l.Count(breach.Failed), log)
			}
		})
	}
}

// TestContainsAgreesWithASet looks up what is and what is not in small lists.
func TestContainsAgreesWithASet(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfNDistinct(rapid.IntRange(0, 40), 1, 20, rapid.ID[int]).Draw(t, "in")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		var passwords []string
		for _, i := range in {
			passwords = append(passwords, fmt.Sprint(i))
		}
		path := filepath.Join(dir, "list")
		if err := os.WriteFile(path, []byte(lines(end, passwords...)), 0o600); err != nil {
			t.Fatal(err)
		}
		l, _ := open(path)
		for i := range 41 {
			if got := l.Contains(fmt.Sprint(i)); got != slices.Contains(in, i) {
				t.Fatalf("Contains(%d) = %t with %v", i, got, in)
			}
		}
	})
}

// TestAnotherFileTakesItsPlace replaces the file, and takes it away, while it
// is in use.
func TestAnotherFileTakesItsPlace(t *testing.T) {
	path := write(t, lines("\n", "one", "two"))
	l, log := open(path)
	expect := func(password string, want bool) {
		t.Helper()
		if got := l.Contains(password); got != want {
			t.Errorf("Contains(%q) = %t, want %t", password, got, want)
		}
	}
	expect("one", true)
	if err := os.Rename(write(t, lines("\n", "two", "three")), path); err != nil {
		t.Fatal(err)
	}
	expect("one", false)
	expect("three", true)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect("two", false)
	if l.Count(breach.Failed) != 1 || !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), path) {
		t.Errorf("a file that is gone: %d failures, logged %q", l.Count(breach.Failed), log)
	}
	if err := os.WriteFile(path, []byte(lines("\n", "two")), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("two", true)
}

// TestDamageWhileRunning lets a file be cut off and written over: nobody is
// kept from setting a password, it is told, and the password is not.
func TestDamageWhileRunning(t *testing.T) {
	in := numbered(100)
	good := lines("\n", in...)
	sorted := strings.SplitAfter(strings.TrimSuffix(good, "\n"), "\n")
	reversed := slices.Clone(sorted)
	reversed[len(reversed)-1] += "\n"
	slices.Reverse(reversed)
	for name, text := range map[string]string{
		"noise": strings.Repeat("noise ", 1000), "zeros": strings.Repeat("\x00", 5000), "the other way round": strings.Join(reversed, ""),
	} {
		t.Run(name, func(t *testing.T) {
			l, log := open(write(t, text))
			for _, p := range in {
				if l.Contains(p) && name != "the other way round" {
					t.Errorf("%s is found", p)
				}
			}
			if l.Count(breach.Failed) == 0 || !strings.Contains(log.String(), "level=ERROR") {
				t.Error("nobody is told")
			}
			if strings.Contains(log.String(), "Password-") {
				t.Error("the log has a password")
			}
		})
	}
}

func TestCheck(t *testing.T) {
	in := numbered(30_000) // more than a mebibyte
	good := lines("\n", in...)
	all := strings.SplitAfter(strings.TrimSuffix(good, "\n"), "\n")
	ntlm := strings.Repeat("0123456789ABCDEF0123456789ABCDEF:1\n", 3)
	shuffled := slices.Clone(all)
	slices.SortFunc(shuffled, func(a, b string) int { return strings.Compare(a[20:], b[20:]) })
	for name, c := range map[string]struct{ text, want string }{
		"good":             {good, ""},
		"one line":         {lines("\n", "one"), ""},
		"empty":            {"", "is empty"},
		"NTLM":             {ntlm, "get the SHA-1 form"},
		"compressed":       {"7z\xbc\xaf\x27\x1c" + strings.Repeat("\x03\xfe", 1000), "get the list as one text file"},
		"no counts":        {hash("one") + "\n", "no count"},
		"in another order": {strings.Join(shuffled, "\n"), "LC_ALL=C sort"},
		"cut in a hash":    {good[:len(good)-25], "get the list as one text file"},
		"cut at the count": {strings.TrimRight(good, "0123456789\n"), "cut off"},
		"half of it":       {strings.Join(all[:28_000], ""), "its end is missing"},
		"the other half":   {strings.Join(all[2000:], ""), "its beginning is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			err := breach.Check(write(t, c.text))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if err := breach.Check(path); err == nil {
			t.Errorf("%s is taken", path)
		}
	}
}

// BenchmarkContains looks up in a list of a million.
func BenchmarkContains(b *testing.B) {
	l, _ := open(write(b, lines("\r\n", numbered(1_000_000)...)))
	for b.Loop() {
		l.Contains("Correct-Horse-9")
	}
}
