package escape_test

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
)

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "",
		"plain é 日 \U0001f600": "plain é 日 \U0001f600",
		"a\nb\r\tc":            `a\nb\r\tc`,
		"\x1b[31m\x00\x7f":     `\x1b[31m\x00\x7f`,
		"\u0085\u202e\u2066":   `\u0085\u202e\u2066`,
		"\u2028\ufeff":         `\u2028\ufeff`,
		"\xff\ufffd":           `\xff` + "\ufffd",
	} {
		if got := escape.Line(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
