package plugin

import (
	"go/types"
	"testing"

	"github.com/99designs/gqlgen/codegen/config"
)

// A scalar that is written with a look at the request is nobody else's, unless it is gqlgen's
// or ours that writes it.
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
		if got := contextual(&c.tr); got != c.want {
			t.Errorf("%+v is contextual: %t", c.tr, got)
		}
	}
}
