package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
)

// The values of CSRF.Mode.
const (
	CSRFEnforce = "enforce"
	CSRFLog     = "log"
	CSRFOff     = "off"
)

// CSRF says which requests are refused since a page of another origin may have made a browser send them
// (cross-site request forgery). Those of the gateway's own origin, of cors.origins and of clients that
// are not browsers are never refused.
type CSRF struct {
	// Mode is enforce, log or off. By log, a request that enforce refuses is served, and the log names its
	// origin. Default enforce.
	Mode string `yaml:"mode"`
	// TrustedOrigins are further origins whose pages may send requests, in the form of cors.origins. They
	// are for a proxy that answers for CORS in the place of the gateway, or that changes the host of
	// requests. Default none.
	TrustedOrigins []string `yaml:"trustedOrigins"`
	// Headers are further headers that prove a request with GET harmless, since browsers send them to
	// another origin only if CORS allows it. Apollo-Require-Preflight, X-Apollo-Operation-Name and
	// GraphQL-Require-Preflight always do. Default none.
	Headers []string `yaml:"headers"`
}

// preflightHeaders are the headers by which clients say that a browser did not send a request without a
// preflight: those of Apollo's clients, and the one that other servers have.
var preflightHeaders = []string{"Apollo-Require-Preflight", "X-Apollo-Operation-Name", "Graphql-Require-Preflight"}

// Validate returns the settings that are wrong, as joined errors that begin with the name of the setting.
func (o CSRF) Validate() error {
	var errs []error
	if !slices.Contains([]string{"", CSRFEnforce, CSRFLog, CSRFOff}, o.Mode) {
		errs = append(errs, fmt.Errorf("mode: must be enforce, log or off, not %q", o.Mode))
	}
	if i := slices.Index(o.TrustedOrigins, "*"); i >= 0 {
		errs = append(errs, fmt.Errorf(`trustedOrigins[%d]: "*" trusts every page, also with the caller's cookies; list the origins, or write csrf.mode: off if no request is to be refused`, i))
	}
	errs = append(errs, checkOrigins("trustedOrigins", o.TrustedOrigins, false)...)
	for i, name := range o.Headers {
		problem := headerProblem(name)
		if problem == "" && provesNothing(http.CanonicalHeaderKey(name)) {
			problem = fmt.Sprintf("%q proves nothing, since browsers or proxies add it to requests of any page; write one that your client alone sends, as X-Shop-Client", name)
		}
		if problem != "" {
			errs = append(errs, fmt.Errorf("headers[%d]: %s", i, problem))
		}
	}
	return errors.Join(errs...)
}

// provesNothing reports whether a header may be in a request for which there was no preflight: those that
// pages may send without one (https://fetch.spec.whatwg.org/#cors-safelisted-request-header), and those
// that proxies add. Among these is Authorization: some proxies make a bearer token of a cookie.
func provesNothing(name string) bool {
	switch name {
	case "Accept", "Accept-Language", "Content-Language", "Content-Type", "Range",
		"Dpr", "Downlink", "Ect", "Rtt", "Save-Data", "Viewport-Width", "Width", "Device-Memory", "User-Agent",
		"Authorization", "Forwarded", "Traceparent", "Tracestate", "Baggage", "B3", "X-Real-Ip", "X-Request-Id", "X-Correlation-Id":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-B3-") || strings.HasPrefix(name, "X-Envoy-")
}

// Middleware returns the middleware that refuses the requests, with 403. cors has the origins that are
// trusted as well. log names each refused origin once.
func (o CSRF) Middleware(cors CORS, log *slog.Logger, errs *response.ErrorWriter) (Middleware, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Mode == CSRFOff {
		return None, nil
	}
	check := &originCheck{credentials: cors.Credentials, headers: slices.Clone(preflightHeaders)}
	for _, name := range o.Headers {
		check.headers = append(check.headers, http.CanonicalHeaderKey(name))
	}
	var err error
	if check.trusted, err = newOrigins(o.TrustedOrigins); err != nil {
		return nil, err
	}
	if check.cors, err = newOrigins(cors.Origins); err != nil {
		return nil, err
	}
	refused := &refusalLog{log: log, message: "a request that a page of another origin may have made a browser send was refused; this is logged once"}
	if o.Mode == CSRFLog {
		refused.message = "a request that a page of another origin may have made a browser send would be refused by csrf.mode: enforce; this is logged once"
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reason := check.refusal(r)
			if reason == "" {
				next.ServeHTTP(w, r)
				return
			}
			refused.note(r, string(reason), pageOf(r))
			if o.Mode == CSRFLog {
				next.ServeHTTP(w, r)
				return
			}
			request.LogEntryOf(r.Context()).Refuse(request.RefusedCSRF, "")
			errs.Write(w, r, &fault.Error{
				Code: fault.Forbidden, Message: refusalMessages[reason], Extensions: map[string]any{"reason": string(request.RefusedCSRF)},
			})
		})
	}, nil
}

// pageOf returns the origin of the page that sent a request, as far as the browser says it. Of a Referer it
// leaves out the path, which may have secrets of that page.
func pageOf(r *http.Request) string {
	if origin := first(r.Header["Origin"]); origin != "" {
		return origin
	}
	u, err := url.Parse(first(r.Header["Referer"]))
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// refusalReason says why a request is refused; "" if it is not.
type refusalReason string

const (
	untrustedOrigin     refusalReason = "origin"      // its page has another origin
	unwantedCredentials refusalReason = "credentials" // its page is trusted without cookies, and it has some
	missingPreflight    refusalReason = "preflight"   // it does not say which page sent it
)

// refusalMessages are what clients are shown.
var refusalMessages = map[refusalReason]string{
	untrustedOrigin:     "pages of other origins may not send this request; the operator of the gateway can allow an origin by cors.origins, or by csrf.trustedOrigins",
	unwantedCredentials: "pages of other origins may send requests without cookies only, as fetch does with credentials: 'omit'",
	missingPreflight:    "a page of another origin may have made a browser send this request; send it with the header Apollo-Require-Preflight: true, or by POST",
}

// originCheck decides which requests are refused. It is safe for concurrent use.
type originCheck struct {
	protection  http.CrossOriginProtection // without trusted origins, which it knows no patterns for
	trusted     origins                    // of the settings of CSRF
	cors        origins
	credentials bool     // pages of cors may send cookies
	headers     []string // which no browser sends to another origin without a preflight
}

// refusal returns why a request is refused.
//
// Browsers say where a request comes from: in Sec-Fetch-Site, to servers with TLS and to localhost, and
// in Origin, unless the method is GET or HEAD and the response is not for a script. What other clients send
// has neither, and takes no more time here than to see that.
func (c *originCheck) refusal(r *http.Request) refusalReason {
	site, origin := first(r.Header["Sec-Fetch-Site"]), first(r.Header["Origin"])
	if site == "" && origin == "" && !(isSafe(r) && isBrowser(r)) || r.Method == http.MethodOptions {
		return ""
	}
	switch {
	case c.isSameOrigin(r, site, origin), c.trusted.has(origin):
		return ""
	case isSafe(r) && c.hasPreflight(r): // without an effect, CORS alone decides
		return ""
	case c.cors.has(origin) && (c.credentials || r.Header["Cookie"] == nil):
		return ""
	case c.cors.has(origin):
		return unwantedCredentials
	case site == "" && origin == "":
		return missingPreflight
	}
	return untrustedOrigin
}

// isSameOrigin reports whether a request of a browser comes from a page of the gateway's own origin, or
// from the browser's user, who typed its URL. A proxy may have changed the host; no page can set the
// header in which it says so without a preflight.
func (c *originCheck) isSameOrigin(r *http.Request, site, origin string) bool {
	if site == "" && origin == "" {
		return isHostOf(r, r.Header.Get("Referer"))
	}
	unsafe := r
	if isSafe(r) { // which CrossOriginProtection always allows
		unsafe = &http.Request{Method: http.MethodPost, Host: r.Host, Header: r.Header}
	}
	return c.protection.Check(unsafe) == nil || site == "" && isHostOf(r, origin)
}

// isHostOf reports whether a URL has the host to which the browser sent the request.
func isHostOf(r *http.Request, text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return false
	}
	forwarded, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Host"), ",")
	return u.Host == r.Host || u.Host == strings.TrimSpace(forwarded)
}

// hasPreflight reports whether a browser would have asked by a preflight before it sent the request for a
// page of another origin. Of all media types only JSON counts, since a browser was found to send some
// without asking (GHSA-9q82-xgwf-vj6h).
func (c *originCheck) hasPreflight(r *http.Request) bool {
	for _, name := range c.headers {
		if first(r.Header[name]) != "" {
			return true
		}
	}
	return request.IsJSON(r.Header["Content-Type"])
}

// isBrowser reports whether the User-Agent is that of a browser, which no page can change without a
// preflight. All browsers call themselves Mozilla; crawlers and monitors that do so add "compatible;",
// which browsers have not done since Internet Explorer 10.
func isBrowser(r *http.Request) bool {
	agent := first(r.Header["User-Agent"])
	return strings.HasPrefix(agent, "Mozilla/") && !strings.Contains(agent, "compatible;")
}

func isSafe(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// first returns the first of a header's values, "" if there is none.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
