// Package upstreams owns the services behind the graph: which there are, how each is
// reached, and what is sent along with every call. rest makes one call, balance
// chooses the replica, http1 has the connections to those that speak plain HTTP.
//
// It promises that a call costs its operation one from the budget, that a service
// gets of the client's headers only what its configuration lists, and that whatever
// goes wrong is a *fault.Error of which only Cause names an address.
package upstreams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Services are the configured ones. They are safe for concurrent use.
type Services struct {
	clients map[string]*rest.Client
	sharing map[string]*rest.Client      // the same, for calls that may be shared
	running map[string]*engine.Slots     // of calls to each source
	config  map[string]map[string]string // by source
	pools   []*transport
	forward []string // canonical
}

// New makes the services of o without calling any. Its error tells all mistakes, each
// with the name of its source and what to do. The log gets a debug line for each call
// and a warning when a replica fails; nil is no log.
func New(o Options, log *slog.Logger) (*Services, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Services{
		clients: make(map[string]*rest.Client, len(o)), sharing: make(map[string]*rest.Client, len(o)),
		running: make(map[string]*engine.Slots, len(o)),
		config:  make(map[string]map[string]string, len(o)), forward: []string{},
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if err := s.add(name, o[name], log); err != nil {
			errs = append(errs, named(name, err)...)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// named puts the source's name before each of the errors that were joined.
func named(source string, err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{fmt.Errorf("source %q: %w", source, err)}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, named(source, one)...)
	}
	return all
}

func (s *Services) add(name string, o Source, log *slog.Logger) error {
	endpoints, urlsErr := o.endpoints()
	policy, balanceErr := balance.Named(o.Balance)
	if err := errors.Join(urlsErr, balanceErr, o.check()); err != nil {
		return err
	}
	o = o.withDefaults()
	pool, err := newTransport(o)
	if err != nil {
		return err
	}
	s.pools = append(s.pools, pool)
	s.forward = union(s.forward, o.Forward)
	s.config[name] = maps.Clone(o.Config)
	client := rest.Client{
		Service: name,
		Transport: balance.New(endpoints, balance.Options{
			Policy: policy,
			Log:    log.With(slog.String("source", name)),
		}, pool),
		Timeout:         o.Timeout,
		MaxResponse:     o.MaxResponse,
		DecorateHeaders: newHeaders(o).complete,
		Log:             log,
	}
	s.clients[name] = &client
	s.running[name] = &engine.Slots{Max: o.Pool.MaxCalls}
	sharing := client
	sharing.Transport = newCoalescing(name, client.Transport, s.running[name], o)
	s.sharing[name] = &sharing
	return nil
}

// Do makes one call to a source and takes it from the operation's budget, except when
// a value did not fit and nothing is sent. The answer is a 2xx; the error is always a
// *fault.Error, as rest.Client.Do describes it. Where the operation coalesces
// (engine.Options), a GET may get a copy of the response to an equal call that another
// operation is making.
func (s *Services) Do(ctx context.Context, source string, c *rest.Call) (*rest.Response, error) {
	client, ok := s.clients[source]
	if !ok {
		return nil, fault.New(fault.Internal, "the service is not configured").
			WithCause(fmt.Errorf("no source %q: add it to the configuration, under sources", source))
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := engine.SpendCall(ctx); err != nil {
		return nil, err
	}
	if err := engine.AcquireCall(ctx); err != nil {
		return nil, notSent(source, err)
	}
	defer engine.ReleaseCall(ctx)
	if coalesces(ctx, c) {
		return s.sharing[source].Do(ctx, c)
	}
	running := s.running[source]
	if err := running.Acquire(ctx); err != nil {
		return nil, notSent(source, err)
	}
	defer running.Release()
	if c.SentOnce() {
		ctx = balance.Once(ctx)
	}
	return client.Do(ctx, c)
}

// notSent is the fault of a call whose turn did not come before its context ended.
func notSent(source string, err error) error {
	return &fault.Error{Code: fault.GatewayTimeout, Message: "the call's turn did not come in time", Service: source, Cause: err}
}

// Forwarded are the headers of clients' requests that any service gets, in the form of
// http.Header. It is never nil. X-Request-Id, which all get for their logs, is among them
// when a source lists it.
func (s *Services) Forwarded() []string { return slices.Clone(s.forward) }

// Close closes the connections that wait for calls. Running calls go on.
func (s *Services) Close() {
	for _, pool := range s.pools {
		pool.CloseIdleConnections()
	}
}
