package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// dueFollowed is when a changed address is due to be followed: a second after the shortest time between
// two lookups, 5 s.
const dueFollowed = 6 * time.Second

// dnsChange has the name of a service get another address while the old one still answers, and while it
// no longer does.
func dnsChange(ctx context.Context, l *lab) error {
	l.report.section("DNS",
		"100 reads a second of a host whose address changes; its TTL is 1 s. Due: the new address gets calls within 6 s, and all within 7 s; "+
			"the old one has no connection after 35 s; 99 % of reads succeed while the old one still answers, and 90 % if it refuses connections.",
		"the old address", "first call to the new one after", "last call to the old one after", "its connections", "reads that succeed", "improper")
	for _, m := range []faulty.Mode{faulty.Healthy, faulty.Refuse, faulty.Blackhole} {
		if err := l.playDNS(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// pair returns two servers at different addresses with the same port.
func pair() (list [2]*faulty.Server, port string, err error) {
	list[0], err = faulty.Start(faulty.Service(), faulty.Options{Address: "127.0.0.2:0"})
	if err != nil {
		return list, "", err
	}
	_, port, _ = net.SplitHostPort(list[0].Address()) // it is that of a listener
	list[1], err = faulty.Start(faulty.Service(), faulty.Options{Address: net.JoinHostPort("127.0.0.3", port)})
	if err != nil {
		list[0].Close()
	}
	return list, port, err
}

func (l *lab) playDNS(ctx context.Context, m faulty.Mode) error {
	names, err := faulty.StartNames(netip.MustParseAddr("127.0.0.2"))
	if err != nil {
		return err
	}
	defer names.Close()
	servers, port, err := pair()
	if err != nil {
		return err
	}
	defer servers[0].Close()
	defer servers[1].Close()
	s, err := l.start(ctx, plan{products: settings{
		"urls": []string{"http://" + net.JoinHostPort("products.faults.test", port)}, "discovery": settings{"type": "dns", "nameserver": names.Address()},
	}})
	if err != nil {
		return err
	}
	defer s.stop()
	stop := s.background(ctx, 100, readProduct)
	if err := pause(ctx, 3*time.Second); err != nil {
		return err
	}
	names.Point(netip.MustParseAddr("127.0.0.3"))
	if err := servers[0].Play(faulty.Fault{Mode: m}); err != nil {
		return err
	}
	first, last, err := followed(ctx, servers)
	if err != nil {
		return err
	}
	reads := stop()
	_, _ = await(ctx, 35*time.Second, func() bool { return servers[0].Counts().Open == 0 })
	due := dueReads
	if m != faulty.Healthy {
		due = 0.9
	}
	l.report.row(string(m), within(first, dueFollowed), within(last, dueFollowed+time.Second), must(servers[0].Counts().Open == 0, "%s", fmt.Sprint(servers[0].Counts().Open)),
		percent(reads.success(), due), proper(reads))
	return ctx.Err()
}

var errNotFollowed = errors.New("the address was not followed in 60 s")

// followed returns how long it took until the second server got its first call, and the first its last.
func followed(ctx context.Context, servers [2]*faulty.Server) (first, last time.Duration, err error) {
	start, before := time.Now(), servers[0].Counts().Total()
	for first == 0 || time.Since(start) < first+3*time.Second {
		if time.Since(start) > time.Minute {
			return 0, 0, errNotFollowed
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return 0, 0, err
		}
		if now := servers[0].Counts().Total(); now > before {
			before, last = now, time.Since(start)
		}
		if first == 0 && servers[1].Counts().Total() > 0 {
			first = time.Since(start)
		}
	}
	return first, last, nil
}
