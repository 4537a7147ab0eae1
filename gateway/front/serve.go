package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The bounds of a connection. Those of bodies and operations are Options'.
const (
	headerTimeout  = 5 * time.Second
	idleTimeout    = 120 * time.Second
	answerTimeout  = 30 * time.Second // on top of the operation's deadline
	maxHeaderBytes = 64 << 10

	// DefaultGrace is how long running requests are waited for.
	DefaultGrace = 30 * time.Second
)

// ServeOptions say how a server stops.
type ServeOptions struct {
	// Delay is how long the server goes on as before after /readyz has turned to 503,
	// for load balancers to look elsewhere. Default 0.
	Delay time.Duration
	// Grace is how long running requests are waited for after that. Default 30s.
	Grace time.Duration
}

// Serve serves on l until ctx ends, then stops: readiness off, wait Delay, accept no
// more, wait at most Grace for what runs, cancel and close the rest. It closes l, and
// returns within Delay and Grace of ctx's end: nil when everything had finished.
func (f *Front) Serve(ctx context.Context, l net.Listener, o ServeOptions) error {
	if o.Grace <= 0 {
		o.Grace = DefaultGrace
	}
	// Requests live on when ctx ends, and end when Serve does.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := f.server(running)

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}

	f.Drain()
	if err := stillServing(failed, o.Delay); err != nil {
		return err
	}
	err := f.stop(server, o.Grace)
	<-failed
	return err
}

func (f *Front) server(running context.Context) *http.Server {
	return &http.Server{
		Handler:           f.Handler(),
		BaseContext:       func(net.Listener) context.Context { return running },
		ErrorLog:          slog.NewLogLogger(f.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      f.options.Deadline + answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
}

// stillServing waits for delay, or for the server to fail.
func stillServing(failed <-chan error, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-timer.C:
		return nil
	}
}

// stop lets what runs finish within grace and closes the rest.
func (f *Front) stop(server *http.Server, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := server.Shutdown(ctx)
	if err == nil { // nobody waits any more for what has been shared, so that it ends
		err = f.coalescing.flights.Wait(ctx)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("stopped with requests still running after %s", grace)
	}
	return errors.Join(err, server.Close())
}
