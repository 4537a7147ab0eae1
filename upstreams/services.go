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
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
	"github.com/gatehouse-graphql/gatehouse/upstreams/stale"
)

// Services are the configured services. They are safe for concurrent use.
type Services struct {
	current  atomic.Pointer[Sources]
	log      *slog.Logger
	observer observe.Observer // nil if there is none

	// hasResponseHeaders is whether a version of the sources has had responseHeaders. It stays set, for
	// requests that end by the version with which they began.
	hasResponseHeaders atomic.Bool
}

// source is one configured service.
type source struct {
	options    Source // as they were given
	client     *rest.Client
	coalescing *rest.Client // the same client, which coalesces calls
	limiter    *resilience.Limiter
	config     map[string]string
	endpoints  *endpoints
	key        hashKey     // by which its calls are balanced
	stale      stale.Store // the last good responses of bindings that keep them

	responseHeaders []responseHeader // that clients receive
	setsCookies     bool             // one of them is Set-Cookie
}

// New returns the services that o configures, without calling any. The addresses of their names are
// looked up in the background. Its error joins all mistakes, each with the name of its source and the
// way to correct it. The log receives a debug line for each call and a warning when an endpoint is
// ejected; nil discards them. Each line that belongs to a request has its request_id. The observers
// hear of all calls.
func New(o Options, log *slog.Logger, observers ...observe.Observer) (*Services, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Services{log: slog.New(&requestHandler{log.Handler()}), observer: observe.All(observers...)}
	s.current.Store(&Sources{services: s})
	sources, err := s.Prepare(o)
	if err != nil {
		return nil, err
	}
	s.Use(sources)
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

// newSource returns a source. It takes over the connections, the endpoints and what is known of them
// from kept, unless that is nil.
func newSource(name string, o Source, kept *source, log *slog.Logger) (*source, error) {
	options := o
	origins, urlsErr := o.origins()
	key, keyErr := parseHashKey(o.Balance.Key)
	if keyErr != nil {
		keyErr = fmt.Errorf("balance.key %w", keyErr)
	}
	if err := errors.Join(urlsErr, keyErr, o.validate()); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &source{
		options: options, key: key, config: maps.Clone(o.Config), limiter: resilience.NewLimiter(o.Concurrency),
		responseHeaders: o.responseHeaders(), setsCookies: o.setsCookies(),
	}
	sourceLog := log.With(slog.String("source", name))
	repeated := o.resilience()
	repeated.Log = sourceLog
	repeats := resilience.New(repeated)
	if kept != nil {
		s.endpoints = kept.endpoints
		if kept.options.Concurrency == options.Concurrency {
			s.limiter = kept.limiter
		}
		if reflect.DeepEqual(kept.options.resilience(), options.resilience()) {
			repeats = kept.client.Resilience
		}
		if kept.options.Stale == options.Stale {
			s.stale = kept.stale
		}
	} else {
		balancer := balance.New(nil, balance.Options{Settings: o.Balance, Eject: o.Health.Eject, Probe: o.probe(), Log: sourceLog})
		var err error
		if s.endpoints, err = newEndpoints(o, origins, balancer, sourceLog); err != nil {
			return nil, err
		}
	}
	h := newHeaders(o)
	client := rest.Client{
		Service:         name,
		Balancer:        s.endpoints.balancer,
		Timeout:         o.Timeout,
		AttemptTimeout:  o.AttemptTimeout,
		Resilience:      repeats,
		DeadlineHeader:  o.deadlineHeader(),
		MaxResponse:     o.MaxResponse,
		DecorateHeaders: h.decorate,
		DeniesCaller:    h.deniesCaller,
		Reserve:         engine.ReserveMemory,
		Log:             log,
	}
	s.client = &client
	if s.stale == nil {
		s.stale = stale.NewMemory(o.Stale)
	}
	coalescing := client
	coalescing.Join = newCoalescer(name, s.limiter, o).join
	s.coalescing = &coalescing
	return s, nil
}

// Do makes one call to a source and charges it to the operation's budget. A call with an
// error of its own (rest.Call.Err) is neither charged nor sent. The response is a 2xx; the
// error is always a *fault.Error, as rest.Client.Do describes it. If the operation coalesces
// (engine.Options), a GET may receive a copy of the response to an equal call that another
// operation is making.
func (s *Services) Do(ctx context.Context, source string, c *rest.Call) (*rest.Response, error) {
	c = s.observe(ctx, source, c)
	r, err := s.send(ctx, source, c)
	if err == nil {
		r.Accept()
		s.addHeaders(ctx, source, c, r)
	}
	c.EndObservation(err)
	return r, err
}

// observe reports a call to the observer. It returns the call to send, whose EndObservation ends it:
// without an observer, c itself.
func (s *Services) observe(ctx context.Context, source string, c *rest.Call) *rest.Call {
	if s.observer == nil || s.source(ctx, source) == nil {
		return c
	}
	to := s.observer.StartCall(ctx, observe.CallInfo{Source: source, Request: c})
	if to == nil {
		return c
	}
	return c.Observed(to)
}

// send is Do, but leaves it to its caller to accept or reject the response.
func (s *Services) send(ctx context.Context, source string, c *rest.Call) (*rest.Response, error) {
	to := s.source(ctx, source)
	if to == nil {
		return nil, fault.New(fault.Internal, "the service is not configured").
			WithCause(fmt.Errorf("no source %q: add it to the configuration, under sources", source))
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	c = to.keyed(ctx, c)
	if err := engine.SpendCall(ctx); err != nil {
		return nil, err
	}
	if err := engine.AcquireCall(ctx, source); err != nil {
		return nil, notSent(source, err)
	}
	defer engine.ReleaseCall(ctx, source)
	if to.coalesces(ctx, c) {
		resp, err := to.coalescing.Do(ctx, c) // which acquires a slot if it sends the request
		return resp, engine.OverloadError(ctx, err)
	}
	slot, err := to.limiter.Acquire(ctx)
	if err != nil {
		return nil, notSent(source, err)
	}
	resp, err := to.client.Do(ctx, c)
	slot.Release(hasResponse(err))
	return resp, engine.OverloadError(ctx, err)
}

// hasResponse reports whether a call with this error has had a response.
func hasResponse(err error) bool {
	if err == nil {
		return true
	}
	_, ok := errors.AsType[*rest.StatusError](err)
	return ok
}

// again makes a call once more whose response r could not be decoded. It reports false if the call
// must not be repeated. Places that share the response share its repetition, and so do operations
// that coalesce.
func (s *Services) again(ctx context.Context, source string, c *rest.Call, r *rest.Response, rules []*Rules) (again *rest.Response, ok bool, err error) {
	to := s.source(ctx, source)
	if to == nil {
		return nil, false, nil
	}
	repeat := func(ctx context.Context) (*rest.Response, error) { return to.repeat(ctx, c, r) }
	if sharesCall(ctx, c) {
		again, err = s.once(ctx, source, c, r.Attempts(), repeat)
	} else {
		again, err = repeat(ctx)
	}
	if errors.Is(err, errNotRepeated) {
		return nil, false, nil
	}
	again, err = s.judge(ctx, rules, source, c, again, err)
	return again, true, err
}

// errNotRepeated is the error of a repetition that was not made.
var errNotRepeated = errors.New("the call is not repeated")

// repeat makes a call once more, as Services.send does. Its error is errNotRepeated if the call must
// not be repeated.
func (s *source) repeat(ctx context.Context, c *rest.Call, r *rest.Response) (*rest.Response, error) {
	c = s.keyed(ctx, c)
	if engine.AcquireCall(ctx, s.client.Service) != nil {
		return nil, errNotRepeated
	}
	defer engine.ReleaseCall(ctx, s.client.Service)
	client := s.client
	if s.coalesces(ctx, c) {
		client = s.coalescing
	} else {
		slot, err := s.limiter.Acquire(ctx)
		if err != nil {
			return nil, errNotRepeated
		}
		defer slot.Release(false)
	}
	again, ok, err := client.Again(ctx, c, r)
	if !ok {
		return nil, errNotRepeated
	}
	return again, engine.OverloadError(ctx, err)
}

// do is Do, or an equal call of the operation, followed by the rules. The response has neither been
// accepted nor rejected.
func (s *Services) do(ctx context.Context, source string, c *rest.Call, rules []*Rules) (*rest.Response, error) {
	c = s.expecting(ctx, source, c, rules)
	var resp *rest.Response
	var err error
	if sharesCall(ctx, c) {
		resp, err = s.once(ctx, source, c, 0, func(ctx context.Context) (*rest.Response, error) { return s.send(ctx, source, c) })
	} else {
		resp, err = s.send(ctx, source, c)
	}
	return s.judge(ctx, rules, source, c, resp, err)
}

// expecting returns c, or a copy for which the responses that the rules read as null or as data are
// not failures, whatever their status.
func (s *Services) expecting(ctx context.Context, source string, c *rest.Call, rules []*Rules) *rest.Call {
	to := s.source(ctx, source)
	if to == nil || len(rules) == 0 || rules[0] == nil || !rules[0].mayExpectFailures() {
		return c
	}
	return c.Expecting(func(r *rest.Response) bool {
		return slices.Contains(rules[0].NullOn, r.Status) || rules[0].Success != nil && rules[0].Success(newResponse(to.config, r))
	})
}

// judge applies the first of rules, if there is one and it is not nil, to the response or the error of a
// call.
func (s *Services) judge(ctx context.Context, rules []*Rules, source string, c *rest.Call, resp *rest.Response, err error) (*rest.Response, error) {
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
	return s.applyRules(ctx, rules[0], source, c, resp, !hasStatus)
}

// applyRules returns r if it is a success, and a fault otherwise. is2xx is used when the
// rules do not define success.
func (s *Services) applyRules(ctx context.Context, rules *Rules, source string, c *rest.Call, r *rest.Response, is2xx bool) (*rest.Response, error) {
	response, success := newResponse(s.source(ctx, source).config, r), is2xx
	if rules.Success != nil {
		success = rules.Success(response)
	}
	if success {
		return r, nil
	}
	r.Accept() // it is what the service meant to say
	f := rest.StatusFault(source, c, r)
	if text := rules.message(response); text != "" {
		f.Message = text
	}
	f.Extensions = rules.extensions(response)
	return nil, f
}

// notSent returns the fault of a call that got no slot before its context ended, or was refused one.
func notSent(source string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok { // the operation's turn refused the call
		return err
	}
	f := &fault.Error{Code: fault.GatewayTimeout, Message: "the call's turn did not come in time", Service: source, Cause: err}
	if errors.Is(err, resilience.ErrQueueFull) || errors.Is(err, resilience.ErrWaitedLong) {
		f.Code, f.Message = fault.ServiceUnavailable, "too many calls wait for the service"
	}
	return f
}

// Close ends what runs in the background, and closes the idle connections, and those of running calls
// when the calls end.
func (s *Services) Close() {
	for _, source := range s.current.Load().byName {
		source.endpoints.close()
	}
}
