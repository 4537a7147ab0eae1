package plan

import (
	"cmp"
	"slices"
	"sort"
)

// Collecting gives each object of a selection an ordinal: 0 for the first object that it adds to the
// selection's ObjectList, 1 for the next, and so on. The resolvers below are called with the objects in
// this order, so the ordinal of an object is the index of its results.
//
// Encoding needs the ordinals again. It does not count objects, because it may meet others than
// collecting did: a list that is null because of a fault still has objects, which are collected and
// not encoded. Counting would then show the data of one object at another. Instead, each object is
// found by its place: the ordinal of its parent, and its indices in the lists of the field that holds
// it. Since the ordinal of the parent is found in the same way, a place depends only on the path
// in the response.

// places are the places of a selection's objects by ordinal. They are sorted by the parent and then
// by the indices, because collecting goes through the parents in the order of their ordinals, and
// through lists from their beginning.
type places struct {
	parents []int32 // the ordinal of each object's parent
	indices []int32 // the indices of each object, one for each list of the field, one object after another
	next    int     // the ordinal after the one that was found last; used by encoding alone
}

// compare compares the place of the object with the given ordinal with the place that path leads to.
// path begins with the field that holds the selection.
func (p *places) compare(ordinal int, path []pathElement) int {
	parent, lists := path[0].index, path[1:]
	order := cmp.Compare(int(p.parents[ordinal]), parent)
	for i := 0; order == 0 && i < len(lists); i++ {
		order = cmp.Compare(int(p.indices[ordinal*len(lists)+i]), lists[i].index)
	}
	return order
}

// find returns the ordinal of the object at the place that path leads to, notCollected if there is none.
// Encoding asks for places in their order, so that the next ordinal is the right one except after
// an object that is not encoded; then find searches.
func (p *places) find(path []pathElement) int {
	n := len(p.parents)
	if p.next >= n || p.compare(p.next, path) != 0 {
		p.next = sort.Search(n, func(i int) bool { return p.compare(i, path) >= 0 })
		if p.next == n || p.compare(p.next, path) != 0 {
			return notCollected
		}
	}
	p.next++
	return p.next - 1
}

// notCollected is the ordinal of an object for which no resolver was called. It is not the parent of
// any collected object, so all objects below it are not collected either.
const notCollected = -1

// ObjectList collects the objects of one selection, in the order of their places. One goroutine uses it.
type ObjectList[T any] struct {
	Objects   []T
	places    places
	run       *Run
	uncounted int // elements of lists that were not counted in the budget yet
}

// NewObjectList returns an empty list.
func NewObjectList[T any](x *Run) ObjectList[T] { return ObjectList[T]{run: x} }

// Add adds an object that is not nil. parent is the ordinal of its parent; indices are its indices in
// the lists of the field that holds it, the outermost first.
func (l *ObjectList[T]) Add(object T, parent int, indices ...int) {
	l.Objects = append(l.Objects, object)
	l.places.parents = append(l.places.parents, int32(parent))
	for _, i := range indices {
		l.places.indices = append(l.places.indices, int32(i))
	}
}

// CountElements counts the n elements of a list, before they are visited. It ends the run if its budget or its
// time is exceeded. Elements are counted even if they are nil or not collected: many parents may hold
// the same list, so the size of the services' responses does not bound the work.
func (l *ObjectList[T]) CountElements(n int) {
	if l.uncounted += n; l.uncounted >= checkEvery {
		l.run.reserveValues(l.uncounted)
		l.run.stopIf(l.run.ctx.Err())
		l.uncounted = 0
	}
}

// Grow is CountElements for an innermost list. It also makes room for n objects, each with as many indices as
// there are lists around it.
func (l *ObjectList[T]) Grow(n, lists int) {
	l.CountElements(n)
	l.Objects = slices.Grow(l.Objects, n)
	l.places.parents = slices.Grow(l.places.parents, n)
	l.places.indices = slices.Grow(l.places.indices, n*lists)
}

// StoreObjects stores the places of a selection's objects, and reserves their fields in the budget. It reports
// whether there are objects for which resolvers have to be called.
func StoreObjects[T any](x *Run, s *Selection, g *ObjectList[T]) bool {
	x.reserveValues(g.uncounted + len(g.Objects)*len(s.Fields))
	if s.slot < 0 || len(g.Objects) == 0 {
		return false
	}
	x.places[s.slot] = g.places
	return true
}
