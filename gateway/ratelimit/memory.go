package ratelimit

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

const (
	shards = 64 // one bit each in a uint64
	// sampled is among how many keys of a full shard one is forgotten.
	sampled = 16
	// sweepInterval is how often a full shard is searched for keys without debt.
	sweepInterval = int64(time.Second)
)

// memoryKey identifies a key within a process. It is a hash by two secret seeds, so that no client can
// find keys that collide, or that are in one shard.
type memoryKey [2]uint64

// memory counts in the memory of the process. It is safe for concurrent use.
//
// Keys without debt are forgotten, since they are as good as new. If too many have debt, the key is
// forgotten that has the least among some: to get rid of its own debt, a client would have to make as
// much debt under as many other keys as there is room for.
type memory struct {
	seeds  [2]maphash.Seed
	base   time.Time // of the clock, which is monotonic
	shards [shards]shard
}

type shard struct {
	mu      sync.Mutex
	cells   map[memoryKey]cell // guarded by mu
	maxKeys int                // guarded by mu
	swept   int64              // when; guarded by mu
	evicted int64              // keys with debt that were forgotten; guarded by mu
	_       [64]byte           // so that two shards share no cache line
}

func newMemory(maxKeys int) *memory {
	m := &memory{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, base: time.Now()}
	for i := range m.shards {
		m.shards[i].cells = map[memoryKey]cell{}
	}
	m.setMaxKeys(maxKeys)
	return m
}

// setMaxKeys bounds the keys. It forgets none at once.
func (m *memory) setMaxKeys(n int) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		s.maxKeys = max(n/shards, sampled)
		s.mu.Unlock()
	}
}

func (m *memory) keyOf(text []byte) memoryKey {
	return memoryKey{maphash.Bytes(m.seeds[0], text), maphash.Bytes(m.seeds[1], text)}
}

func shardOf(k memoryKey) uint64 { return k[0] % shards }

// take decides about charges, and writes the status of each. It holds the locks of all shards that it
// needs, in one order.
func (m *memory) take(c *charges) {
	var needed uint64
	for i := range c.list {
		charge := &c.list[i]
		charge.key = m.keyOf(c.text[charge.from:charge.to])
		needed |= 1 << shardOf(charge.key)
	}
	for set := needed; set != 0; set &= set - 1 {
		m.shards[bits.TrailingZeros64(set)].mu.Lock()
	}
	now := int64(time.Since(m.base))
	for first := 0; first < len(c.list); {
		next := c.groupEnd(first)
		ok := m.takeGroup(c.list[first:next], now)
		if !ok && c.list[first].group == wholeRequest {
			break
		}
		first = next
	}
	for set := needed; set != 0; set &= set - 1 {
		m.shards[bits.TrailingZeros64(set)].mu.Unlock()
	}
}

// takeGroup decides about charges that pass together or not at all.
func (m *memory) takeGroup(group []charge, now int64) bool {
	ok := true
	for i := range group {
		charge := &group[i]
		s := &m.shards[shardOf(charge.key)]
		cell := s.cells[charge.key]
		taken := cell.take(&charge.window.Limit, now, charge.quantity)
		charge.status, charge.decided = cell.status(&charge.window.Limit, now, !taken), true
		if !taken {
			ok = false
			continue
		}
		s.put(charge.key, cell, now)
	}
	if ok {
		return true
	}
	for i := range group { // what was taken is given back
		charge := &group[i]
		if charge.status.refused {
			continue
		}
		s := &m.shards[shardOf(charge.key)]
		cell := s.cells[charge.key]
		cell.giveBack(&charge.window.Limit, charge.quantity)
		charge.status = cell.status(&charge.window.Limit, now, false)
		s.put(charge.key, cell, now)
	}
	return false
}

// put keeps a cell. The caller holds s.mu.
func (s *shard) put(k memoryKey, c cell, now int64) {
	if len(s.cells) >= s.maxKeys {
		if _, known := s.cells[k]; !known {
			s.makeRoom(now)
		}
	}
	s.cells[k] = c
}

// makeRoom forgets keys without debt, or the one with the least debt among some.
func (s *shard) makeRoom(now int64) {
	if now-s.swept >= sweepInterval || s.swept == 0 {
		s.swept = max(now, 1)
		for k, c := range s.cells {
			if c.end <= now {
				delete(s.cells, k)
			}
		}
		if len(s.cells) < s.maxKeys {
			return
		}
	}
	var least memoryKey
	var end int64
	n := 0
	for k, c := range s.cells { // in an order that Go chooses at random
		if n == 0 || c.end < end {
			least, end = k, c.end
		}
		if n++; n == sampled {
			break
		}
	}
	if end > now {
		s.evicted++
	}
	delete(s.cells, least)
}

// stats returns the number of keys, and of those that were forgotten with debt.
func (m *memory) stats() (keys, evicted int64) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		keys += int64(len(s.cells))
		evicted += s.evicted
		s.mu.Unlock()
	}
	return keys, evicted
}
