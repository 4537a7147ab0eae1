package backend

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Grace is how long Servers.Close waits for calls that are being answered.
const Grace = 3 * time.Second

// Servers are HTTP servers that stop together. Make one with NewServers, add servers
// from one goroutine, then Watch.
type Servers struct {
	closeFirst func()
	servers    []*http.Server
	serving    sync.WaitGroup
	failed     chan error // the first server's failure
	closing    sync.Once
	closed     chan struct{}
	detach     func() bool // ends the watch over a context
	grace      time.Duration
}

// NewServers has no servers yet. closeFirst is called once when they are to stop, before
// they wait for running calls: it should end those that last.
func NewServers(closeFirst func()) *Servers {
	return &Servers{
		closeFirst: closeFirst, failed: make(chan error, 1), closed: make(chan struct{}),
		detach: func() bool { return true }, grace: Grace,
	}
}

// Serve answers at address from a goroutine of its own and returns the URL, without a
// slash at its end. An empty address means a free port on the loopback interface.
func (s *Servers) Serve(ctx context.Context, address string, handler http.Handler) (string, *http.Server, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	s.servers = append(s.servers, server)
	s.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(err)
		}
	})
	return "http://" + listener.Addr().String(), server, nil
}

// Watch stops the servers when ctx ends.
func (s *Servers) Watch(ctx context.Context) { s.detach = context.AfterFunc(ctx, s.shut) }

// fail keeps the first failure: one is enough to stop for.
func (s *Servers) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// Wait returns nil when the servers were closed, or the failure of one of them;
// Close must then still be called.
func (s *Servers) Wait() error {
	select {
	case err := <-s.failed:
		return err
	case <-s.closed:
		return nil
	}
}

// Close stops the servers: it lets running calls finish for the time of Grace, breaks
// off those that do not, and waits for every goroutine. It may be called twice.
func (s *Servers) Close() {
	s.detach()
	s.shut()
}

func (s *Servers) shut() {
	s.closing.Do(func() {
		defer close(s.closed)
		s.closeFirst()
		ctx, cancel := context.WithTimeout(context.Background(), s.grace)
		defer cancel()
		for _, server := range s.servers {
			s.serving.Go(func() { stop(ctx, server) })
		}
		s.serving.Wait()
	})
}

func stop(ctx context.Context, server *http.Server) {
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}
