package plugin

import (
	"go/types"
	"testing"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"
)

// A scalar whose code takes a context makes a field request-scoped, unless gqlgen or gatehouse has
// written that code.
func TestContextual(t *testing.T) {
	written := func(home string) *types.Func {
		return types.NewFunc(0, types.NewPackage(home, "p"), "MarshalOdd", nil)
	}
	named := func(home string) types.Type {
		return types.NewNamed(types.NewTypeName(0, types.NewPackage(home, "p"), "Odd", nil), types.Typ[types.String], nil)
	}
	for _, c := range []struct {
		tr   config.TypeReference
		want bool
	}{
		{config.TypeReference{IsContext: true, Marshaler: written("example.com/own")}, true},
		{config.TypeReference{IsContext: true, IsMarshaler: true, Target: named("example.com/own")}, true},
		{config.TypeReference{IsContext: true, IsMarshaler: true, Target: types.NewPointer(named("example.com/own"))}, true},
		{config.TypeReference{Marshaler: written("example.com/own")}, false},
		{config.TypeReference{IsContext: true, Marshaler: written(graphqlPkg)}, false},
		{config.TypeReference{IsContext: true, IsMarshaler: true, Target: named(scalarPkg)}, false},
	} {
		if got := isContextual(&c.tr); got != c.want {
			t.Errorf("%+v is contextual: %t", c.tr, got)
		}
	}
}

// So is an argument of an input object that the project reads itself, and of one that holds
// such a value.
func TestTakesContextual(t *testing.T) {
	odd := config.TypeReference{IsContext: true, Marshaler: types.NewFunc(0, types.NewPackage("example.com/own", "p"), "UnmarshalOdd", nil)}
	text := config.TypeReference{Definition: &ast.Definition{Kind: ast.Scalar}}
	input := config.TypeReference{Definition: &ast.Definition{Kind: ast.InputObject}}
	own := odd
	own.Definition = input.Definition
	with := func(tr *config.TypeReference) *generator {
		return &generator{data: &codegen.Data{Inputs: codegen.Objects{{Fields: []*codegen.Field{{TypeReference: tr}}}}}}
	}
	for name, c := range map[string]struct {
		g    *generator
		tr   config.TypeReference
		want bool
	}{
		"plain": {with(&text), input, false}, "holds one": {with(&odd), input, true}, "is one": {with(&text), own, true}, "a leaf": {with(&odd), text, false},
	} {
		if got := c.g.takesContextual(&c.tr); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
