package plugin

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// Which of a path's values is compared with the key of what comes.
func TestNamesOfKeys(t *testing.T) {
	field := func(name, of string) *binding.Field {
		return &binding.Field{Definition: &ast.FieldDefinition{Name: name, Type: ast.NamedType(of, nil)}}
	}
	for _, test := range []struct {
		b     *binding.Field
		scope binding.Scope
		value string
		want  bool
	}{
		{field("user", "User"), binding.Args, "id", true},
		{field("person", "User"), binding.Args, "userId", true},
		{field("customer", "User"), binding.This, "customerId", true},
		{field("customer", "User"), binding.This, "userId", true},
		{field("customer", "User"), binding.Args, "orderId", false},
		{field("latest", "Order"), binding.This, "id", false}, // the parent's own
		{field("latest", "Order"), binding.This, "userId", false},
		{field("me", "User"), binding.Claims, "id", false},
	} {
		if got := namesKey(test.b, &binding.Value{Scope: test.scope, Path: []string{test.value}}, "id"); got != test.want {
			t.Errorf("%s from %s.%s: %t", test.b.Definition.Name, test.scope, test.value, got)
		}
	}
}

func TestLastSegment(t *testing.T) {
	id := binding.Part{Value: &binding.Value{Scope: binding.Args, Path: []string{"id"}}}
	literal := func(text string) binding.Part { return binding.Part{Literal: text} }
	for name, test := range map[string]struct {
		call binding.Call
		want bool
	}{
		"at the end":       {binding.Call{Method: "GET", Path: []binding.Part{literal("/users/"), id}}, true},
		"of a PATCH":       {binding.Call{Method: "PATCH", Path: []binding.Part{literal("/users/"), id}}, true},
		"of a POST":        {binding.Call{Method: "POST", Path: []binding.Part{literal("/users/"), id}}, false},
		"part of a word":   {binding.Call{Method: "GET", Path: []binding.Part{literal("/users/u"), id}}, false},
		"before a suffix":  {binding.Call{Method: "GET", Path: []binding.Part{literal("/users/"), id, literal(".json")}}, false},
		"before a segment": {binding.Call{Method: "GET", Path: []binding.Part{literal("/users/"), id, literal("/orders")}}, false},
		"no value":         {binding.Call{Method: "GET", Path: []binding.Part{literal("/users")}}, false},
	} {
		if got := lastSegment(&test.call) != nil; got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
