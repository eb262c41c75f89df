// Command stub is the ceiling that Atrium is measured against: a Go server
// that verifies each request's signature as Atrium does and then answers a
// fixed result without doing anything: that of ListUsers with 100 users, or of
// CreateUser for everything else.
//
// It prints one line, "listening http://HOST:PORT", when it is ready, and runs
// until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// maxBody is the largest body that is read.
const maxBody = 1 << 20

// reply is a CreateUser result.
const reply = `{"IdentityStoreId":"d-1234567890","UserId":"906706d2-f021-7070-6d17-2b5d1f6b3c4d"}`

// user is one of a ListUsers result, as Atrium's benchmark creates them.
const user = `{"UserName":"seed-12345","UserId":"906706d2f0-0199e1f0-1b2c-7d3e-8f4a-5b6c7d8e9f0a","Name":{"FamilyName":"Family","GivenName":"Given"},` +
	`"DisplayName":"Display seed-12345","Emails":[{"Value":"seed-12345@example.com","Type":"work","Primary":true}],"IdentityStoreId":"d-1234567890",` +
	`"UserStatus":"ENABLED","CreatedAt":1763788800.123,"CreatedBy":"arn:aws:iam::123456789012:user/atrium-administrator",` +
	`"UpdatedAt":1763788800.123,"UpdatedBy":"arn:aws:iam::123456789012:user/atrium-administrator"}`

// list is a ListUsers result.
func list() string {
	return `{"Users":[` + strings.Repeat(user+",", 99) + user + `],"NextToken":"` + strings.Repeat("x", 100) + `"}`
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	keyID := flag.String("access-key", "AKIASTUBSTUBSTUBSTUB", "the one access key id that is accepted")
	secret := flag.String("secret", "stub", "its secret")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *keyID, *secret); err != nil {
		fmt.Fprintln(os.Stderr, "stub:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, keyID, secret string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler{verifier: sigv4.NewVerifier(16), keyID: keyID, secret: secret, now: time.Now, list: list()},
		ReadHeaderTimeout: 10 * time.Second,
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	fmt.Printf("listening http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type handler struct {
	verifier      *sigv4.Verifier
	keyID, secret string
	now           func() time.Time
	list          string
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.1")
	header.Set("X-Amzn-Requestid", "5e1f7c0e-9f6b-4d39-8f3e-9a1c2b3d4e5f")
	if refused := h.verify(r, body); refused != nil {
		code, status, message := sigv4.Refusal(refused, sigv4.JSON)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
		return
	}
	if r.Header.Get("X-Amz-Target") == "AWSIdentityStore.ListUsers" {
		header.Set("Content-Length", strconv.Itoa(len(h.list)))
		io.WriteString(w, h.list)
		return
	}
	io.WriteString(w, reply)
}

func (h handler) verify(r *http.Request, body []byte) *sigv4.Error {
	claim, err := sigv4.Parse(r)
	if err != nil {
		return err
	}
	if claim.AccessKeyID != h.keyID {
		return &sigv4.Error{Kind: sigv4.UnknownAccessKey}
	}
	_, err = h.verifier.Verify(claim, h.secret, body, sigv4.Options{Now: h.now(), Skew: 5 * time.Minute})
	return err
}
