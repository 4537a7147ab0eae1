package redact

import (
	"slices"
	"sync"
	"sync/atomic"
)

// keptSets is how many sets of secrets Secrets keeps. A service may log or repeat a secret for a while
// after it was replaced; secrets that are rotated for years must not slow the log down.
const keptSets = 16

// Secrets are the known secrets of a logger, which change when settings are reloaded. The zero value has
// none. It is safe for concurrent use.
type Secrets struct {
	mu    sync.Mutex
	sets  [][]string // the newest last; guarded by mu
	known atomic.Pointer[[]string]
}

// NewSecrets returns Secrets that have a first set.
func NewSecrets(set []string) *Secrets {
	s := &Secrets{}
	s.Add(set)
	return s
}

// Add adds the set of secrets that are in use from now on. Those of the sets before it stay known, until
// fifteen further sets were added.
func (s *Secrets) Add(set []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set = slices.Compact(slices.Sorted(slices.Values(set)))
	if n := len(s.sets); n > 0 && slices.Equal(s.sets[n-1], set) {
		return
	}
	s.sets = append(s.sets, set)
	if len(s.sets) > keptSets {
		s.sets = slices.Delete(s.sets, 0, len(s.sets)-keptSets)
	}
	known := Variants(slices.Concat(s.sets...)...)
	s.known.Store(&known)
}

// Text returns text with Mask in the place of secrets: see the function Text.
func (s *Secrets) Text(text string) string { return Text(text, s.variants()...) }

// variants returns the texts by which Text finds the secrets. They must not be changed.
func (s *Secrets) variants() []string {
	if s == nil {
		return nil
	}
	if known := s.known.Load(); known != nil {
		return *known
	}
	return nil
}
