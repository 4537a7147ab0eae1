package explain

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// demand is what a visit needs of its call: keys, and how they are distributed over calls.
type demand struct {
	keys        Count
	batchSize   int    // keys of one call; 0 means any number
	keyless     bool   // one call, without keys, serves all of them
	callsPerKey Count  // calls that each key takes one after the other; 0 means 1
	callKey     string // equal for visits that can share calls; "" if the visit shares none
	requestKey  string // equal for visits that send the same requests; "" if they are not known beforehand
	field       string // the field of the parents that holds the keys; several fields together are one key
	origin      origin
}

// origin is where keys come from: objects of one type at one place.
type origin struct{ place, object string }

// demandOf returns the demand of a bound field. A root field has one key, which stands for the
// field itself. A connection calls for each parent. Every other field has as many keys as its
// parents hold.
func (w *walker) demandOf(p place, s *selected, b *binding.Field) demand {
	switch {
	case p.object == w.root:
		return demand{keys: 1, batchSize: 1, callsPerKey: callsPerPage(s, b), requestKey: w.requestKeyOf(s, b)}
	case b.Page != nil:
		return demand{keys: p.count, batchSize: 1, callsPerKey: callsPerPage(s, b), origin: origin{p.id, p.object.Name}}
	}
	a := demand{keys: p.count, callKey: callKeyOf(b, s.arguments), origin: origin{p.id, p.object.Name}}
	switch {
	case b.Batch == nil:
		a.field = strings.Join(b.ParentFields(), " ")
		if a.keyless = a.field == ""; !a.keyless {
			a.batchSize = 1
		}
	case hasKeyList(b):
		a.field, a.batchSize, a.keys = b.Batch.ParentKey.Name, b.Batch.MaxSize, p.count.multiply(w.keysPerParent(p, b))
	default:
		a.field, a.batchSize, a.keyless = b.Batch.ParentKey.Name, b.Batch.MaxSize, !b.Call.CarriesKeys()
	}
	if a.keyless || b.Batch == nil {
		a.requestKey = w.requestKeyOf(s, b)
	}
	if a.requestKey != "" && !a.keyless { // one call for each key, which equal fields of the same parents hold
		a.requestKey += fmt.Sprint(b.ParentFields(), p.id, p.object.Name)
	}
	return a
}

// requestKeyOf returns a text that is equal for two fields that send the same requests: those of
// reading calls, whose values are written in the operation or are the same in all of it. It returns
// "" for pages, whose arguments alone do not determine the requests.
func (w *walker) requestKeyOf(s *selected, b *binding.Field) string {
	if !w.isRead(b) || b.Page != nil {
		return ""
	}
	r := &renderer{own: b.ParentFields(), arguments: s.arguments}
	all := append([]any{b.Source}, r.call(&b.Call)...)
	text, _ := json.Marshal(all)
	return string(text)
}

// isRead reports whether a call only reads, so that equal ones of the operation are made once. A
// mutation is left out, since handwritten code may write between two calls.
func (w *walker) isRead(b *binding.Field) bool {
	return b != nil && b.Call.Method == http.MethodGet && w.operation.Operation == ast.Query
}

// callKeyOf returns a text that is equal for two bindings if one call can serve both: the
// counterpart of the names and types by which the engine identifies batches.
func callKeyOf(b *binding.Field, arguments map[string]any) string {
	r := &renderer{own: b.ParentFields(), arguments: arguments}
	params := make([]any, len(b.SelectionVariables))
	for i, v := range b.SelectionVariables {
		params[i] = r.value(v)
	}
	text, _ := json.Marshal(append(r.call(&b.Call), params...))
	return fmt.Sprintf("%s %s %s %s: %s", b.Source, b.Extraction, resultKey(b), b.OnError.MaxAge, text)
}

// resultKey distinguishes the results that one call is decoded into.
func resultKey(b *binding.Field) string {
	t := b.Definition.Type
	if b.Batch == nil {
		return t.String()
	}
	if hasKeyList(b) {
		t = t.Elem
	}
	if b.Batch.ItemKey == "" {
		return fmt.Sprintf("{%s} %d", t, b.Batch.MaxSize)
	}
	return fmt.Sprintf("%t %s by %s %d", t.Elem != nil, t.Name(), b.Batch.ItemKey, b.Batch.MaxSize)
}

// renderer writes calls with their values. A value that is only known at run time is represented by
// its source.
type renderer struct {
	own       []string // the fields of the parent that the call uses
	arguments map[string]any
}

func (r *renderer) call(c *binding.Call) []any {
	all := []any{c.Method, r.parts(c.Path)}
	for _, p := range c.Query {
		all = append(all, "?"+p.Name, p.Explode, style(p.Style), r.parts(p.Parts))
	}
	for _, p := range c.Headers {
		all = append(all, ":"+p.Name, style(p.Style), r.parts(p.Parts))
	}
	for _, p := range c.Cookies {
		all = append(all, "cookie "+p.Name, style(p.Style), r.parts(p.Parts))
	}
	if c.Body != nil {
		all = append(all, c.Encoding, c.MediaType, r.value(c.Body))
	}
	if c.Timeout > 0 {
		all = append(all, c.Timeout)
	}
	return all
}

// style returns how a document has a value serialized.
func style(p *openapi.Parameter) string {
	if p == nil {
		return ""
	}
	return fmt.Sprint(p.Style, p.Explode, p.AllowReserved, p.Media)
}

func (r *renderer) parts(parts []binding.Part) []any {
	all := make([]any, len(parts))
	for i, p := range parts {
		if all[i] = p.Literal; p.Value != nil {
			all[i] = []any{style(p.Style), r.value(p.Value)}
		}
	}
	return all
}

// value represents a value. A field of the parent is represented by its index among those that the
// call uses, because the types of two parents may name it differently.
func (r *renderer) value(v *binding.Value) any {
	if !v.IsPlain() {
		return r.computedValue(v)
	}
	switch v.Scope {
	case binding.Args:
		return map[string]any{"args": valueAt(r.arguments[v.Path[0]], v.Path[1:])}
	case binding.Keys:
		return map[string]any{"keys": true}
	case binding.This:
		return map[string]any{"own": slices.Index(r.own, v.Path[0]), "type": v.Type.Name()}
	}
	return map[string]any{string(v.Scope): v.Path}
}

// computedValue represents a value that is computed from others by its text and these.
func (r *renderer) computedValue(v *binding.Value) any {
	all := []any{v.Literal}
	if v.Text != nil {
		all = append(all, v.Text.Raw[v.Offset:])
	}
	for of := range v.Variables() {
		plain := *of
		plain.Transforms = nil
		all = append(all, r.value(&plain))
	}
	return all
}
