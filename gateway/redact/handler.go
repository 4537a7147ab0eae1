package redact

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
)

// handler is a slog.Handler that replaces the secrets in records and passes them on to the next one.
type handler struct {
	next           slog.Handler
	secrets        *Secrets
	requestSecrets func(context.Context) []string
}

// Logger returns a logger that writes to log without secrets. known are the secrets of the settings.
// requestSecrets returns those of the request of a context; nil means none.
func Logger(log *slog.Logger, known *Secrets, requestSecrets func(context.Context) []string) *slog.Logger {
	if requestSecrets == nil {
		requestSecrets = func(context.Context) []string { return nil }
	}
	return slog.New(&handler{next: log.Handler(), secrets: known, requestSecrets: requestSecrets})
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.next.WithGroup(name), h.secrets, h.requestSecrets}
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i], _ = (&cleaner{known: h.secrets.variants()}).attr(a)
	}
	return &handler{h.next.WithAttrs(clean), h.secrets, h.requestSecrets}
}

// Handle passes a record on as it is unless it has a secret, which is rare and costs a copy.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	c := cleaner{known: h.secrets.variants(), ctx: ctx, requestSecrets: h.requestSecrets}
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

// cleaner replaces the secrets in one record.
type cleaner struct {
	known          []string
	ctx            context.Context                // of the record
	requestSecrets func(context.Context) []string // nil once known has its result
}

// text returns a text without secrets. It fetches the secrets of the request for the first text that may
// contain one: most records have names and numbers alone.
func (c *cleaner) text(text string) string {
	if c.requestSecrets != nil && !isName(text) {
		c.known = slices.Concat(Variants(c.requestSecrets(c.ctx)...), c.known)
		c.requestSecrets = nil
	}
	return Text(text, c.known...)
}

// maxName is the greatest length of a name in bytes. A longer text may be a secret; request ids of the
// gateway are shorter.
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

// attrText returns the text of an attribute without secrets. If the key is the name of a secret, all of
// the text is one.
func (c *cleaner) attrText(key, text string) string {
	if clean := c.text(text); clean != text || text == "" {
		return clean
	}
	if isSecretName(key) {
		return Mask
	}
	return text
}

// isSecretName reports whether a name is that of a secret.
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

// anyAttr returns an attribute of another type without secrets. A handler may print it with fmt or
// encode it as JSON, so that neither text may have a secret.
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
