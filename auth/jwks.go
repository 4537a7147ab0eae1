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
	"time"

	"github.com/MicahParks/jwkset"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

const (
	// refreshEvery is how long a fetched set is believed without asking again.
	refreshEvery = 15 * time.Minute
	// fetchPause lies between two attempts, however many tokens name unknown keys
	// and however long the server has been down.
	fetchPause = 10 * time.Second
	// fetchTimeout bounds one attempt.
	fetchTimeout = 10 * time.Second
	// maxKeySet is the size of a set that is read, in bytes.
	maxKeySet = 1 << 20
)

// keySet holds the keys of a JWKS URL. jwkset reads each key; the fetching is our
// own, because the answer to a token depends on it: a key that is unknown and a
// server that is down must be told apart, no request may wait for a rate limit,
// and one odd key must not hide the others.
type keySet struct {
	url    string
	client *http.Client
	log    *slog.Logger
	want   chan struct{} // asks run to fetch; holds one
	ended  chan struct{} // closed when run has returned: no attempt will come

	mu    sync.Mutex
	state fetched // guarded by mu
}

// fetched is the outcome of the last attempt. It is replaced, never changed.
type fetched struct {
	keys []jwkset.JWK  // of the last attempt that succeeded
	err  error         // of the last attempt, nil when it succeeded
	at   time.Time     // when it ended; zero before the first
	next chan struct{} // closed when the attempt after it has ended
}

func newKeySet(url string, client *http.Client, log *slog.Logger) *keySet {
	return &keySet{
		url: url, client: client, log: log,
		want:  make(chan struct{}, 1),
		ended: make(chan struct{}),
		state: fetched{next: make(chan struct{})},
	}
}

// newKeyClient follows no redirect: the keys come from the URL that was configured.
func newKeyClient() *http.Client {
	return &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// run fetches the set now, when it is old, and when a token names an unknown key,
// until ctx ends.
func (s *keySet) run(ctx context.Context) {
	defer close(s.ended)
	defer s.client.CloseIdleConnections()
	for ctx.Err() == nil {
		s.refresh(ctx)
		s.rest(ctx)
	}
}

// rest returns when the next attempt is due.
func (s *keySet) rest(ctx context.Context) {
	last := s.now()
	wait := refreshEvery
	if last.err != nil {
		wait = fetchPause
	}
	due := time.NewTimer(wait)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-due.C:
			return
		case <-s.want:
			// What was asked before the last attempt ended, that attempt has answered.
			if time.Since(last.at) >= fetchPause {
				return
			}
		}
	}
}

func (s *keySet) refresh(ctx context.Context) {
	keys, err := s.fetch(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Error("the issuer's keys cannot be fetched", "jwks", s.url, "error", err, "again_in", fetchPause)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		keys = s.state.keys // better the keys of before than none
	}
	close(s.state.next)
	s.state = fetched{keys: keys, err: err, at: time.Now(), next: make(chan struct{})}
}

func (s *keySet) now() fetched {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// find waits for one more attempt when no key fits, unless the last one is fresh.
func (s *keySet) find(ctx context.Context, kid, alg string) ([]any, error) {
	last := s.now()
	keys := last.fitting(kid, alg)
	if len(keys) > 0 {
		return keys, nil
	}
	if time.Since(last.at) >= fetchPause {
		if err := s.await(ctx, last); err != nil {
			return nil, unavailable(err)
		}
		last = s.now()
		keys = last.fitting(kid, alg)
	}
	switch {
	case len(keys) > 0:
		return keys, nil
	case last.err != nil:
		return nil, unavailable(last.err)
	default:
		return nil, fmt.Errorf("it has no key %s for %s", excerpt(kid), alg)
	}
}

// await returns when the attempt after last has ended.
func (s *keySet) await(ctx context.Context, last fetched) error {
	select {
	case s.want <- struct{}{}:
	default: // somebody asked already
	}
	patience, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case <-last.next:
		return nil
	case <-s.ended:
		return errors.New("the gateway is stopping")
	case <-patience.Done():
		return patience.Err()
	}
}

func unavailable(cause error) error {
	return fault.New(fault.ServiceUnavailable, textUnavailable).WithCause(cause)
}

// fitting gives the keys which say that they may have made such a signature. A token
// that names a key gets that one only. Whether they are of the right kind is checked
// where they are used.
func (f fetched) fitting(kid, alg string) []any {
	var keys []any
	for _, key := range f.keys {
		if kid != "" && key.Marshal().KID != kid {
			continue
		}
		if signsWith(key.Marshal(), alg) {
			keys = append(keys, key.Key())
		}
	}
	return keys
}

// signsWith reads what the key says it is for (RFC 7517, sections 4.2 to 4.4).
func signsWith(key jwkset.JWKMarshal, alg string) bool {
	return (key.USE == "" || key.USE == jwkset.UseSig) &&
		(len(key.KEYOPS) == 0 || slices.Contains(key.KEYOPS, jwkset.KeyOpsVerify)) &&
		(key.ALG == "" || key.ALG.String() == alg)
}

func (s *keySet) fetch(ctx context.Context) ([]jwkset.JWK, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	return s.readKeys(body)
}

// readKeys leaves out, with a word in the log, the keys it cannot read.
func (s *keySet) readKeys(body []byte) ([]jwkset.JWK, error) {
	if len(body) > maxKeySet {
		return nil, fmt.Errorf("the set is larger than %d bytes", maxKeySet)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("the answer is no key set: %w", err)
	}
	if set.Keys == nil {
		return nil, errors.New("the answer is no key set: it has no keys")
	}
	keys := make([]jwkset.JWK, 0, len(set.Keys))
	for at, raw := range set.Keys {
		// Without Private, a secret key is refused and of a private one the public half is read.
		key, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			s.log.Warn("a key of the issuer's set is left out", "jwks", s.url, "key", at, "error", err)
			continue
		}
		keys = append(keys, key)
	}
	return keys, nil
}
