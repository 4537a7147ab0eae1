package upstreams

import (
	"context"
	"log/slog"
)

// requestHandler adds the id of the client's request to the records of a log.
type requestHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h *requestHandler) Handle(ctx context.Context, r slog.Record) error {
	if c, ok := ctx.Value(clientKey{}).(*clientContext); ok && c.id[0] != "" {
		r = r.Clone() // the handlers of other loggers may have the record as well
		r.AddAttrs(slog.String("request_id", c.id[0]))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &requestHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *requestHandler) WithGroup(name string) slog.Handler {
	return &requestHandler{h.Handler.WithGroup(name)}
}
