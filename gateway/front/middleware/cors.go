package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jub0bs/cors"
	"github.com/jub0bs/cors/cfgerrors"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// CORS says which pages of other origins may call the gateway.
type CORS struct {
	// Origins are the allowed origins, such as https://shop.example.com,
	// https://*.example.com or http://localhost:*; "*" is all of them. Default none.
	Origins []string `yaml:"origins"`
	// Headers are further headers that those pages may send. The headers that GraphQL clients and
	// tracing are known to send are always allowed (Authorization, Content-Type, traceparent,
	// baggage, sentry-trace and others), and those that a source forwards. Default none.
	Headers []string `yaml:"headers"`
	// Credentials lets those pages send cookies and other credentials of the browser. Bearer
	// tokens do not need it. Default false.
	Credentials bool `yaml:"credentials"`
	// MaxAge is how long a browser may cache the answer to a preflight. Default 5s, at most 24h.
	MaxAge time.Duration `yaml:"maxAge"`
}

// requestHeaders are the headers that GraphQL clients and the tracing of browsers are known to send.
var requestHeaders = []string{
	"Accept", "Authorization", "Content-Type", "Idempotency-Key",
	"X-Request-ID", "traceparent", "tracestate", "baggage", "sentry-trace",
	"Apollo-Require-Preflight", "GraphQL-Require-Preflight", "X-Apollo-Operation-Name", "X-Apollo-Operation-Id",
	"apollographql-client-name", "apollographql-client-version",
	"graphql-client-name", "graphql-client-version",
}

// Validate returns the settings that are wrong or dangerous, as joined errors that begin with the name of
// the setting.
func (c CORS) Validate() error {
	if len(c.Origins) == 0 {
		return nil
	}
	errs := checkOrigins("origins", c.Origins, c.Credentials)
	if c.Credentials && slices.Contains(c.Origins, "*") {
		errs = append(errs, errors.New(`credentials: cannot be true while all origins ("*") are allowed; list the origins, or leave credentials out, which bearer tokens do not need`))
	}
	for i, name := range c.Headers {
		if problem := headerProblem(name); problem != "" {
			errs = append(errs, fmt.Errorf("headers[%d]: %s", i, problem))
		}
	}
	if c.MaxAge < 0 {
		errs = append(errs, errors.New("maxAge: is negative; leave it out to get the default"))
	}
	if c.MaxAge > maxPreflightAge {
		errs = append(errs, errors.New("maxAge: must be at most 24h"))
	}
	return errors.Join(errs...)
}

// maxPreflightAge is the longest that any browser keeps the answer to a preflight.
const maxPreflightAge = 24 * time.Hour

// headerProblem returns why pages cannot be allowed to send a header; "" if they can.
func headerProblem(name string) string {
	_, err := cors.NewMiddleware(cors.Config{Origins: []string{"*"}, RequestHeaders: []string{name}})
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*cfgerrors.UnacceptableHeaderNameError](err); ok && e.Reason == "invalid" {
		return fmt.Sprintf("%q is not the name of a header; write one as X-Tenant", name)
	}
	return fmt.Sprintf("%q cannot be allowed; browsers or the gateway set it themselves", name)
}

// config returns the configuration of the CORS library. A header of sent is left out if browsers let no
// page send it, and one of read if browsers let no page, or every page, read it.
func (c CORS) config(sent, read []string) cors.Config {
	config := cors.Config{
		Origins:         c.Origins,
		Credentialed:    c.Credentials,
		Methods:         []string{http.MethodGet, http.MethodPost, http.MethodHead},
		RequestHeaders:  slices.Concat(requestHeaders, c.Headers),
		MaxAgeInSeconds: int(c.MaxAge / time.Second),
		ResponseHeaders: []string{request.HeaderID, "Retry-After", "RateLimit", "RateLimit-Policy"},
	}
	for _, name := range sent {
		if headerProblem(name) == "" {
			config.RequestHeaders = append(config.RequestHeaders, name)
		}
	}
	for _, name := range read {
		if _, err := cors.NewMiddleware(cors.Config{Origins: []string{"*"}, ResponseHeaders: []string{name}}); err == nil {
			config.ResponseHeaders = append(config.ResponseHeaders, name)
		}
	}
	return config
}

// Middleware returns the middleware that answers preflights and adds the headers of CORS. Pages may send
// the headers of sent as well, and read those of read. Without origins it does nothing.
func (c CORS) Middleware(sent, read []string, log *slog.Logger) (Middleware, error) {
	if len(c.Origins) == 0 {
		return None, nil
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m, err := cors.NewMiddleware(c.config(sent, read))
	if err != nil {
		return nil, err
	}
	preflights := &preflightLog{
		cors:    m.Wrap(http.NotFoundHandler()),
		refused: refusalLog{log: log, message: "a web page was refused by CORS; this is logged once"},
	}
	return func(next http.Handler) http.Handler {
		wrapped := m.Wrap(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isPreflight(r) {
				s := &statusWriter{ResponseWriter: w}
				wrapped.ServeHTTP(s, r)
				if s.status >= http.StatusBadRequest {
					preflights.note(r)
				}
				return
			}
			wrapped.ServeHTTP(w, r)
		})
	}, nil
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header["Origin"] != nil && r.Header["Access-Control-Request-Method"] != nil
}

// statusWriter keeps the status of a response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// preflightLog logs what of a page's preflight was refused.
type preflightLog struct {
	cors    http.Handler
	refused refusalLog
}

const maxProbedHeaders = 20

// note logs a refused preflight.
func (l *preflightLog) note(r *http.Request) {
	refused, value := l.reason(r)
	l.refused.note(r, refused, value)
}

// reason returns what CORS refuses of a preflight, by asking it again with less: "origin", "method"
// or "header", and the value. Of headers it is all that are refused.
func (l *preflightLog) reason(r *http.Request) (refused, value string) {
	origin, method := r.Header.Get("Origin"), r.Header.Get("Access-Control-Request-Method")
	if !l.accepts(r, origin, http.MethodGet, "") {
		return "origin", origin
	}
	if !l.accepts(r, origin, method, "") {
		return "method", method
	}
	var names []string
	for name := range strings.SplitSeq(strings.Join(r.Header["Access-Control-Request-Headers"], ","), ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if len(names) < maxProbedHeaders && !l.accepts(r, origin, method, name) {
			names = append(names, name)
		}
	}
	return "header", strings.Join(names, ", ")
}

// accepts reports whether a preflight with these values is accepted.
func (l *preflightLog) accepts(r *http.Request, origin, method, headers string) bool {
	probe := &http.Request{Method: http.MethodOptions, URL: r.URL, Header: http.Header{
		"Origin": {origin}, "Access-Control-Request-Method": {method},
	}}
	if headers != "" {
		probe.Header["Access-Control-Request-Headers"] = []string{headers}
	}
	s := &statusWriter{ResponseWriter: discard{http.Header{}}}
	l.cors.ServeHTTP(s, probe)
	return s.status < http.StatusBadRequest
}

// discard is a response that is not written.
type discard struct{ header http.Header }

// Header implements http.ResponseWriter.
func (d discard) Header() http.Header { return d.header }

// Write implements http.ResponseWriter.
func (d discard) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (d discard) WriteHeader(int) {}
