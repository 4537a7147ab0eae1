package documents

import (
	"log/slog"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/store"
	"github.com/gatehouse-graphql/gatehouse/store/redistest"
)

// Replicas share texts by a real Redis. One that hangs or is gone has no text, and says so in time.
func TestRegistryOverRedis(t *testing.T) {
	server := redistest.Start(t)
	shared, err := store.New(store.Options{Redis: store.Redis{URLs: []string{server.URL()}, Timeout: 100 * time.Millisecond}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	o := APQ{Enabled: true, Store: StoreRedis}
	a, b, c := NewRegistry(o, shared), NewRegistry(o, shared), NewRegistry(o, shared)
	if _, ok := b.Find(t.Context(), Hash("{n}")); ok {
		t.Error("it is known before it is registered")
	}
	a.Register(t.Context(), Hash("{n}"), "{n}")
	if text, ok := b.Find(t.Context(), Hash("{n}")); !ok || text != "{n}" {
		t.Errorf("another replica has %q, %t", text, ok)
	}
	server.Kill()
	begin := time.Now()
	if _, ok := c.Find(t.Context(), Hash("{n}")); ok {
		t.Error("a replica that was not asked before knows the text without Redis")
	}
	if text, ok := b.Find(t.Context(), Hash("{n}")); !ok || text != "{n}" {
		t.Errorf("without Redis, a replica that knew the text has %q, %t", text, ok)
	}
	c.Register(t.Context(), Hash("{n}"), "{n}")
	if _, ok := c.Find(t.Context(), Hash("{n}")); !ok {
		t.Error("without Redis nothing can be registered")
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("without Redis it took %s", took)
	}
}
