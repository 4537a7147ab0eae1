package upstreams

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
	"github.com/gatehouse-graphql/gatehouse/upstreams/stale"
)

// Stale says which responses FetchStale and FetchKeysStale may show in place of a failure.
type Stale struct {
	// MaxAge is how old they may be.
	MaxAge time.Duration
	// Rules names the rules of the binding, which decide what a good response is: bindings with
	// different rules share none. It is empty for a binding without rules.
	Rules string
}

// FetchStale is Fetch for a field that shows an older value when the service fails. It keeps the
// response to each call. If a call fails in a way that may degrade a field (engine.Degradable), and
// the last good response to an equal call is young enough, FetchStale returns the value of that, with
// a *engine.Degraded.
//
// Responses are kept as they came, and decoded when they are shown: another operation may select
// fields of them that the operation did not that made the call. Calls are equal if they send the same
// request, the client's headers that the service gets included. So a client is shown only what the
// service has sent, or would have sent, to itself. What a service refuses, or has no more, is
// forgotten.
func FetchStale[T any](ctx context.Context, s *Services, source string, c *rest.Call, kept Stale, read func(*decode.Decoder) T, rules ...*Rules) (T, error) {
	k := s.keeper(ctx, source, kept)
	key := k.key(c)
	v, err := fetch(ctx, s, source, c, read, rules, func(r *rest.Response, _ T, err error) {
		if !isFailure(err) {
			k.put(ctx, []stale.Key{key}, r)
		}
	})
	if !isFailure(err) {
		return v, err
	}
	f := engine.Degradable(err)
	if f == nil {
		k.forget(ctx, err, key)
		return v, err
	}
	old := k.get(ctx, key)
	if old == nil {
		return v, err
	}
	older, oldErr := decodeStale(ctx, source, old, rules, read)
	keyFaults, _ := errors.AsType[*decode.KeyFaults](oldErr)
	if isFailure(oldErr) {
		return v, err
	}
	older, degraded := engine.StaleValue(older, time.Since(old.At), f)
	engine.AsDegraded(degraded).KeyFaults = keyFaults
	return older, degraded
}

// FetchKeysStale is FetchStale for a batch. It keeps which response has the value of each key, so that
// of a batch that fails those keys have older values that any batch has fetched before. Its error is a
// *engine.DegradedKeys then. call returns the call for some of the keys.
func FetchKeysStale[T any](ctx context.Context, s *Services, source string, keys []string, call func(keys []string) *rest.Call, kept Stale, read func(*decode.Decoder) map[string]T, rules ...*Rules) (map[string]T, error) {
	k := s.keeper(ctx, source, kept)
	values, err := fetch(ctx, s, source, call(keys), read, rules, func(r *rest.Response, values map[string]T, err error) {
		good := make([]stale.Key, 0, len(keys))
		for i, key := range keys {
			if errorOf(key, values, err) == nil {
				good = append(good, k.key(call(keys[i:i+1])))
			}
		}
		if len(good) > 0 {
			k.put(ctx, good, r)
		}
	})
	if err == nil {
		return values, nil
	}
	if splitter, ok := errors.AsType[engine.BatchSplitter](err); ok && len(keys) > 1 && splitter.SplitBatch() > 1 {
		return values, err
	}
	older := olderValues[T]{ctx: ctx, source: source, rules: rules, read: read, decoded: map[*stale.Response]decodedResponse[T]{}}
	degraded := map[string]engine.Degradation{}
	for i, key := range keys {
		keyErr := errorOf(key, values, err)
		if keyErr == nil {
			continue
		}
		id := k.key(call(keys[i : i+1]))
		f := engine.Degradable(keyErr)
		if f == nil {
			k.forget(ctx, keyErr, id)
			continue
		}
		old := k.get(ctx, id)
		if old == nil {
			continue
		}
		v, found, ok := older.of(key, old)
		if !ok {
			continue
		}
		degraded[key] = engine.Degradation{Mode: engine.DegradedToStale, Age: time.Since(old.At), Fault: f}
		if found {
			if values == nil {
				values = map[string]T{}
			}
			values[key] = v
		}
	}
	if len(degraded) == 0 {
		return values, err
	}
	return values, &engine.DegradedKeys{Keys: degraded, Err: err}
}

// isFailure reports whether err is the failure of a whole call, and not of single keys.
func isFailure(err error) bool {
	_, ofKeys := errors.AsType[*decode.KeyFaults](err)
	return err != nil && !ofKeys
}

// errorOf returns the error of one key of a batch, whose results are values and err.
func errorOf[T any](key string, values map[string]T, err error) error {
	faults, ofKeys := errors.AsType[*decode.KeyFaults](err)
	if !ofKeys {
		return err
	}
	if _, ok := valueOf(key, values); ok {
		return nil
	}
	return faults.OfKey(key)
}

// valueOf returns the value of a key, which readers of batches may have arranged in another form.
func valueOf[T any](key string, values map[string]T) (v T, ok bool) {
	if v, ok = values[key]; !ok {
		v, ok = values[decode.CanonicalKey(key)]
	}
	return v, ok
}

// olderValues decodes the kept responses of a batch, each once.
type olderValues[T any] struct {
	ctx     context.Context
	source  string
	rules   []*Rules
	read    func(*decode.Decoder) map[string]T
	decoded map[*stale.Response]decodedResponse[T]
}

type decodedResponse[T any] struct {
	values map[string]T
	err    error
}

// of returns the value of a key in a kept response. found reports whether the service had a value for
// the key, ok whether the response can still be read.
func (o olderValues[T]) of(key string, r *stale.Response) (v T, found, ok bool) {
	all, isDecoded := o.decoded[r]
	if !isDecoded {
		all.values, all.err = decodeStale(o.ctx, o.source, r, o.rules, o.read)
		o.decoded[r] = all
	}
	if errorOf(key, all.values, all.err) != nil {
		return v, false, false
	}
	v, found = valueOf(key, all.values)
	return v, found, true
}

// decodeStale decodes a kept response, whose memory it reserves: for the operation it is like one that
// has just arrived.
func decodeStale[T any](ctx context.Context, source string, r *stale.Response, rules []*Rules, read func(*decode.Decoder) T) (T, error) {
	resp := &rest.Response{Status: r.Status, Body: r.Body}
	if asNull(rules, resp, nil) != nil {
		var null T
		return null, nil
	}
	if err := engine.ReserveMemory(ctx, int64(len(r.Body))); err != nil {
		var none T
		return none, err
	}
	return decode.ReadProjection(source, r.Body, engine.FaultsOf(ctx), engine.ProjectionOf(ctx), read)
}

// keeper keeps the responses of one source for one client.
type keeper struct {
	store  stale.Store
	maxAge time.Duration
	prefix []byte // of the texts that identify calls

	setsCookies bool // clients receive the cookies of the source
}

// keeper returns the keeper of a source. Without the source it keeps nothing, since each call fails.
func (s *Services) keeper(ctx context.Context, source string, kept Stale) keeper {
	to := s.source(ctx, source)
	if to == nil {
		return keeper{store: stale.NewMemory(stale.Options{})}
	}
	sent := http.Header{}
	to.client.DecorateHeaders(ctx, sent)
	for _, name := range slices.Concat(to.options.noVaryHeaders(), []string{RequestIDHeader}) {
		delete(sent, name) // no response depends on it
	}
	b := coalesce.AppendText(coalesce.AppendText(nil, source), kept.Rules)
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		b = coalesce.AppendTexts(coalesce.AppendText(b, name), sent[name])
	}
	return keeper{store: to.stale, maxAge: kept.MaxAge, prefix: b, setsCookies: to.setsCookies}
}

// key returns the key of a call.
func (k keeper) key(c *rest.Call) stale.Key {
	return stale.KeyOf(coalesce.AppendText(slices.Clip(k.prefix), c.Key()))
}

// put keeps a response, unless the client receives a cookie with it: its body may belong to a session
// that other clients do not have.
func (k keeper) put(ctx context.Context, keys []stale.Key, r *rest.Response) {
	if k.setsCookies && len(r.Header[setCookie]) > 0 {
		k.store.Delete(ctx, keys...)
		return
	}
	k.store.Put(ctx, keys, &stale.Response{Status: r.Status, Body: bytes.Clone(r.Body), At: time.Now()}, k.maxAge)
}

// get returns a kept response that is young enough, or nil.
func (k keeper) get(ctx context.Context, key stale.Key) *stale.Response {
	r := k.store.Get(ctx, key)
	if r == nil || time.Since(r.At) > k.maxAge {
		return nil
	}
	return r
}

// forget forgets the response to a call that the service has now answered with a refusal.
func (k keeper) forget(ctx context.Context, err error, key stale.Key) {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Status != 0 {
		k.store.Delete(ctx, key)
	}
}
