package backend

import (
	"maps"
	"net/http"
	"sync"
)

// calls counts, by operationId, the calls that reached the route of an operation, including
// those that it refused: tests count round trips.
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

// serveGet handles GET /_calls, which is not counted and needs no token.
func (c *calls) serveGet(w http.ResponseWriter, _ *http.Request) error {
	return WriteJSON(w, http.StatusOK, c.snapshot())
}

// serveDelete handles DELETE /_calls.
func (c *calls) serveDelete(w http.ResponseWriter, _ *http.Request) error {
	c.reset()
	w.WriteHeader(http.StatusNoContent)
	return nil
}
