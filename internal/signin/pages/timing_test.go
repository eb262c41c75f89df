package pages_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestPagesTakeOneTime compares how long the pages take that a stranger can have
// for a user name, for people of all classes and for nobody: in each of many
// rounds all are tried, in an order drawn anew, and it is counted in how many
// rounds one took longer than nobody. Whatever else the machine does disturbs
// all alike: without a leak each is the slower one in half of the rounds, and 42
// of 50 happen once in a million times.
func TestPagesTakeOneTime(t *testing.T) {
	const rounds, most = 50, 42
	s := newMailSite(t)
	s.newPerson("no.password", "no.password@example.com")
	disabled := s.newPerson("disabled", "disabled@example.com")
	s.update(func(tx *store.Tx) error {
		_, _, err := directory.DisableUser(tx, directory.Stamp{At: s.clock(), By: "test"}, s.in.IdentityStoreID, disabled.ID)
		return err
	})
	names := []string{"sam.lee", "no.password", "disabled", "nobody"}
	order := rand.New(rand.NewPCG(1, 2))
	for what, form := range map[string]struct {
		path   string
		fields []string
		status int
	}{
		"a wrong password": {"/password", []string{"password", "wrong"}, 422},
		"forgot password":  {"/mail/forgot", nil, 200},
		"a code":           {"/mail/code", nil, 200},
	} {
		took := make(map[string][]time.Duration)
		for round := range rounds + 1 {
			s.pass(48 * time.Hour) // for all limits
			order.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			for _, name := range names {
				b := s.passwordPage(name)
				step := b.path
				if form.path == "/mail/forgot" {
					b.get(step + form.path)
				}
				began := time.Now()
				b.submit(step+form.path, form.fields...)
				elapsed := time.Since(began)
				b.shows(form.status)
				if round > 0 { // the first one warms up
					took[name] = append(took[name], elapsed)
				}
			}
			for len(s.events) > 0 { // more would not fit
				<-s.events
			}
		}
		for name, times := range took {
			slower := 0
			for i := range times {
				if times[i] > took["nobody"][i] {
					slower++
				}
			}
			if name != "nobody" && (slower > most || slower < rounds-most) {
				t.Errorf("%s: for %s it took longer than for nobody in %d of %d rounds", what, name, slower, rounds)
			}
		}
	}
}
