package discovery

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// lookupTimeout bounds one lookup, including those of the hosts of SRV records.
const lookupTimeout = 10 * time.Second

// maxLookups is how many hosts of SRV records are looked up at the same time.
const maxLookups = 8

var errNoAddress = errors.New("the name has no address")

// lookup finds the targets of an origin. The TTL is the shortest of the records', or
// negative when it is unknown: the name is in /etc/hosts, or the system's own library
// looked it up.
//
// The names are resolved by net.Resolver, so that /etc/hosts, the search domains of
// resolv.conf and the rest of the system's rules hold. It does not return TTLs, so they are
// read from the messages that it receives. Each lookup has a resolver of its own: one
// would share a lookup among concurrent callers, and only one of them would see its TTLs.
func (o Options) lookup(ctx context.Context, origin Origin) ([]Target, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	var (
		ttls    ttlRecorder
		targets []Target
		err     error
	)
	ttls.nameserver = o.nameserver()
	if o.typeOf(origin) == SRV {
		targets, err = lookupSRV(ctx, &ttls, origin)
	} else {
		targets, err = lookupHost(ctx, &ttls, origin, origin.URL.Hostname(), port(origin.URL))
	}
	if err == nil && len(targets) == 0 {
		err = errNoAddress
	}
	if err != nil {
		return nil, 0, err
	}
	return normalize(targets), ttls.ttl(), nil
}

// resolver returns a resolver whose messages r sees. With a name server of its own it is Go's
// resolver in any case: that of the system would ask the system's servers.
func (r *ttlRecorder) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: r.nameserver != "", Dial: r.dial}
}

// lookupHost returns a target for each address of a host.
func lookupHost(ctx context.Context, ttls *ttlRecorder, origin Origin, host, port string) ([]Target, error) {
	addrs, err := ttls.resolver().LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	return targetsOf(origin, addrs, port), nil
}

// targetsOf returns a target for each address of one family: that of the first address,
// which is the one that the system prefers and has a route for (RFC 6724). The addresses of
// the other family are most often other ways to the same replicas, so that they become
// fallbacks and not targets. When the preferred family turns out to be unreachable, each
// target is reached by its fallback.
func targetsOf(origin Origin, addrs []netip.Addr, port string) []Target {
	var preferred, others []netip.Addr
	for _, addr := range addrs {
		addr = addr.Unmap()
		if addr.Is4() == addrs[0].Unmap().Is4() {
			preferred = append(preferred, addr)
		} else {
			others = append(others, addr)
		}
	}
	slices.SortFunc(preferred, netip.Addr.Compare)
	slices.SortFunc(others, netip.Addr.Compare)
	targets := make([]Target, len(preferred))
	for i, addr := range preferred {
		t := Target{URL: origin.URL, Address: joinPort(addr, port), Weight: max(origin.Weight, 1), Zone: origin.Zone}
		if len(others) > 0 {
			t.Fallback = joinPort(others[i%len(others)], port)
		}
		targets[i] = t
	}
	return targets
}

// lookupSRV returns the targets of the SRV records of the origin's name. A host without an
// address is left out, since the others serve; any other failure fails the lookup, so that
// the last good targets stay.
func lookupSRV(ctx context.Context, ttls *ttlRecorder, origin Origin) ([]Target, error) {
	_, records, err := ttls.resolver().LookupSRV(ctx, "", "", origin.URL.Hostname())
	if len(records) == 0 { // with an error, there may be records whose names are valid
		return nil, err
	}
	origin.URL = withHost(origin.URL, serviceHost(origin.URL.Hostname()))
	found := make([][]Target, len(records))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxLookups)
	for i, record := range records {
		if record.Target == "." { // the service is not available at all (RFC 2782)
			continue
		}
		group.Go(func() error {
			targets, err := lookupHost(ctx, ttls, origin, record.Target, strconv.Itoa(int(record.Port)))
			if notFound, ok := errors.AsType[*net.DNSError](err); ok && notFound.IsNotFound {
				return nil
			}
			for j := range targets {
				targets[j].Weight = max(int(record.Weight), 1)
				targets[j].Priority = int(record.Priority)
			}
			found[i] = targets
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// normalize returns targets sorted and without duplicates. Of two with the same address the
// one with the lower priority stays.
func normalize(targets []Target) []Target {
	slices.SortFunc(targets, func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Key(), b.Key()), cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight))
	})
	return slices.CompactFunc(targets, func(a, b Target) bool { return a.Key() == b.Key() })
}
