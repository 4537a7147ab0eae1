package discovery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/gatehouse-graphql/gatehouse/upstreams/discovery/dnstest"
)

func newServer(t *testing.T) *dnstest.Server {
	t.Helper()
	s, err := dnstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func addressesOf(targets []Target) string {
	var all []string
	for _, t := range targets {
		all = append(all, t.Address)
	}
	return strings.Join(all, " ")
}

// The TTL is read from the messages of the system's own resolver, over UDP and TCP.
func TestLookupReadsTTL(t *testing.T) {
	server := newServer(t)
	o := Options{Nameserver: server.Addr}.WithDefaults()
	var many []string
	for i := range 60 { // too many for a message over UDP
		many = append(many, fmt.Sprintf("10.0.1.%d", i))
	}
	for _, test := range []struct {
		name string
		zone dnstest.Zone
		n    int
	}{
		{"one.test.", dnstest.Zone{TTL: 7 * time.Second, Addresses: []string{"10.0.0.1"}}, 1},
		{"zero.test.", dnstest.Zone{TTL: 0, Addresses: []string{"10.0.0.1", "10.0.0.2"}}, 2},
		{"six.test.", dnstest.Zone{TTL: 9 * time.Second, Addresses: []string{"2001:db8::1", "2001:db8::2"}}, 2},
		{"many.test.", dnstest.Zone{TTL: 8 * time.Second, Addresses: many}, 60},
	} {
		server.Set(test.name, test.zone)
		targets, ttl, err := o.lookup(context.Background(), Origin{URL: parseURL(t, "http://"+test.name+":81")})
		if err != nil || ttl != test.zone.TTL || len(targets) != test.n {
			t.Errorf("%s: %d targets for %v (%v), want %d for %v", test.name, len(targets), ttl, err, test.n, test.zone.TTL)
		}
	}
}

// A name of /etc/hosts has no TTL: it is looked up at the shortest interval.
func TestLookupOfHostsFile(t *testing.T) {
	targets, ttl, err := Options{Type: DNS}.WithDefaults().lookup(context.Background(), Origin{URL: parseURL(t, "http://localhost:81")})
	if err != nil || ttl >= 0 || len(targets) == 0 || !strings.HasSuffix(targets[0].Address, ":81") {
		t.Errorf("%v with a TTL of %v (%v)", targets, ttl, err)
	}
}

func TestLookupFails(t *testing.T) {
	server := newServer(t)
	o := Options{Nameserver: server.Addr}.WithDefaults()
	server.Set("failing.test", dnstest.Zone{RCode: dnsmessage.RCodeServerFailure})
	server.Set("empty.test", dnstest.Zone{})
	server.Set("silent.test", dnstest.Zone{Silent: true})
	for _, name := range []string{"missing.test.", "failing.test.", "empty.test.", "silent.test."} {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		started := time.Now()
		targets, _, err := o.lookup(ctx, Origin{URL: parseURL(t, "http://"+name)})
		cancel()
		if err == nil || time.Since(started) > 2*time.Second {
			t.Errorf("%s: %v (%v) after %v", name, targets, err, time.Since(started))
		}
	}
}

func TestLookupSRV(t *testing.T) {
	server := newServer(t)
	o := Options{Type: SRV, Nameserver: server.Addr}.WithDefaults()
	server.Set("_http._tcp.users.test", dnstest.Zone{TTL: 20 * time.Second, SRV: []dnstest.SRV{
		{Host: "a.test", Port: 1001, Priority: 0, Weight: 3},
		{Host: "b.test", Port: 1002, Priority: 0, Weight: 0},
		{Host: "c.test", Port: 1003, Priority: 5, Weight: 1},
		{Host: "gone.test", Port: 1004, Priority: 0, Weight: 1},
	}})
	server.Set("a.test", dnstest.Zone{TTL: 30 * time.Second, Addresses: []string{"10.0.0.1", "10.0.0.2"}})
	server.Set("b.test", dnstest.Zone{TTL: 6 * time.Second, Addresses: []string{"10.0.0.3"}})
	server.Set("c.test", dnstest.Zone{TTL: 30 * time.Second, Addresses: []string{"10.0.0.4"}})
	origin := Origin{URL: parseURL(t, "https://_http._tcp.users.test./api"), Zone: "eu-1"}
	targets, ttl, err := o.lookup(context.Background(), origin)
	if err != nil || ttl != 6*time.Second {
		t.Fatalf("TTL %v (%v)", ttl, err)
	}
	var got []string
	for _, target := range targets {
		got = append(got, fmt.Sprintf("%s w%d p%d", target.Address, target.Weight, target.Priority))
		// A certificate is for the service, not for the hosts, which the records name.
		if target.URL.String() != "https://users.test/api" || target.Zone != "eu-1" {
			t.Errorf("the URL is %s, the zone %q", target.URL, target.Zone)
		}
	}
	want := []string{"10.0.0.1:1001 w3 p0", "10.0.0.2:1001 w3 p0", "10.0.0.3:1002 w1 p0", "10.0.0.4:1003 w1 p5"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}

	// A host that cannot be looked up fails all, so that it does not lose its connections.
	server.Set("c.test", dnstest.Zone{RCode: dnsmessage.RCodeServerFailure})
	if targets, _, err := o.lookup(context.Background(), origin); err == nil {
		t.Errorf("%s although a host cannot be looked up", addressesOf(targets))
	}
	server.Set("_http._tcp.users.test", dnstest.Zone{SRV: []dnstest.SRV{{Host: ".", Port: 1}}})
	if targets, _, err := o.lookup(context.Background(), origin); err == nil {
		t.Errorf("%s although the service is not available", addressesOf(targets))
	}
}

// Any message may come from the network.
func FuzzObserve(f *testing.F) {
	server, err := dnstest.Start()
	if err != nil {
		f.Fatal(err)
	}
	defer server.Close()
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true})
	name := dnsmessage.MustNewName("a.test.")
	if err := b.StartAnswers(); err != nil {
		f.Fatal(err)
	}
	if err := b.AResource(dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 5}, dnsmessage.AResource{}); err != nil {
		f.Fatal(err)
	}
	message, err := b.Finish()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(message)
	f.Fuzz(func(t *testing.T, message []byte) {
		var r ttlRecorder
		r.observe(message)
		if ttl := r.ttl(); ttl < -1 {
			t.Errorf("TTL %v", ttl)
		}
	})
}
