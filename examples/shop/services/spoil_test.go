package services_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
)

// Each fault is one that a client sees, at its replica alone, until the replica is healed.
func TestSpoil(t *testing.T) {
	shop := services.New(services.Options{})
	running, err := shop.Start(t.Context(), services.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	client := &http.Client{Timeout: time.Second}
	get := func(replica int) (status int, whole bool, err error) {
		response, err := client.Get(running.Products[replica-1] + "/products?limit=2")
		if err != nil {
			return 0, false, err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return response.StatusCode, json.Valid(text), err
	}
	for _, fault := range services.Faults() {
		shop.Spoil(2, fault)
		status, whole, err := get(2)
		timeout, _ := errors.AsType[interface {
			error
			Timeout() bool
		}](err)
		late := timeout != nil && timeout.Timeout()
		var seen bool
		switch fault {
		case services.ServerErrors:
			seen = status == 500
		case services.Truncated:
			seen = status == 200 && !whole && err == nil
		case services.Resets:
			seen = err != nil && !late
		case services.Hangs, services.Slow:
			seen = late
		}
		if !seen {
			t.Errorf("%s: status %d, JSON %v, error %v", fault, status, whole, err)
		}
		if status, whole, err := get(1); status != 200 || !whole || err != nil {
			t.Errorf("%s: the other replica has status %d, error %v", fault, status, err)
		}
		shop.Spoil(2, services.Healthy)
		if status, whole, err := get(2); status != 200 || !whole || err != nil {
			t.Errorf("healed from %s, it has status %d, error %v", fault, status, err)
		}
	}
}
