package config

import "github.com/gatehouse-graphql/gatehouse/internal/yaml"

// A tree is what all layers become before the parts' Options are filled from it: the
// file's values with aliases followed and variables filled in, and over them those of
// the environment and the flags. Each value remembers where it was written, so that
// a mistake can be shown in its place.
type node struct {
	kind   kind
	at     origin
	text   string   // of a scalar, variables filled in
	raw    string   // of a scalar, as the file has it
	broken bool     // a mistake was found in it, so that there is nothing to add
	says   literal  // what YAML takes a scalar for
	filled []string // the variables that text was made of
	fields []member // of a mapping, in the order written
	items  []*node  // of a list
}

type member struct {
	name  string
	at    origin
	value *node
}

// origin is where a value was written: a place in the file, or the variable or flag name.
type origin struct {
	name         string
	line, column int
}

func (o origin) inFile() bool { return o.line > 0 }

// literal is what a scalar can be read as.
type literal int

const (
	anything literal = iota // from a variable or a flag: the setting decides
	textual
	number
	truth
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

// get gives the member with that name, nil when there is none.
func (n *node) get(name string) *node {
	for _, m := range n.fields {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// names lists the members' names in the order written.
func (n *node) names() []string {
	names := make([]string, len(n.fields))
	for i, m := range n.fields {
		names[i] = m.name
	}
	return names
}

// clone copies n, so that a change under one alias does not show under another.
func (n *node) clone() *node {
	copied := *n
	copied.fields = make([]member, len(n.fields))
	for i, m := range n.fields {
		copied.fields[i] = member{m.name, m.at, m.value.clone()}
	}
	copied.items = make([]*node, len(n.items))
	for i, item := range n.items {
		copied.items[i] = item.clone()
	}
	return &copied
}

// size counts the values under n and itself.
func (n *node) size() int {
	count := 1
	for _, m := range n.fields {
		count += m.value.size()
	}
	for _, item := range n.items {
		count += item.size()
	}
	return count
}

// put lays value over the tree at p, making the blocks that lead there. A list grows
// by one element at most; put reports whether the place could be reached.
func (n *node) put(p yaml.Path, value *node) bool {
	if len(p) == 0 {
		*n = *value
		return true
	}
	if p[0].Index >= 0 {
		return n.item(p[0].Index, value.at) && n.items[p[0].Index].put(p[1:], value)
	}
	return n.block(value.at) && n.child(p[0].Name, value.at).put(p[1:], value)
}

// block makes a mapping of n where nothing stood.
func (n *node) block(at origin) bool {
	if n.kind == null {
		*n = node{kind: mapping, at: at}
	}
	return n.kind == mapping
}

func (n *node) child(name string, at origin) *node {
	if existing := n.get(name); existing != nil {
		return existing
	}
	added := &node{at: at}
	n.fields = append(n.fields, member{name, at, added})
	return added
}

func (n *node) item(index int, at origin) bool {
	if n.kind == null {
		*n = node{kind: list, at: at}
	}
	if n.kind == list && index == len(n.items) {
		n.items = append(n.items, &node{at: at})
	}
	return n.kind == list && index < len(n.items)
}

// find walks to p and gives the value there, nil when there is none, with the place to
// show for it: of a missing setting, that of the block which lacks it.
func (n *node) find(p yaml.Path) (found *node, at origin) {
	at = n.at
	for _, s := range p {
		next, named := n.step(s)
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

func (n *node) step(s yaml.Step) (*node, origin) {
	if s.Index >= 0 {
		if s.Index < len(n.items) {
			return n.items[s.Index], n.items[s.Index].at
		}
		return nil, n.at
	}
	for _, m := range n.fields {
		if m.name == s.Name {
			return m.value, m.at
		}
	}
	return nil, n.at
}
