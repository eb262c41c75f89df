package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestAddresses(t *testing.T) {
	const nobody, operator, anybody = 0, 1, 2 // who reaches it
	for address, who := range map[string]int{
		"169.254.169.254": nobody, "169.254.170.2": nobody, "169.254.0.1": nobody, "fe80::1": nobody, "fe80::1%eth0": nobody, "febf::1": nobody,
		"fd00:ec2::254": nobody, "fd20:ce::254": nobody, "100.100.100.200": nobody, "192.0.0.192": nobody, "168.63.129.16": nobody,
		"::ffff:169.254.169.254": nobody, "64:ff9b::a9fe:a9fe": nobody, "64:ff9b:1::a9fe:a9fe": nobody, "2002:a9fe:a9fe::1": nobody, "::a9fe:a9fe": nobody,
		"0.0.0.0": nobody, "0.1.2.3": nobody, "::": nobody, "::ffff:0.0.0.0": nobody,
		"224.0.0.1": nobody, "239.1.2.3": nobody, "255.255.255.255": nobody, "ff02::1": nobody, "ff0e::1": nobody,

		"127.0.0.1": operator, "127.1.2.3": operator, "::1": operator, "::ffff:127.0.0.1": operator, "64:ff9b::7f00:1": operator, "2002:7f00:1::": operator,
		"10.0.0.1": operator, "172.16.0.1": operator, "172.31.255.255": operator, "192.168.1.1": operator, "100.64.0.1": operator, "fd12:3456::1": operator, "fc00::1": operator,
		"::ffff:10.0.0.1": operator, "64:ff9b::a00:1": operator, "2002:c0a8:101::1": operator, "::10.0.0.1": operator,
		"192.0.2.1": operator, "198.51.100.7": operator, "203.0.113.9": operator, "198.18.0.1": operator, "240.0.0.1": operator, "2001:db8::1": operator, "2001::1": operator,

		"8.8.8.8": anybody, "172.15.0.1": anybody, "172.32.0.1": anybody, "100.63.255.255": anybody, "169.253.0.1": anybody, "52.94.236.248": anybody,
		"2606:4700::1111": anybody, "2600:1f18::1": anybody, "64:ff9b::808:808": anybody, "2002:808:808::1": anybody,
	} {
		port := netip.AddrPortFrom(netip.MustParseAddr(address), 443).String()
		for destination, least := range map[Destination]int{Configured: operator, Public: anybody} {
			err := destination.check("tcp", port)
			var refused *Refused
			if want := who >= least; (err == nil) != want || err != nil && !errors.As(err, &refused) {
				t.Errorf("destination %d, %s: %v, want it reached: %t", destination, address, err, want)
			}
		}
	}
	for _, d := range []Destination{Configured, Public} {
		for _, c := range [][2]string{{"udp4", "8.8.8.8:53"}, {"unix", "/run/x"}, {"tcp", "example.com:80"}, {"tcp", ""}} {
			if d.check(c[0], c[1]) == nil {
				t.Errorf("%s %s is reached", c[0], c[1])
			}
		}
	}
}

// serve returns a server on this machine that counts its requests.
func serve(t *testing.T, answer http.HandlerFunc) (server *httptest.Server, requests *atomic.Int32) {
	t.Helper()
	requests = new(atomic.Int32)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, requests
}

// TestConnections makes requests to a server on this machine, by its address
// and by a name, which is judged when it has been looked up.
func TestConnections(t *testing.T) {
	server, requests := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		for d, want := range map[Destination]bool{Configured: true, Public: false} {
			requests.Store(0)
			c := d.Client(nil)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+net.JoinHostPort(host, port), http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := c.Do(r)
			if err == nil {
				response.Body.Close()
			}
			_, refused := errors.AsType[*Refused](err)
			if (err == nil) != want || refused == want || (requests.Load() == 1) != want {
				t.Errorf("destination %d, %s: %v, %d requests; want it reached: %t", d, host, err, requests.Load(), want)
			}
			c.CloseIdleConnections()
		}
	}
}

// TestNamesAreJudgedByTheirAddress has a dialer of its own connect to a name:
// what is asked is the address, each time anew.
func TestNamesAreJudgedByTheirAddress(t *testing.T) {
	var (
		mu    sync.Mutex // addresses are tried at once
		asked []string
	)
	d := Public.dialer()
	control := d.ControlContext
	d.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
		mu.Lock()
		asked = append(asked, address)
		mu.Unlock()
		return control(ctx, network, address, c)
	}
	for range 2 {
		if conn, err := d.DialContext(t.Context(), "tcp", "localhost:9"); err == nil {
			conn.Close()
			t.Fatal("this machine was reached")
		} else if _, ok := errors.AsType[*Refused](err); !ok {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) < 2 {
		t.Fatalf("asked about %v", asked)
	}
	for _, address := range asked {
		if addr, err := netip.ParseAddrPort(address); err != nil || !addr.Addr().IsLoopback() {
			t.Errorf("asked about %s, which is no address of this machine", address)
		}
	}
}

// TestRedirectionsAreNotFollowed lets a server send its caller to another place.
func TestRedirectionsAreNotFollowed(t *testing.T) {
	elsewhere, requests := serve(t, func(http.ResponseWriter, *http.Request) {})
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	c := Configured.Client(nil)
	defer c.CloseIdleConnections()
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusFound || requests.Load() != 0 {
		t.Errorf("status %d, %d requests elsewhere", response.StatusCode, requests.Load())
	}
}

// TestProxiesAreNotUsed sets one that would carry everything.
func TestProxiesAreNotUsed(t *testing.T) {
	if Public.Transport(nil).Proxy != nil || Configured.Transport(nil).Proxy != nil {
		t.Error("a proxy would be used, whose connections nobody judges")
	}
}

func TestDialTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	address := server.Listener.Addr().String()
	if conn, err := Public.DialTLS(config)(t.Context(), "tcp", address); err == nil {
		conn.Close()
		t.Error("this machine was reached")
	}
	conn, err := Configured.DialTLS(config)(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if secured, ok := conn.(*tls.Conn); !ok || !secured.ConnectionState().HandshakeComplete {
		t.Error("the connection is not by TLS")
	}
	if conn, err := Configured.DialTLS(&tls.Config{MinVersion: tls.VersionTLS12})(t.Context(), "tcp", address); err == nil {
		conn.Close()
		t.Error("a certificate that nobody vouches for is taken")
	}
}

func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://anything/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := Socket(path).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", response.StatusCode)
	}
}
