package middleware

import (
	"log/slog"
	"net/http"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

const (
	maxLoggedRefusals = 100 // different ones
	maxLoggedText     = 200 // of one text that a client sent, in bytes
)

// refusalLog logs why requests of web pages are refused, which browsers hardly tell the authors of the
// pages. It logs each reason once, since a page sends its requests again and again, and is safe for
// concurrent use.
type refusalLog struct {
	log     *slog.Logger
	message string

	mu     sync.Mutex
	logged map[string]bool // guarded by mu
}

// note logs a refusal: what of the request was refused, and its value, if these are new.
func (l *refusalLog) note(r *http.Request, refused, value string) {
	value = value[:min(len(value), maxLoggedText)]
	if !l.isNew(refused + "\n" + value) {
		return
	}
	origin := first(r.Header["Origin"])
	l.log.LogAttrs(r.Context(), slog.LevelWarn, l.message,
		slog.String("origin", origin[:min(len(origin), maxLoggedText)]), slog.String("refused", refused), slog.String("value", value),
		slog.String("request_id", request.ID(r.Context())))
}

// isNew reports whether a refusal has not been logged, and remembers it.
func (l *refusalLog) isNew(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.logged[key] || len(l.logged) >= maxLoggedRefusals {
		return false
	}
	if l.logged == nil {
		l.logged = map[string]bool{}
	}
	l.logged[key] = true
	return true
}
