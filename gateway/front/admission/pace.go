package admission

import (
	"runtime"
	"runtime/metrics"
	"time"
)

const (
	// paceInterval is how often the limit is adjusted.
	paceInterval = 100 * time.Millisecond
	// minPerProcessor is the smallest limit, for each processor: enough to keep the processors
	// busy while operations wait for services.
	minPerProcessor = 8
	// maxDelay is how long a goroutine may wait for a processor. If one in ten waits longer, the
	// limit falls.
	maxDelay = 10 * time.Millisecond
)

// pace is a limit that falls while goroutines wait long for a processor, and rises again
// afterwards: by a fifth at a time, like the windows of TCP. It measures, rather than
// counting on what an operation costs: a gateway that waits for slow services may run many
// operations, and one that encodes large responses only few.
type pace struct {
	max, min, limit int
	next            time.Time
	sample          []metrics.Sample
	counts          []uint64 // of the histogram, when it was read last
}

// newPace returns a pace up to max; a negative one has no limit.
func newPace(max int) pace {
	return pace{
		max: max, limit: max,
		min:    min(max, minPerProcessor*runtime.GOMAXPROCS(0)),
		sample: []metrics.Sample{{Name: "/sched/latencies:seconds"}},
	}
}

// adjust returns the limit, which it adjusts when it is due. Without many operations it measures
// nothing, so that a gateway with little to do pays nothing.
func (p *pace) adjust(running int) int {
	if p.max < 0 || running < p.min && p.limit == p.max {
		return p.limit
	}
	now := time.Now()
	if now.Before(p.next) {
		return p.limit
	}
	fresh := now.Sub(p.next) < 2*paceInterval // otherwise what was measured is from too long a time
	p.next = now.Add(paceInterval)
	if slow := p.isSlow(); fresh || !slow {
		p.change(slow, running)
	}
	return p.limit
}

// change lowers the limit, from what runs, or raises it.
func (p *pace) change(slow bool, running int) {
	if slow {
		p.limit = max(p.min, min(p.limit, running)*4/5)
	} else {
		p.limit = min(p.max, p.limit+p.limit/5+1)
	}
}

// isSlow reports whether, since its last call, one in ten goroutines waited for a processor for
// longer than maxDelay.
func (p *pace) isSlow() bool {
	metrics.Read(p.sample)
	if p.sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return false // a later version of Go may lack it
	}
	histogram := p.sample[0].Value.Float64Histogram()
	if len(p.counts) != len(histogram.Counts) {
		p.counts = make([]uint64, len(histogram.Counts))
	}
	var all, long uint64
	for i, count := range histogram.Counts {
		n := count - p.counts[i]
		p.counts[i] = count
		all += n
		if histogram.Buckets[i] >= maxDelay.Seconds() {
			long += n
		}
	}
	return all > 0 && long*10 > all
}
