package services

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parameters are a request's query parameters. The values are kept as they were
// sent: a list is parted at its literal commas before its elements are decoded, as
// OpenAPI's "style: form, explode: false" says, so that %2C is part of an element.
// Parameters that nobody asks for are ignored.
type parameters map[string][]string // decoded name -> raw values

func readParameters(r *http.Request) (parameters, error) {
	p := parameters{}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := decode(name)
		if err != nil {
			return nil, err
		}
		p[name] = append(p[name], value)
	}
	return p, nil
}

func decode(raw string) (string, error) {
	text, err := url.QueryUnescape(raw)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "BAD_QUERY", "the query is not well escaped")
	}
	return text, nil
}

// text is "" when the parameter is missing.
func (p parameters) text(name string) (string, error) {
	if len(p[name]) == 0 {
		return "", nil
	}
	return decode(p[name][0])
}

// number reads an integer of at least low and at most high; a missing one is ifMissing.
func (p parameters) number(name string, low, high, ifMissing int) (int, error) {
	if len(p[name]) == 0 {
		return ifMissing, nil
	}
	text, err := p.text(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badType(name, "an integer")
	}
	if n < low || n > high {
		return 0, refuse(http.StatusUnprocessableEntity, "OUT_OF_RANGE", "%s must be between %d and %d", name, low, high)
	}
	return n, nil
}

// list reads a comma-joined list without its doubles. asked tells an empty list
// from a missing one.
func (p parameters) list(name string, max int) (elements []string, asked bool, err error) {
	if len(p[name]) == 0 {
		return nil, false, nil
	}
	sent := strings.Split(strings.Join(p[name], ","), ",")
	if len(sent) > max {
		return nil, true, refuse(http.StatusUnprocessableEntity, "TOO_MANY", "%s may have %d elements", name, max)
	}
	for _, raw := range sent {
		element, err := decode(raw)
		if err != nil {
			return nil, true, err
		}
		if element != "" && !slices.Contains(elements, element) {
			elements = append(elements, element)
		}
	}
	return elements, true, nil
}

// each reads a parameter that is repeated for each element ("explode: true").
func (p parameters) each(name string) ([]string, error) {
	elements := make([]string, 0, len(p[name]))
	for _, raw := range p[name] {
		element, err := decode(raw)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	return elements, nil
}

func badType(name, want string) *problem {
	return refuse(http.StatusBadRequest, "BAD_PARAMETER", "%s must be %s", name, want)
}

// window is the part of items that a page shows. It takes any offset and limit
// that are not negative.
func window[T any](items []T, offset, limit int) []T {
	items = items[min(offset, len(items)):]
	return items[:min(limit, len(items))]
}
