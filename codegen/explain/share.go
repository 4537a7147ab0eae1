package explain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// asks is what a visit wants of its call: keys, so many in one call.
type asks struct {
	keys   Count
	one    int    // how many keys one call carries; 0 is any number
	whole  bool   // one call answers for any keys, which it does not carry
	pages  Count  // calls that a key takes one after the other; 0 is one
	shares string // the same for visits that one call can answer; "" for none
	field  string // what holds the keys in the parents; several fields make one key
	origin origin
}

// origin is where keys come from: objects of one type at one place.
type origin struct{ place, object string }

// asks finds out what a bound field wants. A field of the root has one key, itself; one
// that is joined has what it takes from its parents. Pages are asked for by each parent
// alone.
func (w *walker) asks(p place, s *selected, b *binding.Field) asks {
	switch {
	case p.object == w.root:
		return asks{keys: 1, one: 1, pages: pages(s, b)}
	case b.Page != nil:
		return asks{keys: p.count, one: 1, pages: pages(s, b), origin: origin{p.id, p.object.Name}}
	}
	a := asks{keys: p.count, shares: shares(b, s.arguments), origin: origin{p.id, p.object.Name}}
	switch {
	case b.Batch == nil:
		a.field = strings.Join(b.Own(), " ")
		if a.whole = a.field == ""; !a.whole {
			a.one = 1
		}
	case listOfKeys(b):
		a.field, a.one, a.keys = b.Batch.Parent.Name, b.Batch.MaxSize, p.count.times(w.keys(p, b))
	default:
		a.field, a.one, a.whole = b.Batch.Parent.Name, b.Batch.MaxSize, !b.Call.CarriesKeys()
	}
	return a
}

// shares names what calls of two bindings have in common when one of them answers both:
// the same as the names and types of their batches in engine.
func shares(b *binding.Field, arguments map[string]any) string {
	r := &renderer{own: b.Own(), arguments: arguments}
	given := make([]any, len(b.Given))
	for i, v := range b.Given {
		given[i] = r.value(v)
	}
	text, _ := json.Marshal(append(r.call(&b.Call), given...))
	return fmt.Sprintf("%s %s %s: %s", b.Source, b.Reading, answerOf(b), text)
}

// answerOf tells answers apart that the same call is read for.
func answerOf(b *binding.Field) string {
	t := b.Definition.Type
	if b.Batch == nil {
		return t.String()
	}
	if listOfKeys(b) {
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
		return r.made(v)
	}
	switch v.Scope {
	case binding.Args:
		return map[string]any{"args": inside(r.arguments[v.Path[0]], v.Path[1:])}
	case binding.Keys:
		return map[string]any{"keys": true}
	case binding.This:
		return map[string]any{"own": slices.Index(r.own, v.Path[0]), "type": v.Type.Name()}
	}
	return map[string]any{string(v.Scope): v.Path}
}

// made writes a value that is made of others: its text, and what these are.
func (r *renderer) made(v *binding.Value) any {
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
