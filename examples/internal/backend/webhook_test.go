package backend

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The value was computed with: printf 'id.1.{}' | openssl dgst -sha256 -hmac secret -binary | base64
func TestSignWebhook(t *testing.T) {
	const want = "v1,490pAcC1LQ1k1cOcmH0da199+A88OKCj0Io4WnJlp68="
	if got := SignWebhook([]byte("secret"), "id", "1", []byte("{}")); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

const receiverURL = "http://receiver.example/"

// network is an http.RoundTripper in the place of receivers of webhooks.
type network struct {
	mu      sync.Mutex
	answers []int // the next statuses; 0 is a failure, then 204
	heard   []string
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = append(n.heard, string(body))
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

// hang is a receiver that never responds.
type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func sender(transport http.RoundTripper, log *strings.Builder) *Webhooks {
	return newWebhooks(nil, slog.New(slog.NewTextHandler(log, nil)), transport)
}

func TestWebhookRetries(t *testing.T) {
	tests := []struct {
		name    string
		answers []int
		heard   string
		logged  string
	}{
		{"at once", nil, "1 2", ""},
		{"after failures, in order", []int{0, 503}, "1 1 1 2", ""},
		{"given up", []int{500, 0, 500}, "1 1 1 2", "status 500"},
		{"a redirect is not followed", []int{307, 307, 307}, "1 1 1 2", "status 307"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				receiver := &network{answers: test.answers}
				h := sender(receiver, &log)
				h.Send(receiverURL, "first", 1)
				h.Send(receiverURL, "second", 2)
				h.Close()
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
			h.Send(receiverURL, "event", i)
			synctest.Wait()
		}
		if got := strings.Count(log.String(), "dropped"); got != 1 {
			t.Errorf("%d events were dropped, want 1", got)
		}
		began := time.Now()
		h.Close()
		h.Send(receiverURL, "late", 0) // does nothing
		if took := time.Since(began); took != closeTimeout {
			t.Errorf("Close took %v, want %v", took, closeTimeout)
		}
	})
}

// Without receivers there is no sender.
func TestNilWebhooks(t *testing.T) {
	var h *Webhooks
	h.Send(receiverURL, "event", 1)
	h.Close()
}
