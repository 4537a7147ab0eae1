package redact

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
)

// handler is a slog.Handler that takes secrets out of records before another one gets them.
type handler struct {
	next  slog.Handler
	known []string
	of    func(context.Context) []string
}

// Logger returns log without secrets. The known ones are those of settings; of, which may
// be nil, gives those of the request that a record is written for.
func Logger(log *slog.Logger, known []string, of func(context.Context) []string) *slog.Logger {
	if of == nil {
		of = func(context.Context) []string { return nil }
	}
	return slog.New(&handler{next: log.Handler(), known: Known(known...), of: of})
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.next.WithGroup(name), h.known, h.of}
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i], _ = attr(a, h.known)
	}
	return &handler{h.next.WithAttrs(clean), h.known, h.of}
}

// Handle passes a record on as it is, unless it holds a secret.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	known := h.known
	if secrets := h.of(ctx); len(secrets) > 0 {
		known = append(Known(secrets...), known...)
	}
	message := Text(r.Message, known...)
	changed := message != r.Message
	r.Attrs(func(a slog.Attr) bool {
		_, other := attr(a, known)
		changed = changed || other
		return !changed
	})
	if !changed {
		return h.next.Handle(ctx, r)
	}
	clean := slog.NewRecord(r.Time, r.Level, message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		a, _ = attr(a, known)
		clean.AddAttrs(a)
		return true
	})
	return h.next.Handle(ctx, clean)
}

// attr returns an attribute without secrets, and reports whether it had one.
func attr(a slog.Attr, known []string) (slog.Attr, bool) {
	v := a.Value.Resolve()
	var text string
	switch v.Kind() {
	case slog.KindString:
		text = v.String()
	case slog.KindAny:
		return anyAttr(a.Key, v, known)
	case slog.KindGroup:
		return group(a.Key, v.Group(), known)
	default:
		return a, false
	}
	if clean := cleanNamed(a.Key, text, known); clean != text {
		return slog.String(a.Key, clean), true
	}
	return a, false
}

// cleanNamed returns the text of an attribute without secrets. A name of a secret makes all
// of it one.
func cleanNamed(key, text string, known []string) string {
	if clean := Text(text, known...); clean != text || text == "" {
		return clean
	}
	if isSecretName(key) {
		return Mask
	}
	return text
}

// isSecretName reports whether a name is one that stands before secrets.
func isSecretName(name string) bool {
	sign := func(s string) bool { return containsFold(name, s) }
	return slices.ContainsFunc(nameSigns, sign) && len(named.FindString(name+"=")) == len(name)+1
}

func group(key string, attrs []slog.Attr, known []string) (slog.Attr, bool) {
	clean, changed := make([]slog.Attr, len(attrs)), false
	for i, a := range attrs {
		var other bool
		clean[i], other = attr(a, known)
		changed = changed || other
	}
	return slog.Attr{Key: key, Value: slog.GroupValue(clean...)}, changed
}

// anyAttr is for values that handlers write in ways of their own.
func anyAttr(key string, v slog.Value, known []string) (slog.Attr, bool) {
	texts := []string{fmt.Sprintf("%+v", v.Any())}
	if _, isError := v.Any().(error); !isError {
		if written, err := json.Marshal(v.Any()); err == nil {
			texts = append(texts, string(written))
		}
	}
	for _, text := range texts {
		if clean := cleanNamed(key, text, known); clean != text {
			return slog.String(key, clean), true
		}
	}
	return slog.Attr{Key: key, Value: v}, false
}
