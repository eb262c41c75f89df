package credential_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
)

// words returns the words of one of the embedded lists.
func words(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile("words/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// TestLists holds the lists to what looking up words in them relies on.
func TestLists(t *testing.T) {
	for name, least := range map[string]int{"own.txt": 400, "commonest.txt": 3000, "others.txt": 45000} {
		list := words(t, name)
		if len(list) < least || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("%s: %d words, sorted: %t; want %d sorted ones, each once", name, len(list), slices.IsSorted(list), least)
		}
		for _, word := range list {
			if word == "" || word != strings.ToLower(word) || strings.ContainsFunc(word, unicode.IsSpace) {
				t.Errorf("%s: %q is no word in lower case", name, word)
			}
		}
	}
}

// decorated returns the ways in which people make a word satisfy the rules.
func decorated(word string) []string {
	capital := strings.ToUpper(word[:1]) + word[1:]
	leet := strings.NewReplacer("a", "@", "o", "0", "e", "3", "i", "1", "s", "$").Replace(capital)
	if i := strings.IndexFunc(word, unicode.IsLetter); i > 0 {
		capital = word[:i] + strings.ToUpper(word[i:i+1]) + word[i+1:]
	}
	return []string{
		capital + "1!", capital + "!1", capital + "@123", capital + "123!", capital + "#1", capital + "2026!", capital + "_2026",
		"!" + capital + "1", "1" + capital + "!", "123" + capital + "#", leet + "1!", leet + "2026!", leet + "12#", leet,
		strings.ToUpper(word) + "a1!", "Aa1!" + word, "Aa@" + word, "A" + word + "a@1", word + "A1!", strings.ToUpper(word[:len(word)-1]) + word[len(word)-1:] + "#7",
		capital + "-" + capital + "1",
	}
}

// asked tells whether a password satisfies AWS's rules, so that only its being
// common can speak against it.
func asked(password string) bool {
	e, ok := credential.Check(password).(*fault.Error)
	return !ok || e.Reason == credential.ReasonCommon
}

// TestCommonPasswordsInDisguise decorates words of the lists as people do: one
// in step of each.
func TestCommonPasswordsInDisguise(t *testing.T) {
	for _, c := range []struct {
		list    string
		step    int
		tried   int     // at least
		refused float64 // at least
	}{
		{"own.txt", 10, 700, 0.98},
		{"commonest.txt", 25, 2000, 0.99},
		{"others.txt", 400, 1700, 0.98},
	} {
		tried, accepted := 0, []string{}
		for i, word := range words(t, c.list) {
			if i%c.step != 0 {
				continue
			}
			for _, password := range decorated(word) {
				if !asked(password) {
					continue
				}
				tried++
				if credential.Check(password) == nil {
					accepted = append(accepted, password)
				}
			}
		}
		t.Logf("%s: %d of %d decorated words are accepted: %q", c.list, len(accepted), tried, accepted)
		if tried < c.tried || float64(tried-len(accepted)) < c.refused*float64(tried) {
			t.Errorf("%s: %d of %d are refused; want %.0f%% of %d or more", c.list, tried-len(accepted), tried, 100*c.refused, c.tried)
		}
	}
}

// TestWhatPeopleReallyChoose are passwords of four kinds of characters that
// stand in published lists of the most used ones.
func TestWhatPeopleReallyChoose(t *testing.T) {
	for password := range strings.FieldsSeq(`
		P@ssw0rd P@ssw0rd1 P@ssw0rd! P@ssw0rd123 P@$$w0rd Pa$$w0rd Pa$$w0rd1 Passw0rd! Passw0rd1! Password1! Password@1 Password@123 Password123!
		P@55w0rd P@ssword1 P4ssw0rd! Pass@123 Pass@1234 Pass1234! Admin@123 Admin123! Admin1234! Adm1n@123 Administrator1! Welcome1! Welcome@1
		Welcome@123 W3lcome! Welc0me! Qwerty@123 Qwerty1! Qwerty123! Qwe123!@# Qwe!@#123 QWEasd123! Qwer1234! Qwer!234 1qaz@WSX 1qaz!QAZ 1QAZ2wsx!
		!QAZ2wsx !QAZ1qaz Zaq12wsx! Zaq1@wsx ZAQ!2wsx Zaq!2wsx @WSX1qaz 1q2w3e4R! 1q2w3e4r! 1Q2w3e4r! !Q2w3e4r Q1w2e3r4! Asdf1234! Asdf@1234 Zxcvbn1! Zxcv1234!
		Aa123456! Aa123456@ Aa@123456 Aa12345678@ A123456a! Ab123456! Abc123456! Abc@1234 Abc@12345 Abc123!@# Abcd@1234 Abcd1234! Abcd123! Abcdef1! A1b2c3d4! Test@123 Test1234!
		Tester1! Demo@1234 Changeme1! Ch@ngeme1 Ch4ngeMe! Letmein1! L3tme1n! Secret1! Iloveyou1! Iloveyou2! ILoveYou1! I.love.you2 Summer2024! Winter2023! Spring2025! Autumn24! Fall2024!
		Summ3r2024! January2024! Monday1! Football1! Baseball1! Sunshine1! Princess1! Dragon123! M0nkey1! Monkey123! Superman1! Batman123! Liverpool1! Arsenal1! Chelsea1! Michael1! Jordan23! Jennifer1!
		Charlie1! Ashley123! India@123 America1! London2012! Paris2024! Company1! Company123! Computer1! Internet1! Samsung1! Google123! Microsoft1! Oracle123! Cisco123! R00t1234! Root@123 Toor1234! S3cret! P@ssphrase1
		Hello123! H3llo123! Hello@123 Master123! Killer1! Shadow123! Jesus1st! Ninja123! Pokemon1! Starwars1! Trustno1! Trustn01! Whatever1! Blink182! Access14! Mustang1! Ferrari1! Corvette1! Harley123! Cookie123! Pepper1! Flower1! Hunter2! Hunter22!
	`) {
		if !asked(password) {
			t.Logf("%s is refused for its form", password)
			continue
		}
		if credential.Check(password) == nil {
			t.Errorf("%s is accepted", password)
		}
	}
}

// TestRandomPasswordsAreAccepted gives 10,000 passwords that generators and
// dice make.
func TestRandomPasswordsAreAccepted(t *testing.T) {
	r := rand.New(rand.NewChaCha8([32]byte{1}))
	characters := func(n int) func() string {
		const all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!\"#$%&'()*+,-./:;<=>?@[]^_{|}~"
		return func() string {
			var b strings.Builder
			for range n {
				b.WriteByte(all[r.IntN(len(all))])
			}
			return b.String()
		}
	}
	phrase := func(list string, n int) func() string {
		dice := slices.DeleteFunc(words(t, list), func(w string) bool {
			return strings.ContainsFunc(w, func(r rune) bool { return r < 'a' || r > 'z' })
		})
		return func() string {
			var parts []string
			for range n {
				word := dice[r.IntN(len(dice))]
				parts = append(parts, strings.ToUpper(word[:1])+word[1:])
			}
			return strings.Join(parts, "-") + fmt.Sprint("-", r.IntN(10))
		}
	}
	for _, c := range []struct {
		name    string
		make    func() string
		n       int
		refused int // at most
	}{
		{"8 characters", characters(8), 2000, 10},
		{"12 characters", characters(12), 2000, 2},
		{"16 characters", characters(16), 2000, 1},
		{"three of the commonest words", phrase("commonest.txt", 3), 1000, 0},
		{"two other words", phrase("others.txt", 2), 1000, 5},
		{"three other words", phrase("others.txt", 3), 1000, 0},
		{"four other words", phrase("others.txt", 4), 1000, 0},
	} {
		var refused []string
		for range c.n {
			password := c.make()
			for !asked(password) {
				password = c.make()
			}
			if credential.Check(password) != nil {
				refused = append(refused, password)
			}
		}
		if len(refused) > c.refused {
			t.Errorf("%s: %d of %d are refused, want %d at most: %q", c.name, len(refused), c.n, c.refused, refused)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for name, password := range map[string]string{
		"ordinary": "Vt7-kelp-Moon", "long": "Quince-4-Barnacle-Thimble-Osprey-Lanyard-Cobalt-Furrow-Gasket-9",
		"slow": strings.Repeat("1!i.l|", 10) + "aA7",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := credential.Check(password, "sam.lee", "Sam", "Lee"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
