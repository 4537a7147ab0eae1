// Command petstore serves a graph over the pet store's REST service. Everything that is
// not in this folder is the library.
package main

import (
	"context"
	"os"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/examples/petstore/graph"
	"github.com/gatehouse-graphql/gatehouse/examples/petstore/resolvers"
	"github.com/gatehouse-graphql/gatehouse/examples/petstore/services"
	"github.com/gatehouse-graphql/gatehouse/gateway"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

func main() {
	os.Exit(command.Main(command.Program{
		Name:     "petstore",
		Short:    "The pet store's GraphQL gateway",
		Issuer:   services.DemoIssuer,
		Audience: services.DemoAudience,
		Graph:    servedGraph(),
		HasDemo:  true,
		Run:      run,
	}))
}

// run serves until ctx ends, then stops within the settings' bounds.
func run(ctx context.Context, start command.Start) error {
	var store *demo
	if start.Mode.Demo {
		var err error
		if store, err = startDemo(ctx); err != nil {
			return err
		}
		defer store.Close()
		start.ChangeSettings(store.configure)
	}
	g := servedGraph()
	g.Playground = store.playground()
	g.Ready = func(url string) { store.print(start.Out, url) }
	return gateway.Serve(ctx, start, g)
}

// servedGraph returns the graph, with what it needs of the settings.
func servedGraph() gateway.Graph {
	return gateway.Graph{Schema: schema, Requirements: resolvers.Requirements}
}

// schema is the pet store's graph.
func schema(services *upstreams.Services) graphql.ExecutableSchema {
	return graph.NewSchema(&resolvers.Resolver{Services: services})
}
