package front_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// attacker is a client of HTTP/2 that writes frames itself.
type attacker struct {
	net.Conn
	*http2.Framer // of buffered
	buffered      *bufio.Writer
	header        bytes.Buffer
	encoder       *hpack.Encoder
	next          uint32 // stream
	received      atomic.Int64
	ended         chan struct{}  // closed when the server has closed the connection
	goAway        atomic.Uint32  // the code of GOAWAY, plus one; 0 without one
	settings      chan [2]uint32 // MAX_CONCURRENT_STREAMS and MAX_FRAME_SIZE of the server
}

// newAttacker connects to a server. It reads what the server sends, unless it is deaf.
func newAttacker(t *testing.T, s *secured, deaf bool) *attacker {
	t.Helper()
	below, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { below.Close() })
	_ = below.(*net.TCPConn).SetReadBuffer(4096)
	conn := tls.Client(below, &tls.Config{RootCAs: s.authority.Pool(), ServerName: "localhost", NextProtos: []string{"h2"}})
	buffered := bufio.NewWriterSize(conn, 16<<10)
	a := &attacker{Conn: conn, Framer: http2.NewFramer(buffered, conn), buffered: buffered, next: 1, ended: make(chan struct{}), settings: make(chan [2]uint32, 1)}
	a.AllowIllegalWrites = true
	a.encoder = hpack.NewEncoder(&a.header)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.WriteSettings(), buffered.Flush()); err != nil {
		t.Fatal(err)
	}
	if !deaf {
		go a.read()
	}
	return a
}

func (a *attacker) read() {
	defer close(a.ended)
	for {
		frame, err := a.ReadFrame()
		if err != nil {
			return
		}
		a.received.Add(1)
		switch f := frame.(type) {
		case *http2.GoAwayFrame:
			a.goAway.Store(uint32(f.ErrCode) + 1)
		case *http2.SettingsFrame:
			if !f.IsAck() {
				streams, _ := f.Value(http2.SettingMaxConcurrentStreams)
				size, _ := f.Value(http2.SettingMaxFrameSize)
				a.settings <- [2]uint32{streams, size}
			}
		}
	}
}

// fields returns the encoded fields of a request.
func (a *attacker) fields(more ...string) []byte {
	a.header.Reset()
	for _, field := range append([]string{":method GET", ":scheme https", ":authority h", ":path /graphql?query={n}"}, more...) {
		name, value, _ := strings.Cut(field, " ")
		_ = a.encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	return a.header.Bytes()
}

// open opens a stream with a request that has no body.
func (a *attacker) open(more ...string) (stream uint32, err error) {
	stream = a.next
	a.next += 2
	return stream, a.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: a.fields(more...), EndStream: true, EndHeaders: true})
}

// Floods of HTTP/2 that have cost other servers their memory or their processors: each is ended by the server,
// or costs little enough that another client is served meanwhile. The work of a flood is bounded by the streams
// that may run at the same time.
func TestFloodsOfHTTP2(t *testing.T) {
	const streams = 20
	for name, c := range map[string]struct {
		deaf bool
		code http2.ErrCode // of GOAWAY, if the server ends the flood
		ends bool          // the server ends the flood
		send func(a *attacker) error
	}{
		"rapid reset (CVE-2023-44487)": {ends: true, send: func(a *attacker) error {
			stream, err := a.open()
			return errors.Join(err, a.WriteRSTStream(stream, http2.ErrCodeCancel))
		}},
		"resets that the server makes (CVE-2025-8671)": {send: func(a *attacker) error {
			stream, err := a.open()
			return errors.Join(err, a.WriteWindowUpdate(stream, 1<<31-1)) // overflows the window
		}},
		"CONTINUATION without end (CVE-2023-45288)": {ends: true, code: http2.ErrCodeProtocol, send: func(a *attacker) error {
			if a.next == 1 {
				a.next = 3
				return a.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: a.fields()})
			}
			return a.WriteContinuation(1, false, bytes.Repeat([]byte("\x40\x01a\x01b"), 1000))
		}},
		"empty CONTINUATION (CVE-2019-9518)": {send: func(a *attacker) error {
			if a.next == 1 {
				a.next = 3
				return a.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: a.fields()})
			}
			return a.WriteContinuation(1, false, nil)
		}},
		"settings, unread (CVE-2019-9515)": {deaf: true, send: func(a *attacker) error {
			return a.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 16})
		}},
		"ping, unread (CVE-2019-9512)": {deaf: true, send: func(a *attacker) error {
			return a.WritePing(false, [8]byte{})
		}},
		"ping":     {send: func(a *attacker) error { return a.WritePing(false, [8]byte{}) }},
		"settings": {send: func(a *attacker) error { return a.WriteSettings() }},
		"priority (CVE-2019-9513)": {send: func(a *attacker) error {
			return a.WritePriority(uint32(1+2*(a.received.Load()%1000)), http2.PriorityParam{StreamDep: 7, Weight: 9})
		}},
		"requests with a zero window (CVE-2019-9517)": {deaf: true, send: func(a *attacker) error {
			if a.next == 1 {
				if err := a.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}); err != nil {
					return err
				}
			}
			_, err := a.open()
			return err
		}},
		"streams beyond the limit": {send: func(a *attacker) error { _, err := a.open(); return err }},
		"large indexed fields (CVE-2016-6581)": {send: func(a *attacker) error {
			_, err := a.open("x-large " + strings.Repeat("x", 3000))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var running, most atomic.Int64
			s := newSecured(t, front.Options{HTTP: front.HTTP{HTTP2: front.HTTP2{MaxConcurrentStreams: streams}}}, front.ServeOptions{Grace: time.Second},
				func(ctx context.Context) *graphql.Response {
					for n := running.Add(1); ; {
						if before := most.Load(); n <= before || most.CompareAndSwap(before, n) {
							break
						}
					}
					defer running.Add(-1)
					select { // as a service that takes its time, and does not notice
					case <-time.After(50 * time.Millisecond):
					case <-t.Context().Done():
					}
					return &graphql.Response{Data: []byte(`{"n":1}`)}
				})
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			a := newAttacker(t, s, c.deaf)
			ended := false
			until := time.Now().Add(time.Second)
			sent := 0
			_ = a.SetWriteDeadline(until.Add(time.Second))
			for ; time.Now().Before(until); sent++ {
				if err := c.send(a); err != nil {
					timeout, ok := errors.AsType[net.Error](err)
					ended = !ok || !timeout.Timeout()
					break
				}
				if sent%1000 == 0 { // another client is served meanwhile
					begin := time.Now()
					if got := s.getHealth(t); got != 200 {
						t.Fatalf("another client got %d", got)
					}
					if took := time.Since(begin); took > time.Second {
						t.Errorf("another client waited %s", took)
					}
				}
			}
			if err := a.buffered.Flush(); err != nil {
				timeout, ok := errors.AsType[net.Error](err)
				ended = !ok || !timeout.Timeout()
			}
			if c.ends && !ended {
				select {
				case <-a.ended:
					ended = true
				case <-time.After(time.Second):
				}
			}
			if c.ends && !ended {
				t.Errorf("the server did not end the flood of %d frames", sent)
			}
			if c.code != 0 {
				<-a.ended
				if got := http2.ErrCode(a.goAway.Load() - 1); got != c.code {
					t.Errorf("GOAWAY has the code %s, want %s", got, c.code)
				}
			}
			if got := most.Load(); got > streams {
				t.Errorf("%d operations ran at the same time, and the limit is %d", got, streams)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			grown := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 10
			if grown > 8<<10 {
				t.Errorf("%d KB of memory are held", grown)
			}
			t.Logf("%d sent, ended by the server: %t, at most %d operations, %d KB held", sent, ended, most.Load(), grown)
		})
	}
}

// getHealth returns the status of the health check over a new connection.
func (s *secured) getHealth(t *testing.T) int {
	t.Helper()
	conn, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.authority.Pool()})
	if err != nil {
		return 0
	}
	defer conn.Close()
	return newClient(conn).get("/healthz")
}

// The settings that a client sees are those of the gateway.
func TestSettingsOfHTTP2(t *testing.T) {
	for limit, want := range map[int]uint32{0: 100, 7: 7} {
		s := newSecured(t, front.Options{HTTP: front.HTTP{HTTP2: front.HTTP2{MaxConcurrentStreams: limit}}}, front.ServeOptions{}, nil)
		if got := <-newAttacker(t, s, false).settings; got != [2]uint32{want, 16 << 10} {
			t.Errorf("streams and size of frames are %d", got)
		}
	}
}

// A client that cancels requests now and then, more often than maxResets in all, keeps its connection, and one
// that cancels nearly all of them loses it, over TLS and without.
func TestMaxResets(t *testing.T) {
	for name, c := range map[string]struct {
		cancelled, kept int // requests in turn
		closed          bool
	}{
		"a third":      {1, 2, false},
		"nearly all":   {9, 1, true},
		"all":          {1, 0, true},
		"none of many": {0, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSecured(t, front.Options{HTTP: front.HTTP{HTTP2: front.HTTP2{MaxResets: 20}}}, front.ServeOptions{}, func(ctx context.Context) *graphql.Response {
				if graphql.GetOperationContext(ctx).OperationName == "Slow" {
					<-ctx.Done()
				}
				return &graphql.Response{Data: []byte(`{"set":1}`)}
			})
			transport := s.transport(t, "h2")
			var dials atomic.Int64
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials.Add(1)
				return new(net.Dialer).DialContext(ctx, network, address)
			}
			for range 100 / (c.cancelled + c.kept) {
				for range c.cancelled {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
					r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/graphql?operationName=Slow&query="+url.QueryEscape("query Slow {n}"), nil)
					if response, err := transport.RoundTrip(r); err == nil {
						response.Body.Close()
						t.Error("the slow request has a response")
					}
					cancel()
				}
				for range c.kept {
					_ = mutate(transport, s.url, "h2") // may be lost with the connection
				}
			}
			if wrong := mutate(transport, s.url, "h2"); wrong != "" {
				t.Error("after the end of the connection:", wrong)
			}
			if got := s.front.Load().Connections.Reset; (got > 0) != c.closed || c.closed && dials.Load() < 2 { // a client may dial again for reasons of its own
				t.Errorf("%d connections were closed, %d opened", got, dials.Load())
			}
		})
	}
}
