// Package mailsink is a mail server for tests: a real one, that takes mail by
// SMTP, with or without TLS and passwords, keeps it, and fails when it is told
// to.
package mailsink

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options say what the server is like.
type Options struct {
	Listen   string // host:port; a free port of 127.0.0.1 when empty
	Implicit bool   // TLS from the first byte
	NoTLS    bool   // no STARTTLS either
	UTF8     bool   // offers SMTPUTF8
	// UserName and Password, when set, have to be given before anything else.
	UserName, Password string
	// Refuse, when set, is asked at every message, with the number of messages
	// that began before it. Its error is the answer.
	Refuse func(before int, m *Message) error
}

// Message is one message that arrived.
type Message struct {
	From, To string // of the envelope
	UTF8     bool   // SMTPUTF8 was asked for
	TLS      bool
	Raw      []byte
	Header   mail.Header
	Subject  string
	Text     string
	HTML     string
}

// Server is a running mail server.
type Server struct {
	Host  string
	Port  int
	Roots *x509.CertPool
	// CA is the certificate of Roots, in PEM.
	CA []byte

	options Options
	server  *smtp.Server
	arrived chan struct{}

	mu       sync.Mutex
	begun    int
	messages []Message
}

// Start starts a server. Close ends it.
func Start(o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	s := &Server{options: o, arrived: make(chan struct{}, 1)}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, err
	}
	certificate, err := s.certify()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	s.server.Domain = "localhost"
	s.server.ReadTimeout, s.server.WriteTimeout = 20*time.Second, 20*time.Second
	s.server.AllowInsecureAuth = o.NoTLS
	s.server.EnableSMTPUTF8 = o.UTF8
	s.server.ErrorLog = silent{}
	if !o.NoTLS && !o.Implicit {
		s.server.TLSConfig = config
	}
	address := l.Addr().(*net.TCPAddr)
	s.Host, s.Port = "localhost", address.Port
	if o.Implicit {
		l = tls.NewListener(l, config)
	}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// Close ends the server.
func (s *Server) Close() error { return s.server.Close() }

// Messages returns what has arrived, in its order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Begun is how many messages were begun, whether they arrived or not.
func (s *Server) Begun() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// Wait waits until n messages have arrived, and returns all that have; or fewer
// when the time is over.
func (s *Server) Wait(n int, most time.Duration) []Message {
	end := time.After(most)
	for {
		if all := s.Messages(); len(all) >= n {
			return all
		}
		select {
		case <-s.arrived:
		case <-end:
			return s.Messages()
		}
	}
}

// certify makes a certificate for localhost.
func (s *Server) certify() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail sink"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	s.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.Roots = x509.NewCertPool()
	s.Roots.AppendCertsFromPEM(s.CA)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// silent keeps nothing of what the server has to say.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// session is one connection.
type session struct {
	server *Server
	conn   *smtp.Conn
	known  bool
	from   string
	to     string
	utf8   bool
}

func (s *session) AuthMechanisms() []string {
	if s.server.options.UserName == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if o := s.server.options; user != o.UserName || password != o.Password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	if s.server.options.UserName != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	s.from, s.utf8 = from, o.UTF8
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.utf8 && strings.ContainsFunc(s.from+to, func(r rune) bool { return r >= 0x80 }) {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 6, 7}, Message: "addresses are ASCII (RFC 5321)"}
	}
	s.to = to
	return s.server.begin(&Message{From: s.from, To: to})
}

// begin counts a message, and refuses it if it is told to.
func (s *Server) begin(m *Message) error {
	s.mu.Lock()
	before := s.begun
	s.begun++
	s.mu.Unlock()
	if s.options.Refuse == nil {
		return nil
	}
	return s.options.Refuse(before, m)
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, secure := s.conn.TLSConnectionState()
	m := Message{From: s.from, To: s.to, UTF8: s.utf8, TLS: secure || s.server.options.Implicit, Raw: raw}
	if err := m.read(); err != nil {
		return fmt.Errorf("the message cannot be read: %w", err)
	}
	s.server.mu.Lock()
	s.server.messages = append(s.server.messages, m)
	s.server.mu.Unlock()
	select {
	case s.server.arrived <- struct{}{}:
	default:
	}
	return nil
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }

// read takes the message apart as mail programs do.
func (m *Message) read() error {
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		return err
	}
	m.Header = parsed.Header
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		return err
	}
	kind, parameters, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return fmt.Errorf("the type is %q: %w", kind, err)
	}
	parts := multipart.NewReader(parsed.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		body, err := decoded(part.Header.Get("Content-Transfer-Encoding"), part)
		if err != nil {
			return err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = body
		} else {
			m.Text = body
		}
	}
}

func decoded(encoding string, r io.Reader) (string, error) {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	body, err := io.ReadAll(r)
	return strings.ReplaceAll(string(body), "\r\n", "\n"), err
}
