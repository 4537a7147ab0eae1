package front

import (
	"net/http"
	"time"

	"github.com/jub0bs/cors"
)

// CORS says which web pages of other origins may call the gateway.
type CORS struct {
	// Origins are the origins allowed, such as https://shop.example.com,
	// https://*.example.com or http://localhost:*; "*" is all of them. Default none.
	Origins []string `yaml:"origins"`
	// Credentials lets those pages send cookies and the like. Bearer tokens do not
	// need it. Default false.
	Credentials bool `yaml:"credentials"`
	// MaxAge is how long a browser may remember that it may call. Default 5s, at most 24h.
	MaxAge time.Duration `yaml:"maxAge"`
}

// clientSends are the request headers that GraphQL clients are known to send.
var clientSends = []string{
	"Accept", "Authorization", "Content-Type", "Idempotency-Key",
	"X-Request-ID", "traceparent", "tracestate",
	"Apollo-Require-Preflight", "X-Apollo-Operation-Name",
	"apollographql-client-name", "apollographql-client-version",
	"graphql-client-name", "graphql-client-version",
}

// Validate tells, as errors of github.com/jub0bs/cors/cfgerrors, which rules are wrong or
// dangerous; New refuses the same.
func (c CORS) Validate() error {
	_, err := c.middleware()
	return err
}

// middleware is nil when no other origin may call.
func (c CORS) middleware() (*cors.Middleware, error) {
	if len(c.Origins) == 0 {
		return nil, nil
	}
	return cors.NewMiddleware(cors.Config{
		Origins:         c.Origins,
		Credentialed:    c.Credentials,
		Methods:         []string{http.MethodGet, http.MethodPost},
		RequestHeaders:  clientSends,
		MaxAgeInSeconds: int(c.MaxAge / time.Second),
		ResponseHeaders: []string{headerRequestID, "Retry-After"},
	})
}
