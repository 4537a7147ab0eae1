package front

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/listen"
)

// DefaultGrace is the default of ServeOptions.Grace.
const DefaultGrace = 30 * time.Second

// bodyGrace is how long clients may take to send the rest of a body after ServeOptions.Delay, or
// half of ServeOptions.Grace if that is shorter.
const bodyGrace = 5 * time.Second

// handshakeGrace is how long TLS handshakes that have begun may take after ServeOptions.Delay, as long
// as a new connection without TLS may be silent.
const handshakeGrace = time.Second

// ServeOptions say how a server stops.
type ServeOptions struct {
	// Delay is how long the server goes on after /readyz has begun to answer 503, so that load
	// balancers can react. Each response in this time ends its connection. Default 0.
	Delay time.Duration
	// Grace is how long the server waits for running requests after that. Default 30s.
	Grace time.Duration
	// TLS terminates TLS on the connections. SetServeOptions does not replace it. Default nil, which
	// serves plain HTTP.
	TLS *listen.Terminator
}

// Serve serves on l until ctx ends. Then it calls Drain, goes on for o.Delay, accepts no more
// connections, closes those that are idle, waits up to o.Grace for running requests, and cancels
// those that are left. It closes l, and returns within Delay and Grace of the end of ctx.
// SetServeOptions may replace o until then. The error is nil if all operations had ended: a client that
// does not read its response, or does not send its request, is cut off without an error.
func (f *Front) Serve(ctx context.Context, l net.Listener, o ServeOptions) error {
	f.SetServeOptions(o)
	// Requests go on when ctx ends, and end when Serve returns.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := f.server(running)
	served := o.TLS.Listener(f.drain.Listener(l), f.http.HeaderTimeout)
	defer served.Close() //nolint:errcheck // it is closed already, unless the server has failed

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(served) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}

	o = *f.shutdown.Load()
	f.log.Info("stopping", "delay_ms", o.Delay.Milliseconds(), "grace_ms", o.Grace.Milliseconds())
	f.Drain(time.Now().Add(o.Delay + min(bodyGrace, o.Grace/2)))
	if err := waitOrFail(failed, o.Delay); err != nil {
		return err
	}
	graceEnds := time.Now().Add(o.Grace)
	served.Stop(min(handshakeGrace, o.Grace))
	<-failed // so that all connections are known
	return f.stop(server, o.Grace, graceEnds)
}

// SetServeOptions replaces the options of a Serve that has not begun to stop.
func (f *Front) SetServeOptions(o ServeOptions) {
	if o.Grace <= 0 {
		o.Grace = DefaultGrace
	}
	f.shutdown.Store(&o)
}

// waitOrFail waits for delay. It returns an error if the server fails meanwhile.
func waitOrFail(failed <-chan error, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-timer.C:
		return nil
	}
}

// stop waits until the end of grace for running requests, and closes the connections of those that are
// left.
func (f *Front) stop(server *http.Server, grace time.Duration, ends time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), ends)
	defer cancel()
	err := f.drain.Wait(ctx) // first, since Shutdown drops requests whose headers have just arrived
	if err == nil {
		err = server.Shutdown(ctx)
	}
	if err == nil { // coalesced executions, which no request waits for any more
		err = f.current.Load().coalescer.Wait(ctx)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		if err = nil; f.limiter.Stats().Running > 0 {
			err = fmt.Errorf("stopped with operations still running after %s", grace)
		} else {
			f.log.Warn("closing the connections of clients that have not read their responses, or not sent their requests", "grace_ms", grace.Milliseconds())
		}
	}
	return errors.Join(err, server.Close())
}
