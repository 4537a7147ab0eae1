// Command gateway serves the shop's graph over its REST services.
package main

import (
	"context"
	"os"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/demo"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/graph"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

func main() {
	os.Exit(command.Main(command.Program{
		Short:    "The shop's GraphQL gateway",
		Issuer:   services.DemoIssuer,
		Audience: services.DemoAudience,
		Graph:    servedGraph(),
		HasDemo:  true,
		HasChaos: true,
		Run:      run,
	}))
}

// run serves until ctx ends, then stops within the bounds that the settings give.
func run(ctx context.Context, start command.Start) error {
	var shop *demo.Demo
	if start.Mode.Demo {
		var err error
		if shop, err = demo.Start(ctx); err != nil {
			return err
		}
		defer shop.Close()
		start.ChangeSettings(shop.Configure)
	}
	g := servedGraph()
	g.Playground = shop.Playground()
	g.Ready = func(url string) { shop.Announce(start.Out, url) }
	if start.Mode.Chaos {
		start.Log = demo.WithoutChaos(start.Log)
		var chaos *demo.Chaos
		g.Ready = func(url string) {
			shop.Announce(start.Out, url)
			chaos = shop.StartChaos(url, start.Out)
		}
		g.Notice = func() string { return chaos.Notice() } // no request is accepted before Ready has returned
	}
	return gateway.Serve(ctx, start, g)
}

// servedGraph returns the graph, with what it needs of the settings.
func servedGraph() gateway.Graph {
	return gateway.Graph{Schema: newSchema, Requirements: resolvers.Requirements}
}

// newSchema returns the shop's graph over its services.
func newSchema(s *upstreams.Services) graphql.ExecutableSchema {
	return graph.NewSchema(&resolvers.Resolver{Services: s})
}
