package ratelimit

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/facts"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
)

// maxPlaces bounds the places of limited fields in an operation.
const maxPlaces = 10_000

// field is a field with limits of its own, @rateLimit.
type field struct {
	object, name string
	limits       []fieldLimit
	counter      *counter
}

// fieldLimit are the limits of a field that are counted by the same.
type fieldLimit struct {
	by        []selector
	windows   []*window
	arguments bool // by reads the arguments
}

// fields are the fields with limits, by their names and then by their objects.
type fields map[string]map[string]*field

// place is a place in the response at which an operation has a limited field. Elements of lists have the
// same place.
type place struct {
	engine.Place
	group     int
	selection *ast.Field
	field     *field
}

// newFields returns the fields of a schema that have limits, nil if none has.
func newFields(schema *ast.Schema, table facts.Table, counterOf func(string) *counter) (fields, error) {
	if schema == nil {
		return nil, nil
	}
	var all fields
	for _, def := range schema.Types {
		if def.Kind != ast.Object {
			continue // the executors ask for the limits of objects
		}
		for _, f := range def.Fields {
			limits := table.OfField(def.Name, f.Name).RateLimits
			if len(limits) == 0 {
				continue
			}
			limited, err := newField(def.Name, f.Name, limits)
			if err != nil {
				return nil, err
			}
			limited.counter = counterOf(def.Name + "." + f.Name)
			if all == nil {
				all = fields{}
			}
			if all[f.Name] == nil {
				all[f.Name] = map[string]*field{}
			}
			all[f.Name][def.Name] = limited
		}
	}
	return all, nil
}

func newField(object, name string, limits []facts.RateLimit) (*field, error) {
	f := &field{object: object, name: name}
	coordinate := object + "." + name
	for _, l := range limits {
		by, err := parseFieldSelector(l.By)
		if err != nil {
			return nil, fmt.Errorf("%s: @rateLimit(by:) %w", coordinate, err)
		}
		w := newWindow(coordinate+":"+l.By, Limit{Quantity: l.Limit, Period: l.Period, Burst: l.Burst}, false)
		f.limits = append(f.limits, fieldLimit{by: []selector{by}, windows: []*window{w}, arguments: strings.HasPrefix(l.By, "$args.")})
	}
	return f, nil
}

// addFields adds a group of charges for each place of a limited field. It reports false if there are too
// many of them.
func (c *charges) addFields(all fields, schema *ast.Schema, op *execute.Operation) bool {
	d := op.OperationContext.Doc
	if !all.in(op.OperationContext.Operation.SelectionSet, d, map[string]bool{}) {
		return true
	}
	w := placeWalker{fields: all, schema: schema, op: op, seen: map[engine.Place]bool{}, relevant: map[string]bool{}, places: c.place}
	root := rootOf(schema, op.OperationContext.Operation.Operation)
	ok := w.walk("", op.OperationContext.Operation.SelectionSet, []*ast.Definition{root})
	c.place = w.places
	if !ok {
		return false
	}
	for i := range c.place {
		p := &c.place[i]
		p.group = wholeRequest + 1 + i
		c.subject = subject{op: op}
		for _, l := range p.field.limits {
			if l.arguments && c.subject.arguments == nil {
				c.subject.arguments = p.selection.ArgumentMap(op.Variables)
			}
			c.add(p.group, l.windows, l.by, charge{quantity: 1, counter: p.field.counter})
		}
	}
	return true
}

func rootOf(schema *ast.Schema, kind ast.Operation) *ast.Definition {
	switch kind {
	case ast.Mutation:
		return schema.Mutation
	case ast.Subscription:
		return schema.Subscription
	}
	return schema.Query
}

// in reports whether a field with the name of a limited one is selected, in each fragment once. It is
// linear in the length of the document.
func (f fields) in(set ast.SelectionSet, doc *ast.QueryDocument, seen map[string]bool) bool {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			if f[s.Name] != nil || f.in(s.SelectionSet, doc, seen) {
				return true
			}
		case *ast.InlineFragment:
			if f.in(s.SelectionSet, doc, seen) {
				return true
			}
		case *ast.FragmentSpread:
			if seen[s.Name] {
				continue
			}
			seen[s.Name] = true
			if fragment := doc.Fragments.ForName(s.Name); fragment != nil && f.in(fragment.SelectionSet, doc, seen) {
				return true
			}
		}
	}
	return false
}

// placeWalker finds the places of limited fields.
type placeWalker struct {
	fields   fields
	schema   *ast.Schema
	op       *execute.Operation
	seen     map[engine.Place]bool
	relevant map[string]bool // whether a fragment has a limited field, by its name
	places   []place
	steps    int
}

// walk adds the places in a selection set of an object that is one of some types, at a path. It reports
// false if there are too many.
func (w *placeWalker) walk(path string, set ast.SelectionSet, types []*ast.Definition) bool {
	for _, selected := range set {
		if w.steps++; w.steps > 10*maxPlaces {
			return false
		}
		switch s := selected.(type) {
		case *ast.Field:
			if !w.field(path, s, types) {
				return false
			}
		case *ast.InlineFragment:
			if w.isIncluded(s.Directives) && !w.fragment(path, s.TypeCondition, s.SelectionSet, types) {
				return false
			}
		case *ast.FragmentSpread:
			fragment := w.op.OperationContext.Doc.Fragments.ForName(s.Name)
			if w.isIncluded(s.Directives) && w.isRelevant(fragment) && !w.fragment(path, fragment.TypeCondition, fragment.SelectionSet, types) {
				return false
			}
		}
	}
	return true
}

// isRelevant reports whether a fragment has a field with the name of a limited one.
func (w *placeWalker) isRelevant(fragment *ast.FragmentDefinition) bool {
	known, ok := w.relevant[fragment.Name]
	if !ok {
		known = w.fields.in(fragment.SelectionSet, w.op.OperationContext.Doc, map[string]bool{})
		w.relevant[fragment.Name] = known
	}
	return known
}

func (w *placeWalker) fragment(path, condition string, set ast.SelectionSet, types []*ast.Definition) bool {
	if condition != "" {
		types = w.narrow(types, w.schema.Types[condition])
	}
	return w.walk(path, set, types)
}

// narrow returns those of some object types that a type condition lets pass.
func (w *placeWalker) narrow(types []*ast.Definition, condition *ast.Definition) []*ast.Definition {
	var narrowed []*ast.Definition
	possible := w.schema.GetPossibleTypes(condition)
	for _, t := range types {
		for _, p := range possible {
			if p.Name == t.Name {
				narrowed = append(narrowed, t)
				break
			}
		}
	}
	return narrowed
}

func (w *placeWalker) field(path string, s *ast.Field, types []*ast.Definition) bool {
	if !w.isIncluded(s.Directives) || len(types) == 0 {
		return true
	}
	at := engine.JoinPlace(path, s.Alias)
	if objects := w.fields[s.Name]; objects != nil {
		for _, t := range types {
			f := objects[t.Name]
			p := engine.Place{Path: at, Object: t.Name}
			if f == nil || w.seen[p] {
				continue
			}
			if len(w.places) == maxPlaces {
				return false
			}
			w.seen[p] = true
			w.places = append(w.places, place{Place: p, selection: s, field: f})
		}
	}
	if len(s.SelectionSet) == 0 {
		return true
	}
	return w.walk(at, s.SelectionSet, w.schema.GetPossibleTypes(w.schema.Types[s.Definition.Type.Name()]))
}

// isIncluded reports whether @skip and @include let a selection be executed.
func (w *placeWalker) isIncluded(directives ast.DirectiveList) bool {
	return w.condition(directives, "include", true) && !w.condition(directives, "skip", false)
}

func (w *placeWalker) condition(directives ast.DirectiveList, name string, without bool) bool {
	d := directives.ForName(name)
	if d == nil {
		return without
	}
	value, err := d.Arguments.ForName("if").Value.Value(w.op.Variables)
	if err != nil {
		return without
	}
	is, _ := value.(bool)
	return is
}

// refusedFields returns the errors of the places that a decision has refused, nil for none.
func (c *charges) refusedFields() engine.RefusedFields {
	var refused engine.RefusedFields
	next := 0
	for i := range c.place {
		p := &c.place[i]
		for next < len(c.list) && c.list[next].group != p.group {
			next++
		}
		if next == len(c.list) {
			break
		}
		group := c.list[next:c.groupEnd(next)]
		if !isRefused(group) {
			continue
		}
		if refused == nil {
			refused = engine.RefusedFields{}
		}
		wait, by, ok := retryAfter(group)
		refused[p.Place] = refusal("the field "+p.field.object+"."+p.field.name+" is requested too often: its limit is "+by.window.text, wait, ok)
	}
	return refused
}

// errTooManyPlaces is the error of an operation whose limited fields cannot be counted.
func errTooManyPlaces() error {
	return fault.New(fault.RateLimited, "the operation has more than %d places of fields with rate limits", maxPlaces)
}
