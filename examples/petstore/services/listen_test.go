package services

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStart(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	running, err := New(Options{}).Start(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(running.URL + "/pets?limit=1")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 || !strings.HasSuffix(running.URL, Base) {
		t.Errorf("%s answers %d", running.URL, answer.StatusCode)
	}
	end()
	if err := running.Wait(); err != nil {
		t.Errorf("Wait: %v", err)
	}
	address := strings.TrimSuffix(strings.TrimPrefix(running.URL, "http://"), Base)
	if _, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		t.Error("it still listens")
	}
	running.Close()
}

func TestStartFailsWhenAddressIsInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().String()
	if _, err := New(Options{Callbacks: true}).Start(t.Context(), at); err == nil || !strings.Contains(err.Error(), at) {
		t.Errorf("error %v, want one that names %s", err, at)
	}
}
