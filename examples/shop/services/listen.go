package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Addresses say where the five servers listen. An empty one, and the zero value,
// means a free port on the loopback interface.
type Addresses struct {
	Users, Orders string
	Products      [Replicas]string
}

// DocumentedAddresses are those that the OpenAPI documents name.
func DocumentedAddresses() Addresses {
	return Addresses{
		Users: "127.0.0.1:9101", Orders: "127.0.0.1:9201",
		Products: [Replicas]string{"127.0.0.1:9301", "127.0.0.1:9302", "127.0.0.1:9303"},
	}
}

// Running is a shop that listens.
type Running struct {
	// Users and Orders are the URLs of their services, such as "http://127.0.0.1:9101".
	Users, Orders string
	// Products are the URLs of its replicas, in their order.
	Products [Replicas]string

	shop     *Shop
	replicas [Replicas]*http.Server
	servers  []*http.Server
	serving  sync.WaitGroup
	failed   chan error // the first server's failure
	closing  sync.Once
	closed   chan struct{}
	detach   func() bool   // ends the watch over Start's context
	grace    time.Duration // how long Close waits for calls that are being answered
}

// Start serves the shop on five ports until ctx ends or Close is called. When one
// address is taken it fails, listens on none, and closes the shop.
func (s *Shop) Start(ctx context.Context, at Addresses) (*Running, error) {
	r := &Running{
		shop: s, failed: make(chan error, 1), closed: make(chan struct{}),
		detach: func() bool { return true }, grace: 3 * time.Second,
	}
	if err := r.listen(ctx, at); err != nil {
		r.Close()
		return nil, fmt.Errorf("shop: %w", err)
	}
	r.detach = context.AfterFunc(ctx, r.shut)
	return r, nil
}

func (r *Running) listen(ctx context.Context, at Addresses) (err error) {
	if r.Users, _, err = r.serve(ctx, at.Users, r.shop.Users()); err != nil {
		return err
	}
	if r.Orders, _, err = r.serve(ctx, at.Orders, r.shop.Orders()); err != nil {
		return err
	}
	for i := range r.Products {
		if r.Products[i], r.replicas[i], err = r.serve(ctx, at.Products[i], r.shop.Products(i+1)); err != nil {
			return err
		}
	}
	return nil
}

// serve answers at address from a goroutine of its own and returns the URL.
func (r *Running) serve(ctx context.Context, address string, handler http.Handler) (string, *http.Server, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	r.servers = append(r.servers, server)
	r.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.fail(err)
		}
	})
	return "http://" + listener.Addr().String(), server, nil
}

// fail keeps the first failure: one is enough to stop for.
func (r *Running) fail(err error) {
	select {
	case r.failed <- fmt.Errorf("shop: %w", err):
	default:
	}
}

// Wait returns nil when the servers were closed, or the failure of one of them;
// Close must then still be called.
func (r *Running) Wait() error {
	select {
	case err := <-r.failed:
		return err
	case <-r.closed:
		return nil
	}
}

// StopReplica ends one replica of products at once, as a crash would: its calls
// break off, its port refuses further ones.
func (r *Running) StopReplica(replica int) { _ = r.replicas[replica-1].Close() }

// Close closes the shop, lets running calls finish for three seconds, breaks off
// those that do not, and waits for every goroutine. It may be called twice.
func (r *Running) Close() {
	r.detach()
	r.shut()
}

func (r *Running) shut() {
	r.closing.Do(func() {
		defer close(r.closed)
		r.shop.Close()
		ctx, cancel := context.WithTimeout(context.Background(), r.grace)
		defer cancel()
		for _, server := range r.servers {
			r.serving.Go(func() { stop(ctx, server) })
		}
		r.serving.Wait()
	})
}

func stop(ctx context.Context, server *http.Server) {
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}
