package limit

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// ceiling is where counting stops: fragments double a count with every 37 bytes of
// text, so that it would leave any integer behind.
const ceiling = 1 << 30

// sums are what a set of selections asks for, with its fragments put in their places.
type sums struct {
	selections int
	aliases    int
	directives int

	depth         int // of fields
	introspection int // of fields under __schema or __type
	nesting       int // of selection sets and fragments: how deep validation recurses
}

// and adds what stands beside s.
func (s sums) and(other sums) sums {
	return sums{
		selections:    min(s.selections+other.selections, ceiling),
		aliases:       min(s.aliases+other.aliases, ceiling),
		directives:    min(s.directives+other.directives, ceiling),
		depth:         max(s.depth, other.depth),
		introspection: max(s.introspection, other.introspection),
		nesting:       max(s.nesting, other.nesting),
	}
}

// counter counts each fragment once and then knows its sums, so that the cost is that
// of the text and not that of what it stands for.
type counter struct {
	fragments map[string]*ast.FragmentDefinition
	known     map[*ast.FragmentDefinition]sums
	open      map[*ast.FragmentDefinition]bool // being counted: meeting one again is a cycle
}

func newCounter(doc *ast.QueryDocument) *counter {
	c := &counter{
		fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		known:     make(map[*ast.FragmentDefinition]sums, len(doc.Fragments)),
		open:      map[*ast.FragmentDefinition]bool{},
	}
	for _, fragment := range doc.Fragments {
		if _, twice := c.fragments[fragment.Name]; !twice {
			c.fragments[fragment.Name] = fragment // of two with one name, the validator too takes the first
		}
	}
	return c
}

// set counts a selection set that stands level sets deep.
func (c *counter) set(set ast.SelectionSet, level int) (sums, error) {
	if level > maxNesting {
		return sums{}, tooNested()
	}
	var all sums
	for _, selection := range set {
		one, err := c.selection(selection, level)
		if err != nil {
			return sums{}, err
		}
		all = all.and(one)
	}
	all.nesting++
	if all.nesting > maxNesting {
		return sums{}, tooNested() // reached by way of a fragment that was counted before
	}
	return all, nil
}

func (c *counter) selection(selection ast.Selection, level int) (sums, error) {
	switch it := selection.(type) {
	case *ast.Field:
		return c.field(it, level)
	case *ast.InlineFragment:
		inner, err := c.set(it.SelectionSet, level+1)
		return inner.and(sums{selections: 1, directives: len(it.Directives)}), err
	case *ast.FragmentSpread:
		inner, err := c.spread(it.Name, level)
		return inner.and(sums{selections: 1, directives: len(it.Directives)}), err
	}
	return sums{}, nil
}

func (c *counter) field(field *ast.Field, level int) (sums, error) {
	inner, err := c.set(field.SelectionSet, level+1)
	if err != nil {
		return sums{}, err
	}
	all := inner.and(sums{selections: 1, directives: len(field.Directives)})
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

// spread counts what a fragment stands for. One that does not exist counts nothing:
// saying so is the validator's.
func (c *counter) spread(name string, level int) (sums, error) {
	fragment := c.fragments[name]
	if fragment == nil {
		return sums{}, nil
	}
	return c.fragment(fragment, level)
}

// fragment refuses a cycle at once, though validation would too: stock validation
// takes seconds to find a long one.
func (c *counter) fragment(fragment *ast.FragmentDefinition, level int) (sums, error) {
	if found, ok := c.known[fragment]; ok {
		return found, nil
	}
	if c.open[fragment] {
		return sums{}, fault.New(fault.ValidationFailed,
			"Cannot spread fragment %q within itself.", fragment.Name)
	}
	c.open[fragment] = true
	all, err := c.set(fragment.SelectionSet, level+1)
	if err != nil {
		return sums{}, err
	}
	delete(c.open, fragment)
	all = all.and(sums{directives: len(fragment.Directives)})
	c.known[fragment] = all
	return all, nil
}

// roots finds the response names an operation asks of the root, each once.
func (c *counter) roots(op *ast.OperationDefinition) int {
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

func isIntrospection(field *ast.Field) bool {
	return field.Name == "__schema" || field.Name == "__type"
}

func tooNested() error {
	return fault.New(fault.MaxDepth, "the document nests more than %d selections and fragments", maxNesting)
}
