package front

import (
	"net/http"
	"time"

	"github.com/jub0bs/cors"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// CORS says which pages of other origins may call the gateway.
type CORS struct {
	// Origins are the allowed origins, such as https://shop.example.com,
	// https://*.example.com or http://localhost:*; "*" is all of them. Default none.
	Origins []string `yaml:"origins"`
	// Credentials lets those pages send cookies and other credentials of the browser. Bearer
	// tokens do not need it. Default false.
	Credentials bool `yaml:"credentials"`
	// MaxAge is how long a browser may cache the answer to a preflight. Default 5s, at most 24h.
	MaxAge time.Duration `yaml:"maxAge"`
}

// requestHeaders are the headers that GraphQL clients are known to send.
var requestHeaders = []string{
	"Accept", "Authorization", "Content-Type", "Idempotency-Key",
	"X-Request-ID", "traceparent", "tracestate",
	"Apollo-Require-Preflight", "X-Apollo-Operation-Name",
	"apollographql-client-name", "apollographql-client-version",
	"graphql-client-name", "graphql-client-version",
}

// Validate returns the settings that are wrong or dangerous, as errors of
// github.com/jub0bs/cors/cfgerrors. New returns it, wrapped.
func (c CORS) Validate() error {
	_, err := c.middleware()
	return err
}

// middleware returns the middleware that answers preflights and adds the headers of CORS.
// Without origins it does nothing.
func (c CORS) middleware() (middleware.Middleware, error) {
	if len(c.Origins) == 0 {
		return func(next http.Handler) http.Handler { return next }, nil
	}
	m, err := cors.NewMiddleware(cors.Config{
		Origins:         c.Origins,
		Credentialed:    c.Credentials,
		Methods:         []string{http.MethodGet, http.MethodPost},
		RequestHeaders:  requestHeaders,
		MaxAgeInSeconds: int(c.MaxAge / time.Second),
		ResponseHeaders: []string{request.HeaderID, "Retry-After"},
	})
	if err != nil {
		return nil, err
	}
	return m.Wrap, nil
}
