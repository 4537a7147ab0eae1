package plugin

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// Two requests have the same text only if they are the same for all values. The project in
// codegen/testdata holds what batches share against the calls on the wire (TestWhatIsShared).
func TestRequestText(t *testing.T) {
	literal := func(text string) binding.Part { return binding.Part{Literal: text} }
	sub := binding.Part{Value: &binding.Value{Scope: binding.Claims, Path: []string{"sub"}}}
	first := binding.Part{Value: &binding.Value{Scope: binding.Claims, Path: []string{"list"}, Transforms: []binding.Transform{{Op: binding.First}}}}
	param := func(name string, parts ...binding.Part) binding.Param { return binding.Param{Name: name, Parts: parts} }
	each := func(name string, parts ...binding.Part) binding.Param {
		return binding.Param{Name: name, Parts: parts, Explode: true}
	}
	get := func(query ...binding.Param) binding.Call {
		return binding.Call{Method: "GET", Path: []binding.Part{literal("/p")}, Query: query}
	}
	for _, test := range []struct {
		call binding.Call
		want string
	}{
		{get(), "GET /p"},
		{get(param("a", sub)), "GET /p?a={$claims.sub}"},
		{get(param("a", literal("{$claims.sub}"))), "GET /p?a=%7B$claims.sub%7D"},
		{get(param("a=b", literal("x&y"))), "GET /p?a%3Db=x%26y"},
		{get(param("b", literal("1")), param("a", literal("2")), param("a", literal("1"))), "GET /p?a=2&a=1&b=1"},
		{get(param("b", literal("1")), each("a", sub)), `GET /p?b=1&QueryExploded("a", {$claims.sub})`},
		{get(each("a", sub), param("b", literal("1"))), `GET /p?QueryExploded("a", {$claims.sub})&b=1`},
		{get(param("a", literal("x"), sub)), "GET /p?a=x{$claims.sub}"},
		{get(param("a", first)), "GET /p?a={mapping.First({$claims.list})}"},
		{binding.Call{Method: "GET", Path: []binding.Part{literal("/{a} ?/"), sub, literal("/x")}}, "GET /%7Ba%7D%20%3F/{$claims.sub}/x"},
		{
			binding.Call{Method: "POST", Path: []binding.Part{literal("/p")}, Headers: []binding.Param{param("x-b", sub), param("X-A", literal(`"`))}, Idempotent: true},
			`POST /p Header("X-A", "\"") Header("x-b", {$claims.sub}) Idempotent()`,
		},
	} {
		g := &generator{graph: &binding.Graph{}}
		got, values, err := g.requestOf(newGoFile("example.com/resolvers", locals), &binding.Field{Call: test.call}, nil)
		if got != test.want || len(values) > 0 || err != nil {
			t.Errorf("got  %s %v %v\nwant %s", got, values, err, test.want)
		}
	}
}
