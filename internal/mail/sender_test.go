package mail_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mail/letter"
	"github.com/atrium-iam/atrium/internal/mail/smtp"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/test/mailsink"
)

const storeID = "d-1234567890"

// office is a post office on a store, with a clock of its own.
type office struct {
	t     *testing.T
	store *store.Store
	keys  mail.Keys
	ids   ident.Source

	mu      sync.Mutex
	now     time.Time
	reports []string
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

func newOffice(t *testing.T, s *store.Store) *office {
	t.Helper()
	o := &office{t: t, store: s, ids: ident.NewSource(rand.Reader), now: storetest.Now()}
	root, err := keys.NewRoot(bytes.Repeat([]byte{7}, keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := keys.Load(t.Context(), store.Bind[keys.Tx](s), root, o.clock, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o.keys = ring{loaded}
	return o
}

func run(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, s *store.Store) { test(t, newOffice(t, s)) })
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *office) report(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reports = append(o.reports, err.Error())
}

func (o *office) reported() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.reports, "\n")
}

func (o *office) update(f func(*store.Tx) error) {
	o.t.Helper()
	if err := o.store.Update(o.t.Context(), f); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) put(l mail.Letter) {
	o.t.Helper()
	box := &mail.Outbox{Keys: o.keys, IDs: o.ids}
	o.update(func(tx *store.Tx) error { return box.Put(tx, o.clock(), l) })
}

func invitation(to string) mail.Letter {
	return mail.Letter{
		Kind: mail.Invitation, StoreID: storeID, UserID: "user-1", To: to,
		Content: mail.Content{Name: "Sam Lee", UserName: "sam.lee", Path: "/link/the-secret-of-the-link"},
	}
}

func (o *office) sender(transport mail.Transport) *mail.Sender {
	o.t.Helper()
	public, err := url.Parse("https://sso.example.com")
	if err != nil {
		o.t.Fatal(err)
	}
	w, err := letter.NewWriter(public)
	if err != nil {
		o.t.Fatal(err)
	}
	return &mail.Sender{
		DB: store.Bind[mail.QueueTx](o.store), Keys: o.keys, Write: w.Write, Transport: transport, IDs: o.ids, Now: o.clock, Report: o.report,
	}
}

// once has a sender take what is due, and checks how many letters that was.
func (o *office) once(s *mail.Sender, want int) {
	o.t.Helper()
	taken, err := s.Once(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	if taken != want {
		o.t.Fatalf("%d letters were taken, want %d", taken, want)
	}
}

// waiting returns what is in the outbox.
func (o *office) waiting() (list []mail.Stored) {
	o.t.Helper()
	o.update(func(tx *store.Tx) (err error) {
		list, err = tx.DueLetters(o.clock().Add(1000*time.Hour), 1000)
		return err
	})
	return list
}

func sink(t *testing.T, options mailsink.Options) *mailsink.Server {
	t.Helper()
	s, err := mailsink.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func transport(t *testing.T, s *mailsink.Server) mail.Transport {
	t.Helper()
	tr, err := smtp.New(smtp.Options{
		Host: s.Host, Port: s.Port, Security: smtp.StartTLS, Roots: s.Roots, From: netmail.Address{Address: "no-reply@sso.example.com"}, Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestALetterIsSentOnceAndForgotten(t *testing.T) {
	run(t, func(t *testing.T, o *office) {
		server := sink(t, mailsink.Options{})
		s := o.sender(transport(t, server))
		o.once(s, 0)
		o.put(invitation("sam.lee@example.com"))
		stored := o.waiting()
		if len(stored) != 1 || bytes.Contains(stored[0].Sealed, []byte("secret-of-the-link")) || bytes.Contains(stored[0].Sealed, []byte("Sam")) {
			t.Fatalf("the outbox holds %+v; the content has to be sealed", stored)
		}
		o.once(s, 1)
		o.once(s, 0)
		all := server.Messages()
		if len(all) != 1 || all[0].To != "sam.lee@example.com" || !strings.Contains(all[0].Text, "https://sso.example.com/link/the-secret-of-the-link") ||
			!strings.Contains(all[0].HTML, `href="https://sso.example.com/link/the-secret-of-the-link"`) {
			t.Errorf("arrived: %+v", all)
		}
		if left := o.waiting(); len(left) != 0 || o.reported() != "" {
			t.Errorf("left: %+v; reported: %s", left, o.reported())
		}
	})
}

func TestWhatFailsIsTriedAgain(t *testing.T) {
	run(t, func(t *testing.T, o *office) {
		server := sink(t, mailsink.Options{Refuse: func(before int, _ *mailsink.Message) error {
			if before < 3 {
				return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "later"}
			}
			return nil
		}})
		s := o.sender(transport(t, server))
		o.put(invitation("sam.lee@example.com"))
		var waits []time.Duration
		for range 3 {
			o.once(s, 1)
			o.once(s, 0) // not before it is due
			due := o.waiting()[0].DueAt
			waits = append(waits, due.Sub(o.clock()))
			o.pass(due.Sub(o.clock()) - time.Millisecond)
			o.once(s, 0)
			o.pass(time.Millisecond)
		}
		o.once(s, 1)
		if len(server.Messages()) != 1 || server.Begun() != 4 || len(o.waiting()) != 0 {
			t.Errorf("%d arrived after %d tries, %d are left", len(server.Messages()), server.Begun(), len(o.waiting()))
		}
		if waits[0] < time.Second || waits[1] != 2*waits[0] || waits[2] != 4*waits[0] {
			t.Errorf("the waits were %v; they have to grow", waits)
		}
		if r := o.reported(); strings.Count(r, "could not be sent") != 3 || strings.Contains(r, "secret-of-the-link") {
			t.Errorf("reported: %s", r)
		}
	})
}

// TestAServerThatIsDown has letters wait for a mail server that is not there,
// over a restart of the node.
func TestAServerThatIsDown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "atrium.db")
	open := func() *store.Store {
		s, err := store.Open(t.Context(), store.Config{SQLitePath: file, Clock: storetest.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	down := &mailsink.Server{Host: "localhost", Port: l.Addr().(*net.TCPAddr).Port}

	first := open()
	o := newOffice(t, first)
	o.put(invitation("sam.lee@example.com"))
	o.once(o.sender(transport(t, down)), 1)
	if len(o.waiting()) != 1 {
		t.Fatal("the letter is gone")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := open()
	t.Cleanup(func() { _ = second.Close() })
	restarted := newOffice(t, second)
	restarted.pass(time.Hour)
	server := sink(t, mailsink.Options{Listen: address})
	restarted.once(restarted.sender(transport(t, server)), 1)
	if len(server.Messages()) != 1 || len(restarted.waiting()) != 0 {
		t.Errorf("%d arrived, %d are left", len(server.Messages()), len(restarted.waiting()))
	}
}

// counting notes whom it has delivered to.
type counting struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *counting) Deliver(_ context.Context, m mail.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[m.To]++
	return nil
}

func TestTwoNodesSendALetterOnce(t *testing.T) {
	run(t, func(t *testing.T, o *office) {
		const letters = 40
		for i := range letters {
			o.put(invitation(fmt.Sprintf("user%d@example.com", i)))
		}
		c := &counting{counts: map[string]int{}}
		var group sync.WaitGroup
		for range 2 {
			s := o.sender(c)
			group.Go(func() {
				for len(o.reported()) == 0 {
					taken, err := s.Once(t.Context())
					if err != nil {
						o.report(err)
					}
					if taken == 0 {
						return
					}
				}
			})
		}
		group.Wait()
		// One of them may have ended because the other had just taken what was
		// due: then something can be left.
		s := o.sender(c)
		for {
			taken, err := s.Once(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if taken == 0 {
				break
			}
		}
		if len(c.counts) != letters || o.reported() != "" {
			t.Errorf("%d of %d people got a letter; reported: %s", len(c.counts), letters, o.reported())
		}
		for to, n := range c.counts {
			if n != 1 {
				t.Errorf("%s got %d letters", to, n)
			}
		}
	})
}

// crashing takes a letter and never comes back.
type crashing struct{ took chan struct{} }

func (c crashing) Deliver(ctx context.Context, _ mail.Message) error {
	close(c.took)
	<-ctx.Done()
	return ctx.Err()
}

// TestALetterOfANodeThatIsGone goes to another node, once its time is over.
func TestALetterOfANodeThatIsGone(t *testing.T) {
	run(t, func(t *testing.T, o *office) {
		o.put(invitation("sam.lee@example.com"))
		gone := crashing{make(chan struct{})}
		ctx, kill := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = o.sender(gone).Once(ctx)
		}()
		<-gone.took
		server := sink(t, mailsink.Options{})
		s := o.sender(transport(t, server))
		o.once(s, 0) // it is the other's
		o.pass(10 * time.Minute)
		o.once(s, 1)
		kill()
		<-ended
		o.pass(10 * time.Minute)
		o.once(s, 0)
		if len(server.Messages()) != 1 || len(o.waiting()) != 0 {
			t.Errorf("%d arrived, %d are left", len(server.Messages()), len(o.waiting()))
		}
	})
}

// TestANodeThatStopsGivesLettersBack at once.
func TestANodeThatStopsGivesLettersBack(t *testing.T) {
	run(t, func(t *testing.T, o *office) {
		o.put(invitation("sam.lee@example.com"))
		stopping := crashing{make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			o.sender(stopping).Run(ctx)
		}()
		<-stopping.took
		stop()
		<-ended
		server := sink(t, mailsink.Options{})
		o.once(o.sender(transport(t, server)), 1)
		if len(server.Messages()) != 1 {
			t.Error("the letter is not sent")
		}
	})
}

func TestALetterIsGivenUp(t *testing.T) {
	down := func(context.Context, mail.Message) error { return errors.New("connection refused") }
	refused := func(context.Context, mail.Message) error { return fmt.Errorf("%w: no such mailbox", mail.ErrRefused) }
	notASCII := func(context.Context, mail.Message) error { return mail.ErrNotASCII }
	for name, c := range map[string]struct {
		deliver func(context.Context, mail.Message) error
		letter  func(o *office) mail.Letter
		after   time.Duration // about
		reason  string
	}{
		"after days": {down, func(*office) mail.Letter { return invitation("sam.lee@example.com") }, mail.GiveUp, "EXPIRED"},
		"when it is of no use": {down, func(o *office) mail.Letter {
			l := invitation("sam.lee@example.com")
			l.ExpiresAt = o.clock().Add(10 * time.Minute)
			return l
		}, 10 * time.Minute, "EXPIRED"},
		"when the server refuses":         {refused, func(*office) mail.Letter { return invitation("sam.lee@example.com") }, 0, "REFUSED"},
		"when it does not take addresses": {notASCII, func(*office) mail.Letter { return invitation("jürgen@example.com") }, 0, "SMTPUTF8_NOT_OFFERED"},
		"when there is no such kind":      {down, func(*office) mail.Letter { l := invitation("sam.lee@example.com"); l.Kind = "other"; return l }, 0, "REFUSED"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, o *office) {
				o.update(func(tx *store.Tx) error {
					return tx.InsertInstance(instance.Instance{ID: "ssoins-0123456789abcdef", IdentityStoreID: storeID, OwnerAccountID: "123456789012", OrganizationID: "o-abcdefghij", Region: "eu-west-1", CreatedAt: o.clock(), Version: 1})
				})
				begun := o.clock()
				o.put(c.letter(o))
				s := o.sender(deliverer(c.deliver))
				for tries := 0; ; tries++ {
					left := o.waiting()
					if len(left) == 0 {
						break
					}
					if tries > 500 {
						t.Fatal("it is never given up")
					}
					o.pass(left[0].DueAt.Sub(o.clock()))
					o.once(s, 1)
				}
				if took := o.clock().Sub(begun); took > c.after || took < c.after*4/10 {
					t.Errorf("given up after %v, want about %v", took, c.after)
				}
				if r := o.reported(); strings.Count(r, "is given up") != 1 {
					t.Errorf("reported: %s", r)
				}
				o.recorded(c.reason)
			})
		})
	}
}

type deliverer func(context.Context, mail.Message) error

func (d deliverer) Deliver(ctx context.Context, m mail.Message) error { return d(ctx, m) }

// recorded checks that the trail tells of one letter that was given up, and why.
func (o *office) recorded(reason string) {
	o.t.Helper()
	var found []string
	w := audit.NewWriter(audit.Options{DB: store.Bind[audit.ChainTx](o.store), Signer: o.keys, Now: o.clock, IDs: o.ids, Report: o.report})
	if err := w.Flush(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	o.update(func(tx *store.Tx) error {
		found = nil
		entries, _, err := audit.Read(tx, 0, 100)
		for _, e := range entries {
			var r struct {
				EventName           string
				RequestParameters   map[string]any
				ServiceEventDetails map[string]string
			}
			if err := json.Unmarshal(e.JSON, &r); err != nil {
				return err
			}
			if r.EventName == "EmailDelivery" && r.RequestParameters["userId"] == "user-1" && r.ServiceEventDetails["EmailDelivery"] == "Failure" && r.RequestParameters["reason"] == reason {
				found = append(found, string(e.JSON))
			}
		}
		return err
	})
	if len(found) != 1 || strings.Contains(found[0], "secret-of-the-link") || strings.Contains(found[0], "example.com") {
		o.t.Errorf("recorded: %s", found)
	}
}

// TestLettersToNobody vanish, having taken their place in the outbox.
func TestLettersToNobody(t *testing.T) {
	run(t, func(t *testing.T, o *office) {
		o.put(mail.Letter{})
		if len(o.waiting()) != 1 {
			t.Error("the letter did not take its place")
		}
		o.once(o.sender(deliverer(func(context.Context, mail.Message) error { t.Error("it was sent"); return nil })), 1)
		if len(o.waiting()) != 0 {
			t.Error("the letter is still there")
		}
	})
}

// TestNoServerNoLetters is of a server that sends no mail.
func TestNoServerNoLetters(t *testing.T) {
	run(t, func(t *testing.T, o *office) {
		var none *mail.Outbox
		o.update(func(tx *store.Tx) error { return none.Put(tx, o.clock(), invitation("sam.lee@example.com")) })
		if none.Sends() || len(o.waiting()) != 0 {
			t.Error("letters are kept that nobody will send")
		}
	})
}
