package front_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/listen"
	"github.com/gatehouse-graphql/gatehouse/internal/testcert"
)

// secured is a front that is served over TLS.
type secured struct {
	*stopping
	front     *front.Front
	address   string
	authority *testcert.Authority
	files     listen.Certificate
	tls       *listen.Terminator
}

// newSecured serves a front over TLS, with a certificate for localhost and 127.0.0.1.
func newSecured(t *testing.T, o front.Options, so front.ServeOptions, respond func(context.Context) *graphql.Response) *secured {
	t.Helper()
	folder := t.TempDir()
	s := &secured{
		authority: testcert.NewAuthority(t, "authority"),
		files:     listen.Certificate{CertFile: filepath.Join(folder, "tls.crt"), KeyFile: filepath.Join(folder, "tls.key")},
	}
	s.issue(t)
	f, log := newFront(t, o, &service{respond: respond})
	var err error
	if s.tls, err = listen.NewTerminator(listen.TLS{Certificates: []listen.Certificate{s.files}}, slog.New(slog.NewJSONHandler(log, nil))); err != nil {
		t.Fatal(err)
	}
	so.TLS = s.tls
	url, stop, stopped := serving(t, f, so)
	s.address = strings.TrimPrefix(url, "http://")
	s.front = f
	s.stopping = &stopping{"https://" + s.address, log, stop, stopped}
	t.Cleanup(func() { stop(); s.tls.Close() })
	return s
}

// issue writes another certificate to the files, and returns its number.
func (s *secured) issue(t *testing.T) string {
	t.Helper()
	c := s.authority.Issue(t, testcert.Options{}, "localhost", "127.0.0.1")
	testcert.Write(t, c, s.files.CertFile, s.files.KeyFile)
	return c.Leaf.SerialNumber.String()
}

// transport returns a transport for one protocol.
func (s *secured) transport(t *testing.T, protocol string) *http.Transport {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(protocol == "http/1.1")
	protocols.SetHTTP2(protocol == "h2")
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{RootCAs: s.authority.Pool()}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// serial returns the number of the certificate that a new connection sees.
func (s *secured) serial(t *testing.T) string {
	t.Helper()
	conn, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.authority.Pool(), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// mutate sends a mutation, which no client repeats. It returns what went wrong, "" for nothing.
func mutate(transport http.RoundTripper, url, protocol string) string {
	r, _ := http.NewRequest("POST", url+"/graphql", strings.NewReader(`{"query":"mutation {set(n:1)}"}`))
	r.Header.Set("Content-Type", typeJSON)
	response, err := transport.RoundTrip(r)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err.Error()
	case string(text) != `{"data":{"set":1}}`:
		return string(text)
	case (response.ProtoMajor == 2) != (protocol == "h2"):
		return "the protocol is " + response.Proto
	}
	return ""
}

func set(context.Context) *graphql.Response {
	time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
	return &graphql.Response{Data: []byte(`{"set":1}`)}
}

// Certificates are exchanged while clients with both protocols send mutations, over connections that they
// keep and over new ones. No request is lost, and each new handshake sees the new certificate.
func TestCertificatesAreSwappedUnderLoad(t *testing.T) {
	s := newSecured(t, front.Options{}, front.ServeOptions{}, set)
	ctx, end := context.WithCancel(t.Context())
	var sent, lost atomic.Int64
	var all sync.WaitGroup
	load := func(protocol string, keep bool) {
		transport := s.transport(t, protocol)
		all.Go(func() {
			for ctx.Err() == nil {
				if wrong := mutate(transport, s.url, protocol); wrong != "" {
					lost.Add(1)
					t.Log(protocol, wrong)
				}
				sent.Add(1)
				if !keep {
					transport.CloseIdleConnections()
				}
			}
		})
	}
	for range 4 {
		load("http/1.1", true)
		load("h2", true)
		load("http/1.1", false)
		load("h2", false)
	}
	for range 4 {
		for enough := sent.Load() + 40; sent.Load() < enough; {
			time.Sleep(time.Millisecond)
		}
		want := s.issue(t)
		for end := time.Now().Add(5 * time.Second); s.serial(t) != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("new handshakes do not see the new certificate; the log:\n%s", s.log)
			}
		}
	}
	end()
	all.Wait()
	if lost.Load() > 0 {
		t.Errorf("%d of %d requests were lost", lost.Load(), sent.Load())
	}
	s.stop()
	s.wantStopped(t, 5*time.Second)
}

// A pair that does not fit changes nothing, and the log says so; the next good one is used.
func TestBrokenCertificatesChangeNothing(t *testing.T) {
	s := newSecured(t, front.Options{}, front.ServeOptions{}, set)
	before := s.serial(t)
	other := s.authority.Issue(t, testcert.Options{}, "localhost")
	testcert.Write(t, other, s.files.CertFile, filepath.Join(t.TempDir(), "other.key"))
	const message = "the changed files of tls cannot be used; the certificates from before stay in use"
	for end := time.Now().Add(5 * time.Second); len(s.log.lines(t, message)) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log lacks the error:\n%s", s.log)
		}
	}
	line := s.log.lines(t, message)[0]
	if text := line["error"].(string); line["level"] != "ERROR" || !strings.Contains(text, "tls.certificates[0].certFile") || !strings.Contains(text, "do not make a pair") {
		t.Error(line)
	}
	if got := s.serial(t); got != before {
		t.Errorf("the certificate is %s, want %s", got, before)
	}
	want := s.issue(t)
	for end := time.Now().Add(5 * time.Second); s.serial(t) != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the good certificate is not used")
		}
	}
}

// A client that offers one version and one cipher suite at a time finds TLS 1.2 with forward secrecy and
// authenticated encryption, and TLS 1.3, whatever key the certificate has. (RFC 8996 deprecates TLS 1.0 and
// 1.1, RFC 7465 RC4; CVE-2016-2183 is of 3DES, CVE-2013-0169 of CBC, CVE-2017-13099 of RSA key exchange.)
func TestProtocolsAndCipherSuites(t *testing.T) {
	folder := t.TempDir()
	authority := testcert.NewAuthority(t, "authority")
	var pairs []listen.Certificate
	for name, isRSA := range map[string]bool{"rsa": true, "ecdsa": false} {
		pair := listen.Certificate{CertFile: filepath.Join(folder, name+".crt"), KeyFile: filepath.Join(folder, name+".key")}
		testcert.Write(t, authority.Issue(t, testcert.Options{RSA: isRSA}, "localhost"), pair.CertFile, pair.KeyFile)
		pairs = append(pairs, pair)
	}
	scan := func(o listen.TLS) (accepted []string) {
		terminator, err := listen.NewTerminator(o, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer terminator.Close()
		f, _ := newFront(t, front.Options{}, &service{})
		url, stop, stopped := serving(t, f, front.ServeOptions{TLS: terminator})
		defer func() { stop(); <-stopped }()
		try := func(name string, version, suite uint16, curves ...tls.CurveID) {
			c := &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost", MinVersion: version, MaxVersion: version, CurvePreferences: curves}
			if suite != 0 {
				c.CipherSuites = []uint16{suite}
			}
			if conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "http://"), c); err == nil {
				accepted = append(accepted, name)
				conn.Close()
			}
		}
		for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
			for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
				try(tls.VersionName(version)+" "+suite.Name, version, suite.ID)
			}
		}
		try("TLS 1.3", tls.VersionTLS13, 0)
		slices.Sort(accepted)
		return slices.Compact(accepted)
	}
	modern := []string{
		"TLS 1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
		"TLS 1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
		"TLS 1.2 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		"TLS 1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		"TLS 1.2 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS 1.3",
	}
	if got := scan(listen.TLS{Certificates: pairs}); !slices.Equal(got, modern) {
		t.Errorf("accepted:\n%s", strings.Join(got, "\n"))
	}
	if got := scan(listen.TLS{Certificates: pairs, MinVersion: listen.Version13}); !slices.Equal(got, []string{"TLS 1.3"}) {
		t.Errorf("with minVersion 1.3:\n%s", strings.Join(got, "\n"))
	}
}

// The protocol is the one that the client prefers of those it offers (ALPN), HTTP/1.1 without an offer.
func TestALPN(t *testing.T) {
	s := newSecured(t, front.Options{}, front.ServeOptions{}, nil)
	for _, c := range []struct {
		offered []string
		want    string
		fails   bool
	}{
		{nil, "", false},
		{[]string{"http/1.1"}, "http/1.1", false},
		{[]string{"h2", "http/1.1"}, "h2", false},
		{[]string{"acme-tls/1"}, "", true}, // without ACME there is no such protocol
		{[]string{"spdy/3"}, "", true},
	} {
		conn, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.authority.Pool(), NextProtos: c.offered})
		if (err != nil) != c.fails {
			t.Errorf("%q: %v", c.offered, err)
		}
		if err != nil {
			continue
		}
		if got := conn.ConnectionState().NegotiatedProtocol; got != c.want {
			t.Errorf("%q: %q, want %q", c.offered, got, c.want)
		}
		if c.want != "h2" {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || response.StatusCode != 200 {
				t.Errorf("%q: %v, %v", c.offered, response, err)
			}
		}
		conn.Close()
	}
}

// A request without TLS is answered with what to do, and is not executed.
func TestPlainRequestToHTTPS(t *testing.T) {
	s := newSecured(t, front.Options{}, front.ServeOptions{}, nil)
	response, err := http.Get("http://" + s.address + "/graphql?query={n}")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != 400 || !strings.Contains(string(text), "https://") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if s.tls.FailedHandshakes() != 1 {
		t.Errorf("%d failed handshakes", s.tls.FailedHandshakes())
	}
}

// Gateways with TLS are replaced one after the other, as in TestRollingRestartLosesNoRequest. The header of
// each request is larger than a record of TLS, and so are some bodies.
func TestRollingRestartOverTLS(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			const clients, restarts, delay = 10, 3, 300 * time.Millisecond
			start := func() *secured { return newSecured(t, front.Options{}, front.ServeOptions{Delay: delay}, set) }
			var target atomic.Pointer[secured]
			target.Store(start())
			ctx, end := context.WithCancel(t.Context())
			var sent, lost atomic.Int64
			var all sync.WaitGroup
			for range clients {
				transport := target.Load().transport(t, protocol)
				pool := x509.NewCertPool()
				transport.TLSClientConfig = &tls.Config{RootCAs: pool, InsecureSkipVerify: true} // each gateway has an authority of its own
				transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, target.Load().address)
				}
				all.Go(func() {
					padding := strings.Repeat("x", 20_000)
					for ctx.Err() == nil {
						body := `{"query":"mutation {set(n:1)}"` + strings.Repeat(" ", rand.IntN(2)*20_000) + `}`
						r, _ := http.NewRequest("POST", "https://gateway/graphql", strings.NewReader(body))
						r.Header.Set("Content-Type", typeJSON)
						r.Header.Set("X-Padding", padding)
						response, err := transport.RoundTrip(r)
						sent.Add(1)
						if err != nil {
							lost.Add(1)
							t.Log(err)
							continue
						}
						text, err := io.ReadAll(response.Body)
						response.Body.Close()
						if err != nil || string(text) != `{"data":{"set":1}}` {
							lost.Add(1)
							t.Log(err, string(text))
						}
						time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
					}
				})
			}
			for range restarts {
				for enough := sent.Load() + 3*clients; sent.Load() < enough; {
					time.Sleep(time.Millisecond)
				}
				old, next := target.Load(), start()
				old.stop()
				time.Sleep(delay / 4) // until the balancer sees /readyz
				target.Store(next)
				old.wantStopped(t, 10*time.Second)
			}
			end()
			all.Wait()
			if lost.Load() > 0 {
				t.Errorf("%d of %d requests were lost", lost.Load(), sent.Load())
			}
			last := target.Load()
			last.stop()
			<-last.stopped
		})
	}
}

// An operation that arrived together with the end of the handshake, or after another request in one piece, is
// not cut off by a stop.
func TestStopWaitsForRequestsThatArrivedEarly(t *testing.T) {
	slow := func(ctx context.Context) *graphql.Response {
		select {
		case <-ctx.Done():
			t.Error("the operation was cancelled")
		case <-time.After(2 * time.Second): // longer than a silent connection may wait
		}
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	}
	const health = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
	const operation = "GET /graphql?query={n} HTTP/1.1\r\nHost: h\r\n\r\n"
	encrypted := func(t *testing.T, send string) (*stopping, net.Conn) {
		s := newSecured(t, front.Options{}, front.ServeOptions{Grace: 5 * time.Second}, slow)
		below, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		held := &heldConn{Conn: below}
		conn := tls.Client(held, &tls.Config{RootCAs: s.authority.Pool(), ServerName: "localhost"})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, send)
		held.release(t)
		return s.stopping, conn
	}
	plain := func(t *testing.T, send string) (*stopping, net.Conn) {
		s := newStopping(t, front.ServeOptions{Grace: 5 * time.Second}, slow)
		return s, s.dial(t, send)
	}
	for name, c := range map[string]struct {
		start func(*testing.T, string) (*stopping, net.Conn)
		sent  string
	}{
		"with the handshake":                       {encrypted, operation},
		"after another request in one record":      {encrypted, health + operation},
		"after another request in one piece":       {plain, health + operation},
		"after another request with the handshake": {encrypted, health + health + operation},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, conn := c.start(t, c.sent)
			defer conn.Close()
			time.Sleep(300 * time.Millisecond)
			s.stop()
			buffered := bufio.NewReader(conn)
			for range strings.Count(c.sent, "GET ") {
				response, err := http.ReadResponse(buffered, nil)
				if err != nil || response.StatusCode != 200 {
					t.Fatalf("%v, %v", response, err)
				}
				_, _ = io.Copy(io.Discard, response.Body)
			}
			s.wantStopped(t, 3*time.Second)
		})
	}
}

// heldConn holds back the last flight of a client's handshake until release, so that it arrives in one piece
// with what follows.
type heldConn struct {
	net.Conn
	writes int
	held   []byte
}

func (c *heldConn) Write(p []byte) (int, error) {
	if c.writes++; c.writes == 1 { // ClientHello
		return c.Conn.Write(p)
	}
	c.held = append(c.held, p...)
	return len(p), nil
}

func (c *heldConn) release(t *testing.T) {
	t.Helper()
	if _, err := c.Conn.Write(c.held); err != nil {
		t.Fatal(err)
	}
}

// Connections over TLS that are idle, silent or in their handshakes end within a second, or the time that a
// header has.
func TestStopOverTLS(t *testing.T) {
	const request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
	post := "POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + `{"query":"{n}"}`
	for name, c := range map[string]struct {
		sent []string // each in a record of its own; nil does not begin the handshake
		most time.Duration
	}{
		"no handshake":                 {nil, 3 * time.Second},
		"only a handshake":             {[]string{}, 3 * time.Second},
		"idle":                         {[]string{request}, time.Second},
		"idle after a body":            {[]string{post}, time.Second},
		"idle after many":              {[]string{request, post, request, post}, time.Second},
		"half a header":                {[]string{request, "GET /he"}, 6 * time.Second},
		"half a header with a request": {[]string{post + "GET /he"}, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSecured(t, front.Options{}, front.ServeOptions{Grace: 10 * time.Second}, nil)
			if c.sent == nil {
				s.dial(t, "\x16")
			} else {
				conn, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.authority.Pool()})
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				buffered := bufio.NewReader(conn)
				for _, text := range c.sent {
					_, _ = io.WriteString(conn, text)
					if !strings.Contains(text, "HTTP/1.1\r\n") {
						continue
					}
					response, err := http.ReadResponse(buffered, nil)
					if err != nil {
						t.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, response.Body)
				}
			}
			time.Sleep(100 * time.Millisecond) // the server has received it
			s.stop()
			s.wantStopped(t, c.most)
		})
	}
}
