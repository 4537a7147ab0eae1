package services

import (
	"fmt"
	"sync"
	"time"
)

const (
	// perMinute is how many calls a minute has.
	perMinute = 100
	minute    = 60
)

// rate counts the calls of each minute and tells how many are left. It refuses nobody:
// whoever heeds the header RateLimit is shown something to heed. Its zero value is ready.
type rate struct {
	mu     sync.Mutex
	minute int64 // guarded by mu; since 1970
	calls  int   // guarded by mu; in that minute
}

// next counts a call and gives the header.
func (r *rate) next() string {
	now := time.Now().Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	if now/minute != r.minute {
		r.minute, r.calls = now/minute, 0
	}
	r.calls++
	return fmt.Sprintf("limit=%d, remaining=%d, reset=%d", perMinute, max(0, perMinute-r.calls), minute-now%minute)
}
