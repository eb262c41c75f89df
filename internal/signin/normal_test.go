package signin_test

import (
	"encoding/base64"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestPasswordsHaveOneForm signs a person in whose password was hashed as it was
// typed, as passwords were once: in that form, and from then on in the other,
// too.
func TestPasswordsHaveOneForm(t *testing.T) {
	run(t, func(b *bench) {
		const composed, decomposed = "Gr\u00fcne-\u00c4pfel-7", "Gru\u0308ne-A\u0308pfel-7"
		salt, enc := []byte("somesaltsomesalt"), base64.RawStdEncoding
		old := "$argon2id$v=19$m=8,t=1,p=1$" + enc.EncodeToString(salt) + "$" + enc.EncodeToString(argon2.IDKey([]byte(decomposed), salt, 1, 8, 1, 32))
		b.update(func(tx *store.Tx) error {
			p, _, err := tx.PasswordOf(b.in.IdentityStoreID, b.sam.ID)
			if err != nil {
				return err
			}
			return credential.Replace(tx, b.now, p, old)
		})
		v := from("203.0.113.9")
		opens := func(password string) bool {
			out, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, password)
			if err != nil && !wrong(err) {
				t.Fatal(err)
			}
			return err == nil && out.Attempt.Next() == signin.StepDone
		}
		for _, step := range []struct {
			password string
			want     bool
		}{{composed, false}, {decomposed, true}, {composed, true}, {decomposed, true}, {"Grune-Apfel-7", false}} {
			if got := opens(step.password); got != step.want {
				t.Errorf("%+q opens: %t, want %t", step.password, got, step.want)
			}
		}
		var p credential.Password
		b.update(func(tx *store.Tx) (err error) {
			p, _, err = tx.PasswordOf(b.in.IdentityStoreID, b.sam.ID)
			return err
		})
		if b.flow.Hasher.Outdated(p.Hash) || p.Version != 3 {
			t.Errorf("the hash was not renewed once: version %d, %s", p.Version, p.Hash)
		}
	})
}
