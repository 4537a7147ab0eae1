package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

const (
	// freeMemory is how many bytes each request may hold without reserving them, so that small
	// requests, which are most of them, neither wait nor share a lock.
	freeMemory = 16 << 10
	// memoryQuantum is how many bytes are reserved at once.
	memoryQuantum = 64 << 10
)

// Memory limits the bytes that requests hold together: their bodies, the services' responses and
// their own responses. They are estimates, since Go does not say what a value takes.
//
// A request that needs more bytes than are left waits for them, at most MaxWait, and is then
// refused. Requests that hold bytes may wait as well, and still do not block each other: the
// oldest of those that are executed does not wait, but may exceed the limit, up to twice of
// it. So at each moment one of them continues, until it ends and returns its bytes. Requests
// that begin to hold bytes get only three quarters, and those that are not executed yet, whose
// bodies are arriving, half of the limit: clients that send slowly cannot keep the others from
// being executed.
//
// A Memory is safe for concurrent use. A nil Memory has no limit.
type Memory struct {
	max     atomic.Int64 // 0 or less is no limit; written with mu held
	maxWait atomic.Int64 // a time.Duration

	mu      sync.Mutex
	used    int64            // guarded by mu
	holders []*MemoryShare   // that are executed and hold bytes, the oldest first; guarded by mu
	waiters []*memoryRequest // in the order of arrival; guarded by mu
	freed   Throughput       // of bytes, while some wait; guarded by mu
	refused int64            // guarded by mu
}

// memoryRequest is a share that waits for bytes.
type memoryRequest struct {
	share   *MemoryShare
	n       int64
	granted chan struct{} // closed when the share has the bytes, or has been released
}

func (r *memoryRequest) isExecuting() bool { return r.share.executing.Load() }

// NewMemory returns a Memory of max bytes; without a limit if max is 0 or less. Requests wait at most
// maxWait for bytes.
func NewMemory(max int64, maxWait time.Duration) *Memory {
	m := &Memory{}
	m.SetLimit(max, maxWait)
	return m
}

// SetLimit replaces the arguments of NewMemory. Requests keep what they hold, and those that wait get
// what fits now. What requests have reserved without a limit is not counted.
func (m *Memory) SetLimit(max int64, maxWait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.max.Store(max)
	m.maxWait.Store(int64(maxWait))
	m.grantWaiters()
}

// MemoryStats are the state of a Memory.
type MemoryStats struct {
	Used    int64 // bytes that requests hold
	Max     int64 // 0 without a limit
	Refused int64 // reservations that were refused, since the start
}

// Stats returns the state of the memory.
func (m *Memory) Stats() MemoryStats {
	if m == nil {
		return MemoryStats{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return MemoryStats{Used: m.used, Max: max(m.max.Load(), 0), Refused: m.refused}
}

// MemoryShare is what one request holds of a Memory. The zero value has no limit. It is safe for
// concurrent use once its Memory is set.
type MemoryShare struct {
	// Memory is what the share is a part of. It must not change after the first reservation.
	Memory *Memory

	needed  atomic.Int64 // bytes that were asked for, in excess of freeMemory once it is positive
	granted atomic.Int64 // written with Memory.mu held

	limited   atomic.Bool // reports whether the share has ever asked its Memory for bytes
	executing atomic.Bool
	released  atomic.Bool
	waited    atomic.Bool // a reservation had to wait
}

// MemoryShareKey is the key of a context's *MemoryShare.
type MemoryShareKey struct{}

// MemoryShareOf returns the share of the request that ctx belongs to; nil without one.
func MemoryShareOf(ctx context.Context) *MemoryShare {
	s, _ := ctx.Value(MemoryShareKey{}).(*MemoryShare)
	return s
}

// ReserveMemory reserves n bytes more for the operation in ctx, as MemoryShare.Reserve does.
// Without an operation in ctx there is no limit.
func ReserveMemory(ctx context.Context, n int64) error {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		return op.budget.memory.Reserve(ctx, n)
	}
	return nil
}

// OverloadError returns err, the error of a call in ctx. If the call had no time left because it waited
// for memory, it returns a fault with the code fault.Overloaded instead, which does not blame the
// service. An error with that code stops the query in ctx, which is refused as a whole and can be sent
// again. A mutation goes on, since it may have had an effect.
func OverloadError(ctx context.Context, err error) error {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok || err == nil {
		return err
	}
	memory := op.budget.memory
	switch code := fault.CodeOf(err); {
	case code == fault.GatewayTimeout && memory != nil && memory.waited.Load():
		err = memory.Memory.noMemory().WithCause(err)
	case code != fault.Overloaded:
		return err
	}
	if graphql.HasOperationContext(ctx) && graphql.GetOperationContext(ctx).Operation.Operation == ast.Query {
		_ = op.budget.Stop(err)
	}
	return err
}

// noMemory returns the error of a request for which there is no memory.
func (m *Memory) noMemory() *fault.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.errNoMemory(memoryQuantum)
}

// errNoMemory returns the error of a request that was refused n bytes. The client may try again when
// those that wait have got theirs, and n more are free. The caller holds m.mu.
func (m *Memory) errNoMemory(n int64) *fault.Error {
	wanted := n
	for _, r := range m.waiters {
		wanted += r.n
	}
	f := fault.New(fault.Overloaded, "the gateway is busy; try again later")
	f.RetryAfter = max(m.freed.Wait(wanted), time.Second)
	return f
}

// Reserve reserves n bytes more, until Release. It may wait for them, no longer than until the
// deadline of ctx. Its error is a fault with the code fault.Overloaded or fault.MaxResponse, or that of
// ctx if that is cancelled; nothing is reserved then, so that a mutation whose call was refused can go
// on with the next one.
func (s *MemoryShare) Reserve(ctx context.Context, n int64) error {
	if s == nil || s.Memory == nil || s.Memory.max.Load() <= 0 {
		return nil
	}
	missing := s.needed.Add(n) - freeMemory - s.granted.Load()
	if missing <= 0 {
		return nil
	}
	s.limited.Store(true)
	err := s.Memory.grow(ctx, s, (missing+memoryQuantum-1)/memoryQuantum*memoryQuantum)
	if err != nil {
		s.needed.Add(-n)
	}
	return err
}

// grow grants n bytes to s, as soon as there are as many.
func (m *Memory) grow(ctx context.Context, s *MemoryShare, n int64) error {
	r, err := m.request(s, n)
	if r == nil {
		return err
	}
	s.waited.Store(true)
	timer := time.NewTimer(time.Duration(m.maxWait.Load()))
	defer timer.Stop()
	select {
	case <-r.granted:
		return nil
	case <-timer.C:
		return m.abandon(r, nil)
	case <-ctx.Done():
		// A deadline passes because there is no memory. Without this, the service whose response is
		// being read would be blamed for it.
		err := ctx.Err()
		if errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
		return m.abandon(r, err)
	}
}

// request grants n bytes to s, refuses them, or returns the request that waits for them.
func (m *Memory) request(s *MemoryShare, n int64) (*memoryRequest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case s.released.Load(): // what a coalesced call reads for others after this request has ended
		return nil, nil
	case m.max.Load() > 0 && s.granted.Load()+n > 2*m.max.Load():
		m.refused++
		return nil, fault.New(fault.MaxResponse,
			"the operation needs more than %d bytes of memory, which is the limit (twice admission.maxBytes); ask for fewer fields or shorter lists", 2*m.max.Load())
	case !slices.ContainsFunc(m.waiters, (*memoryRequest).isExecuting) && m.fits(s, n), m.isOldest(s) && m.used+n <= 2*m.max.Load():
		m.grant(s, n)
		return nil, nil
	}
	r := &memoryRequest{share: s, n: n, granted: make(chan struct{})}
	if len(m.waiters) == 0 {
		m.freed.Begin()
	}
	m.waiters = append(m.waiters, r)
	return r, nil
}

// fits reports whether s may have n more bytes within the limit. The caller holds m.mu.
func (m *Memory) fits(s *MemoryShare, n int64) bool {
	limit := m.max.Load()
	switch {
	case limit <= 0:
		return true
	case !s.executing.Load():
		limit /= 2
	case s.granted.Load() == 0:
		limit = limit / 4 * 3
	}
	return m.used+n <= limit
}

// isOldest reports whether s is the oldest of those that are executed and hold bytes, or the only
// one that is to hold some. The caller holds m.mu.
func (m *Memory) isOldest(s *MemoryShare) bool {
	return s.executing.Load() && (len(m.holders) == 0 || m.holders[0] == s)
}

// grant gives n bytes to s. The caller holds m.mu.
func (m *Memory) grant(s *MemoryShare, n int64) {
	m.used += n
	if s.executing.Load() && !slices.Contains(m.holders, s) {
		m.holders = append(m.holders, s)
	}
	s.granted.Add(n)
}

// abandon ends the wait of r. Without err, the time to wait is over, and r is refused, unless it
// was granted at this moment.
func (m *Memory) abandon(r *memoryRequest, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.Index(m.waiters, r)
	if i < 0 {
		return err
	}
	m.waiters = slices.Delete(m.waiters, i, i+1)
	m.grantWaiters() // those that were behind r may fit
	if err == nil {
		m.refused++
		err = m.errNoMemory(r.n)
	}
	return err
}

// grantWaiters grants what those that wait ask for, in the order of arrival, as long as it fits. The
// oldest holder is not kept waiting by those before it. The caller holds m.mu.
func (m *Memory) grantWaiters() {
	blocked := false
	m.waiters = slices.DeleteFunc(m.waiters, func(r *memoryRequest) bool {
		fits := !blocked && m.fits(r.share, r.n) || m.isOldest(r.share) && m.used+r.n <= 2*m.max.Load()
		if !fits {
			// Those that are not executed wait for less to be used, and must not hold up those that are.
			blocked = blocked || r.isExecuting()
			return false
		}
		m.grant(r.share, r.n)
		close(r.granted)
		return true
	})
}

// BeginExecution marks the request as one that is executed.
func (s *MemoryShare) BeginExecution() {
	if s != nil {
		s.executing.Store(true)
	}
}

// EndExecution ends BeginExecution: what the request holds while its response is written does not
// make it the oldest of those that are executed.
func (s *MemoryShare) EndExecution() {
	if s == nil {
		return
	}
	s.executing.Store(false)
	if m := s.Memory; s.limited.Load() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.removeHolder(s)
		m.grantWaiters()
	}
}

// Release returns what the share holds. Nothing is reserved after it: what still waits for bytes, as
// a coalesced call that goes on for other requests, continues without them.
func (s *MemoryShare) Release() {
	s.released.Store(true)
	if !s.limited.Load() {
		return
	}
	m := s.Memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removeHolder(s)
	returned := s.granted.Swap(0)
	m.used -= returned
	m.freed.Add(returned)
	m.waiters = slices.DeleteFunc(m.waiters, func(r *memoryRequest) bool {
		if r.share == s {
			close(r.granted)
		}
		return r.share == s
	})
	m.grantWaiters()
}

// removeHolder removes s from those that are executed. The caller holds m.mu.
func (m *Memory) removeHolder(s *MemoryShare) {
	m.holders = slices.DeleteFunc(m.holders, func(h *MemoryShare) bool { return h == s })
}
