package backend

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Parameters are the query parameters of a request. Their values are kept escaped: by
// OpenAPI's "style: form, explode: false" a list is split at its literal commas before its
// elements are unescaped, so that %2C is part of an element. Parameters that an operation
// does not read are ignored.
type Parameters map[string][]string // decoded name -> raw values

// ReadParameters returns the query parameters of r. Its error is a 400 for a malformed escape
// in a name.
func ReadParameters(r *http.Request) (Parameters, error) {
	p := Parameters{}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := unescape(name)
		if err != nil {
			return nil, err
		}
		p[name] = append(p[name], value)
	}
	return p, nil
}

func unescape(raw string) (string, error) {
	text, err := url.QueryUnescape(raw)
	if err != nil {
		return "", NewProblem(http.StatusBadRequest, "BAD_QUERY", "the query has a malformed escape")
	}
	return text, nil
}

// String returns the parameter, "" when it is absent.
func (p Parameters) String(name string) (string, error) {
	if len(p[name]) == 0 {
		return "", nil
	}
	return unescape(p[name][0])
}

// Int returns the parameter as an integer from low to high, and fallback when it is absent.
func (p Parameters) Int(name string, low, high, fallback int) (int, error) {
	if len(p[name]) == 0 {
		return fallback, nil
	}
	text, err := p.String(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, NewBadParameter(name, "an integer")
	}
	if n < low || n > high {
		return 0, NewProblem(http.StatusUnprocessableEntity, "OUT_OF_RANGE", "%s must be between %d and %d", name, low, high)
	}
	return n, nil
}

// List returns the elements of a comma-separated list without duplicates and empty ones. ok
// reports whether the parameter is present, perhaps with an empty list.
func (p Parameters) List(name string, max int) (elements []string, ok bool, err error) {
	if len(p[name]) == 0 {
		return nil, false, nil
	}
	sent := strings.Split(strings.Join(p[name], ","), ",")
	if len(sent) > max {
		return nil, true, NewProblem(http.StatusUnprocessableEntity, "TOO_MANY", "%s may have %d elements", name, max)
	}
	for _, raw := range sent {
		element, err := unescape(raw)
		if err != nil {
			return nil, true, err
		}
		if element != "" && !slices.Contains(elements, element) {
			elements = append(elements, element)
		}
	}
	return elements, true, nil
}

// Repeated returns the values of a parameter that is repeated for each element ("explode:
// true").
func (p Parameters) Repeated(name string) ([]string, error) {
	elements := make([]string, 0, len(p[name]))
	for _, raw := range p[name] {
		element, err := unescape(raw)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	return elements, nil
}

// Page returns the items of a page. offset and limit must not be negative, but may exceed the
// number of items.
func Page[T any](items []T, offset, limit int) []T {
	items = items[min(offset, len(items)):]
	return items[:min(limit, len(items))]
}
