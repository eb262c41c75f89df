package maillink_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const storeID = "d-1234567890"

// world is a store with one person, sam.lee, who has an address, and a post
// office that keeps what it is given.
type world struct {
	t    *testing.T
	db   *store.Store
	box  *mail.Outbox
	ids  ident.Source
	now  time.Time
	sam  directory.User
	post *mail.Sender
	// sent are the letters that have left the outbox.
	mu   sync.Mutex
	sent []mail.Letter
}

// ring protects with the real keys.
type ring struct{ *keys.Ring }

func (r ring) Seal(plain, aad []byte) ([]byte, error) {
	return r.Ring.Seal(keys.StoredSecrets, plain, aad)
}

func (r ring) Open(sealed, aad []byte) ([]byte, error) {
	return r.Ring.Open(keys.StoredSecrets, sealed, aad)
}
func (r ring) Sign(data []byte) ([]byte, error) { return r.MAC(keys.StoredSecrets, data) }
func (r ring) Verify(data, tag []byte) error    { return r.VerifyMAC(keys.StoredSecrets, data, tag) }

func (w *world) clock() time.Time { return w.now }

// Deliver is part of mail.Transport.
// write keeps a letter. Several are sent at once.
func (w *world) write(l mail.Letter) (mail.Message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, l)
	return mail.Message{}, nil
}

func (w *world) Deliver(context.Context, mail.Message) error { return nil }

func run(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := &world{t: t, db: s, ids: ident.NewSource(rand.Reader), now: storetest.Now()}
		root, err := keys.NewRoot(bytes.Repeat([]byte{7}, keys.RootSize), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := keys.Load(t.Context(), store.Bind[keys.Tx](s), root, w.clock, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		w.box = &mail.Outbox{Keys: ring{loaded}, IDs: w.ids}
		w.post = &mail.Sender{
			DB: store.Bind[mail.QueueTx](s), Keys: ring{loaded}, Transport: w, IDs: w.ids, Now: w.clock,
			Write:  w.write,
			Report: func(err error) { t.Error(err) },
		}
		w.update(func(tx *store.Tx) error {
			return tx.InsertInstance(instance.Instance{ID: "ssoins-0123456789abcdef", IdentityStoreID: storeID, OwnerAccountID: "123456789012", OrganizationID: "o-abcdefghij", Region: "eu-west-1", CreatedAt: w.now, Version: 1})
		})
		w.sam = w.person("sam.lee", "sam.lee@example.com")
		test(t, w)
	})
}

func (w *world) stamp() directory.Stamp { return directory.Stamp{At: w.now, By: "test"} }

func (w *world) person(name, email string) (u directory.User) {
	w.t.Helper()
	in := directory.NewUser{Attributes: directory.Attributes{
		UserName: name, DisplayName: "Sam Lee", Name: directory.Name{GivenName: "Sam", FamilyName: "Lee"},
	}}
	if email != "" {
		in.Emails = []directory.Email{{Value: email}}
	}
	w.update(func(tx *store.Tx) (err error) {
		u, err = directory.CreateUser(tx, w.ids, w.stamp(), storeID, in)
		return err
	})
	return u
}

func (w *world) update(f func(*store.Tx) error) {
	w.t.Helper()
	if err := w.try(f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) try(f func(*store.Tx) error) error { return w.db.Update(w.t.Context(), f) }

// setPassword gives sam.lee a password, whose hash is not one.
func (w *world) setPassword(hash string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		p, _, err := tx.PasswordOf(storeID, w.sam.ID)
		if err != nil {
			return err
		}
		p.StoreID, p.UserID = storeID, w.sam.ID
		return credential.Replace(tx, w.now, p, hash)
	})
}

func (w *world) password() (p credential.Password) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		p, _, err = tx.PasswordOf(storeID, w.sam.ID)
		return err
	})
	return p
}

// signIn begins a session of sam.lee.
func (w *world) signIn() {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		_, _, err := session.Start(tx, w.now, w.ids, storeID, w.sam.ID, time.Hour, session.Client{})
		return err
	})
}

func (w *world) signedIn() bool {
	w.t.Helper()
	var live []session.Session
	w.update(func(tx *store.Tx) (err error) {
		live, _, err = session.List(tx, w.now, storeID, w.sam.ID, "", 10)
		return err
	})
	return len(live) > 0
}

// change changes an attribute of sam.lee as an administrator does.
func (w *world) change(path string, value any) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		before, after, err := directory.UpdateUser(tx, w.stamp(), storeID, w.sam.ID, []directory.Operation{{Path: path, Value: value}})
		if err != nil {
			return err
		}
		w.sam = after
		return maillink.Readdressed(tx, w.now, w.box, before, after)
	})
}

// letters sends what is in the outbox, and returns it.
func (w *world) letters() []mail.Letter {
	w.t.Helper()
	w.sent = nil
	for {
		taken, err := w.post.Once(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if taken == 0 {
			return w.sent
		}
	}
}

// letter sends what is in the outbox, which has to be one letter of a kind.
func (w *world) letter(kind mail.Kind) mail.Letter {
	w.t.Helper()
	all := w.letters()
	if len(all) != 1 || all[0].Kind != kind {
		w.t.Fatalf("sent: %+v; want one letter, %s", all, kind)
	}
	return all[0]
}

// queued is how many letters are in the outbox, those to nobody among them.
func (w *world) queued() (n int) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		list, err := tx.DueLetters(w.now, 100)
		n = len(list)
		return err
	})
	return n
}

// token is that of a link.
func (w *world) token(path string) string {
	w.t.Helper()
	token, found := strings.CutPrefix(path, "/link/")
	if !found || len(token) < 40 {
		w.t.Fatalf("%q is no link", path)
	}
	return token
}

func (w *world) invite() string {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { return maillink.Invite(tx, w.now, w.box, w.sam) })
	return w.token(w.letter(mail.Invitation).Content.Path)
}

// choose sets a password at a link, as the page does.
func (w *world) choose(token, hash string) error {
	p := w.password()
	return w.try(func(tx *store.Tx) error {
		_, err := maillink.SetPassword(tx, w.now, w.box, token, hash, p, maillink.Notice{From: "192.0.2.1"})
		return err
	})
}

func (w *world) look(token string) error {
	return w.db.View(w.t.Context(), func(tx *store.Tx) error {
		_, _, err := maillink.Look(tx, w.now, token)
		return err
	})
}
