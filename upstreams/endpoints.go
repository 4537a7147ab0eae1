package upstreams

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/discovery"
	"github.com/gatehouse-graphql/gatehouse/upstreams/health"
)

// endpoints are those of a source, with their transports. They are between discovery, which finds
// targets, and the balancer, which chooses among them.
type endpoints struct {
	connector *connector
	balancer  *balance.Balancer
	checker   *health.Checker
	watcher   atomic.Pointer[discovery.Watcher]

	mu         sync.Mutex
	transports map[string]*transport // by the key of the target. Guarded by mu
}

// newEndpoints returns the endpoints of a source, whose options have their defaults. Nothing runs in
// the background before start.
func newEndpoints(o Source, origins []discovery.Origin, balancer *balance.Balancer, log *slog.Logger) (*endpoints, error) {
	e := &endpoints{balancer: balancer, checker: health.New(o.Health.Check, balancer, newHeaders(o).fixed)}
	e.watcher.Store(discovery.New(origins, o.Discovery, log))
	var err error
	if e.connector, err = newConnector(o, e.refresh, log); err != nil {
		return nil, err
	}
	e.set(e.watcher.Load().Targets())
	return e, nil
}

// start begins to follow names and TLS files, and to check endpoints.
func (e *endpoints) start() {
	e.checker.Start()
	e.connector.tls.start()
	e.watcher.Load().Start(e.set)
}

// follow replaces the origins after start. Endpoints of the former origins that are among them stay.
func (e *endpoints) follow(origins []discovery.Origin) {
	former := e.watcher.Load()
	former.Close()
	next := former.With(origins)
	e.watcher.Store(next)
	e.set(next.Targets())
	next.Start(e.set)
}

// refresh has the names looked up soon.
func (e *endpoints) refresh() { e.watcher.Load().Refresh() }

// set replaces the targets. An endpoint that stays keeps its transport, and that of one that is
// missing is closed, after the balancer has ceased to choose it.
func (e *endpoints) set(targets []discovery.Target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	former, list := e.transports, make([]balance.Target, 0, len(targets))
	e.transports = make(map[string]*transport, len(targets))
	for _, t := range targets {
		key := t.Key()
		if e.transports[key] != nil { // of two URLs that lead to the same
			continue
		}
		opened := former[key]
		if opened == nil {
			opened = e.connector.open(t)
		}
		opened.update(t)
		delete(former, key)
		e.transports[key] = opened
		list = append(list, balance.Target{
			URL: t.URL, Address: t.Address, Transport: opened,
			Weight: t.Weight, Zone: t.Zone, Priority: t.Priority,
		})
	}
	e.balancer.SetEndpoints(list)
	for _, vanished := range former {
		vanished.drain(e.connector.options.Discovery.Drain)
	}
}

// close ends what runs in the background, and closes the connections: idle ones at once, the others
// when their calls end. Calls may still be made, each over a connection of its own.
func (e *endpoints) close() {
	e.checker.Stop()
	e.watcher.Load().Close()
	e.balancer.Close()
	e.connector.tls.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.transports {
		t.close()
	}
}
