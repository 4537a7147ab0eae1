package upstreams_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// A response that waits for memory until its source's timeout is refused as an overload, not as a
// slow service. It stops a query as a whole, and only the field of a mutation.
func TestResponseWithoutMemory(t *testing.T) {
	const limit = 1 << 20
	large := strings.Repeat("x", limit/4)
	for name, c := range map[string]struct {
		kind    ast.Operation
		slow    bool // the rest of the response arrives after the timeout
		frees   bool // memory is freed before the timeout
		want    fault.Code
		stopped bool
	}{
		"a query":                      {kind: ast.Query, want: fault.Overloaded, stopped: true},
		"a mutation":                   {kind: ast.Mutation, want: fault.Overloaded},
		"a query that waited too long": {kind: ast.Query, slow: true, frees: true, want: fault.Overloaded, stopped: true},
		"a query that waited":          {kind: ast.Query, frees: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := newReplica(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(large))
				if c.slow {
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
				}
			})
			services := newServices(t, upstreams.Source{URLs: upstreams.URLs(backend.URL), Timeout: time.Second})
			memory := engine.NewMemory(limit, time.Minute)
			holder := &engine.MemoryShare{Memory: memory}
			holder.BeginExecution()
			if err := holder.Reserve(t.Context(), limit*3/4); err != nil {
				t.Fatal(err)
			}
			if c.frees {
				time.AfterFunc(100*time.Millisecond, func() { holder.EndExecution(); holder.Release() })
			}
			share := &engine.MemoryShare{Memory: memory}
			share.BeginExecution()
			ctx := context.WithValue(t.Context(), engine.MemoryShareKey{}, share)
			ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: c.kind}})
			ctx = engine.WithOperation(ctx, engine.Options{})
			_, err := services.Do(ctx, "users", get())
			if got := fault.CodeOf(err); got != c.want {
				t.Errorf("%v", err)
			}
			if got := engine.BudgetOf(ctx).Err() != nil; got != c.stopped {
				t.Errorf("the operation is stopped: %t", got)
			}
		})
	}
}
