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

// decodeJSON reads JSON with its numbers as they are written.
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

// maxDifferences is how many are told; behind so many another answer was meant.
const maxDifferences = 12

// differences tells how two JSON values differ, a line for each place; none when they
// are equal. The order of members does not count, and numbers are compared as numbers.
func differences(want, got any) []string {
	var d differ
	d.compare("$", want, got)
	if more := len(d.lines) - maxDifferences; more > 0 {
		return append(d.lines[:maxDifferences], fmt.Sprintf("and %d more", more))
	}
	return d.lines
}

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
	d.add("%s: want %s, got %s", path, short(want), short(got))
}

func (d *differ) objects(path string, want, got map[string]any) {
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w, wanted := want[name]
		g, there := got[name]
		switch at := path + "." + name; {
		case !there:
			d.add("%s: want %s, but it is missing", at, short(w))
		case !wanted:
			d.add("%s: not expected, got %s", at, short(g))
		default:
			d.compare(at, w, g)
		}
	}
}

func (d *differ) lists(path string, want, got []any) {
	for i := range max(len(want), len(got)) {
		switch at := fmt.Sprintf("%s[%d]", path, i); {
		case i >= len(got):
			d.add("%s: want %s, but the list ends before", at, short(want[i]))
		case i >= len(want):
			d.add("%s: not expected, got %s", at, short(got[i]))
		default:
			d.compare(at, want[i], got[i])
		}
	}
}

func sameScalar(want, got any) bool {
	w, ok := want.(json.Number)
	g, both := got.(json.Number)
	if !ok || !both {
		return scalar(got) && want == got
	}
	x, okX := new(big.Rat).SetString(w.String())
	y, okY := new(big.Rat).SetString(g.String())
	return okX && okY && x.Cmp(y) == 0
}

// scalar tells what can be compared by ==.
func scalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// maxShort is how much of a value a difference shows.
const maxShort = 200

// short is a value as JSON, cut when it is long.
func short(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := []rune(strings.TrimSpace(b.String()))
	if len(text) > maxShort {
		return string(text[:maxShort]) + "…"
	}
	return string(text)
}
