package plugin

import (
	"go/token"
	"slices"
	"testing"

	"github.com/99designs/gqlgen/codegen"
	"github.com/vektah/gqlparser/v2/ast"
)

// Whatever types are called and in whichever order they come, no two declare the same name.
func TestNamesOfTypes(t *testing.T) {
	types := []string{"A_b", "AB", "a_b", "Ab", "ab", "A", "_", "__A", "B_1", "B1", "type", "Implementors", "ofAB", "AB_00000000"}
	declared := func(order []string) {
		w := &engineWriter{
			generator: &generator{data: &codegen.Data{}}, f: newGoFile("example.com/graph", engineLocals),
			view: &engineView{enginePackages: &enginePackages{}}, types: map[string]*planType{}, methods: names{"ec": "the field of planRun"},
		}
		owners := map[string]string{}
		own := func(name, owner string) {
			if other, ok := owners[name]; ok && other != owner {
				t.Errorf("%s and %s both declare %s", other, owner, name)
			}
			if !token.IsIdentifier(name) {
				t.Errorf("%s declares %q, which is not an identifier", owner, name)
			}
			owners[name] = owner
		}
		for _, name := range order {
			w.declareType(&codegen.Object{Definition: &ast.Definition{Name: name}, Root: true})
		}
		for _, v := range w.view.Types {
			own(v.ID, v.Name)
			own(v.Encode, v.Name)
			own(v.Collect, v.Name)
			own(v.Fallback, v.Name)
			for _, field := range []string{"b", "B", "B_1"} {
				own(w.method("resolve"+v.Ident+field, v.Name+"."+field), v.Name+"."+field)
			}
		}
	}
	declared(types)
	slices.Reverse(types)
	declared(types)
}

// The variable that gqlgen declares for a type is not declared for another one again.
func TestNamesThatGqlgenHas(t *testing.T) {
	schema := &ast.Schema{Types: map[string]*ast.Definition{"OfX": {Name: "OfX"}}}
	w := &engineWriter{generator: newTestGenerator(schema), f: newGoFile("example.com/graph", engineLocals)}
	w.reserve()
	if got := w.f.declare("ofXImplementors", "ID of XImplementors"); got == "ofXImplementors" {
		t.Error("ofXImplementors is declared twice")
	}
}

func TestTypeWords(t *testing.T) {
	order := ast.NamedType("Order", nil)
	for want, of := range map[string]*ast.Type{
		"Order": order, "NonNullOrder": ast.NonNullNamedType("Order", nil), "ListOfOrder": ast.ListType(order, nil),
		"NonNullListOfListOfNonNullOrder": ast.NonNullListType(ast.ListType(ast.NonNullNamedType("Order", nil), nil), nil),
	} {
		if got := typeWords(of); got != want {
			t.Errorf("%s: got %s, want %s", of, got, want)
		}
	}
}
