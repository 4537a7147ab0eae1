package listen

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"go/build"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/gatehouse-graphql/gatehouse/internal/testcert"
)

// pebble is the ACME server that Let's Encrypt has for tests.
type pebble struct {
	directory  string
	management string
	authority  *testcert.Authority // of the server's own certificate
	caFile     string
	cmd        *exec.Cmd
}

// pebblePath returns where pebble is installed: in the path, or where "go install" writes.
func pebblePath(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("pebble"); err == nil {
		return path
	}
	path := filepath.Join(build.Default.GOPATH, "bin", "pebble")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	const how = "pebble is not installed; install it as .ci/run does"
	if os.Getenv("CI") == "true" {
		t.Fatal(how)
	}
	t.Skip(how)
	return ""
}

// startPebble starts pebble. It validates domains, all of which are on this machine, at two ports.
func startPebble(t *testing.T, httpPort, tlsPort int) *pebble {
	t.Helper()
	path, folder := pebblePath(t), t.TempDir()
	p := &pebble{authority: testcert.NewAuthority(t, "authority of pebble"), caFile: filepath.Join(folder, "ca.pem")}
	cert, key, config := filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"), filepath.Join(folder, "pebble.json")
	testcert.Write(t, p.authority.Issue(t, testcert.Options{}, "127.0.0.1"), cert, key)
	p.authority.Write(t, p.caFile)
	listen, management := fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	text, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": management, "certificate": cert, "privateKey": key,
		"httpPort": httpPort, "tlsPort": tlsPort,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p.directory, p.management = "https://"+listen+"/dir", "https://"+management
	p.cmd = exec.Command(path, "-config", config, "-dnsserver", serveNames(t))
	p.cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0")
	var out bytes.Buffer
	p.cmd.Stdout, p.cmd.Stderr = &out, &out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("pebble:\n%s", out.String())
		}
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", listen); err == nil {
			conn.Close()
			return p
		}
		if time.Now().After(end) {
			t.Fatal("pebble does not listen")
		}
	}
}

func (p *pebble) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// roots returns the authority of the certificates that pebble issues.
func (p *pebble) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: p.authority.Pool()}}}
	response, err := client.Get(p.management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("no certificate: %s", text)
	}
	return pool
}

// serveNames runs a name server over TCP, as pebble wants it, for which all names are 127.0.0.1, and returns its
// address.
func serveNames(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				for answerName(conn) == nil {
				}
			})
		}
	})
	return listener.Addr().String()
}

// answerName reads a query and answers it.
func answerName(conn net.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	var length uint16
	if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
		return err
	}
	query := make([]byte, length)
	if _, err := io.ReadFull(conn, query); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return err
	}
	m.Response, m.Additionals = true, nil
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			})
		}
	}
	answer, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	return err
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// acmeServer is a server whose certificates come from ACME.
type acmeServer struct {
	*Terminator
	address string
}

func serveACME(t *testing.T, o TLS, port, redirectPort int, log io.Writer) *acmeServer {
	t.Helper()
	s, err := NewTerminator(o, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	if redirectPort != 0 {
		plain, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", redirectPort))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.ServeRedirect(Redirect{Listener: plain, HTTPS: listener.Addr(), Health: http.NotFoundHandler()}, slog.New(slog.DiscardHandler)))
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS.ServerName) })}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(s.Listener(listener, 5*time.Second)) }()
	t.Cleanup(func() { s.Close(); server.Close(); <-served })
	return &acmeServer{s, listener.Addr().String()}
}

// handshake returns the certificate that a client sees that names a host.
func (s *acmeServer) handshake(name string, roots *x509.CertPool) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", s.address, &tls.Config{ServerName: name, RootCAs: roots, InsecureSkipVerify: roots == nil})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// Certificates are obtained from a real ACME server by both challenges, kept across restarts, and issued only for
// the domains of the settings.
func TestACME(t *testing.T) {
	for _, challenge := range []string{"TLS-ALPN-01", "HTTP-01"} {
		t.Run(challenge, func(t *testing.T) {
			port, redirectPort := freePort(t), 0
			httpPort, tlsPort := freePort(t), port // where nothing listens, and where the gateway does
			if challenge == "HTTP-01" {
				redirectPort = httpPort
				tlsPort = freePort(t)
			}
			p := startPebble(t, httpPort, tlsPort)
			roots := p.roots(t)
			o := TLS{ACME: ACME{
				Domains: []string{"api.example.com", "Shop.Example.com"}, AcceptTerms: true, Email: "ops@example.com",
				CacheDir: filepath.Join(t.TempDir(), "cache"), Directory: p.directory, CAFile: p.caFile,
			}}
			if redirectPort != 0 {
				o.Redirect = fmt.Sprintf("127.0.0.1:%d", redirectPort)
			}
			var log syncBuffer
			s := serveACME(t, o, port, redirectPort, &log)
			serials := map[string]string{}
			for _, domain := range []string{"api.example.com", "shop.example.com"} {
				for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
					c, err := s.handshake(domain, roots)
					if err == nil {
						serials[domain] = c.SerialNumber.String()
						break
					}
					if time.Now().After(end) {
						t.Fatalf("no certificate for %s: %v; the log:\n%s", domain, err, log.String())
					}
				}
			}
			if c, err := s.handshake("", nil); err != nil || c.SerialNumber.String() != serials["api.example.com"] {
				t.Errorf("a client that names no host: %v", err)
			}
			if _, err := s.handshake("evil.example.com", nil); err == nil {
				t.Error("a certificate was obtained for a name that is not in the settings")
			}
			if ends := s.Expiry(); len(ends) != 2 || ends["api.example.com"].Before(time.Now()) {
				t.Errorf("the certificates end at %v", ends)
			}

			// A restart does not need the server.
			s.Close()
			p.stop()
			again := serveACME(t, o, freePort(t), 0, &log)
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				c, err := again.handshake("api.example.com", roots)
				if err == nil && c.SerialNumber.String() == serials["api.example.com"] {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("the certificate was not kept: %v; the log:\n%s", err, log.String())
				}
			}
			info, err := os.Stat(o.ACME.CacheDir)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder of the keys has the mode %v, %v", info.Mode(), err)
			}
		})
	}
}

// Without its authority a gateway starts and refuses handshakes until there is a certificate; one of its files is
// used for other names.
func TestACMEWithoutAuthority(t *testing.T) {
	authority, folder := testcert.NewAuthority(t, "authority"), t.TempDir()
	pair := Certificate{filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")}
	testcert.Write(t, authority.Issue(t, testcert.Options{}, "static.example.com"), pair.CertFile, pair.KeyFile)
	var log syncBuffer
	s := serveACME(t, TLS{Certificates: []Certificate{pair}, ACME: ACME{
		Domains: []string{"api.example.com"}, AcceptTerms: true, CacheDir: filepath.Join(folder, "cache"),
		Directory: fmt.Sprintf("https://127.0.0.1:%d/dir", freePort(t)),
	}}, 0, 0, &log)
	if _, err := s.handshake("api.example.com", nil); err == nil {
		t.Error("a handshake without a certificate succeeded")
	}
	for _, name := range []string{"static.example.com", "", "other.example.com"} {
		if c, err := s.handshake(name, nil); err != nil || c.Subject.CommonName != "static.example.com" {
			t.Errorf("%q: %v", name, err)
		}
	}
	for end := time.Now().Add(5 * time.Second); !strings.Contains(log.String(), "no certificate was obtained by ACME"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log does not say what is wrong:\n%s", log.String())
		}
	}
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
