package engine

import (
	"context"
	"slices"
	"sync"
)

// Semaphore is a counting semaphore: it limits how many calls run at the same time. Further ones wait
// for a slot in the order in which they came. The zero value has no limit. It is safe for
// concurrent use.
//
// Unlike golang.org/x/sync/semaphore it needs no constructor, and its limit may be absent.
type Semaphore struct {
	// Max is the number of slots; 0 means no limit. It must not change after the first use.
	Max int

	mu      sync.Mutex
	taken   int             // guarded by mu
	waiting []chan struct{} // in the order of arrival, each closed when it gets a slot; guarded by mu
}

// Acquire takes a slot. It waits for one until ctx ends, and then returns the error of ctx. If it
// returns nil, Release must be called.
func (s *Semaphore) Acquire(ctx context.Context) error {
	turn := s.acquireOrQueue()
	if turn == nil {
		return nil
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		s.abandon(turn)
		return ctx.Err()
	}
}

// acquireOrQueue takes a slot and returns nil, or returns the channel that is closed when the
// caller gets one.
func (s *Semaphore) acquireOrQueue() (turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Max <= 0 || s.taken < s.Max {
		s.taken++
		return nil
	}
	turn = make(chan struct{})
	s.waiting = append(s.waiting, turn)
	return turn
}

// abandon ends the wait for turn. If turn got its slot in the meantime, the next in the queue gets
// it, so that no slot is lost.
func (s *Semaphore) abandon(turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, turn); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		return
	}
	s.release()
}

// Release returns a slot. The one that has waited longest gets it.
func (s *Semaphore) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release()
}

// release passes a slot on, which stays taken, or frees it. The caller holds s.mu.
func (s *Semaphore) release() {
	if len(s.waiting) == 0 {
		s.taken--
		return
	}
	close(s.waiting[0])
	s.waiting = slices.Delete(s.waiting, 0, 1)
}
