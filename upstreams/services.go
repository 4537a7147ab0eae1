// Package upstreams has the services behind the graph: which ones there are, how each is
// reached, and what is sent with every call. Its packages rest (one call), balance (which
// replica), replay (what may be sent again) and http1 (connections over plain HTTP) do the
// work.
//
// It promises that each call is charged to the operation's budget, that a service receives
// only those headers of the client that its configuration lists, and that every error is a
// *fault.Error in which only Cause holds an address.
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

// Services are the configured services. They are safe for concurrent use.
type Services struct {
	// By the name of the source.
	clients    map[string]*rest.Client
	coalescing map[string]*rest.Client      // the same clients, over a transport that coalesces calls
	slots      map[string]*engine.Semaphore // how many calls may run
	config     map[string]map[string]string

	transports []*transport
	forward    []string // canonical names
}

// New returns the services that o configures, without calling any. Each line of the log that
// belongs to a request has its request_id. Its error joins all
// mistakes, each with the name of its source and the way to correct it. The log receives a
// debug line for each call and a warning when a replica fails; nil discards them.
func New(o Options, log *slog.Logger) (*Services, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = slog.New(&requestHandler{log.Handler()})
	s := &Services{
		clients:    make(map[string]*rest.Client, len(o)),
		coalescing: make(map[string]*rest.Client, len(o)),
		slots:      make(map[string]*engine.Semaphore, len(o)),
		config:     make(map[string]map[string]string, len(o)),
		forward:    []string{},
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if err := s.add(name, o[name], log); err != nil {
			errs = append(errs, withSource(name, err)...)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// withSource returns the errors that err joins, each prefixed with the name of the source.
func withSource(source string, err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{fmt.Errorf("source %q: %w", source, err)}
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		errs = append(errs, withSource(source, err)...)
	}
	return errs
}

func (s *Services) add(name string, o Source, log *slog.Logger) error {
	endpoints, urlsErr := o.endpoints()
	policy, policyErr := balance.NewPolicy(o.Balance)
	if err := errors.Join(urlsErr, policyErr, o.validate()); err != nil {
		return err
	}
	o = o.withDefaults()
	transport, err := newTransport(o)
	if err != nil {
		return err
	}
	s.transports = append(s.transports, transport)
	s.forward = addNames(s.forward, o.Forward)
	s.config[name] = maps.Clone(o.Config)
	h := newHeaders(o)
	client := rest.Client{
		Service: name,
		Transport: balance.New(endpoints, balance.Options{
			Policy: policy,
			Log:    log.With(slog.String("source", name)),
		}, transport),
		Timeout:         o.Timeout,
		MaxResponse:     o.MaxResponse,
		DecorateHeaders: h.decorate,
		DeniesCaller:    h.deniesCaller,
		Reserve:         engine.ReserveMemory,
		Log:             log,
	}
	s.clients[name] = &client
	s.slots[name] = &engine.Semaphore{Max: o.Pool.MaxCalls}
	coalescing := client
	coalescing.Transport = newCoalescingTransport(name, client.Transport, s.slots[name], o)
	s.coalescing[name] = &coalescing
	return nil
}

// Do makes one call to a source and charges it to the operation's budget. A call with an
// error of its own (rest.Call.Err) is neither charged nor sent. The response is a 2xx; the
// error is always a *fault.Error, as rest.Client.Do describes it. If the operation coalesces
// (engine.Options), a GET may receive a copy of the response to an equal call that another
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
		resp, err := s.coalescing[source].Do(ctx, c) // which acquires a slot if it sends the request
		return resp, engine.OverloadError(ctx, err)
	}
	slots := s.slots[source]
	if err := slots.Acquire(ctx); err != nil {
		return nil, notSent(source, err)
	}
	defer slots.Release()
	resp, err := client.Do(ctx, c)
	return resp, engine.OverloadError(ctx, err)
}

// do is Do, or an equal call of the operation, followed by the first of rules, if there is one and it is not nil.
func (s *Services) do(ctx context.Context, source string, c *rest.Call, rules []*Rules) (*rest.Response, error) {
	resp, err := s.doOnce(ctx, source, c)
	if len(rules) == 0 || rules[0] == nil {
		return resp, err
	}
	statusErr, hasStatus := errors.AsType[*rest.StatusError](err)
	switch {
	case hasStatus:
		resp = statusErr.Response
	case err != nil: // there was no response
		return nil, err
	}
	return s.applyRules(rules[0], source, c, resp, !hasStatus)
}

// applyRules returns r if it is a success, and a fault otherwise. is2xx is used when the
// rules do not define success.
func (s *Services) applyRules(rules *Rules, source string, c *rest.Call, r *rest.Response, is2xx bool) (*rest.Response, error) {
	response, success := newResponse(s.config[source], r), is2xx
	if rules.Success != nil {
		success = rules.Success(response)
	}
	if success {
		return r, nil
	}
	f := rest.StatusFault(source, c, r)
	if text := rules.message(response); text != "" {
		f.Message = text
	}
	f.Extensions = rules.extensions(response)
	return nil, f
}

// notSent returns the fault of a call that got no slot before its context ended.
func notSent(source string, err error) error {
	return &fault.Error{Code: fault.GatewayTimeout, Message: "the call's turn did not come in time", Service: source, Cause: err}
}

// ForwardedHeaders returns the canonical names of the client's headers that at least one source
// lists under Forward. It is never nil. All services receive X-Request-Id, but it is
// returned only if a source lists it.
func (s *Services) ForwardedHeaders() []string { return slices.Clone(s.forward) }

// Close closes the idle connections. Running calls continue.
func (s *Services) Close() {
	for _, t := range s.transports {
		t.CloseIdleConnections()
	}
}
