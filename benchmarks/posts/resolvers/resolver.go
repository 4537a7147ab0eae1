// Package resolvers resolves every field of the graph that is not a property of its object:
// connect.gen.go has the resolvers of the bindings, this file the handwritten one of greet.
package resolvers

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Resolver has what all resolvers share. It is safe for concurrent use.
type Resolver struct {
	// Services calls the services.
	Services *upstreams.Services
}

// Greet resolves Query.greet.
func (r queryResolver) Greet(context.Context) (string, error) { return "Hello World!", nil }
