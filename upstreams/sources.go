package upstreams

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/stale"
)

// Sources are the services of one version of the settings. They do not change, so that a request can
// finish by the sources with which it began. They are safe for concurrent use.
type Sources struct {
	services *Services
	byName   map[string]*source
	forward  []string // canonical names
	noVary   []string // canonical names, of forward
}

// Sources returns the sources that are in use.
func (s *Services) Sources() *Sources { return s.current.Load() }

// Prepare returns sources that o configures, for Use or Discard. It calls none of them, and changes nothing
// that is in use. Its error is that of New.
//
// A source whose options are those of a source in use is the same one. If only what concerns each call
// has changed, such as a timeout or a header, connections and endpoints are kept, with all that is known
// of them. If the URLs have changed, the endpoints that are in both lists are kept. Otherwise the source
// is a new one.
func (s *Services) Prepare(o Options) (*Sources, error) {
	current := s.current.Load()
	next := &Sources{services: s, byName: make(map[string]*source, len(o)), forward: []string{}, noVary: o.noVaryHeaders()}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o)) {
		source, err := current.adopt(name, o[name])
		if err != nil {
			errs = append(errs, withSource(name, err)...)
			continue
		}
		next.byName[name] = source
		next.forward = addNames(next.forward, o[name].Forward)
		if len(source.responseHeaders) > 0 {
			s.hasResponseHeaders.Store(true)
		}
	}
	if len(errs) > 0 {
		next.Discard()
		return nil, errors.Join(errs...)
	}
	return next, nil
}

// adopt returns the source of s that has these options, or a new one with the parts of it that fit.
func (s *Sources) adopt(name string, o Source) (*source, error) {
	kept := s.byName[name]
	switch {
	case kept == nil:
	case reflect.DeepEqual(kept.options, o):
		return kept, nil
	case !reflect.DeepEqual(kept.options.ofConnections(), o.ofConnections()):
		kept = nil
	}
	return newSource(name, o, kept, s.services.log)
}

// ofConnections returns the options on which the connections and endpoints of a source depend, apart from
// the endpoints' URLs, which can change. An option that is added counts as one of them until it is
// listed here.
func (o Source) ofConnections() Source {
	o.URLs = nil
	o.Timeout, o.MaxResponse, o.Concurrency = 0, 0, resilience.Concurrency{}
	o.Headers, o.Forward, o.NoVary, o.Config, o.DeadlineHeader = nil, nil, nil, nil, DeadlineHeader{}
	o.AttemptTimeout, o.Retry, o.Hedge, o.Breaker = 0, resilience.Retry{}, resilience.Hedge{}, resilience.Breaker{}
	o.Stale = stale.Options{}
	o.ResponseHeaders = nil
	return o
}

// resilience returns the options of the breakers, budgets and measured latencies of a source.
func (o Source) resilience() resilience.Options {
	return resilience.Options{Retry: o.Retry, Hedge: o.Hedge, Breaker: o.Breaker}
}

// Use has the calls of requests that begin from now on go to next, which Prepare has returned after the
// last Use. Sources that are not among them close their connections: those of running calls when the
// calls end. Use must not be called at the same time as Prepare or Use.
func (s *Services) Use(next *Sources) {
	before := s.current.Swap(next)
	for name, source := range next.byName {
		switch kept := before.byName[name]; {
		case kept == source:
		case kept == nil || kept.endpoints != source.endpoints:
			source.endpoints.start()
		default:
			source.endpoints.checker.SetHeader(newHeaders(source.options).fixed)
			if slices.Equal(kept.options.URLs, source.options.URLs) {
				break
			}
			if origins, err := source.options.origins(); err == nil { // as newSource has checked
				source.endpoints.follow(origins)
			}
		}
	}
	before.closeAllBut(next)
}

// Discard ends what Prepare has begun, for sources that Use will not get.
func (s *Sources) Discard() { s.closeAllBut(s.services.current.Load()) }

// closeAllBut closes the sources whose connections others does not have.
func (s *Sources) closeAllBut(others *Sources) {
	for name, source := range s.byName {
		if kept := others.byName[name]; kept == nil || kept.endpoints != source.endpoints {
			source.endpoints.close()
		}
	}
}

// ForwardedHeaders returns the canonical names of the client's headers that at least one source
// lists under Forward. It is never nil. All services receive X-Request-Id, but it is
// returned only if a source lists it.
func (s *Sources) ForwardedHeaders() []string { return slices.Clone(s.forward) }

// NoVaryHeaders returns those of ForwardedHeaders on which no response of a service depends: see
// Source.NoVary.
func (s *Sources) NoVaryHeaders() []string { return slices.Clone(s.noVary) }

// ForwardedHeaders is Sources.ForwardedHeaders of the sources in use.
func (s *Services) ForwardedHeaders() []string { return s.Sources().ForwardedHeaders() }

// WithClientHeaders is WithClientHeaders for a request whose calls go to these sources, also after others
// have come into use.
func (s *Sources) WithClientHeaders(ctx context.Context, h http.Header, id string) context.Context {
	return &clientContext{Context: ctx, headers: h, id: [1]string{id}, sources: s}
}

// source returns the source with a name among those of the request that ctx belongs to, or among those
// in use outside of requests; nil if there is none.
func (s *Services) source(ctx context.Context, name string) *source {
	if c, ok := ctx.Value(clientKey{}).(*clientContext); ok && c.sources != nil && c.sources.services == s {
		return c.sources.byName[name]
	}
	return s.current.Load().byName[name]
}
