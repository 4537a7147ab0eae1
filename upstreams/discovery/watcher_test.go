package discovery

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeNames answers lookups from memory.
type fakeNames struct {
	mu       sync.Mutex
	ttl      time.Duration
	err      error
	byHost   map[string]string // addresses
	lookups  int
	lastTime time.Time
}

func (f *fakeNames) set(host, addresses string, ttl time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ttl, f.err = ttl, err
	if f.byHost == nil {
		f.byHost = map[string]string{}
	}
	f.byHost[host] = addresses
}

func (f *fakeNames) lookup(_ context.Context, origin Origin) ([]Target, time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookups++
	f.lastTime = time.Now()
	var targets []Target
	for _, address := range strings.Fields(f.byHost[origin.URL.Hostname()]) {
		targets = append(targets, Target{URL: origin.URL, Address: address, Weight: 1})
	}
	return normalize(targets), f.ttl, f.err
}

// last returns when the last lookup was, and how many there were.
func (f *fakeNames) last() (time.Time, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lastTime, f.lookups
}

func (f *fakeNames) count() int {
	_, n := f.last()
	return n
}

// updates keeps the lists that a watcher delivers.
type updates struct {
	mu  sync.Mutex
	all []string
}

func (u *updates) add(targets []Target) {
	u.mu.Lock()
	defer u.mu.Unlock()
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.Address + t.Name
	}
	u.all = append(u.all, strings.Join(names, " "))
}

func (u *updates) at(i int) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.all[i]
}

func (u *updates) last() string { return u.at(u.count() - 1) }

func (u *updates) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.all)
}

// start starts a watcher of URLs over names. The first list of got has the names themselves.
func start(t *testing.T, names *fakeNames, got *updates, log io.Writer, urls ...string) *Watcher {
	t.Helper()
	var origins []Origin
	for _, u := range urls {
		origins = append(origins, Origin{URL: parseURL(t, u)})
	}
	w := New(origins, Options{MinTTL: 5 * time.Second, MaxTTL: time.Minute}.WithDefaults(), slog.New(slog.NewTextHandler(log, nil)))
	w.lookup = names.lookup
	got.add(w.Targets())
	w.Start(got.add)
	return w
}

func TestWatcherFollowsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names fakeNames
		var got updates
		var log bytes.Buffer
		names.set("users", "10.0.0.1:80 10.0.0.2:80", 20*time.Second, nil)
		w := start(t, &names, &got, &log, "http://127.0.0.1:9", "http://users")
		defer w.Close()
		if first := got.at(0); first != "127.0.0.1:9 users:80" {
			t.Errorf("the first list is %q", first)
		}
		synctest.Wait()
		if got.last() != "127.0.0.1:9 10.0.0.1:80 10.0.0.2:80" {
			t.Errorf("resolved: %q", got.last())
		}

		// The same addresses in another order are not a change.
		names.set("users", "10.0.0.2:80 10.0.0.1:80", 20*time.Second, nil)
		time.Sleep(21 * time.Second)
		if got.count() != 2 || names.count() != 2 {
			t.Errorf("%d lists after %d lookups", got.count(), names.count())
		}

		names.set("users", "10.0.0.2:80 10.0.0.3:80", 20*time.Second, nil)
		time.Sleep(21 * time.Second)
		if got.last() != "127.0.0.1:9 10.0.0.2:80 10.0.0.3:80" {
			t.Errorf("changed: %q", got.last())
		}
		if n := strings.Count(log.String(), "backend addresses changed"); n != 2 {
			t.Errorf("%d lines in the log:\n%s", n, log.String())
		}
	})
}

// The time between two lookups is that of the TTL, within the bounds, less up to a tenth.
func TestWatcherKeepsBounds(t *testing.T) {
	for _, test := range []struct{ ttl, want time.Duration }{
		{-1, 5 * time.Second},
		{0, 5 * time.Second},
		{30 * time.Second, 30 * time.Second},
		{time.Hour, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			var names fakeNames
			names.set("users", "10.0.0.1:80", test.ttl, nil)
			w := start(t, &names, &updates{}, io.Discard, "http://users")
			defer w.Close()
			synctest.Wait()
			for range 20 {
				last, n := names.last()
				time.Sleep(test.want*9/10 - time.Millisecond - time.Since(last))
				if _, now := names.last(); now != n {
					t.Fatalf("a TTL of %v: a lookup after %v", test.ttl, time.Since(last))
				}
				time.Sleep(test.want + time.Millisecond - time.Since(last))
				if _, now := names.last(); now != n+1 {
					t.Fatalf("a TTL of %v: %d lookups after %v", test.ttl, now-n, time.Since(last))
				}
			}
		})
	}
}

func TestWatcherKeepsLastGoodTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names fakeNames
		var got updates
		var log bytes.Buffer
		names.set("users", "10.0.0.1:80", time.Second, nil)
		w := start(t, &names, &got, &log, "http://users")
		synctest.Wait()
		names.set("users", "", 0, errors.New("server misbehaving"))
		time.Sleep(10 * time.Minute)
		if got.last() != "10.0.0.1:80" || got.count() != 2 {
			t.Errorf("while lookups fail: %q", got.last())
		}
		names.set("users", "10.0.0.9:80", time.Second, nil)
		time.Sleep(5 * time.Second) // failed lookups are repeated after MinTTL
		synctest.Wait()
		if got.last() != "10.0.0.9:80" {
			t.Errorf("afterwards: %q", got.last())
		}
		w.Close()
		failed, again := strings.Count(log.String(), "cannot be resolved"), strings.Count(log.String(), "is resolved again")
		if failed != 1 || again != 1 {
			t.Errorf("%d and %d lines in the log:\n%s", failed, again, log.String())
		}
		lookups := names.count()
		time.Sleep(time.Hour)
		if names.count() != lookups {
			t.Error("a closed watcher looks names up")
		}
	})
}

// Refresh looks the names up before their TTL has passed, but not more often than once a
// second.
func TestWatcherRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names fakeNames
		var got updates
		names.set("users", "10.0.0.1:80", time.Minute, nil)
		w := start(t, &names, &got, io.Discard, "http://users")
		defer w.Close()
		time.Sleep(10 * time.Second)
		names.set("users", "10.0.0.2:80", time.Minute, nil)
		w.Refresh()
		synctest.Wait()
		if got.last() != "10.0.0.2:80" {
			t.Errorf("after a refresh: %q", got.last())
		}
		before := names.count()
		for range 1000 {
			w.Refresh()
			time.Sleep(10 * time.Millisecond)
		}
		if n := names.count() - before; n < 9 || n > 11 {
			t.Errorf("%d lookups within 10 s of failures", n)
		}
	})
}

// Origins that stay keep the targets that are known, with a new weight and zone.
func TestWatcherWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names fakeNames
		var got updates
		names.set("users", "10.0.0.1:80 10.0.0.2:80", time.Minute, nil)
		w := start(t, &names, &got, io.Discard, "http://users")
		synctest.Wait()
		w.Close()
		next := w.With([]Origin{{URL: parseURL(t, "http://orders")}, {URL: parseURL(t, "http://users"), Weight: 3, Zone: "z"}})
		got.add(next.Targets())
		if got.last() != "orders:80 10.0.0.1:80 10.0.0.2:80" {
			t.Errorf("the first list is %q", got.last())
		}
		if last := next.Targets()[2]; last.Weight != 3 || last.Zone != "z" {
			t.Errorf("weight %d, zone %q", last.Weight, last.Zone)
		}
		names.set("orders", "10.0.0.9:80", time.Minute, nil)
		next.Start(got.add)
		defer next.Close()
		synctest.Wait()
		if got.last() != "10.0.0.9:80 10.0.0.1:80 10.0.0.2:80" {
			t.Errorf("resolved: %q", got.last())
		}
	})
}

// Close during a lookup that hangs returns at once.
func TestWatcherCloseEndsLookup(t *testing.T) {
	server := newServer(t)
	server.Set("users.test", zoneSilent)
	o := Options{Nameserver: server.Addr}.WithDefaults()
	w := New([]Origin{{URL: parseURL(t, "http://users.test.")}}, o, slog.New(slog.DiscardHandler))
	w.Start(func([]Target) {})
	for server.Queries("users.test") == 0 {
		time.Sleep(time.Millisecond)
	}
	started := time.Now()
	w.Close()
	if took := time.Since(started); took > time.Second {
		t.Errorf("Close took %v", took)
	}
}
