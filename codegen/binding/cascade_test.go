package binding

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// A mistake in a declaration is one finding, not one more for each use of what is declared.
func TestOneMistakeIsOneFinding(t *testing.T) {
	const query = ` type Query { f: S @connect(source: "s", http: {GET: "/a", headers: [{name: "Accept", value: "text/json"}]}) g: S @connect(source: "s", http: {GET: "/b"}) }`
	for _, c := range []struct{ schema, want string }{
		{`extend schema @source(name: "s", http: {}) scalar S @sameAs(scalar: "ID") type Query { g: S @connect(source: "s", http: {GET: "/b"}) }`, "GH019"},
		{`extend schema @source(name: "s", nullon: [404]) scalar S @sameAs(scalar: "ID") type Query { g: S @connect(source: "s", http: {GET: "/b"}) }`, "GH006"},
		{`extend schema @source(name: "s", security: NONE) scalar S @sameAs(scalar: "ID") type Query { g: S @connect(source: "s", http: {GET: "/b"}) }`, "GH007"},
		{`extend schema @source(name: "s", openapi: "s.yaml", nullon: [404]) type Query { g: Int @connect(source: "s", operation: "get") }`, "GH006"},
		{`extend schema @source(name: "s") scalar S @sameAs(scalar: "Long")` + query, "GH062"},
		{`extend schema @source(name: "s") scalar S @sameAs(scalar: "ID")` + strings.ReplaceAll(query, `g: S @connect(source: "s"`, `g: S @connect(source: "t"`), "GH010"},
	} {
		schema, err := Load(&ast.Source{Name: "s.graphqls", Input: c.schema})
		if err == nil {
			_, err = Compile(schema, CompileOptions{})
		}
		if err == nil || strings.Count(err.Error(), "(GH") != 1 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want one finding, %s", c.schema, err, c.want)
		}
	}
}
