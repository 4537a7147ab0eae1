// Package admission bounds how many operations are executed at the same time.
//
// It promises that an operation waits for its turn no longer than the settings allow, in the order of
// arrival among the operations of its class of callers; that what is refused is refused before
// anything of it was executed, the most expensive first; and that operations that wait for services
// take no turns from those that need other services.
package admission

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
)

// Limiter bounds the operations that are executed. A nil Limiter has no bound. It is safe for
// concurrent use.
type Limiter struct {
	shedder shedder

	mu      sync.Mutex
	options Options           // guarded by mu
	classes []*class          // at least one; those of the settings, and others until they are idle; guarded by mu
	byName  map[string]*class // those of the settings; guarded by mu
	others  *class            // caller.Other; guarded by mu
	kept    int               // the sum of the classes' MinOperations; guarded by mu
	bounded bool              // a class bounds its callers; guarded by mu

	running int           // more than the bound after a bound was lowered; guarded by mu
	queued  int           // not 0 only if no operation in the queues may be executed now; guarded by mu
	list    turnList      // of those that are running, the oldest first; guarded by mu
	refused [causes]int64 // guarded by mu
	waiting waiting       // guarded by mu
}

// New returns a limiter. It starts no goroutine. The log gets a line when shedding begins and ends.
func New(o Options, log *slog.Logger) *Limiter {
	l := &Limiter{}
	l.shedder.log, l.shedder.start = log, time.Now()
	l.setOptions(o)
	return l
}

// SetOptions replaces the options. Operations that run go on, and those that wait get their turn by the
// new bounds; how long they wait stays as it was. None is refused because the queue has become shorter.
func (l *Limiter) SetOptions(o Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setOptions(o)
	l.passTurns()
}

// setOptions is SetOptions without passing turns. The caller holds l.mu.
func (l *Limiter) setOptions(o Options) {
	l.options = o.withDefaults()
	l.shedder.set(l.options.Watermarks)
	settings := l.options.classes()
	before := l.classes
	l.classes, l.byName, l.kept, l.bounded = nil, map[string]*class{}, 0, false
	for _, c := range before {
		if _, ok := settings[c.name]; !ok && !c.isIdle() {
			c.Class = Class{Weight: 1} // until its operations have ended
			l.classes = append(l.classes, c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		s := settings[name]
		c := &class{name: name, callers: map[callerKey]*callerCount{}}
		for _, known := range before {
			if known.name == name {
				c = known
			}
		}
		c.Class = s
		l.classes, l.byName[name] = append(l.classes, c), c
		l.kept += s.MinOperations
		l.bounded = l.bounded || s.MaxOperationsPerCaller > 0
	}
	l.others = l.byName[caller.Other]
}

// cause is why an operation was refused.
type cause int

const (
	causeQueue  cause = iota // the queue was full
	causeWait                // it has waited too long
	causeCaller              // its caller had as many operations as it may
	causeCPU                 // the watermark of the processors was passed
	causeMemory              // the watermark of the memory was passed
	causes
)

// Refusals are the operations that were refused since the start, by cause.
type Refusals struct {
	Queue  int64 // the queue was full
	Wait   int64 // they waited longer than MaxWait
	Caller int64 // their callers had MaxOperationsPerCaller
	CPU    int64 // Watermarks.CPUPercent was passed
	Memory int64 // Watermarks.MemoryPercent was passed
}

// Stats are the state of a Limiter.
type Stats struct {
	Running int // operations that are executed, without those that wait
	Waiting int // operations that wait for services and do not count
	Queued  int // operations that wait for their turn
	Limit   int // how many may be executed at the same time; 0 without a limit
	Refused Refusals
}

// Stats returns the state of the limiter.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		Running: l.running, Waiting: l.waiting.n, Queued: l.queued, Limit: max(l.options.MaxOperations, 0),
		Refused: Refusals{l.refused[causeQueue], l.refused[causeWait], l.refused[causeCaller], l.refused[causeCPU], l.refused[causeMemory]},
	}
}

// ClassStats are the operations of a class of callers.
type ClassStats struct{ Running, Waiting, Queued int }

// ClassStats returns the state of each class, by name. Without classes in the settings there is caller.Other.
func (l *Limiter) ClassStats() map[string]ClassStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	stats := make(map[string]ClassStats, len(l.classes))
	for _, c := range l.classes {
		stats[c.name] = ClassStats{c.running, c.waiting, c.queue.Len()}
	}
	return stats
}

// Request is what decides about an operation.
type Request struct {
	// Caller is who sends it; nil if that is not known.
	Caller *caller.Caller
	// Cost returns an estimate of what the operation costs, in any unit. It is called only for an
	// operation that is not executed at once. Nil is 0.
	Cost func() int64
}

func (r Request) cost() int64 {
	if r.Cost == nil {
		return 0
	}
	return r.Cost()
}

// Acquire waits until the operation may be executed, by the turn t, which must be new. If it returns
// nil, t.Release must be called. Its error is a fault with the code fault.Overloaded, or with
// fault.RateLimited for a caller who has too many, or that of ctx if that ends first.
func (l *Limiter) Acquire(ctx context.Context, t *Turn, r Request) error {
	if l == nil {
		return nil
	}
	if why, after := l.shedder.check(r); why != causes {
		return l.shed(why, after)
	}
	if isDecided, err := l.enter(t, r); isDecided {
		return err
	}
	t.cost = r.cost() // which may take long, so that l.mu is not held
	place, maxWait, err := l.enqueue(t)
	if place == nil {
		return err
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-place.granted:
		return place.err
	case <-timer.C:
		return l.leave(t, place, nil)
	case <-ctx.Done():
		return l.leave(t, place, ctx.Err())
	}
}

// shed counts an operation that is refused for a watermark, and returns its error.
func (l *Limiter) shed(why cause, after time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[why]++
	return errOverloaded(after)
}

// errOverloaded returns the error of an operation that is refused.
func errOverloaded(retryAfter time.Duration) error {
	f := fault.New(fault.Overloaded, "the gateway is busy; try again later")
	f.RetryAfter = retryAfter
	return f
}

// refuse counts a refusal of an operation of c, and returns its error. The caller holds l.mu.
func (l *Limiter) refuse(c *class, why cause) error {
	l.refused[why]++
	return errOverloaded(max(c.freed.Wait(int64(c.queue.Len())+1), time.Second))
}

// refuseCaller counts a refusal of an operation whose caller has as many as it may, and returns its error,
// which does not say that the gateway is busy: proxies take the status 503 for a reason to send the
// requests of other callers elsewhere, too. The caller of refuseCaller holds l.mu.
func (l *Limiter) refuseCaller(c *class) error {
	l.refused[causeCaller]++
	f := fault.New(fault.RateLimited, "the caller has %d operations at the same time, which is the limit; send the next one when one of them has ended", c.MaxOperationsPerCaller)
	f.RetryAfter = time.Second
	return f
}

// enter has the operation run or refuses it. It reports false if the operation has to queue.
func (l *Limiter) enter(t *Turn, r Request) (isDecided bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t.limiter, t.class = l, l.others
	if len(l.byName) > 1 {
		t.class = l.classOf(r.Caller)
	}
	c := t.class
	if l.bounded && !c.addCaller(t, r.Caller) {
		return true, l.refuseCaller(c)
	}
	if c.queue.Len() > 0 || !l.mayRun(c) {
		return false, nil
	}
	l.start(t)
	return true, nil
}

// enqueue returns the place of the operation in the queue, and how long it may wait there. It refuses
// the operation if there is none, and has it run, without a place, if there is room by now.
func (l *Limiter) enqueue(t *Turn) (*place, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := t.class
	if c.queue.Len() == 0 && l.mayRun(c) {
		l.start(t)
		return nil, 0, nil
	}
	if l.queued >= l.options.MaxQueued {
		if err := l.makeRoom(t); err != nil {
			return nil, 0, err
		}
	}
	if c.queue.Len() == 0 {
		c.freed.Begin()
		c.turns = max(c.turns, l.fewestTurns())
	}
	t.state, t.place = stateQueued, &place{granted: make(chan struct{})}
	c.queue.push(t)
	l.queued++
	l.watch()
	return t.place, l.options.MaxWait, nil
}

// classOf returns the class of a caller. The caller of classOf holds l.mu.
func (l *Limiter) classOf(c *caller.Caller) *class {
	if c != nil {
		if own, ok := l.byName[c.Class]; ok {
			return own
		}
	}
	return l.others
}

// addCaller counts an operation of a caller. It reports false if the caller has as many as it may.
func (c *class) addCaller(t *Turn, from *caller.Caller) bool {
	key := keyOf(from)
	if c.MaxOperationsPerCaller == 0 || key == (callerKey{}) {
		return true
	}
	count := c.callers[key]
	switch {
	case count == nil:
		count = &callerCount{key: key}
		c.callers[key] = count
	case count.n >= c.MaxOperationsPerCaller:
		return false
	}
	count.n++
	t.caller = count
	return true
}

// removeCaller ends addCaller.
func (c *class) removeCaller(t *Turn) {
	if t.caller == nil {
		return
	}
	if t.caller.n--; t.caller.n == 0 {
		delete(c.callers, t.caller.key)
	}
}

// hasRoom reports whether one more operation may run. The caller holds l.mu.
func (l *Limiter) hasRoom() bool {
	return l.options.MaxOperations < 0 || l.running < l.options.MaxOperations
}

// mayRun reports whether an operation of c may run. The caller holds l.mu.
func (l *Limiter) mayRun(c *class) bool {
	switch {
	case !l.hasRoom() || c.isFull():
		return false
	case l.kept == 0 || c.running < c.MinOperations || l.options.MaxOperations < 0:
		return true
	}
	free := l.options.MaxOperations - l.running
	for _, other := range l.classes {
		if other != c {
			free -= max(other.MinOperations-other.running, 0)
		}
	}
	return free > 0
}

// start has an operation run. The caller holds l.mu.
func (l *Limiter) start(t *Turn) {
	l.running++
	t.class.running++
	t.state = stateRunning
	l.list.push(t)
}

// fewestTurns returns the least turns of the classes that queue, 0 if none does. The caller holds l.mu.
func (l *Limiter) fewestTurns() float64 {
	var least *class
	for _, c := range l.classes {
		if c.queue.Len() > 0 && (least == nil || c.turns < least.turns) {
			least = c
		}
	}
	if least == nil {
		return 0
	}
	return least.turns
}

// makeRoom makes room for t in the full queue by refusing another operation, or returns the error of t.
// Refused is an operation of the class whose queue is the longest in relation to its weight: the newest
// of the most expensive ones. The caller holds l.mu.
func (l *Limiter) makeRoom(t *Turn) error {
	longest := t.class
	for _, c := range l.classes {
		if c.queuesMoreThan(longest) {
			longest = c
		}
	}
	if longest.queue.Len() == 0 || longest == t.class && longest.queue.highest() <= magnitude(t.cost) {
		err := l.refuse(t.class, causeQueue)
		t.class.removeCaller(t)
		return err
	}
	victim := longest.queue.newestOf(longest.queue.highest())
	l.dequeue(victim)
	longest.removeCaller(victim)
	victim.place.err = l.refuse(longest, causeQueue)
	close(victim.place.granted)
	return nil
}

// dequeue removes an operation from its queue. The caller holds l.mu.
func (l *Limiter) dequeue(t *Turn) {
	t.class.queue.remove(t)
	t.state = stateNone
	l.queued--
}

// leave ends the wait of an operation for its turn. Without err, the time to wait is over, and the
// operation is refused, unless it got its turn at this moment.
func (l *Limiter) leave(t *Turn, p *place, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case p.err != nil:
		return p.err
	case t.state != stateQueued && err != nil:
		l.release(t)
		return err
	case t.state != stateQueued:
		return nil
	}
	l.dequeue(t)
	t.class.removeCaller(t)
	if err == nil {
		err = l.refuse(t.class, causeWait)
	}
	return err
}

// release ends an operation. The caller holds l.mu.
func (l *Limiter) release(t *Turn) {
	switch t.state {
	case stateRunning:
		l.stop(t)
	case stateWaiting, stateResuming:
		l.stopWaiting(t)
	}
	t.state = stateNone
	t.class.freed.Add(1)
	t.class.removeCaller(t)
	l.passTurns()
}

// stop has an operation run no longer. The caller holds l.mu.
func (l *Limiter) stop(t *Turn) {
	l.running--
	t.class.running--
	l.list.remove(t)
}

// passTurns gives operations their turn as long as there is room: first those that have waited for
// services, since they hold what others need, and then those that queue. The caller holds l.mu.
func (l *Limiter) passTurns() {
	for first := l.waiting.resuming.Front(); first != nil && l.hasRoom(); first = l.waiting.resuming.Front() {
		l.resume(first.Value.(*Turn))
	}
	for l.queued > 0 && l.hasRoom() {
		var next *class
		for _, c := range l.classes {
			if c.queue.Len() > 0 && l.mayRun(c) && (next == nil || c.isBefore(next)) {
				next = c
			}
		}
		if next == nil {
			return
		}
		t := next.queue.first()
		l.dequeue(t)
		next.turns += 1 / float64(next.Weight)
		l.start(t)
		close(t.place.granted)
	}
}
