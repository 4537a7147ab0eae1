package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
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
	h.do(t, asked{method: "POST", url: fmt.Sprintf("%s/orders/%d/cancel", h.Orders, paidOrder)}).want(t, 200)

	got := <-deliveries
	id, timestamp := got.header.Get(WebhookID), got.header.Get(WebhookTimestamp)
	if want := SignWebhook(secret, id, timestamp, []byte(got.body)); id == "" || got.header.Get(WebhookSignature) != want {
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

// The value was computed with: printf 'id.1.{}' | openssl dgst -sha256 -hmac secret -binary | base64
func TestSignWebhook(t *testing.T) {
	const want = "v1,490pAcC1LQ1k1cOcmH0da199+A88OKCj0Io4WnJlp68="
	if got := SignWebhook([]byte("secret"), "id", "1", []byte("{}")); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

// network is a receiver of webhooks without a network.
type network struct {
	mu      sync.Mutex
	answers []int // the next statuses; 0 is a failure, then 204
	heard   []string
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	var change StatusChange
	_ = json.Unmarshal(body, &change)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = append(n.heard, fmt.Sprint(change.OrderID))
	status := http.StatusNoContent
	if len(n.answers) > 0 {
		status, n.answers = n.answers[0], n.answers[1:]
	}
	if status == 0 {
		return nil, errors.New("no route")
	}
	header := http.Header{"Location": {"http://elsewhere.example/"}}
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: r}, nil
}

// hang is a receiver that never answers.
type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func sender(transport http.RoundTripper, log *strings.Builder) *webhooks {
	h := &webhooks{url: "http://receiver.example/", log: slog.New(slog.NewTextHandler(log, nil)), client: newWebhookClient(transport)}
	h.start()
	return h
}

func TestWebhooksAreTriedAgain(t *testing.T) {
	tests := []struct {
		name    string
		answers []int
		heard   string
		logged  string
	}{
		{"at once", nil, "1 2", ""},
		{"after failures, in order", []int{0, 503}, "1 1 1 2", ""},
		{"given up", []int{500, 0, 500}, "1 1 1 2", "answered 500"},
		{"a redirect is not followed", []int{307, 307, 307}, "1 1 1 2", "answered 307"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				receiver := &network{answers: test.answers}
				h := sender(receiver, &log)
				h.announce(StatusChange{OrderID: 1})
				h.announce(StatusChange{OrderID: 2})
				h.close()
				if got := strings.Join(receiver.heard, " "); got != test.heard {
					t.Errorf("heard %s, want %s", got, test.heard)
				}
				if !strings.Contains(log.String(), test.logged) || (test.logged == "") != (log.String() == "") {
					t.Errorf("log %q, want %q", log.String(), test.logged)
				}
			})
		})
	}
}

func TestClosingWebhooksIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		h := sender(hang{}, &log)
		for i := range queueSize + 2 { // one is being sent, one is too many
			h.announce(StatusChange{OrderID: int64(i)})
			synctest.Wait()
		}
		if got := strings.Count(log.String(), "dropped"); got != 1 {
			t.Errorf("%d events were dropped, want 1", got)
		}
		began := time.Now()
		h.close()
		h.announce(StatusChange{}) // does nothing
		if took := time.Since(began); took != farewell {
			t.Errorf("close took %v, want %v", took, farewell)
		}
	})
}
