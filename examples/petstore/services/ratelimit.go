package services

import (
	"fmt"
	"sync"
	"time"
)

const (
	// perMinute is how many calls a minute is said to allow.
	perMinute = 100
	minute    = 60
)

// rateLimit counts the calls of each minute for the header RateLimit. It refuses no call. Its
// zero value is ready to use.
type rateLimit struct {
	mu     sync.Mutex
	minute int64 // guarded by mu; since 1970
	calls  int   // guarded by mu; in that minute
}

// count counts a call and returns the header.
func (r *rateLimit) count() string {
	now := time.Now().Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	if now/minute != r.minute {
		r.minute, r.calls = now/minute, 0
	}
	r.calls++
	return fmt.Sprintf("limit=%d, remaining=%d, reset=%d", perMinute, max(0, perMinute-r.calls), minute-now%minute)
}
