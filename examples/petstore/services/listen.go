package services

import (
	"context"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// DocumentedAddress is the local address that the OpenAPI document names.
const DocumentedAddress = "127.0.0.1:9400"

// Running is a store whose server runs.
type Running struct {
	// URL is the URL before the paths of the document, such as "http://127.0.0.1:9400/v1".
	URL string

	servers *backend.Servers
}

// Start serves the store at address until ctx ends or Close is called. An empty address is a
// free port of the loopback interface. When Start returns an error, the store is closed.
func (s *Store) Start(ctx context.Context, address string) (*Running, error) {
	r := &Running{servers: backend.NewServers(s.Close)}
	url, _, err := r.servers.Serve(ctx, address, s.Handler())
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("petstore: %w", err)
	}
	r.URL = url + Base
	r.servers.CloseAfter(ctx)
	return r, nil
}

// Wait returns nil after the server has been closed, or its failure. Close must be called in
// any case.
func (r *Running) Wait() error {
	if err := r.servers.Wait(); err != nil {
		return fmt.Errorf("petstore: %w", err)
	}
	return nil
}

// Close closes the store and its server. Running calls may finish within three seconds, and are
// broken off after that. Close waits for every goroutine, and may be called twice.
func (r *Running) Close() { r.servers.Close() }
