package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/discovery/dnstest"
)

var zoneSilent = dnstest.Zone{Silent: true}

// fakeNetwork connects to addresses after a time, or never, or fails.
type fakeNetwork struct {
	delays map[string]time.Duration // negative: no response

	mu   sync.Mutex
	open map[net.Conn]string // guarded by mu
}

type fakeConn struct {
	net.Conn
	closed bool
}

func (c *fakeConn) Close() error { c.closed = true; return nil }

func (n *fakeNetwork) connect(ctx context.Context, _, address string) (net.Conn, error) {
	delay, ok := n.delays[address]
	switch {
	case !ok:
		return nil, fmt.Errorf("%s: refused", address)
	case delay < 0:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(delay) // a connection may be opened although the context has ended
	c := &fakeConn{}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[c] = address
	return c, nil
}

func TestDialEither(t *testing.T) {
	const six, four = "[2001:db8::1]:80", "10.0.0.1:80"
	for _, test := range []struct {
		name   string
		delays map[string]time.Duration
		want   string // the address, or what the error has
		took   time.Duration
		second time.Duration // how long another connection takes
	}{
		{"both respond", map[string]time.Duration{six: 10, four: 10}, six, 10, 10},
		{"the first is slow", map[string]time.Duration{six: 400 * time.Millisecond, four: time.Second}, six, 400 * time.Millisecond, 400 * time.Millisecond},
		{"the first does not respond", map[string]time.Duration{six: -1, four: 10}, four, fallbackDelay + 10, 10},
		{"the first refuses", map[string]time.Duration{four: 10}, four, 10, 10},
		{"the second refuses", map[string]time.Duration{six: 10}, six, 10, 10},
		{"both refuse", nil, six + ": refused", 0, 0},
		{"none responds", map[string]time.Duration{six: -1, four: -1}, "deadline exceeded", 2 * time.Second, 2 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &fakeNetwork{delays: test.delays, open: map[net.Conn]string{}}
				d := Options{}.Dialer(Target{URL: parseURL(t, "http://users"), Address: six, Fallback: four}, 2*time.Second)
				d.connect = network.connect
				for i, want := range []time.Duration{test.took, test.second} {
					started := time.Now()
					conn, err := d.Dial(context.Background())
					if took := time.Since(started); took != want {
						t.Errorf("dial %d took %v, want %v", i, took, want)
					}
					network.mu.Lock()
					address := network.open[conn]
					network.mu.Unlock()
					if err != nil && (!strings.Contains(err.Error(), test.want) || conn != nil) || err == nil && address != test.want {
						t.Errorf("connected to %q (%v), want %s", address, err, test.want)
					}
					time.Sleep(5 * time.Second)
					synctest.Wait()
					for other := range network.open {
						if closed := other.(*fakeConn).closed; closed == (other == conn) {
							t.Errorf("closed is %t for %s", closed, network.open[other])
						}
					}
					clear(network.open)
				}
			})
		})
	}
}

// Of localhost only one family is listened at in the everyday case.
func TestDialLocalhost(t *testing.T) {
	known, err := net.DefaultResolver.LookupHost(context.Background(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Skip(err)
		}
		host, port, _ := net.SplitHostPort(l.Addr().String())
		o := Options{}.WithDefaults()
		target := o.unresolved(Origin{URL: parseURL(t, "http://localhost:"+port)})
		conn, err := o.Dialer(target, time.Second).Dial(context.Background())
		switch {
		case err == nil:
			conn.Close()
		case slices.Contains(known, host): // this system's localhost has that family
			t.Errorf("%s: %v", address, err)
		}
		l.Close()
	}
}

// Before the first lookup has ended, the names themselves are dialed, by the configured name
// server.
func TestDialUnresolved(t *testing.T) {
	server := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().(*net.TCPAddr)
	server.Set("users.test", dnstest.Zone{Addresses: []string{"127.0.0.1"}})
	server.Set("_http._tcp.users.test", dnstest.Zone{SRV: []dnstest.SRV{
		{Host: "users.test", Port: 1, Priority: 1}, // refuses
		{Host: "users.test", Port: uint16(addr.Port), Priority: 2},
	}})
	for _, test := range []struct{ typ, url, want string }{
		{DNS, fmt.Sprintf("http://users.test.:%d", addr.Port), ""},
		{SRV, "http://_http._tcp.users.test.", ""},
		{SRV, "http://_http._tcp.missing.test.", "no such host"},
		{DNS, "http://missing.test.:80", "no such host"},
	} {
		o := Options{Type: test.typ, Nameserver: server.Addr}.WithDefaults()
		conn, err := o.Dialer(o.unresolved(Origin{URL: parseURL(t, test.url)}), time.Second).Dial(context.Background())
		switch {
		case err == nil:
			conn.Close()
			fallthrough
		case test.want == "":
			if err != nil || test.want != "" {
				t.Errorf("%s: %v, want %q", test.url, err, test.want)
			}
		default:
			op, ok := errors.AsType[*net.OpError](err)
			if !ok || op.Op != "dial" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %q", test.url, err, test.want)
			}
		}
	}
}
