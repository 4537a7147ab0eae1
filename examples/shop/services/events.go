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
	// seatSize is how many events may wait for a slow listener.
	seatSize = 16
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 15 * time.Second
)

// feed hands an order's status changes to those who listen. Its zero value is ready.
type feed struct {
	mu     sync.Mutex
	seats  map[int64]map[chan StatusChange]bool // guarded by mu
	closed bool                                 // guarded by mu
}

// join begins to listen; leave must be called. The channel is closed when the
// listener was too slow, or the feed was closed.
func (f *feed) join(orderID int64) (changes <-chan StatusChange, leave func()) {
	seat := make(chan StatusChange, seatSize)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		close(seat)
		return seat, func() {}
	}
	if f.seats == nil {
		f.seats = map[int64]map[chan StatusChange]bool{}
	}
	if f.seats[orderID] == nil {
		f.seats[orderID] = map[chan StatusChange]bool{}
	}
	f.seats[orderID][seat] = true
	return seat, func() { f.leave(orderID, seat) }
}

func (f *feed) leave(orderID int64, seat chan StatusChange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seats[orderID], seat)
	if len(f.seats[orderID]) == 0 {
		delete(f.seats, orderID)
	}
}

// publish does not wait: a listener whose seat is full loses it, and may come back.
func (f *feed) publish(change StatusChange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for seat := range f.seats[change.OrderID] {
		select {
		case seat <- change:
		default:
			close(seat)
			delete(f.seats[change.OrderID], seat)
		}
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, seats := range f.seats {
		for seat := range seats {
			close(seat)
		}
	}
	f.seats = nil
}

// events streams an order's changes until the caller leaves. Whoever has seen the
// headers misses no change that comes after them.
func (o *orders) events(w http.ResponseWriter, r *http.Request) error {
	id, err := orderID(r)
	if err != nil {
		return err
	}
	if _, err := o.find(id); err != nil {
		return err
	}
	changes, leave := o.feed.join(id)
	defer leave()
	backend.BeginStream(w)
	stream(w, r, changes)
	return nil
}

// stream returns when the caller has left, the feed has ended, or a write failed.
func stream(w http.ResponseWriter, r *http.Request, changes <-chan StatusChange) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	message := ": listening\n\n"
	for backend.Push(w, message) == nil {
		select {
		case <-r.Context().Done():
			return
		case change, open := <-changes:
			if !open {
				return
			}
			message = event(change)
		case <-beat.C:
			message = ": still here\n\n"
		}
	}
}

// event is one server-sent event. JSON has no line breaks, so one data line is enough.
func event(change StatusChange) string {
	body, err := json.Marshal(change)
	if err != nil {
		return ": unwritable\n\n" // a StatusChange always has a JSON form
	}
	return fmt.Sprintf("event: orderStatusChanged\ndata: %s\n\n", body)
}
