package engine

import "context"

// SharedCalls are the groups of calls of which an operation may make several equal ones: see
// plan.CallInfo. A nil *SharedCalls has no group.
type SharedCalls struct {
	All    bool // every group, since it is not known which calls are made
	Groups map[string]bool
}

// SetSharedCalls sets the shared calls of the operation in ctx. It must be called before the first
// call, and calls must not change afterwards. The default is nil. Without an operation in ctx,
// SetSharedCalls does nothing.
func SetSharedCalls(ctx context.Context, calls *SharedCalls) {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok && calls != nil {
		op.sharedCalls.Store(calls)
	}
}

// SharesCalls reports whether the operation in ctx may make equal calls of a group.
func SharesCalls(ctx context.Context, group string) bool {
	if group == "" {
		return false
	}
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return false
	}
	calls := op.sharedCalls.Load()
	return calls != nil && (calls.All || calls.Groups[group])
}

// CallOnce returns the result of the call with an identity. The first caller in an epoch makes the
// call, by do, with the context of the epoch; all others wait for it and get the same result or
// error, which they must not modify. A caller stops waiting as Loader.Load does.
func CallOnce[V any](ctx context.Context, id Identity, do func(context.Context) (V, error)) (V, error) {
	type onlyKey struct{}
	found, errs := LoaderFor(ctx, Batch[onlyKey, V]{
		Identity: id,
		Fetch: func(ctx context.Context, _ []onlyKey) (map[onlyKey]V, error) {
			v, err := do(ctx)
			return map[onlyKey]V{{}: v}, err
		},
	}).Load(WithImmediateLoads(ctx), []onlyKey{{}})
	if errs != nil {
		var zero V
		return zero, errs[0]
	}
	return found[0].Value, nil
}

// KeepBytes takes n bytes from what the operation in ctx may keep of the responses to its calls,
// until it ends, for fields that make an equal call later. It reports whether there was room: an
// operation keeps no more than its response may have, Options.MaxBytes. Without an operation in
// ctx there is no room.
func KeepBytes(ctx context.Context, n int) bool {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return false
	}
	if op.keptBytes.Add(int64(n)) <= op.budget.maxBytes {
		return true
	}
	op.keptBytes.Add(int64(-n))
	return false
}
