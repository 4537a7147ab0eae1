package observe

import (
	"slices"
	"sync/atomic"
	"time"
)

// bounds are the upper bounds of the buckets, in seconds: those that OpenTelemetry advises for
// http.client.request.duration.
var bounds = [...]float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// Bounds returns the upper bounds of the buckets of a Histogram, in seconds. A last bucket has no bound.
func Bounds() []float64 { return bounds[:] }

// durations counts durations in buckets. It is safe for concurrent use.
type durations struct {
	buckets [len(bounds) + 1]atomic.Int64
	sum     atomic.Int64 // nanoseconds
}

func (d *durations) record(t time.Duration) {
	at, _ := slices.BinarySearch(bounds[:], t.Seconds())
	d.buckets[at].Add(1)
	d.sum.Add(int64(t))
}

// Histogram are durations, counted in buckets.
type Histogram struct {
	// Buckets has the number of durations in each bucket, not cumulated: see Bounds. Nil if there
	// are none.
	Buckets []int64 `json:"buckets"`
	// Sum is the sum of all durations in seconds.
	Sum float64 `json:"sum"`
}

// Count returns the number of durations.
func (h Histogram) Count() (n int64) {
	for _, one := range h.Buckets {
		n += one
	}
	return n
}

func (d *durations) read() Histogram {
	h := Histogram{Buckets: make([]int64, len(d.buckets)), Sum: time.Duration(d.sum.Load()).Seconds()}
	for i := range d.buckets {
		h.Buckets[i] = d.buckets[i].Load()
	}
	return h
}
