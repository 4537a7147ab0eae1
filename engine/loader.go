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

// Batch says how the values of one kind are fetched for many keys at once.
type Batch[K comparable, V any] struct {
	// Identity is the identity of the call. Within one epoch of an operation, batches of equal
	// identity, MaxSize and types share what they fetch: each key is fetched once. So
	// everything that Missing and Fetch depend on is in it.
	Identity Identity
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

// Loader fetches values for the fields of one epoch of an operation, each key once, and
// joins what several fields ask for at the same moment into one batch. A batch ends when the
// operation's fields have nothing more to ask, not when a timer that counts from the first
// key runs out; a field that has all keys anyway, as a plan's resolvers do, waits for no
// other. It is safe for concurrent use.
//
// Nothing can leave a caller of Load waiting: every batch finishes, also when its keys
// cannot be compared or Fetch panics, and a caller does not wait longer than its own context
// or the operation's lasts.
type Loader[K comparable, V any] struct {
	epoch *epoch
	batch Batch[K, V]

	mu     sync.Mutex
	places map[K]place[K, V] // of all keys that were ever asked for; guarded by mu
	next   *request[K, V]    // guarded by mu; nil while no round is open
}

// request is one batch of keys that are fetched together.
type request[K comparable, V any] struct {
	keys     []K           // guarded by the loader's mu until it is fetched
	arrivals int           // the calls of Load that have added keys; guarded by the loader's mu
	finished atomic.Bool   // what done says, but cheaper to look at
	done     chan struct{} // closed when found and errs are there
	found    []Found[V]    // of each key; not to be read before done
	failing  sync.Mutex
	errs     []error // of each key, nil when none has failed; guarded by failing until done
}

// place is where what is known of a key is found.
type place[K comparable, V any] struct {
	request *request[K, V]
	index   int
}

type loaderKey[K comparable, V any] struct {
	identity Identity
	maxSize  int
}

// LoaderFor returns the loader of b in the epoch of ctx, the same one for every field that
// asks with an equal identity. Without an operation in ctx the loader stands alone.
func LoaderFor[K comparable, V any](ctx context.Context, b Batch[K, V]) *Loader[K, V] {
	e := epochOf(ctx)
	return e.loader(loaderKey[K, V]{b.Identity, b.MaxSize}, func() any {
		return &Loader[K, V]{epoch: e, batch: b, places: map[K]place[K, V]{}}
	}).(*Loader[K, V])
}

// Load returns what is known of keys, in their order, with one error for each that failed;
// the list of errors is nil when none did. When ctx or the operation ends, the keys that are
// not there yet have its error. A batch that was sent ends with its Fetch, whose context is
// the operation's. A context from WithAllKeys asks at once.
func (l *Loader[K, V]) Load(ctx context.Context, keys []K) ([]Found[V], []error) {
	places := make([]place[K, V], len(keys))
	if own := l.enter(keys, places, hasImmediateLoads(ctx)); own != nil {
		l.run(own)
	}
	return l.wait(ctx, places)
}

// enter finds the places of keys. Those that no field has asked for go into the open round,
// which it opens if there is none. Where the caller has all keys, they are a request of their
// own instead, which the caller must run; but an open round is joined in any case.
func (l *Loader[K, V]) enter(keys []K, places []place[K, V], allKeys bool) (own *request[K, V]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.next
	if r == nil {
		r = &request[K, V]{done: make(chan struct{})}
	}
	if !l.add(r, keys, places) {
		return nil
	}
	r.arrivals++
	switch {
	case l.next != nil:
	case allKeys:
		return r
	default:
		l.next = r
		go l.gather(r)
	}
	return nil
}

// add finds the places of keys, and adds to r those that have none. It reports whether there
// were any. When a key panics, since it cannot be compared, r is left as it was. The caller
// holds l.mu.
func (l *Loader[K, V]) add(r *request[K, V], keys []K, places []place[K, V]) bool {
	before, added := len(r.keys), false
	defer func() {
		if !added {
			l.withdraw(r, before)
		}
	}()
	for i, key := range keys {
		known, ok := l.places[key]
		if !ok {
			known = place[K, V]{r, len(r.keys)}
			r.keys = append(r.keys, key)
			l.places[key] = known
		}
		places[i] = known
	}
	added = len(r.keys) > before
	return added
}

// withdraw takes back the keys from the given index on, which will never be fetched. The
// caller holds l.mu.
func (l *Loader[K, V]) withdraw(r *request[K, V], from int) {
	for _, key := range r.keys[from:] {
		delete(l.places, key)
	}
	r.keys = r.keys[:from]
}

// wait returns what is known at places. Each place has a request that is running or done.
func (l *Loader[K, V]) wait(ctx context.Context, places []place[K, V]) ([]Found[V], []error) {
	values := make([]Found[V], len(places))
	var errs []error
	var ended error // of ctx or the operation: nothing is waited for any more
	for i, p := range places {
		if ended == nil {
			ended = p.request.wait(ctx, l.epoch)
		}
		err := ended
		if p.request.finished.Load() {
			values[i], err = p.request.at(p.index)
		}
		if err == nil {
			continue
		}
		if errs == nil {
			errs = make([]error, len(places))
		}
		errs[i] = err
	}
	return values, errs
}

// grace is how long a batch may take to finish once the operation has ended. Its own context
// is over then too, and its error says which service was late.
const grace = 100 * time.Millisecond

// wait waits until the request is finished. It returns an error when ctx or the operation
// ended before.
func (r *request[K, V]) wait(ctx, operation context.Context) error {
	if r.finished.Load() {
		return nil
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
	case <-operation.Done():
	}
	if err := operation.Err(); err != nil {
		return r.finishWithin(grace, err)
	}
	return ctx.Err()
}

// finishWithin waits for a moment longer. It returns err if the request is not finished then.
func (r *request[K, V]) finishWithin(d time.Duration, err error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.done:
		return nil
	case <-timer.C:
		return err
	}
}

// at returns what was found for the key at an index.
func (r *request[K, V]) at(index int) (Found[V], error) {
	if r.errs != nil && r.errs[index] != nil {
		return Found[V]{}, r.errs[index]
	}
	return r.found[index], nil
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

// gather ends the round r when it is complete, then runs it. It ends when the batch does.
func (l *Loader[K, V]) gather(r *request[K, V]) {
	opened, last, seen, still := time.Now(), time.Now(), 1, 0
	for looks := 0; l.epoch.Err() == nil && time.Since(opened) < patient; looks++ {
		if looks >= glances {
			l.epoch.pause(glance)
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
	l.endRound()
	l.run(r)
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

func (l *Loader[K, V]) arrived(r *request[K, V]) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.arrivals
}

// endRound closes the open round: no key is added to it any more.
func (l *Loader[K, V]) endRound() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = nil
}

// run fetches the keys of r, to which none is added any more, in chunks of the batch's size,
// side by side. However that ends, r is finished.
func (l *Loader[K, V]) run(r *request[K, V]) {
	defer r.finish()
	r.found = make([]Found[V], len(r.keys))
	size := l.batch.MaxSize
	if size <= 0 || size >= len(r.keys) {
		l.fetch(r, 0, len(r.keys))
		return
	}
	var chunks sync.WaitGroup
	for from := 0; from < len(r.keys); from += size {
		chunks.Go(func() { l.fetch(r, from, min(from+size, len(r.keys))) })
	}
	chunks.Wait()
}

func (r *request[K, V]) finish() {
	r.finished.Store(true)
	close(r.done)
}

// fetch fetches the keys of r from one index up to another. A panic becomes the error of
// these keys: no other code would keep it from ending the process.
func (l *Loader[K, V]) fetch(r *request[K, V], from, to int) {
	returned := false
	defer func() {
		if !returned {
			r.fail(from, to, l.panicked(recover()))
		}
	}()
	keys := slices.Clone(r.keys[from:to]) // Fetch may keep them, or put them in another order
	got, err := answered(l.batch.Fetch(l.epoch, keys))
	if err != nil {
		r.fail(from, to, err)
	}
	for i := from; err == nil && i < to; i++ {
		found := got.find(r.keys[i], l.batch.Missing)
		if r.found[i] = found.Found; found.err != nil {
			r.fail(i, i+1, found.err)
		}
	}
	returned = true
}

// fail notes the error of the keys from one index up to another. Chunks do so side by side.
func (r *request[K, V]) fail(from, to int, err error) {
	r.failing.Lock()
	defer r.failing.Unlock()
	if r.errs == nil {
		r.errs = make([]error, len(r.keys))
	}
	for i := from; i < to; i++ {
		r.errs[i] = err
	}
}

// panicked returns the error for what Fetch has thrown; nil is that it ended its goroutine.
func (l *Loader[K, V]) panicked(thrown any) error {
	id := l.batch.Identity
	name := id.Source + " " + id.Reading // and not what is sent, which may be secret
	if id.Source == "" {
		name = id.Request
	}
	return fault.New(fault.Internal, "internal error").
		WithCause(fmt.Errorf("panic in batch %q: %v\n%s", name, thrown, debug.Stack()))
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
