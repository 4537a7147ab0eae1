package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Batch describes how the values of one kind are fetched for many keys at once.
type Batch[K comparable, V any] struct {
	// Identity identifies the call. Within one epoch of an operation, batches of equal Identity,
	// MaxSize and types share one Loader, so that each key is fetched once. The identity must
	// therefore cover everything that Missing and Fetch depend on.
	Identity Identity
	// Missing is the value of a key that the service leaves out. The default is V's zero value.
	// For lists it should be an empty list: a customer without orders has no orders.
	Missing V
	// MaxSize is the maximum number of keys in one call. 0 means no limit.
	MaxSize int
	// Fetch returns the values of keys, which are distinct. A key that is not in the returned
	// map has no value; a value for a key that was not requested is ignored. ctx is the context
	// of the epoch, not that of the field that requested the keys first. An error fails all
	// keys, except for a *decode.KeyFaults, which fails some: the others have their values, and for
	// a *Degraded or a *DegradedKeys, which say that values are not the present ones. For an error
	// that wraps a BatchSplitter, Fetch is called again with fewer keys.
	Fetch func(ctx context.Context, keys []K) (map[K]V, error)
}

// BatchSplitter is an error of Fetch for more keys than one call can carry, such as a call whose URL
// is too long.
type BatchSplitter interface {
	error
	// SplitBatch returns into how many parts the keys have to be split at least. Less than 2 means
	// that the error has another reason.
	SplitBatch() int
}

// Found is the result for one key.
type Found[V any] struct {
	Value V    // Batch.Missing when the service has no value
	OK    bool // reports whether the service has a value

	degraded []Degradation // nil if Value is the present value
}

// Loader fetches values for the fields of one epoch of an operation. It fetches each key once,
// and it joins the keys that several fields request at the same moment into one batch. A batch
// is complete when no other goroutine of the process could add a key, at the latest 50 ms after the
// first key. A field that has all of its keys from the beginning, like
// those that a plan resolves, waits for no other field: see WithImmediateLoads.
// A Loader is safe for concurrent use.
//
// No call of Load can block forever:
//
//   - A key is only in refs if its batch is going to run: either the batch is open, and the
//     goroutine of collect runs it, or the call of Load that created it does. If a key panics
//     because it cannot be compared, the keys that the call has added are removed again, so
//     that no other call waits for them.
//   - A batch that runs always finishes. run closes done in a deferred call, and fetch turns a
//     panic or runtime.Goexit in Fetch into an error of the keys.
//   - A caller also stops waiting when its own context or the operation ends. The latter
//     matters when Fetch itself never returns.
type Loader[K comparable, V any] struct {
	epoch *epoch
	batch Batch[K, V]

	mu   sync.Mutex
	refs map[K]keyRef[K, V] // all keys that were ever requested; guarded by mu
	open *keyBatch[K, V]    // the batch that keys may still be added to, nil if none; guarded by mu
}

type immediateLoadsKey struct{}

// WithImmediateLoads returns a context in which loaders fetch keys at once. It is for a resolver that
// is called once with all of its parents, so that no other call can add keys to its batch.
func WithImmediateLoads(ctx context.Context) context.Context {
	return context.WithValue(ctx, immediateLoadsKey{}, true)
}

// withoutImmediateLoads undoes WithImmediateLoads, for code that resolves each parent by itself below
// such a resolver: its keys arrive one by one again.
func withoutImmediateLoads(ctx context.Context) context.Context {
	if hasImmediateLoads(ctx) {
		return context.WithValue(ctx, immediateLoadsKey{}, false)
	}
	return ctx
}

func hasImmediateLoads(ctx context.Context) bool {
	immediate, _ := ctx.Value(immediateLoadsKey{}).(bool)
	return immediate
}

// keyBatch is a set of keys that are fetched together, and their results. It is also the context of
// its Fetch: that of the epoch, in which FieldArgument finds the field that opened the batch.
type keyBatch[K comparable, V any] struct {
	context.Context                 // the epoch
	field           context.Context // of the field that opened the batch

	keys     []K           // guarded by the loader's mu until the batch runs, then constant
	arrivals int           // number of calls of Load that added keys; guarded by the loader's mu
	finished atomic.Bool   // reports whether done is closed, but is cheaper to read
	done     chan struct{} // closed when found and errs are complete
	found    []Found[V]    // one for each key; chunks write their own parts; read after done
	errsMu   sync.Mutex
	errs     []error // one for each key, nil when no key failed; guarded by errsMu until done
}

// openedByKey is the key of the context of the field that opened a batch.
type openedByKey struct{}

// Value implements context.Context.
func (b *keyBatch[K, V]) Value(key any) any {
	if key == (openedByKey{}) {
		return b.field
	}
	return b.Context.Value(key)
}

// keyRef refers to the result of a key.
type keyRef[K comparable, V any] struct {
	batch *keyBatch[K, V]
	index int
}

type loaderKey[K comparable, V any] struct {
	identity Identity
	maxSize  int
}

// LoaderFor returns the loader of b in the epoch of ctx. All fields of the epoch whose batches
// have equal identities get the same loader. Without an operation in ctx, each call returns a
// new loader.
func LoaderFor[K comparable, V any](ctx context.Context, b Batch[K, V]) *Loader[K, V] {
	e := epochOf(ctx)
	return e.loader(loaderKey[K, V]{b.Identity, b.MaxSize}, func() any {
		return &Loader[K, V]{epoch: e, batch: b, refs: map[K]keyRef[K, V]{}}
	}).(*Loader[K, V])
}

// Load returns the results for keys, in the order of keys, and one error for each key that
// failed. The list of errors is nil when no key failed. When ctx or the operation ends, keys
// without a result fail with its error; the batch itself goes on until Fetch returns, whose
// context is the epoch's. Under WithImmediateLoads, new keys are fetched at once.
func (l *Loader[K, V]) Load(ctx context.Context, keys []K) ([]Found[V], []error) {
	refs := make([]keyRef[K, V], len(keys))
	if own := l.enqueue(ctx, keys, refs); own != nil {
		l.run(own)
	}
	return l.wait(ctx, refs)
}

// enqueue writes the references of keys to refs. It adds keys that no call has requested before
// to the open batch. If there is none, it opens one and starts collect, or, under
// WithImmediateLoads, it returns a batch of these keys alone, which the caller must run. An open
// batch is joined in any case, since it may be about to fetch the same keys.
func (l *Loader[K, V]) enqueue(ctx context.Context, keys []K, refs []keyRef[K, V]) (own *keyBatch[K, V]) {
	immediate := hasImmediateLoads(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.open
	if b == nil {
		b = &keyBatch[K, V]{Context: l.epoch, field: ctx, done: make(chan struct{})}
	}
	if !l.addKeys(b, keys, refs) {
		return nil
	}
	b.arrivals++
	switch {
	case l.open != nil:
	case immediate:
		return b
	default:
		l.open = b
		go l.collect(b)
	}
	return nil
}

// addKeys writes the references of keys to refs, and adds the keys that have none to b. It
// reports whether it added any. If a key panics because it cannot be compared, b is unchanged.
// The caller holds l.mu.
func (l *Loader[K, V]) addKeys(b *keyBatch[K, V], keys []K, refs []keyRef[K, V]) bool {
	before, added := len(b.keys), false
	defer func() {
		if !added {
			l.removeKeys(b, before)
		}
	}()
	for i, key := range keys {
		ref, ok := l.refs[key]
		if !ok {
			ref = keyRef[K, V]{b, len(b.keys)}
			b.keys = append(b.keys, key)
			l.refs[key] = ref
		}
		refs[i] = ref
	}
	added = len(b.keys) > before
	return added
}

// removeKeys removes the keys of b from index from on. The caller holds l.mu, and has held it
// since the keys were added.
func (l *Loader[K, V]) removeKeys(b *keyBatch[K, V], from int) {
	for _, key := range b.keys[from:] {
		delete(l.refs, key)
	}
	b.keys = b.keys[:from]
}

// wait returns the results that refs refer to. Each ref has a batch that is running or done.
func (l *Loader[K, V]) wait(ctx context.Context, refs []keyRef[K, V]) ([]Found[V], []error) {
	values := make([]Found[V], len(refs))
	var errs []error
	var ended error // of ctx or the operation; once set, wait takes finished batches only
	for i, ref := range refs {
		if ended == nil {
			ended = ref.batch.wait(ctx, l.epoch)
		}
		err := ended
		if ref.batch.finished.Load() {
			values[i], err = ref.batch.result(ref.index)
		}
		if err == nil {
			continue
		}
		if errs == nil {
			errs = make([]error, len(refs))
		}
		errs[i] = err
	}
	return values, errs
}

// finishGrace is how long a batch may take to finish after its operation has ended. Its own
// context has ended then too, and its error says which service was too slow.
const finishGrace = 100 * time.Millisecond

// wait waits until the batch is finished. It returns an error when ctx or the operation ended
// first.
func (b *keyBatch[K, V]) wait(ctx, epoch context.Context) error {
	if b.finished.Load() {
		return nil
	}
	select {
	case <-b.done:
		return nil
	case <-ctx.Done():
	case <-epoch.Done():
	}
	if err := epoch.Err(); err != nil {
		return b.waitAtMost(finishGrace, err)
	}
	return ctx.Err()
}

// waitAtMost waits for at most d. It returns err when the batch is not finished by then.
func (b *keyBatch[K, V]) waitAtMost(d time.Duration, err error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-b.done:
		return nil
	case <-timer.C:
		return err
	}
}

// result returns the result of the key at index. The batch must be finished.
func (b *keyBatch[K, V]) result(index int) (Found[V], error) {
	if b.errs != nil && b.errs[index] != nil {
		return Found[V]{}, b.errs[index]
	}
	return b.found[index], nil
}

// The batch window is the time for which a batch stays open. gqlgen's executor resolves one list
// of parents at a time, each in a goroutine of its own, so the keys of one field arrive bit by
// bit. The window closes when no goroutine of the process but the collecting one is running or
// runnable, because then no goroutine is left that could add a key before it is woken by a
// result. A busy machine may never be idle; there the window closes after a time without new
// arrivals.
const (
	spinChecks    = 64                    // checks that follow each other and only yield in between
	extraChecks   = 32                    // further checks without arrivals before idleAfter counts
	checkInterval = 50 * time.Microsecond // between further checks; a sleep may take a millisecond
	idleAfter     = 3 * time.Millisecond  // without arrivals, while the process is busy
	maxWait       = 50 * time.Millisecond // in any case
)

// collect keeps the window of b open until b is complete, and then runs it. It returns when
// the batch has finished.
func (l *Loader[K, V]) collect(b *keyBatch[K, V]) {
	opened, lastArrival := time.Now(), time.Now()
	arrivals, unchanged := 1, 0 // unchanged counts the checks since lastArrival
	for checks := 0; l.epoch.Err() == nil && time.Since(opened) < maxWait; checks++ {
		if checks >= spinChecks {
			l.epoch.sleep(checkInterval)
		}
		idle := processIdle() // measured first, so that no arrival falls between the two
		if n := l.arrivals(b); n != arrivals {
			arrivals, lastArrival, unchanged = n, time.Now(), 0
			continue
		}
		unchanged++
		// The number of checks matters besides the time: on a busy machine, time passes while
		// no goroutine of this process is scheduled.
		if idle || unchanged > spinChecks+extraChecks && time.Since(lastArrival) > idleAfter {
			break
		}
	}
	l.closeWindow()
	l.run(b)
}

// idleCheckMu lets one goroutine of the process check for idleness at a time. The others block
// on it, so that the checking goroutine is the only one that it counts.
var idleCheckMu sync.Mutex

// processIdle yields to other goroutines, and then reports whether the caller is the only
// goroutine that is running or runnable. The runtime's counts are approximate, so it takes two
// of them.
func processIdle() bool {
	for range 2 {
		if !isOnlyGoroutine() {
			return false
		}
	}
	return true
}

func isOnlyGoroutine() bool {
	runtime.Gosched()
	idleCheckMu.Lock()
	defer idleCheckMu.Unlock()
	states := []metrics.Sample{
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
	}
	metrics.Read(states)
	return states[0].Value.Uint64()+states[1].Value.Uint64() <= 1
}

func (l *Loader[K, V]) arrivals(b *keyBatch[K, V]) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return b.arrivals
}

// closeWindow ends the open batch's window. No key is added to the batch any more.
func (l *Loader[K, V]) closeWindow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = nil
}

// run fetches the keys of b, whose window is closed, in concurrent chunks of the batch's maximum
// size. b is finished when run returns or panics.
func (l *Loader[K, V]) run(b *keyBatch[K, V]) {
	defer b.finish()
	b.found = make([]Found[V], len(b.keys))
	l.fetchChunks(b, 0, len(b.keys), l.batch.MaxSize)
}

// fetchChunks fetches the keys of b from index from up to to, in concurrent chunks of a size. It
// returns when all of them are fetched. A size of 0 means no limit.
func (l *Loader[K, V]) fetchChunks(b *keyBatch[K, V], from, to, size int) {
	if size <= 0 || size >= to-from {
		l.fetch(b, from, to)
		return
	}
	var chunks sync.WaitGroup
	for at := from; at < to; at += size {
		chunks.Go(func() { l.fetch(b, at, min(at+size, to)) })
	}
	chunks.Wait()
}

func (b *keyBatch[K, V]) finish() {
	b.finished.Store(true)
	close(b.done)
}

// fetch fetches the keys of b from index from up to, but not including, to. A panic becomes the
// error of these keys: nothing else would keep it from ending the process. If they are too many for
// one call, it fetches them in smaller chunks.
func (l *Loader[K, V]) fetch(b *keyBatch[K, V], from, to int) {
	returned := false
	defer func() {
		if !returned {
			b.fail(from, to, l.panicError(recover()))
		}
	}()
	keys := slices.Clone(b.keys[from:to]) // Fetch may keep or reorder them
	got, err := newFetched(l.batch.Fetch(b, keys))
	if parts := min(splitBatch(err), to-from); parts > 1 {
		l.fetchChunks(b, from, to, (to-from+parts-1)/parts)
		returned = true
		return
	}
	if err != nil {
		b.fail(from, to, err)
	}
	matched, missing := 0, 0
	for i := from; err == nil && i < to; i++ {
		found, keyErr := got.lookup(b.keys[i], l.batch.Missing)
		switch b.found[i] = found; {
		case keyErr != nil:
			b.fail(i, i+1, keyErr)
		case found.OK:
			matched++
		default:
			missing++
		}
	}
	l.noteUnmatched(missing, len(got.values)-matched)
	returned = true
}

// noteUnmatched counts keys that had no item, as far as there are items that no key asked for.
func (l *Loader[K, V]) noteUnmatched(missing, surplus int) {
	if n := min(missing, surplus); n > 0 {
		if op, ok := l.epoch.Value(operationKey{}).(*operation); ok {
			op.unmatchedKeys.Add(int64(n))
		}
	}
}

// splitBatch returns into how many parts the keys of a failed call have to be split, 1 if it failed
// for another reason.
func splitBatch(err error) int {
	if err == nil {
		return 1
	}
	if splitter, ok := errors.AsType[BatchSplitter](err); ok {
		return splitter.SplitBatch()
	}
	return 1
}

// fail sets the error of the keys from index from up to to. Chunks call it concurrently.
func (b *keyBatch[K, V]) fail(from, to int, err error) {
	b.errsMu.Lock()
	defer b.errsMu.Unlock()
	if b.errs == nil {
		b.errs = make([]error, len(b.keys))
	}
	for i := from; i < to; i++ {
		b.errs[i] = err
	}
}

// panicError returns the error for a panic of Fetch. A nil value means that Fetch has ended its
// goroutine. The error names the batch without its request, which may hold secrets.
func (l *Loader[K, V]) panicError(value any) error {
	id := l.batch.Identity
	name := id.Source + " " + id.Extraction
	if id.Source == "" {
		name = id.Request // of a handwritten batch: a name
	}
	return fault.New(fault.Internal, "internal error").
		WithCause(fmt.Errorf("panic in batch %q: %v\n%s", name, value, debug.Stack()))
}

// fetched holds the values that one call returned.
type fetched[K comparable, V any] struct {
	values   map[K]V
	faults   *decode.KeyFaults      // nil when there are none
	degraded []Degradation          // of all values; nil when they are the present ones
	keys     map[string]Degradation // of the values of single keys
	err      error                  // of all keys that are not in keys; nil when there is none
}

// newFetched separates errors of single keys, which it returns with the values, from an error of
// the whole call.
func newFetched[K comparable, V any](values map[K]V, err error) (fetched[K, V], error) {
	switch err := err.(type) {
	case nil:
		return fetched[K, V]{values: values}, nil
	case *Degraded:
		return fetched[K, V]{values: values, faults: err.KeyFaults, degraded: err.Degradations}, nil
	case *DegradedKeys:
		f, rest := newFetched(values, err.Err)
		f.keys, f.err = err.Keys, rest
		return f, nil
	}
	if faults, ok := errors.AsType[*decode.KeyFaults](err); ok {
		return fetched[K, V]{values: values, faults: faults}, nil
	}
	return fetched[K, V]{values: values}, err
}

// lookup returns the result for key, or the error of that key alone. A key that is not among the
// values is looked for in the form in which readers of batches arrange them.
func (f fetched[K, V]) lookup(key K, missing V) (Found[V], error) {
	degraded, isStale := f.degraded, false
	if f.keys != nil {
		text, _ := any(key).(string)
		var one Degradation
		if one, isStale = f.keys[text]; isStale {
			degraded = []Degradation{one}
		} else if f.err != nil {
			return Found[V]{}, f.err
		}
	}
	value, ok := f.values[key]
	if text, isText := any(key).(string); !ok && isText {
		value, ok = f.values[any(decode.CanonicalKey(text)).(K)]
	}
	if ok {
		return Found[V]{Value: value, OK: true, degraded: degraded}, nil
	}
	if err := f.faults.OfKey(key); err != nil && !isStale {
		return Found[V]{}, err
	}
	return Found[V]{Value: missing, degraded: degraded}, nil
}
