package explain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// demand is what a visit wants of its call: keys, so many in one call.
type demand struct {
	keys   Count
	batchSize    int    // how many keys one call carries; 0 is any number
	keyless  bool   // one call answers for any keys, which it does not carry
	callsPerKey  Count  // calls that a key takes one after the other; 0 is one
	callKey string // the same for visits that one call can answer; "" for none
	field  string // what holds the keys in the parents; several fields make one key
	origin origin
}

// origin is where keys come from: objects of one type at one place.
type origin struct{ place, object string }

// demandOf finds out what a bound field wants. A field of the root has one key, itself; one
// that is joined has what it takes from its parents. Pages are asked for by each parent
// alone.
func (w *walker) demandOf(p place, s *selected, b *binding.Field) demand {
	switch {
	case p.object == w.root:
		return demand{keys: 1, batchSize: 1, callsPerKey: callsPerPage(s, b)}
	case b.Page != nil:
		return demand{keys: p.count, batchSize: 1, callsPerKey: callsPerPage(s, b), origin: origin{p.id, p.object.Name}}
	}
	a := demand{keys: p.count, callKey: callKeyOf(b, s.arguments), origin: origin{p.id, p.object.Name}}
	switch {
	case b.Batch == nil:
		a.field = strings.Join(b.Own(), " ")
		if a.keyless = a.field == ""; !a.keyless {
			a.batchSize = 1
		}
	case hasKeyList(b):
		a.field, a.batchSize, a.keys = b.Batch.Parent.Name, b.Batch.MaxSize, p.count.multiply(w.keysPerParent(p, b))
	default:
		a.field, a.batchSize, a.keyless = b.Batch.Parent.Name, b.Batch.MaxSize, !b.Call.CarriesKeys()
	}
	return a
}

// callKeyOf names what calls of two bindings have in common when one of them answers both:
// the same as the names and types of their batches in engine.
func callKeyOf(b *binding.Field, arguments map[string]any) string {
	r := &renderer{own: b.Own(), arguments: arguments}
	given := make([]any, len(b.Given))
	for i, v := range b.Given {
		given[i] = r.value(v)
	}
	text, _ := json.Marshal(append(r.call(&b.Call), given...))
	return fmt.Sprintf("%s %s %s: %s", b.Source, b.Reading, resultKey(b), text)
}

// resultKey tells answers apart that the same call is read for.
func resultKey(b *binding.Field) string {
	t := b.Definition.Type
	if b.Batch == nil {
		return t.String()
	}
	if hasKeyList(b) {
		t = t.Elem
	}
	if b.Batch.Item == "" {
		return fmt.Sprintf("{%s} %d", t, b.Batch.MaxSize)
	}
	return fmt.Sprintf("%t %s by %s %d", t.Elem != nil, t.Name(), b.Batch.Item, b.Batch.MaxSize)
}

// renderer writes calls with the values that are known when nobody has asked yet.
type renderer struct {
	own       []string // the parent's fields that the call takes
	arguments map[string]any
}

func (r *renderer) call(c *binding.Call) []any {
	all := []any{c.Method, r.parts(c.Path)}
	for _, p := range c.Query {
		all = append(all, "?"+p.Name, p.Each, style(p.Style), r.parts(p.Parts))
	}
	for _, p := range c.Headers {
		all = append(all, ":"+p.Name, style(p.Style), r.parts(p.Parts))
	}
	for _, p := range c.Cookies {
		all = append(all, "cookie "+p.Name, style(p.Style), r.parts(p.Parts))
	}
	if c.Body != nil {
		all = append(all, c.Encoding, c.Media, r.value(c.Body))
	}
	return all
}

// style is how a document says that a value is written.
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

// value writes a variable. What comes from the parents is named by its place among what
// the call takes of them, since their fields may be called differently.
func (r *renderer) value(v *binding.Value) any {
	if !v.Plain() {
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

// computedValue writes a value that is made of others: its text, and what these are.
func (r *renderer) computedValue(v *binding.Value) any {
	all := []any{v.Literal}
	if v.Place != nil {
		all = append(all, v.Place.Raw[v.Offset:])
	}
	for of := range v.Variables() {
		plain := *of
		plain.Then = nil
		all = append(all, r.value(&plain))
	}
	return all
}
