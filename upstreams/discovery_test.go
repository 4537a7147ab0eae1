package upstreams_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/discovery"
	"github.com/gatehouse-graphql/gatehouse/upstreams/discovery/dnstest"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// host is a server at one address of loopback. It knows its open connections and counts its calls.
type host struct {
	address string // an IP address
	port    int
	calls   atomic.Int64
	open    atomic.Int64
	opened  atomic.Int64
	server  *http.Server
	done    chan struct{}
}

// newHosts starts servers at 127.0.0.1, 127.0.0.2 and so on, all at one port, as the pods of a
// service are. A nil handler responds with "{}".
func newHosts(t *testing.T, n int, handler http.HandlerFunc) []*host {
	t.Helper()
	for range 20 {
		if hosts := tryHosts(t, n, handler); hosts != nil {
			return hosts
		}
	}
	t.Skip("no port that is free at all addresses of loopback")
	return nil
}

func tryHosts(t *testing.T, n int, handler http.HandlerFunc) (hosts []*host) {
	t.Helper()
	port := 0
	for i := range n {
		address := fmt.Sprintf("127.0.0.%d", i+1)
		l, err := net.Listen("tcp", net.JoinHostPort(address, fmt.Sprint(port)))
		if err != nil {
			for _, h := range hosts {
				h.stop()
			}
			return nil
		}
		port = l.Addr().(*net.TCPAddr).Port
		h := &host{address: address, port: port, done: make(chan struct{})}
		h.server = &http.Server{
			ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
			Protocols: &bothProtocols,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.calls.Add(1)
				if handler != nil {
					handler(w, r)
					return
				}
				io.WriteString(w, "{}")
			}),
			ConnState: func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					h.open.Add(1)
					h.opened.Add(1)
				case http.StateClosed, http.StateHijacked:
					h.open.Add(-1)
				}
			},
		}
		go func() {
			defer close(h.done)
			h.server.Serve(l)
		}()
		t.Cleanup(h.stop)
		hosts = append(hosts, h)
	}
	return hosts
}

// bothProtocols are HTTP/1.1 and h2c.
var bothProtocols = func() (p http.Protocols) {
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}()

func (h *host) stop() {
	h.server.Close()
	<-h.done
}

func newDNS(t *testing.T) *dnstest.Server {
	t.Helper()
	s, err := dnstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// named returns a source whose name the server resolves.
func named(dns *dnstest.Server, port int) upstreams.Source {
	return upstreams.Source{
		URLs:      upstreams.URLs(fmt.Sprintf("http://users.test.:%d", port)),
		Discovery: discovery.Options{Nameserver: dns.Addr, MinTTL: 100 * time.Millisecond, MaxTTL: 300 * time.Millisecond},
	}
}

// load calls a source from several goroutines until stop is called, which returns the errors.
func load(t *testing.T, s *upstreams.Services) (stop func() []error) {
	t.Helper()
	var (
		wg    sync.WaitGroup
		over  atomic.Bool
		mu    sync.Mutex
		faced []error
	)
	for range 4 {
		wg.Go(func() {
			for !over.Load() {
				r, err := s.Do(context.Background(), "users", get())
				if err != nil {
					mu.Lock()
					faced = append(faced, err)
					mu.Unlock()
					continue
				}
				r.Release()
			}
		})
	}
	return func() []error {
		over.Store(true)
		wg.Wait()
		return faced
	}
}

// A service that moves is followed under load without an error, although the old address still
// answers, and the connections to that one are closed.
func TestMovedServiceIsFollowed(t *testing.T) {
	for _, protocol := range []string{"http1", "h2c"} {
		t.Run(protocol, func(t *testing.T) {
			dns, hosts := newDNS(t), newHosts(t, 2, func(w http.ResponseWriter, r *http.Request) {
				if (r.ProtoMajor == 2) != (protocol == "h2c") {
					t.Errorf("called by %s", r.Proto)
				}
				time.Sleep(2 * time.Millisecond) // so that there are calls at every moment
				io.WriteString(w, "{}")
			})
			dns.Set("users.test", dnstest.Zone{Addresses: []string{hosts[0].address}})
			source := named(dns, hosts[0].port)
			source.Protocol = protocol
			stop := load(t, newServices(t, source))
			eventually(t, "calls arrive", func() bool { return hosts[0].calls.Load() > 20 })

			dns.Set("users.test", dnstest.Zone{Addresses: []string{hosts[1].address}})
			changed := time.Now()
			eventually(t, "the new address is used", func() bool { return hosts[1].calls.Load() > 20 })
			eventually(t, "the connections to the old address are closed", func() bool { return hosts[0].open.Load() == 0 })
			t.Logf("followed within %v", time.Since(changed))
			before := hosts[0].calls.Load()
			eventually(t, "calls arrive", func() bool { return hosts[1].calls.Load() > 100 })
			if n := hosts[0].calls.Load() - before; n > 0 {
				t.Errorf("%d calls to the old address", n)
			}
			for _, err := range stop() {
				t.Errorf("a call failed: %v", err)
			}
		})
	}
}

// Each address of a name is a replica, as the pods of a headless service of Kubernetes are.
func TestAddressesOfNameAreReplicas(t *testing.T) {
	dns, hosts := newDNS(t), newHosts(t, 3, nil)
	dns.Set("users.test", dnstest.Zone{Addresses: []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}})
	services := newServices(t, named(dns, hosts[0].port))
	// The first calls may come before the first lookup has ended; they are dialed by name.
	eventually(t, "all addresses are used", func() bool {
		if _, err := services.Do(t.Context(), "users", get()); err != nil {
			t.Fatal(err)
		}
		return hosts[0].calls.Load()*hosts[1].calls.Load()*hosts[2].calls.Load() > 0
	})
	for _, h := range hosts {
		h.calls.Store(0)
	}
	for range 30 {
		if _, err := services.Do(t.Context(), "users", get()); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range hosts {
		if n := h.calls.Load(); n != 10 {
			t.Errorf("%s had %d of 30 calls", h.address, n)
		}
	}
	// One of them leaves, another one stays as it is.
	opened := hosts[1].opened.Load()
	dns.Set("users.test", dnstest.Zone{Addresses: []string{"127.0.0.2", "127.0.0.3"}})
	eventually(t, "connections are closed", func() bool { return hosts[0].open.Load() == 0 })
	for range 10 {
		if _, err := services.Do(t.Context(), "users", get()); err != nil {
			t.Fatal(err)
		}
	}
	if n := hosts[1].opened.Load() - opened; n != 0 {
		t.Errorf("%d connections were opened to an address that stayed", n)
	}
}

// An address that refuses connections has its name looked up at once, long before the TTL.
func TestDeadAddressIsLookedUpAtOnce(t *testing.T) {
	dns, hosts := newDNS(t), newHosts(t, 2, nil)
	dns.Set("users.test", dnstest.Zone{TTL: time.Hour, Addresses: []string{hosts[0].address}})
	source := named(dns, hosts[0].port)
	source.Discovery.MaxTTL = time.Hour
	services := newServices(t, source)
	eventually(t, "the name is resolved", func() bool { return dns.Queries("users.test") >= 2 })
	if _, err := services.Do(t.Context(), "users", get()); err != nil {
		t.Fatal(err)
	}
	dns.Set("users.test", dnstest.Zone{TTL: time.Hour, Addresses: []string{hosts[1].address}})
	hosts[0].stop()
	died := time.Now()
	eventually(t, "the new address is used", func() bool {
		_, err := services.Do(t.Context(), "users", get())
		return err == nil
	})
	t.Logf("followed within %v", time.Since(died))
}

// A name server that fails in whatever way changes nothing, and is reported once.
func TestFailingNameServerChangesNothing(t *testing.T) {
	dns, hosts := newDNS(t), newHosts(t, 1, nil)
	var log lockedBuffer
	dns.Set("users.test", dnstest.Zone{Addresses: []string{hosts[0].address}})
	services, err := upstreams.New(upstreams.Options{"users": named(dns, hosts[0].port)}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	stop := load(t, services)
	eventually(t, "the name is resolved", func() bool { return strings.Contains(log.String(), "backend addresses changed") })
	for _, zone := range []dnstest.Zone{{RCode: dnsmessage.RCodeServerFailure}, {}, {RCode: dnsmessage.RCodeRefused}} {
		dns.Set("users.test", zone)
		before := dns.Queries("users.test")
		eventually(t, "the name is looked up again", func() bool { return dns.Queries("users.test") > before+6 })
	}
	dns.Remove("users.test") // NXDOMAIN
	before := dns.Queries("users.test")
	eventually(t, "the name is looked up again", func() bool { return dns.Queries("users.test") > before+6 })
	dns.Set("users.test", dnstest.Zone{Addresses: []string{hosts[0].address}})
	eventually(t, "the name is resolved again", func() bool { return strings.Contains(log.String(), "is resolved again") })
	for _, err := range stop() {
		t.Errorf("a call failed: %v", err)
	}
	if n := strings.Count(log.String(), "cannot be resolved"); n != 1 || hosts[0].opened.Load() > 8 {
		t.Errorf("%d lines, %d connections; the log:\n%s", n, hosts[0].opened.Load(), log.String())
	}
}

// SRV records have hosts with ports and priorities: the lowest is used, and the next one while none
// of it can be reached.
func TestSRV(t *testing.T) {
	dns, hosts := newDNS(t), newHosts(t, 3, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%q", r.Host) })
	port := uint16(hosts[0].port)
	dns.Set("_http._tcp.users.test", dnstest.Zone{SRV: []dnstest.SRV{
		{Host: "a.test", Port: port, Priority: 1},
		{Host: "b.test", Port: port, Priority: 1},
		{Host: "c.test", Port: port, Priority: 2},
	}})
	for i, name := range []string{"a.test", "b.test", "c.test"} {
		dns.Set(name, dnstest.Zone{Addresses: []string{hosts[i].address}})
	}
	source := named(dns, 0)
	source.URLs, source.Discovery.Type = upstreams.URLs("http://_http._tcp.users.test./"), discovery.SRV
	services := newServices(t, source)
	eventually(t, "all of the first priority are used", func() bool {
		r, err := services.Do(t.Context(), "users", get())
		if err != nil || string(r.Body) != `"users.test"` {
			t.Fatalf("%v with the Host %s", err, r.Body)
		}
		return hosts[0].calls.Load() > 5 && hosts[1].calls.Load() > 5
	})
	if n := hosts[2].calls.Load(); n > 0 {
		t.Errorf("%d calls to the second priority", n)
	}
	hosts[0].stop()
	hosts[1].stop()
	for range 10 {
		if _, err := services.Do(t.Context(), "users", get()); err != nil {
			t.Fatal(err)
		}
	}
	if n := hosts[2].calls.Load(); n == 0 {
		t.Error("no call to the second priority")
	}
}

// A call that hangs at a vanished address is cut off after the drain time, and another one ends as
// usual before.
func TestDrain(t *testing.T) {
	const drain = 500 * time.Millisecond
	release := make(chan struct{})
	defer close(release)
	dns, hosts := newDNS(t), newHosts(t, 2, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			time.Sleep(drain / 2)
		case "/hang":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		io.WriteString(w, "{}")
	})
	dns.Set("users.test", dnstest.Zone{Addresses: []string{hosts[0].address}})
	source := named(dns, hosts[0].port)
	source.Discovery.Drain = drain
	services := newServices(t, source) // the calls may begin before the first lookup has ended
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := services.Do(t.Context(), "users", rest.New(http.MethodPost, "/slow")); err != nil {
			t.Errorf("a call that ends within the drain time: %v", err)
		}
	})
	started := time.Now()
	wg.Go(func() {
		_, err := services.Do(t.Context(), "users", rest.New(http.MethodPost, "/hang"))
		if took := time.Since(started); err == nil || took < drain || took > 5*time.Second {
			t.Errorf("a call that hangs ended after %v (%v)", took, err)
		}
	})
	eventually(t, "both calls arrive", func() bool { return hosts[0].calls.Load() == 2 })
	dns.Set("users.test", dnstest.Zone{Addresses: []string{hosts[1].address}})
	wg.Wait()
	eventually(t, "the connections are closed", func() bool { return hosts[0].open.Load() == 0 })
	if n := hosts[1].calls.Load(); n > 0 {
		t.Errorf("the POST was sent again %d times", n)
	}
}

// A reload that changes the URLs keeps the addresses of the names that stay, with their connections;
// and the names of a source that is removed are not looked up any more.
func TestReloadKeepsResolvedAddresses(t *testing.T) {
	dns, hosts := newDNS(t), newHosts(t, 3, nil)
	dns.Set("users.test", dnstest.Zone{Addresses: []string{"127.0.0.1", "127.0.0.2"}})
	source := named(dns, hosts[0].port)
	services := newServices(t, source)
	eventually(t, "both addresses are used", func() bool {
		call(t, t.Context(), services, "users")
		return hosts[0].calls.Load() > 2 && hosts[1].calls.Load() > 2
	})
	opened := hosts[0].opened.Load() + hosts[1].opened.Load()
	dns.Set("users.test", dnstest.Zone{RCode: dnsmessage.RCodeServerFailure}) // nothing can be learned again
	source.URLs = append(source.URLs, upstreams.URL{URL: fmt.Sprintf("http://%s:%d", hosts[2].address, hosts[2].port)})
	use(t, services, upstreams.Options{"users": source})
	for range 9 {
		call(t, t.Context(), services, "users")
	}
	if n := hosts[0].opened.Load() + hosts[1].opened.Load() - opened; n != 0 || hosts[2].calls.Load() != 3 {
		t.Errorf("%d further connections, and %d of 9 calls to the new URL", n, hosts[2].calls.Load())
	}
	// The change is followed by the new list as well.
	dns.Set("users.test", dnstest.Zone{Addresses: []string{"127.0.0.2"}})
	eventually(t, "the connections are closed", func() bool { return hosts[0].open.Load() == 0 })

	use(t, services, upstreams.Options{})
	eventually(t, "all connections are closed", func() bool { return hosts[1].open.Load()+hosts[2].open.Load() == 0 })
	queries := dns.Queries("users.test")
	time.Sleep(500 * time.Millisecond)
	if n := dns.Queries("users.test") - queries; n > 0 {
		t.Errorf("%d queries after the source was removed", n)
	}
}

// Services leave neither goroutines (see TestMain) nor descriptors behind, however often names
// change.
func TestDiscoveryLeaksNoDescriptors(t *testing.T) {
	dns, hosts := newDNS(t), newHosts(t, 2, nil)
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	services, err := upstreams.New(upstreams.Options{"users": named(dns, hosts[0].port)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	before := descriptors()
	stop := load(t, services)
	for i := range 10 {
		dns.Set("users.test", dnstest.Zone{Addresses: []string{hosts[i%2].address}})
		calls := hosts[i%2].calls.Load()
		eventually(t, "the change is followed", func() bool { return hosts[i%2].calls.Load() > calls+10 })
	}
	for _, err := range stop() {
		t.Errorf("a call failed: %v", err)
	}
	services.Close()
	eventually(t, "all connections are closed", func() bool { return hosts[0].open.Load()+hosts[1].open.Load() == 0 })
	eventually(t, "all descriptors are closed", func() bool { return descriptors() <= before })
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A name that cannot be resolved fails its calls, and the gateway starts.
func TestUnknownName(t *testing.T) {
	dns := newDNS(t)
	services := newServices(t, named(dns, 80))
	_, err := services.Do(t.Context(), "users", get())
	if notFound, ok := errors.AsType[*net.DNSError](err); !ok || !notFound.IsNotFound {
		t.Errorf("%v", err)
	}
}
