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

// watcher is an extension that uses every hook, and notes what it sees.
type watcher struct {
	name string
	seen *[]string
	fail string // the hook that refuses
}

func (w watcher) note(format string, args ...any) {
	*w.seen = append(*w.seen, w.name+" "+fmt.Sprintf(format, args...))
}

func (w watcher) refusal(hook string) *gqlerror.Error {
	if w.fail != hook {
		return nil
	}
	return &gqlerror.Error{Message: "no", Extensions: map[string]any{"code": "FORBIDDEN"}}
}

func (w watcher) ExtensionName() string                   { return w.name }
func (w watcher) Validate(graphql.ExecutableSchema) error { return nil }

func (w watcher) MutateOperationParameters(ctx context.Context, p *graphql.RawParams) *gqlerror.Error {
	w.note("parameters %s %v", p.Query, graphql.HasOperationContext(ctx))
	p.Query += " "
	return w.refusal("parameters")
}

func (w watcher) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	s := op.Stats
	timed := !s.OperationStart.IsZero() && !s.Parsing.Start.IsZero() && !s.Parsing.End.IsZero() && !s.Validation.Start.IsZero() && !s.Validation.End.IsZero()
	w.note("operation %q %q %v %v timed %t, same %t", op.RawQuery, op.Operation.Name, op.Variables, op.Headers.Get("X-Sent"), timed, graphql.GetOperationContext(ctx) == op)
	return w.refusal("operation")
}

func (w watcher) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	w.note("around operation")
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		w.note("before answer")
		return respond(ctx)
	}
}

func (w watcher) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	w.note("around answer")
	graphql.RegisterExtension(ctx, w.name, true)
	response := next(ctx)
	w.note("after answer %s", response.Data)
	return response
}

func (w watcher) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	w.note("around root field")
	return next(ctx)
}

func (w watcher) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	w.note("around field")
	return next(ctx)
}

// answerField does with the middlewares what gqlgen's generated code does.
func answerField(ctx context.Context) *graphql.Response {
	op := graphql.GetOperationContext(ctx)
	op.RootResolverMiddleware(ctx, func(ctx context.Context) graphql.Marshaler {
		_, _ = op.ResolverMiddleware(ctx, func(context.Context) (any, error) { return 1, nil })
		return graphql.Null
	})
	return &graphql.Response{Data: []byte(`{"n":1}`)}
}

// An extension is called as by gqlgen's own executor: in the same order, with the same.
func TestExtensionsAreCalledAsByGqlgen(t *testing.T) {
	const query = "query A($first: Int) {s(first: $first)}"
	for _, fail := range []string{"", "parameters", "operation"} {
		watch := func(use func(graphql.HandlerExtension)) *[]string {
			seen := &[]string{}
			use(watcher{"a", seen, fail})
			use(watcher{"b", seen, ""})
			return seen
		}

		g := newGateway(t, front.Options{}, answerField)
		got := watch(g.front.Use)
		body := `{"query":"` + query + `","variables":{"first":2}}`
		answer := g.do(t, g.request(t, "POST", "/graphql", body, "Content-Type: application/json", "X-Sent: yes"))

		e := executor.New(&service{respond: answerField})
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

// hasty is an extension that gives operations no time.
type hasty struct{ passes }

func (hasty) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	ctx, cancel := context.WithTimeout(ctx, 0)
	defer cancel()
	return next(ctx)
}

// The end that an extension has set is told like the front's own.
func TestExtensionSetsDeadline(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	g.front.Use(hasty{})
	if got := g.ask(t, "{n}"); got.status != 504 || got.code() != "GATEWAY_TIMEOUT" {
		t.Errorf("%d %s", got.status, got.text)
	}
}
