// Package faulty has a service that fails on purpose, for tests and benchmarks of what calls it.
//
// A Server is put before an http.Handler, which makes the right responses, and spoils their delivery:
// it delays, cuts, floods and falsifies them, in the Mode that Play chooses while it runs. It writes
// bytes to connections itself, since net/http's server cannot be made to send most of the faults. It
// counts the calls that it received, by mode and method, and every change that it carried out, so that a
// test can judge where calls went and whether a change was made once.
//
// Everything exported is safe for concurrent use.
package faulty

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// HealthPath is the path of health checks, which are spoiled like calls, but not counted as such.
const HealthPath = "/healthz"

// Options configure a Server. The zero value is useful.
type Options struct {
	// Address is what the server listens on. Default a free port of 127.0.0.1.
	Address string
	// TLS, if set, has the server's certificate. Default plain HTTP.
	TLS *tls.Config
	// Latency is how long every response takes, whatever the mode. Default none.
	Latency time.Duration
	// Parallel is how many calls have their Latency at the same time; further ones wait. Default no limit.
	Parallel int
	// OnCall, if set, receives each call that is counted, before its response.
	OnCall func(*http.Request)
}

// Fault is what a server does with its calls.
type Fault struct {
	// Mode is the kind of fault. Default Healthy.
	Mode Mode `json:"mode"`
	// Delay is how long a response takes in the mode Latency, the pause between two bytes in Drip, and
	// how long each of its two states lasts in Flap. Default: 3 s, 100 ms and 1 s.
	Delay time.Duration `json:"delay"`
	// Share is how many of the calls are spoiled, above 0 and up to 1; the others are answered as in
	// Healthy. Modes of connections spoil all. Default 1.
	Share float64 `json:"share"`
}

// Server is a service on one address.
type Server struct {
	handler http.Handler
	options Options
	address string
	working chan struct{} // has an element for each call that has its Latency; nil without a limit

	fault atomic.Pointer[playing]
	// playMu makes each Play one change. It is held while the listener is replaced.
	playMu   sync.Mutex
	listener io.Closer // guarded by playMu; nil while connections are refused

	mu     sync.Mutex
	closed bool                  // guarded by mu
	conns  map[net.Conn]struct{} // guarded by mu; those that are open
	counts Counts                // guarded by mu
	done   sync.WaitGroup        // of all goroutines
}

// playing is a fault since a time.
type playing struct {
	Fault
	since time.Time
}

// Counts are the calls since the start or since Reset.
type Counts struct {
	// Connections is how many connections were accepted.
	Connections int `json:"connections"`
	// Calls has the received calls by mode and method. A call that was answered without a fault,
	// because of Share or Flap, counts for Healthy.
	Calls map[Mode]map[string]int `json:"calls"`
	// Checks is how many requests had the HealthPath.
	Checks int `json:"checks"`
	// Changes has how often each request was carried out that is not a GET, a HEAD or an OPTIONS, by
	// method, target and body.
	Changes map[string]int `json:"changes"`
	// Waiting is how many calls are being held: the client still waits for them.
	Waiting int `json:"waiting"`
	// Open is how many connections are open.
	Open int `json:"open"`
}

// Total returns the number of calls.
func (c Counts) Total() (n int) {
	for _, methods := range c.Calls {
		for _, calls := range methods {
			n += calls
		}
	}
	return n
}

// Spoiled returns the number of calls that were not answered as in Healthy.
func (c Counts) Spoiled() int {
	n := c.Total()
	for _, calls := range c.Calls[Healthy] {
		n -= calls
	}
	return n
}

// Start starts a server, healthy, before a handler that makes the right responses.
func Start(handler http.Handler, o Options) (*Server, error) {
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	s := &Server{handler: handler, options: o, conns: map[net.Conn]struct{}{}}
	if o.Parallel > 0 {
		s.working = make(chan struct{}, o.Parallel)
	}
	s.reset()
	s.fault.Store(&playing{Fault: Fault{Mode: Healthy}, since: time.Now()})
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, err
	}
	s.address = l.Addr().String()
	s.accept(l)
	return s, nil
}

// Address returns the host and port of the server, in every mode the same.
func (s *Server) Address() string { return s.address }

// URL returns the base URL of the server.
func (s *Server) URL() string {
	if s.options.TLS != nil {
		return "https://" + s.address
	}
	return "http://" + s.address
}

// Play begins another fault. Calls that are running end as they began, except that Refuse ends all
// connections, as the crash of a process does.
func (s *Server) Play(f Fault) error {
	if f.Mode == "" {
		f.Mode = Healthy
	}
	m, ok := modes[f.Mode]
	if !ok {
		return fmt.Errorf("faulty: there is no mode %q", f.Mode)
	}
	if f.Delay == 0 {
		f.Delay = m.delay
	}
	if f.Share == 0 {
		f.Share = 1
	}
	s.playMu.Lock()
	defer s.playMu.Unlock()
	if err := s.listen(f.Mode); err != nil {
		return fmt.Errorf("faulty: %s on %s: %w", f.Mode, s.address, err)
	}
	s.fault.Store(&playing{f, time.Now()})
	if m.conn != nil || f.Mode == Refuse {
		s.closeConns()
	}
	return nil
}

// listen puts the address into the state that a mode needs. playMu is held.
func (s *Server) listen(next Mode) error {
	now := s.fault.Load().Mode
	if next == now || next != Refuse && next != Blackhole && now != Refuse && now != Blackhole {
		return nil
	}
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
	}
	switch next {
	case Refuse:
		return nil
	case Blackhole:
		hole, err := blackhole(s.address)
		s.listener = hole
		return err
	}
	l, err := listenAgain(s.address)
	if err != nil {
		return err
	}
	s.accept(l)
	return nil
}

// listenAgain listens on an address that was given up. Another process may hold it for a moment, as the
// port of an outgoing connection.
func listenAgain(address string) (net.Listener, error) {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		l, err := net.Listen("tcp", address)
		if err == nil || time.Now().After(end) {
			return l, err
		}
	}
}

// accept serves the connections of l until it is closed. playMu is held, or s is not shared yet.
func (s *Server) accept(l net.Listener) {
	s.listener = l
	s.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if !s.add(conn) {
				_ = conn.Close()
				return
			}
			s.done.Go(func() {
				defer s.remove(conn)
				s.serve(conn)
			})
		}
	})
}

// add counts a connection. It reports whether the server is still open.
func (s *Server) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[conn] = struct{}{}
	s.counts.Connections++
	return true
}

func (s *Server) remove(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

func (s *Server) closeConns() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// serve responds to the requests of a connection.
func (s *Server) serve(conn net.Conn) {
	if m := modes[s.fault.Load().Mode]; m.conn != nil {
		m.conn(s, conn)
		return
	}
	stream := conn
	if s.options.TLS != nil {
		stream = tls.Server(conn, s.options.TLS)
	}
	r := bufio.NewReader(stream)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		e := &exchange{server: s, fault: s.choose(), conn: stream, tcp: conn, r: r, request: req}
		if m := modes[e.fault.Mode]; m.unreached {
			m.play(e)
			return
		}
		s.count(req, e.fault.Mode, body)
		e.response = s.respond(req)
		if !s.work(e) || !modes[e.fault.Mode].play(e) || req.Close {
			return
		}
	}
}

// work lets the Latency of a call pass. It reports whether the client has waited.
func (s *Server) work(e *exchange) bool {
	if s.options.Latency <= 0 {
		return true
	}
	if s.working != nil {
		s.working <- struct{}{}
		defer func() { <-s.working }()
	}
	return e.wait(s.options.Latency)
}

// choose returns the fault of the next call.
func (s *Server) choose() Fault {
	p := s.fault.Load()
	f := p.Fault
	if f.Mode == Flap {
		f.Mode = Status500
		if time.Since(p.since)/f.Delay%2 == 0 {
			f.Mode = Healthy
		}
	}
	if f.Share < 1 && rand.Float64() >= f.Share {
		f.Mode = Healthy
	}
	return f
}

// count counts a call, and that a change will be carried out.
func (s *Server) count(req *http.Request, m Mode, body []byte) {
	if req.URL.Path == HealthPath {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.counts.Checks++
		return
	}
	if s.options.OnCall != nil {
		s.options.OnCall(req)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts.Calls[m] == nil {
		s.counts.Calls[m] = map[string]int{}
	}
	s.counts.Calls[m][req.Method]++
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		s.counts.Changes[req.Method+" "+req.RequestURI+" "+string(body)]++
	}
}

// respond returns the right response, which the fault spoils.
func (s *Server) respond(req *http.Request) *recorder {
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	s.handler.ServeHTTP(w, req)
	return w
}

// recorder is an http.ResponseWriter that keeps the response.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

// Counts returns the calls since the start or since Reset.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Open = len(s.conns)
	c.Changes = maps.Clone(c.Changes)
	c.Calls = map[Mode]map[string]int{}
	for m, methods := range s.counts.Calls {
		c.Calls[m] = maps.Clone(methods)
	}
	return c
}

// Reset sets all counts to zero, except Waiting and Open.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset()
}

func (s *Server) reset() {
	s.counts = Counts{Calls: map[Mode]map[string]int{}, Changes: map[string]int{}, Waiting: s.counts.Waiting}
}

// Close ends the server and all connections, and waits for its goroutines.
func (s *Server) Close() {
	s.playMu.Lock()
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
	}
	s.playMu.Unlock()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.closeConns()
	s.done.Wait()
}
