// Package outbound is how Atrium reaches other machines: the one place that
// makes connections, but for those to PostgreSQL, which pgx makes to what the
// operator's connection string names.
//
// It is decided on the address that a connection is about to be made to, when a
// name has been looked up: a name that means another address a moment later
// leads nowhere else. Some addresses are reached by nothing that Atrium does:
// those of the link, under which clouds hand credentials to their machines,
// and those that are of no single machine. How much more is kept from depends
// on who has chosen the destination.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Destination says who has chosen where a connection goes.
type Destination uint8

const (
	// Public is a destination that somebody else than the operator has chosen.
	// It is reached in the public internet only.
	Public Destination = iota
	// Configured is a destination that the operator has named: a mail server,
	// an S3 server, the node itself. It may be on the operator's own network or
	// machine.
	Configured
)

// connectTimeout is how long a connection may take to come about.
const connectTimeout = 10 * time.Second

// dialer returns a dialer that refuses what must not be reached.
func (d Destination) dialer() *net.Dialer {
	return &net.Dialer{
		Timeout: connectTimeout,
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return d.check(network, address)
		},
	}
}

// Dial connects by TCP. The error is a *Refused when all that address stands
// for must not be reached.
func (d Destination) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dialer().DialContext(ctx, network, address)
}

// DialTLS returns a function that connects by TCP and TLS, and has shaken hands
// when it returns.
func (d Destination) DialTLS(config *tls.Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := tls.Dialer{NetDialer: d.dialer(), Config: config}
	return dialer.DialContext
}

// Transport returns a transport for HTTP. It uses no proxy, so that it is its
// own connections that are judged. roots are the certificate authorities that
// are trusted; nil for the system's.
func (d Destination) Transport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		DialContext:            d.Dial,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTimeout,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Client returns a client for HTTP with a Transport. It follows no redirection:
// an answer must not choose where the next request goes.
func (d Destination) Client(roots *x509.CertPool) *http.Client { return client(d.Transport(roots)) }

// Socket returns a client for HTTP through the Unix socket at path, which is a
// file of this machine, whatever host a request names.
func Socket(path string) *http.Client {
	return client(&http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return DialSocket(ctx, path) },
		DisableKeepAlives: true,
	})
}

// DialSocket connects to the Unix socket at path.
func DialSocket(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}

func client(t *http.Transport) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Refused is the error of a connection that must not be made.
type Refused struct {
	Address string // what it would have been made to
	Why     string
}

// Error says what was refused and why.
func (r *Refused) Error() string {
	return fmt.Sprintf("no connection is made to %s: %s", r.Address, r.Why)
}
