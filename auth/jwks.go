package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

const (
	// refreshInterval is how long a fetched set is used before it is fetched again.
	refreshInterval = 15 * time.Minute
	// minFetchInterval is the minimum time between two fetches, however many tokens name
	// unknown keys and however long the server has been down.
	minFetchInterval = 10 * time.Second
	// fetchTimeout bounds one fetch.
	fetchTimeout = 10 * time.Second
	// maxKeySet bounds a key set, in bytes.
	maxKeySet = 1 << 20
)

// keySet has the keys of a JWKS URL (RFC 7517, 5). Package jwkset parses each key; fetching is
// our own for three reasons. An unknown key and a server that is down must lead to different
// errors. No request may wait for a rate limit. And one malformed key must not hide the
// others.
//
// One goroutine, run, fetches. A request whose token names an unknown key asks for a refresh
// and waits for the next fetch to end, whatever its result. All such requests share that
// fetch, and within minFetchInterval of a fetch they are refused without another one: so
// forged key ids cannot make the gateway flood the server.
type keySet struct {
	url             string
	client          *http.Client
	maxAge          atomic.Int64 // of the keys, a time.Duration; a negative value means no limit
	log             *slog.Logger
	refreshRequests chan struct{}      // wakes run; its capacity of 1 merges requests
	stop            context.CancelFunc // ends run; nil before it is started
	stopped         chan struct{}      // closed when run has returned, after which there are no fetches

	mu    sync.Mutex
	state keySetState // guarded by mu
}

// keySetState is the result of the last fetch. It is replaced, never changed.
type keySetState struct {
	keys      []jwkset.JWK  // of the last successful fetch
	keysAt    time.Time     // the end of that fetch; zero before it
	err       error         // of the last fetch, nil when it succeeded
	fetchedAt time.Time     // the end of the last fetch; zero before the first
	next      chan struct{} // closed when the fetch after this one has ended
}

func newKeySet(url string, client *http.Client, maxAge time.Duration, log *slog.Logger) *keySet {
	s := &keySet{
		url: url, client: client, log: log,
		refreshRequests: make(chan struct{}, 1),
		stopped:         make(chan struct{}),
		state:           keySetState{next: make(chan struct{})},
	}
	s.maxAge.Store(int64(maxAge))
	return s
}

// newKeyClient returns a client that follows no redirects: the keys must come from the
// configured URL.
func newKeyClient() *http.Client {
	return &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// run fetches the set at once, after refreshInterval, and when a token names an unknown key,
// until ctx ends.
func (s *keySet) run(ctx context.Context) {
	defer close(s.stopped)
	defer s.client.CloseIdleConnections()
	for ctx.Err() == nil {
		s.refresh(ctx)
		s.waitForRefresh(ctx)
	}
}

// waitForRefresh returns when the next fetch is due, or ctx ends.
func (s *keySet) waitForRefresh(ctx context.Context) {
	last := s.snapshot()
	wait := refreshInterval
	if last.err != nil {
		wait = minFetchInterval
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-s.refreshRequests:
			// A request from before the last fetch ended has been served by that fetch.
			if time.Since(last.fetchedAt) >= minFetchInterval {
				return
			}
		}
	}
}

// refresh fetches the set once and publishes the result.
func (s *keySet) refresh(ctx context.Context) {
	keys, err := s.fetch(ctx)
	now := time.Now()
	next := keySetState{keys: keys, keysAt: now, err: err, fetchedAt: now, next: make(chan struct{})}
	if err != nil {
		next.keys, next.keysAt = s.usableKeys() // keep the previous keys while the server is down
		if ctx.Err() == nil {
			s.logFailure(next, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.state.next)
	s.state = next
}

// usableKeys returns the keys of the last successful fetch, and when that was. Keys that are too
// old are not returned.
func (s *keySet) usableKeys() ([]jwkset.JWK, time.Time) {
	last := s.snapshot()
	if last.isTooOld(s.maxKeyAge()) {
		return nil, last.keysAt
	}
	return last.keys, last.keysAt
}

// maxKeyAge returns how old the keys may become.
func (s *keySet) maxKeyAge() time.Duration { return time.Duration(s.maxAge.Load()) }

// isTooOld reports whether the keys must not be used any longer.
func (f keySetState) isTooOld(maxAge time.Duration) bool {
	return maxAge >= 0 && !f.keysAt.IsZero() && time.Since(f.keysAt) > maxAge
}

// logFailure logs that a fetch failed, and what that means for the issuer's tokens.
func (s *keySet) logFailure(next keySetState, err error) {
	attrs := []any{"jwks", s.url, "error", err, "retry_in_ms", minFetchInterval.Milliseconds()}
	switch {
	case next.keysAt.IsZero():
		s.log.Error("the issuer's keys cannot be fetched; its tokens are refused until they can", attrs...)
	case next.isTooOld(s.maxKeyAge()):
		s.log.Error("the issuer's keys cannot be fetched, and the last ones are older than auth.maxKeyAge; its tokens are refused until they can", append(attrs, "fetched_at", next.keysAt)...)
	default:
		s.log.Error("the issuer's keys cannot be fetched; the last ones are used", append(attrs, "fetched_at", next.keysAt)...)
	}
}

func (s *keySet) snapshot() keySetState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// find implements keySource. If no key matches, it waits for another fetch, unless the last
// one was less than minFetchInterval ago.
func (s *keySet) find(ctx context.Context, kid, alg string) ([]any, error) {
	last := s.snapshot()
	keys := s.matching(last, kid, alg)
	if len(keys) > 0 {
		return keys, nil
	}
	if time.Since(last.fetchedAt) >= minFetchInterval {
		if err := s.awaitRefresh(ctx, last); err != nil {
			return nil, unavailableFault(err)
		}
		last = s.snapshot()
		keys = s.matching(last, kid, alg)
	}
	switch {
	case len(keys) > 0:
		return keys, nil
	case last.err != nil && last.isTooOld(s.maxKeyAge()):
		return nil, unavailableFault(fmt.Errorf("the last keys, of %s, are older than auth.maxKeyAge, and cannot be fetched: %w", last.keysAt.UTC().Format(time.RFC3339), last.err))
	case last.err != nil:
		return nil, unavailableFault(last.err)
	default:
		return nil, fmt.Errorf("it has no key %s for %s", quoteShort(kid), alg)
	}
}

// awaitRefresh asks for a fetch and returns when the one after last has ended.
func (s *keySet) awaitRefresh(ctx context.Context, last keySetState) error {
	select {
	case s.refreshRequests <- struct{}{}:
	default: // a request is pending already
	}
	waitCtx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case <-last.next:
		return nil
	case <-s.stopped:
		return errors.New("its keys are no longer fetched: the gateway is stopping, or the settings have changed")
	case <-waitCtx.Done():
		return waitCtx.Err()
	}
}

func unavailableFault(cause error) error {
	return fault.New(fault.ServiceUnavailable, msgUnavailable).WithCause(cause)
}

// matching returns the keys of f that may have signed a token with kid and alg, by what the keys
// declare, unless they are too old. If the token names a key, only keys with that id match. verifySignature checks
// that a key is of the right type.
func (s *keySet) matching(f keySetState, kid, alg string) []any {
	if f.isTooOld(s.maxKeyAge()) {
		return nil
	}
	var keys []any
	for _, key := range f.keys {
		if kid != "" && key.Marshal().KID != kid {
			continue
		}
		if canVerify(key.Marshal(), alg) {
			keys = append(keys, key.Key())
		}
	}
	return keys
}

// canVerify reports whether a key may verify signatures by alg, by its use, key_ops and alg
// (RFC 7517, 4.2 to 4.4).
func canVerify(key jwkset.JWKMarshal, alg string) bool {
	return (key.USE == "" || key.USE == jwkset.UseSig) &&
		(len(key.KEYOPS) == 0 || slices.Contains(key.KEYOPS, jwkset.KeyOpsVerify)) &&
		(key.ALG == "" || key.ALG.String() == alg)
}

func (s *keySet) fetch(ctx context.Context) ([]jwkset.JWK, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server responded with status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	return s.parseKeys(body)
}

// parseKeys returns the keys of a set. It skips keys that it cannot parse, with a warning in
// the log.
func (s *keySet) parseKeys(body []byte) ([]jwkset.JWK, error) {
	if len(body) > maxKeySet {
		return nil, fmt.Errorf("the set is larger than %d bytes", maxKeySet)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("the response is not a key set: %w", err)
	}
	if set.Keys == nil {
		return nil, errors.New("the response is not a key set: it has no keys")
	}
	keys := make([]jwkset.JWK, 0, len(set.Keys))
	for i, raw := range set.Keys {
		// Without the option Private, jwkset refuses a secret key, and returns the public half
		// of a private one.
		key, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			s.log.Warn("a key of the issuer's set is left out", "jwks", s.url, "key", i, "error", err)
			continue
		}
		keys = append(keys, key)
	}
	return keys, nil
}
