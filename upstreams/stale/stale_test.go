package stale

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

func key(text string) Key { return KeyOf([]byte(text)) }

func response(body string) *Response {
	return &Response{Status: 200, Body: []byte(body), At: time.Now()}
}

// bodyOf returns the body that a store has under a key, "" for none.
func bodyOf(t *testing.T, s Store, text string) string {
	t.Helper()
	if r := s.Get(t.Context(), key(text)); r != nil {
		return string(r.Body)
	}
	return ""
}

// The response that was put last is found, under each of its keys, until it is deleted.
func TestMemory(t *testing.T) {
	m := NewMemory(Options{})
	m.Put(t.Context(), []Key{key("a"), key("b")}, response("first"), time.Minute)
	m.Put(t.Context(), []Key{key("b"), key("c")}, response("second"), time.Minute)
	m.Put(t.Context(), []Key{key("d"), key("d")}, response("twice"), time.Minute)
	for text, want := range map[string]string{"a": "first", "b": "second", "c": "second", "d": "twice", "e": ""} {
		if got := bodyOf(t, m, text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	m.Delete(t.Context(), key("c"), key("d"), key("e"))
	for text, want := range map[string]string{"a": "first", "b": "second", "c": "", "d": ""} {
		if got := bodyOf(t, m, text); got != want {
			t.Errorf("after Delete, %s: got %q, want %q", text, got, want)
		}
	}
	m.Delete(t.Context(), key("a"), key("b"))
	if entries, bytes := m.Usage(); entries != 0 || bytes != 0 || m.recent.Len() != 0 {
		t.Errorf("%d entries, %d bytes and %d responses are left", entries, bytes, m.recent.Len())
	}
}

// A response is kept no longer than its age allows.
func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(Options{})
		m.Put(t.Context(), []Key{key("a")}, response("first"), time.Minute)
		time.Sleep(time.Minute)
		if got := bodyOf(t, m, "a"); got != "first" {
			t.Errorf("after a minute: %q", got)
		}
		time.Sleep(time.Nanosecond)
		if got := bodyOf(t, m, "a"); got != "" {
			t.Errorf("after more than a minute: %q", got)
		}
		if entries, bytes := m.Usage(); entries != 0 || bytes != 0 {
			t.Errorf("%d entries and %d bytes are left", entries, bytes)
		}
	})
}

// Without room, what was not used for the longest time is removed.
func TestEviction(t *testing.T) {
	m := NewMemory(Options{MaxEntries: 3})
	for _, text := range []string{"a", "b", "c"} {
		m.Put(t.Context(), []Key{key(text)}, response(text), time.Minute)
	}
	bodyOf(t, m, "a")
	m.Put(t.Context(), []Key{key("d")}, response("d"), time.Minute)
	for text, want := range map[string]string{"a": "a", "b": "", "c": "c", "d": "d"} {
		if got := bodyOf(t, m, text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	small := NewMemory(Options{MaxBytes: 1000})
	small.Put(t.Context(), []Key{key("a")}, response("a"), time.Minute)
	small.Put(t.Context(), []Key{key("large")}, &Response{Body: make([]byte, 1001), At: time.Now()}, time.Minute)
	if bodyOf(t, small, "large") != "" || bodyOf(t, small, "a") != "a" {
		t.Error("a response that is too large is kept, or has removed others")
	}
	small.Put(t.Context(), []Key{key("a")}, &Response{Body: make([]byte, 1001), At: time.Now()}, time.Minute)
	if got := bodyOf(t, small, "a"); got != "" {
		t.Errorf("%q is kept, which is not the last response any more", got)
	}
}

// Whatever is put, found and deleted, the limits hold, and what is counted is what is there.
func TestLimitsHold(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m := NewMemory(Options{MaxEntries: 50, MaxBytes: 20_000})
	for range 20_000 {
		some := make([]Key, random.IntN(8))
		for i := range some {
			some[i] = key(fmt.Sprint(random.IntN(100)))
		}
		switch random.IntN(4) {
		case 0:
			m.Delete(t.Context(), some...)
		case 1:
			for _, k := range some {
				m.Get(t.Context(), k)
			}
		default:
			m.Put(t.Context(), some, &Response{Body: make([]byte, random.IntN(4000)), At: time.Now()}, time.Minute)
		}
		entries, bytes := m.Usage()
		if entries > 50 || bytes > 20_000 {
			t.Fatalf("%d entries with %d bytes", entries, bytes)
		}
		var live int
		var sum int64
		for e := m.recent.Front(); e != nil; e = e.Next() {
			live += e.Value.(*entry).live
			sum += e.Value.(*entry).size()
		}
		if live != entries || sum != bytes {
			t.Fatalf("%d keys and %d bytes are counted, %d and %d are there", entries, bytes, live, sum)
		}
	}
}
