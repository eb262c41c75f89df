package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"
)

// deriveKey derives the signing key of a secret access key for a scope.
func deriveKey(secret string, scope Scope) (key [sha256.Size]byte) {
	k := mac([]byte("AWS4"+secret), scope.Date)
	k = mac(k, scope.Region)
	k = mac(k, scope.Service)
	return [sha256.Size]byte(mac(k, terminator))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// keyID names a signing key. The secret is part of it, so a changed secret
// never meets the key of the old one.
type keyID struct {
	secret string
	scope  Scope
}

// keyCache holds signing keys in two generations: when the young one is full
// it becomes the old one, whose keys are forgotten unless used meanwhile. It
// keeps what is in use like an LRU list, without writing on every read.
type keyCache struct {
	size       int
	mu         sync.RWMutex
	young, old map[keyID][sha256.Size]byte
}

func newKeyCache(size int) keyCache {
	return keyCache{size: max(size, 1), young: map[keyID][sha256.Size]byte{}}
}

func (c *keyCache) get(secret string, scope Scope) ([sha256.Size]byte, bool) {
	id := keyID{secret, scope}
	c.mu.RLock()
	key, ok := c.young[id]
	aged := false
	if !ok {
		key, aged = c.old[id]
	}
	c.mu.RUnlock()
	if aged {
		c.put(secret, scope, key)
	}
	return key, ok || aged
}

// put remembers a key. It copies the strings, which may be parts of a much
// longer header.
func (c *keyCache) put(secret string, scope Scope, key [sha256.Size]byte) {
	id := keyID{strings.Clone(secret), Scope{
		Date: strings.Clone(scope.Date), Region: strings.Clone(scope.Region), Service: strings.Clone(scope.Service),
	}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.size {
		c.old, c.young = c.young, make(map[keyID][sha256.Size]byte, c.size)
	}
	c.young[id] = key
}
