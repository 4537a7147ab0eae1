package ratelimit

import "time"

// The algorithm is GCRA, the generic cell rate algorithm of ITU-T I.371, in which a burst is an advance
// on the rate and not an addition to it (decision 0060).
//
// A key that has no debt begins a run with the request that comes. Within a run, Burst units pass. The
// run ends at its theoretical arrival time, when the rate has made up for what has passed: after as many
// intervals of Period/Quantity as units have passed. So a client that sends all the time gets exactly
// Quantity in each Period, one that keeps to the rate is never refused, and two numbers are kept of
// each key.
//
// The next run begins with the request that comes after the end of the last one. If that comes soon, the run
// begins at that end instead: otherwise the time between them would be lost in each run, and limits with
// small bursts would let less pass than they say.

// soon is the part of the longest run within which the next one begins at the end of the last one.
const soon = 10

// longestRun returns the duration of a run in which Burst units pass, in nanoseconds.
func (l *Limit) longestRun() int64 { return int64(float64(l.Burst) * l.interval()) }

// cell is what is kept of a key. Times are in nanoseconds of one clock. The zero cell has no debt.
type cell struct {
	start int64 // when the run began
	end   int64 // when it ends: the theoretical arrival time
	used  int64 // units that have passed in it
}

// take has n units pass by l at a time. If they must not, it reports false and changes nothing but a
// cell whose run is over.
func (c *cell) take(l *Limit, now, n int64) bool {
	if c.start > now { // the clock was set back
		c.start, c.end = now, now+(c.end-c.start)
	}
	if c.end <= now {
		start := now
		if c.used > 0 && now-c.end <= l.longestRun()/soon {
			start = c.end
		}
		*c = cell{start: start, end: start}
	}
	if n > l.Burst-c.used {
		return false
	}
	c.used += n
	c.end = c.start + int64(float64(c.used)*l.interval())
	return true
}

// giveBack undoes take.
func (c *cell) giveBack(l *Limit, n int64) {
	c.used -= n
	c.end = c.start + int64(float64(c.used)*l.interval())
}

// status is what a client is told about a limit after a decision.
type status struct {
	refused   bool
	remaining int64         // units that may still pass in the run
	wait      time.Duration // until the run ends, and Burst units may pass again
}

func (c *cell) status(l *Limit, now int64, refused bool) status {
	return status{refused: refused, remaining: max(l.Burst-c.used, 0), wait: time.Duration(max(c.end-now, 0))}
}
