package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/internal/testcert"
)

// place is a folder with certificates.
type place struct {
	t         *testing.T
	folder    string
	authority *testcert.Authority
}

func newPlace(t *testing.T) *place {
	return &place{t, t.TempDir(), testcert.NewAuthority(t, "authority")}
}

func (p *place) file(name string) string { return filepath.Join(p.folder, name) }

// issue writes a certificate to files.
func (p *place) issue(file string, o testcert.Options, names ...string) Certificate {
	p.t.Helper()
	pair := Certificate{p.file(file + ".crt"), p.file(file + ".key")}
	testcert.Write(p.t, p.authority.Issue(p.t, o, names...), pair.CertFile, pair.KeyFile)
	return pair
}

// serve serves the name of each client over TLS, and returns the address and the log.
func serve(t *testing.T, o TLS) (s *Terminator, address string, log *syncBuffer) {
	t.Helper()
	log = &syncBuffer{}
	s, err := NewTerminator(o, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "anonymous"
		if len(r.TLS.VerifiedChains) > 0 {
			name = r.TLS.VerifiedChains[0][0].Subject.CommonName
		}
		fmt.Fprint(w, name)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(s.Listener(listener, 2*time.Second)) }()
	t.Cleanup(func() { s.Close(); server.Close(); <-served })
	return s, listener.Addr().String(), log
}

// Of several certificates a client gets one with the name that it asks for, and that it can verify.
func TestCertificatesByName(t *testing.T) {
	p := newPlace(t)
	_, address, _ := serve(t, TLS{Certificates: []Certificate{
		p.issue("first", testcert.Options{RSA: true}, "first.example.com"),
		p.issue("api", testcert.Options{}, "api.example.com", "www.example.com"),
		p.issue("api-rsa", testcert.Options{RSA: true}, "api.example.com"),
		p.issue("wild", testcert.Options{}, "*.shop.example.com"),
	}})
	for _, c := range []struct {
		name string
		rsa  bool // the client knows RSA alone
		want string
	}{
		{"first.example.com", false, "first.example.com"},
		{"api.example.com", false, "api.example.com"},
		{"API.example.com", false, "api.example.com"},
		{"www.example.com", false, "api.example.com"},
		{"api.example.com", true, "api.example.com"},
		{"a.shop.example.com", false, "*.shop.example.com"},
		{"a.b.shop.example.com", false, "first.example.com"},
		{"other.example.com", false, "first.example.com"},
		{"", false, "first.example.com"},
	} {
		config := &tls.Config{ServerName: c.name, InsecureSkipVerify: true}
		if c.rsa {
			config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		}
		conn, err := tls.Dial("tcp", address, config)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := conn.ConnectionState().PeerCertificates[0]
		if got.Subject.CommonName != c.want || (got.PublicKeyAlgorithm == x509.RSA) != (c.rsa || c.want == "first.example.com") {
			t.Errorf("%q: %s with %s, want %s", c.name, got.Subject.CommonName, got.PublicKeyAlgorithm, c.want)
		}
		conn.Close()
	}
}

// Client certificates are verified; a client that needs one and has none, or a wrong one, is refused.
func TestClientCertificates(t *testing.T) {
	p, stranger := newPlace(t), testcert.NewAuthority(t, "stranger")
	pair := p.issue("tls", testcert.Options{}, "localhost")
	p.authority.Write(t, p.file("ca.pem"))
	none := tls.Certificate{}
	good := p.authority.Issue(t, testcert.Options{Client: true}, "orders-service")
	for auth, wants := range map[string]map[string]string{
		"":         {"none": "refused", "good": "orders-service", "stranger": "refused", "of a server": "refused", "expired": "refused"},
		Require:    {"none": "refused", "good": "orders-service", "stranger": "refused", "of a server": "refused", "expired": "refused"},
		IfProvided: {"none": "anonymous", "good": "orders-service", "stranger": "refused", "of a server": "refused", "expired": "refused"},
	} {
		s, address, _ := serve(t, TLS{Certificates: []Certificate{pair}, ClientCA: p.file("ca.pem"), ClientAuth: auth})
		for name, certificate := range map[string]tls.Certificate{
			"none":        none,
			"good":        good,
			"stranger":    stranger.Issue(t, testcert.Options{Client: true}, "orders-service"),
			"of a server": p.authority.Issue(t, testcert.Options{}, "orders-service"),
			"expired":     p.authority.Issue(t, testcert.Options{Client: true, NotAfter: time.Now().Add(-time.Hour)}, "orders-service"),
		} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				config := &tls.Config{RootCAs: p.authority.Pool(), ServerName: "localhost", MaxVersion: version}
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
				if got := get(address, config); got != wants[name] {
					t.Errorf("%q, %s, %s: %s, want %s", auth, name, tls.VersionName(version), got, wants[name])
				}
			}
		}
		if s.FailedHandshakes() == 0 {
			t.Error("no handshake has failed")
		}
	}
}

// A session from before does not avoid another authority of clients, or the need for a certificate.
func TestSessionsEndWithTheirSettings(t *testing.T) {
	p := newPlace(t)
	pair := p.issue("tls", testcert.Options{}, "localhost")
	p.authority.Write(t, p.file("ca.pem"))
	s, address, _ := serve(t, TLS{Certificates: []Certificate{pair}})
	config := &tls.Config{RootCAs: p.authority.Pool(), ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(10)}
	for range 2 {
		if got := get(address, config); got != "anonymous" {
			t.Fatal(got)
		}
	}
	apply, err := s.Prepare(TLS{Certificates: []Certificate{pair}, ClientCA: p.file("ca.pem")})
	if err != nil {
		t.Fatal(err)
	}
	apply()
	if got := get(address, config); got != "refused" {
		t.Error("a session from before was resumed:", got)
	}
}

// get returns the body of a response, "refused" if there is none.
func get(address string, c *tls.Config) string {
	transport := &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Get("https://" + address)
	if err != nil {
		return "refused"
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

// HTTPS cannot be switched on or off while connections may be open, and wrong settings change nothing.
func TestPrepare(t *testing.T) {
	p := newPlace(t)
	pair := p.issue("tls", testcert.Options{}, "localhost")
	var plain *Terminator
	if _, err := plain.Prepare(TLS{}); err != nil {
		t.Error(err)
	}
	if _, err := plain.Prepare(TLS{Certificates: []Certificate{pair}}); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("switched on: %v", err)
	}
	s, address, _ := serve(t, TLS{Certificates: []Certificate{pair}})
	if _, err := s.Prepare(TLS{}); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("switched off: %v", err)
	}
	if _, err := s.Prepare(TLS{Certificates: []Certificate{{pair.CertFile, pair.CertFile}}}); err == nil || !strings.Contains(err.Error(), "tls.certificates[0].certFile") {
		t.Errorf("a broken pair: %v", err)
	}
	config := &tls.Config{RootCAs: p.authority.Pool(), ServerName: "other"}
	if got := get(address, config); got != "refused" {
		t.Error(got)
	}
	// The files of the other settings are followed from then on, and those from before no longer.
	other := p.issue("other", testcert.Options{}, "other")
	apply, err := s.Prepare(TLS{Certificates: []Certificate{other}})
	if err != nil {
		t.Fatal(err)
	}
	apply()
	if got := get(address, config); got != "anonymous" {
		t.Error(got)
	}
	want := p.authority.Issue(t, testcert.Options{}, "other", "third")
	testcert.Write(t, want, other.CertFile, other.KeyFile)
	for end := time.Now().Add(5 * time.Second); get(address, &tls.Config{RootCAs: p.authority.Pool(), ServerName: "third"}) == "refused"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the files of the other settings are not followed")
		}
	}
}

// A certificate that has expired, or will soon, is warned of, and used.
func TestExpiryIsLogged(t *testing.T) {
	for in, want := range map[time.Duration]string{
		-time.Hour: "has expired", 24 * time.Hour: "expires soon", 30 * 24 * time.Hour: "",
	} {
		p := newPlace(t)
		pair := p.issue("tls", testcert.Options{NotAfter: time.Now().Add(in)}, "localhost")
		s, _, log := serve(t, TLS{Certificates: []Certificate{pair}})
		if got := log.String(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %s", in, got)
		}
		if ends := s.Expiry()["certificates[0]"]; time.Until(ends)-in > time.Minute || in-time.Until(ends) > time.Minute {
			t.Errorf("ends at %s", ends)
		}
	}
}

// A file that grows without end, or cannot be read, is not a certificate.
func TestUnreadableFiles(t *testing.T) {
	p := newPlace(t)
	pair := p.issue("tls", testcert.Options{}, "localhost")
	for name, c := range map[string]Certificate{
		"a folder": {p.folder, pair.KeyFile},
		"missing":  {p.file("none"), pair.KeyFile},
		"empty":    {p.file("empty"), pair.KeyFile},
	} {
		if err := os.WriteFile(p.file("empty"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "certFile: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Handshakes that hang do not hold up others, nor the end of the listener for longer than it allows.
func TestStopWithHandshakes(t *testing.T) {
	p := newPlace(t)
	s, err := NewTerminator(TLS{Certificates: []Certificate{p.issue("tls", testcert.Options{}, "localhost")}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	below, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := s.Listener(below, time.Minute)
	var accepted atomic.Int64
	ended := make(chan error, 1)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted.Add(1)
			conn.Close()
		}
	}()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", below.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	late := dial()
	for range 50 {
		_, _ = dial().Write([]byte("\x16\x03"))
	}
	config := &tls.Config{RootCAs: p.authority.Pool(), ServerName: "localhost"}
	if err := tls.Client(dial(), config).Handshake(); err != nil {
		t.Error(err)
	}
	for accepted.Load() != 1 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // until all connections have been accepted below
	begin := time.Now()
	listener.Stop(500 * time.Millisecond)
	if err := tls.Client(late, config).HandshakeContext(t.Context()); err != nil {
		t.Errorf("a handshake that ended within the wait: %v", err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if took := time.Since(begin); took < 400*time.Millisecond || took > 3*time.Second || accepted.Load() != 2 {
		t.Errorf("ended after %s with %d connections", took, accepted.Load())
	}
}

func TestRedirect(t *testing.T) {
	address := func(text string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range []struct{ own, https, host, target, want string }{
		{":80", ":443", "api.example.com", "/graphql?a=b&c", "https://api.example.com/graphql?a=b&c"},
		{":80", ":8443", "api.example.com", "/", "https://api.example.com:8443/"},
		{":8080", ":8443", "api.example.com", "/", "https://api.example.com/"}, // behind ports 80 and 443
		{":8080", ":8443", "localhost:8080", "/", "https://localhost:8443/"},
		{":8080", ":443", "localhost:8080", "/", "https://localhost/"},
		{":8080", ":8443", "[::1]:8080", "/", "https://[::1]:8443/"},
		{":8080", ":8443", "[::1]", "/", "https://[::1]/"},
		{":80", ":443", "api.example.com", "//evil.example", "https://api.example.com//evil.example"},
		{":80", ":443", "", "/", ""},
		{":80", ":443", "evil.example/path", "/", ""},
		{":80", ":443", "user@evil.example", "/", ""},
		{":80", ":443", "a b", "/", ""},
		{":80", ":443", "evil.example#", "/", ""},
	} {
		r := Redirect{Listener: listenerAt{address(c.own)}, HTTPS: address(c.https)}
		for _, method := range []string{"GET", "POST"} {
			w := httptest.NewRecorder()
			req := httptest.NewRequest(method, "http://h"+c.target, nil)
			req.Host = c.host
			r.redirect(w, req)
			if status, got := w.Code, w.Header().Get("Location"); got != c.want || (status == 308) != (c.want != "") || (status == 400) != (c.want == "") {
				t.Errorf("%s %s%s at %s for %s: %d %q, want %q", method, c.host, c.target, c.own, c.https, status, got, c.want)
			}
		}
	}
}

// listenerAt is a listener that has an address.
type listenerAt struct{ address net.Addr }

func (listenerAt) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (listenerAt) Close() error              { return nil }
func (l listenerAt) Addr() net.Addr          { return l.address }
