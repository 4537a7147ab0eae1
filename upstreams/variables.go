package upstreams

import (
	"context"
	"net/textproto"
	"os"
	"strings"
)

// RequestHeader returns the value of $request.headers.name: a header of the client's
// request, or nil. The values of a repeated header are joined by commas, but two
// Authorization headers are nil. It also returns nil for headers that no service may
// receive (see ForwardError), so that no binding can send a cookie on.
func RequestHeader(ctx context.Context, name string) any {
	name = textproto.CanonicalMIMEHeaderKey(name)
	values := clientHeader(ctx, name)
	if ForwardError(name) != "" || !canForward(name, values) {
		return nil
	}
	return strings.Join(values, ", ")
}

// Env returns the value of $env.name: an environment variable, or nil when it is not set or
// empty.
func Env(name string) any {
	return nonEmpty(os.Getenv(name))
}

// Config returns the value of $config.key: that of sources.<source>.config.<key> in the
// settings, or nil when it is absent or empty.
func (s *Services) Config(ctx context.Context, source, key string) any {
	if to := s.source(ctx, source); to != nil {
		return nonEmpty(to.config[key])
	}
	return nil
}

func nonEmpty(value string) any {
	if value == "" {
		return nil
	}
	return value
}
