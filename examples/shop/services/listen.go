package services

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// Addresses are those of the five servers. An empty address is a free port of the loopback
// interface.
type Addresses struct {
	Users, Orders string
	Products      [Replicas]string
}

// DocumentedAddresses returns the addresses that the OpenAPI documents name.
func DocumentedAddresses() Addresses {
	return Addresses{
		Users: "127.0.0.1:9101", Orders: "127.0.0.1:9201",
		Products: [Replicas]string{"127.0.0.1:9301", "127.0.0.1:9302", "127.0.0.1:9303"},
	}
}

// Running is a shop whose servers run.
type Running struct {
	// Users and Orders are the URLs of the services, such as "http://127.0.0.1:9101".
	Users, Orders string
	// Products are the URLs of the replicas, in order.
	Products [Replicas]string

	shop     *Shop
	replicas [Replicas]*http.Server
	servers  *backend.Servers
}

// Start serves the shop on five ports until ctx ends or Close is called. If an address is in
// use, it returns an error, listens on none, and closes the shop.
func (s *Shop) Start(ctx context.Context, at Addresses) (*Running, error) {
	r := &Running{shop: s, servers: backend.NewServers(s.Close)}
	if err := r.listen(ctx, at); err != nil {
		r.Close()
		return nil, fmt.Errorf("shop: %w", err)
	}
	r.servers.CloseAfter(ctx)
	return r, nil
}

func (r *Running) listen(ctx context.Context, at Addresses) (err error) {
	if r.Users, _, err = r.servers.Serve(ctx, at.Users, r.shop.Users()); err != nil {
		return err
	}
	if r.Orders, _, err = r.servers.Serve(ctx, at.Orders, r.shop.Orders()); err != nil {
		return err
	}
	for i := range r.Products {
		if r.Products[i], r.replicas[i], err = r.servers.Serve(ctx, at.Products[i], r.shop.Products(i+1)); err != nil {
			return err
		}
	}
	return nil
}

// Wait returns nil after the servers have been closed, or the failure of one of them. Close
// must be called in any case.
func (r *Running) Wait() error {
	if err := r.servers.Wait(); err != nil {
		return fmt.Errorf("shop: %w", err)
	}
	return nil
}

// Shop returns the shop that the servers serve.
func (r *Running) Shop() *Shop { return r.shop }

// StopReplica ends a replica of products at once, like a crash: its running calls break off,
// and its port refuses connections.
func (r *Running) StopReplica(replica int) { _ = r.replicas[replica-1].Close() }

// Close closes the shop and its servers. Running calls may finish within three seconds, and are
// broken off after that. Close waits for every goroutine, and may be called twice.
func (r *Running) Close() { r.servers.Close() }
