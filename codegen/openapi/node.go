package openapi

import (
	"cmp"
	"iter"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// node is a value in the text of a file. The zero node stands for one that is absent;
// every question may be asked of it.
type node struct {
	*yaml.Node
	file string
}

// maxAliases bounds how many YAML aliases, merges and references lead to one value.
const maxAliases = 100

// wrap takes aliases away.
func wrap(n *yaml.Node, file string) node {
	for range maxAliases {
		if n == nil || n.Kind != yaml.AliasNode {
			return node{n, file}
		}
		n = n.Alias
	}
	return node{}
}

func (n node) absent() bool    { return n.Node == nil }
func (n node) isMapping() bool { return n.Node != nil && n.Kind == yaml.MappingNode }
func (n node) isList() bool    { return n.Node != nil && n.Kind == yaml.SequenceNode }
func (n node) isScalar() bool  { return n.Node != nil && n.Kind == yaml.ScalarNode }
func (n node) isNull() bool    { return n.isScalar() && n.ShortTag() == "!!null" }

func (n node) place() Place {
	if n.Node == nil {
		return Place{File: n.file}
	}
	return Place{File: n.file, Line: n.Line, Column: n.Column}
}

// members gives the keys and values of a mapping, then those that it merges with <<.
func (n node) members() iter.Seq2[node, node] {
	return func(yield func(node, node) bool) {
		if !n.isMapping() {
			return
		}
		merges := false
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := wrap(n.Content[i], n.file), wrap(n.Content[i+1], n.file)
			if key.isMerge() {
				merges = true
			} else if key.isScalar() && !value.absent() && !yield(key, value) {
				return
			}
		}
		if merges {
			n.merged(yield)
		}
	}
}

func (n node) isMerge() bool { return n.isScalar() && n.Value == "<<" && n.ShortTag() == "!!merge" }

// merged gives the members that come from elsewhere, the nearest first.
func (n node) merged(yield func(node, node) bool) {
	seen, visited := map[string]bool{}, map[*yaml.Node]bool{}
	for from := []node{n}; len(from) > 0; from = from[1:] {
		m := from[0]
		if visited[m.Node] || !m.isMapping() {
			continue
		}
		visited[m.Node] = true
		for i := 0; i+1 < len(m.Content); i += 2 {
			key, value := wrap(m.Content[i], m.file), wrap(m.Content[i+1], m.file)
			switch {
			case key.isMerge():
				from = append(append(from, value), value.list()...)
			case !key.isScalar() || value.absent() || seen[key.Value]:
			case m.Node != n.Node && !yield(key, value):
				return
			default:
				seen[key.Value] = true
			}
		}
	}
}

// member finds a member of a mapping with its key.
func (n node) member(name string) (key, value node) {
	for k, v := range n.members() {
		if k.Value == name {
			return k, v
		}
	}
	return node{file: n.file}, node{file: n.file}
}

func (n node) get(name string) node {
	_, value := n.member(name)
	return value
}

// list gives the elements of a list.
func (n node) list() []node {
	if !n.isList() {
		return nil
	}
	elements := make([]node, 0, len(n.Content))
	for _, c := range n.Content {
		if e := wrap(c, n.file); !e.absent() {
			elements = append(elements, e)
		}
	}
	return elements
}

// text is a scalar as it is written.
func (n node) text() string {
	if !n.isScalar() || n.isNull() {
		return ""
	}
	return n.Value
}

func (n node) isTrue() bool  { return n.isScalar() && n.Value == "true" }
func (n node) isFalse() bool { return n.isScalar() && n.Value == "false" }

// number is nil for what is no number.
func (n node) number() *float64 {
	if f, err := strconv.ParseFloat(n.text(), 64); err == nil {
		return &f
	}
	return nil
}

// count is nil for what is no whole number.
func (n node) count() *int {
	if c, err := strconv.Atoi(n.text()); err == nil {
		return &c
	}
	return nil
}

// texts are the scalars of a list, or the one scalar.
func (n node) texts() []string {
	var all []string
	for _, e := range append(n.list(), n) {
		if t := e.text(); t != "" {
			all = append(all, t)
		}
	}
	return all
}

func comparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
