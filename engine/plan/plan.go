// Package plan runs queries and mutations by plans, for the executor that is generated
// from a graph into graph/engine.gen.go. An operation is planned once, as a tree of what
// is selected of which type. It is then answered in two phases. Collecting calls each
// resolver of the plan once, with all of its parents, the siblings side by side and each
// as soon as its own parents are there. Encoding writes the answer in one pass.
//
// It promises the answers of gqlgen's own executor, to the byte, and its errors, of which
// the order alone may differ; and that nothing of one operation is seen by another.
package plan

import (
	"slices"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
)

// How a field is answered.
type FieldKind uint8

const (
	// Property fields are members of their object.
	Property FieldKind = iota
	// Resolver fields are answered by a resolver.
	Resolver
	// Fallback fields are answered by gqlgen's executor, with all that is below them.
	Fallback
)

// FieldInfo is what the generated code knows of a field.
type FieldInfo struct {
	ID      int // in a switch over its type's fields, from 1
	Kind    FieldKind
	Guarded bool
	// Handwritten is set where code that nobody generates answers. It may look at whatever it
	// has, and make calls of its own, so that everything is read in its operation.
	Handwritten bool
	// RequestScoped is set where the value may depend on more of the request than who asks and what
	// is asked: on a header of the client's.
	RequestScoped bool
}

// TypeInfo is what the generated code knows of an object type.
type TypeInfo struct {
	ID     int // for Field.Of
	Fields map[string]FieldInfo
	// Keys are the fields that generated code looks at, whatever is selected.
	Keys []string
}

// Types are a graph's object types by their names.
type Types map[string]TypeInfo

// Field is a field at one place of a plan. It is not changed once the plan is made.
type Field struct {
	graphql.CollectedField
	FieldInfo // of __typename, ID is 0

	// Key begins the member in the answer: `"alias":`, after a comma except for the first.
	Key []byte

	selections          []*Selection // by the type's ID, from first on; nil for a leaf
	firstTypeID         int
	parent              *Selection
	root                int // which of the root fields this one is or is below of
	slot                int // where a run keeps what it knows of the field; -1 when that is nothing
	lists               int // how many lists the value is in
	hasCallsBelow       bool
	mayHaveNullArgument bool // an argument must not be null and is a variable, or has one in it
}

// nullArgument returns why the field must not be called with these variables; nil when it
// may be.
func (f *Field) nullArgument(variables map[string]any) error {
	if !f.mayHaveNullArgument {
		return nil
	}
	return input.NullArgument(f.Field, variables)
}

// Of is the selection below for values of a type, which the schema must allow there.
func (f *Field) Of(id int) *Selection { return f.selections[id-f.firstTypeID] }

// Selection is what is selected of one object type at one place of a plan.
type Selection struct {
	// Fields are all of them, in the order of the answer.
	Fields []Field
	// Deep are those plain fields below which resolvers are called.
	Deep []*Field
	// Calls are the fields that are answered before the answer is written.
	Calls []*Field

	typeName string
	field    *Field // nil for the root's
	slot     int    // of the selection's objects; -1 where nobody needs to know them
}

// Plan is an operation made ready to run. It is safe for concurrent use.
type Plan struct {
	root           *Selection
	bytes          int // that it takes, about
	fieldSlots     int // slots of fields
	selectionSlots int // slots of selections
	hasArguments   bool
	projection     *decode.Projection // nil when everything is
	lastSize       atomic.Int64       // how many bytes the last answer had
	requestScoped  bool               // all who ask for the same may not get the same
}

// Root is what is selected of the root type.
func (p *Plan) Root() *Selection { return p.root }

// maxExpectedSize is the most room that an answer gets before it is written, in bytes: one huge
// answer is no reason to expect more of them.
const maxExpectedSize = 4 << 20

// expectedSize is how much room an answer should have: that of the last one, and a bit.
func (p *Plan) expectedSize() int {
	last := int(p.lastSize.Load())
	return min(last+last/8, maxExpectedSize)
}

// memory is about the memory of a plan, or of none, in bytes.
func (p *Plan) memory() int {
	if p == nil {
		return bytesPerPlan
	}
	return bytesPerPlan + p.bytes
}

// Arguments tells whether any field has some.
func (p *Plan) Arguments() bool { return p.hasArguments }

// maxFields bounds a plan. Each object type that an interface or a union may stand for
// gets a selection of its own, which multiplies from level to level.
const maxFields = 20_000

// maxSteps bounds the work of making a plan. A field that is selected often is one of the
// plan's, but is looked at each time, for each type again.
const maxSteps = 1_000_000

// compiler makes one plan.
type compiler struct {
	schema          *ast.Schema
	types           Types
	op              *graphql.OperationContext
	plan            *Plan
	fieldsLeft      int                        // fields that the plan may still have
	stepsLeft       int                        // what it may still look at
	selected        map[string]map[string]bool // fields by type
	readsEverything bool                       // everything is wanted
}

func newCompiler(schema *ast.Schema, types Types, op *graphql.OperationContext) *compiler {
	return &compiler{schema: schema, types: types, op: op, plan: &Plan{}, fieldsLeft: maxFields, stepsLeft: maxSteps, selected: map[string]map[string]bool{}}
}

// compile plans the operation. It gives nil when the plan would be too large.
func (c *compiler) compile() *Plan {
	root := c.schema.Query
	if c.op.Operation.Operation == ast.Mutation {
		root = c.schema.Mutation
	}
	c.plan.root = c.compileSelection(root, c.op.Operation.SelectionSet, nil)
	if c.fieldsLeft < 0 {
		return nil
	}
	if !c.readsEverything {
		c.plan.projection = decode.NewProjection(c.selected)
	}
	c.plan.bytes += (maxFields - c.fieldsLeft) * bytesPerField
	return c.plan
}

func (c *compiler) compileSelection(object *ast.Definition, set ast.SelectionSet, above *Field) *Selection {
	s := &Selection{typeName: object.Name, field: above, slot: -1}
	if c.fieldsLeft < 0 { // nothing more is looked at, also on the way back up
		return s
	}
	if c.stepsLeft -= selectionCount(set, map[*ast.FragmentDefinition]bool{}); c.stepsLeft < 0 {
		c.fieldsLeft = -1
		return s
	}
	collected := mergeFields(graphql.CollectFields(c.op, set, c.typeConditions(object)))
	if c.fieldsLeft -= len(collected); c.fieldsLeft < 0 {
		return s
	}
	s.Fields = make([]Field, len(collected))
	wanted := c.selectedOf(object.Name)
	for i, found := range collected {
		f := &s.Fields[i]
		c.plan.bytes += len(found.Selections) * bytesPerSelection
		*f = Field{CollectedField: found, Key: memberKey(i, found.Alias), parent: s, slot: -1, root: i}
		if above != nil {
			f.root = above.root
		}
		if found.Name != "__typename" {
			wanted[f.Name] = true
			c.compileField(f, object)
		}
	}
	if len(s.Calls)+len(s.Deep) > 0 || above == nil {
		s.slot = c.plan.selectionSlots
		c.plan.selectionSlots++
	}
	return s
}

// selectionCount is how much is selected, with fragments in their places, each once.
func selectionCount(set ast.SelectionSet, seen map[*ast.FragmentDefinition]bool) int {
	n := len(set)
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.InlineFragment:
			n += selectionCount(s.SelectionSet, seen)
		case *ast.FragmentSpread:
			if !seen[s.Definition] {
				seen[s.Definition] = true
				n += selectionCount(s.Definition.SelectionSet, seen)
			}
		}
	}
	return n
}

// selectedOf are the fields that are wanted of a type so far: its keys at least.
func (c *compiler) selectedOf(object string) map[string]bool {
	if known, ok := c.selected[object]; ok {
		return known
	}
	fields := map[string]bool{}
	for _, name := range c.types[object].Keys {
		fields[name] = true
	}
	c.selected[object] = fields
	return fields
}

// compileField fills in what the schema says of a field.
func (c *compiler) compileField(f *Field, object *ast.Definition) {
	f.FieldInfo = c.types[object.Name].Fields[f.Name]
	f.lists = listDepth(f.Definition.Type)
	f.mayHaveNullArgument = input.NeedsVariables(f.Field)
	c.readsEverything = c.readsEverything || f.Handwritten || f.Kind == Fallback
	c.plan.requestScoped = c.plan.requestScoped || f.RequestScoped || f.Handwritten || f.Kind == Fallback
	c.plan.hasArguments = c.plan.hasArguments || len(f.Arguments) > 0 || len(f.Definition.Arguments) > 0
	if f.Kind != Fallback {
		c.compileBelow(f)
	}
	if f.Kind != Property || f.Guarded {
		f.slot = c.plan.fieldSlots
		c.plan.fieldSlots++
	}
	switch {
	case f.Kind != Property:
		f.parent.Calls = append(f.parent.Calls, f)
	case f.hasCallsBelow:
		f.parent.Deep = append(f.parent.Deep, f)
	}
}

// compileBelow makes the selections of a field for each type that its value may have.
func (c *compiler) compileBelow(f *Field) {
	value := c.schema.Types[f.Definition.Type.Name()]
	if !value.IsCompositeType() {
		return
	}
	possible := c.schema.GetPossibleTypes(value)
	c.allocateBelow(f, possible)
	for _, object := range possible {
		s := c.compileSelection(object, f.Selections, f)
		f.selections[c.types[object.Name].ID-f.firstTypeID] = s
		f.hasCallsBelow = f.hasCallsBelow || s.slot >= 0
	}
}

// allocateBelow is for the selections of a field.
func (c *compiler) allocateBelow(f *Field, possible []*ast.Definition) {
	last := 0
	f.firstTypeID = len(c.types)
	for _, object := range possible {
		id := c.types[object.Name].ID
		f.firstTypeID, last = min(f.firstTypeID, id), max(last, id)
	}
	f.selections = make([]*Selection, max(last-f.firstTypeID+1, 0))
	c.fieldsLeft -= len(f.selections)
}

// typeConditions are the type conditions that an object meets.
func (c *compiler) typeConditions(object *ast.Definition) []string {
	names := []string{object.Name}
	for _, above := range c.schema.GetImplements(object) {
		names = append(names, above.Name)
	}
	return names
}

// mergeFields joins the fields of one response key, as the specification says (section 6.3.2).
// gqlgen keeps those apart that are selected on unrelated abstract types.
func mergeFields(fields []graphql.CollectedField) []graphql.CollectedField {
	var out []graphql.CollectedField
	for _, f := range fields {
		same := func(other graphql.CollectedField) bool { return other.Alias == f.Alias }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Selections = slices.Concat(out[i].Selections, f.Selections)
			continue
		}
		out = append(out, f)
	}
	return out
}

func memberKey(i int, alias string) []byte {
	var b []byte
	if i > 0 {
		b = append(b, ',')
	}
	return append(AppendString(b, alias), ':')
}

// listDepth is how many lists a type is nested in.
func listDepth(t *ast.Type) int {
	n := 0
	for ; t.Elem != nil; t = t.Elem {
		n++
	}
	return n
}
