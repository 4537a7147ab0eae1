package upstreams_test

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// breaking is a service that processes a call, counts it, and then breaks the connection.
type breaking struct {
	how   string
	calls atomic.Int64
	whole atomic.Bool // it responds normally
}

func (b *breaking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.ReadAll(r.Body)
	if b.whole.Load() {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	b.calls.Add(1)
	if b.how == "in the body" {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"id": `)
		http.NewResponseController(w).Flush()
	}
	if r.ProtoMajor == 1 && b.how == "in the head" {
		conn, buffered, _ := http.NewResponseController(w).Hijack()
		buffered.WriteString("HTTP/1.1 2")
		buffered.Flush()
		conn.Close()
		return
	}
	panic(http.ErrAbortHandler)
}

// start starts a server by one of the protocols, and returns its URL and its CA file.
func (b *breaking) start(t *testing.T, protocol string) (url, authority string) {
	server := httptest.NewUnstartedServer(b)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	switch protocol {
	case "http":
		server.Start()
	case "h2c":
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		server.Start()
	case "h2":
		server.EnableHTTP2 = true
		server.StartTLS()
	case "https":
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	if server.Certificate() == nil {
		return server.URL, ""
	}
	return server.URL, authorityOf(t, server)
}

// authorityOf returns a file with the server's certificate.
func authorityOf(t *testing.T, server *httptest.Server) string {
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Three replicas process a call and then break the connection. The call is sent to one more
// replica at most, and only if replay.Allowed permits it.
func TestReplayAfterBrokenConnection(t *testing.T) {
	calls := map[string]*rest.Call{
		"GET":              rest.New("GET", "/users/u1"),
		"GET, once":        rest.New("GET", "/users/u1").NonIdempotent(),
		"POST":             rest.New("POST", "/users").JSON("x"),
		"POST, empty":      rest.New("POST", "/users/u1/lock"),
		"POST, no key":     rest.New("POST", "/users").Header("Idempotency-Key", "").JSON("x"),
		"PUT":              rest.New("PUT", "/users/u1").JSON("x"),
		"PATCH":            rest.New("PATCH", "/users/u1").JSON("x"),
		"DELETE":           rest.New("DELETE", "/users/u1"),
		"GET, once, key":   rest.New("GET", "/users/u1").NonIdempotent().Header("Idempotency-Key", "k"),
		"POST, idempotent": rest.New("POST", "/users").JSON("x").Idempotent(),
		"PUT, key":         rest.New("PUT", "/users/u1").JSON("x").Header("Idempotency-Key", "k"),
		"DELETE, key":      rest.New("DELETE", "/users/u1").Header("Idempotency-Key", "k"),
		"DELETE, marked":   rest.New("DELETE", "/users/u1").Idempotent(),
		"PATCH, key":       rest.New("PATCH", "/users/u1").JSON("x").Header("X-Idempotency-Key", "k"),
	}
	repeated := map[string]bool{
		"GET": true, "GET, once, key": true, "POST, idempotent": true,
		"PUT, key": true, "DELETE, key": true, "DELETE, marked": true, "PATCH, key": true,
	}
	for _, protocol := range []string{"http", "https", "h2", "h2c"} {
		for _, how := range []string{"before the answer", "in the head", "in the body"} {
			for name, call := range calls {
				for _, warm := range []bool{false, true} {
					replicas, most := 3, int64(1)
					if warm {
						replicas = 1
					}
					if repeated[name] {
						most = 2
					}
					got := doneBy(t, protocol, how, call, warm, replicas)
					// net/http replaces a stale connection by itself, unseen.
					replaced := warm && protocol == "https" && how == "before the answer" && got == most+1
					if got != most && !replaced {
						t.Errorf("%s over %s, broken %s, warm %t: done %d times, want %d", name, protocol, how, warm, got, most)
					}
				}
			}
		}
	}
}

// A stream that is reset by PROTOCOL_ERROR may have been processed. net/http would send
// it again, up to six times.
func TestResetStreamIsNotReplayed(t *testing.T) {
	t.Run("h2", func(t *testing.T) { testResetStream(t, true) })
	t.Run("h2c", func(t *testing.T) { testResetStream(t, false) })
}

func testResetStream(t *testing.T, encrypted bool) {
	model := httptest.NewUnstartedServer(nil)
	model.EnableHTTP2 = true
	model.StartTLS()
	defer model.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	source := upstreams.Source{URLs: upstreams.URLs("http://" + listener.Addr().String()), Protocol: "h2c"}
	if encrypted {
		source = upstreams.Source{URLs: upstreams.URLs("https://" + listener.Addr().String()), TLS: upstreams.TLS{CAFile: authorityOf(t, model)}}
		listener = tls.NewListener(listener, &tls.Config{Certificates: model.TLS.Certificates, NextProtos: []string{"h2"}})
	}
	var calls atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { resetStreams(conn, &calls) })
		}
	})
	services := newServices(t, source)
	for name, call := range map[string]*rest.Call{
		"DELETE": rest.New("DELETE", "/users/u1"), "POST": rest.New("POST", "/users").JSON("x"), "GET": rest.New("GET", "/users/logout").NonIdempotent(),
	} {
		calls.Store(0)
		if _, err := services.Do(t.Context(), "users", call); err == nil || calls.Load() != 1 {
			t.Errorf("%s: done %d times (%v), want once", name, calls.Load(), err)
		}
	}
	services.Close()
	listener.Close()
	wg.Wait()
}

// resetStreams implements as much of HTTP/2 (RFC 9113) as resetting each new stream needs.
func resetStreams(conn net.Conn, calls *atomic.Int64) {
	defer conn.Close()
	const settings, headers, reset, protocolError = 4, 1, 3, 1
	io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
	conn.Write([]byte{0, 0, 0, settings, 0, 0, 0, 0, 0})
	for {
		var frame [9]byte // length (3), type, flags, stream (4)
		if _, err := io.ReadFull(conn, frame[:]); err != nil {
			return
		}
		io.CopyN(io.Discard, conn, int64(frame[0])<<16|int64(frame[1])<<8|int64(frame[2]))
		if frame[3] == headers {
			calls.Add(1)
			conn.Write(append([]byte{0, 0, 4, reset, 0}, append(frame[5:9:9], 0, 0, 0, protocolError)...))
		}
	}
}

// doneBy returns how often the replicas processed the call.
func doneBy(t *testing.T, protocol, how string, call *rest.Call, warm bool, replicas int) (total int64) {
	t.Helper()
	var source upstreams.Source
	all := make([]*breaking, replicas)
	for i := range all {
		all[i] = &breaking{how: how}
		url, authority := all[i].start(t, protocol)
		source.URLs = append(source.URLs, upstreams.URL{URL: url})
		source.TLS.CAFile = authority
		if protocol == "h2c" {
			source.Protocol = protocol
		}
		all[i].whole.Store(warm)
	}
	services := newServices(t, source)
	if warm {
		for range all {
			if _, err := services.Do(t.Context(), "users", rest.New("GET", "/")); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, b := range all {
		b.whole.Store(false)
	}
	if answer, err := services.Do(t.Context(), "users", call); err == nil {
		t.Errorf("no error, but %s", fmt.Sprint(answer))
	}
	for _, b := range all {
		total += b.calls.Load()
	}
	return total
}
