package plan

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
)

// gqlgen's resolvers, guards and errors need a context with a graphql.FieldContext, which knows the path
// of the field. A FieldContext and a context for each field of each object are most of the cost of
// gqlgen's executor. Plans therefore create them only where they are used: for calls of resolvers, for
// which the parts above are found through places, and for errors, for which encoding knows its path.

// fieldContext returns the context of a field of the object with the given ordinal in the field's
// selection. It may be used while collecting.
func (x *Run) fieldContext(f *Field, ordinal int) *graphql.FieldContext {
	return x.newFieldContext(f, x.objectContext(f.parent, ordinal))
}

// objectContext returns the context of an object, which gqlgen has as the parent of its fields'
// contexts: that of the field that holds it, or of its element in a list.
func (x *Run) objectContext(s *Selection, ordinal int) *graphql.FieldContext {
	f := s.field
	if f == nil {
		return &x.rootObject
	}
	p := x.places[s.slot]
	fc := x.fieldContext(f, int(p.parents[ordinal]))
	for _, i := range p.indices[ordinal*f.lists : (ordinal+1)*f.lists] {
		fc = &graphql.FieldContext{Parent: fc, Index: new(int(i))}
	}
	return fc
}

func (x *Run) newFieldContext(f *Field, parent *graphql.FieldContext) *graphql.FieldContext {
	fc := &graphql.FieldContext{
		Parent: parent, Object: f.parent.typeName, Field: f.CollectedField,
		IsMethod: f.Kind != Property, IsResolver: f.Kind != Property, Child: noChild,
	}
	if f.slot >= 0 {
		if holder, ok := x.results[f.slot].(argumentHolder); ok {
			fc.Args = holder.fieldArgs()
		}
	}
	return fc
}

var errNoChild = errors.New("a resolver that is called by a plan has no FieldContext.Child")

func noChild(context.Context, graphql.CollectedField) (*graphql.FieldContext, error) {
	return nil, errNoChild
}

// contextOf returns a context with fc, which is that of a field. It derives from the context of the
// field's root field, not from those of the fields between, which do not exist.
func (x *Run) contextOf(f *Field, fc *graphql.FieldContext) context.Context {
	parent := fc.Parent
	ctx := graphql.WithFieldContext(x.rootContexts[f.root], fc) // overwrites fc.Parent
	fc.Parent = parent
	return ctx
}

// pathElement is a field or a list on the path to the value that is being encoded.
type pathElement struct {
	field *Field // nil for a list
	index int    // the index in the list, or the ordinal of the object that has the field
}

// Push enters the value of a field of the object with the given ordinal.
func (x *Run) Push(f *Field, ordinal int) { x.path = append(x.path, pathElement{f, ordinal}) }

// PushList enters a list of n elements, and spends them. SetIndex must be called before each element.
func (x *Run) PushList(n int) {
	x.SpendValues(n)
	x.path = append(x.path, pathElement{})
}

// SetIndex enters the i-th element of the list that was pushed last.
func (x *Run) SetIndex(i int) { x.path[len(x.path)-1].index = i }

// Pop leaves the value or the list that was pushed last.
func (x *Run) Pop() { x.path = x.path[:len(x.path)-1] }

// pathContext returns the context of the value that was pushed last.
func (x *Run) pathContext() *graphql.FieldContext {
	fc := &x.rootObject
	for _, e := range x.path {
		if e.field != nil {
			fc = x.newFieldContext(e.field, fc)
			continue
		}
		fc = &graphql.FieldContext{Parent: fc, Index: new(e.index)}
	}
	return fc
}

// fieldContextHere returns the context of a field of the object that is being encoded.
func (x *Run) fieldContextHere(f *Field) (context.Context, *graphql.FieldContext) {
	fc := x.newFieldContext(f, x.pathContext())
	return x.contextOf(f, fc), fc
}

// contextHere returns the context of the field or the element that was pushed last.
func (x *Run) contextHere() (context.Context, *graphql.FieldContext) {
	fc := x.pathContext()
	return x.contextOf(x.path[0].field, fc), fc
}
