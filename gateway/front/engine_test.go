package front_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// The log says with each operation why gqlgen's executor answers, and of each reason once
// besides.
func TestStockIsTold(t *testing.T) {
	const once = "operations of this kind run on gqlgen's own executor, which takes longer; this is told once"
	reasons := make(chan string, 4)
	g := newGateway(t, front.Options{}, func(ctx context.Context) *graphql.Response {
		engine.ExecutionOf(ctx).Fallback = <-reasons
		return &graphql.Response{Data: []byte("{}")}
	})
	for _, reason := range []string{"subscription", "", "subscription", "introspection"} {
		reasons <- reason
		g.ask(t, "{n}")
	}
	var said []any
	for _, line := range g.log.lines(t, once) {
		said = append(said, line["because"])
	}
	for _, line := range g.log.lines(t, "operation") {
		said = append(said, line["fallback"])
	}
	if got, want := fmt.Sprint(said), "[subscription introspection subscription <nil> subscription introspection]"; got != want {
		t.Errorf("the log says %s, want %s", got, want)
	}
}

// intercepts is an extension that wants to see every field.
type intercepts struct{ passes }

func (intercepts) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	return next(ctx)
}

// Plans are switched off by the setting, and by who wants to see every field.
func TestNoPlans(t *testing.T) {
	var asked string
	respond := func(ctx context.Context) *graphql.Response {
		asked = engine.ExecutionOf(ctx).Fallback
		return &graphql.Response{Data: []byte("{}")}
	}
	plain := newGateway(t, front.Options{}, respond)
	stock := newGateway(t, front.Options{Execution: engine.Options{Engine: engine.EngineGqlgen}}, respond)
	seen := newGateway(t, front.Options{}, respond)
	seen.front.Use(intercepts{})
	for _, g := range []struct {
		*gateway
		want string
	}{{plain, ""}, {stock, "execution.engine"}, {seen, "field interceptors"}} {
		asked = "nothing"
		if g.ask(t, "{n}"); asked != g.want {
			t.Errorf("stock because of %q, want %q", asked, g.want)
		}
	}
}

// Buffers are used again, but never while an answer lies in them, and not at all where an
// extension may have kept an answer.
func TestBuffers(t *testing.T) {
	var mu sync.Mutex
	var kept [][]byte
	respond := func(ctx context.Context) *graphql.Response {
		execution := engine.ExecutionOf(ctx)
		text := strings.Repeat(graphql.GetOperationContext(ctx).Operation.Name, 1000)
		execution.Buffer = fmt.Appendf(execution.Buffer[:0], "{\"ok\":%q}", text)
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, execution.Buffer)
		return &graphql.Response{Data: execution.Buffer}
	}
	for _, extended := range []bool{false, true} {
		kept = nil
		g := newGateway(t, front.Options{}, respond)
		if extended {
			g.front.Use(passes{})
		}
		var callers sync.WaitGroup
		for caller := range 4 {
			callers.Go(func() {
				for i := range 50 {
					name := fmt.Sprintf("c%dx%d", caller, i)
					want := `{"data":{"ok":"` + strings.Repeat(name, 1000) + `"}}`
					if got := g.ask(t, "query "+name+" {n}"); got.text != want {
						t.Errorf("%s got %.40s", name, got.text)
					}
				}
			})
		}
		callers.Wait()
		at := map[*byte]bool{}
		for _, b := range kept {
			at[&b[0]] = true
		}
		if again := len(at) < len(kept); again == extended {
			t.Errorf("extended %t: %d answers lay in %d buffers", extended, len(kept), len(at))
		}
	}
}

// passes is an extension that sees responses.
type passes struct{}

func (passes) ExtensionName() string                   { return "passes" }
func (passes) Validate(graphql.ExecutableSchema) error { return nil }
func (passes) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(ctx)
}
