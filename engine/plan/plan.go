// Package plan executes queries and mutations by plans. It is the runtime of the executor that is
// generated from a graph into graph/engine.gen.go.
//
// An operation is compiled once into a Plan: a tree of what is selected of which object type at which
// place. A Run then executes it in two phases:
//
//   - Collecting calls each resolver of the plan once, with all of its parents. Siblings run at the same
//     time, and each resolver starts as soon as its own parents are known. See TaskList.
//   - Encoding writes the response in one pass over the plan, in one goroutine. It finds the results of
//     each object by the object's place in the response. See places.go.
//
// Plans are immutable and shared by all operations with the same document; everything else belongs to one
// run, so that no value passes from one operation to another. The memory and time of a run are limited
// by the operation's engine.Budget. See budget.go.
//
// Not everything is possible in a plan. gqlgen's own executor executes
//
//   - a whole operation, if it is a subscription or an introspection, has other directives than @skip and
//     @include, has too many conditions, or its plan would be too large (see Planner.Plan);
//   - a field of the kind Fallback, with its selections;
//   - a value that does not fit the graph, so that its errors are those of gqlgen.
//
// The response is the same as that of gqlgen's executor, byte by byte. It has the same errors, although
// their order may differ. Package enginetest compares the two.
package plan

import (
	"slices"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
)

// FieldKind says how a field is resolved.
type FieldKind uint8

const (
	// Property is the kind of fields that are fields of their Go object.
	Property FieldKind = iota
	// Resolver is the kind of fields that a resolver resolves.
	Resolver
	// Fallback is the kind of fields that gqlgen's executor resolves, together with their selections.
	Fallback
)

// FieldInfo is the information about a field that generated code provides.
type FieldInfo struct {
	ID      int // the case of the field in generated switches over its type's fields, from 1
	Kind    FieldKind
	Guarded bool // the field has a guard that needs the caller's identity
	Limited bool // the field has a rate limit, which a guard enforces
	// Handwritten is set if handwritten code resolves the field. Such code may use any field of its
	// objects and make calls of its own, so an operation with such a field reads every field from
	// the services' responses.
	Handwritten bool
	// RequestScoped is set if the value may depend on more of the request than the client's identity,
	// the operation and its variables, such as on a header.
	RequestScoped bool
	// Calls are the groups of the calls that resolve the field or complete its objects.
	Calls []CallInfo
}

// CallInfo says that a field may make a call which is equal to one of another field, or of the same field
// at another place.
type CallInfo struct {
	// Group names the calls that may be equal, as rest.Call.Shared does.
	Group string
	// Loader is not 0 if a loader makes the calls. Fields of one group with the same Loader make no
	// equal calls among themselves.
	Loader int
	// Each is set if the field makes a call for each parent, without regard to equal ones.
	Each bool
}

// TypeInfo is the information about an object type that generated code provides.
type TypeInfo struct {
	ID     int // for Field.SelectionOf
	Fields map[string]FieldInfo
	// Keys are the fields that generated code uses whatever is selected, such as the keys of joins.
	Keys []string
}

// Types are the object types of a graph by name.
type Types map[string]TypeInfo

// Field is a field at one place of a plan. It is immutable once the plan has been compiled.
type Field struct {
	graphql.CollectedField
	FieldInfo // the ID of __typename is 0

	// Key is the encoded response key, `"alias":`, with a comma before it except for the first field.
	Key []byte

	selections          []*Selection // below the field, by type ID minus firstTypeID; nil for a leaf
	firstTypeID         int
	parent              *Selection // that has the field
	root                int        // the index of the root field that this field is or is below
	slot                int        // the index of the field's results in a Run; -1 if it has none
	lists               int        // the number of lists around the value
	hasCallsBelow       bool       // some resolver is called below the field
	mayHaveNullArgument bool       // some variable may put a null in a non-null argument
}

// nullArgument returns an error if an argument of the field is null and must not be, with these
// variables.
func (f *Field) nullArgument(variables map[string]any) error {
	if !f.mayHaveNullArgument {
		return nil
	}
	return input.CheckNullArguments(f.Field, variables)
}

// SelectionOf returns the selection below the field for values of the type with the given ID. The type must be
// a possible type of the field.
func (f *Field) SelectionOf(id int) *Selection { return f.selections[id-f.firstTypeID] }

// Selection is what is selected of one object type at one place of a plan.
type Selection struct {
	// Fields are all fields, in the order of the response.
	Fields []Field
	// Nested are the properties below which resolvers are called: collecting goes through their values.
	Nested []*Field
	// Calls are the fields that are not properties: collecting resolves them.
	Calls []*Field

	id       int // among the selections of the plan
	typeName string
	field    *Field // whose value has the selection, nil for the root
	slot     int    // the index of the objects' places in a Run; -1 if no resolver is called at or below them
}

// Plan is a compiled operation. It is immutable, except for lastSize, and safe for concurrent use by any
// number of runs. It does not depend on the values of variables, except for those in @skip and @include:
// the Planner has one plan for each combination of them.
//
// A field or selection about which a run has to remember something has a slot, an index in the run's
// slices. So a run needs at most two allocations for all slots, and looks nothing up by name.
type Plan struct {
	root           *Selection
	bytes          int // estimated memory, without bytesPerPlan
	fieldSlots     int // number of slots of fields
	selectionSlots int // number of slots of selections
	selections     int // number of selections
	hasArguments   bool
	projection     *decode.Projection  // the fields to read from responses, nil for every field
	lastSize       atomic.Int64        // size of the last response, in bytes
	requestScoped  bool                // some field is: responses must not be shared by several requests
	sharedCalls    *engine.SharedCalls // nil for none
}

// Root returns the selection of the root type.
func (p *Plan) Root() *Selection { return p.root }

// maxExpectedSize limits the memory, in bytes, that a response gets before it is encoded, so that one huge
// response does not make all later ones of its plan allocate as much.
const maxExpectedSize = 4 << 20

// expectedSize returns the memory that the next response should get before it is encoded: an eighth more
// than the last one had.
func (p *Plan) expectedSize() int {
	last := int(p.lastSize.Load())
	return min(last+last/8, maxExpectedSize)
}

// memory returns the estimated memory of a plan in bytes. p may be nil, which is remembered as well.
func (p *Plan) memory() int {
	if p == nil {
		return bytesPerPlan
	}
	return bytesPerPlan + p.bytes
}

// HasArguments reports whether any field of the plan has or may have arguments.
func (p *Plan) HasArguments() bool { return p.hasArguments }

// maxFields is the maximum number of fields of a plan. Each possible type of an interface or a union has a
// selection of its own, which multiplies from level to level.
const maxFields = 20_000

// maxSteps limits the work of compiling a plan. A field that is selected many times at one place counts
// once in the plan, but each time, and for each possible type, as a step.
const maxSteps = 1_000_000

// compiler compiles one plan.
type compiler struct {
	schema          *ast.Schema
	types           Types
	op              *graphql.OperationContext
	plan            *Plan
	fieldsLeft      int                        // of maxFields; negative once the plan is too large
	stepsLeft       int                        // of maxSteps
	selected        map[string]map[string]bool // the fields to read from responses, by type
	readsEverything bool                       // selected does not count: every field is read
}

func newCompiler(schema *ast.Schema, types Types, op *graphql.OperationContext) *compiler {
	return &compiler{schema: schema, types: types, op: op, plan: &Plan{}, fieldsLeft: maxFields, stepsLeft: maxSteps, selected: map[string]map[string]bool{}}
}

// compile returns the plan of the operation, nil if it would be too large.
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

// compileSelection compiles a selection set for objects of one type. field is the field whose value has
// it, nil for the root.
func (c *compiler) compileSelection(object *ast.Definition, set ast.SelectionSet, field *Field) *Selection {
	s := &Selection{id: c.plan.selections, typeName: object.Name, field: field, slot: -1}
	c.plan.selections++
	if c.fieldsLeft < 0 { // too large: return from all levels without further work
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
	selected := c.selectedOf(object.Name)
	for i, found := range collected {
		f := &s.Fields[i]
		c.plan.bytes += len(found.Selections) * bytesPerSelection
		*f = Field{CollectedField: found, Key: memberKey(i, found.Alias), parent: s, slot: -1, root: i}
		if field != nil {
			f.root = field.root
		}
		if found.Name != "__typename" {
			selected[f.Name] = true
			c.compileField(f, object)
		}
	}
	if len(s.Calls)+len(s.Nested) > 0 || field == nil {
		s.slot = c.plan.selectionSlots
		c.plan.selectionSlots++
	}
	return s
}

// selectionCount returns the number of selections in a set, with those of fragments, each fragment once.
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

// selectedOf returns the set of the fields to read of a type. It has at least the type's Keys.
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

// compileField completes a field of a type, compiles its selections, and enters it into Nested or Calls of
// its parent.
func (c *compiler) compileField(f *Field, object *ast.Definition) {
	f.FieldInfo = c.types[object.Name].Fields[f.Name]
	f.lists = listDepth(f.Definition.Type)
	f.mayHaveNullArgument = input.MayHaveNullArgument(f.Field)
	c.readsEverything = c.readsEverything || f.Handwritten || f.Kind == Fallback
	c.plan.requestScoped = c.plan.requestScoped || f.RequestScoped || f.Handwritten || f.Kind == Fallback
	c.plan.hasArguments = c.plan.hasArguments || len(f.Arguments) > 0 || len(f.Definition.Arguments) > 0
	if f.Kind != Fallback {
		c.compileBelow(f)
	}
	if f.Kind != Property || f.Guarded || f.Limited { // a property's guard is called once, so its result is kept
		f.slot = c.plan.fieldSlots
		c.plan.fieldSlots++
	}
	switch {
	case f.Kind != Property:
		f.parent.Calls = append(f.parent.Calls, f)
	case f.hasCallsBelow:
		f.parent.Nested = append(f.parent.Nested, f)
	}
}

// compileBelow compiles the selections of a field, one for each possible type of its value.
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

// allocateBelow allocates the selections of a field. They are indexed by type ID, so that there may be
// gaps between those of the possible types, which count as fields of the plan.
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

// typeConditions returns the type conditions that an object satisfies: its type, and the interfaces and
// unions that it belongs to.
func (c *compiler) typeConditions(object *ast.Definition) []string {
	names := []string{object.Name}
	for _, abstract := range c.schema.GetImplements(object) {
		names = append(names, abstract.Name)
	}
	return names
}

// mergeFields merges the fields with the same response key, as the specification requires (sections 6.3.2
// and 6.4.3). gqlgen merges them only if the types on which they are selected are related.
func mergeFields(fields []graphql.CollectedField) []graphql.CollectedField {
	var merged []graphql.CollectedField
	for _, f := range fields {
		sameKey := func(other graphql.CollectedField) bool { return other.Alias == f.Alias }
		if i := slices.IndexFunc(merged, sameKey); i >= 0 {
			merged[i].Selections = slices.Concat(merged[i].Selections, f.Selections)
			continue
		}
		merged = append(merged, f)
	}
	return merged
}

// memberKey returns Field.Key of the i-th field.
func memberKey(i int, alias string) []byte {
	var b []byte
	if i > 0 {
		b = append(b, ',')
	}
	return append(AppendString(b, alias), ':')
}

// listDepth returns the number of lists around the named type in t.
func listDepth(t *ast.Type) int {
	n := 0
	for ; t.Elem != nil; t = t.Elem {
		n++
	}
	return n
}
