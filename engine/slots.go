package engine

import (
	"context"
	"slices"
	"sync"
)

// Slots bound how many do something at the same time. Those who come later wait for their
// turn, in their order. The zero value is without a bound. It is safe for concurrent use.
type Slots struct {
	// Max is how many there are; 0 is without a bound. It is set before the first use.
	Max int

	mu      sync.Mutex
	taken   int             // guarded by mu
	waiting []chan struct{} // closed when it is their turn; guarded by mu
}

// Acquire takes a slot, and waits for one as long as ctx lasts, whose error it returns then.
// Without an error, Release must be called.
func (s *Slots) Acquire(ctx context.Context) error {
	turn := s.enter()
	if turn == nil {
		return nil
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		s.leave(turn)
		return ctx.Err()
	}
}

// enter takes a slot, or returns what to wait for.
func (s *Slots) enter() (turn chan struct{}) {
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

// leave gives up waiting. Where the slot was given meanwhile, it goes to the next.
func (s *Slots) leave(turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, turn); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		return
	}
	s.release()
}

// Release gives a slot back, to the one that waits for it longest.
func (s *Slots) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release()
}

func (s *Slots) release() {
	if len(s.waiting) == 0 {
		s.taken--
		return
	}
	close(s.waiting[0])
	s.waiting = slices.Delete(s.waiting, 0, 1)
}
