package auth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MicahParks/jwkset"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// endpoint is a RoundTripper in the place of the issuer's server, so that time can be faked.
type endpoint struct {
	slow time.Duration // before it answers

	mu    sync.Mutex
	kids  []string // of the keys it serves; guarded by mu
	down  bool     // no connection; guarded by mu
	calls int      // guarded by mu
}

func (e *endpoint) change(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	e.change(func() { e.calls++ })
	select {
	case <-time.After(e.slow):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down {
		return nil, errors.New("connection refused")
	}
	body := io.NopCloser(strings.NewReader(e.keySet()))
	return &http.Response{StatusCode: http.StatusOK, Body: body, Request: r}, nil
}

func (e *endpoint) keySet() string {
	storage := jwkset.NewMemoryStorage()
	for at, kid := range e.kids {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(at)
		public := ed25519.NewKeyFromSeed(seed).Public()
		key, err := jwkset.NewJWKFromKey(public, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid}})
		if err != nil {
			panic(err)
		}
		_ = storage.KeyWrite(context.Background(), key) // memory cannot fail
	}
	text, err := storage.JSON(context.Background())
	if err != nil {
		panic(err)
	}
	return string(text)
}

// inBubble runs a key set against the endpoint in a synctest bubble.
func inBubble(t *testing.T, e *endpoint, test func(t *testing.T, s *keySet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newKeySet("http://issuer.test/keys", &http.Client{Transport: e}, DefaultMaxKeyAge, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(context.Background())
		go s.run(ctx)
		test(t, s)
		stop()
		<-s.stopped
	})
}

// wantKey fails unless the key is found, or is missing with an error of that code.
func wantKey(t *testing.T, s *keySet, kid string, kind fault.Code) {
	t.Helper()
	keys, err := s.find(t.Context(), kid, "EdDSA")
	if got := fault.CodeOf(err); got != kind || (len(keys) == 1) != (kind == "") {
		t.Errorf("key %s: %d keys, kind %q (%v), want kind %q", kid, len(keys), got, err, kind)
	}
}

func wantCalls(t *testing.T, e *endpoint, calls int) {
	t.Helper()
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.calls != calls {
		t.Errorf("the set was fetched %d times, want %d", e.calls, calls)
	}
}

// The error for an unknown key is not a fault yet: Verify turns it into one.
const unknownKey = fault.Internal

func TestFirstTokenWaitsForTheKeys(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}, slow: 3 * time.Second}
	inBubble(t, e, func(t *testing.T, s *keySet) {
		start := time.Now()
		wantKey(t, s, "k1", "")
		if waited := time.Since(start); waited != e.slow {
			t.Errorf("waited %v, want %v", waited, e.slow)
		}
		wantCalls(t, e, 1)
	})
}

func TestRotation(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}}
	inBubble(t, e, func(t *testing.T, s *keySet) {
		wantKey(t, s, "k1", "")
		e.change(func() { e.kids = []string{"k2"} })
		time.Sleep(minFetchInterval)
		wantKey(t, s, "k1", "")         // still in use
		wantKey(t, s, "k2", "")         // unknown, so the set is fetched
		wantKey(t, s, "k1", unknownKey) // removed by the issuer
		wantCalls(t, e, 2)
	})
}

func TestUnknownKeysAreRateLimited(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}}
	inBubble(t, e, func(t *testing.T, s *keySet) {
		start := time.Now()
		for range 1000 {
			wantKey(t, s, "nobody", unknownKey)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the requests waited %v", waited)
		}
		wantCalls(t, e, 1)
		time.Sleep(minFetchInterval)
		for range 1000 {
			wantKey(t, s, "nobody", unknownKey)
		}
		wantCalls(t, e, 2)
	})
}

// Requests that wait at the same time share one fetch.
func TestWaitersShareOneFetch(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}, slow: time.Second}
	inBubble(t, e, func(t *testing.T, s *keySet) {
		wantKey(t, s, "k1", "")
		e.change(func() { e.kids = []string{"k1", "k2"} })
		time.Sleep(minFetchInterval)
		done := make(chan struct{})
		for range 100 {
			go func() {
				wantKey(t, s, "k2", "")
				done <- struct{}{}
			}()
		}
		for range 100 {
			<-done
		}
		wantCalls(t, e, 2)
		time.Sleep(minFetchInterval) // no request is pending
		wantCalls(t, e, 2)
	})
}

func TestPeriodicRefresh(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}}
	inBubble(t, e, func(t *testing.T, s *keySet) {
		wantKey(t, s, "k1", "")
		e.change(func() { e.kids = []string{"k2"} })
		time.Sleep(refreshInterval - time.Second)
		wantCalls(t, e, 1)
		time.Sleep(time.Second)
		wantCalls(t, e, 2)
		wantKey(t, s, "k1", unknownKey)
		wantKey(t, s, "k2", "")
		wantCalls(t, e, 2)
	})
}

func TestServerComesBack(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}, down: true}
	inBubble(t, e, func(t *testing.T, s *keySet) {
		start := time.Now()
		for range 100 {
			wantKey(t, s, "k1", fault.ServiceUnavailable)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the requests waited %v", waited)
		}
		wantCalls(t, e, 1)
		e.change(func() { e.down = false })
		time.Sleep(minFetchInterval)
		wantCalls(t, e, 2)
		wantKey(t, s, "k1", "")
	})
}

// While the server is down, known keys stay valid, and unknown ones are unavailable.
func TestServerGoesDown(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}}
	inBubble(t, e, func(t *testing.T, s *keySet) {
		wantKey(t, s, "k1", "")
		e.change(func() { e.down = true })
		time.Sleep(time.Hour)
		wantKey(t, s, "k1", "")
		wantKey(t, s, "k2", fault.ServiceUnavailable)
		e.change(func() { e.down = false })
		time.Sleep(minFetchInterval)
		wantKey(t, s, "k2", unknownKey)
	})
}

// Keys that the issuer may have revoked since are not used for ever while its server is down.
func TestKeysGetTooOld(t *testing.T) {
	for _, c := range []struct {
		maxAge time.Duration
		down   time.Duration
		want   fault.Code
	}{
		{DefaultMaxKeyAge, 23 * time.Hour, ""},
		{DefaultMaxKeyAge, 25 * time.Hour, fault.ServiceUnavailable},
		{time.Hour, 59 * time.Minute, ""},
		{time.Hour, 61 * time.Minute, fault.ServiceUnavailable},
		{-1, 1000 * time.Hour, ""},
	} {
		e := &endpoint{kids: []string{"k1"}}
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			s := newKeySet("http://issuer.test/keys", &http.Client{Transport: e}, c.maxAge, slog.New(slog.NewTextHandler(&log, nil)))
			ctx, stop := context.WithCancel(context.Background())
			go s.run(ctx)
			wantKey(t, s, "k1", "")
			e.change(func() { e.down = true })
			time.Sleep(c.down)
			wantKey(t, s, "k1", c.want)
			synctest.Wait()
			if told := strings.Contains(log.String(), "older than auth.maxKeyAge; its tokens are refused"); told != (c.want != "") {
				t.Errorf("%s down: the log is %s", c.down, log.String())
			}
			if _, err := s.find(ctx, "k1", "EdDSA"); err != nil && !strings.Contains(err.Error(), "older than auth.maxKeyAge") {
				t.Errorf("the cause is %v", err)
			}
			e.change(func() { e.down = false })
			time.Sleep(minFetchInterval)
			wantKey(t, s, "k1", "") // as soon as the server is back
			stop()
			<-s.stopped
		})
	}
}

func TestWaitingIsBounded(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}, slow: time.Hour}
	inBubble(t, e, func(t *testing.T, s *keySet) {
		start := time.Now()
		wantKey(t, s, "k1", fault.ServiceUnavailable)
		if waited := time.Since(start); waited != fetchTimeout {
			t.Errorf("waited %v, want %v", waited, fetchTimeout)
		}
		time.Sleep(minFetchInterval)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, err := s.find(ctx, "k1", "EdDSA"); fault.CodeOf(err) != fault.ServiceUnavailable {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("waited %v beyond the request's deadline", waited)
		}
	})
}

// After fetching has ended, no request waits for it.
func TestAfterStop(t *testing.T) {
	e := &endpoint{kids: []string{"k1"}}
	synctest.Test(t, func(t *testing.T) {
		s := newKeySet("http://issuer.test/keys", &http.Client{Transport: e}, DefaultMaxKeyAge, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(context.Background())
		go s.run(ctx)
		wantKey(t, s, "k1", "")
		stop()
		time.Sleep(minFetchInterval)
		start := time.Now()
		wantKey(t, s, "k1", "")
		wantKey(t, s, "k2", fault.ServiceUnavailable)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		wantCalls(t, e, 1)
	})
}
