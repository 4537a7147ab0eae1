package services

import (
	"context"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// DocumentedAddress is the local one that the OpenAPI document names.
const DocumentedAddress = "127.0.0.1:9400"

// Running is a store that listens.
type Running struct {
	// URL is what stands before the document's paths, such as "http://127.0.0.1:9400/v1".
	URL string

	servers *backend.Servers
}

// Start serves the store at address until ctx ends or Close is called. An empty address
// means a free port on the loopback interface. When it fails, the store is closed.
func (s *Store) Start(ctx context.Context, address string) (*Running, error) {
	r := &Running{servers: backend.NewServers(s.Close)}
	url, _, err := r.servers.Serve(ctx, address, s.Handler())
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("petstore: %w", err)
	}
	r.URL = url + Base
	r.servers.Watch(ctx)
	return r, nil
}

// Wait returns nil when the server was closed, or its failure; Close must then still be
// called.
func (r *Running) Wait() error {
	if err := r.servers.Wait(); err != nil {
		return fmt.Errorf("petstore: %w", err)
	}
	return nil
}

// Close closes the store, lets running calls finish for three seconds, breaks off those
// that do not, and waits for every goroutine. It may be called twice.
func (r *Running) Close() { r.servers.Close() }
