package services

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStartUndoesItselfWhenAnAddressIsTaken(t *testing.T) {
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

func TestTheEndOfTheContextStopsTheServers(t *testing.T) {
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
	select {
	case err := <-h.failed:
		t.Errorf("a stopped replica is a failure: %v", err)
	default:
	}
}

// A caller who never finishes a call must not keep the program from ending.
func TestCloseBreaksOffWhatDoesNotEnd(t *testing.T) {
	h := newHouse(t, Options{})
	h.grace = 10 * time.Millisecond
	endless, err := net.Dial("tcp", strings.TrimPrefix(h.Users, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer endless.Close()
	// Expect makes the server say when it has begun to read the body.
	fmt.Fprintf(endless, "POST /users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n"+
		"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", h.admin, asJSON)
	answer := bufio.NewReader(endless)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("line %q, %v", line, err)
	}
	h.Close()
	if rest, err := io.ReadAll(answer); strings.Contains(string(rest), "201") {
		t.Errorf("answered %q, %v", rest, err)
	}
}

func TestAFailingServerEndsWait(t *testing.T) {
	running, err := New(Options{}).Start(t.Context(), Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	running.fail(net.ErrClosed)
	running.fail(net.ErrClosed) // must not wait for a reader
	if err := running.Wait(); err == nil {
		t.Error("Wait returns no error")
	}
}
