package services

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// check gathers what is wrong with a body, field by field, so that a caller hears all
// of it at once.
type check []backend.FieldError

// that notes a fault unless fine.
func (c *check) that(fine bool, field, message string) {
	if !fine {
		*c = append(*c, backend.FieldError{Field: field, Message: message})
	}
}

// oneOf takes an empty value for one that was left out.
func (c *check) oneOf(field, value string, values []string) {
	if value != "" && !slices.Contains(values, value) {
		c.that(false, field, "must be one of "+strings.Join(values, ", "))
	}
}

// err is nil when nothing is wrong, and else a 422.
func (c check) err() error {
	if len(c) == 0 {
		return nil
	}
	p := backend.Invalid("%s %s", c[0].Field, c[0].Message)
	p.Errors = c
	return p
}

// readInto reads a JSON body. A null is refused but for the members that the document lets
// be null, which are told by their names.
func readInto(r *http.Request, into any, nullable ...string) error {
	body, err := backend.ReadBody(r, "application/json")
	if err != nil {
		return err
	}
	return parse(body, into, nullable...)
}

func parse(body []byte, into any, nullable ...string) error {
	if err := backend.Parse(body, into); err != nil {
		return err
	}
	var whole any
	if err := backend.Parse(body, &whole); err != nil {
		return err
	}
	var c check
	c.nulls("", whole, nullable)
	return c.err()
}

// nulls notes the members that are null and may not be.
func (c *check) nulls(path string, value any, nullable []string) {
	switch value := value.(type) {
	case nil:
		c.that(slices.Contains(nullable, path), cmp.Or(path, "the body"), "may not be null")
	case []any:
		for i, element := range value {
			c.nulls(fmt.Sprintf("%s[%d]", path, i), element, nullable)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			c.nulls(strings.TrimPrefix(path+"."+name, "."), value[name], nullable)
		}
	}
}

// isURI tells an absolute URI.
func isURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.IsAbs()
}

// base is the URL by which the caller reached the service, without a slash at its end.
func base(r *http.Request) string { return "http://" + r.Host + Base }
