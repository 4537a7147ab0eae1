package services

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The headers of a webhook, as Standard Webhooks (standardwebhooks.com) has them.
const (
	// WebhookID is the same for each attempt to deliver one event.
	WebhookID = "Webhook-Id"
	// WebhookTimestamp is the attempt's time in Unix seconds. A receiver refuses old ones.
	WebhookTimestamp = "Webhook-Timestamp"
	// WebhookSignature is what SignWebhook returns.
	WebhookSignature = "Webhook-Signature"
)

// SignWebhook is "v1," and the base64 of the HMAC-SHA256 over id, timestamp and
// body, joined by dots. A receiver computes it again and compares with hmac.Equal.
func SignWebhook(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const (
	// queueSize is how many events wait for a slow receiver; further ones are dropped.
	queueSize = 64
	// attempts is how often one event is tried.
	attempts = 3
	// firstPause lies between the first two attempts, and doubles after them.
	firstPause = 250 * time.Millisecond
	// attemptTimeout bounds one attempt.
	attemptTimeout = 5 * time.Second
	// farewell is how long close waits for what is queued.
	farewell = 2 * time.Second
)

// webhooks sends status changes to one receiver, in their order, from a single
// goroutine that close waits for.
type webhooks struct {
	url    string
	secret []byte
	log    *slog.Logger
	client *http.Client
	done   chan struct{} // closed when the goroutine has ended
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool              // guarded by mu
	queue  chan StatusChange // sent to under mu, so that nobody sends after close
}

// newWebhooks is nil without a url: a nil sender takes events and does nothing.
func newWebhooks(url string, secret []byte, log *slog.Logger) *webhooks {
	if url == "" {
		return nil
	}
	h := &webhooks{url: url, secret: secret, log: log, client: newWebhookClient(http.DefaultTransport.(*http.Transport).Clone())}
	h.start()
	return h
}

// newWebhookClient follows no redirect: an event goes where it was meant to go.
func newWebhookClient(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

func (h *webhooks) start() {
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	h.queue = make(chan StatusChange, queueSize)
	h.done = make(chan struct{})
	go h.run(ctx)
}

// announce does not wait: when the queue is full, the event is dropped and logged.
func (h *webhooks) announce(change StatusChange) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	select {
	case h.queue <- change:
	default:
		h.log.Warn("webhook dropped: the receiver is too slow", "order", change.OrderID, "to", change.To)
	}
}

// close lets what is queued go out, but not longer than farewell.
func (h *webhooks) close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	h.closed = true
	close(h.queue)
	h.mu.Unlock()
	impatience := time.AfterFunc(farewell, h.cancel)
	<-h.done
	impatience.Stop()
	h.cancel()
	h.client.CloseIdleConnections()
}

func (h *webhooks) run(ctx context.Context) {
	defer close(h.done)
	for change := range h.queue {
		if err := h.deliver(ctx, change); err != nil {
			h.log.Warn("webhook not delivered", "order", change.OrderID, "to", change.To, "error", err)
		}
	}
}

// deliver tries until the receiver answers 2xx, ctx ends, or attempts are used up.
func (h *webhooks) deliver(ctx context.Context, change StatusChange) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	id := "msg_" + rand.Text()
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := h.post(ctx, id, body)
		if err == nil || attempt == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func (h *webhooks) post(ctx context.Context, id string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(WebhookID, id)
	r.Header.Set(WebhookTimestamp, timestamp)
	r.Header.Set(WebhookSignature, SignWebhook(h.secret, id, timestamp, body))
	answer, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answered %d", answer.StatusCode)
	}
	return nil
}
