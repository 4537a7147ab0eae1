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

// validation collects the problems of a body by field, so that a client receives all of them at
// once.
type validation []backend.FieldError

// require adds a problem unless ok is true.
func (c *validation) require(ok bool, field, message string) {
	if !ok {
		*c = append(*c, backend.FieldError{Field: field, Message: message})
	}
}

// requireOneOf adds a problem unless value is one of values, or empty, which means absent.
func (c *validation) requireOneOf(field, value string, values []string) {
	if value != "" && !slices.Contains(values, value) {
		c.require(false, field, "must be one of "+strings.Join(values, ", "))
	}
}

// err returns nil without problems, and a 422 with all of them otherwise.
func (c validation) err() error {
	if len(c) == 0 {
		return nil
	}
	p := backend.NewInvalid("%s %s", c[0].Field, c[0].Message)
	p.Errors = c
	return p
}

// readJSON decodes a JSON body. It refuses nulls, except in the members that are nullable by
// the document.
func readJSON(r *http.Request, into any, nullable ...string) error {
	body, err := backend.ReadBody(r, "application/json")
	if err != nil {
		return err
	}
	return parseJSON(body, into, nullable...)
}

func parseJSON(body []byte, into any, nullable ...string) error {
	if err := backend.ParseJSON(body, into); err != nil {
		return err
	}
	var whole any
	if err := backend.ParseJSON(body, &whole); err != nil {
		return err
	}
	var c validation
	c.checkNulls("", whole, nullable)
	return c.err()
}

// checkNulls adds a problem for each member that is null and not nullable.
func (c *validation) checkNulls(path string, value any, nullable []string) {
	switch value := value.(type) {
	case nil:
		c.require(slices.Contains(nullable, path), cmp.Or(path, "the body"), "may not be null")
	case []any:
		for i, element := range value {
			c.checkNulls(fmt.Sprintf("%s[%d]", path, i), element, nullable)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			c.checkNulls(strings.TrimPrefix(path+"."+name, "."), value[name], nullable)
		}
	}
}

// isURI reports whether text is an absolute URI.
func isURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.IsAbs()
}

// baseURL returns the URL by which the client reached the service, without a slash at its end.
func baseURL(r *http.Request) string { return "http://" + r.Host + Base }
