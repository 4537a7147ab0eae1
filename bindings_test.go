package main

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/bindingtest"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
)

// The bindings make the calls and read the responses that schema/*.test.yaml state.
func TestBindings(t *testing.T) {
	bindingtest.Run(t, bindingtest.Project{Requirements: resolvers.Requirements, Schema: newSchema}, bindingtest.Pattern)
}
