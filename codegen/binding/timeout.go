package binding

import (
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// A timeout outside of these bounds is most likely a mistake in its unit. No service responds within
// less than a millisecond, and no client waits for an hour.
const (
	minTimeout = time.Millisecond
	maxTimeout = time.Hour
)

// compileTimeout compiles the timeout of a @connect. It returns 0 if the directive has none, and after
// a fault.
func (b *bindingCompiler) compileTimeout(d *ast.Directive) time.Duration {
	text := argument(d, "timeout")
	if text == nil {
		return 0
	}
	timeout, err := time.ParseDuration(text.Raw)
	switch {
	case err != nil:
		b.faults.Add(InvalidTimeout, text.Position, "%q is not a duration; write a number with its unit%s", text.Raw, adviseDuration(text.Raw))
	case timeout <= 0:
		b.faults.Add(InvalidTimeout, text.Position, "a timeout of %s leaves no time for the call; write one such as \"2s\", or leave it out for the timeout of the source", text.Raw)
	case timeout < minTimeout || timeout > maxTimeout:
		b.faults.Add(InvalidTimeout, text.Position, "a timeout is at least 1ms and at most 1h, so %s has most likely a wrong unit; write one such as \"2s\"", text.Raw)
	default:
		return timeout
	}
	return 0
}

// adviseDuration returns advice on what to write instead of a text that is not a duration.
func adviseDuration(text string) string {
	compact := strings.ToLower(strings.Join(strings.Fields(text), ""))
	for _, guess := range []string{compact, compact + "s"} {
		if d, err := time.ParseDuration(guess); err == nil && d >= minTimeout && d <= maxTimeout {
			return "; did you mean \"" + guess + "\"?"
		}
	}
	return ", such as \"500ms\", \"2s\" or \"1m30s\""
}
