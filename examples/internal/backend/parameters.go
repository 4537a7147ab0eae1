package backend

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Parameters are a request's query parameters. The values are kept as they were
// sent: a list is parted at its literal commas before its elements are decoded, as
// OpenAPI's "style: form, explode: false" says, so that %2C is part of an element.
// Parameters that nobody asks for are ignored.
type Parameters map[string][]string // decoded name -> raw values

// ReadParameters fails with a 400 where a name is not well escaped.
func ReadParameters(r *http.Request) (Parameters, error) {
	p := Parameters{}
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
		return "", Refuse(http.StatusBadRequest, "BAD_QUERY", "the query is not well escaped")
	}
	return text, nil
}

// Text is "" when the parameter is missing.
func (p Parameters) Text(name string) (string, error) {
	if len(p[name]) == 0 {
		return "", nil
	}
	return decode(p[name][0])
}

// Number reads an integer of at least low and at most high; a missing one is ifMissing.
func (p Parameters) Number(name string, low, high, ifMissing int) (int, error) {
	if len(p[name]) == 0 {
		return ifMissing, nil
	}
	text, err := p.Text(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, BadType(name, "an integer")
	}
	if n < low || n > high {
		return 0, Refuse(http.StatusUnprocessableEntity, "OUT_OF_RANGE", "%s must be between %d and %d", name, low, high)
	}
	return n, nil
}

// List reads a comma-joined list without its doubles. asked tells an empty list
// from a missing one.
func (p Parameters) List(name string, max int) (elements []string, asked bool, err error) {
	if len(p[name]) == 0 {
		return nil, false, nil
	}
	sent := strings.Split(strings.Join(p[name], ","), ",")
	if len(sent) > max {
		return nil, true, Refuse(http.StatusUnprocessableEntity, "TOO_MANY", "%s may have %d elements", name, max)
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

// Each reads a parameter that is repeated for each element ("explode: true").
func (p Parameters) Each(name string) ([]string, error) {
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

// Window is the part of items that a page shows. It takes any offset and limit
// that are not negative.
func Window[T any](items []T, offset, limit int) []T {
	items = items[min(offset, len(items)):]
	return items[:min(limit, len(items))]
}
