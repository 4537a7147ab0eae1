package backend

import (
	"maps"
	"net/http"
	"sync"
)

// calls counts by operationId every call that reached an operation's route, also
// those that were refused there: a round trip is a round trip.
type calls struct {
	mu     sync.Mutex
	counts map[string]int // guarded by mu
}

func (c *calls) add(operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[operation]++
}

func (c *calls) snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

func (c *calls) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.counts)
}

// show answers GET /_calls, which is not counted itself and needs no token.
func (c *calls) show(w http.ResponseWriter, _ *http.Request) error {
	return WriteJSON(w, http.StatusOK, c.snapshot())
}

// forget answers DELETE /_calls.
func (c *calls) forget(w http.ResponseWriter, _ *http.Request) error {
	c.reset()
	w.WriteHeader(http.StatusNoContent)
	return nil
}
