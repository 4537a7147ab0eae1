package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/internal/testcert"
)

// httpsProcess is a gateway in a process of its own that serves HTTPS.
type httpsProcess struct {
	*process
	authority *testcert.Authority
	certs     string // the folder of tls.crt and tls.key
}

// issue writes another certificate to the files, and returns its number.
func (p *httpsProcess) issue() string {
	p.t.Helper()
	c := p.authority.Issue(p.t, testcert.Options{}, "localhost", "127.0.0.1")
	testcert.Write(p.t, c, filepath.Join(p.certs, "tls.crt"), filepath.Join(p.certs, "tls.key"))
	return c.Leaf.SerialNumber.String()
}

// dial returns the state of a new connection, with at most a version of TLS, 0 for any.
func (p *httpsProcess) dial(maxVersion uint16) (tls.ConnectionState, error) {
	c := &tls.Config{RootCAs: p.authority.Pool(), ServerName: "localhost", MaxVersion: maxVersion}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "http://"), c)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

// eventually fails unless a condition holds within a while.
func (p *httpsProcess) eventually(what string, holds func() bool) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s did not happen; the log:\n%s", what, p.text())
		}
	}
}

// hangUp has the gateway reload its settings, and returns once the log has another line with a message.
func (p *httpsProcess) hangUp(message string) {
	p.t.Helper()
	before := strings.Count(p.text(), message)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
	p.eventually(message, func() bool { return strings.Count(p.text(), message) > before })
}

// The whole program serves HTTPS by its settings: HTTP/1.1 and HTTP/2, a redirect, certificates and settings that
// change, and metrics of them.
func TestHTTPSOfTheProcess(t *testing.T) {
	p := &httpsProcess{authority: testcert.NewAuthority(t, "authority"), certs: t.TempDir()}
	p.process = &process{t: t}
	p.issue()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := free.Addr().String()
	free.Close()
	with := func(more string) string {
		block := fmt.Sprintf("tls: {redirect: %q, certificates: [{certFile: %q, keyFile: %q}]%s}\n", plain, filepath.Join(p.certs, "tls.crt"), filepath.Join(p.certs, "tls.key"), more)
		return settings(product(t, "lamp"), "") + block
	}
	p.process = startProcess(t, with(""))
	if log := p.text(); !strings.Contains(log, `"scheme":"https"`) {
		t.Errorf("the log does not say that HTTPS is served:\n%s", log)
	}
	url := strings.Replace(p.url, "http://", "https://", 1)
	for _, protocol := range []int{1, 2} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(protocol == 1)
		protocols.SetHTTP2(protocol == 2)
		client := &http.Client{Transport: &http.Transport{Protocols: protocols, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: p.authority.Pool()}}}
		body, err := json.Marshal(map[string]string{"query": getName})
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Post(url+"/graphql", "application/json", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.ProtoMajor != protocol || !strings.Contains(string(text), `"name":"lamp"`) {
			t.Errorf("%s: %s", response.Proto, text)
		}
	}

	// Plain HTTP is redirected, and its health checks are answered.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	for path, want := range map[string]string{
		"/graphql?query={n}": "308 https://127.0.0.1:" + port + "/graphql?query={n}", "/healthz": "200 ", "/readyz": "200 ",
	} {
		response, err := client.Get("http://" + plain + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := fmt.Sprintf("%d %s", response.StatusCode, response.Header.Get("Location")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}

	// The files change, and then the settings.
	want := p.issue()
	p.eventually("the use of another certificate", func() bool {
		state, err := p.dial(0)
		return err == nil && state.PeerCertificates[0].SerialNumber.String() == want
	})
	if _, err := p.dial(tls.VersionTLS12); err != nil {
		t.Errorf("TLS 1.2: %v", err)
	}
	p.write(with(", minVersion: \"1.3\""))
	p.hangUp("the settings were reloaded")
	if _, err := p.dial(tls.VersionTLS12); err == nil {
		t.Error("TLS 1.2 is still accepted after a reload with minVersion 1.3")
	}

	// The settings cannot lose HTTPS while the gateway runs.
	p.write(settings(product(t, "lamp"), ""))
	p.hangUp("HTTPS cannot be switched off")
	if _, err := p.dial(0); err != nil {
		t.Errorf("after a reload without certificates: %v", err)
	}

	secure := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: p.authority.Pool()}}}
	response, err := secure.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, _ := io.ReadAll(response.Body)
	for _, metric := range []string{
		"\ngateway_connections_open 1\n", "\ngateway_connections_limit ", "\ngateway_connections_closed_total{cause=\"handshake\"} ",
		"\ngateway_tls_certificate_expiry_timestamp_seconds{certificate=\"certificates[0]\"} ",
	} {
		if !strings.Contains(string(page), metric) {
			t.Errorf("the metrics lack %q", metric)
		}
	}
}

// The settings of HTTPS are validated with their files, which are found beside the settings.
func TestValidateHTTPS(t *testing.T) {
	authority, folder := testcert.NewAuthority(t, "authority"), t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	testcert.Write(t, authority.Issue(t, testcert.Options{}, "a.example.com"), in("a.crt"), in("a.key"))
	testcert.Write(t, authority.Issue(t, testcert.Options{}, "b.example.com"), in("b.crt"), in("b.key"))
	authority.Write(t, in("ca.pem"))
	for name, c := range map[string]struct{ block, want string }{
		"right":                    {"{certificates: [{certFile: a.crt, keyFile: a.key}, {certFile: b.crt, keyFile: b.key}], clientCA: ca.pem, clientAuth: optional}", "is valid"},
		"with ACME":                {"{certificates: [{certFile: a.crt, keyFile: a.key}], acme: {domains: [api.example.com], acceptTerms: true, cacheDir: cache}}", "is valid"},
		"a key of another":         {"{certificates: [{certFile: a.crt, keyFile: b.key}]}", "tls.certificates[0].certFile: " + in("a.crt") + " and " + in("b.key") + " do not make a pair: private key does not match public key"},
		"a key as the certificate": {"{certificates: [{certFile: a.key, keyFile: a.key}]}", "do not make a pair"},
		"a missing file":           {"{certificates: [{certFile: a.crt, keyFile: c.key}]}", "tls.certificates[0].keyFile: cannot be read"},
		"an authority without PEM": {"{certificates: [{certFile: a.crt, keyFile: a.key}], clientCA: gateway.yaml}", "tls.clientCA: " + in("gateway.yaml") + " has no PEM certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(in("gateway.yaml"), []byte(settings("http://localhost:1", "")+"tls: "+c.block+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(os.Args[0])
			command.Dir = t.TempDir()
			command.Env = append(os.Environ(), "BE_THE_GATEWAY=config validate --config "+in("gateway.yaml"), "LEVEL=info")
			out, err := command.CombinedOutput()
			if (err == nil) != (c.want == "is valid") || !strings.Contains(string(out), c.want) {
				t.Errorf("%v: %s, want %q", err, out, c.want)
			}
			if strings.Contains(string(out), "PRIVATE KEY") {
				t.Error("the key shows")
			}
		})
	}
}

// Behind a load balancer that speaks the PROXY protocol, the address of the client is in the log, and it can be
// switched on and off while the gateway runs.
func TestProxyProtocolOfTheProcess(t *testing.T) {
	p := startProcess(t, settings(product(t, "lamp"), ""))
	q := &httpsProcess{process: p}
	request := func(header string) string {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(conn, "%sGET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", header)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return "closed"
		}
		return response.Status
	}
	const header = "PROXY TCP4 192.0.2.1 198.51.100.1 1234 443\r\n"
	for _, c := range []struct{ trusted, with, without string }{
		{"[]", "400 Bad Request", "200 OK"},
		{"[127.0.0.1]", "200 OK", "closed"},
		{"[10.0.0.0/8]", "closed", "200 OK"},
		{"[]", "400 Bad Request", "200 OK"},
	} {
		p.write(settings(product(t, "lamp"), "") + "proxyProtocol: {trusted: " + c.trusted + "}\n")
		q.hangUp("the settings were reloaded")
		if with, without := request(header), request(""); with != c.with || without != c.without {
			t.Errorf("trusted %s: with a header %s, without %s; want %s, %s", c.trusted, with, without, c.with, c.without)
		}
	}
	for _, text := range []string{"come from a peer that is not trusted", "they do not begin with a header of the PROXY protocol"} {
		if !strings.Contains(p.text(), text) {
			t.Errorf("the log lacks %q", text)
		}
	}
}
