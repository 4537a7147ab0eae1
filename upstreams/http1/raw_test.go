package http1_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
)

// rawServer is a TCP server that sends any bytes.
type rawServer struct {
	url      string
	accepted atomic.Int64
	ended    chan struct{} // receives an element for each connection that the client closed
}

// newRawServer starts a server that calls serve for each connection, the nth of them, and
// closes it when serve returns.
func newRawServer(t testing.TB, serve func(s *rawServer, n int64, conn *net.TCPConn, r *bufio.Reader)) *rawServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{url: "http://" + listener.Addr().String(), ended: make(chan struct{}, 1000)}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			n := s.accepted.Add(1)
			wg.Go(func() {
				defer conn.Close()
				serve(s, n, conn.(*net.TCPConn), bufio.NewReader(conn))
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return s
}

// readRequest reads a request with its body, and reports whether there was one.
func (s *rawServer) readRequest(r *bufio.Reader) (*http.Request, string, bool) {
	req, err := http.ReadRequest(r)
	if err != nil {
		s.ended <- struct{}{}
		return nil, "", false
	}
	body, err := io.ReadAll(req.Body)
	return req, string(body), err == nil
}

// answering starts a server that sends answer for every request. With hangUp it closes the
// connection after the first.
func answering(t testing.TB, answer string, hangUp bool) *rawServer {
	return newRawServer(t, func(s *rawServer, _ int64, conn *net.TCPConn, r *bufio.Reader) {
		for {
			if _, _, ok := s.readRequest(r); !ok {
				return
			}
			io.WriteString(conn, answer)
			if hangUp {
				return
			}
		}
	})
}

// newTransport returns a transport that is closed when the test ends.
func newTransport(t testing.TB, o http1.Options) *http1.Transport {
	t.Helper()
	transport := http1.New(o)
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// get returns the response with its whole body.
func get(t testing.TB, transport http.RoundTripper, method, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(transport, req)
}

func send(transport http.RoundTripper, req *http.Request) (*http.Response, string, error) {
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}
