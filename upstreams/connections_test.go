package upstreams_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// speaking is a server that speaks some protocols, and answers with the one of the request. It
// knows its CA file, and the number of its open connections and of all.
type speaking struct {
	*httptest.Server
	authority    string
	open, opened atomic.Int64
}

func newSpeaking(t *testing.T, encrypted bool, set func(*http.Protocols)) *speaking {
	t.Helper()
	s := &speaking{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/slow":
			time.Sleep(300 * time.Millisecond)
		case "/short":
			time.Sleep(5 * time.Millisecond)
		}
		fmt.Fprintf(w, "%q", r.Proto)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Config.Protocols = new(http.Protocols)
	set(s.Config.Protocols)
	s.EnableHTTP2 = s.Config.Protocols.HTTP2()
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.open.Add(1)
			s.opened.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.open.Add(-1)
		}
	}
	if encrypted {
		s.StartTLS()
		s.authority = authorityOf(t, s.Server)
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *speaking) source(protocol string) upstreams.Source {
	return upstreams.Source{URLs: upstreams.URLs(s.URL), Protocol: protocol, TLS: upstreams.TLS{CAFile: s.authority}}
}

func http1Only(p *http.Protocols) { p.SetHTTP1(true) }
func both(p *http.Protocols)      { p.SetHTTP1(true); p.SetHTTP2(true) }
func h2Only(p *http.Protocols)    { p.SetHTTP2(true) }
func h2cOnly(p *http.Protocols)   { p.SetUnencryptedHTTP2(true) }

func TestProtocols(t *testing.T) {
	for _, test := range []struct {
		name      string
		encrypted bool
		server    func(*http.Protocols)
		protocol  string
		want      string // empty: the call fails
	}{
		{"http, auto", false, http1Only, "", "HTTP/1.1"},
		{"http, http1", false, http1Only, "http1", "HTTP/1.1"},
		{"http, h2c", false, h2cOnly, "h2c", "HTTP/2.0"},
		{"http that lacks h2c", false, http1Only, "h2c", ""},
		{"http with h2c alone, auto", false, h2cOnly, "auto", ""},
		{"https, auto", true, both, "auto", "HTTP/2.0"},
		{"https, http1", true, both, "http1", "HTTP/1.1"},
		{"https, h2", true, both, "h2", "HTTP/2.0"},
		{"https with h2 alone", true, h2Only, "auto", "HTTP/2.0"},
		{"https that lacks h2, auto", true, http1Only, "auto", "HTTP/1.1"},
		{"https that lacks h2", true, http1Only, "h2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := newSpeaking(t, test.encrypted, test.server)
			services := newServices(t, server.source(test.protocol))
			for _, call := range []*rest.Call{get(), rest.New(http.MethodPost, "/").JSON(map[string]int{"a": 1})} {
				r, err := services.Do(t.Context(), "users", call)
				if test.want == "" {
					if fault.CodeOf(err) != fault.DownstreamService {
						t.Errorf("%v: %v", r, err)
					}
					continue
				}
				if err != nil || string(r.Body) != fmt.Sprintf("%q", test.want) {
					t.Errorf("%v: %v, want %s", r, err, test.want)
				}
			}
		})
	}
}

func TestMistakesInProtocol(t *testing.T) {
	for _, test := range []struct {
		source upstreams.Source
		want   string
	}{
		{upstreams.Source{URLs: upstreams.URLs("http://a"), Protocol: "HTTP2"}, `source "users": protocol: unknown protocol "HTTP2": write auto, http1, h2 or h2c`},
		{upstreams.Source{URLs: upstreams.URLs("https://a"), Protocol: "h2c"}, `source "users": urls[0] is with TLS, and protocol h2c is without: write h2, or http://`},
		{upstreams.Source{URLs: upstreams.URLs("https://a", "unix:///a"), Protocol: "h2"}, `source "users": urls[1] is without TLS, and protocol h2 is over TLS: write h2c, or https://`},
	} {
		if _, err := upstreams.New(upstreams.Options{"users": test.source}, nil); err == nil || err.Error() != test.want {
			t.Errorf("%+v: %v, want %s", test.source, err, test.want)
		}
	}
}

// A connection is closed when it has its age, between two calls, by whichever transport. A call that
// runs longer is not disturbed.
func TestConnectionsHaveLongestAge(t *testing.T) {
	const age = 100 * time.Millisecond
	for _, test := range []struct {
		name      string
		encrypted bool
		protocol  string
		server    func(*http.Protocols)
	}{
		{"http1", false, "auto", http1Only},
		{"h2c", false, "h2c", h2cOnly},
		{"https", true, "http1", both},
		{"h2", true, "h2", both},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := newSpeaking(t, test.encrypted, test.server)
			source := server.source(test.protocol)
			source.Pool.MaxAge = age
			services := newServices(t, source)
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := services.Do(t.Context(), "users", rest.New(http.MethodPost, "/slow")); err != nil {
					t.Errorf("a call that is older than its connection may be: %v", err)
				}
			})
			for started := time.Now(); time.Since(started) < 10*age; time.Sleep(5 * time.Millisecond) {
				if _, err := services.Do(t.Context(), "users", rest.New(http.MethodPost, "/")); err != nil {
					t.Errorf("%v", err)
				}
				if n := server.open.Load(); n > 4 {
					t.Fatalf("%d connections are open", n)
				}
			}
			wg.Wait()
			if n := server.opened.Load(); n < 6 || n > 25 {
				t.Errorf("%d connections within ten times their age", n)
			}
			services.Close()
			eventually(t, "all are closed", func() bool { return server.open.Load() == 0 })
		})
	}
}

// Calls that run while the services are closed end as usual, and their connections are closed then,
// also those of HTTP/2, whose streams end a moment later than their responses.
func TestCloseDuringCalls(t *testing.T) {
	for _, test := range []struct {
		name      string
		encrypted bool
		protocol  string
		server    func(*http.Protocols)
	}{
		{"http1", false, "auto", http1Only},
		{"h2c", false, "h2c", h2cOnly},
		{"https", true, "http1", both},
		{"h2", true, "h2", both},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := newSpeaking(t, test.encrypted, test.server)
			for range 20 {
				services := newServices(t, server.source(test.protocol))
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						if _, err := services.Do(context.Background(), "users", rest.New(http.MethodPost, "/short")); err != nil {
							t.Errorf("%v", err)
						}
					})
				}
				time.Sleep(2 * time.Millisecond)
				services.Close()
				wg.Wait()
				eventually(t, "all connections are closed", func() bool { return server.open.Load() == 0 })
			}
		})
	}
}

// Without limit, and within the limit, connections are reused.
func TestConnectionsAreReused(t *testing.T) {
	for _, age := range []time.Duration{0, -1} {
		for _, encrypted := range []bool{false, true} {
			server := newSpeaking(t, encrypted, http1Only)
			source := server.source("")
			source.Pool.MaxAge = age
			services := newServices(t, source)
			for range 20 {
				if _, err := services.Do(t.Context(), "users", get()); err != nil {
					t.Fatal(err)
				}
			}
			if n := server.opened.Load(); n != 1 {
				t.Errorf("age %v: %d connections for 20 calls", age, n)
			}
		}
	}
}

// The URL of a socket has a path behind a colon, and requests name localhost.
func TestUnixSockets(t *testing.T) {
	for _, protocol := range []string{"auto", "h2c"} {
		socket := filepath.Join(t.TempDir(), "users.sock")
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Skip(err)
		}
		var open atomic.Int64
		server := &http.Server{
			Protocols: &bothProtocols,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "%q", fmt.Sprint(r.ProtoMajor, " ", r.Host, " ", r.URL.Path))
			}),
			ConnState: func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					open.Add(1)
				}
			},
		}
		var wg sync.WaitGroup
		wg.Go(func() { server.Serve(l) })
		major := map[string]string{"auto": "1", "h2c": "2"}[protocol]
		for url, path := range map[string]string{
			"unix://" + socket:            "/users/1",
			"unix:" + socket:              "/users/1",
			"unix://" + socket + ":/":     "/users/1",
			"unix://" + socket + ":/api/": "/api/users/1",
		} {
			open.Store(0)
			services := newServices(t, upstreams.Source{URLs: upstreams.URLs(url), Protocol: protocol})
			for range 3 {
				r, err := services.Do(t.Context(), "users", rest.New("GET", "/users/").Segment(1))
				if want := fmt.Sprintf("%q", major+" localhost "+path); err != nil || string(r.Body) != want {
					t.Errorf("%s: %v, %v, want %s", url, r, err, want)
				}
			}
			if n := open.Load(); n != 1 {
				t.Errorf("%s by %s: %d connections for 3 calls", url, protocol, n)
			}
			services.Close()
		}
		server.Close()
		wg.Wait()
		services := newServices(t, upstreams.Source{URLs: upstreams.URLs("unix://" + socket)})
		if _, err := services.Do(t.Context(), "users", get()); fault.CodeOf(err) != fault.DownstreamService {
			t.Errorf("a socket at which nothing listens: %v", err)
		}
	}
}

func TestMistakesInSockets(t *testing.T) {
	for url, want := range map[string]string{
		"unix://":             "has no absolute path of a socket",
		"unix:run/x.sock":     "has no absolute path of a socket",
		"unix:///":            "has no absolute path of a socket",
		"unix:///x.sock:/a?b": "has a query or fragment",
	} {
		_, err := upstreams.New(upstreams.Options{"users": {URLs: upstreams.URLs(url)}}, nil)
		if err == nil || !contains(err, "urls[0] "+want) {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
}

// A replica whose TLS is broken, or hangs, is passed over within connectTimeout, also for a call
// that must not be repeated: nothing of it was sent.
func TestBrokenTLSIsPassedOver(t *testing.T) {
	for _, how := range []string{"hangs", "is not TLS", "closes", "has another certificate"} {
		t.Run(how, func(t *testing.T) {
			broken := brokenTLS(t, how)
			server := newSpeaking(t, true, both)
			source := server.source("")
			source.URLs = upstreams.URLs("https://"+broken, server.URL)
			source.ConnectTimeout = 200 * time.Millisecond
			services := newServices(t, source)
			for range 4 {
				started := time.Now()
				_, err := services.Do(t.Context(), "users", rest.New(http.MethodPost, "/"))
				if took := time.Since(started); err != nil || took > time.Second {
					t.Errorf("%v after %v", err, took)
				}
			}
		})
	}
}

// brokenTLS starts a server with which no handshake succeeds, and returns its address.
func brokenTLS(t *testing.T, how string) string {
	t.Helper()
	if how == "has another certificate" {
		return startWithCertificate(t, newAuthority(t, "another").issue(t, "127.0.0.1"))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				switch how {
				case "hangs":
					<-ctx.Done()
				case "is not TLS":
					io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

// startWithCertificate starts a server with a certificate, and returns its address.
func startWithCertificate(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
