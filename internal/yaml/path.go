package yaml

import (
	"strconv"
	"strings"
)

// Path leads from the root of a tree to a value. A Path is not changed by its methods.
type Path []Step

// Step is a key of a mapping or, with Index >= 0, a position in a list.
type Step struct {
	Name  string
	Index int
}

// Key returns the path to a member of the mapping at p.
func (p Path) Key(name string) Path { return append(p[:len(p):len(p)], Step{name, -1}) }

// Item returns the path to an element of the list at p.
func (p Path) Item(index int) Path { return append(p[:len(p):len(p)], Step{"", index}) }

// String returns p in the form sources.users.urls[0].
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.Index >= 0:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case b.Len() > 0:
			b.WriteString("." + s.Name)
		default:
			b.WriteString(s.Name)
		}
	}
	return b.String()
}

// Contains reports whether q is p or leads to a value within that at p.
func (p Path) Contains(q Path) bool {
	if len(q) < len(p) {
		return false
	}
	for i := range p {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}
