package openapi

import (
	"cmp"
	"iter"
	"strconv"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// node is a value in the text of a file. The zero node stands for one that is absent;
// every question may be asked of it.
type node struct {
	*yaml.Node
	file string
}

// maxReferences bounds how many references lead to one value.
const maxReferences = 100

// absent reports whether there is no value.
func (n node) absent() bool { return n.Node == nil }

// read reports whether there is a value, which it reads if that has not been done.
func (n node) read() bool {
	if n.Node == nil {
		return false
	}
	n.Expand()
	return true
}

func (n node) isMapping() bool { return n.read() && n.Kind == yaml.Mapping }
func (n node) isList() bool    { return n.read() && n.Kind == yaml.List }
func (n node) isScalar() bool  { return n.read() && n.IsScalar() && !n.Invalid }
func (n node) isNull() bool    { return n.isScalar() && n.Kind == yaml.Null }

func (n node) place() Place {
	if n.Node == nil {
		return Place{File: n.file}
	}
	return Place{File: n.file, Line: n.Line, Column: n.Column}
}

// members yields the keys and values of a mapping, those that it merges with << last.
func (n node) members() iter.Seq2[node, node] {
	return func(yield func(node, node) bool) {
		if !n.read() {
			return
		}
		for _, m := range n.Members {
			if !yield(node{m.Key, n.file}, node{m.Value, n.file}) {
				return
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

// list returns the elements of a list.
func (n node) list() []node {
	if !n.read() {
		return nil
	}
	elements := make([]node, len(n.Items))
	for i, item := range n.Items {
		elements[i] = node{item, n.file}
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

// comparePlaces orders places by their files, then as in the text.
func comparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
