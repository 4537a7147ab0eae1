package config

import "github.com/gatehouse-graphql/gatehouse/internal/yaml"

// node is a value in the tree of settings. The tree starts as that of the file, with its variables
// filled in; the environment and the flags are written over it, and the decoder reads the result.
// Each value knows where it was written, so that a mistake can be shown there.
type node struct {
	kind       kind
	at         origin
	text       string     // of a scalar, with its variables filled in
	raw        string     // of a scalar, the first line of it as the file has it
	invalid    bool       // a mistake was reported for it
	scalarType scalarType // of a scalar
	variables  []string   // of a scalar, the variables that text was made from
	members    []member   // of a mapping, in the order written
	items      []*node    // of a list
}

type member struct {
	name  string
	at    origin
	value *node
}

// origin is where a value was written: a place in the file, or the variable or flag of that name.
type origin struct {
	name         string
	line, column int
}

func (o origin) isInFile() bool { return o.line > 0 }

// scalarType is what a scalar is by the rules of YAML.
type scalarType int

const (
	anyScalar scalarType = iota // from a variable or a flag: the type of the setting decides
	textScalar
	numberScalar
	boolScalar
)

type kind int

const (
	null kind = iota
	scalar
	mapping
	list
)

func (k kind) String() string {
	return [...]string{"nothing", "a single value", "a block of settings", "a list"}[k]
}

// get returns the value of a member, or nil if there is none.
func (n *node) get(name string) *node {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// names returns the names of the members in the order written.
func (n *node) names() []string {
	names := make([]string, len(n.members))
	for i, m := range n.members {
		names[i] = m.name
	}
	return names
}

// set writes value over the one at p and adds the blocks that lead there. A list grows by one
// element at most. It reports whether there is a place for the value.
func (n *node) set(p yaml.Path, value *node) bool {
	if len(p) == 0 {
		*n = *value
		return true
	}
	if p[0].Index >= 0 {
		return n.ensureItem(p[0].Index, value.at) && n.items[p[0].Index].set(p[1:], value)
	}
	return n.ensureMapping(value.at) && n.ensureMember(p[0].Name, value.at).set(p[1:], value)
}

// ensureMapping makes n an empty mapping if it is null, and reports whether it is a mapping.
func (n *node) ensureMapping(at origin) bool {
	if n.kind == null {
		*n = node{kind: mapping, at: at}
	}
	return n.kind == mapping
}

// ensureMember returns the value of a member, which it adds if there is none.
func (n *node) ensureMember(name string, at origin) *node {
	if existing := n.get(name); existing != nil {
		return existing
	}
	added := &node{at: at}
	n.members = append(n.members, member{name, at, added})
	return added
}

// ensureItem makes n an empty list if it is null, adds the element if it is the next one, and
// reports whether there is such an element.
func (n *node) ensureItem(index int, at origin) bool {
	if n.kind == null {
		*n = node{kind: list, at: at}
	}
	if n.kind == list && index == len(n.items) {
		n.items = append(n.items, &node{at: at})
	}
	return n.kind == list && index < len(n.items)
}

// find returns the value at p, or nil if there is none, and the place to show for it. The place of a
// missing setting is that of the block which lacks it.
func (n *node) find(p yaml.Path) (found *node, at origin) {
	at = n.at
	for _, s := range p {
		next, named := n.child(s)
		if next == nil {
			return nil, at
		}
		n, at = next, named
	}
	if n.kind == scalar {
		at = n.at
	}
	return n, at
}

// child returns the value that is one step away, and the place of its name.
func (n *node) child(s yaml.Step) (*node, origin) {
	if s.Index >= 0 {
		if s.Index < len(n.items) {
			return n.items[s.Index], n.items[s.Index].at
		}
		return nil, n.at
	}
	for _, m := range n.members {
		if m.name == s.Name {
			return m.value, m.at
		}
	}
	return nil, n.at
}
