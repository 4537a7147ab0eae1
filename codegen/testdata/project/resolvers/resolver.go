// Package resolvers answers the fields of a project that uses everything there is.
package resolvers

import "github.com/gatehouse-graphql/gatehouse/upstreams"

// Resolver is what the resolvers share.
type Resolver struct{ Services *upstreams.Services }
