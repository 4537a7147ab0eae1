package discovery

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"
)

// refreshPause is the shortest time between two lookups of a name while connections fail.
const refreshPause = time.Second

// Watcher follows the addresses of the origins of one service. New makes it, Start begins the
// lookups, and Close ends them. It is safe for concurrent use.
type Watcher struct {
	options  Options
	log      *slog.Logger
	origins  []Origin
	followed []followed
	lookup   func(context.Context, Origin) ([]Target, time.Duration, error)
	update   func([]Target)

	mu      sync.Mutex
	targets [][]Target // by origin. Guarded by mu, which is held while update runs

	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

// followed is an origin whose name is looked up.
type followed struct {
	Origin
	index int           // among all origins
	wake  chan struct{} // holds one signal
}

// New returns a Watcher for origins, which looks nothing up before Start. The options must be valid
// and have their defaults. The log receives a line when the addresses of a name change, and when
// its lookups begin or cease to fail.
func New(origins []Origin, o Options, log *slog.Logger) *Watcher {
	w := &Watcher{options: o, log: log, origins: origins, lookup: o.lookup}
	w.ctx, w.stop = context.WithCancel(context.Background())
	for i, origin := range origins {
		w.targets = append(w.targets, []Target{o.unresolved(origin)})
		if o.typeOf(origin) != Static {
			w.followed = append(w.followed, followed{origin, i, make(chan struct{}, 1)})
		}
	}
	return w
}

// With returns a Watcher for other origins, with the same options, which is to be started in place
// of w. Origins that both have keep the targets that are known.
func (w *Watcher) With(origins []Origin) *Watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := New(origins, w.options, w.log)
	next.lookup = w.lookup
	for i, origin := range origins {
		known := slices.IndexFunc(w.origins, origin.hasSameName)
		if known < 0 {
			continue
		}
		targets := slices.Clone(w.targets[known])
		for j := range targets {
			targets[j].Zone = origin.Zone
			if w.options.typeOf(origin) != SRV {
				targets[j].Weight = max(origin.Weight, 1)
			}
		}
		next.targets[i] = targets
	}
	return next
}

// Targets returns the targets as they are known. Before Start these are the names themselves, which
// are resolved for each connection. So a name server that fails at the start delays nothing.
func (w *Watcher) Targets() []Target {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Concat(w.targets...)
}

// Start begins the lookups. Whenever the targets have changed, update is called with all of them.
// Its calls follow each other, and none begins after Close. Start is called once.
func (w *Watcher) Start(update func([]Target)) {
	w.update = update
	for _, f := range w.followed {
		w.running.Go(func() { w.follow(w.ctx, f) })
	}
}

// Close ends the lookups and waits for them. Closing twice is allowed.
func (w *Watcher) Close() {
	w.stop()
	w.running.Wait()
}

// Refresh has all names looked up soon, because an address cannot be connected to: it may be
// that of a replica that has moved. It never waits, and may be called for each failure.
func (w *Watcher) Refresh() {
	for _, f := range w.followed {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
}

// follow looks an origin up until ctx ends.
func (w *Watcher) follow(ctx context.Context, f followed) {
	failing := false
	log := w.log.With(slog.String("host", f.URL.Host))
	for {
		targets, ttl, err := w.lookup(ctx, f.Origin)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			ttl = w.options.MinTTL
			if !failing {
				log.Warn("backend name cannot be resolved; its last addresses stay in use", slog.Any("error", err))
			}
		default:
			if failing {
				log.Info("backend name is resolved again")
			}
			w.set(ctx, f.index, targets, log)
		}
		failing = err != nil
		if !w.pause(ctx, ttl, f.wake) {
			return
		}
	}
}

// set replaces the targets of an origin, if they have changed.
func (w *Watcher) set(ctx context.Context, i int, targets []Target, log *slog.Logger) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil || reflect.DeepEqual(w.targets[i], targets) {
		return
	}
	addresses := make([]string, len(targets))
	for j, t := range targets {
		addresses[j] = t.Address
	}
	log.Info("backend addresses changed", slog.Any("addresses", addresses))
	w.targets[i] = targets
	w.update(slices.Concat(w.targets...))
}

// pause waits for the time until the next lookup, and reports whether there is one. The time
// is up to a tenth shorter than the TTL, so that many gateways do not ask at the same time.
func (w *Watcher) pause(ctx context.Context, ttl time.Duration, wake <-chan struct{}) bool {
	ttl = min(max(ttl, w.options.MinTTL), w.options.MaxTTL)
	ttl -= rand.N(ttl/10 + 1)
	earliest := time.NewTimer(min(refreshPause, ttl))
	defer earliest.Stop()
	latest := time.NewTimer(ttl)
	defer latest.Stop()
	select {
	case <-earliest.C:
	case <-ctx.Done():
		return false
	}
	select {
	case <-latest.C:
	case <-wake:
	case <-ctx.Done():
		return false
	}
	return true
}
