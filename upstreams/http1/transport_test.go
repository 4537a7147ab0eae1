package http1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

// For every request the server receives what net/http would send.
func TestRequestsLikeNetHTTP(t *testing.T) {
	for name, make := range map[string]func(url string) *http.Request{
		"GET":           func(url string) *http.Request { return request("GET", url+"/a%2Fb/c%20d?q=1%2C2&x=%C3%BC", nil) },
		"no path":       func(url string) *http.Request { return request("GET", url, nil) },
		"query alone":   func(url string) *http.Request { return request("GET", url+"?a", nil) },
		"empty query":   func(url string) *http.Request { return request("GET", url+"/?", nil) },
		"slashes":       func(url string) *http.Request { return request("GET", url+"//a//b", nil) },
		"no method":     func(url string) *http.Request { r := request("GET", url, nil); r.Method = ""; return r },
		"HEAD":          func(url string) *http.Request { return request("HEAD", url+"/a", nil) },
		"DELETE":        func(url string) *http.Request { return request("DELETE", url+"/a", nil) },
		"own method":    func(url string) *http.Request { return request("PURGE", url+"/a", nil) },
		"POST, no body": func(url string) *http.Request { return request("POST", url, nil) },
		"POST":          func(url string) *http.Request { return request("POST", url, strings.NewReader(`{"a":1}`)) },
		"PUT, NoBody":   func(url string) *http.Request { return request("PUT", url, http.NoBody) },
		"large body": func(url string) *http.Request {
			return request("POST", url, strings.NewReader(strings.Repeat("x", 3<<20)))
		},
		"unknown length": func(url string) *http.Request {
			return request("POST", url, io.MultiReader(strings.NewReader(strings.Repeat("y", 100_000)), strings.NewReader("z")))
		},
		"known length, not in memory": func(url string) *http.Request {
			r := request("POST", url, io.MultiReader(strings.NewReader("abc")))
			r.ContentLength = 3
			return r
		},
		"other host": func(url string) *http.Request { r := request("GET", url, nil); r.Host = "example.org:81"; return r },
		"own encoding": func(url string) *http.Request {
			r := request("GET", url, nil)
			r.Header.Set("Accept-Encoding", "br")
			return r
		},
		"range": func(url string) *http.Request {
			r := request("GET", url, nil)
			r.Header.Set("Range", "bytes=0-1")
			return r
		},
		"own agent": func(url string) *http.Request {
			r := request("GET", url, nil)
			r.Header["User-Agent"] = []string{" a/1 ", "b/2"}
			r.Header["Accept"] = []string{"a/b", "c/d"}
			return r
		},
		"empty agent": func(url string) *http.Request {
			r := request("GET", url, nil)
			r.Header["User-Agent"] = []string{"", "b/2"}
			return r
		},
		"headers": func(url string) *http.Request {
			r := request("GET", url, nil)
			r.Header["X-Two"] = []string{"1", " 2\t"}
			r.Header["x-lower"] = []string{"\xff ü"}
			r.Header["X-None"] = nil
			r.Header["X-Empty"] = []string{""}
			r.Header.Set("Content-Length", "77")
			r.Header.Set("Host", "wrong")
			return r
		},
	} {
		got := map[string]string{}
		var mu sync.Mutex
		for kind, transport := range map[string]transport{"ours": http1.New(http1.Options{}), "net/http's": &http.Transport{}} {
			server := newRawServer(t, func(s *rawServer, _ int64, conn *net.TCPConn, r *bufio.Reader) {
				var wire strings.Builder
				req, body, ok := s.readRequest(bufio.NewReader(io.TeeReader(r, &wire)))
				if !ok {
					return
				}
				head, _, _ := strings.Cut(wire.String(), "\r\n\r\n")
				lines := strings.Split(head, "\r\n")
				slices.Sort(lines[1:])
				mu.Lock()
				got[kind] = strings.ReplaceAll(strings.Join(lines, "\n"), conn.LocalAddr().String(), "HOST") + "\n\n" + body
				mu.Unlock()
				if req.Method == "HEAD" {
					io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
				} else {
					io.WriteString(conn, okAnswer)
				}
			})
			if _, _, err := send(transport, make(server.url)); err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
			transport.CloseIdleConnections()
		}
		if got["ours"] == "" || got["ours"] != got["net/http's"] {
			t.Errorf("%s: sent %.500q, want %.500q", name, got["ours"], got["net/http's"])
		}
	}
}

// Headers that say where a request ends are not sent in any case. net/http sends those in
// lower case, and the service would wait for a body, or read the next request as a body.
func TestFramingHeadersAreNotSent(t *testing.T) {
	server := newRawServer(t, func(_ *rawServer, _ int64, conn *net.TCPConn, r *bufio.Reader) {
		for {
			line, err := r.ReadString('\n')
			switch name, _, _ := strings.Cut(strings.ToLower(line), ":"); {
			case err != nil:
				return
			case name == "content-length" || name == "transfer-encoding" || name == "trailer" || strings.Contains(line, "wrong"):
				t.Errorf("sent %q", line)
			case line == "\r\n":
				io.WriteString(conn, okAnswer)
			}
		}
	})
	for _, name := range []string{"content-length", "CONTENT-LENGTH", "transfer-encoding", "Transfer-encoding", "host", "trailer"} {
		req := request("GET", server.url, nil)
		req.Header[name] = []string{"wrong"}
		if _, _, err := send(newTransport(t, http1.Options{}), req); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func request(method, url string, body io.Reader) *http.Request {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		panic(err)
	}
	req.Header.Set("User-Agent", "test")
	return req
}

// Whatever could end a line or a word early is refused.
func TestRequestsThatAreRefused(t *testing.T) {
	server := newRawServer(t, func(_ *rawServer, _ int64, conn *net.TCPConn, r *bufio.Reader) {
		io.WriteString(conn, okAnswer) // whatever comes
		io.Copy(io.Discard, r)
	})
	for name, spoil := range map[string]func(*http.Request){
		"method":          func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nX: y\r\n\r\nGET" },
		"space in method": func(r *http.Request) { r.Method = "G T" },
		"query":           func(r *http.Request) { r.URL.RawQuery = "a HTTP/1.1\r\nX: y" },
		"space in query":  func(r *http.Request) { r.URL.RawQuery = "a b" },
		"LF in a header":  func(r *http.Request) { r.Header["X"] = []string{"a\nY: z"} },
		"CR in a header":  func(r *http.Request) { r.Header["X"] = []string{"a\rY: z"} },
		"NUL in a header": func(r *http.Request) { r.Header["X"] = []string{"a\x00"} },
		"name":            func(r *http.Request) { r.Header["X: y\r\nZ"] = []string{"a"} },
		"empty name":      func(r *http.Request) { r.Header[""] = []string{"a"} },
		"host":            func(r *http.Request) { r.Host = "a\r\nX: y" },
		"host of the URL": func(r *http.Request) { r.URL.Host += "\r\nX: y" },
		"https":           func(r *http.Request) { r.URL.Scheme = "https" },
		"upgrade":         func(r *http.Request) { r.Header.Set("Upgrade", "websocket") },
		"no URL":          func(r *http.Request) { r.URL = nil },
	} {
		req := request("POST", server.url+"/", strings.NewReader("abc"))
		body := &closing{Reader: req.Body}
		req.Body = body
		spoil(req)
		if _, _, err := send(newTransport(t, http1.Options{}), req); err == nil || !body.closed.Load() {
			t.Errorf("%s: %v, and the body is closed: %t", name, err, body.closed.Load())
		}
	}
}

type closing struct {
	io.Reader
	closed atomic.Bool
}

func (c *closing) Close() error { c.closed.Store(true); return nil }

func TestSupports(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"https":             func(r *http.Request) { r.URL.Scheme = "https" },
		"CONNECT":           func(r *http.Request) { r.Method = "CONNECT" },
		"Expect":            func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"Upgrade":           func(r *http.Request) { r.Header.Set("Upgrade", "h2c") },
		"Connection":        func(r *http.Request) { r.Header.Set("Connection", "close") },
		"close":             func(r *http.Request) { r.Close = true },
		"trailers":          func(r *http.Request) { r.Trailer = http.Header{"X": nil} },
		"transfer encoding": func(r *http.Request) { r.TransferEncoding = []string{"chunked"} },
		"host beyond ASCII": func(r *http.Request) { r.URL.Host = "bücher.example" },
		"zone":              func(r *http.Request) { r.URL.Host = "[fe80::1%eth0]:80" },
		"empty port":        func(r *http.Request) { r.URL.Host = "example.org:" },
		"no host":           func(r *http.Request) { r.URL.Host = "" },
		"opaque":            func(r *http.Request) { r.URL.Opaque = "//x/y" },
	} {
		req := request("GET", "http://example.org/", nil)
		if !http1.Supports(req) {
			t.Fatal("a plain request is not supported")
		}
		if change(req); http1.Supports(req) {
			t.Errorf("%s: is supported", name)
		}
	}
}

// A body that does not have the length of its Content-Length is an error.
func TestBodiesOfWrongLength(t *testing.T) {
	server := answering(t, okAnswer, false)
	for _, size := range []int{10, 100_000} {
		for _, inMemory := range []bool{true, false} {
			for _, wrong := range []int{-1, 1} {
				req := request("POST", server.url, strings.NewReader(strings.Repeat("x", size)))
				req.ContentLength += int64(wrong)
				if !inMemory {
					req.GetBody = nil
				}
				transport, before := newTransport(t, http1.Options{}), server.accepted.Load()
				_, _, err := send(transport, req)
				if err == nil && wrong > 0 {
					t.Errorf("%d bytes, said to be %d: no error", size, req.ContentLength)
				}
				if _, _, err := get(t, transport, "GET", server.url); err != nil {
					t.Error(err)
				}
				if n := server.accepted.Load() - before; n != 2 {
					t.Errorf("%d bytes, said to be %d: the connection was reused", size, req.ContentLength)
				}
			}
		}
	}
	broken := errors.New("the body's own")
	req := request("POST", server.url, io.MultiReader(strings.NewReader("a"), failing{broken}))
	if _, _, err := send(newTransport(t, http1.Options{}), req); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// With many callers, few connections and all kinds of bodies, each receives its own response.
func TestConcurrentCallers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Query().Has("long") {
			w.(http.Flusher).Flush() // chunked
			body = []byte(strings.Repeat(string(body), 1000))
		}
		w.Write(body)
	}))
	defer server.Close()
	transport := newTransport(t, http1.Options{MaxConns: 4, MaxIdle: 3})
	var wg sync.WaitGroup
	for caller := range 32 {
		wg.Go(func() {
			for i := range 30 {
				text, url, times := fmt.Sprintf("caller %d, call %d;", caller, i), server.URL, 1
				if i%3 == 0 {
					url, times = url+"?long", 1000
				}
				ctx, cancel := context.WithCancel(t.Context())
				req, _ := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(text))
				if i%7 == 6 { // some leave
					go cancel()
				}
				_, got, err := send(transport, req)
				if want := strings.Repeat(text, times); err == nil && got != want {
					t.Errorf("%s: got %.100q", text, got)
				} else if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", text, err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
}

func TestMaxConns(t *testing.T) {
	arrived, proceed := make(chan struct{}), make(chan struct{})
	server := newRawServer(t, func(s *rawServer, _ int64, conn *net.TCPConn, r *bufio.Reader) {
		for {
			if _, _, ok := s.readRequest(r); !ok {
				return
			}
			arrived <- struct{}{}
			<-proceed
			io.WriteString(conn, okAnswer)
		}
	})
	transport := newTransport(t, http1.Options{MaxConns: 1})
	results := make(chan error)
	call := func(ctx context.Context) {
		req, _ := http.NewRequestWithContext(ctx, "GET", server.url, nil)
		_, _, err := send(transport, req)
		results <- err
	}
	go call(t.Context())
	<-arrived
	// The connection is in use: this call waits until its context ends.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	go call(ctx)
	if err := <-results; !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a call that waited: %v", err)
	}
	go call(t.Context()) // this call receives it
	proceed <- struct{}{}
	<-arrived
	proceed <- struct{}{}
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := server.accepted.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// A failed dial returns the permission to open a connection.
func TestMaxConnsAfterFailures(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	transport := newTransport(t, http1.Options{MaxConns: 1})
	for range 3 {
		_, _, err := get(t, transport, "GET", "http://"+address)
		if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "dial" {
			t.Fatalf("got %v", err)
		}
	}
}

// The end of the context ends a call at once, in whatever phase it is.
func TestCancellation(t *testing.T) {
	flood := strings.Repeat("x", 64<<20) // more than a connection holds
	for name, test := range map[string]struct {
		body  string
		reach func(conn net.Conn, r *bufio.Reader) // brings the call to the phase in which it is ended
	}{
		"sending":         {flood, func(_ net.Conn, r *bufio.Reader) { r.ReadByte() }},
		"waiting":         {"", func(_ net.Conn, r *bufio.Reader) { http.ReadRequest(r) }},
		"within the head": {"", func(conn net.Conn, r *bufio.Reader) { http.ReadRequest(r); io.WriteString(conn, "HTTP/1.1 2") }},
		"after interim": {"", func(conn net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
		}},
		"reading": {"", func(conn net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(conn, okAnswer[:len(okAnswer)-1])
		}},
		"reading chunks": {"", func(conn net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{")
		}},
		"reading till EOF": {"", func(conn net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n{")
		}},
		"unpacking": {"", func(conn net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"+gzipped("abc")[:12])
		}},
		"answered, sending": {flood, func(conn net.Conn, _ *bufio.Reader) { io.WriteString(conn, okAnswer[:len(okAnswer)-1]) }},
	} {
		for _, deadline := range []bool{false, true} {
			reached := make(chan struct{})
			server := newRawServer(t, func(s *rawServer, _ int64, conn *net.TCPConn, r *bufio.Reader) {
				test.reach(conn, r)
				close(reached)
				io.Copy(io.Discard, blocked{conn, s.ended})
			})
			ctx, cancel := context.WithCancel(t.Context())
			want := context.Canceled
			if deadline {
				ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
				want = context.DeadlineExceeded
			} else {
				go func() { <-reached; cancel() }()
			}
			req, _ := http.NewRequestWithContext(ctx, "GET", server.url, strings.NewReader(test.body))
			if test.body == "" {
				req.Body = http.NoBody
			}
			_, _, err := send(newTransport(t, http1.Options{}), req)
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
			cancel()
			if server.accepted.Load() > 0 { // or the deadline had passed before it began
				<-server.ended // the connection is closed
			}
		}
	}
	// Before and while dialling: no host has an address in 192.0.2.0/24 (RFC 5737).
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for range 2 {
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://192.0.2.1", nil)
		if _, _, err := send(newTransport(t, http1.Options{}), req); !errors.Is(err, context.DeadlineExceeded) {
			if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" && ctx.Err() == nil {
				t.Log("this machine refuses such addresses at once:", err)
				<-ctx.Done()
				continue
			}
			t.Errorf("dialling: %v", err)
		}
	}
}

// blocked is a body that returns nothing until the other side has closed the connection.
type blocked struct {
	conn  *net.TCPConn
	ended chan struct{}
}

func (b blocked) Read(p []byte) (int, error) {
	n, err := b.conn.Read(p)
	if err != nil {
		b.ended <- struct{}{}
	}
	return n, err
}

// Close ends a Read that is waiting.
func TestCloseWhileReading(t *testing.T) {
	server := answering(t, okAnswer[:len(okAnswer)-1], false)
	transport := newTransport(t, http1.Options{})
	resp, err := transport.RoundTrip(request("GET", server.url, nil))
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := io.ReadAll(resp.Body)
		read <- err
	}()
	<-time.After(time.Millisecond)
	resp.Body.Close()
	if err := <-read; err == nil {
		t.Error("half a body was read without error")
	}
	if _, err := resp.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("reading after closing: %v", err)
	}
	<-server.ended
}

// A server may respond before it has read the request, and then read the rest or not.
func TestEarlyResponses(t *testing.T) {
	for _, reads := range []bool{true, false} {
		server := newRawServer(t, func(s *rawServer, _ int64, conn *net.TCPConn, r *bufio.Reader) {
			for {
				req, err := http.ReadRequest(r)
				if err != nil {
					s.ended <- struct{}{}
					return
				}
				io.WriteString(conn, okAnswer)
				if !reads {
					io.Copy(io.Discard, io.LimitReader(r, 1))
					<-t.Context().Done()
					return
				}
				io.Copy(io.Discard, req.Body)
			}
		})
		transport := newTransport(t, http1.Options{})
		for range 2 {
			_, body, err := send(transport, request("POST", server.url, strings.NewReader(strings.Repeat("x", 32<<20))))
			if err != nil || body != "{}" {
				t.Errorf("reads on %t: %q, %v", reads, body, err)
			}
		}
	}
	// It may also close the connection.
	server := newRawServer(t, func(_ *rawServer, _ int64, conn *net.TCPConn, r *bufio.Reader) {
		http.ReadRequest(r)
		io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
		conn.CloseWrite()
		io.Copy(io.Discard, r) // until the client gives up
	})
	resp, _, err := send(newTransport(t, http1.Options{}), request("POST", server.url, strings.NewReader(strings.Repeat("x", 32<<20))))
	if err != nil || resp.StatusCode != 413 {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestLargeBodiesKeepTheirConnection(t *testing.T) {
	server := answering(t, okAnswer, false)
	transport := newTransport(t, http1.Options{})
	for range 5 {
		if _, _, err := send(transport, request("POST", server.url, strings.NewReader(strings.Repeat("x", 100_000)))); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.accepted.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
