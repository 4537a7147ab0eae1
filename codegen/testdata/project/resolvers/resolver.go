// Package resolvers resolves the fields of a project that uses all of the binding language.
package resolvers

import "github.com/gatehouse-graphql/gatehouse/upstreams"

// Resolver holds what all resolvers share.
type Resolver struct{ Services *upstreams.Services }
