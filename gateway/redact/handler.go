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
	next           slog.Handler
	known          []string
	requestSecrets func(context.Context) []string
}

// Logger returns log without secrets. The known ones are those of settings; of, which may
// be nil, gives those of the request that a record is written for.
func Logger(log *slog.Logger, known []string, of func(context.Context) []string) *slog.Logger {
	if of == nil {
		of = func(context.Context) []string { return nil }
	}
	return slog.New(&handler{next: log.Handler(), known: Variants(known...), requestSecrets: of})
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.next.WithGroup(name), h.known, h.requestSecrets}
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i], _ = (&cleaner{known: h.known}).attr(a)
	}
	return &handler{h.next.WithAttrs(clean), h.known, h.requestSecrets}
}

// Handle passes a record on as it is, unless it holds a secret.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	c := cleaner{known: h.known, ctx: ctx, requestSecrets: h.requestSecrets}
	message := c.text(r.Message)
	changed := message != r.Message
	r.Attrs(func(a slog.Attr) bool {
		_, other := c.attr(a)
		changed = changed || other
		return !changed
	})
	if !changed {
		return h.next.Handle(ctx, r)
	}
	clean := slog.NewRecord(r.Time, r.Level, message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		a, _ = c.attr(a)
		clean.AddAttrs(a)
		return true
	})
	return h.next.Handle(ctx, clean)
}

// cleaner takes the secrets out of one record.
type cleaner struct {
	known          []string
	ctx            context.Context                // of the record
	requestSecrets func(context.Context) []string // nil once known has what it gives
}

// text asks for the request's secrets only when there is a text that may hold them: those
// of most records are names and numbers.
func (c *cleaner) text(text string) string {
	if c.requestSecrets != nil && !isName(text) {
		c.known = append(Variants(c.requestSecrets(c.ctx)...), c.known...)
		c.requestSecrets = nil
	}
	return Text(text, c.known...)
}

// maxName is how long a name may be that is no secret, in bytes: the gateway's own names of
// requests are shorter.
const maxName = 31

// isName reports whether a text is short and has only letters, digits and underscores.
func isName(text string) bool {
	if len(text) > maxName {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// attr returns an attribute without secrets, and reports whether it had one.
func (c *cleaner) attr(a slog.Attr) (slog.Attr, bool) {
	v := a.Value.Resolve()
	var text string
	switch v.Kind() {
	case slog.KindString:
		text = v.String()
	case slog.KindAny:
		return c.anyAttr(a.Key, v)
	case slog.KindGroup:
		return c.group(a.Key, v.Group())
	default:
		return a, false
	}
	if clean := c.attrText(a.Key, text); clean != text {
		return slog.String(a.Key, clean), true
	}
	return a, false
}

// attrText returns the text of an attribute without secrets. A name of a secret makes all
// of it one.
func (c *cleaner) attrText(key, text string) string {
	if clean := c.text(text); clean != text || text == "" {
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
	return slices.ContainsFunc(nameMarkers, sign) && len(namedSecret.FindString(name+"=")) == len(name)+1
}

func (c *cleaner) group(key string, attrs []slog.Attr) (slog.Attr, bool) {
	clean, changed := make([]slog.Attr, len(attrs)), false
	for i, a := range attrs {
		var other bool
		clean[i], other = c.attr(a)
		changed = changed || other
	}
	return slog.Attr{Key: key, Value: slog.GroupValue(clean...)}, changed
}

// anyAttr is for values that handlers write in ways of their own.
func (c *cleaner) anyAttr(key string, v slog.Value) (slog.Attr, bool) {
	texts := []string{fmt.Sprintf("%+v", v.Any())}
	if _, isError := v.Any().(error); !isError {
		if written, err := json.Marshal(v.Any()); err == nil {
			texts = append(texts, string(written))
		}
	}
	for _, text := range texts {
		if clean := c.attrText(key, text); clean != text {
			return slog.String(key, clean), true
		}
	}
	return slog.Attr{Key: key, Value: v}, false
}
