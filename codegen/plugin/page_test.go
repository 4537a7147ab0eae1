package plugin

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// A claim in a header of all of a source's calls decides whose page it is, like one in the
// call, unless the call sets that header itself.
func TestCursorsAreBoundToClaims(t *testing.T) {
	claim := func(name string) *binding.Value { return &binding.Value{Scope: binding.Claims, Path: []string{name}} }
	header := func(name string, v *binding.Value) binding.Param {
		return binding.Param{Name: name, Parts: []binding.Part{{Literal: "x-"}, {Value: v}}}
	}
	g := &generator{graph: &binding.Graph{Sources: []*binding.Source{{Name: "s", Headers: []binding.Param{header("X-Tenant", claim("tenant"))}}}}}
	constant := &binding.Value{Literal: "1"}
	for want, b := range map[string]*binding.Field{
		"$claims.tenant":              {Source: "s"},
		"$claims.sub, $claims.tenant": {Source: "s", Call: binding.Call{Path: []binding.Part{{Value: claim("sub")}}}},
		"":                            {Source: "s", Call: binding.Call{Headers: []binding.Param{header("x-tenant", constant)}}},
	} {
		if got := g.pageParent(b, true, (*binding.Value).String); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := g.pageParent(&binding.Field{Source: "s"}, false, (*binding.Value).String); got != "key, $claims.tenant" {
		t.Errorf("below a parent: %q", got)
	}
}
