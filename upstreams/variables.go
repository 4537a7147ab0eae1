package upstreams

import (
	"context"
	"net/textproto"
	"os"
	"strings"
)

// RequestHeader is the value of $request.headers.name: what the client sent, or nil.
// Of a header that came several times, the values are joined by commas, but two
// credentials are none. Nil are also the headers that no service may get (see
// Unforwardable), so that no binding can send a cookie on.
func RequestHeader(ctx context.Context, name string) any {
	name = textproto.CanonicalMIMEHeaderKey(name)
	values := clientHeader(ctx, name)
	if ForwardError(name) != "" || !forwardable(name, values) {
		return nil
	}
	return strings.Join(values, ", ")
}

// Env is the value of $env.name: that of an environment variable, or nil when it is not
// set or empty.
func Env(name string) any {
	return nonEmpty(os.Getenv(name))
}

// Config is the value of $config.key: what the source's settings say under config, or
// nil when that is nothing or empty.
func (s *Services) Config(source, key string) any {
	return nonEmpty(s.config[source][key])
}

func nonEmpty(value string) any {
	if value == "" {
		return nil
	}
	return value
}
