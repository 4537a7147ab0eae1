// Command gqlgen serves the operations of the benchmarks with gqlgen's defaults and
// graph-gophers/dataloader: what one writes by hand with the best-known libraries.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/peers/gqlgen/graph"
)

func main() {
	listen := flag.String("listen", "localhost:8080", "the `address` to serve on")
	upstream := flag.String("upstream", "http://localhost:3000", "the `URL` of the services")
	flag.Parse()
	err := http.ListenAndServe(*listen, newServer(*upstream))
	fmt.Fprintln(os.Stderr, "gqlgen:", err)
	os.Exit(1)
}

// newServer returns gqlgen's handler with POST and a cache of parsed queries, and a loader for
// each request.
func newServer(upstream string) http.Handler {
	services := newServices(upstream)
	server := handler.New(graph.NewExecutableSchema(graph.Config{Resolvers: &resolver{services}}))
	server.AddTransport(transport.POST{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), loaderKey{}, services.newLoader())
		server.ServeHTTP(w, r.WithContext(ctx))
	})
}
