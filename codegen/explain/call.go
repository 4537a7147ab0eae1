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
		call.Batch = &Batch{Key: b.Batch.Parent.Name, MaxSize: b.Batch.MaxSize, Whole: !carriesKeys(&b.Call)}
	}
	return call
}

// cacheOf tells for whom the answer of a call could be kept.
func cacheOf(b *binding.Field, op *ast.OperationDefinition, needs []string) Cache {
	switch {
	case op.Operation != ast.Query || b.Call.Method != "GET":
		return CacheNever
	case len(needs) > 0 || slices.ContainsFunc(values(&b.Call), ofCaller):
		return CachePerCaller
	}
	return CacheShared
}

// ofCaller tells whether a value says something of who asks: a claim, or a header of the
// request.
func ofCaller(v *binding.Value) bool {
	return v.Scope == binding.Claims || v.Scope == "request"
}

// own are the parent's fields that a call takes for $this, each once.
func own(c *binding.Call) []string {
	var names []string
	for _, v := range values(c) {
		if v.Scope == binding.This && !slices.Contains(names, v.Path[0]) {
			names = append(names, v.Path[0])
		}
	}
	return names
}

// values are all that a call takes.
func values(c *binding.Call) []*binding.Value {
	var all []*binding.Value
	add := func(parts []binding.Part) {
		for _, p := range parts {
			if p.Value != nil {
				all = append(all, p.Value)
			}
		}
	}
	add(c.Path)
	for _, p := range slices.Concat(c.Query, c.Headers) {
		add(p.Parts)
	}
	if c.Body != nil {
		all = append(all, c.Body)
	}
	return all
}

// carriesKeys tells whether a call says for which keys it asks.
func carriesKeys(c *binding.Call) bool {
	return slices.ContainsFunc(values(c), func(v *binding.Value) bool { return v.Scope == binding.Keys })
}
