package explain

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// callOf describes the call of a binding.
func (w *walker) callOf(b *binding.Field, needs []string) *Call {
	call := &Call{Source: b.Source, Method: b.Call.Method, Path: b.Call.Template, Binding: b.ID, Cache: w.cacheOf(b, needs)}
	if b.Call.Operation != nil {
		call.Operation = b.Call.Operation.ID
	}
	if b.Call.Timeout > 0 {
		call.Timeout = b.Call.Timeout.String()
	}
	if b.OnError.Mode != binding.FailOnError {
		call.OnError = string(b.OnError.Mode)
	}
	if b.OnError.Mode == binding.StaleOnError {
		call.StaleFor = b.OnError.MaxAge.String()
	}
	if b.Page != nil {
		call.Page = b.Page.Type
	}
	if b.Batch != nil {
		call.Batch = &Batch{Key: b.Batch.ParentKey.Name, MaxSize: b.Batch.MaxSize, Whole: !b.Call.CarriesKeys()}
	}
	return call
}

// cacheOf returns for which callers the response of a call could be cached.
func (w *walker) cacheOf(b *binding.Field, needs []string) Cache {
	switch {
	case w.operation.Operation != ast.Query || b.Call.Method != "GET":
		return CacheNever
	case len(needs) > 0 || slices.ContainsFunc(w.variables(b), dependsOnCaller):
		return CachePerCaller
	}
	return CacheShared
}

// variables returns all variables of a binding's call, including those that its source adds.
func (w *walker) variables(b *binding.Field) []*binding.Value {
	call := w.bindings.graph.FullCall(b)
	return call.Variables()
}

// dependsOnCaller reports whether a variable depends on the caller: a claim or a header of the
// request.
func dependsOnCaller(v *binding.Value) bool {
	return v.Scope == binding.Claims || v.Scope == binding.Request
}
