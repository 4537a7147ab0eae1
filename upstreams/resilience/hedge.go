package resilience

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"
)

// The defaults of Hedge.
const (
	DefaultHedgeMinDelay   = 50 * time.Millisecond
	DefaultHedgeMaxDelay   = 2 * time.Second
	DefaultHedgeFirstDelay = 500 * time.Millisecond
)

// Hedge configures when a read that has no response yet is sent to a second endpoint as well. The
// first response counts, and the other attempt is cancelled.
type Hedge struct {
	// Delay is how long an attempt may take before another one is made beside it. Negative is never.
	// Default the time in which 95 % of the calls with the same method and path have succeeded.
	Delay time.Duration `yaml:"delay"`
	// MinDelay is the shortest measured delay, and the delay of a call that finds out whether an ejected
	// endpoint has healed. Default 50ms.
	MinDelay time.Duration `yaml:"minDelay"`
	// MaxDelay is the longest measured delay. Default 2s.
	MaxDelay time.Duration `yaml:"maxDelay"`
	// FirstDelay is the delay while there are too few calls to measure it. Default 500ms.
	FirstDelay time.Duration `yaml:"firstDelay"`
}

func (h Hedge) withDefaults() Hedge {
	h.MinDelay = cmp.Or(h.MinDelay, DefaultHedgeMinDelay)
	h.MaxDelay = cmp.Or(h.MaxDelay, DefaultHedgeMaxDelay)
	h.FirstDelay = cmp.Or(h.FirstDelay, DefaultHedgeFirstDelay)
	return h
}

// Validate returns the mistakes in the settings, each with the setting's path from hedge.
func (h Hedge) Validate() error {
	errs := []error{
		notNegative("hedge.minDelay", h.MinDelay), notNegative("hedge.maxDelay", h.MaxDelay), notNegative("hedge.firstDelay", h.FirstDelay),
	}
	if full := h.withDefaults(); full.MinDelay > full.MaxDelay {
		errs = append(errs, fmt.Errorf("hedge.minDelay (%s) is longer than hedge.maxDelay (%s): lower it or raise the other", full.MinDelay, full.MaxDelay))
	}
	return errors.Join(errs...)
}

// firstDelay returns the delay before anything was measured; 0 is no hedging.
func (h Hedge) firstDelay() time.Duration {
	if h.Delay != 0 {
		return max(h.Delay, 0)
	}
	return h.FirstDelay
}

// HedgeDelay returns how long an attempt of the operation may take before another one is made
// beside it. 0 is no hedging. An attempt that finds out whether an endpoint has healed (isTrial) may
// well fail, so that it gets no more than Hedge.MinDelay.
func (o *Operation) HedgeDelay(isTrial bool) time.Duration {
	if o == nil {
		return 0
	}
	delay := time.Duration(o.times.delay.Load())
	if isTrial {
		return min(delay, o.policy.options.Hedge.MinDelay)
	}
	return delay
}

// Record records how long the attempt that had the response took.
func (o *Operation) Record(d time.Duration) {
	if o == nil || o.policy.options.Hedge.Delay != 0 {
		return
	}
	if o.times.add(d) {
		p95 := o.times.percentile(95)
		o.times.delay.Store(int64(min(max(p95, o.policy.options.Hedge.MinDelay), o.policy.options.Hedge.MaxDelay)))
	}
}

// TakeHedge takes a hedge from the budget, and reports whether there was one.
func (p *Policy) TakeHedge() bool { return p.take(&p.hedges) }

// HedgeWon counts a hedge that had the response.
func (p *Policy) HedgeWon() { p.hedgesWon.Add(1) }

const (
	// measureEvery is after how many calls the percentile is computed anew.
	measureEvery = 32
	// forgetAfter is after how many calls the counts are halved, so that old ones lose their weight.
	forgetAfter = 1024
	// Each doubling of a time, from 1 µs to about a minute, is divided into as many buckets, so that a
	// percentile is too long by a quarter at most.
	bucketsPerDoubling = 4
	bucketCount        = 26*bucketsPerDoubling + 1
)

// histogram counts times by their order of magnitude. It takes no lock: a count that is lost while
// all are halved does no harm.
type histogram struct {
	delay  atomic.Int64 // the present delay of hedges; here because both are read and written together
	total  atomic.Uint32
	counts [bucketCount]atomic.Uint32
}

// add counts d, and reports whether the percentile should be computed anew.
func (h *histogram) add(d time.Duration) bool {
	h.counts[bucketOf(d)].Add(1)
	return h.total.Add(1)%measureEvery == 0
}

// bucketOf returns the bucket of d.
func bucketOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 1))
	doublings := bits.Len64(us) - 1
	// The two bits after the first one say which quarter of the doubling it is.
	quarter := int(us << (64 - doublings) >> 62)
	return min(doublings*bucketsPerDoubling+quarter, bucketCount-1)
}

// upperBound returns the longest time of a bucket.
func upperBound(bucket int) time.Duration {
	doublings, quarter := bucket/bucketsPerDoubling, bucket%bucketsPerDoubling
	us := uint64(1)<<doublings + uint64(quarter+1)<<doublings/bucketsPerDoubling
	return time.Duration(us) * time.Microsecond
}

// percentile returns a time that p percent of the counted times do not exceed. It halves the counts
// if there are many.
func (h *histogram) percentile(p int) time.Duration {
	var counts [bucketCount]uint32
	sum := uint64(0)
	for i := range counts {
		counts[i] = h.counts[i].Load()
		sum += uint64(counts[i])
	}
	if sum > forgetAfter {
		for i, n := range counts {
			h.counts[i].Add(-(n / 2))
		}
	}
	rank, seen := (sum*uint64(p)+99)/100, uint64(0)
	for i, n := range counts {
		if seen += uint64(n); seen >= rank {
			return upperBound(i)
		}
	}
	return upperBound(bucketCount - 1)
}
