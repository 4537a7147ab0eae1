// Command posts serves the posts graph over services in the form of JSONPlaceholder's. The
// benchmarks measure it. It has the layout of any project.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/posts/graph"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/posts/resolvers"
	"github.com/gatehouse-graphql/gatehouse/gateway"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

func main() {
	command.TuneMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, settings()); err != nil {
		fmt.Fprintln(os.Stderr, "posts-gateway:", err)
		os.Exit(1)
	}
}

// settings returns the defaults, changed by the flags.
func settings() *config.Config {
	c := &config.Config{}
	flag.StringVar(&c.Listen, "listen", "localhost:8080", "the `address` to serve on")
	flag.BoolVar(&c.Execution.Coalesce, "coalesce", false, "equal concurrent operations share one execution")
	upstream := flag.String("upstream", "http://localhost:3000", "the `URL` of the services")
	flag.Parse()
	c.Sources = config.Sources{"posts": {URLs: upstreams.URLs(*upstream)}}
	return c
}

// serve serves until ctx ends. It logs warnings only, since the other programs that are
// measured do not log requests.
func serve(ctx context.Context, c *config.Config) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return gateway.Serve(ctx, command.Start{Config: c, Log: log, Out: os.Stdout}, gateway.Graph{
		Schema:       schema,
		Requirements: resolvers.Requirements,
	})
}

// schema is the posts graph.
func schema(services *upstreams.Services) graphql.ExecutableSchema {
	return graph.NewSchema(&resolvers.Resolver{Services: services})
}
