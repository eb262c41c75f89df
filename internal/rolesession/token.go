package rolesession

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/iam"
)

// version is that of the form of a token's plaintext: a sequence of values in
// a fixed order. Texts and lists carry their length first, as numbers do
// theirs: unsigned varints. Times are in Unix milliseconds, 0 for none.
const version = 1

// The kinds of principals that have sessions, as tokens name them.
const (
	sealedRole byte = 1
	sealedUser byte = 2
)

// encode writes a session. packed is the size of the part that callers
// choose.
func encode(id []byte, p iam.Principal) (plain []byte, packed int) {
	s := p.Session
	w := writer(append(make([]byte, 0, 512), version))
	w = append(w, id...)
	if p.Kind == iam.KindRoleSession {
		w = append(w, sealedRole)
		w.texts(p.AccountID, p.RoleID, p.RoleName, p.RolePath, p.SessionName, p.IdentityStoreUserID)
	} else {
		w = append(w, sealedUser)
		w.texts(p.AccountID, p.UserID, p.UserName, p.ARN, "", "")
	}
	w.time(p.IssuedAt)
	w.time(s.ExpiresAt)
	w.time(p.MFAAt)
	w.number(uint64(s.Change))

	fixed := len(w)
	w.texts(p.SourceIdentity)
	w.number(uint64(len(s.DependsOn)))
	for _, ref := range s.DependsOn {
		w.texts(string(ref.Scope), ref.ID)
	}
	w.number(uint64(len(p.Tags)))
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		w.texts(key, p.Tags[key])
	}
	w.list(s.TransitiveTagKeys)
	w.list(s.Policies)
	w.list(s.PolicyARNs)
	return w, len(w) - fixed
}

// decode reads what encode wrote; false when it is anything else.
func decode(plain []byte) (id []byte, p iam.Principal, ok bool) {
	r := reader{rest: plain, same: string(plain)}
	if r.byte() != version {
		return nil, iam.Principal{}, false
	}
	id = r.bytes(sessionIDSize)
	switch r.byte() {
	case sealedRole:
		role := iam.Role{AccountID: r.text(), ID: r.text(), Name: r.text(), Path: r.text()}
		p = role.Session(r.text())
		p.IdentityStoreUserID = r.text()
	case sealedUser:
		p = iam.Principal{Kind: iam.KindUser, AccountID: r.text(), UserID: r.text(), UserName: r.text(), ARN: r.text()}
		p.ID = p.UserID
		r.text()
		r.text()
	default:
		return nil, iam.Principal{}, false
	}
	s := new(iam.Session)
	p.Session = s
	p.IssuedAt, s.ExpiresAt = r.time(), r.time()
	p.MFAAt = r.time()
	s.Change = int64(r.number())
	p.SourceIdentity = r.text()
	n := r.length()
	s.DependsOn = slices.Grow(s.DependsOn, min(n, 8))
	for range n {
		s.DependsOn = append(s.DependsOn, epoch.Ref{Scope: epoch.Scope(r.text()), ID: r.text()})
	}
	for n := r.length(); n > 0; n-- {
		if p.Tags == nil {
			p.Tags = make(map[string]string, n)
		}
		key := r.text()
		p.Tags[key] = r.text()
	}
	s.TransitiveTagKeys, s.Policies, s.PolicyARNs = r.list(), r.list(), r.list()
	return id, p, !r.failed && len(r.rest) == 0
}

// writer writes the values of a token.
type writer []byte

func (w *writer) number(n uint64) { *w = binary.AppendUvarint(*w, n) }

func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.number(0)
	} else {
		w.number(uint64(t.UnixMilli()))
	}
}

func (w *writer) texts(texts ...string) {
	for _, s := range texts {
		w.number(uint64(len(s)))
		*w = append(*w, s...)
	}
}

func (w *writer) list(texts []string) {
	w.number(uint64(len(texts)))
	w.texts(texts...)
}

// reader reads the values of a token. After it has failed it reads zeros.
type reader struct {
	rest   []byte
	same   string // as rest: the texts are parts of it
	failed bool
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.failed, r.rest, r.same = true, nil, ""
		return nil
	}
	b := r.rest[:n]
	r.rest, r.same = r.rest[n:], r.same[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		size = -1
	}
	if r.bytes(size) == nil {
		return 0
	}
	return n
}

// length reads the length of what follows, which is at least a byte for each.
func (r *reader) length() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.failed = true
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.length()
	text := r.same[:n]
	r.bytes(n)
	return text
}

func (r *reader) time() time.Time {
	if ms := r.number(); ms > 0 {
		return time.UnixMilli(int64(ms)).UTC()
	}
	return time.Time{}
}

func (r *reader) list() (texts []string) {
	for range r.length() {
		texts = append(texts, r.text())
	}
	return texts
}
