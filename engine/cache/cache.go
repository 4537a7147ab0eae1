// Package cache keeps values that are expensive to create, within a limit of memory.
//
// It guarantees that concurrent callers with the same key have its value created once; that a caller
// waits no longer than its own context lasts, and does not wait forever when the creation panics;
// that the limits hold at any time; and that a few large values cannot displace many small ones that
// are in use. Values that are requested only once are evicted first.
package cache

import (
	"container/heap"
	"context"
	"slices"
	"sync"
)

// Options are the limits of a cache.
type Options struct {
	// MaxEntries is the maximum number of values. With 0 no value is kept; concurrent callers still
	// share one creation.
	MaxEntries int
	// MaxWeight is the maximum sum of the values' weights. 0 means no limit.
	MaxWeight int
}

// Cache keeps values by key. It is safe for concurrent use.
//
// It evicts by the policy GreedyDual-Size-Frequency (L. Cherkasova, "Improving WWW Proxies
// Performance with Greedy-Dual-Size-Frequency Caching Policy", HP Labs report HPL-98-69R1, 1998), with
// the cost of all values equal to 1. Each value has the priority
//
//	priority = age + frequency / weight
//
// where frequency is the number of its requests, at most 64, and age is the age of the cache at its
// last request. The value with the lowest priority is evicted, and the age of the cache becomes its
// priority. So a value of a hundred times the weight must be requested a hundred times as often to
// stay, and because the age grows, a value that is no longer requested is evicted at some point,
// however often it was requested before.
//
// The implementation differs from the paper in two points. A request updates an entry, but does not
// move it in the heap, so that a hit is cheap; evict corrects its position when it is at the front.
// And a new value whose priority is the lowest is evicted at once, and then ages the cache by a
// sixteenth only: see refusals.
//
// Pin keeps a value beside the limits until Unpin. Pinned values are neither evicted nor counted.
type Cache[K comparable, V any] struct {
	options Options

	mu        sync.Mutex
	entries   map[K]*entry[K, V] // guarded by mu
	queue     queue[K, V]        // the same entries, without those that are pinned; guarded by mu
	weight    int                // of all entries in the queue; guarded by mu
	pinned    int                // number of entries that are pinned; guarded by mu
	age       float64            // grows with each eviction; guarded by mu
	creations map[K]*creation[V] // in progress; guarded by mu
}

// New returns an empty cache.
func New[K comparable, V any](o Options) *Cache[K, V] {
	return &Cache[K, V]{options: o, entries: map[K]*entry[K, V]{}, creations: map[K]*creation[V]{}}
}

// creation is a value that is being created. The other fields are set before done is closed.
type creation[V any] struct {
	done    chan struct{}
	created bool // create has returned, and not panicked
	value   V
	weight  int
}

// Get returns the value of key, and whether the cache has one. It counts as a request.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.get(key)
}

func (c *Cache[K, V]) get(key K) (value V, ok bool) {
	e, ok := c.entries[key]
	if !ok {
		return value, false
	}
	e.request(c.age)
	return e.value, true
}

// Load returns the value of key. If the cache has none, it calls create in the goroutine of the
// first caller, and keeps the value; concurrent callers wait for it. A negative weight means that the
// value is returned to these callers, but not kept. Load returns the error of ctx if ctx ends while
// the caller waits for another one. If create panics, so does the caller that called it, and one of
// those that wait calls its own create.
func (c *Cache[K, V]) Load(ctx context.Context, key K, create func() (value V, weight int)) (V, error) {
	for {
		value, creation, first := c.begin(key)
		switch {
		case creation == nil:
			return value, nil
		case first:
			c.create(key, creation, create)
			return creation.value, nil
		}
		select {
		case <-creation.done:
			if creation.created {
				return creation.value, nil
			}
		case <-ctx.Done():
			return value, ctx.Err()
		}
	}
}

// begin returns the value of key, or the creation of it, which the caller has to run if it is the
// first one.
func (c *Cache[K, V]) begin(key K) (value V, cr *creation[V], first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if value, ok := c.get(key); ok {
		return value, nil, false
	}
	if cr = c.creations[key]; cr != nil {
		return value, cr, false
	}
	cr = &creation[V]{done: make(chan struct{})}
	c.creations[key] = cr
	return value, cr, true
}

func (c *Cache[K, V]) create(key K, cr *creation[V], create func() (V, int)) {
	defer c.end(key, cr)
	cr.value, cr.weight = create()
	cr.created = true
}

// end keeps the created value, unless create panicked or its weight is negative, and wakes the
// callers that wait for it.
func (c *Cache[K, V]) end(key K, cr *creation[V]) {
	defer close(cr.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.creations, key)
	if _, pinned := c.entries[key]; pinned { // by Pin, while the value was being created
		return
	}
	if cr.created && cr.weight >= 0 {
		c.add(&entry[K, V]{key: key, value: cr.value, weight: max(cr.weight, 1)})
	}
}

// add adds an entry, and evicts entries until the limits hold again. The caller holds c.mu.
func (c *Cache[K, V]) add(e *entry[K, V]) {
	if c.options.MaxEntries <= 0 || c.options.MaxWeight > 0 && e.weight > c.options.MaxWeight {
		return
	}
	e.request(c.age)
	e.queued = e.priority()
	c.entries[e.key] = e
	c.weight += e.weight
	heap.Push(&c.queue, e)
	for len(c.entries)-c.pinned > c.options.MaxEntries || c.options.MaxWeight > 0 && c.weight > c.options.MaxWeight {
		c.evictOrRequeue(e)
	}
}

// evictOrRequeue evicts the entry at the front of the queue if its position is right. If it was
// requested since it was queued, it moves back to its position instead. Each entry moves at most
// once while c.mu is held, since no entry is requested meanwhile, so the loop in add ends. newest is
// the entry that is being added. The caller holds c.mu.
func (c *Cache[K, V]) evictOrRequeue(newest *entry[K, V]) {
	front := c.queue[0]
	if p := front.priority(); p > front.queued {
		front.queued = p
		heap.Fix(&c.queue, 0)
		return
	}
	heap.Pop(&c.queue)
	delete(c.entries, front.key)
	c.weight -= front.weight
	growth := front.queued - c.age
	if front == newest {
		growth /= refusals
	}
	c.age += growth
}

// refusals is the number of new values that are evicted at once that age the cache as much as one
// regular eviction. Without any aging, new values could never replace those that are kept; with full
// aging, a stream of values that are requested once would displace those that are in use.
const refusals = 16

// Pin keeps the value of key until Unpin has been called as often as Pin. If the cache has none, it
// calls create, whose value is pinned unless its weight is negative. Pin returns the value, its weight,
// and whether it is pinned.
func (c *Cache[K, V]) Pin(key K, create func() (value V, weight int)) (value V, weight int, pinned bool) {
	if e, ok := c.pin(key, nil); ok {
		return e.value, e.weight, true
	}
	value, weight = create()
	if weight < 0 {
		return value, weight, false
	}
	e, _ := c.pin(key, &entry[K, V]{key: key, value: value, weight: max(weight, 1)})
	return e.value, e.weight, true
}

// pin pins the entry of key, or else made, unless it is nil. It reports whether an entry is pinned.
func (c *Cache[K, V]) pin(key K, made *entry[K, V]) (*entry[K, V], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	switch {
	case !ok && made == nil:
		return nil, false
	case !ok:
		e = made
		c.entries[key] = e
	case e.pins == 0:
		heap.Remove(&c.queue, slices.Index(c.queue, e))
		c.weight -= e.weight
	}
	if e.pins++; e.pins == 1 {
		c.pinned++
	}
	return e, true
}

// Unpin undoes one Pin of key. The value is removed with the last one.
func (c *Cache[K, V]) Unpin(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil || e.pins == 0 {
		return
	}
	if e.pins--; e.pins == 0 {
		delete(c.entries, key)
		c.pinned--
	}
}

// Len returns the number of values.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// Weight returns the sum of the values' weights, without those that are pinned.
func (c *Cache[K, V]) Weight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.weight
}

// maxFrequency is the number of requests from which on further ones do not raise the priority, so that a
// value that was very popular is evicted in foreseeable time.
const maxFrequency = 64

// entry is a value that is kept.
type entry[K comparable, V any] struct {
	key       K
	value     V
	weight    int     // at least 1
	frequency int     // number of requests, at most maxFrequency
	age       float64 // of the cache at the last request
	queued    float64 // the priority by which the queue is ordered; at most priority()
	pins      int     // while it is not 0, the entry is not in the queue
}

// request counts a request at the given age of the cache.
func (e *entry[K, V]) request(age float64) {
	e.age = age
	e.frequency = min(e.frequency+1, maxFrequency)
}

// priority returns the entry's priority by the formula of Cache.
func (e *entry[K, V]) priority() float64 { return e.age + float64(e.frequency)/float64(e.weight) }

// queue implements heap.Interface. The entry with the lowest queued priority is first.
type queue[K comparable, V any] []*entry[K, V]

func (q queue[K, V]) Len() int           { return len(q) }
func (q queue[K, V]) Less(i, j int) bool { return q[i].queued < q[j].queued }
func (q queue[K, V]) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue[K, V]) Push(e any)        { *q = append(*q, e.(*entry[K, V])) }

func (q *queue[K, V]) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
