package discovery

import (
	"cmp"
	"context"
	"net"
	"slices"
	"sync/atomic"
	"time"
)

// fallbackDelay is how long the first address is given before the second one is tried beside
// it (RFC 8305, 5, with the value of Go's own dialer).
const fallbackDelay = 300 * time.Millisecond

// Dialer opens connections to one target. It is safe for concurrent use.
type Dialer struct {
	target  atomic.Pointer[Target]
	options Options
	timeout time.Duration
	connect func(ctx context.Context, network, address string) (net.Conn, error)

	// fallbackFirst is true after the fallback was connected to and the address was not, so
	// that only the first connection waits for an address that does not respond.
	fallbackFirst atomic.Bool
}

// Dialer returns a dialer for t. The timeout bounds each connection; 0 is none.
func (o Options) Dialer(t Target, timeout time.Duration) *Dialer {
	d := &net.Dialer{KeepAlive: 30 * time.Second}
	if o.Nameserver != "" {
		d.Resolver = (&ttlRecorder{nameserver: o.nameserver()}).resolver()
	}
	out := &Dialer{options: o, timeout: timeout, connect: d.DialContext}
	out.Update(t)
	return out
}

// Update replaces the target: another fallback may have become known.
func (d *Dialer) Update(t Target) { d.target.Store(&t) }

// Dial opens a connection. Its error is a *net.OpError.
func (d *Dialer) Dial(ctx context.Context) (net.Conn, error) {
	if d.timeout > 0 {
		bounded, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		ctx = bounded
	}
	switch t := d.target.Load(); {
	case t.IsSocket():
		return d.connect(ctx, "unix", t.Address)
	case t.Fallback != "":
		return d.dialEither(ctx, t)
	case t.Address != "":
		return d.connect(ctx, "tcp", t.Address)
	case d.options.Type == SRV:
		return d.dialService(ctx, t)
	default:
		return d.connect(ctx, "tcp", t.Name)
	}
}

// dialService resolves SRV records and connects to one of their targets: the one of the
// lowest priority and highest weight that can be connected to.
func (d *Dialer) dialService(ctx context.Context, t *Target) (net.Conn, error) {
	u := withHost(t.URL, t.Name)
	targets, _, err := d.options.lookup(ctx, Origin{URL: u})
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	slices.SortStableFunc(targets, func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight))
	})
	for _, t := range targets {
		var conn net.Conn
		if conn, err = d.connect(ctx, "tcp", t.Address); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// dialed is the result of a connection attempt.
type dialed struct {
	conn     net.Conn
	err      error
	fallback bool
}

// dialEither connects to the address or to the fallback. The second one of them is tried when
// the first one fails or has not responded within fallbackDelay. The connection that
// is open first is returned, and the other one closed.
func (d *Dialer) dialEither(ctx context.Context, t *Target) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan dialed, 2) // so that the loser never waits
	try := func(fallback bool) {
		address := t.Address
		if fallback {
			address = t.Fallback
		}
		conn, err := d.connect(ctx, "tcp", address)
		results <- dialed{conn, err, fallback}
	}
	fallbackFirst := d.fallbackFirst.Load()
	go try(fallbackFirst)
	delay := time.NewTimer(fallbackDelay)
	defer delay.Stop()
	var first dialed
	select {
	case first = <-results:
		if first.err == nil {
			return first.conn, nil
		}
		go try(!fallbackFirst)
	case <-delay.C:
		go try(!fallbackFirst)
		if first = <-results; first.err == nil {
			d.fallbackFirst.Store(first.fallback)
			go closeLoser(results)
			return first.conn, nil
		}
	}
	second := <-results
	if second.err == nil {
		d.fallbackFirst.Store(second.fallback)
		return second.conn, nil
	}
	if first.fallback { // the error of the address says more
		first = second
	}
	return nil, first.err
}

// closeLoser closes the connection that came second. Its dialing was cancelled.
func closeLoser(results <-chan dialed) {
	if r := <-results; r.conn != nil {
		r.conn.Close()
	}
}
