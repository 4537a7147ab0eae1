package front_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// refusing resolves the field "n" by a call to a service that responds with 422 and body.
func refusing(t *testing.T, body string, rules *upstreams.Rules) func(ctx context.Context) *graphql.Response {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	services, err := upstreams.New(upstreams.Options{"users": {URLs: upstreams.URLs(server.URL)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	return func(ctx context.Context) *graphql.Response {
		field := graphql.WithFieldContext(ctx, &graphql.FieldContext{
			Object: "Query", Field: graphql.CollectedField{Field: &ast.Field{Alias: "n", Name: "n"}},
		})
		graphql.AddError(field, upstreams.Send(ctx, services, "users", rest.New("POST", "/users"), rules))
		return &graphql.Response{Data: []byte(`{"n":null}`)}
	}
}

func TestMappedErrors(t *testing.T) {
	mapped := &upstreams.Rules{
		Message:    func(r *upstreams.Response) any { return mapping.Get(r.Body(), "message") },
		Extensions: func(r *upstreams.Response) any { return mapping.Get(r.Body(), "more") },
	}
	const ours = `"http":{"status":422},"service":"users"`
	for _, test := range []struct {
		name  string
		body  string
		rules *upstreams.Rules
		want  string // message and extensions
	}{
		{
			"without a mapping", `{"message":"s3cret","more":{"a":1}}`, nil,
			`the service refused the input {"code":"BAD_USER_INPUT",` + ours + `}`,
		},
		{
			"with one", `{"message":"too short\r\n","more":{"min":12,"fields":[{"z":1,"a":2}]}}`, mapped,
			`too short {"code":"BAD_USER_INPUT","fields":[{"z":1,"a":2}],` + ours[:len(ours)-len(`,"service":"users"`)] + `,"min":12,"service":"users"}`,
		},
		{
			"what is ours stays", `{"more":{"code":"WEAK","service":"evil","http":"evil"}}`, mapped,
			`the service refused the input {"code":"WEAK",` + ours + `}`,
		},
		{"a code that is not a text", `{"more":{"code":17}}`, mapped, `the service refused the input {"code":"BAD_USER_INPUT",` + ours + `}`},
		{"an empty code", `{"more":{"code":""}}`, mapped, `the service refused the input {"code":"BAD_USER_INPUT",` + ours + `}`},
		{
			"a code for a book", `{"more":{"code":"` + strings.Repeat("x", 101) + `"}}`, mapped,
			`the service refused the input {"code":"BAD_USER_INPUT",` + ours + `}`,
		},
	} {
		g := newGateway(t, front.Options{}, refusing(t, test.body, test.rules))
		got := g.ask(t, "{n}")
		var shown struct {
			Errors []struct {
				Message    string
				Extensions json.RawMessage
			}
		}
		if err := json.Unmarshal([]byte(got.text), &shown); err != nil || len(shown.Errors) != 1 {
			t.Fatalf("%s: %s (%v)", test.name, got.text, err)
		}
		if diff := cmp.Diff(test.want, shown.Errors[0].Message+" "+string(shown.Errors[0].Extensions)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if logged := g.log.lines(t, shown.Errors[0].Message); len(logged) != 1 || logged[0]["code"] != string(fault.BadUserInput) {
			t.Errorf("%s: logged %v", test.name, logged)
		}
	}
}

// Several fields may have the same fault, so that presenting it does not change it. An error
// without a service names none.
func TestFaultsAreNotModified(t *testing.T) {
	shared := &fault.Error{Code: fault.NotFound, Message: "no", Extensions: map[string]any{"a": 1, "service": "x"}}
	g := newGateway(t, front.Options{}, failing(shared, shared))
	if got := g.ask(t, "{n}"); len(got.body.Errors) != 2 || got.body.Errors[1].Extensions.Service != "" || !strings.Contains(got.text, `"a":1`) {
		t.Error(got.text)
	}
	if diff := cmp.Diff(map[string]any{"a": 1, "service": "x"}, shared.Extensions); diff != "" {
		t.Error(diff)
	}
}
