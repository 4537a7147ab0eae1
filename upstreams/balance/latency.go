package balance

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// latency is an exponentially weighted moving average of times. The zero value is ready for use, and
// safe for concurrent use: a time that is added at the same time as another may be lost.
type latency struct {
	bits    atomic.Uint64 // of a float64, in nanoseconds
	samples atomic.Int64
}

const (
	latencyShare = 1.0 / 16 // of a new time in the average
	latencyKnown = 10       // how many times make an average
)

// add adds a time in nanoseconds.
func (l *latency) add(d int64) {
	n := l.samples.Load()
	old := math.Float64frombits(l.bits.Load())
	share := latencyShare
	if n < int64(1/latencyShare) { // the first times count alike
		l.samples.Store(n + 1)
		share = 1 / float64(n+1)
	}
	l.bits.Store(math.Float64bits(old + (float64(d)-old)*share))
}

// average returns the average in nanoseconds of the times so far.
func (l *latency) average() float64 { return math.Float64frombits(l.bits.Load()) }

// mean returns the average in nanoseconds, or 0 if it is of too few times.
func (l *latency) mean() float64 {
	if l.samples.Load() < latencyKnown {
		return 0
	}
	return l.average()
}

// failureWindow counts calls and failures of about the last window: those of the present one, and of
// the one before by the share of it that is not over yet. It is safe for concurrent use.
type failureWindow struct {
	mu       sync.Mutex
	begins   int64 // of the present window
	present  windowCounts
	previous windowCounts
}

type windowCounts struct{ calls, failures int }

// add counts a call, a failure, or both at the time t, and returns the numbers of the window.
func (w *failureWindow) add(t int64, window time.Duration, call, failure bool) (calls, failures int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begins == 0 {
		w.begins = t
	}
	if passed := t - w.begins; passed >= int64(window) {
		w.previous = w.present
		if passed >= 2*int64(window) {
			w.previous = windowCounts{}
		}
		w.present, w.begins = windowCounts{}, t
	}
	if call {
		w.present.calls++
	}
	if !failure {
		return 0, 0 // they are not used then
	}
	w.present.failures++
	left := 1 - float64(t-w.begins)/float64(window)
	return w.present.calls + int(left*float64(w.previous.calls)), w.present.failures + int(left*float64(w.previous.failures))
}

func (w *failureWindow) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begins, w.present, w.previous = 0, windowCounts{}, windowCounts{}
}

// decayingPeak is the peak EWMA of latencies in nanoseconds: a time above it counts at once, one below
// moves it down, and so does the passing of time, so that a slow endpoint is tried again. The zero value
// is ready for use. It is safe for concurrent use as latency is.
type decayingPeak struct {
	bits atomic.Uint64 // of a float64
	at   atomic.Int64  // when that was its value
}

// peakDecay is the time in which a peak decays to 1/e.
const peakDecay = float64(10 * time.Second)

// value returns the average at the time t.
func (p *decayingPeak) value(t int64) float64 {
	v := math.Float64frombits(p.bits.Load())
	if v == 0 {
		return 0
	}
	return v * decay(t-p.at.Load())
}

func decay(passed int64) float64 { return math.Exp(-float64(max(passed, 0)) / peakDecay) }

// observe adds a latency at the time t.
func (p *decayingPeak) observe(d, t int64) {
	kept := decay(t - p.at.Load())
	v := math.Float64frombits(p.bits.Load()) * kept
	p.bits.Store(math.Float64bits(max(float64(d), v+float64(d)*(1-kept))))
	p.at.Store(t)
}
