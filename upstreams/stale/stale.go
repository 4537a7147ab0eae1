// Package stale keeps the last good responses of a service, for bindings that show an older value when
// the service fails (onError: STALE).
//
// It promises that a store never exceeds its limits, and that a response is found only under the keys
// that it was put under. What makes two calls equal is the caller's matter: a Key has to cover
// everything that a response depends on, the client's credentials among it.
package stale

import (
	"container/list"
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// Key identifies a call, or what a call sends for one key of a batch: a digest, so that a store holds
// no credentials.
type Key [sha256.Size]byte

// KeyOf returns the key of a text that identifies a call.
func KeyOf(text []byte) Key { return sha256.Sum256(text) }

// Response is a response that is kept. It must not be changed.
type Response struct {
	Status int
	Body   []byte
	At     time.Time // when it arrived
}

// Store keeps responses. It is safe for concurrent use.
type Store interface {
	// Put keeps a response under keys, in place of those that are there, until it is maxAge old or the
	// store has no room.
	Put(ctx context.Context, keys []Key, r *Response, maxAge time.Duration)
	// Get returns the response that was put last under a key, nil if none is kept.
	Get(ctx context.Context, key Key) *Response
	// Delete removes the responses of keys.
	Delete(ctx context.Context, keys ...Key)
}

// The defaults of Options.
const (
	DefaultMaxEntries = 50_000
	DefaultMaxBytes   = 32_000_000
)

// Options bound a store.
type Options struct {
	// MaxEntries is the maximum number of kept values: calls, and for batches keys. Default 50,000.
	MaxEntries int `yaml:"maxEntries"`
	// MaxBytes is the maximum size of the kept responses, in bytes. A response that is larger is not
	// kept. Default 32,000,000.
	MaxBytes int64 `yaml:"maxBytes"`
}

// bytesPerKey is about what a key takes in memory, which counts as bytes of its response.
const bytesPerKey = 128

// Memory is a Store in the memory of the process. What was not used for the longest time is removed
// first.
type Memory struct {
	options Options

	mu      sync.Mutex
	entries map[Key]*entry // guarded by mu
	recent  list.List      // of *entry, the one that was used last in front; guarded by mu
	bytes   int64          // of all entries; guarded by mu
}

var _ Store = (*Memory)(nil)

// entry is a kept response with its keys.
type entry struct {
	response *Response
	maxAge   time.Duration
	keys     []Key // all that it was put under; some may have other entries by now
	live     int   // how many of keys have this entry
	element  *list.Element
}

// NewMemory returns an empty store. It takes memory as it is filled.
func NewMemory(o Options) *Memory {
	if o.MaxEntries <= 0 {
		o.MaxEntries = DefaultMaxEntries
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	return &Memory{options: o, entries: map[Key]*entry{}}
}

// size returns the memory of an entry in bytes.
func (e *entry) size() int64 { return int64(len(e.response.Body) + len(e.keys)*bytesPerKey) }

// Put implements Store.
func (m *Memory) Put(_ context.Context, keys []Key, r *Response, maxAge time.Duration) {
	e := &entry{response: r, maxAge: maxAge, keys: keys}
	m.mu.Lock()
	defer m.mu.Unlock()
	fits := e.size() <= m.options.MaxBytes && len(keys) <= m.options.MaxEntries
	for _, key := range keys {
		m.remove(key) // also if the new response does not fit: this one is not the last any more
		if fits {
			m.entries[key] = e
			e.live++
		}
	}
	if e.live == 0 {
		return
	}
	e.element = m.recent.PushFront(e)
	m.bytes += e.size()
	for m.bytes > m.options.MaxBytes || len(m.entries) > m.options.MaxEntries {
		m.evict(m.recent.Back().Value.(*entry))
	}
}

// Get implements Store.
func (m *Memory) Get(_ context.Context, key Key) *Response {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[key]
	switch {
	case e == nil:
		return nil
	case time.Since(e.response.At) > e.maxAge:
		m.evict(e)
		return nil
	}
	m.recent.MoveToFront(e.element)
	return e.response
}

// Delete implements Store.
func (m *Memory) Delete(_ context.Context, keys ...Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		m.remove(key)
	}
}

// remove removes a key, and its entry if no other key has it. The caller holds m.mu.
func (m *Memory) remove(key Key) {
	e := m.entries[key]
	if e == nil {
		return
	}
	delete(m.entries, key)
	if e.live--; e.live == 0 && e.element != nil {
		m.recent.Remove(e.element)
		m.bytes -= e.size()
	}
}

// evict removes an entry with all of its keys. The caller holds m.mu.
func (m *Memory) evict(e *entry) {
	for _, key := range e.keys {
		if m.entries[key] == e {
			m.remove(key)
		}
	}
}

// Usage returns how many keys are kept, and how many bytes.
func (m *Memory) Usage() (entries int, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries), m.bytes
}
