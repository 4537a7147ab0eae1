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

	below  []*Selection // by the type's ID, from first on; nil for a leaf
	first  int
	parent *Selection
	root   int // which of the root fields this one is or is below of
	slot   int // where a run keeps what it knows of the field; -1 when that is nothing
	lists  int // how many lists the value is in
	deep   bool
	must   bool // an argument must not be null and is a variable, or has one in it
}

// nullArgument returns why the field must not be called with these variables; nil when it
// may be.
func (f *Field) nullArgument(variables map[string]any) error {
	if !f.must {
		return nil
	}
	return input.NullArgument(f.Field, variables)
}

// Of is the selection below for values of a type, which the schema must allow there.
func (f *Field) Of(id int) *Selection { return f.below[id-f.first] }

// Selection is what is selected of one object type at one place of a plan.
type Selection struct {
	// Fields are all of them, in the order of the answer.
	Fields []Field
	// Deep are those plain fields below which resolvers are called.
	Deep []*Field
	// Calls are the fields that are answered before the answer is written.
	Calls []*Field

	object string
	above  *Field // nil for the root's
	slot   int    // of the selection's objects; -1 where nobody needs to know them
}

// Plan is an operation made ready to run. It is safe for concurrent use.
type Plan struct {
	root       *Selection
	bytes      int // that it takes, about
	fields     int // slots of fields
	selections int // slots of selections
	arguments  bool
	wanted     *decode.Projection // nil when everything is
	answered   atomic.Int64       // how many bytes the last answer had
	alone      bool               // all who ask for the same may not get the same
}

// Root is what is selected of the root type.
func (p *Plan) Root() *Selection { return p.root }

// maxExpected is the most room that an answer gets before it is written, in bytes: one huge
// answer is no reason to expect more of them.
const maxExpected = 4 << 20

// expected is how much room an answer should have: that of the last one, and a bit.
func (p *Plan) expected() int {
	last := int(p.answered.Load())
	return min(last+last/8, maxExpected)
}

// size is about the memory of a plan, or of none, in bytes.
func (p *Plan) size() int {
	if p == nil {
		return bytesPerPlan
	}
	return bytesPerPlan + p.bytes
}

// Arguments tells whether any field has some.
func (p *Plan) Arguments() bool { return p.arguments }

// maxFields bounds a plan. Each object type that an interface or a union may stand for
// gets a selection of its own, which multiplies from level to level.
const maxFields = 20_000

// maxSteps bounds the work of making a plan. A field that is selected often is one of the
// plan's, but is looked at each time, for each type again.
const maxSteps = 1_000_000

// compiler makes one plan.
type compiler struct {
	schema *ast.Schema
	types  Types
	op     *graphql.OperationContext
	plan   *Plan
	left   int                        // fields that the plan may still have
	steps  int                        // what it may still look at
	wanted map[string]map[string]bool // fields by type
	whole  bool                       // everything is wanted
}

func newCompiler(schema *ast.Schema, types Types, op *graphql.OperationContext) *compiler {
	return &compiler{schema: schema, types: types, op: op, plan: &Plan{}, left: maxFields, steps: maxSteps, wanted: map[string]map[string]bool{}}
}

// compile plans the operation. It gives nil when the plan would be too large.
func (c *compiler) compile() *Plan {
	root := c.schema.Query
	if c.op.Operation.Operation == ast.Mutation {
		root = c.schema.Mutation
	}
	c.plan.root = c.selection(root, c.op.Operation.SelectionSet, nil)
	if c.left < 0 {
		return nil
	}
	if !c.whole {
		c.plan.wanted = decode.NewProjection(c.wanted)
	}
	c.plan.bytes += (maxFields - c.left) * bytesPerField
	return c.plan
}

func (c *compiler) selection(object *ast.Definition, set ast.SelectionSet, above *Field) *Selection {
	s := &Selection{object: object.Name, above: above, slot: -1}
	if c.left < 0 { // nothing more is looked at, also on the way back up
		return s
	}
	if c.steps -= size(set, map[*ast.FragmentDefinition]bool{}); c.steps < 0 {
		c.left = -1
		return s
	}
	collected := merged(graphql.CollectFields(c.op, set, c.satisfies(object)))
	if c.left -= len(collected); c.left < 0 {
		return s
	}
	s.Fields = make([]Field, len(collected))
	wanted := c.wantedOf(object.Name)
	for i, found := range collected {
		f := &s.Fields[i]
		c.plan.bytes += len(found.Selections) * bytesPerSelection
		*f = Field{CollectedField: found, Key: key(i, found.Alias), parent: s, slot: -1, root: i}
		if above != nil {
			f.root = above.root
		}
		if found.Name != "__typename" {
			wanted[f.Name] = true
			c.field(f, object)
		}
	}
	if len(s.Calls)+len(s.Deep) > 0 || above == nil {
		s.slot = c.plan.selections
		c.plan.selections++
	}
	return s
}

// size is how much is selected, with fragments in their places, each once.
func size(set ast.SelectionSet, seen map[*ast.FragmentDefinition]bool) int {
	n := len(set)
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.InlineFragment:
			n += size(s.SelectionSet, seen)
		case *ast.FragmentSpread:
			if !seen[s.Definition] {
				seen[s.Definition] = true
				n += size(s.Definition.SelectionSet, seen)
			}
		}
	}
	return n
}

// wantedOf are the fields that are wanted of a type so far: its keys at least.
func (c *compiler) wantedOf(object string) map[string]bool {
	if known, ok := c.wanted[object]; ok {
		return known
	}
	fields := map[string]bool{}
	for _, name := range c.types[object].Keys {
		fields[name] = true
	}
	c.wanted[object] = fields
	return fields
}

// field fills in what the schema says of a field.
func (c *compiler) field(f *Field, object *ast.Definition) {
	f.FieldInfo = c.types[object.Name].Fields[f.Name]
	f.lists = depth(f.Definition.Type)
	f.must = input.NeedsVariables(f.Field)
	c.whole = c.whole || f.Handwritten || f.Kind == Fallback
	c.plan.alone = c.plan.alone || f.RequestScoped || f.Handwritten || f.Kind == Fallback
	c.plan.arguments = c.plan.arguments || len(f.Arguments) > 0 || len(f.Definition.Arguments) > 0
	if f.Kind != Fallback {
		c.below(f)
	}
	if f.Kind != Property || f.Guarded {
		f.slot = c.plan.fields
		c.plan.fields++
	}
	switch {
	case f.Kind != Property:
		f.parent.Calls = append(f.parent.Calls, f)
	case f.deep:
		f.parent.Deep = append(f.parent.Deep, f)
	}
}

// below makes the selections of a field for each type that its value may have.
func (c *compiler) below(f *Field) {
	value := c.schema.Types[f.Definition.Type.Name()]
	if !value.IsCompositeType() {
		return
	}
	possible := c.schema.GetPossibleTypes(value)
	c.room(f, possible)
	for _, object := range possible {
		s := c.selection(object, f.Selections, f)
		f.below[c.types[object.Name].ID-f.first] = s
		f.deep = f.deep || s.slot >= 0
	}
}

// room is for the selections of a field.
func (c *compiler) room(f *Field, possible []*ast.Definition) {
	last := 0
	f.first = len(c.types)
	for _, object := range possible {
		id := c.types[object.Name].ID
		f.first, last = min(f.first, id), max(last, id)
	}
	f.below = make([]*Selection, max(last-f.first+1, 0))
	c.left -= len(f.below)
}

// satisfies are the type conditions that an object meets.
func (c *compiler) satisfies(object *ast.Definition) []string {
	names := []string{object.Name}
	for _, above := range c.schema.GetImplements(object) {
		names = append(names, above.Name)
	}
	return names
}

// merged joins the fields of one response key, as the specification says (section 6.3.2).
// gqlgen keeps those apart that are selected on unrelated abstract types.
func merged(fields []graphql.CollectedField) []graphql.CollectedField {
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

func key(i int, alias string) []byte {
	var b []byte
	if i > 0 {
		b = append(b, ',')
	}
	return append(AppendString(b, alias), ':')
}

// depth is how many lists a type is nested in.
func depth(t *ast.Type) int {
	n := 0
	for ; t.Elem != nil; t = t.Elem {
		n++
	}
	return n
}
