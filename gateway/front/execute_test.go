package front_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// The access log has the reason why gqlgen's executor executes an operation, and the log has one
// more line for the first operation of each reason.
func TestFallbackIsLogged(t *testing.T) {
	const once = "gqlgen's executor executes operations of this kind, which takes longer than plans; this is logged once"
	reasons := make(chan engine.FallbackReason, 4)
	g := newGateway(t, front.Options{}, nil, planned(func(_ *graphql.OperationContext, buf []byte) engine.Result {
		if reason := <-reasons; reason != "" {
			return engine.Result{Fallback: reason, Buffer: buf}
		}
		return written(append(buf[:0], "{}"...))
	}))
	for _, reason := range []engine.FallbackReason{"subscription", "", "subscription", "introspection"} {
		reasons <- reason
		g.ask(t, "{n}")
	}
	var said []any
	for _, line := range g.log.lines(t, once) {
		said = append(said, line["fallback"])
	}
	for _, line := range g.log.lines(t, "operation") {
		said = append(said, line["fallback"])
	}
	if got, want := fmt.Sprint(said), "[subscription introspection subscription <nil> subscription introspection]"; got != want {
		t.Errorf("the log says %s, want %s", got, want)
	}
}

// fieldInterceptor is an extension that intercepts fields.
type fieldInterceptor struct{ responseInterceptor }

func (fieldInterceptor) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	return next(ctx)
}

// Plans are not used with the setting gqlgen and with extensions that intercept fields.
func TestWhichExecutor(t *testing.T) {
	var fallback engine.FallbackReason
	executed := func(d *front.Deps) {
		d.OnOperation = func(_ ast.Operation, reason engine.FallbackReason) { fallback = reason }
	}
	byPlan := planned(func(_ *graphql.OperationContext, buf []byte) engine.Result {
		return written(append(buf[:0], `"a plan"`...))
	})
	for name, c := range map[string]struct {
		options front.Options
		use     graphql.HandlerExtension
		plan    bool
		want    engine.FallbackReason
	}{
		"default":                   {plan: true},
		"gqlgen":                    {options: front.Options{Execution: engine.Options{Engine: engine.EngineGqlgen}}, want: engine.FallbackBySetting},
		"field interceptor":         {use: fieldInterceptor{}, want: engine.FallbackInterceptors},
		"response interceptor only": {use: responseInterceptor{}, plan: true},
	} {
		g := newGateway(t, c.options, nil, byPlan, executed)
		if c.use != nil {
			g.front.Use(c.use)
		}
		fallback = "none"
		got := g.ask(t, "{n}")
		if plan := got.text == `{"data":"a plan"}`; plan != c.plan || fallback != c.want {
			t.Errorf("%s: got %s, with the fallback reason %q, want %q", name, got.text, fallback, c.want)
		}
	}
}

// Buffers are used again, but never while a response lies in them, and not with extensions, which
// may keep the response.
func TestBuffersAreReused(t *testing.T) {
	var mu sync.Mutex
	var kept [][]byte
	execute := func(op *graphql.OperationContext, buf []byte) engine.Result {
		buf = fmt.Appendf(buf[:0], "{\"ok\":%q}", strings.Repeat(op.Operation.Name, 1000))
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, buf)
		return written(buf)
	}
	for _, extended := range []bool{false, true} {
		kept = nil
		g := newGateway(t, front.Options{}, nil, planned(execute))
		if extended {
			g.front.Use(responseInterceptor{})
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

// responseInterceptor is an extension that intercepts responses.
type responseInterceptor struct{}

func (responseInterceptor) ExtensionName() string                   { return "passes" }
func (responseInterceptor) Validate(graphql.ExecutableSchema) error { return nil }
func (responseInterceptor) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(ctx)
}
