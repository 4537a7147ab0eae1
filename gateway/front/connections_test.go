package front_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// client is a connection on which a test sends requests itself.
type client struct {
	net.Conn // nil if it was refused
	buffered *bufio.Reader
}

func newClient(conn net.Conn) *client { return &client{conn, bufio.NewReader(conn)} }

// dialClient opens a connection, which the server may refuse.
func dialClient(t *testing.T, url string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return &client{}
	}
	t.Cleanup(func() { conn.Close() })
	return newClient(conn)
}

// get sends a request and returns the status of the response, 0 if there is none.
func (c *client) get(path string) int {
	if c.Conn == nil {
		return 0
	}
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
	response, err := http.ReadResponse(c.buffered, nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// isClosed waits up to a time until the server has closed the connection. It reports whether it has.
func (c *client) isClosed(within time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(within))
	_, err := io.Copy(io.Discard, c.buffered)
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

// With as many connections as there may be, a new one takes the place of the one that has been unused for
// longest. Those that are in use are not touched: if there are no others, the new one is closed.
func TestMaxConnections(t *testing.T) {
	finish := make(chan struct{})
	f, log := newFront(t, front.Options{HTTP: front.HTTP{MaxConnections: 4}}, &service{respond: func(context.Context) *graphql.Response {
		<-finish
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	}})
	url, stop, stopped := serving(t, f, front.ServeOptions{})
	dial := func() *client { return dialClient(t, url) }
	idle := dial()
	if got := idle.get("/healthz"); got != 200 {
		t.Fatal(got)
	}
	silent := dial()
	busy := []*client{dial(), dial()}
	var answers sync.WaitGroup
	for _, c := range busy {
		answers.Go(func() {
			if got := c.get("/graphql?query={n}"); got != 200 {
				t.Errorf("a connection in use: %d", got)
			}
		})
	}
	for f.Load().Operations.Running != 2 {
		time.Sleep(time.Millisecond)
	}
	if got := dial().get("/healthz"); got != 0 {
		t.Errorf("a connection beyond the limit, while the others were used within a second: %d", got)
	}
	time.Sleep(1100 * time.Millisecond)
	first := dial()
	if got := first.get("/healthz"); got != 200 || !idle.isClosed(time.Second) {
		t.Errorf("a new connection: %d; the idle one must be closed", got)
	}
	second := dial()
	if got := second.get("/healthz"); got != 200 || !silent.isClosed(time.Second) {
		t.Errorf("another new connection: %d; the silent one must be closed", got)
	}
	for range 10 {
		if got := dial().get("/healthz"); got != 0 {
			t.Errorf("a connection beyond the limit: %d", got)
		}
	}
	if got := f.Load().Connections; got.Open != 4 || got.Max != 4 || got.Evicted != 2 || got.Refused != 11 {
		t.Errorf("%+v", got)
	}
	if first.get("/healthz") != 200 || second.get("/healthz") != 200 {
		t.Error("the connections that were accepted no longer work")
	}
	close(finish)
	answers.Wait()
	const message = "connections are refused, since http.maxConnections are open and all of them are in use"
	if lines := log.lines(t, message); len(lines) != 1 || lines[0]["max"] != float64(4) {
		t.Errorf("the log has %v", lines)
	}
	stop()
	<-stopped
	if got := f.Load().Connections.Open; got != 0 {
		t.Errorf("%d connections are open after the stop", got)
	}
}

// The limit can be raised, lowered and removed while the front serves, and negative is none.
func TestMaxConnectionsChange(t *testing.T) {
	f, _ := newFront(t, front.Options{HTTP: front.HTTP{MaxConnections: 1}}, &service{})
	url, _, _ := serving(t, f, front.ServeOptions{})
	dial := func() *client { return dialClient(t, url) }
	kept := []*client{dial()}
	for _, c := range []struct{ limit, want int }{{1, 0}, {2, 200}, {1, 0}, {-1, 200}, {0, 200}} {
		apply, err := f.Prepare(front.Options{HTTP: front.HTTP{MaxConnections: c.limit}}, front.Deps{Schema: &service{}})
		if err != nil {
			t.Fatal(err)
		}
		apply()
		for _, k := range kept { // in use all the time
			if got := k.get("/healthz"); got != 200 {
				t.Errorf("a connection that was open: %d", got)
			}
		}
		next := dial()
		if got := next.get("/healthz"); got != c.want {
			t.Errorf("with the limit %d: %d, want %d", c.limit, got, c.want)
		} else if got == 200 {
			kept = append(kept, next)
		}
	}
}

// Connections with HTTP/2 and TLS make place when they have no streams.
func TestMaxConnectionsOverTLS(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := newSecured(t, front.Options{HTTP: front.HTTP{MaxConnections: 2}}, front.ServeOptions{}, set)
			busy, idle, next := s.transport(t, protocol), s.transport(t, protocol), s.transport(t, protocol)
			for _, transport := range []*http.Transport{busy, idle} {
				if wrong := mutate(transport, s.url, protocol); wrong != "" {
					t.Fatal(wrong)
				}
			}
			for range 15 {
				time.Sleep(100 * time.Millisecond)
				if wrong := mutate(busy, s.url, protocol); wrong != "" {
					t.Fatal(wrong)
				}
			}
			for _, transport := range []*http.Transport{next, busy} {
				if wrong := mutate(transport, s.url, protocol); wrong != "" {
					t.Error(wrong)
				}
			}
		})
	}
}

// A client that takes its time (slowloris) is cut off within the time that each part of a request has.
func TestSlowClients(t *testing.T) {
	o := front.Options{
		Deadline: 1500 * time.Millisecond,
		HTTP:     front.HTTP{HeaderTimeout: time.Second, IdleTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: 500 * time.Millisecond},
	}
	large := []byte(`{"s":"` + strings.Repeat("x", 30<<20) + `"}`)
	s := newSecured(t, o, front.ServeOptions{}, func(context.Context) *graphql.Response { return &graphql.Response{Data: large} })
	f, _ := newFront(t, o, &service{respond: func(context.Context) *graphql.Response { return &graphql.Response{Data: large} }})
	plainURL, _, _ := serving(t, f, front.ServeOptions{})
	plain := func() (net.Conn, error) { return net.Dial("tcp", strings.TrimPrefix(plainURL, "http://")) }
	below := func() (net.Conn, error) { return net.Dial("tcp", s.address) }
	encrypted := func(protocols ...string) func() (net.Conn, error) {
		return func() (net.Conn, error) {
			return tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.authority.Pool(), NextProtos: protocols})
		}
	}
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		dial func() (net.Conn, error)
		sent string
		slow string        // sent again and again
		most time.Duration // until the connection is closed
	}{
		"nothing, plain":                 {plain, "", "", 2 * time.Second},
		"nothing, TLS":                   {below, "", "", 2 * time.Second},
		"a handshake byte by byte":       {below, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x00", 2 * time.Second},
		"nothing after the handshake":    {encrypted(), "", "", 2 * time.Second},
		"a header byte by byte":          {plain, "GET / HTTP/1.1\r\nHost: h\r\nX: ", "x", 2 * time.Second},
		"header fields without end":      {plain, "GET / HTTP/1.1\r\nHost: h\r\n", "X-A: b\r\n", 2 * time.Second},
		"a header byte by byte, TLS":     {encrypted(), "GET / HTTP/1.1\r\nHost: h\r\nX: ", "x", 2 * time.Second},
		"a body byte by byte":            {plain, postHeader + "Content-Length: 100000\r\n\r\n", " ", 3 * time.Second},
		"a body byte by byte, TLS":       {encrypted(), postHeader + "Content-Length: 100000\r\n\r\n", " ", 3 * time.Second},
		"chunks byte by byte":            {plain, postHeader + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 3 * time.Second},
		"a response that is not read":    {plain, "GET /graphql?query={n} HTTP/1.1\r\nHost: h\r\n\r\n", "", 4 * time.Second},
		"idle after a request":           {plain, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", "", 2 * time.Second},
		"idle after a request, TLS":      {encrypted(), "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", "", 2 * time.Second},
		"HTTP/2 without a stream":        {encrypted("h2"), preface, "", 4 * time.Second},
		"HTTP/2 without a preface":       {encrypted("h2"), "", "", 12 * time.Second}, // net/http waits ten seconds
		"HTTP/2, half a frame of header": {encrypted("h2"), preface + "\x00\x01\x00\x01\x04\x00\x00\x00\x01\x82", "", 4 * time.Second},
		"HTTP/2, plain":                  {plain, preface, "", 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := c.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, c.sent); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			closed := make(chan struct{})
			if strings.Contains(name, "not read") {
				time.Sleep(c.most)
				// What is in the buffers can be read, the rest is missing.
				n, _ := io.Copy(io.Discard, conn)
				if n >= int64(len(large)) {
					t.Error("all of the response has been written")
				}
				return
			}
			go func() {
				defer close(closed)
				_, _ = io.Copy(io.Discard, conn)
			}()
			ticker := time.NewTicker(50 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-closed:
					t.Logf("closed after %s", time.Since(begin))
					return
				case <-ticker.C:
					_, _ = io.WriteString(conn, c.slow)
				}
				if time.Since(begin) > c.most {
					conn.Close()
					<-closed
					t.Fatalf("not closed after %s", c.most)
				}
			}
		})
	}
}

// The default follows from the memory of the process.
func TestDefaultMaxConnections(t *testing.T) {
	maxOf := func() int64 {
		f, _ := newFront(t, front.Options{}, &service{})
		return f.Load().Connections.Max
	}
	before := maxOf()
	limit := debug.SetMemoryLimit(400_000_000)
	defer debug.SetMemoryLimit(limit)
	if got := maxOf(); got != min(before, 2500) {
		t.Errorf("%d with 400 MB, want %d", got, min(before, 2500))
	}
	debug.SetMemoryLimit(1_000_000)
	if got := maxOf(); got != 100 {
		t.Errorf("%d with 1 MB, want 100", got)
	}
}
