// Package cache remembers what is expensive to make, by keys, within a bound of memory.
//
// It promises that callers who want the same at the same time have it made once; that a
// caller waits no longer than its own context lasts, and is not left waiting when making
// panics; that the bounds hold at any time; and that a few large values cannot push out many
// small ones that are in use. What is asked for only once is the first to go.
package cache

import (
	"container/heap"
	"context"
	"sync"
)

// Options are the bounds of a cache.
type Options struct {
	// Entries is how many values are kept at most. With 0 none is kept: values are only
	// shared by those who ask at the same time.
	Entries int
	// Weight bounds the weights of all values together. 0 is without a bound.
	Weight int
}

// Cache keeps values by their keys. It is safe for concurrent use.
//
// Which value has to go is decided by GreedyDual-Size-Frequency (Cherkasova, 1998): the one
// with the fewest requests for the room that it takes. So a value of a hundred times the
// weight must be asked for a hundred times as often to stay. What was popular once does not
// stay for ever: a request counts from the age of the cache at that time, which grows with
// each value that goes.
type Cache[K comparable, V any] struct {
	options Options

	mu      sync.Mutex
	entries map[K]*entry[K, V] // guarded by mu
	queue   queue[K, V]        // of the same entries; guarded by mu
	weight  int                // of all entries; guarded by mu
	age     float64            // the priority of the entry that went last; guarded by mu
	making  map[K]*creation[V] // what is being made; guarded by mu
}

// New returns an empty cache.
func New[K comparable, V any](o Options) *Cache[K, V] {
	return &Cache[K, V]{options: o, entries: map[K]*entry[K, V]{}, making: map[K]*creation[V]{}}
}

// creation is a value that is being made. Its fields are not to be read before done.
type creation[V any] struct {
	done   chan struct{}
	made   bool // make has returned
	value  V
	weight int
}

// Get returns the value of a key, if it is kept.
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

// Load returns the value of a key: the one that is kept, or what create returns, which runs
// in the goroutine of the first caller. Those who ask meanwhile wait for it. A negative weight
// says that the value is for them alone and must not be kept. The error is that of ctx, when
// it ends while the caller waits for another one. When create panics, so does the caller that
// ran it, and the next one of those who wait runs its own.
func (c *Cache[K, V]) Load(ctx context.Context, key K, create func() (value V, weight int)) (V, error) {
	for {
		value, m, own := c.begin(key)
		switch {
		case m == nil:
			return value, nil
		case own:
			c.create(key, m, create)
			return m.value, nil
		}
		select {
		case <-m.done:
			if m.made {
				return m.value, nil
			}
		case <-ctx.Done():
			return value, ctx.Err()
		}
	}
}

// begin finds the value of a key, or what makes it. With own the caller has to.
func (c *Cache[K, V]) begin(key K) (value V, m *creation[V], own bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if value, ok := c.get(key); ok {
		return value, nil, false
	}
	if m = c.making[key]; m != nil {
		return value, m, false
	}
	m = &creation[V]{done: make(chan struct{})}
	c.making[key] = m
	return value, m, true
}

func (c *Cache[K, V]) create(key K, m *creation[V], create func() (V, int)) {
	defer c.end(key, m)
	m.value, m.weight = create()
	m.made = true
}

// end keeps what was made, if that is wanted, and lets those go on who wait for it.
func (c *Cache[K, V]) end(key K, m *creation[V]) {
	defer close(m.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.making, key)
	if m.made && m.weight >= 0 {
		c.add(&entry[K, V]{key: key, value: m.value, weight: max(m.weight, 1)})
	}
}

func (c *Cache[K, V]) add(e *entry[K, V]) {
	if c.options.Entries <= 0 || c.options.Weight > 0 && e.weight > c.options.Weight {
		return
	}
	e.request(c.age)
	e.priority = e.worth()
	c.entries[e.key] = e
	c.weight += e.weight
	heap.Push(&c.queue, e)
	for len(c.entries) > c.options.Entries || c.options.Weight > 0 && c.weight > c.options.Weight {
		c.evict(e)
	}
}

// evict forgets the value that is worth least. Requests do not move an entry in the queue, so
// that they are cheap; it moves when it has come to the front.
func (c *Cache[K, V]) evict(newest *entry[K, V]) {
	first := c.queue[0]
	if worth := first.worth(); worth > first.priority {
		first.priority = worth
		heap.Fix(&c.queue, 0)
		return
	}
	heap.Pop(&c.queue)
	delete(c.entries, first.key)
	c.weight -= first.weight
	grown := first.priority - c.age
	if first == newest {
		grown /= refusals
	}
	c.age += grown
}

// refusals is how many values that are worth too little to be kept at all age the cache as
// much as one that goes. If they did not age it, what is kept could never be replaced.
const refusals = 16

// Len is how many values are kept.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// Weight is the weight of all values that are kept.
func (c *Cache[K, V]) Weight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.weight
}

// maxRequests is how many requests for a value count.
const maxRequests = 64

// entry is a value that is kept.
type entry[K comparable, V any] struct {
	key      K
	value    V
	weight   int
	requests int
	age      float64 // of the cache at the last request
	priority float64 // its worth when it was put in its place in the queue
}

func (e *entry[K, V]) request(age float64) {
	e.age = age
	e.requests = min(e.requests+1, maxRequests)
}

func (e *entry[K, V]) worth() float64 { return e.age + float64(e.requests)/float64(e.weight) }

// queue is a heap of entries, the one with the lowest priority first.
type queue[K comparable, V any] []*entry[K, V]

func (q queue[K, V]) Len() int           { return len(q) }
func (q queue[K, V]) Less(i, j int) bool { return q[i].priority < q[j].priority }
func (q queue[K, V]) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue[K, V]) Push(e any)        { *q = append(*q, e.(*entry[K, V])) }

func (q *queue[K, V]) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
