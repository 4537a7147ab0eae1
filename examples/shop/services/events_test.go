package services

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// listen opens the stream of an order and returns a function that reads its next
// line, "" at the end.
func (h *house) listen(t *testing.T, ctx context.Context, id int64) func() string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/orders/%d/events", h.Orders, id), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.admin)
	answer, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, headers %v", answer.StatusCode, answer.Header)
	}
	lines := bufio.NewScanner(answer.Body)
	return func() string {
		for lines.Scan() {
			if lines.Text() != "" {
				return lines.Text()
			}
		}
		return ""
	}
}

func TestOrderEvents(t *testing.T) {
	h := newHouse(t, Options{})
	next := h.listen(t, t.Context(), paidOrder)
	if err := h.shop.ChangeStatus(pendingOrder, Paid); err != nil { // another order: not heard
		t.Fatal(err)
	}
	if err := h.shop.ChangeStatus(paidOrder, Paid); err != nil { // no change: not heard
		t.Fatal(err)
	}
	h.do(t, req{method: "POST", url: fmt.Sprintf("%s/orders/%d/cancel", h.Orders, paidOrder)}).want(t, 200)
	if err := h.shop.ChangeStatus(paidOrder, ReturnRequested); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		": listening",
		"event: orderStatusChanged", `data: {"orderId":9007199254740977,"from":"paid","to":"cancelled","at":"`,
		"event: orderStatusChanged", `data: {"orderId":9007199254740977,"from":"cancelled","to":"return-requested","at":"`,
	} {
		if got := next(); !strings.HasPrefix(got, want) {
			t.Fatalf("line %q, want %q", got, want)
		}
	}
}

func TestStreamsEndWhenTheShopCloses(t *testing.T) {
	h := newHouse(t, Options{})
	next := h.listen(t, t.Context(), paidOrder)
	next()
	h.Close()
	if got := next(); got != "" {
		t.Errorf("line %q after the end", got)
	}
}

func TestStreamsEndWhenTheCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := New(Options{})
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "GET", fmt.Sprintf("/orders/%d/events", paidOrder), nil)
		r.Header.Set("Authorization", "Bearer "+token(t, shop, Admin))
		recorder := httptest.NewRecorder()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			shop.Orders().ServeHTTP(recorder, r)
		}()
		time.Sleep(2*heartbeat + time.Second) // in the bubble's time
		synctest.Wait()
		if got := len(shop.orders.feed.subscribers); got != 1 {
			t.Errorf("%d orders are listened to, want 1", got)
		}
		leave()
		<-ended
		if got := recorder.Body.String(); got != ": listening\n\n: still here\n\n: still here\n\n" {
			t.Errorf("stream %q", got)
		}
		if got := len(shop.orders.feed.subscribers); got != 0 {
			t.Errorf("%d orders are listened to after all have left", got)
		}
	})
}

func TestSlowSubscriberIsRemoved(t *testing.T) {
	var f feed
	slow, leave := f.subscribe(1)
	quick, leaveToo := f.subscribe(1)
	for range bufferSize + 1 {
		f.publish(StatusChange{OrderID: 1})
		<-quick
	}
	heard := 0
	for range slow {
		heard++
	}
	if heard != bufferSize {
		t.Errorf("%d events before the end, want %d", heard, bufferSize)
	}
	leave()
	leaveToo()
	if len(f.subscribers) != 0 {
		t.Errorf("seats %v after all have left", f.subscribers)
	}
	f.close()
	late, _ := f.subscribe(1)
	if _, open := <-late; open {
		t.Error("a closed feed has a seat")
	}
}
