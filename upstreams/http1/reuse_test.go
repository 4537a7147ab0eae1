package http1_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

// A connection that the server closed while it was idle is detected before anything is
// sent, so that even a request which must not be repeated succeeds.
func TestServerClosedIdle(t *testing.T) {
	closed := make(chan struct{})
	server := newRawServer(t, func(s *rawServer, n int64, conn *net.TCPConn, r *bufio.Reader) {
		for i := 0; n > 1 || i < 1; i++ {
			if _, _, ok := s.readRequest(r); !ok {
				return
			}
			io.WriteString(conn, okAnswer)
		}
		conn.Close()
		close(closed)
	})
	transport := newTransport(t, http1.Options{MaxConns: 1})
	for i := range 3 {
		if _, _, err := send(transport, request("POST", server.url, strings.NewReader("a"))); err != nil {
			t.Errorf("call %d: %v", i, err)
		}
		<-closed
	}
	if n := server.accepted.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// Bytes that the server sends without a request become part of no response.
func TestUnsolicitedBytes(t *testing.T) {
	for _, late := range []bool{false, true} {
		read, sent := make(chan struct{}), make(chan struct{})
		server := newRawServer(t, func(s *rawServer, n int64, conn *net.TCPConn, r *bufio.Reader) {
			const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
			for {
				if _, _, ok := s.readRequest(r); !ok {
					return
				}
				switch {
				case n > 1:
					io.WriteString(conn, okAnswer)
				case late:
					io.WriteString(conn, okAnswer)
					<-read
					io.WriteString(conn, poison)
				default:
					io.WriteString(conn, okAnswer+poison)
					<-read
				}
				if n == 1 {
					close(sent)
				}
			}
		})
		transport := newTransport(t, http1.Options{})
		for i := range 3 {
			_, body, err := get(t, transport, "GET", server.url)
			if err != nil || body != "{}" {
				t.Errorf("late %t: got %q, %v", late, body, err)
			}
			if i == 0 {
				close(read)
				<-sent
			}
		}
		if n := server.accepted.Load(); n != 2 {
			t.Errorf("late %t: %d connections, want 2", late, n)
		}
	}
}

// When a server closes a connection upon its second request, http1 reports a stale connection and
// leaves it to its caller to send the request again, which it may if net/http would do so.
func TestReplay(t *testing.T) {
	for name, test := range map[string]struct {
		method, body string
		header       string
		begun        bool // a response has begun
		fresh        bool // the server closes the connection upon the first request
		want         bool
	}{
		"GET":                 {method: "GET", want: true},
		"HEAD":                {method: "HEAD", want: true},
		"POST":                {method: "POST", body: "a"},
		"PUT":                 {method: "PUT", body: "a"},
		"DELETE":              {method: "DELETE"},
		"POST with a key":     {method: "POST", body: "a", header: "Idempotency-Key", want: true},
		"POST, large, key":    {method: "POST", body: strings.Repeat("a", 100_000), header: "X-Idempotency-Key", want: true},
		"GET, fresh":          {method: "GET", fresh: true},
		"GET, response begun": {method: "GET", begun: true},
		"GET with a body":     {method: "GET", body: "a", want: true},
		"POST with other key": {method: "POST", body: "a", header: "X-Key"},
	} {
		for kind, transport := range map[string]transport{"ours": http1.New(http1.Options{}), "net/http's": &http.Transport{}} {
			server := newRawServer(t, func(s *rawServer, n int64, conn *net.TCPConn, r *bufio.Reader) {
				for i := range 2 {
					req, body, ok := s.readRequest(r)
					if !ok {
						return
					}
					if (i == 1 || test.fresh) && n == 1 {
						if test.begun {
							io.WriteString(conn, "HTTP/1.1 2")
						}
						return
					}
					if n > 1 && (req.Method != test.method || body != test.body) {
						t.Errorf("%s: repeated as %s %.20q", name, req.Method, body)
					}
					io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
				}
			})
			if _, _, err := get(t, transport, "GET", server.url); err != nil && !test.fresh {
				t.Fatal(err)
			} else if test.fresh && (err == nil || server.accepted.Load() != 1) {
				t.Errorf("%s, %s: %v with %d connections", name, kind, err, server.accepted.Load())
			}
			if test.fresh {
				continue
			}
			var body io.Reader
			if test.body != "" {
				body = strings.NewReader(test.body)
			}
			req := request(test.method, server.url, body)
			if test.header != "" {
				req.Header.Set(test.header, "k")
			}
			_, _, err := send(transport, req)
			if kind == "ours" {
				stale, ok := errors.AsType[*attempt.StaleError](err)
				if ok == test.begun || server.accepted.Load() != 1 {
					t.Errorf("%s: %v with %d connections, stale: %v", name, err, server.accepted.Load(), stale)
				}
				if ok && replay.Allowed(req) != test.want {
					t.Errorf("%s: replay allowed: %t, but net/http's: %t", name, !test.want, test.want)
				}
			} else if (err == nil) != test.want || (server.accepted.Load() == 2) != test.want {
				t.Errorf("%s, %s: %v with %d connections, want a replay: %t", name, kind, err, server.accepted.Load(), test.want)
			}
			if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
				t.Errorf("%s: %v looks as if nothing had been sent", name, err)
			}
			transport.CloseIdleConnections()
		}
	}
}

// A body that was not read to its end closes its connection.
func TestUnreadBody(t *testing.T) {
	server := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 100_000), false)
	transport := newTransport(t, http1.Options{})
	for range 2 {
		resp, err := transport.RoundTrip(request("GET", server.url, nil))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Read(make([]byte, 10))
		resp.Body.Close()
		resp.Body.Close() // has no effect
		<-server.ended
	}
	if n := server.accepted.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	server := answering(t, okAnswer, false)
	short := newTransport(t, http1.Options{IdleTimeout: 5 * time.Millisecond})
	for range 2 {
		if _, _, err := get(t, short, "GET", server.url); err != nil {
			t.Fatal(err)
		}
		<-server.ended
	}
	long := newTransport(t, http1.Options{IdleTimeout: time.Hour})
	if _, _, err := get(t, long, "GET", server.url); err != nil {
		t.Fatal(err)
	}
	long.CloseIdleConnections()
	<-server.ended

	// One that was in use is closed when its call ends.
	resp, err := long.RoundTrip(request("GET", server.url, nil))
	if err != nil {
		t.Fatal(err)
	}
	long.CloseIdleConnections()
	io.ReadAll(resp.Body)
	<-server.ended
}

// Of connections that become idle at once MaxIdle are kept, and the last used is reused first.
func TestMaxIdle(t *testing.T) {
	server := answering(t, okAnswer, false)
	transport := newTransport(t, http1.Options{MaxIdle: 2})
	var busy []*http.Response
	for range 4 {
		resp, err := transport.RoundTrip(request("GET", server.url, nil))
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, resp)
	}
	for _, resp := range busy {
		io.ReadAll(resp.Body)
	}
	<-server.ended
	<-server.ended
	for range 10 {
		if _, _, err := get(t, transport, "GET", server.url); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.accepted.Load(); n != 4 {
		t.Errorf("%d connections, want 4", n)
	}
}
