// Package coalesce lets clients that send the same operation at the same time share one
// execution, and its encoded response.
//
// It promises that a client gets no response that depends on what another client sent: requests
// share an execution only if everything that the response depends on is equal.
package coalesce

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/buffer"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
)

// Options are what a Coalescer needs.
type Options struct {
	// Schema says which operations may be shared. Nil coalesces nothing.
	Schema engine.Coalescer
	// Varying are the names of the headers that any service is forwarded and on which responses
	// may depend, in the form of http.Header.
	Varying []string
	// Deadline is the longest that an operation may take.
	Deadline time.Duration
	// Memory is the memory that all requests share; nil without a limit.
	Memory *engine.Memory
	// Executor executes the operations.
	Executor *execute.Executor
	// Buffers has the memory for the responses.
	Buffers *buffer.Pool
	// OnOperation is called for each operation that joins an execution. The executor calls its
	// own for the one that begins it.
	OnOperation func(kind ast.Operation, fallback engine.FallbackReason)
}

// Coalescer shares executions. It is safe for concurrent use.
type Coalescer struct {
	options    Options
	executions *coalesce.Group[*execution]
	version    uint64 // begins all keys
}

// New returns a Coalescer.
func New(o Options) *Coalescer {
	buffers := o.Buffers // alone: the executor, with its documents, must not outlive its settings
	return &Coalescer{options: o, executions: &coalesce.Group[*execution]{Release: func(e *execution) {
		e.memory.Release()
		if !e.retained.Load() {
			buffers.Put(e.buffer)
		}
	}}}
}

// With returns a Coalescer with other options but the same Buffers, which counts the executions of
// c as its own. No request shares an execution of the other Coalescer.
func (c *Coalescer) With(o Options) *Coalescer {
	return &Coalescer{options: o, executions: c.executions, version: c.version + 1}
}

// Wait waits until all executions have ended, or ctx has.
func (c *Coalescer) Wait(ctx context.Context) error { return c.executions.Wait(ctx) }

// CanCoalesce reports whether requests for op may share an execution. With extensions they may
// not, since an extension may treat each request differently. Neither may one of whose fields some are refused to
// this caller.
func (c *Coalescer) CanCoalesce(ctx context.Context, op *execute.Operation) bool {
	return c.options.Schema != nil && c.options.Executor.UsesPlans() && !c.options.Executor.HasExtensions() &&
		!engine.HasRefusedFields(&op.OperationContext) &&
		c.options.Schema.CanCoalesce(ctx, &op.OperationContext)
}

// execution is the outcome of an execution, for all requests that share it.
type execution struct {
	response.Encoded
	result   execute.Result
	id       string // of the request that began it
	memory   *engine.MemoryShare
	buffer   *buffer.Buffer // in which the data lie
	retained atomic.Bool    // whether the buffer may be read after the last request has ended
}

// Share is a request's share of an execution.
type Share struct {
	response.Encoded
	// Result is the outcome of the execution. The number of calls is that of all requests.
	Result execute.Result
	// Joined reports whether another request, with the id BegunBy, began the execution.
	Joined  bool
	BegunBy string

	share coalesce.Share[*execution]
}

// Done releases the share. The response must not be written after that.
func (s Share) Done() { s.share.Done() }

// Execute executes op for the request r, or waits for an execution of an equal request. It
// reports false if r cannot share an execution: if its key cannot be computed, if so little of its time
// is left that others would have too little, or if a service has sent a cookie to the client that began
// the execution, whose response may belong to the session of that cookie.
func (c *Coalescer) Execute(r *http.Request, op *execute.Operation) (s Share, ok bool, err error) {
	var room [2 << 10]byte
	key, ok := c.appendKey(room[:0], r, op)
	deadline, _ := r.Context().Deadline()
	if !ok || time.Until(deadline) < c.options.Deadline/2 {
		return Share{}, false, nil
	}
	id := request.ID(r.Context())
	share, err := c.executions.Do(r.Context(), key, deadline, func(ctx context.Context) (*execution, error) {
		return c.execute(ctx, id, op)
	})
	if err != nil {
		if p, ok := errors.AsType[*coalesce.PanicError](err); ok {
			err = presenter.PanicError(p.Value, p.Stack)
		}
		return Share{}, true, err
	}
	e := share.Value
	if share.Joined && len(e.result.Header["Set-Cookie"]) > 0 {
		share.Done()
		return Share{}, false, nil
	}
	if !buffer.IsReusable(r) {
		e.retained.Store(true)
	}
	if share.Joined {
		c.options.OnOperation(op.Operation.Operation, e.result.Fallback)
	}
	return Share{Encoded: e.Encoded, Result: e.result, Joined: share.Joined, BegunBy: e.id, share: share}, true, nil
}

// execute executes op under the id of the request that begins the execution. It uses nothing
// else of that request, which may end before the execution does.
func (c *Coalescer) execute(ctx context.Context, id string, op *execute.Operation) (*execution, error) {
	b := c.options.Buffers.Get()
	detached := request.NewContext(ctx, id)
	detached.Memory.Memory = c.options.Memory
	executed := false
	defer func() {
		if !executed { // otherwise it is released with the execution
			detached.Memory.Release()
		}
	}()
	result, err := c.options.Executor.Execute(detached, op, b)
	if err != nil {
		return nil, err
	}
	encoded, err := response.FromExecution(result.Response, b).Encode()
	executed = err == nil
	return &execution{Encoded: encoded, result: result, id: id, memory: &detached.Memory, buffer: b}, err
}
