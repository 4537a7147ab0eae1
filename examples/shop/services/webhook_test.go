package services

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

func TestWebhook(t *testing.T) {
	secret := []byte("a webhook secret")
	type delivery struct {
		header http.Header
		body   string
	}
	deliveries := make(chan delivery, 2)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		deliveries <- delivery{r.Header, string(body)}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	h := newHouse(t, Options{WebhookURL: receiver.URL + "/hook", WebhookSecret: secret})
	h.do(t, req{method: "POST", url: fmt.Sprintf("%s/orders/%d/cancel", h.Orders, paidOrder)}).want(t, 200)

	got := <-deliveries
	id, timestamp := got.header.Get(backend.WebhookID), got.header.Get(backend.WebhookTimestamp)
	if want := backend.SignWebhook(secret, id, timestamp, []byte(got.body)); id == "" || got.header.Get(backend.WebhookSignature) != want {
		t.Errorf("headers %v, want the signature %s", got.header, want)
	}
	var change StatusChange
	if err := json.Unmarshal([]byte(got.body), &change); err != nil {
		t.Fatal(err)
	}
	if change.OrderID != paidOrder || change.From != Paid || change.To != Cancelled || time.Since(change.At).Abs() > time.Minute {
		t.Errorf("change %+v", change)
	}
	if got.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", got.header)
	}
}
