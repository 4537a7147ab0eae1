package cost

import (
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
)

// Programs remembers the programs of a document's operations. The zero value is ready to use. It is safe
// for concurrent use.
type Programs struct{ first atomic.Pointer[remembered] }

// remembered is a program in a list.
type remembered struct {
	op      *ast.OperationDefinition
	program *Program
	next    *remembered
}

// Of returns the program of an operation of the document. It compiles it if need be, and forgets the
// programs of other models, which belong to settings that are no longer used.
func (p *Programs) Of(m *Model, op *ast.OperationDefinition) *Program {
	first := p.first.Load()
	for r := first; r != nil && r.program.model == m; r = r.next {
		if r.op == op {
			return r.program
		}
	}
	r := &remembered{op: op, program: m.Compile(op)}
	if first != nil && first.program.model == m {
		r.next = first
	}
	p.first.CompareAndSwap(first, r) // of two callers at the same time, the other one compiles again
	return r.program
}
