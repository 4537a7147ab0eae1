package limit

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// ceiling is where counting stops. Fragments that spread each other double a count with every 37
// bytes of text, which overflows any integer.
const ceiling = 1 << 30

// sums are the counts of a selection set with its fragments expanded.
type sums struct {
	selections int
	aliases    int
	directives int

	depth         int // of fields
	introspection int // of fields under __schema or __type
	nesting       int // of selection sets and fragments, which is the depth of the validator's recursion
}

// plus returns the counts of s and other side by side: numbers add up, depths do not.
func (s sums) plus(other sums) sums {
	return sums{
		selections:    min(s.selections+other.selections, ceiling),
		aliases:       min(s.aliases+other.aliases, ceiling),
		directives:    min(s.directives+other.directives, ceiling),
		depth:         max(s.depth, other.depth),
		introspection: max(s.introspection, other.introspection),
		nesting:       max(s.nesting, other.nesting),
	}
}

// counter counts each fragment once and reuses its sums at every spread, so that the cost is linear in
// the text, although the expansion of the fragments may be exponential in it.
type counter struct {
	fragments  map[string]*ast.FragmentDefinition
	counted    map[*ast.FragmentDefinition]sums
	inProgress map[*ast.FragmentDefinition]bool // being counted; a spread of one of these is a cycle
}

func newCounter(doc *ast.QueryDocument) *counter {
	c := &counter{
		fragments:  make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		counted:    make(map[*ast.FragmentDefinition]sums, len(doc.Fragments)),
		inProgress: map[*ast.FragmentDefinition]bool{},
	}
	for _, fragment := range doc.Fragments {
		if _, twice := c.fragments[fragment.Name]; !twice {
			c.fragments[fragment.Name] = fragment // the validator also takes the first of two with one name
		}
	}
	return c
}

// selectionSet counts a selection set within level others.
func (c *counter) selectionSet(set ast.SelectionSet, level int) (sums, error) {
	if level > maxNesting {
		return sums{}, nestingError()
	}
	var all sums
	for _, selection := range set {
		one, err := c.selection(selection, level)
		if err != nil {
			return sums{}, err
		}
		all = all.plus(one)
	}
	all.nesting++
	if all.nesting > maxNesting {
		return sums{}, nestingError() // a fragment that was counted elsewhere, at a lower level, brings its own nesting
	}
	return all, nil
}

func (c *counter) selection(selection ast.Selection, level int) (sums, error) {
	switch it := selection.(type) {
	case *ast.Field:
		return c.field(it, level)
	case *ast.InlineFragment:
		inner, err := c.selectionSet(it.SelectionSet, level+1)
		return inner.plus(sums{selections: 1, directives: len(it.Directives)}), err
	case *ast.FragmentSpread:
		inner, err := c.spread(it.Name, level)
		return inner.plus(sums{selections: 1, directives: len(it.Directives)}), err
	}
	return sums{}, nil
}

func (c *counter) field(field *ast.Field, level int) (sums, error) {
	inner, err := c.selectionSet(field.SelectionSet, level+1)
	if err != nil {
		return sums{}, err
	}
	all := inner.plus(sums{selections: 1, directives: len(field.Directives)})
	if field.Alias != field.Name {
		all.aliases = min(all.aliases+1, ceiling)
	}
	if isIntrospection(field) {
		all.depth, all.introspection = 1, max(inner.introspection, 1+inner.depth)
	} else {
		all.depth = 1 + inner.depth
	}
	return all, nil
}

// spread counts the content of a fragment. It counts nothing for one that does not exist, which the
// validator reports.
func (c *counter) spread(name string, level int) (sums, error) {
	fragment := c.fragments[name]
	if fragment == nil {
		return sums{}, nil
	}
	return c.fragment(fragment, level)
}

// fragment counts a fragment, once for all of its spreads. It refuses a cycle here, since the rule of
// the validator takes seconds to find a long one.
func (c *counter) fragment(fragment *ast.FragmentDefinition, level int) (sums, error) {
	if found, ok := c.counted[fragment]; ok {
		return found, nil
	}
	if c.inProgress[fragment] {
		return sums{}, fault.New(fault.ValidationFailed,
			"Cannot spread fragment %q within itself.", fragment.Name)
	}
	c.inProgress[fragment] = true
	all, err := c.selectionSet(fragment.SelectionSet, level+1)
	if err != nil {
		return sums{}, err
	}
	delete(c.inProgress, fragment)
	all = all.plus(sums{directives: len(fragment.Directives)})
	c.counted[fragment] = all
	return all, nil
}

// rootFields returns the number of different response names at the root of an operation.
func (c *counter) rootFields(op *ast.OperationDefinition) int {
	names := map[string]bool{}
	seen := map[string]bool{}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch it := selection.(type) {
			case *ast.Field:
				names[it.Alias] = true
			case *ast.InlineFragment:
				walk(it.SelectionSet)
			case *ast.FragmentSpread:
				if fragment := c.fragments[it.Name]; fragment != nil && !seen[it.Name] {
					seen[it.Name] = true
					walk(fragment.SelectionSet)
				}
			}
		}
	}
	walk(op.SelectionSet)
	return len(names)
}

// isIntrospection reports whether a field introspects the schema; __typename does not.
func isIntrospection(field *ast.Field) bool {
	return field.Name == "__schema" || field.Name == "__type"
}

func nestingError() error {
	return fault.New(fault.MaxDepth, "the document nests more than %d selections and fragments", maxNesting)
}
