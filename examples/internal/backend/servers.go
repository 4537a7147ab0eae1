package backend

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Grace is how long Servers.Close waits for running calls.
const Grace = 3 * time.Second

// Servers are HTTP servers that stop together. After NewServers, call Serve for each server
// from one goroutine, and then CloseAfter.
type Servers struct {
	closeFirst func()
	servers    []*http.Server
	serving    sync.WaitGroup
	failed     chan error // the first failure of a server
	closing    sync.Once
	closed     chan struct{}
	stopWatch  func() bool // stops waiting for the end of a context
	grace      time.Duration
}

// NewServers returns Servers without a server. closeFirst is called once when they stop,
// before they wait for running calls: it should end long ones, such as event streams.
func NewServers(closeFirst func()) *Servers {
	return &Servers{
		closeFirst: closeFirst, failed: make(chan error, 1), closed: make(chan struct{}),
		stopWatch: func() bool { return true }, grace: Grace,
	}
}

// Serve starts a server at address and returns its URL, without a slash at its end. An empty
// address is a free port of the loopback interface.
func (s *Servers) Serve(ctx context.Context, address string, handler http.Handler) (string, *http.Server, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
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

// CloseAfter has the servers stopped when ctx ends.
func (s *Servers) CloseAfter(ctx context.Context) { s.stopWatch = context.AfterFunc(ctx, s.shutdown) }

// fail reports a failure to Wait. Only the first one is kept.
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

// Close stops the servers. Running calls may finish within Grace, and are broken off after
// it. Close waits for every goroutine, and may be called twice.
func (s *Servers) Close() {
	s.stopWatch()
	s.shutdown()
}

func (s *Servers) shutdown() {
	s.closing.Do(func() {
		defer close(s.closed)
		s.closeFirst()
		ctx, cancel := context.WithTimeout(context.Background(), s.grace)
		defer cancel()
		for _, server := range s.servers {
			s.serving.Go(func() { shutdownServer(ctx, server) })
		}
		s.serving.Wait()
	})
}

func shutdownServer(ctx context.Context, server *http.Server) {
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}
