package front_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// failing responds with errors at the field "n".
func failing(errs ...error) func(ctx context.Context) *graphql.Response {
	return func(ctx context.Context) *graphql.Response {
		field := graphql.WithFieldContext(ctx, &graphql.FieldContext{
			Object: "Query", Field: graphql.CollectedField{Field: &ast.Field{Alias: "n", Name: "n"}},
		})
		for _, err := range errs {
			graphql.AddError(field, err)
		}
		return &graphql.Response{Data: []byte(`{"n":null}`)}
	}
}

func TestErrorsArePresented(t *testing.T) {
	down := &fault.Error{
		Code: fault.DownstreamService, Message: "the service answered with an error",
		Service: "users", Status: 502, Cause: errors.New("GET http://10.0.0.1/users: 502 <html>"),
	}
	type logged struct{ level, code, cause string }
	for name, test := range map[string]struct {
		err  error
		want replyError
		log  *logged
	}{
		"a fault with a cause": {
			down,
			replyError{Message: "the service answered with an error"},
			&logged{"WARN", "DOWNSTREAM_SERVICE_ERROR", down.Cause.Error()},
		},
		"a fault in an error": {
			fmt.Errorf("users: by ids: %w", fault.New(fault.NotFound, "no such user")),
			replyError{Message: "no such user"},
			nil,
		},
		"a fault in gqlgen's error": {
			gqlerror.WrapPath(ast.Path{ast.PathName("n")}, fault.New(fault.Forbidden, "not yours")),
			replyError{Message: "not yours"},
			nil,
		},
		"an unknown error": {
			errors.New("pq: password authentication failed for user admin"),
			replyError{Message: "internal error"},
			&logged{"ERROR", "INTERNAL_SERVER_ERROR", "pq: password authentication failed for user admin"},
		},
		"an internal fault": {
			fault.New(fault.Internal, "internal error"),
			replyError{Message: "internal error"},
			&logged{"ERROR", "INTERNAL_SERVER_ERROR", ""},
		},
		"a deadline": {
			fmt.Errorf("users: %w", context.DeadlineExceeded),
			replyError{Message: "the operation took too long"},
			&logged{"WARN", "GATEWAY_TIMEOUT", "users: context deadline exceeded"},
		},
		"a cancelled context that is not the client's": {
			context.Canceled,
			replyError{Message: "internal error"},
			&logged{"ERROR", "INTERNAL_SERVER_ERROR", "context canceled"},
		},
		"a null where none may be": {
			&graphql.InvalidNullError{Object: "Query", Field: "n", DeclaredType: "Int!", Source: graphql.NullSourceResolver},
			replyError{Message: "Cannot return null for non-nullable field Query.n."},
			&logged{"ERROR", "INTERNAL_SERVER_ERROR", "cannot return null for non-null field Query.n (Int!): the resolver returned nil"},
		},
		"words for the client": {
			&gqlerror.Error{Message: "as it is", Extensions: map[string]any{"code": "CONFLICT"}},
			replyError{Message: "as it is"},
			nil,
		},
		"words without a code": {
			gqlerror.Errorf("as it is"),
			replyError{Message: "as it is"},
			nil,
		},
		"many words": {
			gqlerror.Errorf("%s", strings.Repeat("ä", 5000)),
			replyError{Message: strings.Repeat("ä", 500) + "…"},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, front.Options{}, failing(test.err))
			got := g.ask(t, "{n}")
			want := test.want
			want.Path = []any{"n"}
			codes := map[string]string{
				"a fault in an error": "NOT_FOUND", "a fault in gqlgen's error": "FORBIDDEN", "words for the client": "CONFLICT",
			}
			want.Extensions.Code = "INTERNAL_SERVER_ERROR"
			if code, ok := codes[name]; ok {
				want.Extensions.Code = code
			}
			if test.log != nil {
				want.Extensions.Code = test.log.code
			}
			if test.err == error(down) {
				want.Extensions.Service, want.Extensions.HTTP.Status = "users", 502
			}
			if diff := cmp.Diff([]replyError{want}, got.body.Errors); diff != "" {
				t.Error(diff)
			}
			checkLog(t, g, got, test.log != nil, func(record map[string]any) {
				if record["level"] != test.log.level || record["code"] != test.log.code || record["path"] != "n" {
					t.Errorf("logged %v", record)
				}
				if cause, _ := record["cause"].(string); cause != test.log.cause {
					t.Errorf("logged the cause %q", cause)
				}
			})
		})
	}
}

// checkLog calls check for the line that was logged besides that of the operation.
func checkLog(t *testing.T, g *gateway, got *reply, wanted bool, check func(record map[string]any)) {
	t.Helper()
	lines := g.log.lines(t, got.body.Errors[0].Message)
	if len(lines) != map[bool]int{true: 1}[wanted] {
		t.Fatalf("logged %d times:\n%s", len(lines), g.log)
	}
	for _, record := range lines {
		if record["request_id"] != got.header.Get("X-Request-ID") {
			t.Errorf("logged under %v", record["request_id"])
		}
		check(record)
	}
}

// If only the code of a custom scalar refuses a value, the client is shown a message for clients,
// and the log has the cause.
func TestArgumentErrors(t *testing.T) {
	const unreadable = "an argument has a value that cannot be read"
	for name, test := range map[string]struct {
		err    error
		want   string
		logged int
	}{
		"an error of gqlgen's": {errors.New("json.Number is not a Kind"), unreadable, 1},
		"a fault":              {fault.New(fault.BadUserInput, "C is not a valid Kind"), "C is not a valid Kind", 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, front.Options{}, func(ctx context.Context) *graphql.Response {
				field := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: graphql.CollectedField{
					Field: &ast.Field{Alias: "s", Name: "s", Definition: schema.Query.Fields.ForName("s")},
				}}) // as gqlgen has it while it decodes arguments
				inside := graphql.WithPathContext(field, graphql.NewPathWithField("kind"))
				graphql.AddError(field, graphql.ErrorOnPath(inside, test.err))
				return &graphql.Response{Data: []byte("{}")}
			})
			got := g.ask(t, "{n}")
			if got.code() != "BAD_USER_INPUT" || got.body.Errors[0].Message != test.want || fmt.Sprint(got.body.Errors[0].Path) != "[s]" {
				t.Errorf("got %s", got.text)
			}
			if lines := g.log.lines(t, unreadable); len(lines) != test.logged {
				t.Errorf("logged %v", lines)
			}
		})
	}
}

func TestVariableErrors(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	for body, want := range map[string]string{
		`{"query":"mutation($i:Int!){set(n:$i)}"}`:                                      "variable $i: must be defined",
		`{"query":"query($f:Filter){find(filter:$f)}","variables":{"f":{"name":null}}}`: "variable $f.name: cannot be null",
		`{"query":"query($f:Filter){find(filter:$f)}","variables":{"f":{"x":1}}}`:       "variable $f.x: unknown field",
	} {
		got := g.do(t, g.request(t, "POST", "/graphql", body, "Content-Type: application/json"))
		if got.code() != "BAD_USER_INPUT" || got.body.Errors[0].Message != want || got.body.Errors[0].Path != nil {
			t.Errorf("%s: got %s", body, got.text)
		}
	}
}

func TestErrorsAreTruncated(t *testing.T) {
	var many []error
	for i := range 1000 {
		many = append(many, fmt.Errorf("broken %d", i))
	}
	g := newGateway(t, front.Options{}, failing(many...))
	got := g.ask(t, "{n}")
	if len(got.body.Errors) != 101 || got.body.Errors[100].Message != "900 more errors not shown" {
		t.Errorf("got %d errors, the last %v", len(got.body.Errors), got.body.Errors[len(got.body.Errors)-1])
	}
	if lines := g.log.lines(t, "internal error"); len(lines) != 20 {
		t.Errorf("%d errors were logged", len(lines))
	}
}

func TestPanics(t *testing.T) {
	explode := func(d *front.Deps) {
		d.Verify = func(context.Context, string) (*auth.Identity, error) { panic("in verify, secret") }
	}
	inField := func(ctx context.Context) *graphql.Response {
		op := graphql.GetOperationContext(ctx)
		func() { // as gqlgen's fields do
			defer func() { graphql.AddError(ctx, op.Recover(ctx, recover())) }()
			panic("in a field, secret")
		}()
		return &graphql.Response{Data: []byte(`{"n":null}`)}
	}
	for name, test := range map[string]struct {
		gateway *gateway
		status  int
	}{
		"in a field":      {newGateway(t, front.Options{}, inField), 200},
		"in the executor": {newGateway(t, front.Options{}, func(context.Context) *graphql.Response { panic("in the executor, secret") }), 500},
		"in middleware":   {newGateway(t, front.Options{}, nil, explode), 500},
		"with a fault":    {newGateway(t, front.Options{}, func(context.Context) *graphql.Response { panic(fault.New(fault.NotFound, "secret")) }), 500},
		"before the operation": {func() *gateway {
			g := newGateway(t, front.Options{}, nil)
			g.front.Use(exploding{})
			return g
		}(), 500},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.gateway.ask(t, "{n}")
			if got.status != test.status || got.code() != "INTERNAL_SERVER_ERROR" || strings.Contains(got.text, "secret") {
				t.Errorf("got %d %s", got.status, got.text)
			}
			checkLog(t, test.gateway, got, true, func(record map[string]any) {
				if cause := fmt.Sprint(record["cause"]); !strings.HasPrefix(cause, "panic: ") || record["level"] != "ERROR" {
					t.Errorf("logged %v", record)
				}
				if stack := fmt.Sprint(record["stack"]); !strings.Contains(stack, "errors_test.go") {
					t.Errorf("the stack does not lead to the panic: %s", stack)
				}
			})
			if lines := test.gateway.log.lines(t, "operation"); len(lines) != 1 || lines[0]["status"] != float64(test.status) {
				t.Errorf("the access log has %v", lines)
			}
		})
	}
}

type exploding struct{}

func (exploding) ExtensionName() string                   { return "exploding" }
func (exploding) Validate(graphql.ExecutableSchema) error { return nil }
func (exploding) MutateOperationContext(context.Context, *graphql.OperationContext) *gqlerror.Error {
	panic("in an extension, secret")
}

// http.ErrAbortHandler reaches net/http, which closes the connection.
func TestAbortHandlerIsNotRecovered(t *testing.T) {
	g := newGateway(t, front.Options{}, func(context.Context) *graphql.Response { panic(http.ErrAbortHandler) })
	if _, err := g.Client().Do(g.request(t, "GET", "/graphql?query={n}", "")); err == nil {
		t.Error("there was an answer")
	}
}
