package policy

import (
	"slices"
	"strings"
)

// Key names a condition key, such as aws:PrincipalArn. Names of condition keys
// are not case-sensitive.
type Key struct {
	name string // lower case
	hash uint32
}

// NewKey returns the key called name.
func NewKey(name string) Key {
	name = strings.ToLower(name)
	hash := uint32(2166136261) // FNV-1a
	for i := 0; i < len(name); i++ {
		hash = (hash ^ uint32(name[i])) * 16777619
	}
	return Key{name: name, hash: hash}
}

// String returns the key's name in lower case.
func (k Key) String() string { return k.name }

// service returns what stands before the name's colon.
func (k Key) service() string {
	prefix, _, _ := strings.Cut(k.name, ":")
	return prefix
}

// Values are the condition keys of one request. A key is in one of three
// states: it has values; it is absent, which is known; or it is unknown,
// because nobody has looked. A key is absent when Set gave it no value, when a
// KeySet given to Cover contains it, or when it belongs to a service other
// than the one that the request is for. The zero value knows nothing.
type Values struct {
	hashes  []uint32
	entries []entry
	covered []*KeySet
}

// usualKeys is the number of keys that a request rarely exceeds.
const usualKeys = 24

// entry holds a key's values: first and then rest, when present.
type entry struct {
	name    string
	first   string
	rest    []string
	present bool
}

func (e *entry) len() int {
	if !e.present {
		return 0
	}
	return 1 + len(e.rest)
}

func (e *entry) at(i int) string {
	if i == 0 {
		return e.first
	}
	return e.rest[i-1]
}

// Set gives key its values; with none it records that the key is absent. A
// later Set of the same key replaces the earlier one.
func (v *Values) Set(key Key, values ...string) {
	e := entry{name: key.name, present: len(values) > 0}
	if e.present {
		e.first = values[0]
	}
	if len(values) > 1 {
		e.rest = slices.Clone(values[1:])
	}
	if old := v.find(key); old != nil {
		*old = e
		return
	}
	if v.entries == nil {
		v.hashes, v.entries = make([]uint32, 0, usualKeys), make([]entry, 0, usualKeys)
	}
	v.hashes = append(v.hashes, key.hash)
	v.entries = append(v.entries, e)
}

// Cover states that every key of set has been looked at: one that has no
// value is absent, not unknown.
func (v *Values) Cover(set *KeySet) { v.covered = append(v.covered, set) }

func (v *Values) find(key Key) *entry {
	for i, hash := range v.hashes {
		if hash == key.hash && v.entries[i].name == key.name {
			return &v.entries[i]
		}
	}
	return nil
}

// absent is what a key without a value looks up to.
var absent = entry{}

// lookup returns the entry of key for a request to service, nil when the key
// is unknown.
func (v *Values) lookup(key Key, service []byte) *entry {
	if v != nil {
		if e := v.find(key); e != nil {
			return e
		}
		for _, set := range v.covered {
			if set.contains(key.name) {
				return &absent
			}
		}
	}
	switch prefix := key.service(); {
	case prefix == string(service):
		return nil
	case prefix == "aws", prefix == "identitystore":
		return nil // those that principals carry to every service
	default:
		return &absent
	}
}

// KeySet is an immutable set of condition keys.
type KeySet struct {
	names    map[string]bool
	prefixes []string
}

// NewKeySet returns the set of the named keys. A name that ends in "*" stands
// for every key that begins with what precedes it: "aws:PrincipalTag/*".
func NewKeySet(names ...string) *KeySet {
	set := &KeySet{names: make(map[string]bool)}
	for _, name := range names {
		name = strings.ToLower(name)
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			set.prefixes = append(set.prefixes, prefix)
		} else {
			set.names[name] = true
		}
	}
	return set
}

func (s *KeySet) contains(name string) bool {
	if s.names[name] {
		return true
	}
	for _, prefix := range s.prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
