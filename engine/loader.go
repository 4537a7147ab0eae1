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

	"github.com/graph-gophers/dataloader/v7"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Batch says how the values of one kind are fetched for many keys at once.
type Batch[K comparable, V any] struct {
	// Name identifies the call with its arguments. Within one operation, batches
	// of the same name and types share their answers: a key is fetched once.
	Name string
	// Missing is the value of a key that the service leaves out; by default V's zero
	// value. For lists it is the empty one: nobody's orders are no orders.
	Missing V
	// MaxSize is how many keys one call may carry; 0 means any number.
	MaxSize int
	// Fetch answers for keys, which are distinct. A key that is missing from the
	// map has no value; one that was not asked for is dropped. Its context is the
	// operation's, not that of the field which asked first. An error is that of all
	// keys, but a *decode.KeyFaults is that of some: the others have their values.
	Fetch func(ctx context.Context, keys []K) (map[K]V, error)
}

// Found is what a loader knows of one key.
type Found[V any] struct {
	Value V    // the batch's Missing when the service has none
	OK    bool // whether the service has one
}

// Loader fetches values for the fields of one operation, each key once, and joins
// what several fields ask for at the same moment into one batch. It is a
// dataloader/v7 whose batches end when the operation's fields have nothing more to
// ask, not when a timer that counts from the first key runs out; who has all keys anyway,
// as a plan's resolvers do, waits for nobody. It is safe for concurrent use.
type Loader[K comparable, V any] struct {
	op    *operation
	batch Batch[K, V]
	cache dataloader.Cache[K, *Found[V]] // of pointers, for which Go compiles the dataloader once and not for each V

	mu   sync.Mutex
	next *round[K] // guarded by mu; nil while nobody gathers
}

// round is the keys that will make the next batch.
type round[K comparable] struct {
	keys     map[K]struct{}
	order    []K
	arrivals int
	sent     chan struct{} // closed when every key has its thunk in the cache
}

type loaderKey[K comparable, V any] struct{ name string }

// LoaderFor gives the loader of b in the operation of ctx, the same one for every
// field that asks with the same name. Without an operation in ctx the loader
// stands alone.
func LoaderFor[K comparable, V any](ctx context.Context, b Batch[K, V]) *Loader[K, V] {
	op := operationOf(ctx)
	op.mu.Lock()
	defer op.mu.Unlock()
	key := loaderKey[K, V]{b.Name}
	if known, ok := op.loaders[key]; ok {
		return known.(*Loader[K, V])
	}
	l := &Loader[K, V]{op: op, batch: b, cache: dataloader.NewCache[K, *Found[V]]()}
	if op.loaders == nil {
		op.loaders = map[any]any{}
	}
	op.loaders[key] = l
	return l
}

// Load answers for keys, in their order, one error for each that failed; the list of
// errors is nil when none did. When ctx ends it waits for nobody to join any more; a batch
// that was sent ends with its Fetch, whose context is the operation's. A context from
// WithAllKeys asks at once.
func (l *Loader[K, V]) Load(ctx context.Context, keys []K) ([]Found[V], []error) {
	if hasAllKeys(ctx) {
		if thunks := l.ask(ctx, keys); thunks != nil {
			return answers(thunks)
		}
	}
	if r := l.join(ctx, keys); r != nil {
		select {
		case <-r.sent:
		case <-ctx.Done():
			return failed[V](len(keys), ctx.Err())
		}
	}
	return l.known(ctx, keys)
}

// known gives what the cache has for keys, or will have: they are all asked for.
func (l *Loader[K, V]) known(ctx context.Context, keys []K) ([]Found[V], []error) {
	thunks := make([]dataloader.Thunk[*Found[V]], len(keys))
	for i, key := range keys {
		thunks[i], _ = l.cache.Get(ctx, key)
	}
	return answers(thunks)
}

// answers waits for what was asked for.
func answers[V any](thunks []dataloader.Thunk[*Found[V]]) ([]Found[V], []error) {
	values := make([]Found[V], len(thunks))
	var errs []error
	for i, thunk := range thunks {
		found, err := thunk()
		if err == nil {
			values[i] = *found
			continue
		}
		if errs == nil {
			errs = make([]error, len(thunks))
		}
		errs[i] = err
	}
	return values, errs
}

// ask fetches the keys that nobody has asked for, in the caller's goroutine, and gives what
// is known of all. It is nil while others gather a round, which the caller shall join.
func (l *Loader[K, V]) ask(ctx context.Context, keys []K) []dataloader.Thunk[*Found[V]] {
	l.mu.Lock()
	if l.next != nil {
		l.mu.Unlock()
		return nil
	}
	var missing []K
	a := &asked[V]{done: make(chan struct{})}
	thunks := make([]dataloader.Thunk[*Found[V]], len(keys))
	for k, key := range keys {
		known := false
		if thunks[k], known = l.cache.Get(ctx, key); known {
			continue
		}
		i := len(missing)
		missing = append(missing, key)
		thunks[k] = func() (*Found[V], error) { return a.answer(i) }
		l.cache.Set(ctx, key, thunks[k])
	}
	l.mu.Unlock()
	if len(missing) > 0 {
		a.results = l.fetch(l.op, missing)
	}
	a.over.Store(true)
	close(a.done)
	return thunks
}

// asked are the answers that somebody waits for.
type asked[V any] struct {
	results []*dataloader.Result[*Found[V]] // not to be read before done
	over    atomic.Bool                     // what done says, but cheaper to look at
	done    chan struct{}
}

func (a *asked[V]) answer(i int) (*Found[V], error) {
	if !a.over.Load() {
		<-a.done
	}
	return a.results[i].Data, a.results[i].Error
}

// join puts the keys that nobody has asked for into the next round and returns the
// round to wait for: nil when every key is known already.
func (l *Loader[K, V]) join(ctx context.Context, keys []K) *round[K] {
	l.mu.Lock()
	defer l.mu.Unlock()
	var mine *round[K]
	for _, key := range keys {
		if _, known := l.cache.Get(ctx, key); known {
			continue
		}
		if l.next == nil {
			l.next = &round[K]{keys: map[K]struct{}{}, sent: make(chan struct{})}
			go l.gather(l.next)
		}
		mine = l.next
		if _, asked := mine.keys[key]; !asked {
			mine.keys[key] = struct{}{}
			mine.order = append(mine.order, key)
		}
	}
	if mine != nil {
		mine.arrivals++
	}
	return mine
}

// How long a round stays open. gqlgen's executor hands over one list of parents at a
// time, each from a goroutine of its own, so a plan node's lists trickle in: the round
// is complete when nobody is left who could still come, that is, when no goroutine but
// this one runs or is ready to. On a busy machine that moment may never be seen, and
// then a while without newcomers must do.
const (
	glances = 64                    // looks in a row, letting others run between them
	more    = 32                    // further looks without newcomers before giving up on quiet
	glance  = 50 * time.Microsecond // between those; a sleep may take a millisecond
	quiet   = 3 * time.Millisecond  // without newcomers, while others are busy
	patient = 50 * time.Millisecond // at the latest
)

// gather ends the round r when it is complete, then sends it. The fields which wait for
// r.sent are its owners.
func (l *Loader[K, V]) gather(r *round[K]) {
	opened, last, seen, still := time.Now(), time.Now(), 1, 0
	for looks := 0; l.op.Err() == nil && time.Since(opened) < patient; looks++ {
		if looks >= glances {
			l.op.pause(glance)
		}
		complete := alone()
		if n := l.arrived(r); n != seen {
			seen, last, still = n, time.Now(), 0
			continue
		}
		still++
		// Time alone would not do: on a busy machine it passes while nobody runs.
		if complete || still > glances+more && time.Since(last) > quiet {
			break
		}
	}
	l.send(r)
}

// looking lets one goroutine of the process look at a time: the others wait for it, so
// that who looks counts nobody but itself.
var looking sync.Mutex

// alone lets others run, then tells whether nobody but the caller runs or is ready to. The
// runtime counts approximately, so one look is not enough.
func alone() bool {
	for range 2 {
		if !onlyOneRuns() {
			return false
		}
	}
	return true
}

func onlyOneRuns() bool {
	runtime.Gosched()
	looking.Lock()
	defer looking.Unlock()
	states := []metrics.Sample{
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
	}
	metrics.Read(states)
	return states[0].Value.Uint64()+states[1].Value.Uint64() <= 1
}

func (l *Loader[K, V]) arrived(r *round[K]) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.arrivals
}

// send hands the round's keys to a dataloader which is full with exactly these keys,
// so that its batch starts at once.
func (l *Loader[K, V]) send(r *round[K]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = nil
	full := dataloader.NewBatchedLoader(l.fetch,
		dataloader.WithCache(l.cache),
		dataloader.WithBatchCapacity[K, *Found[V]](len(r.order)),
		dataloader.WithInputCapacity[K, *Found[V]](len(r.order)),
		dataloader.WithWait[K, *Found[V]](time.Hour))
	for _, key := range r.order {
		full.Load(l.op, key)
	}
	close(r.sent)
}

// fetch asks for keys in chunks of the batch's size, side by side.
func (l *Loader[K, V]) fetch(ctx context.Context, keys []K) []*dataloader.Result[*Found[V]] {
	results := make([]*dataloader.Result[*Found[V]], 0, len(keys))
	found := make([]Found[V], len(keys))
	for i := range keys {
		results = append(results, &dataloader.Result[*Found[V]]{Data: &found[i]})
	}
	size := l.batch.MaxSize
	if size <= 0 || size >= len(keys) {
		l.fetchChunk(ctx, keys, results)
		return results
	}
	var chunks sync.WaitGroup
	at := 0
	for chunk := range slices.Chunk(keys, size) {
		mine := results[at : at+len(chunk)]
		at += len(chunk)
		chunks.Go(func() { l.fetchChunk(ctx, chunk, mine) })
	}
	chunks.Wait()
	return results
}

func (l *Loader[K, V]) fetchChunk(ctx context.Context, keys []K, results []*dataloader.Result[*Found[V]]) {
	got, err := answered(l.call(ctx, keys))
	for i, key := range keys {
		if err != nil {
			results[i].Error = err
			continue
		}
		found := got.find(key, l.batch.Missing)
		*results[i].Data, results[i].Error = found.Found, found.err
	}
}

// answer is what a service said of the keys of one call.
type answer[K comparable, V any] struct {
	values map[K]V
	faults *decode.KeyFaults // nil when there are none
}

// answered tells the errors of single keys from that of a whole call.
func answered[K comparable, V any](values map[K]V, err error) (answer[K, V], error) {
	if faults, ok := errors.AsType[*decode.KeyFaults](err); ok {
		return answer[K, V]{values, faults}, nil
	}
	return answer[K, V]{values: values}, err
}

// foundOrNot is what is known of a key, or its error.
type foundOrNot[V any] struct {
	Found[V]
	err error
}

func (a answer[K, V]) find(key K, missing V) foundOrNot[V] {
	if value, ok := a.values[key]; ok {
		return foundOrNot[V]{Found: Found[V]{Value: value, OK: true}}
	}
	if err := a.faults.Of(key); err != nil {
		return foundOrNot[V]{err: err}
	}
	return foundOrNot[V]{Found: Found[V]{Value: missing}}
}

// call fetches, and turns a panic into an error: it runs in a goroutine of its own,
// where nothing else would keep it from ending the process.
func (l *Loader[K, V]) call(ctx context.Context, keys []K) (values map[K]V, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.New(fault.Internal, "internal error").
				Because(fmt.Errorf("panic in batch %q: %v\n%s", l.batch.Name, r, debug.Stack()))
		}
	}()
	return l.batch.Fetch(ctx, keys)
}

func failed[V any](n int, err error) ([]Found[V], []error) {
	return make([]Found[V], n), slices.Repeat([]error{err}, n)
}
