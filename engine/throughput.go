package engine

import "time"

// throughputWindow is the time after which a Throughput gives what it measured before half the weight.
const throughputWindow = 8 * time.Second

// Throughput measures how fast a resource becomes free while a queue waits for it, so that those who
// are refused can be told when to come again. The zero value has measured nothing. It is not safe for
// concurrent use.
type Throughput struct {
	since time.Time // when the measurement began
	freed int64     // since then
}

// Begin begins a measurement: the queue was empty before.
func (t *Throughput) Begin() { t.since, t.freed = time.Now(), 0 }

// Add counts n that have become free.
func (t *Throughput) Add(n int64) { t.freed += n }

// Wait returns how long it takes until n more are free, at the rate of the measurement; 0 if there is
// none. If nothing has become free since it began, the first one is taken to become free now.
func (t *Throughput) Wait(n int64) time.Duration {
	if t.since.IsZero() {
		return 0
	}
	passed := time.Since(t.since)
	if passed > throughputWindow {
		passed, t.freed = passed/2, t.freed/2
		t.since = t.since.Add(passed)
	}
	return time.Duration(float64(passed) * float64(n) / float64(max(t.freed, 1)))
}
