package front_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// recorder is an extension with all methods, which records their calls.
type recorder struct {
	name string
	seen *[]string
	fail string // the hook that refuses
}

func (w recorder) note(format string, args ...any) {
	*w.seen = append(*w.seen, w.name+" "+fmt.Sprintf(format, args...))
}

func (w recorder) refusal(hook string) *gqlerror.Error {
	if w.fail != hook {
		return nil
	}
	return &gqlerror.Error{Message: "no", Extensions: map[string]any{"code": "FORBIDDEN"}}
}

func (w recorder) ExtensionName() string                   { return w.name }
func (w recorder) Validate(graphql.ExecutableSchema) error { return nil }

func (w recorder) MutateOperationParameters(ctx context.Context, p *graphql.RawParams) *gqlerror.Error {
	w.note("parameters %s %v", p.Query, graphql.HasOperationContext(ctx))
	p.Query += " "
	return w.refusal("parameters")
}

func (w recorder) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	s := op.Stats
	timed := !s.OperationStart.IsZero() && !s.Parsing.Start.IsZero() && !s.Parsing.End.IsZero() && !s.Validation.Start.IsZero() && !s.Validation.End.IsZero()
	w.note("operation %q %q %v %v timed %t, same %t", op.RawQuery, op.Operation.Name, op.Variables, op.Headers.Get("X-Sent"), timed, graphql.GetOperationContext(ctx) == op)
	return w.refusal("operation")
}

func (w recorder) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	w.note("around operation")
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		w.note("before answer")
		return respond(ctx)
	}
}

func (w recorder) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	w.note("around answer")
	graphql.RegisterExtension(ctx, w.name, true)
	response := next(ctx)
	w.note("after answer %s", response.Data)
	return response
}

func (w recorder) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	w.note("around root field")
	return next(ctx)
}

func (w recorder) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	w.note("around field")
	return next(ctx)
}

// resolveField calls the middleware of fields as gqlgen's generated code does.
func resolveField(ctx context.Context) *graphql.Response {
	op := graphql.GetOperationContext(ctx)
	op.RootResolverMiddleware(ctx, func(ctx context.Context) graphql.Marshaler {
		_, _ = op.ResolverMiddleware(ctx, func(context.Context) (any, error) { return 1, nil })
		return graphql.Null
	})
	return &graphql.Response{Data: []byte(`{"n":1}`)}
}

// Extensions are called in the order of gqlgen's own executor, with the same arguments.
func TestExtensionsAreCalledAsByGqlgen(t *testing.T) {
	const query = "query A($first: Int) {s(first: $first)}"
	for _, fail := range []string{"", "parameters", "operation"} {
		watch := func(use func(graphql.HandlerExtension)) *[]string {
			seen := &[]string{}
			use(recorder{"a", seen, fail})
			use(recorder{"b", seen, ""})
			return seen
		}

		g := newGateway(t, front.Options{}, resolveField)
		got := watch(g.front.Use)
		body := `{"query":"` + query + `","variables":{"first":2}}`
		answer := g.do(t, g.request(t, "POST", "/graphql", body, "Content-Type: application/json", "X-Sent: yes"))

		e := executor.New(&service{respond: resolveField})
		want := watch(e.Use)
		ctx := graphql.StartOperationTrace(t.Context())
		op, errs := e.CreateOperationContext(ctx, &graphql.RawParams{
			Query: query, Variables: map[string]any{"first": 2}, Headers: map[string][]string{"X-Sent": {"yes"}},
		})
		if errs == nil {
			next, ctx := e.DispatchOperation(ctx, op)
			next(ctx)
		} else {
			e.DispatchError(graphql.WithOperationContext(ctx, op), errs)
		}

		if !slices.Equal(*got, *want) {
			t.Errorf("%q: the calls are\n%s\nwant\n%s", fail, strings.Join(*got, "\n"), strings.Join(*want, "\n"))
		}
		if fail != "" && (answer.code() != "FORBIDDEN" || answer.body.Errors[0].Message != "no") || answer.body.Extensions["a"] != true || answer.body.Extensions["b"] != true {
			t.Errorf("%q: %s", fail, answer.text)
		}
	}
}

// deadlineExtension is an extension that sets a deadline that has passed.
type deadlineExtension struct{ responseInterceptor }

func (deadlineExtension) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	ctx, cancel := context.WithTimeout(ctx, 0)
	defer cancel()
	return next(ctx)
}

// The response to a deadline that an extension has set is the same as to that of the front.
func TestExtensionSetsDeadline(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	g.front.Use(deadlineExtension{})
	if got := g.ask(t, "{n}"); got.status != 504 || got.code() != "GATEWAY_TIMEOUT" {
		t.Errorf("%d %s", got.status, got.text)
	}
}
