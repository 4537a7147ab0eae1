package execute

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

const (
	// unlistedInterval is how often a document that no manifest has is logged.
	unlistedInterval = time.Hour
	// maxUnlisted is how many of them are logged in that time.
	maxUnlisted = 1000
)

// unlistedLog logs documents that no manifest has, each once in an interval, and no more than a bound of
// them. It is safe for concurrent use.
type unlistedLog struct {
	mu    sync.Mutex
	since time.Time       // when the interval began
	known map[string]bool // the hashes that were logged in it
}

// admit reports whether the document with a hash is to be logged, and whether it is the first one that is
// not, since there are too many.
func (u *unlistedLog) admit(hash string) (ok, full bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now := time.Now(); u.known == nil || now.Sub(u.since) >= unlistedInterval {
		u.since, u.known = now, map[string]bool{}
	}
	if u.known[hash] || len(u.known) > maxUnlisted {
		return false, false
	}
	u.known[hash] = true
	return len(u.known) <= maxUnlisted, len(u.known) > maxUnlisted
}

// logExecuted logs an operation that was executed although no manifest has its document.
func (u *unlistedLog) logExecuted(ctx context.Context, log *slog.Logger, op *Operation) {
	entry := request.LogEntryOf(ctx)
	u.write(ctx, log, "a document that no manifest has is executed", op.Caller, op.Document.ID,
		slog.String("operation", entry.Operation), slog.String("type", string(entry.Type)))
}

// logRefused logs a document that was refused since no manifest has it. Its operations are not known, since
// it was not parsed.
func (u *unlistedLog) logRefused(ctx context.Context, log *slog.Logger, c *caller.Caller, hash string) {
	u.write(ctx, log, "a document that no manifest has was refused", c, hash)
}

func (u *unlistedLog) write(ctx context.Context, log *slog.Logger, message string, c *caller.Caller, hash string, more ...slog.Attr) {
	ok, full := u.admit(hash)
	if full {
		log.LogAttrs(ctx, slog.LevelWarn, "there are many documents that no manifest has; more of them are not logged for an hour")
	}
	if !ok {
		return
	}
	attrs := append(more, slog.String("document", hash), slog.String("request_id", request.ID(ctx)))
	if c.Client != "" {
		attrs = append(attrs, slog.String("client", c.Client))
	}
	log.LogAttrs(ctx, slog.LevelWarn, message, attrs...)
}
