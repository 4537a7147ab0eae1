package admission

import (
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// sampleEvery is how often the use of processors and memory is measured. Nothing measures it
	// while no operation arrives.
	sampleEvery = 500 * time.Millisecond
	// hysteresis is how far below its watermark the use must be before less is shed, in percent
	// points. In between, nothing changes.
	hysteresis = 10
	// unlimited is a magnitude that no cost has.
	unlimited = magnitudes
)

// usage is the use of a resource, in percent of what the gateway may use. It is negative if it is not
// known.
type usage = float64

// shedder refuses operations by their cost while a watermark is passed. It is safe for concurrent use.
type shedder struct {
	log   *slog.Logger
	start time.Time // from which next counts
	// measure returns the use of the processors since the call before, and that of the memory. Nil is
	// that of the process. Tests set it.
	measure func() (cpu, memory usage)

	isOn      atomic.Bool  // a watermark is set
	isPassed  atomic.Bool  // a watermark is passed, or was until lately; what operations cost does not matter before
	from      atomic.Int64 // the magnitude of cost from which operations are refused, unlimited for none
	cheap     atomic.Int64 // see Watermarks.CheapCost
	next      atomic.Int64 // when the next sample is due, as time since shedder.start
	costliest atomic.Int64 // the greatest magnitude of cost since the last sample

	mu          sync.Mutex
	cpu, memory shedding // guarded by mu
	process     process  // guarded by mu
}

// shedding is what is shed for one resource.
type shedding struct {
	resource  string
	watermark usage
	isPassed  bool      // from the first sample above the watermark on, until nothing is shed
	from      int       // the magnitude of cost from which operations are refused; unlimited if nothing is shed
	costliest int       // the greatest magnitude of cost that arrived while it shed
	since     time.Time // when it began to shed
	refused   int64     // since then
}

// set replaces the watermarks.
func (s *shedder) set(w Watermarks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cpu.set("cpu", w.CPUPercent)
	s.memory.set("memory", w.MemoryPercent)
	s.cheap.Store(int64(w.CheapCost))
	s.store()
	s.isOn.Store(s.cpu.watermark > 0 || s.memory.watermark > 0 && (s.measure != nil || debug.SetMemoryLimit(-1) != math.MaxInt64))
}

func (s *shedding) set(resource string, percent int) {
	if s.resource == "" || percent == 0 {
		s.from, s.isPassed = unlimited, false
	}
	s.resource, s.watermark = resource, usage(percent)
}

// store publishes what check reads. The caller holds s.mu, or has the only reference.
func (s *shedder) store() {
	s.from.Store(int64(min(s.cpu.from, s.memory.from)))
	s.isPassed.Store(s.cpu.isPassed || s.memory.isPassed)
}

// check returns why an operation is refused, and when to try again; causes if it is not refused.
func (s *shedder) check(r Request) (why cause, after time.Duration) {
	if !s.isOn.Load() {
		return causes, 0
	}
	now := time.Since(s.start)
	if due := s.next.Load(); int64(now) >= due && s.next.CompareAndSwap(due, int64(now+sampleEvery)) {
		s.sample(int(max((int64(now)-due)/int64(sampleEvery), 0)) + 1)
	}
	if !s.isPassed.Load() {
		return causes, 0
	}
	cost := r.cost()
	m := int64(magnitude(cost))
	for seen := s.costliest.Load(); m > seen && !s.costliest.CompareAndSwap(seen, m); seen = s.costliest.Load() {
	}
	if m < s.from.Load() || cost <= s.cheap.Load() {
		return causes, 0
	}
	return s.refuse(int(m))
}

// refuse returns why an operation is refused whose cost has a magnitude, and when to try again: after
// the time for which it has been shed so far.
func (s *shedder) refuse(m int) (why cause, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	why, by := causeCPU, &s.cpu
	if s.memory.from <= s.cpu.from {
		why, by = causeMemory, &s.memory
	}
	if m < by.from { // it has changed at this moment
		return causes, 0
	}
	by.refused++
	return why, max(time.Since(by.since), time.Second)
}

// sample measures, and adapts what is shed. So many intervals have passed since the sample before.
func (s *shedder) sample(intervals int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	measure := s.measure
	if measure == nil {
		measure = s.process.measure
	}
	cpu, memory := measure()
	costliest := int(s.costliest.Swap(0))
	lowest := magnitude(s.cheap.Load())
	s.cpu.adapt(cpu, costliest, lowest, intervals, s.log)
	s.memory.adapt(memory, costliest, lowest, intervals, s.log)
	s.store()
}

// adapt moves the cost from which operations are refused. costliest is the greatest magnitude of cost
// since the sample before, and lowest the one that is always served. Nothing is refused before a second
// sample above the watermark, since it is not known before what operations cost.
func (s *shedding) adapt(use usage, costliest, lowest, intervals int, log *slog.Logger) {
	if s.watermark == 0 || use < 0 {
		return
	}
	s.costliest = max(s.costliest, costliest)
	switch isShedding := s.from < unlimited; {
	case use >= s.watermark && !s.isPassed:
		s.isPassed = true
	case use >= s.watermark && !isShedding:
		s.from, s.costliest, s.since, s.refused = max(costliest, lowest), costliest, time.Now(), 0
		log.Warn("the gateway sheds expensive operations, since it uses more of a resource than its watermark",
			slog.String("resource", s.resource), slog.Int("percent", int(use)), slog.Int("watermark", int(s.watermark)))
	case use >= s.watermark:
		s.from = max(s.from-1, lowest)
	case s.isPassed && !isShedding:
		s.isPassed = false
	case isShedding && use < s.watermark-hysteresis:
		if s.from += intervals; s.from > s.costliest {
			s.from, s.isPassed = unlimited, false
			log.Info("the gateway sheds operations no longer", slog.String("resource", s.resource), slog.Int("percent", int(use)),
				slog.Int64("refused", s.refused), slog.Duration("duration", time.Since(s.since)))
		}
	}
}

// process measures the use of this process.
type process struct {
	at      time.Time
	cpu     time.Duration
	samples []metrics.Sample
}

// measure returns the use of the processors since the last call, and that of the memory.
func (p *process) measure() (cpu, memory usage) { return p.measureCPU(), p.measureMemory() }

// measureCPU returns the share of the processor time since the last call that the process has used, of
// what it may use.
func (p *process) measureCPU() usage {
	used, ok := readCPU()
	if !ok {
		return -1
	}
	before, then := p.cpu, p.at
	p.cpu, p.at = used, time.Now()
	if then.IsZero() {
		return -1
	}
	passed := p.at.Sub(then).Seconds()
	return 100 * (used - before).Seconds() / (passed * availableCPU())
}

// availableCPU returns how many processors the process may use.
func availableCPU() float64 {
	n := float64(runtime.GOMAXPROCS(0)) // at least 2 in a container that may use less
	if limit := cpuQuota(); limit > 0 {
		n = min(n, limit)
	}
	return n
}

// measureMemory returns the memory that the last collection found in use, with what Go needs itself, in
// percent of Go's memory limit. What is allocated between two collections does not count, since it may
// be garbage: the heap grows to the limit before the next one where the limit is what starts it.
func (p *process) measureMemory() usage {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return -1
	}
	if p.samples == nil {
		for _, name := range []string{
			"/memory/classes/total:bytes", "/memory/classes/heap/released:bytes", "/memory/classes/heap/objects:bytes",
			"/memory/classes/heap/free:bytes", "/memory/classes/heap/unused:bytes", "/gc/heap/live:bytes",
		} {
			p.samples = append(p.samples, metrics.Sample{Name: name})
		}
	}
	metrics.Read(p.samples)
	value := func(i int) float64 { return float64(p.samples[i].Value.Uint64()) }
	apart := value(0) - value(1) - value(2) - value(3) - value(4) // stacks and what Go needs itself
	return 100 * (apart + value(5)) / float64(limit)
}
