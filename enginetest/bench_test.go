package enginetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
)

var benchmarkQueries = []struct{ name, query string }{
	{"members", `{posts(n: %d) {id userId title}}`},
	{"users", `{posts(n: %d) {id userId title user {id name email}}}`},
}

// BenchmarkExecute measures the executors alone, with resolvers that return values from memory.
func BenchmarkExecute(b *testing.B) {
	for _, engineName := range []string{engine.EngineGqlgen, engine.EnginePlan} {
		for _, q := range benchmarkQueries {
			for _, n := range []int{1, 10, 100, 1000} {
				b.Run(fmt.Sprintf("%s/%s-%d", engineName, q.name, n), func(b *testing.B) { benchmarkExecutor(b, engineName, fmt.Sprintf(q.query, n)) })
			}
		}
	}
}

func benchmarkExecutor(b *testing.B, engineName, query string) {
	schema := graph.NewSchema(&resolvers.Resolver{})
	e := executor.New(schema)
	e.SetQueryCache(lru.New[*ast.QueryDocument](10))
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		ctx := graphql.StartOperationTrace(b.Context())
		op, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Query: query})
		if errs != nil {
			b.Fatal(errs)
		}
		if engineName == engine.EngineGqlgen {
			next, ctx := e.DispatchOperation(ctx, op)
			if response := next(ctx); len(response.Errors) > 0 {
				b.Fatal(response.Errors)
			}
			continue
		}
		ctx = graphql.WithResponseContext(graphql.WithOperationContext(ctx, op), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
		result, err := schema.(engine.Executor).Execute(ctx, op, buffer)
		if err != nil || result.Fallback != "" || len(graphql.GetErrors(ctx)) > 0 {
			b.Fatal(result.Fallback, err, graphql.GetErrors(ctx))
		}
		buffer = result.Buffer
	}
}

// BenchmarkFront measures the whole way of a request, except for the network.
func BenchmarkFront(b *testing.B) {
	for _, engineName := range []string{engine.EngineGqlgen, engine.EnginePlan} {
		for _, q := range benchmarkQueries {
			b.Run(engineName+"/"+q.name+"-100", func(b *testing.B) {
				f, _ := newGateway(b, engineName, nil, graph.NewSchema(&resolvers.Resolver{}))
				body, _ := json.Marshal(map[string]string{"query": fmt.Sprintf(q.query, 100)})
				b.ReportAllocs()
				for b.Loop() {
					w := httptest.NewRecorder()
					request := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
					request.Header.Set("Content-Type", "application/json")
					f.Handler().ServeHTTP(w, request)
					if w.Code != http.StatusOK {
						b.Fatal(w.Body)
					}
				}
			})
		}
	}
}
