package front

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
)

// coalescing has callers who ask for the same at the same time share one execution. Its zero
// value shares nothing.
type coalescing struct {
	schema    engine.Coalescer // nil when nothing is shared
	forwarded []string
	flights   coalesce.Group[*shared]
}

// newCoalescing shares nothing unless the settings say so, the schema can tell what may be
// shared, and it is known which headers services get.
func newCoalescing(o Options, d Deps, spare *buffers) *coalescing {
	c := &coalescing{forwarded: d.Forwarded}
	c.flights.Release = func(s *shared) {
		if !s.kept.Load() {
			spare.give(s.buffer)
		}
	}
	if o.Execution.Coalesce && d.Forwarded != nil {
		c.schema, _ = d.Schema.(engine.Coalescer)
	}
	return c
}

// shared is what an execution gave for all of its callers.
type shared struct {
	written
	result result
	id     string      // of the request that began the execution
	buffer *buffer     // in which the data lies
	kept   atomic.Bool // by somebody who may read the buffer after all are done with it
}

// shareable tells whether an operation may share its execution with others. With extensions
// it may not: what they do with an operation or an answer is theirs.
func (f *Front) shareable(ctx context.Context, op *graphql.OperationContext) bool {
	schema := f.coalescing.schema
	return schema != nil && f.executor.fallback == "" && !f.executor.hooks.some && schema.CanCoalesce(ctx, op)
}

// key appends to b all that an answer depends on besides the graph: the identity of the
// operation, and then what it does not hold: what fields can see of the caller, what services
// are told of the request, and the variables. Each part has its length or is one of a kind,
// so that no two sets of parts look alike. It is false for what cannot be compared.
func (c *coalescing) key(b []byte, r *http.Request, op *graphql.OperationContext) (_ []byte, ok bool) {
	id := engine.Identity{Request: op.RawQuery, Reading: op.OperationName, Caller: engine.Caller(r.Header["Authorization"])}
	b = id.AppendKey(b)
	if b, ok = appendIdentity(b, auth.From(r.Context())); !ok {
		return b, false
	}
	for _, name := range c.forwarded {
		values := r.Header[name]
		if name == headerRequestID {
			values = []string{RequestID(r.Context())}
		}
		b = coalesce.AppendTexts(b, values)
	}
	return appendValue(b, op.Variables)
}

// appendIdentity appends what fields can see of a caller. It follows from the credentials
// alone where these are tokens that hold it; who verifies them may know more.
func appendIdentity(b []byte, caller *auth.Identity) ([]byte, bool) {
	if caller == nil {
		return append(b, 0), true
	}
	b = coalesce.AppendText(append(b, 1), caller.Subject)
	b = coalesce.AppendTexts(coalesce.AppendTexts(b, caller.Scopes), caller.Roles)
	return appendValue(b, caller.Claims)
}

// appendValue appends a variable's value, with a letter for its type.
func appendValue(b []byte, v any) (_ []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return append(b, 'n'), true
	case bool:
		if v {
			return append(b, 't'), true
		}
		return append(b, 'f'), true
	case string:
		return coalesce.AppendText(append(b, 's'), v), true
	case json.Number:
		return coalesce.AppendText(append(b, '#'), string(v)), true
	case int:
		return binary.AppendVarint(append(b, 'i'), int64(v)), true
	case int64:
		return binary.AppendVarint(append(b, 'l'), v), true
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'd'), math.Float64bits(v)), true
	case []any:
		b, ok = binary.AppendUvarint(append(b, '['), uint64(len(v))), true
		for i := 0; i < len(v) && ok; i++ {
			b, ok = appendValue(b, v[i])
		}
		return b, ok
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		b, ok = binary.AppendUvarint(append(b, '{'), uint64(len(v))), true
		for i := 0; i < len(names) && ok; i++ {
			b, ok = appendValue(coalesce.AppendText(b, names[i]), v[names[i]])
		}
		return b, ok
	}
	return b, false
}

// executeShared answers with an execution that others may have begun, or may join.
func (s single) executeShared(w http.ResponseWriter, r *http.Request, media string, op *graphql.OperationContext, b *buffer) {
	var room [2 << 10]byte
	key, ok := s.front.coalescing.key(room[:0], r, op)
	until, _ := r.Context().Deadline()
	if !ok || time.Until(until) < s.front.options.Deadline/2 { // others would have only what is left of its time
		s.execute(w, r, media, op, b)
		return
	}
	s.front.buffers.give(b) // the answer is in the execution's own
	own := recordOf(r.Context())
	id := own.id
	share, err := s.front.coalescing.flights.Do(r.Context(), key, until, func(ctx context.Context) (*shared, error) {
		return s.front.executeForAll(ctx, id, op)
	})
	if err != nil {
		if thrown, ok := errors.AsType[*coalesce.PanicError](err); ok {
			err = s.front.executor.present.recovered(thrown.Value, thrown.Stack)
		}
		s.front.refuse(w, r, because(err))
		return
	}
	defer share.Done()
	if !rewritable(r) {
		share.Value.kept.Store(true)
	}
	if share.Joined {
		own.coalesced = share.Value.id
		s.front.executor.executed(op.Operation.Operation, share.Value.result.fallback)
	} else {
		own.executed(share.Value.result)
	}
	share.Value.send(w, r, media, http.StatusOK)
}

// executeForAll executes an operation for all who share it, under the name of the request that
// was the first of them. Of that request nothing else is used, since it may be over.
func (f *Front) executeForAll(ctx context.Context, id string, op *graphql.OperationContext) (*shared, error) {
	running := &requestContext{Context: ctx, client: ctx, record: record{id: id}}
	b := f.buffers.take()
	found, err := f.executor.Execute(running, op, b)
	if err != nil {
		return nil, err
	}
	all, err := answerOf(found.response, b).written()
	return &shared{written: all, result: found, id: id, buffer: b}, err
}
