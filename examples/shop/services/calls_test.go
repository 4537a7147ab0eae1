package services

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCalls(t *testing.T) {
	h := newHouse(t, Options{})
	h.get(t, h.Users+"/users").want(t, 200)
	h.get(t, h.Users+"/users/u1").want(t, 200)
	h.get(t, h.Users+"/users/u99").want(t, 404)
	h.do(t, req{method: "GET", url: h.Users + "/users", header: []string{"Authorization: "}}).want(t, 401)
	h.get(t, h.Users+"/nothing").want(t, 404)
	h.do(t, req{method: "PUT", url: h.Users + "/users"}).want(t, 405)

	shown := h.do(t, req{method: "GET", url: h.Users + "/_calls", header: []string{"Authorization: "}}).want(t, 200)
	if want := `{"getUser":2,"listUsers":2}`; shown.body != want {
		t.Errorf("calls %s, want %s", shown.body, want)
	}
	h.do(t, req{method: "DELETE", url: h.Users + "/_calls", header: []string{"Authorization: "}}).want(t, 204)
	if got := h.get(t, h.Users+"/_calls").body; got != `{}` {
		t.Errorf("calls %s after they were set to zero", got)
	}
}

func TestCallsByReplica(t *testing.T) {
	h := newHouse(t, Options{})
	for replica, n := range []int{3, 0, 1} {
		for range n {
			h.get(t, h.Products[replica]+"/products").want(t, 200)
		}
	}
	h.get(t, h.Products[2]+"/stock").want(t, 200)
	if got := h.get(t, h.Products[0]+"/_calls").body; got != `{"listProducts":3}` {
		t.Errorf("replica 1 counts %s", got)
	}
	if got := h.shop.ReplicaCalls(2); len(got) != 0 {
		t.Errorf("replica 2 counts %v", got)
	}
	want := map[string]int{"listProducts": 4, "stock": 1}
	if diff := cmp.Diff(want, h.shop.Calls("products")); diff != "" {
		t.Errorf("calls of all replicas (-want +got)\n%s", diff)
	}
	h.get(t, h.Orders+"/orders").want(t, 200)
	if diff := cmp.Diff(map[string]int{"listOrders": 1}, h.shop.Calls("orders")); diff != "" {
		t.Errorf("calls of orders (-want +got)\n%s", diff)
	}
	h.shop.ResetCalls()
	for _, service := range []string{"users", "orders", "products"} {
		if got := h.shop.Calls(service); got == nil || len(got) != 0 {
			t.Errorf("calls of %s after ResetCalls: %v", service, got)
		}
	}
	if got := h.shop.Calls("payments"); got != nil {
		t.Errorf("calls of an unknown service: %v", got)
	}
}

func TestReplicasNameThemselves(t *testing.T) {
	h := newHouse(t, Options{})
	for i, url := range h.Products {
		want := string(rune('1' + i))
		for _, path := range []string{"/products", "/healthz", "/products/X", "/nothing", "/_calls"} {
			if got := h.get(t, url+path).header.Get("X-Replica"); got != want {
				t.Errorf("%s: X-Replica %q, want %q", path, got, want)
			}
		}
	}
	if got := h.get(t, h.Users+"/users").header.Values("X-Replica"); got != nil {
		t.Errorf("users has no replicas, yet says %v", got)
	}
}

func TestConcurrentCalls(t *testing.T) {
	shop := New(Options{})
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() { serve(shop.Products(i%Replicas+1), "GET", "/products") })
	}
	all.Wait()
	for replica := 1; replica <= Replicas; replica++ {
		if got := shop.ReplicaCalls(replica)["listProducts"]; got != 20 {
			t.Errorf("replica %d counts %d calls, want 20", replica, got)
		}
	}
}

// Changes of one shop do not affect another.
func TestShopsAreIndependent(t *testing.T) {
	one, other := New(Options{}), New(Options{})
	admin := "Authorization: Bearer " + token(t, one, Admin)
	if got := serve(one.Users(), "DELETE", "/users/u1", admin); got.Code != 204 {
		t.Fatalf("status %d", got.Code)
	}
	got := serve(other.Users(), "GET", "/users/u1", "Authorization: Bearer "+token(t, other, Admin))
	if got.Code != 200 || !strings.Contains(got.Body.String(), "Ada") {
		t.Errorf("the other shop says %d %s", got.Code, got.Body)
	}
}
