package rolesession

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/iam"
)

// FuzzDecode holds that decode neither panics nor allocates without end, and
// that what it accepts is what encode writes.
func FuzzDecode(f *testing.F) {
	p := iam.Role{AccountID: "111122223333", ID: "AROA", Name: "R", Path: "/"}.Session("sam")
	p.Tags = map[string]string{"a": "b"}
	p.Session = &iam.Session{
		ExpiresAt: time.UnixMilli(1), Policies: []string{"{}"}, TransitiveTagKeys: []string{"a"},
		DependsOn: []epoch.Ref{{Scope: epoch.User, ID: "u"}},
	}
	plain, _ := encode(make([]byte, sessionIDSize), p)
	f.Add(plain)
	p = iam.Principal{Kind: iam.KindUser, AccountID: "111122223333", UserID: "AIDA", UserName: "sam", ARN: "arn", Session: &iam.Session{}}
	plain, _ = encode(make([]byte, sessionIDSize), p)
	f.Add(plain)
	f.Add([]byte{version})
	f.Fuzz(func(t *testing.T, plain []byte) {
		id, p, ok := decode(plain)
		if !ok {
			return
		}
		again, _ := encode(id, p)
		_, q, ok := decode(again)
		if diff := cmp.Diff(p, q, cmpopts.EquateEmpty()); !ok || diff != "" {
			t.Errorf("encoded and decoded again (%v):\n%s", ok, diff)
		}
	})
}

// Every plaintext that is too short or too long is refused.
func TestDecodeRefuses(t *testing.T) {
	p := iam.Role{AccountID: "111122223333", ID: "AROA", Name: "R", Path: "/"}.Session("sam")
	p.Session = &iam.Session{DependsOn: []epoch.Ref{{Scope: epoch.User, ID: "u"}}}
	plain, _ := encode(make([]byte, sessionIDSize), p)
	if _, _, ok := decode(plain); !ok {
		t.Fatal("what was encoded is refused")
	}
	for i := range plain {
		if _, _, ok := decode(plain[:i]); ok {
			t.Errorf("accepted when cut at %d of %d", i, len(plain))
		}
	}
	if _, _, ok := decode(append(plain, 0)); ok {
		t.Error("accepted with a byte more")
	}
	plain[0]++
	if _, _, ok := decode(plain); ok {
		t.Error("accepted in another version")
	}
}
