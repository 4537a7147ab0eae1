package services

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

const (
	// bufferSize is how many events may wait for a slow subscriber.
	bufferSize = 16
	// heartbeat is the interval of comments that keep proxies from closing an idle stream.
	heartbeat = 15 * time.Second
)

// feed passes the status changes of an order to its subscribers. Its zero value is ready to
// use.
type feed struct {
	mu          sync.Mutex
	subscribers map[int64]map[chan StatusChange]bool // guarded by mu
	closed      bool                                 // guarded by mu
}

// subscribe returns the changes of an order from now on. unsubscribe must be called. The
// channel is closed when the subscriber was too slow, or the feed was closed.
func (f *feed) subscribe(orderID int64) (changes <-chan StatusChange, unsubscribe func()) {
	ch := make(chan StatusChange, bufferSize)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		close(ch)
		return ch, func() {}
	}
	if f.subscribers == nil {
		f.subscribers = map[int64]map[chan StatusChange]bool{}
	}
	if f.subscribers[orderID] == nil {
		f.subscribers[orderID] = map[chan StatusChange]bool{}
	}
	f.subscribers[orderID][ch] = true
	return ch, func() { f.unsubscribe(orderID, ch) }
}

func (f *feed) unsubscribe(orderID int64, ch chan StatusChange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.subscribers[orderID], ch)
	if len(f.subscribers[orderID]) == 0 {
		delete(f.subscribers, orderID)
	}
}

// publish sends a change to all subscribers without waiting. A subscriber whose buffer is full
// is removed; it may subscribe again.
func (f *feed) publish(change StatusChange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch := range f.subscribers[change.OrderID] {
		select {
		case ch <- change:
		default:
			close(ch)
			delete(f.subscribers[change.OrderID], ch)
		}
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, channels := range f.subscribers {
		for ch := range channels {
			close(ch)
		}
	}
	f.subscribers = nil
}

// events streams the changes of an order until the client leaves. It subscribes before it sends
// the headers, so that a client that has them misses no later change.
func (o *orders) events(w http.ResponseWriter, r *http.Request) error {
	id, err := orderID(r)
	if err != nil {
		return err
	}
	if _, err := o.find(id); err != nil {
		return err
	}
	changes, unsubscribe := o.feed.subscribe(id)
	defer unsubscribe()
	backend.StartEventStream(w)
	streamChanges(w, r, changes)
	return nil
}

// streamChanges returns when the client has left, the feed has ended, or a write failed.
func streamChanges(w http.ResponseWriter, r *http.Request, changes <-chan StatusChange) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	message := ": listening\n\n"
	for backend.WriteEvent(w, message) == nil {
		select {
		case <-r.Context().Done():
			return
		case change, open := <-changes:
			if !open {
				return
			}
			message = formatEvent(change)
		case <-ticker.C:
			message = ": still here\n\n"
		}
	}
}

// formatEvent returns a server-sent event. JSON has no line breaks, so that one data line is
// enough.
func formatEvent(change StatusChange) string {
	body, err := json.Marshal(change)
	if err != nil {
		return ": unwritable\n\n" // a StatusChange always has a JSON form
	}
	return fmt.Sprintf("event: orderStatusChanged\ndata: %s\n\n", body)
}
