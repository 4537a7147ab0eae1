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
	// farewell is how long Close waits for what is queued.
	farewell = 2 * time.Second
)

// Webhooks sends events to receivers, in their order, from a single goroutine that
// Close waits for. A nil one takes events and does nothing.
type Webhooks struct {
	secret []byte
	log    *slog.Logger
	client *http.Client
	done   chan struct{} // closed when the goroutine has ended
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool          // guarded by mu
	queue  chan delivery // sent to under mu, so that nobody sends after Close
}

// delivery is an event with its receiver.
type delivery struct {
	url, about string
	event      any
}

// NewWebhooks starts a sender that signs with secret; log hears of events that were not
// delivered.
func NewWebhooks(secret []byte, log *slog.Logger) *Webhooks {
	return newWebhooks(secret, log, http.DefaultTransport.(*http.Transport).Clone())
}

// The client follows no redirect: an event goes where it was meant to go.
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

// Send does not wait: when the queue is full, the event is dropped and logged. about is
// what the log calls it; event must not change any more.
func (h *Webhooks) Send(url, about string, event any) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	select {
	case h.queue <- delivery{url, about, event}:
	default:
		h.log.Warn("webhook dropped: the receiver is too slow", "event", about)
	}
}

// Close lets what is queued go out, but not longer than two seconds. It may be called
// once.
func (h *Webhooks) Close() {
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

func (h *Webhooks) run(ctx context.Context) {
	defer close(h.done)
	for d := range h.queue {
		if err := h.deliver(ctx, d); err != nil {
			h.log.Warn("webhook not delivered", "event", d.about, "error", err)
		}
	}
}

// deliver tries until the receiver answers 2xx, ctx ends, or attempts are used up.
func (h *Webhooks) deliver(ctx context.Context, d delivery) error {
	body, err := json.Marshal(d.event)
	if err != nil {
		return err
	}
	id := "msg_" + rand.Text()
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := h.post(ctx, d.url, id, body)
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
