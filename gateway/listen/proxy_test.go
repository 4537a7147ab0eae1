package listen

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// signature begins headers of version 2.
const signature = "\r\n\r\n\x00\r\nQUIT\n"

// headerV2 returns a header of version 2: its command, its family and transport, and the rest.
func headerV2(command, family byte, rest string) string {
	length := binary.BigEndian.AppendUint16(nil, uint16(len(rest)))
	return signature + string([]byte{command, family}) + string(length) + rest
}

const (
	local, proxy        = 0x20, 0x21
	unspec, tcp4, udp4  = 0x00, 0x11, 0x12
	tcp6, unixStream    = 0x21, 0x31
	v4                  = "\xc0\x00\x02\x01\xc6\x33\x64\x01\x04\xd2\x01\xbb" // 192.0.2.1:1234 to 198.51.100.1:443
	getRequest          = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	ownAddress          = "127.0.0.1"
	v1                  = "PROXY TCP4 192.0.2.1 198.51.100.1 1234 443\r\n"
	longV1              = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"
	proxyTimeout        = 300 * time.Millisecond
	notServed, refused4 = "", "400"
)

var v6 = strings.Repeat("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 2) + "\x04\xd2\x01\xbb"

// serveProxied serves the address of each client behind the PROXY protocol, and returns the address of the
// server and the number of requests.
func serveProxied(t *testing.T, trusted ...string) (address string, requests *atomic.Int64) {
	t.Helper()
	below, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxied := NewProxied(slog.New(slog.DiscardHandler))
	if err := proxied.Set(ProxyProtocol{Trusted: trusted}); err != nil {
		t.Fatal(err)
	}
	requests = &atomic.Int64{}
	server := &http.Server{
		ReadHeaderTimeout: 2 * proxyTimeout,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			fmt.Fprint(w, r.RemoteAddr)
		}),
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(proxied.Listener(below, proxyTimeout)) }()
	t.Cleanup(func() { server.Close(); <-served })
	return below.Addr().String(), requests
}

// send sends texts and returns the client's address that the server saw, the status if it refused the
// request, or "" if it closed the connection without a response.
func send(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(conn, text)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			t.Error("the connection was neither served nor closed")
		}
		return notServed
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != 200 {
		return fmt.Sprint(response.StatusCode)
	}
	host, port, err := net.SplitHostPort(string(body))
	if err != nil {
		t.Fatal(err)
	}
	if host == ownAddress {
		return host
	}
	return net.JoinHostPort(host, port)
}

func TestProxyHeaders(t *testing.T) {
	for name, c := range map[string]struct{ header, trusted, untrusted string }{
		"none":                      {"", notServed, ownAddress},
		"v1":                        {v1, "192.0.2.1:1234", notServed},
		"v1, IPv6":                  {"PROXY TCP6 2001:db8::1 2001:db8::2 1234 443\r\n", "[2001:db8::1]:1234", notServed},
		"v1, longest":               {longV1, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", notServed},
		"v1, unknown":               {"PROXY UNKNOWN\r\n", ownAddress, notServed},
		"v1, unknown with a rest":   {"PROXY UNKNOWN 192.0.2.1 198.51.100.1 1 2\r\n", ownAddress, notServed},
		"v2":                        {headerV2(proxy, tcp4, v4), "192.0.2.1:1234", notServed},
		"v2, IPv6":                  {headerV2(proxy, tcp6, v6), "[2001:db8::1]:1234", notServed},
		"v2, local, as for checks":  {headerV2(local, unspec, ""), ownAddress, notServed},
		"v2, local with addresses":  {headerV2(local, tcp4, v4), ownAddress, notServed},
		"v2, unspecified":           {headerV2(proxy, unspec, ""), notServed, notServed}, // the specification leaves it to the receiver
		"v2, with a TLV":            {headerV2(proxy, tcp4, v4+"\x04\x00\x03abc"), "192.0.2.1:1234", notServed},
		"v2, with 4 KB of padding":  {headerV2(proxy, tcp4, v4+"\x04\x0f\x00"+strings.Repeat("x", 0xf00)), "192.0.2.1:1234", notServed},
		"v2, with 60 KB of padding": {headerV2(proxy, tcp4, v4+"\x04\xea\x60"+strings.Repeat("x", 60_000)), notServed, notServed},

		// Hostile or broken headers, from a peer that is trusted, and from one that is not.
		"twice":                      {v1 + v1, refused4, notServed},
		"twice, v2":                  {headerV2(proxy, tcp4, v4) + headerV2(proxy, tcp4, v4), refused4, notServed},
		"after a request":            {getRequest + v1, notServed, ownAddress},
		"v1, port too large":         {"PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n", notServed, notServed},
		"v1, negative port":          {"PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n", notServed, notServed},
		"v1, no address":             {"PROXY TCP4\r\n", notServed, notServed},
		"v1, a name":                 {"PROXY TCP4 localhost localhost 1 2\r\n", notServed, notServed},
		"v1, IPv6 as IPv4":           {"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", notServed, notServed},
		"v1, UDP":                    {"PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n", notServed, notServed},
		"v1, a header field":         {"PROXY TCP4 192.0.2.1 198.51.100.1 1 2\nX-A: b\r\n", notServed, notServed},
		"v1, without end":            {"PROXY TCP4 " + strings.Repeat("1", 200), notServed, notServed},
		"v1, cut off":                {"PROXY TCP4 192.0.2.1 19", notServed, notServed},
		"v1, lower case":             {"proxy tcp4 192.0.2.1 198.51.100.1 1 2\r\n", notServed, refused4},
		"v2, version 1":              {headerV2(0x11, tcp4, v4), notServed, notServed},
		"v2, version 15":             {headerV2(0xf1, tcp4, v4), notServed, notServed},
		"v2, unknown command":        {headerV2(0x2f, tcp4, v4), notServed, notServed},
		"v2, unknown family":         {headerV2(proxy, 0x41, v4), notServed, notServed},
		"v2, unknown transport":      {headerV2(proxy, 0x13, v4), notServed, notServed},
		"v2, UDP":                    {headerV2(proxy, udp4, v4), notServed, notServed},
		"v2, a socket of Unix":       {headerV2(proxy, unixStream, strings.Repeat("/tmp/sock\x00", 22)[:216]), notServed, notServed},
		"v2, too short for IPv4":     {headerV2(proxy, tcp4, v4[:11]), notServed, notServed},
		"v2, too short for IPv6":     {headerV2(proxy, tcp6, v4), notServed, notServed},
		"v2, no addresses":           {headerV2(proxy, tcp4, ""), notServed, notServed},
		"v2, longer than what comes": {signature + "\x21\x11\xff\xff" + v4, notServed, notServed},
		"v2, only a signature":       {signature, notServed, notServed},
		"v2, half a signature":       {signature[:6], notServed, refused4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := c.header + getRequest
			if strings.Contains(name, "only") || strings.Contains(name, "half") || strings.Contains(name, "cut off") || strings.Contains(name, "longer") {
				text = c.header
			}
			if c.untrusted == refused4 && text == c.header {
				text += "x\r\n\r\n" // for the parser of HTTP
			}
			trusted, served := serveProxied(t, "127.0.0.0/8")
			if got := send(t, trusted, text); got != c.trusted {
				t.Errorf("from a trusted peer: %q, want %q", got, c.trusted)
			}
			if (c.trusted == notServed || c.trusted == refused4) && served.Load() > 0 {
				t.Error("the request was served")
			}
			// The header is not believed, and the connection refused, whatever it says.
			elsewhere, served := serveProxied(t, "192.0.2.0/24", "2001:db8::/32", "10.1.1.1")
			if got := send(t, elsewhere, text); got != c.untrusted {
				t.Errorf("from another peer: %q, want %q", got, c.untrusted)
			}
			if c.untrusted != ownAddress && served.Load() > 0 {
				t.Error("the request of another peer was served")
			}
			off, _ := serveProxied(t)
			if got := send(t, off, text); got != ownAddress && got != notServed && got != refused4 {
				t.Errorf("with the protocol off: %q", got)
			}
		})
	}
}

// A peer that sends its header slowly is cut off, and others are served meanwhile.
func TestSlowProxyHeaders(t *testing.T) {
	address, requests := serveProxied(t, "127.0.0.1")
	begin := time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, conn)
	}()
	if got := send(t, address, v1+getRequest); got != "192.0.2.1:1234" {
		t.Errorf("another peer: %q", got)
	}
	for i := 0; ; i++ {
		select {
		case <-closed:
			if took := time.Since(begin); took > 2*time.Second || requests.Load() != 1 {
				t.Errorf("closed after %s with %d requests", took, requests.Load())
			}
			return
		case <-time.After(50 * time.Millisecond):
			_, _ = conn.Write([]byte{v1[i%len(v1)]})
		}
	}
}

// bytesConn is a connection of a peer that has sent some bytes.
type bytesConn struct {
	net.Conn
	*bytes.Reader
}

var peer = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.1.2.3:4567"))

func (c bytesConn) Read(p []byte) (int, error)       { return c.Reader.Read(p) }
func (bytesConn) RemoteAddr() net.Addr               { return peer }
func (bytesConn) LocalAddr() net.Addr                { return peer }
func (bytesConn) SetReadDeadline(time.Time) error    { return nil }
func (bytesConn) Close() error                       { return nil }
func (c bytesConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c bytesConn) WriteTo(io.Writer) (int64, error) { panic("not used") }

// oneConn is a listener of one connection.
type oneConn struct {
	net.Listener
	conn net.Conn
}

func (l oneConn) Accept() (net.Conn, error) { return l.conn, nil }

// Whatever a peer sends, its address is an IP address with a port; it is that of the header only if the peer is
// trusted; and what follows the header is read as it was sent.
func FuzzProxyHeader(f *testing.F) {
	for _, seed := range []string{"", v1, longV1, "PROXY UNKNOWN\r\n", headerV2(proxy, tcp4, v4), headerV2(proxy, tcp6, v6), headerV2(local, unspec, ""), signature} {
		f.Add([]byte(seed + getRequest))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, trusted := range []string{"10.0.0.0/8", "192.0.2.0/24"} {
			proxied := NewProxied(slog.New(slog.DiscardHandler))
			if err := proxied.Set(ProxyProtocol{Trusted: []string{trusted}}); err != nil {
				t.Fatal(err)
			}
			conn, err := proxied.Listener(oneConn{conn: bytesConn{nil, bytes.NewReader(sent)}}, time.Second).Accept()
			if err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(conn)
			address, parseErr := netip.ParseAddrPort(conn.RemoteAddr().String())
			if parseErr != nil {
				t.Fatalf("%q is not an address", conn.RemoteAddr())
			}
			isOwn := address == peer.AddrPort()
			switch isTrusted := trusted == "10.0.0.0/8"; {
			case err != nil && (len(rest) > 0 || !isOwn):
				t.Fatalf("%v, but %d bytes of %s were read", err, len(rest), address)
			case !bytes.HasSuffix(sent, rest):
				t.Fatalf("what was read is not the end of what was sent: %q", rest)
			case !isTrusted && !isOwn:
				t.Fatalf("%s was believed", address)
			case !isTrusted && err == nil && len(rest) != len(sent):
				t.Fatal("a header of an untrusted peer was accepted")
			case isTrusted && err == nil && len(rest) == len(sent) && len(sent) > 0:
				t.Fatal("a trusted peer was served without a header")
			}
		}
	})
}
