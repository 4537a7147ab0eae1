// Package resolvers resolves every field of the graph that is not a property of its object:
// connect.gen.go by the schema's bindings, the other files by hand.
package resolvers

import "github.com/gatehouse-graphql/gatehouse/upstreams"

// Resolver has what all resolvers share. It is safe for concurrent use.
type Resolver struct {
	// Services calls the services.
	Services *upstreams.Services
}
