package explain

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// callOf describes the call of a binding.
func callOf(b *binding.Field, op *ast.OperationDefinition, needs []string) *Call {
	call := &Call{Source: b.Source, Method: b.Call.Method, Path: b.Call.Template, Cache: cacheOf(b, op, needs)}
	if b.Batch != nil {
		call.Batch = &Batch{Key: b.Batch.Parent.Name, MaxSize: b.Batch.MaxSize, Whole: !b.Call.CarriesKeys()}
	}
	return call
}

// cacheOf tells for whom the answer of a call could be kept.
func cacheOf(b *binding.Field, op *ast.OperationDefinition, needs []string) Cache {
	switch {
	case op.Operation != ast.Query || b.Call.Method != "GET":
		return CacheNever
	case len(needs) > 0 || slices.ContainsFunc(b.Call.Variables(), ofCaller):
		return CachePerCaller
	}
	return CacheShared
}

// ofCaller tells whether a value says something of who asks: a claim, or a header of the
// request.
func ofCaller(v *binding.Value) bool {
	return v.Scope == binding.Claims || v.Scope == binding.Request
}
