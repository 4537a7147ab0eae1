// Package resolvers answers every field of the graph that is not a plain member of its
// object: connect.gen.go by the schema's bindings. None is answered by hand.
package resolvers

import "github.com/gatehouse-graphql/gatehouse/upstreams"

// Resolver is what the resolvers share. It is safe for concurrent use.
type Resolver struct {
	// Services makes the calls.
	Services *upstreams.Services
}
