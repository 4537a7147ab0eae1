package documents

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A text is known as long as it is requested, within the limits.
func TestRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(APQ{Enabled: true, MaxDocuments: 3, TTL: time.Hour}, nil)
		find := func(text string) bool {
			got, ok := r.Find(t.Context(), Hash(text))
			if ok && got != text {
				t.Errorf("%q is found as %q", text, got)
			}
			return ok
		}
		if find("{n}") {
			t.Error("it knows what was not registered")
		}
		r.Register(t.Context(), Hash("{n}"), "{n}")
		for range 3 {
			time.Sleep(50 * time.Minute)
			if !find("{n}") {
				t.Error("a text that is requested was forgotten")
			}
		}
		time.Sleep(time.Hour)
		if find("{n}") {
			t.Error("a text that was not requested for an hour is known")
		}
		r.Register(t.Context(), Hash("{n}"), "{n}")
		if !find("{n}") {
			t.Error("it cannot be registered again")
		}
		for i := range 1000 {
			text := fmt.Sprint("{n", i, "}")
			r.Register(t.Context(), Hash(text), text)
		}
		if r.Len() != 3 {
			t.Errorf("%d texts of three", r.Len())
		}
	})
	if r := NewRegistry(APQ{MaxDocuments: 3}, nil); r != nil {
		t.Error("it is on by default")
	}
	var none *Registry
	none.Register(t.Context(), Hash("{n}"), "{n}")
	if _, ok := none.Find(t.Context(), Hash("{n}")); ok || none.Len() != 0 {
		t.Error("the nil Registry knows a text")
	}
}

// A client cannot fill the memory with long texts.
func TestRegistryIsBoundedInBytes(t *testing.T) {
	r := NewRegistry(APQ{Enabled: true, MaxBytes: 100_000}, nil)
	for i := range 1000 {
		text := fmt.Sprint(i) + strings.Repeat(" ", 10_000)
		r.Register(t.Context(), Hash(text), text)
	}
	if r.Len() > 10 || r.texts.Weight() > 100_000 {
		t.Errorf("%d texts, %d bytes", r.Len(), r.texts.Weight())
	}
}

// replicas is a store that two registries share. With an error it is down.
type replicas struct {
	mu     sync.Mutex
	values map[string]string
	err    error
	gets   int
	sets   int
}

func (r *replicas) Get(_ context.Context, key string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gets++
	value, ok := r.values[key]
	if !ok || r.err != nil {
		return nil, errors.Join(r.err, errors.New("no such key"))
	}
	return []byte(value), nil
}

func (r *replicas) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sets++
	if r.err == nil && ttl == DefaultTTL {
		r.values[key] = string(value)
	}
	return r.err
}

// What one replica was sent, another one knows, but does not believe what does not have the hash.
func TestRegistryShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &replicas{values: map[string]string{}}
		o := APQ{Enabled: true, Store: StoreRedis}
		a, b := NewRegistry(o, shared), NewRegistry(o, shared)
		hash := Hash("{n}")
		for range 10 { // a client that always sends the text
			a.Register(t.Context(), hash, "{n}")
		}
		if shared.sets != 1 {
			t.Errorf("one text was written %d times", shared.sets)
		}
		for range 2 {
			if text, ok := b.Find(t.Context(), hash); !ok || text != "{n}" {
				t.Errorf("the other replica has %q, %t", text, ok)
			}
		}
		if shared.gets != 1 {
			t.Errorf("a text that is in memory was read %d times", shared.gets)
		}
		time.Sleep(2 * time.Minute)
		if a.Register(t.Context(), hash, "{n}"); shared.sets != 2 {
			t.Error("a text that is sent again after a while is not written again")
		}
		shared.values[sharedPrefix+Hash("{m}")] = "mutation { set(n: 1) }"
		if text, ok := b.Find(t.Context(), Hash("{m}")); ok {
			t.Errorf("it believes %q", text)
		}
		gets := shared.gets
		if _, ok := b.Find(t.Context(), "not a hash"); ok || shared.gets != gets {
			t.Error("the store was asked for what is not a hash")
		}

		shared.err = errors.New("down")
		c := NewRegistry(o, shared)
		if _, ok := c.Find(t.Context(), hash); ok {
			t.Error("a store that is down has a text")
		}
		c.Register(t.Context(), hash, "{n}")
		if _, ok := c.Find(t.Context(), hash); !ok {
			t.Error("while the store is down, what was registered here is not known")
		}
	})
	if r := NewRegistry(APQ{Enabled: true}, &replicas{}); r.shared != nil {
		t.Error("it shares by default")
	}
}
