package plan

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// BeginFallback prepares the operation in ctx for gqlgen's executor: with its epochs, and with the calls
// that its fields share.
func (p *Planner) BeginFallback(ctx context.Context) {
	engine.BeginEpochs(ctx)
	op := graphql.GetOperationContext(ctx)
	if known, err := p.operationInfo(ctx, op); err == nil { // an error means that ctx has ended
		engine.SetSharedCalls(ctx, known.sharedCalls)
	}
}

// sharedCalls returns the groups of calls of which an operation may make several equal ones, nil for none.
// It counts too many rather than too few: conditions count as true, and fields with the same response key
// as several.
//
// A subscription has none, since it makes its calls again for each event. Handwritten code may make calls of
// any group by the generated methods. In a mutation it may also write between two of them, so that such a
// mutation shares none.
func sharedCalls(schema *ast.Schema, types Types, op *graphql.OperationContext) *engine.SharedCalls {
	if op.Operation.Operation == ast.Subscription {
		return nil
	}
	c := &callCounter{schema: schema, types: types, doc: op.Doc, fragments: map[string]callCounts{}}
	counts := c.selectionSet(op.Operation.SelectionSet)
	handwritten := counts[handwrittenCalls].places
	switch {
	case handwritten > 0 && op.Operation.Operation == ast.Mutation:
		return nil
	case handwritten > 1:
		return &engine.SharedCalls{All: true}
	}
	groups := map[string]bool{}
	for group, n := range counts {
		if group != handwrittenCalls && n.places+n.loaders+handwritten > 1 {
			groups[group] = true
		}
	}
	if len(groups) == 0 {
		return nil
	}
	return &engine.SharedCalls{Groups: groups}
}

// callCounts are the calls of a part of an operation by their groups, nil for none.
type callCounts map[string]callCount

// handwrittenCalls stands for the groups of the calls of handwritten fields, which are not known.
const handwrittenCalls = ""

// callCount counts the calls of one group.
type callCount struct {
	places  int // that make calls without a loader, 2 for more
	loader  int // 0 for none
	loaders int // different ones, 2 for more
}

// plus returns the counts of two parts together.
func (n callCount) plus(other callCount) callCount {
	sum := callCount{places: min(n.places+other.places, 2), loader: n.loader, loaders: max(n.loaders, other.loaders)}
	switch {
	case n.loader == 0:
		sum.loader = other.loader
	case other.loader != 0 && other.loader != n.loader:
		sum.loaders = 2
	}
	return sum
}

// add adds the counts of another part.
func (c *callCounts) add(other callCounts) {
	if *c == nil && len(other) > 0 {
		*c = callCounts{}
	}
	for group, n := range other {
		(*c)[group] = (*c)[group].plus(n)
	}
}

// callCounter counts the calls of the fields in an operation. Each fragment is counted once, and its counts
// are added for each spread.
type callCounter struct {
	schema    *ast.Schema
	types     Types
	doc       *ast.QueryDocument
	fragments map[string]callCounts
}

func (c *callCounter) selectionSet(set ast.SelectionSet) (counts callCounts) {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			counts.add(c.field(s))
			counts.add(c.selectionSet(s.SelectionSet))
		case *ast.InlineFragment:
			counts.add(c.selectionSet(s.SelectionSet))
		case *ast.FragmentSpread:
			counts.add(c.fragment(s.Name))
		}
	}
	return counts
}

func (c *callCounter) fragment(name string) callCounts {
	counts, ok := c.fragments[name]
	if !ok {
		counts = c.selectionSet(c.doc.Fragments.ForName(name).SelectionSet)
		c.fragments[name] = counts
	}
	return counts
}

// field counts the calls of a field itself, for each type that its object may have.
func (c *callCounter) field(f *ast.Field) (counts callCounts) {
	if f.ObjectDefinition == nil { // __typename, in a document that was not validated
		return nil
	}
	for _, object := range c.schema.GetPossibleTypes(f.ObjectDefinition) {
		info := c.types[object.Name].Fields[f.Name]
		if info.Handwritten {
			counts.add(callCounts{handwrittenCalls: {places: 1}})
		}
		for _, call := range info.Calls {
			n := callCount{places: 1}
			switch {
			case call.Each:
				n.places = 2
			case call.Loader > 0:
				n = callCount{loader: call.Loader, loaders: 1}
			}
			counts.add(callCounts{call.Group: n})
		}
	}
	return counts
}
