package explain

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// maxSteps bounds the fields that a walk visits. checkSize bounds the selections, but the walk
// follows each selection once for every object type that its parent can have, so interfaces below
// interfaces multiply the steps.
const maxSteps = 200_000

var errTooManyTypes = errors.New("too many types meet in it, interface below interface; ask for less at once")

// walker follows one operation from its root, along every type that an object can have. It
// terminates because each step descends in the text of the operation.
type walker struct {
	schema    *ast.Schema
	bindings  bindings
	options   Options
	values    map[string]any // of variables, by name
	operation *ast.OperationDefinition
	root      *ast.Definition

	plan           *Plan // receives assumptions and notes
	visits         []*visit
	finishedRounds int // rounds that end before the next root field starts
	steps          int
}

// bindings are the bindings of a schema.
type bindings struct {
	graph  *binding.Graph
	fields map[*ast.FieldDefinition]*binding.Field
}

// visit is one field, at one place of the operation, that needs a call or handwritten code.
type visit struct {
	node   *Node
	after  *visit // whose response contains the parents; nil at the root
	demand demand // what it asks for
}

// place describes the objects of one type at one place of the response.
type place struct {
	object    *ast.Definition
	id        string           // the same for aliases of one value, and for the types an object may be of
	count     Count            // of objects at the worst
	after     *visit           // whose answer brings them; nil at the root
	guards    []string         // guards passed since then
	listSizes map[string]Count // the sizes of lists in the objects, by the sizedFields of the field that returns them
}

func (w *walker) walk() error {
	w.walkObject(place{object: w.root, count: 1}, []part{{set: w.operation.SelectionSet}})
	if w.steps > maxSteps {
		return fmt.Errorf("%s: %w", title(w.plan.Operation, w.plan.Name), errTooManyTypes)
	}
	return nil
}

// walkObject visits the fields that parts of the operation select on the objects at a place.
func (w *walker) walkObject(p place, parts []part) {
	for _, s := range w.collect(p.object, parts) {
		if w.steps++; w.steps > maxSteps {
			return
		}
		w.walkField(p, s)
		if p.object == w.root && w.operation.Operation == ast.Mutation {
			w.finishedRounds = w.lastRound() // root fields of a mutation run one after the other
		}
	}
}

// lastRound returns the last round that any visit so far takes part in.
func (w *walker) lastRound() int {
	round := 0
	for _, v := range w.visits {
		round = max(round, v.node.Round)
	}
	return round
}

// walkField visits a field, then the objects that it returns, once for each type that they can
// have. A visit that brings the objects also satisfies the guards passed so far: whatever is below
// it starts with none.
func (w *walker) walkField(p place, s *selected) {
	size := w.listSizes(p, s)
	next := place{
		id:    p.id + "/" + s.id,
		count: p.count.multiply(size.own), listSizes: size.children,
		after: p.after, guards: union(p.guards, binding.GuardTexts(s.definition)),
	}
	if v := w.visitField(p, s, next.guards); v != nil {
		w.visits = append(w.visits, v)
		next.after, next.guards = v, nil
	}
	for _, object := range w.possibleTypes(s.definition.Type) {
		below := next
		below.object = object
		if v := w.visitCompletion(p.object, below, s); v != nil {
			w.visits = append(w.visits, v)
			below.after, below.guards = v, nil
		}
		w.walkObject(below, s.partsOf(w.schema.Types[s.definition.Type.Name()], object))
	}
}

// visitField returns the visit of a field, or nil if the field's value comes with its object.
func (w *walker) visitField(p place, s *selected, needs []string) *visit {
	b := w.bindings.fields[s.definition]
	if b == nil && !w.isHandwritten(p.object, s.definition) {
		return nil
	}
	v := w.newVisit(p.after, p.object, s, needs)
	if b != nil {
		v.node.Call = w.callOf(b, needs)
		v.demand = w.demandOf(p, s, b)
	}
	return v
}

// newVisit returns a visit that starts when the visit after has its response. A nil after means the
// start of the operation, or of the current root field of a mutation.
func (w *walker) newVisit(after *visit, object *ast.Definition, s *selected, needs []string) *visit {
	v := &visit{after: after, node: &Node{
		Field: object.Name + "." + s.definition.Name, Paths: s.paths, Round: w.finishedRounds + 1, Needs: needs,
	}}
	if after != nil {
		v.node.Round = after.node.Round + 1
	}
	return v
}

// isHandwritten reports whether handwritten code resolves a field that has no binding.
func (w *walker) isHandwritten(object *ast.Definition, field *ast.FieldDefinition) bool {
	return object == w.root || !binding.IsProperty(field) ||
		w.options.IsHandwritten != nil && w.options.IsHandwritten(object.Name, field.Name)
}

// possibleTypes returns the object types that a value can have, ordered by name. It returns nil for
// scalars and enums.
func (w *walker) possibleTypes(t *ast.Type) []*ast.Definition {
	def := w.schema.Types[t.Name()]
	if !def.IsCompositeType() {
		return nil
	}
	return slices.SortedFunc(slices.Values(w.schema.GetPossibleTypes(def)), func(a, b *ast.Definition) int {
		return cmp.Compare(a.Name, b.Name)
	})
}

// union returns the elements of a and b, each once, in a new slice.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, text := range b {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}
