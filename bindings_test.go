package main

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/bindingtest"
	"github.com/gatehouse-graphql/gatehouse/graph"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

var bindings = bindingtest.Project{
	Sources: resolvers.Requirements.Sources,
	Schema: func(s *upstreams.Services) graphql.ExecutableSchema {
		return graph.NewSchema(&resolvers.Resolver{Services: s})
	},
}

// Each binding makes the calls, and reads the answers, that schema/*.test.yaml say.
func TestBindings(t *testing.T) { bindingtest.Run(t, bindings, bindingtest.Pattern) }
