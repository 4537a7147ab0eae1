package upstreams_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

func contains(err error, text string) bool { return strings.Contains(err.Error(), text) }

// authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

var serial atomic.Int64

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issuePEM returns a certificate for a name or an IP address, and its key.
func (a *authority) issuePEM(t *testing.T, name string) (certificate, privateKey []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	certificate, err := tls.X509KeyPair(a.issuePEM(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// write replaces a file as editors and mounted secrets do: by renaming.
func write(t *testing.T, path string, contents []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", contents, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// A service may ask for the gateway's certificate, and have one for another name than the URL's.
// It answers with the name in the certificate of the client.
func TestClientCertificate(t *testing.T) {
	ca := newAuthority(t, "authority")
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(ca.pem)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q", r.TLS.PeerCertificates[0].Subject.CommonName+" "+r.TLS.ServerName)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "users.internal")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	write(t, file("ca.pem"), ca.pem)
	certificate, key := ca.issuePEM(t, "gateway")
	write(t, file("cert.pem"), certificate)
	write(t, file("key.pem"), key)
	stranger, strangerKey := newAuthority(t, "stranger").issuePEM(t, "gateway")
	write(t, file("stranger.pem"), stranger)
	write(t, file("stranger-key.pem"), strangerKey)
	for _, test := range []struct {
		name string
		tls  upstreams.TLS
		ok   bool
	}{
		{"right", upstreams.TLS{CAFile: file("ca.pem"), ServerName: "users.internal", CertFile: file("cert.pem"), KeyFile: file("key.pem")}, true},
		{"wrong name", upstreams.TLS{CAFile: file("ca.pem"), CertFile: file("cert.pem"), KeyFile: file("key.pem")}, false},
		{"no certificate", upstreams.TLS{CAFile: file("ca.pem"), ServerName: "users.internal"}, false},
		{"certificate of another authority", upstreams.TLS{CAFile: file("ca.pem"), ServerName: "users.internal", CertFile: file("stranger.pem"), KeyFile: file("stranger-key.pem")}, false},
	} {
		for _, protocol := range []string{"http1", "h2"} {
			services := newServices(t, upstreams.Source{URLs: upstreams.URLs(server.URL), TLS: test.tls, Protocol: protocol})
			r, err := services.Do(t.Context(), "users", get())
			if (err == nil) != test.ok || test.ok && string(r.Body) != `"gateway users.internal"` || !test.ok && fault.CodeOf(err) != fault.DownstreamService {
				t.Errorf("%s by %s: %v, %v", test.name, protocol, r, err)
			}
		}
	}
	for _, test := range []struct {
		tls  upstreams.TLS
		want string
	}{
		{upstreams.TLS{CertFile: file("cert.pem")}, "tls.keyFile is missing: tls.certFile needs the private key"},
		{upstreams.TLS{KeyFile: file("key.pem")}, "tls.certFile is missing: tls.keyFile needs the certificate"},
		{upstreams.TLS{CertFile: file("cert.pem"), KeyFile: file("no.pem")}, "tls.keyFile: open " + file("no.pem")},
		{upstreams.TLS{CertFile: file("cert.pem"), KeyFile: file("stranger-key.pem")}, "tls.certFile: " + file("cert.pem") + " and " + file("stranger-key.pem") + " do not fit: "},
	} {
		_, err := upstreams.New(upstreams.Options{"users": {URLs: upstreams.URLs("https://a"), TLS: test.tls}}, nil)
		if err == nil || !strings.HasPrefix(err.Error(), `source "users": `+test.want) {
			t.Errorf("%+v: %v, want %s", test.tls, err, test.want)
		}
	}
}

// The files are mounted as Kubernetes does: a link to a folder that is replaced. Under load, new
// connections use the new files; files that cannot be used are reported once.
func TestTLSFilesAreReadAgain(t *testing.T) {
	upstreams.CheckTLSEvery(t, 20*time.Millisecond)
	dir := t.TempDir()
	mount := func(name string, a *authority, certificate, key []byte) {
		t.Helper()
		folder := filepath.Join(dir, name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, "ca.pem"), a.pem)
		write(t, filepath.Join(folder, "cert.pem"), certificate)
		write(t, filepath.Join(folder, "key.pem"), key)
		link := filepath.Join(dir, "data")
		if err := os.Symlink(folder, link+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+".new", link); err != nil {
			t.Fatal(err)
		}
	}
	first, second := newAuthority(t, "first"), newAuthority(t, "second")
	certificate, key := first.issuePEM(t, "one")
	mount("v1", first, certificate, key)

	var current atomic.Pointer[tls.Config]
	serve := func(a *authority) {
		clients := x509.NewCertPool()
		clients.AppendCertsFromPEM(a.pem)
		current.Store(&tls.Config{Certificates: []tls.Certificate{a.issue(t, "127.0.0.1")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients})
	}
	serve(first)
	var name atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name.Store(r.TLS.PeerCertificates[0].Subject.CommonName)
		io.WriteString(w, "{}")
	}))
	server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return current.Load(), nil }}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()

	var log lockedBuffer
	services, err := upstreams.New(upstreams.Options{"users": {
		URLs: upstreams.URLs(server.URL),
		TLS:  upstreams.TLS{CAFile: filepath.Join(dir, "data/ca.pem"), CertFile: filepath.Join(dir, "data/cert.pem"), KeyFile: filepath.Join(dir, "data/key.pem")},
	}}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	stop := load(t, services)
	eventually(t, "the first certificate is shown", func() bool { return name.Load() == "one" })

	// A key that does not fit its certificate changes nothing.
	_, otherKey := first.issuePEM(t, "other")
	mount("broken", first, certificate, otherKey)
	eventually(t, "the mistake is reported", func() bool { return strings.Contains(log.String(), "cannot be used") })
	time.Sleep(100 * time.Millisecond)
	if n := strings.Count(log.String(), "cannot be used"); n != 1 {
		t.Errorf("the mistake is reported %d times:\n%s", n, log.String())
	}

	renewed, renewedKey := first.issuePEM(t, "two")
	mount("v2", first, renewed, renewedKey)
	eventually(t, "the second certificate is shown", func() bool { return name.Load() == "two" })
	for _, err := range stop() {
		t.Errorf("a call failed: %v", err)
	}

	// Another authority on both sides: what was trusted before is not any more.
	serve(second)
	third, thirdKey := second.issuePEM(t, "three")
	mount("v3", second, third, thirdKey)
	eventually(t, "the third certificate is shown", func() bool {
		r, err := services.Do(t.Context(), "users", get())
		if err == nil {
			r.Release()
		}
		return name.Load() == "three"
	})
	if n := strings.Count(log.String(), "changed; new connections"); n != 2 {
		t.Errorf("%d changes are in the log:\n%s", n, log.String())
	}
}
