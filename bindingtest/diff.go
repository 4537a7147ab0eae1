package bindingtest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// decodeJSON decodes one JSON value with its numbers as json.Number.
func decodeJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more behind the first value")
	}
	return value, nil
}

// maxDifferences is how many differences are listed; a value with more is another one altogether.
const maxDifferences = 12

// differences returns a line for each place where two JSON values differ, and none if they are equal.
// The order of members does not count, and numbers are compared by value: 1.0 equals 1.
func differences(want, got any) []string {
	var d differ
	d.compare("$", want, got)
	if more := len(d.lines) - maxDifferences; more > 0 {
		return append(d.lines[:maxDifferences], fmt.Sprintf("and %d more", more))
	}
	return d.lines
}

// differ collects the differences of two values. $ is the root of its paths.
type differ struct{ lines []string }

func (d *differ) add(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *differ) compare(path string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			d.objects(path, w, g)
			return
		}
	case []any:
		if g, ok := got.([]any); ok {
			d.lists(path, w, g)
			return
		}
	default:
		if sameScalar(want, got) {
			return
		}
	}
	d.add("%s: want %s, got %s", path, formatJSON(want), formatJSON(got))
}

func (d *differ) objects(path string, want, got map[string]any) {
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w, wanted := want[name]
		g, there := got[name]
		switch at := path + "." + name; {
		case !there:
			d.add("%s: want %s, but it is missing", at, formatJSON(w))
		case !wanted:
			d.add("%s: not expected, got %s", at, formatJSON(g))
		default:
			d.compare(at, w, g)
		}
	}
}

func (d *differ) lists(path string, want, got []any) {
	for i := range max(len(want), len(got)) {
		switch at := fmt.Sprintf("%s[%d]", path, i); {
		case i >= len(got):
			d.add("%s: want %s, but the list ends before", at, formatJSON(want[i]))
		case i >= len(want):
			d.add("%s: not expected, got %s", at, formatJSON(got[i]))
		default:
			d.compare(at, want[i], got[i])
		}
	}
}

// sameScalar reports whether two scalars are equal. It compares numbers exactly.
func sameScalar(want, got any) bool {
	w, ok := want.(json.Number)
	g, both := got.(json.Number)
	if !ok || !both {
		return isScalar(got) && want == got
	}
	x, okX := new(big.Rat).SetString(w.String())
	y, okY := new(big.Rat).SetString(g.String())
	return okX && okY && x.Cmp(y) == 0
}

// isScalar reports whether v can be compared by ==, which panics for maps and slices.
func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// maxFormatted is the number of characters of a value that a difference shows.
const maxFormatted = 200

// formatJSON returns a value as JSON, truncated to maxFormatted characters.
func formatJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := []rune(strings.TrimSpace(b.String()))
	if len(text) > maxFormatted {
		return string(text[:maxFormatted]) + "…"
	}
	return string(text)
}
