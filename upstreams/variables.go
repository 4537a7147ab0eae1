package upstreams

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strings"
)

// RequestHeader is the value of $request.headers.name: what the client sent, or nil.
// Of a header that came several times, the values are joined by commas, but two
// credentials are none. Nil are also the headers that no service may get (see
// Unforwardable), so that no binding can send a cookie on.
func RequestHeader(ctx context.Context, name string) any {
	from, _ := ctx.Value(clientHeaders{}).(http.Header)
	name = textproto.CanonicalMIMEHeaderKey(name)
	values := from[name]
	if Unforwardable(name) != "" || !forwardable(name, values) {
		return nil
	}
	return strings.Join(values, ", ")
}

// Env is the value of $env.name: that of an environment variable, or nil when it is not
// set or empty.
func Env(name string) any {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return nil
}

// Config is the value of $config.key: what the source's settings say under config, or
// nil when that is nothing or empty.
func (s *Services) Config(source, key string) any {
	if value := s.config[source][key]; value != "" {
		return value
	}
	return nil
}

// NeedEnv fails when an environment variable that the graph uses is not set, or empty.
func NeedEnv(names []string) error {
	var errs []error
	for _, name := range names {
		if Env(name) == nil {
			errs = append(errs, fmt.Errorf("the graph uses $env.%s, but the environment variable %s is not set; set it", name, name))
		}
	}
	return errors.Join(errs...)
}

// NeedConfig fails when one of the keys that the graph uses of each source is not
// configured, or empty.
func (s *Services) NeedConfig(keys map[string][]string) error {
	var errs []error
	for _, source := range slices.Sorted(maps.Keys(keys)) {
		for _, key := range keys[source] {
			if s.Config(source, key) == nil {
				errs = append(errs, fmt.Errorf("the graph uses $config.%s, but the settings have no sources.%s.config.%s; add it", key, source, key))
			}
		}
	}
	return errors.Join(errs...)
}
