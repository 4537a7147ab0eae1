package cost

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// Program is a compiled operation: what it costs, as far as that follows from the document, and what
// depends on the values of variables. It does not change, and is safe for concurrent use.
type Program struct {
	model     *Model
	root      *typeModel
	set       *set
	fragments int // number of sets that several places of the document share
}

// linear is what a selection set costs: fixed, and perElement for each element of the lists in it that
// the @listSize of the field around it limits (sizedFields, section 8.3).
type linear struct{ fixed, perElement Total }

func (l linear) plus(other linear) linear {
	return linear{l.fixed.plus(other.fixed), l.perElement.plus(other.perElement)}
}

// set is a compiled selection set. There is one for each selection set of the document, and one for each
// fragment and list of sized fields, so that programs are linear in the length of the document.
type set struct {
	constant linear // of selections that cost the same whatever variables are
	fields   []*field
	nested   []nested // fragments
	// groups are the fragments that apply to some of the possible types only. Of the types, the most
	// expensive one counts.
	groups   []group
	choices  [][]int // for each possible type the groups that apply; each once
	fragment int     // index among the shared sets, -1 for others
}

// group are the selections with one type condition.
type group struct {
	condition string
	constant  linear
	nested    []nested
}

// nested is a fragment where it is spread.
type nested struct {
	conditions []condition
	set        *set
}

// condition is a @skip or @include whose value a variable has.
type condition struct {
	variable string
	want     bool
}

// field is a field that costs what variables say.
type field struct {
	model      *fieldModel
	node       *ast.Field
	directives []directive
	conditions []condition
	isSized    bool // the @listSize of the field around it limits its list
	set        *set // nil for a leaf
}

// directive is a directive at a field that costs something.
type directive struct {
	places    []*place
	arguments ast.ArgumentList
}

// compiler compiles one operation.
type compiler struct {
	*Model
	keep   bool // every field, for Fields
	shared map[sharedKey]*set
}

type sharedKey struct {
	fragment *ast.FragmentDefinition
	sized    *sizedFields
}

// Compile compiles an operation of a valid document.
func (m *Model) Compile(op *ast.OperationDefinition) *Program { return m.compile(op, false) }

func (m *Model) compile(op *ast.OperationDefinition, keep bool) *Program {
	c := &compiler{Model: m, keep: keep, shared: map[sharedKey]*set{}}
	root := m.schema.Query
	switch op.Operation {
	case ast.Mutation:
		root = m.schema.Mutation
	case ast.Subscription:
		root = m.schema.Subscription
	}
	p := &Program{model: m, root: m.types[root.Name]}
	p.set = c.compileSet(p.root, op.SelectionSet, nil)
	p.fragments = len(c.shared)
	return p
}

// compileSet compiles a selection set for values of a type. sized are the fields in it that the @listSize
// around it limits.
func (c *compiler) compileSet(t *typeModel, selections ast.SelectionSet, sized *sizedFields) *set {
	s := &set{fragment: -1}
	c.fill(s, t, selections, sized)
	return s
}

func (c *compiler) fill(s *set, t *typeModel, selections ast.SelectionSet, sized *sizedFields) {
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			if conditions, ok := conditionsOf(it.Directives); ok {
				c.addField(s, t, it, conditions, sized)
			}
		case *ast.InlineFragment:
			if conditions, ok := conditionsOf(it.Directives); ok {
				on := c.typeOf(it.TypeCondition, t)
				s.add(t, on, nested{conditions, c.compileSet(on, it.SelectionSet, sized)}, c.keep)
			}
		case *ast.FragmentSpread:
			if conditions, ok := conditionsOf(it.Directives); ok && it.Definition != nil {
				on := c.typeOf(it.Definition.TypeCondition, t)
				s.add(t, on, nested{conditions, c.compileFragment(it.Definition, on, sized)}, c.keep)
			}
		}
	}
	s.choose(t, c.types)
}

// typeOf returns the type of a condition, t for none.
func (c *compiler) typeOf(condition string, t *typeModel) *typeModel {
	if on := c.types[condition]; on != nil {
		return on
	}
	return t
}

// compileFragment compiles a fragment once for all places that size the same fields of it.
func (c *compiler) compileFragment(f *ast.FragmentDefinition, on *typeModel, sized *sizedFields) *set {
	key := sharedKey{f, sized}
	if s := c.shared[key]; s != nil {
		return s
	}
	s := &set{fragment: len(c.shared)}
	c.shared[key] = s // before it is filled, so that a cycle, which no valid document has, ends
	c.fill(s, on, f.SelectionSet, sized)
	return s
}

// add adds a fragment on a type to a selection set for values of the type t.
func (s *set) add(t, on *typeModel, n nested, keep bool) {
	folds := !keep && len(n.conditions) == 0 && n.set.isConstant()
	switch {
	case t.object || on == t:
		if folds {
			s.constant = s.constant.plus(n.set.constant)
		} else {
			s.nested = append(s.nested, n)
		}
		return
	}
	g := s.group(on.name)
	if folds {
		g.constant = g.constant.plus(n.set.constant)
	} else {
		g.nested = append(g.nested, n)
	}
}

func (s *set) group(condition string) *group {
	for i := range s.groups {
		if s.groups[i].condition == condition {
			return &s.groups[i]
		}
	}
	s.groups = append(s.groups, group{condition: condition})
	return &s.groups[len(s.groups)-1]
}

// isConstant reports whether a set costs the same whatever variables are.
func (s *set) isConstant() bool { return len(s.fields)+len(s.nested)+len(s.groups) == 0 }

// choose finds out which groups apply to which possible types of t, and folds them if they are constant.
func (s *set) choose(t *typeModel, types map[string]*typeModel) {
	if len(s.groups) == 0 {
		return
	}
	byTypes := make(map[string][]int, len(t.possible))
	for i := range s.groups {
		for _, object := range types[s.groups[i].condition].possible {
			byTypes[object] = append(byTypes[object], i)
		}
	}
	seen := map[string]bool{}
	constant := true
	for _, object := range t.possible {
		groups := byTypes[object]
		var key []byte
		for _, i := range groups {
			key = append(key, byte(i), byte(i>>8), byte(i>>16))
			constant = constant && len(s.groups[i].nested) == 0
		}
		if len(groups) > 0 && !seen[string(key)] {
			seen[string(key)] = true
			s.choices = append(s.choices, groups)
		}
	}
	if !constant {
		return
	}
	var most linear
	for _, groups := range s.choices {
		var sum linear
		for _, i := range groups {
			sum = sum.plus(s.groups[i].constant)
		}
		most = greatestLinear(most, sum)
	}
	s.constant = s.constant.plus(most)
	s.groups, s.choices = nil, nil
}

func greatestLinear(a, b linear) linear {
	return linear{greatest(a.fixed, b.fixed), greatest(a.perElement, b.perElement)}
}

// addField adds a field to a selection set.
func (c *compiler) addField(s *set, t *typeModel, node *ast.Field, conditions []condition, sized *sizedFields) {
	model := c.fieldModel(t, node)
	if model == nil {
		return
	}
	f := &field{model: model, node: node, conditions: conditions, isSized: sized.has(node.Name) && model.lists > 0}
	f.directives = c.directivesOf(node)
	if len(node.SelectionSet) > 0 && model.value.fields != nil {
		f.set = c.compileSet(model.value, node.SelectionSet, model.sized)
	}
	if e := (&evaluation{Model: c.Model}); !c.keep && len(conditions) == 0 && f.isConstant() {
		cost := e.field(f)
		if e.err == nil { // otherwise it is an error of each operation that has the field
			s.constant = s.constant.plus(cost)
			return
		}
	}
	s.fields = append(s.fields, f)
}

// directivesOf returns the directives at a field that cost something.
func (m *Model) directivesOf(node *ast.Field) (all []directive) {
	for _, d := range node.Directives {
		if places := m.directives[d.Name]; len(places) > 0 {
			all = append(all, directive{places, d.Arguments})
		}
	}
	return all
}

// fieldModel returns the model of a field, nil for __typename, which costs nothing.
func (m *Model) fieldModel(t *typeModel, node *ast.Field) *fieldModel {
	switch node.Name {
	case "__typename":
		return nil
	case "__schema", "__type":
		return &fieldModel{coordinate: node.Name, weight: One, value: &typeModel{name: node.Name, weight: One}}
	}
	return t.fields[node.Name]
}

// isConstant reports whether a field costs the same whatever variables are. Its conditions do not count.
func (f *field) isConstant() bool {
	if f.set != nil && !f.set.isConstant() {
		return false
	}
	for _, a := range f.node.Arguments {
		if hasVariable(a.Value) && f.depends(a.Name) {
			return false
		}
	}
	for _, d := range f.directives {
		for _, a := range d.arguments {
			if hasVariable(a.Value) {
				return false
			}
		}
	}
	return true
}

// depends reports whether the cost of a field depends on one of its arguments.
func (f *field) depends(argument string) bool {
	for _, p := range f.model.arguments {
		if p.name == argument {
			return true
		}
	}
	for _, s := range f.model.sizes {
		if s == nil {
			continue
		}
		for _, a := range s.arguments {
			if a.name == argument {
				return true
			}
		}
	}
	return false
}

func hasVariable(v *ast.Value) bool {
	if v == nil || v.Kind == ast.Variable {
		return v != nil
	}
	for _, child := range v.Children {
		if hasVariable(child.Value) {
			return true
		}
	}
	return false
}

// conditionsOf returns the conditions of a selection whose values variables have. ok is false if the
// selection is never included.
func conditionsOf(directives ast.DirectiveList) (conditions []condition, ok bool) {
	for _, d := range directives {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		argument := d.Arguments.ForName("if")
		if argument == nil {
			continue
		}
		want := d.Name == "include"
		switch argument.Value.Kind {
		case ast.Variable:
			conditions = append(conditions, condition{argument.Value.Raw, want})
		case ast.BooleanValue:
			if (argument.Value.Raw == "true") != want {
				return nil, false
			}
		}
	}
	return conditions, true
}
