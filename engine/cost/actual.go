package cost

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
)

// Counter adds up what an operation costs while it is executed. It is safe for concurrent use.
type Counter struct {
	*Model
	evaluation evaluation

	paused atomic.Bool

	mu    sync.Mutex
	total Total // guarded by mu
}

// NewCounter returns a counter for an operation with these variables, coerced by its types.
func (m *Model) NewCounter(variables map[string]any) *Counter {
	return &Counter{Model: m, evaluation: evaluation{Model: m, variables: variables}}
}

// Total returns what has been counted.
func (c *Counter) Total() Total {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

func (c *Counter) add(t Total) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total = c.total.plus(t)
}

// Pause has Resolved count nothing until Resume is called.
func (c *Counter) Pause() { c.paused.Store(true) }

// Resume ends Pause.
func (c *Counter) Resume() { c.paused.Store(false) }

// Resolved counts a field that gqlgen's executor has resolved for an object of a type, with n values.
func (c *Counter) Resolved(object string, node *ast.Field, n int64) {
	if c.paused.Load() {
		return
	}
	c.AddField(object, node, 1)
	if !isIntrospection(object) && node.Definition != nil {
		c.AddValues(node.Definition.Type.Name(), n)
	}
}

// AddValues counts n values of a type. Those of an abstract type count as the most expensive one of its
// possible types.
func (c *Counter) AddValues(name string, n int64) {
	if t := c.types[name]; t != nil && t.weight > 0 && !isIntrospection(name) {
		c.add(Total{Type: t.weight}.times(n))
	}
}

// AddField counts a field that was resolved for n objects of a type, without its value.
func (c *Counter) AddField(object string, node *ast.Field, n int64) {
	t := c.types[object]
	if t == nil || isIntrospection(object) {
		return
	}
	model := c.fieldModel(t, node)
	if model == nil {
		return
	}
	f := field{model: model, node: node, directives: c.directivesOf(node)}
	total := Total{Field: c.evaluation.weight(&f)}
	if isIntrospection(node.Name) {
		total.Type = model.value.weight
	}
	if total != (Total{}) {
		c.add(total.times(n))
	}
}

// isIntrospection reports whether a name is one of the introspection's. What is below its fields costs
// nothing: it is answered from memory, within the limits of all operations.
func isIntrospection(name string) bool { return strings.HasPrefix(name, "__") }
