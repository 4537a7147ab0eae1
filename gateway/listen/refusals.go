package listen

import (
	"log/slog"
	"sync"
	"time"
)

// refusalsEvery is how often Refusals are logged at most.
const refusalsEvery = time.Minute

// Refusals logs connections that are refused, at most once a minute, so that those who cause them do not fill
// the log. It is safe for concurrent use.
type Refusals struct {
	log     *slog.Logger
	message string

	mu     sync.Mutex
	logged time.Time // guarded by mu
	n      int64     // since then; guarded by mu
}

// NewRefusals returns Refusals that are logged with a message.
func NewRefusals(log *slog.Logger, message string) *Refusals {
	return &Refusals{log: log, message: message}
}

// Add counts a refused connection. If it is logged, the line has the number of those since the last line, and
// attributes.
func (r *Refusals) Add(attributes ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	if time.Since(r.logged) < refusalsEvery {
		return
	}
	r.log.Warn(r.message, append([]any{"refused", r.n}, attributes...)...)
	r.logged, r.n = time.Now(), 0
}
