// Command importer writes the lists of common passwords in
// internal/credential/words from the file src/passwords.json of the npm package
// @zxcvbn-ts/language-common, an array of passwords, the commonest first:
//
//	npm pack @zxcvbn-ts/language-common@4.1.3
//	tar xzf zxcvbn-ts-language-common-4.1.3.tgz
//	go run ./internal/credential/importer package/src/passwords.json internal/credential/words
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The lists: the commonest passwords, which are looked for in pairs too, and
// all the others.
const (
	commonest   = "commonest.txt"
	others      = "others.txt"
	inCommonest = 3000
	shortest    = 3
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: importer PASSWORDS.json DIRECTORY")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "importer:", err)
		os.Exit(1)
	}
}

func run(from, into string) error {
	text, err := os.ReadFile(from) //nolint:gosec // the path is the operator's own argument
	if err != nil {
		return err
	}
	var passwords []string
	if err := json.Unmarshal(text, &passwords); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	passwords = slices.DeleteFunc(passwords, func(p string) bool {
		return len(p) < shortest || p != strings.ToLower(p) || strings.ContainsAny(p, " \r\n")
	})
	if len(passwords) <= inCommonest {
		return fmt.Errorf("%s: only %d passwords", from, len(passwords))
	}
	if err := write(filepath.Join(into, commonest), passwords[:inCommonest]); err != nil {
		return err
	}
	return write(filepath.Join(into, others), passwords[inCommonest:])
}

// write writes words a line each, sorted, without what is there twice.
func write(path string, words []string) error {
	words = slices.Compact(slices.Sorted(slices.Values(words)))
	return os.WriteFile(path, []byte(strings.Join(words, "\n")+"\n"), 0o644) //nolint:gosec // a file of the repository
}
