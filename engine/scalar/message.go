package scalar

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// maxShownBytes bounds how much of a value a message repeats.
const maxShownBytes = 100

// Describe returns a value as messages for clients show it: as JSON, truncated.
func Describe(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil { // it did not come as JSON; Go's form is not for clients
		return "the value"
	}
	return Truncate(strings.TrimSpace(b.String()))
}

// Truncate returns at most the first 100 bytes of a text that a message repeats, and not a part of
// a character.
func Truncate(text string) string {
	if len(text) <= maxShownBytes {
		return text
	}
	end := maxShownBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// inputError returns the error for a value that does not fit.
func inputError(format string, args ...any) error {
	return fault.New(fault.BadUserInput, format, args...)
}
