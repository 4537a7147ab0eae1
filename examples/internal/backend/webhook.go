package backend

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

// The headers of a webhook by Standard Webhooks (standardwebhooks.com).
const (
	// WebhookID is the same for all attempts to deliver one event.
	WebhookID = "Webhook-Id"
	// WebhookTimestamp is the time of the attempt in Unix seconds. Receivers refuse old ones.
	WebhookTimestamp = "Webhook-Timestamp"
	// WebhookSignature is the result of SignWebhook.
	WebhookSignature = "Webhook-Signature"
)

// SignWebhook returns "v1," and the HMAC-SHA256 over id, timestamp and body, joined by dots,
// in base64. A receiver computes it as well and compares by hmac.Equal.
func SignWebhook(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const (
	// queueSize is how many events wait for a slow receiver; further ones are dropped.
	queueSize = 64
	// maxAttempts is how often the delivery of an event is attempted.
	maxAttempts = 3
	// firstRetryDelay is the delay before the second attempt. It doubles for the third.
	firstRetryDelay = 250 * time.Millisecond
	// attemptTimeout bounds one attempt.
	attemptTimeout = 5 * time.Second
	// closeTimeout is how long Close waits for queued events.
	closeTimeout = 2 * time.Second
)

// Webhooks sends events to receivers, in order, from one goroutine, for which Close waits. The
// methods of a nil *Webhooks do nothing.
type Webhooks struct {
	secret []byte
	log    *slog.Logger
	client *http.Client
	done   chan struct{} // closed when the goroutine has ended
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool          // guarded by mu
	queue  chan delivery // sent to under mu, so that no send happens after Close
}

// delivery is an event for a receiver.
type delivery struct {
	url, label string
	event      any
}

// NewWebhooks starts a sender that signs events with secret. log receives a warning for each
// event that is not delivered.
func NewWebhooks(secret []byte, log *slog.Logger) *Webhooks {
	return newWebhooks(secret, log, http.DefaultTransport.(*http.Transport).Clone())
}

// newWebhooks uses a client that follows no redirects, so that events go to their receivers
// only.
func newWebhooks(secret []byte, log *slog.Logger, transport http.RoundTripper) *Webhooks {
	ctx, cancel := context.WithCancel(context.Background())
	h := &Webhooks{
		secret: secret, log: log, cancel: cancel,
		queue: make(chan delivery, queueSize), done: make(chan struct{}),
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	go h.run(ctx)
	return h
}

// Send queues an event. It does not wait: when the queue is full, the event is dropped and
// logged. label names the event in the log. event must not change afterwards.
func (h *Webhooks) Send(url, label string, event any) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	select {
	case h.queue <- delivery{url, label, event}:
	default:
		h.log.Warn("webhook dropped: the receiver is too slow", "event", label)
	}
}

// Close waits for the delivery of queued events, for two seconds at most. It must be called
// once.
func (h *Webhooks) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	h.closed = true
	close(h.queue)
	h.mu.Unlock()
	timer := time.AfterFunc(closeTimeout, h.cancel)
	<-h.done
	timer.Stop()
	h.cancel()
	h.client.CloseIdleConnections()
}

func (h *Webhooks) run(ctx context.Context) {
	defer close(h.done)
	for d := range h.queue {
		if err := h.deliver(ctx, d); err != nil {
			h.log.Warn("webhook not delivered", "event", d.label, "error", err)
		}
	}
}

// deliver sends an event until the receiver responds with a 2xx, ctx ends, or maxAttempts are
// used.
func (h *Webhooks) deliver(ctx context.Context, d delivery) error {
	body, err := json.Marshal(d.event)
	if err != nil {
		return err
	}
	id := "msg_" + rand.Text()
	delay := firstRetryDelay
	for attempt := 1; ; attempt++ {
		err := h.post(ctx, d.url, id, body)
		if err == nil || attempt == maxAttempts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(delay):
			delay *= 2
		}
	}
}

func (h *Webhooks) post(ctx context.Context, url, id string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(WebhookID, id)
	r.Header.Set(WebhookTimestamp, timestamp)
	r.Header.Set(WebhookSignature, SignWebhook(h.secret, id, timestamp, body))
	resp, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be reused
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver responded with status %d", resp.StatusCode)
	}
	return nil
}
