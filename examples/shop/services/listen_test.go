package services

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStartFailsWhenAddressIsInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	users := free.Addr().String()
	free.Close()

	at := Addresses{Users: users, Products: [Replicas]string{"", taken.Addr().String(), ""}}
	if _, err := New(Options{}).Start(t.Context(), at); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Fatalf("error %v, want one that names %s", err, taken.Addr())
	}
	again, err := net.Listen("tcp", users)
	if err != nil {
		t.Fatalf("the first server still listens: %v", err)
	}
	again.Close()
}

func TestContextStopsServers(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	running, err := New(Options{}).Start(ctx, Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	end()
	if err := running.Wait(); err != nil {
		t.Errorf("Wait: %v", err)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(running.Users, "http://"), time.Second); err == nil {
		t.Error("users still listens")
	}
	running.Close()
}

func TestStopReplica(t *testing.T) {
	h := newHouse(t, Options{})
	h.StopReplica(2)
	r, err := http.NewRequestWithContext(t.Context(), "GET", h.Products[1]+"/products", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := h.client.Do(r); err == nil {
		answer.Body.Close()
		t.Errorf("the stopped replica answers %d", answer.StatusCode)
	}
	h.get(t, h.Products[0]+"/products").want(t, 200)
	h.get(t, h.Products[2]+"/products").want(t, 200)
	h.Close()
	if err := h.Wait(); err != nil {
		t.Errorf("a stopped replica is a failure: %v", err)
	}
}
