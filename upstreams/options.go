package upstreams

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/discovery"
	"github.com/gatehouse-graphql/gatehouse/upstreams/health"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
	"github.com/gatehouse-graphql/gatehouse/upstreams/stale"
)

// The defaults of a Source.
const (
	DefaultTimeout        = 10 * time.Second
	DefaultConnectTimeout = 2 * time.Second
	DefaultMaxResponse    = rest.DefaultMaxResponse
	DefaultMaxIdle        = 64
	DefaultMaxConns       = 512
	DefaultIdleTimeout    = 90 * time.Second
	DefaultMaxAge         = 10 * time.Minute
)

// Options are the services by name: the names of @source in the schema.
type Options map[string]Source

// Source configures one service. Only URLs is required.
type Source struct {
	// URLs are the service's replicas, which are interchangeable. Each is an http or https
	// URL; its path, if any, is put before that of each call ("https://host/api/v1"). A Unix
	// socket is written unix:///run/users.sock, with a path behind a colon
	// ("unix:///run/users.sock:/api/v1"). A host with several addresses is several replicas: see
	// Discovery.
	URLs []URL `yaml:"urls"`
	// Discovery is how the hosts of the URLs become addresses, and how their changes are
	// followed. Default: names are looked up again as their TTL says.
	Discovery discovery.Options `yaml:"discovery"`
	// Protocol is "auto": HTTP/1.1 for http URLs, and HTTP/2 or HTTP/1.1 for https URLs, as the
	// service chooses (ALPN); "http1": HTTP/1.1 alone; "h2": HTTP/2 alone, over TLS; "h2c":
	// HTTP/2 alone, without TLS. Default "auto".
	Protocol string `yaml:"protocol"`
	// Balance says which replica a call is sent to: a policy alone, such as least_requests, or a block.
	Balance balance.Settings `yaml:"balance"`
	// Health says which replicas are not used for a while.
	Health Health `yaml:"health"`
	// Timeout bounds each call from first connection to last byte, all attempts included.
	// Default 10s. The operation's own deadline may be earlier.
	Timeout time.Duration `yaml:"timeout"`
	// AttemptTimeout bounds each attempt of a call. One that takes longer is given up, and retried if
	// the call may be repeated. Default none: hedges are faster, and a service may be slow.
	AttemptTimeout time.Duration `yaml:"attemptTimeout"`
	// DeadlineHeader tells the service how long the gateway waits for the response to each attempt:
	// what remains of the call's timeout or of the operation's deadline, whichever ends first.
	DeadlineHeader DeadlineHeader `yaml:"deadlineHeader"`
	// ConnectTimeout bounds connecting to one replica, and then once more the TLS handshake, so
	// that time remains to try another one when a replica does not respond at all. Default 2s.
	ConnectTimeout time.Duration `yaml:"connectTimeout"`
	// Retry configures what follows a failed attempt of a call that may be repeated: a read outside
	// mutations, and a call with an idempotency key.
	Retry resilience.Retry `yaml:"retry"`
	// Hedge configures when a read that has no response yet is sent to a second endpoint as well.
	Hedge resilience.Hedge `yaml:"hedge"`
	// Breaker configures circuit breakers, which refuse calls at once while the service fails.
	Breaker resilience.Breaker `yaml:"breaker"`
	// Concurrency bounds the calls that run at the same time.
	Concurrency resilience.Concurrency `yaml:"concurrency"`
	// MaxResponse is how many bytes a response may have, counted after decompression.
	// Default 10 MiB.
	MaxResponse int64 `yaml:"maxResponse"`
	// Headers are sent with every call, such as an API key. Neither a client nor a binding
	// can override them. Default none.
	Headers map[string]string `yaml:"headers"`
	// Forward lists the headers of the client's request that are sent to the service.
	// Default none: Authorization, too, is sent only where it is listed.
	Forward []string `yaml:"forward"`
	// NoVary lists those of the headers under Forward on which no response of the service depends,
	// such as X-Correlation-Id. With execution.coalesce, requests that differ in them alone share
	// executions and calls. Headers for tracing, such as traceparent, need not be listed. Default
	// none.
	NoVary []string `yaml:"noVary"`
	// ResponseHeaders lists the headers of the service's responses that clients receive with the
	// response of their operation: a name, or {name: X-Total, as: X-Users, merge: first}. A service
	// of which Set-Cookie is listed is called for each request: its calls are not coalesced. Default
	// none.
	ResponseHeaders []ResponseHeader `yaml:"responseHeaders"`
	// Config are values that bindings use as $config.name: a tenant, a version, a key that
	// is not sent as a header. They are treated as secrets. The gateway does not start
	// without those that the graph uses. Default none.
	Config map[string]string `yaml:"config"`
	// Pool configures the connections.
	Pool Pool `yaml:"pool"`
	// TLS is for https URLs: which certificates are trusted, and which one is shown.
	TLS TLS `yaml:"tls"`
	// Stale bounds the last good responses that are kept for bindings with onError: STALE. Without
	// such a binding nothing is kept.
	Stale stale.Options `yaml:"stale"`
	// ProxyFromEnvironment has HTTP_PROXY, HTTPS_PROXY and NO_PROXY obeyed. Default false:
	// the service is called directly.
	ProxyFromEnvironment bool `yaml:"proxyFromEnvironment"`
}

// DeadlineHeader is a header in which the service receives the time that remains for an attempt.
type DeadlineHeader struct {
	// Name is the name of the header, such as X-Request-Timeout-Ms, or
	// X-Envoy-Expected-Rq-Timeout-Ms for Envoy. Default none.
	Name string `yaml:"name"`
	// Format is how the time is written. For 1.5 s, milliseconds is 1500, seconds is 1.5, and grpc,
	// the format of Grpc-Timeout, is 1500m. Default milliseconds.
	Format string `yaml:"format"`
}

// URL is a replica: in the file a text, or a block with a weight or a zone.
type URL struct {
	// URL is an http or https URL. Its path, if any, is put before that of each call
	// ("https://host/api/v1"). Required.
	URL string `yaml:"url,scalar"`
	// Weight is the replica's share of the calls, in proportion to the weights of the others.
	// Default 1.
	Weight int `yaml:"weight"`
	// Zone is where the replica runs, for balance.zone. Default none.
	Zone string `yaml:"zone"`
}

// URLs returns replicas with these URLs.
func URLs(texts ...string) []URL {
	urls := make([]URL, len(texts))
	for i, text := range texts {
		urls[i].URL = text
	}
	return urls
}

// Health says which replicas are used.
type Health struct {
	// Check has replicas checked actively: by requests to a path in intervals. Default none.
	Check health.Check `yaml:"check"`
	// Eject says when a replica is not used for a while because calls to it fail or are slow.
	Eject balance.Eject `yaml:"eject"`
}

// Pool bounds the connections to each replica.
type Pool struct {
	// MaxIdle is how many idle connections are kept. Default 64.
	MaxIdle int `yaml:"maxIdle"`
	// MaxConns is how many connections there may be. Further calls wait, and their timeout
	// runs. Default 512; negative is no limit.
	MaxConns int `yaml:"maxConns"`
	// IdleTimeout is how long an idle connection is kept. It should be shorter than that of
	// the service. Default 90s.
	IdleTimeout time.Duration `yaml:"idleTimeout"`
	// MaxAge is how long a connection is used: it is closed when it is older and its call has
	// ended, so that load moves to replicas that came later, and a changed certificate or
	// address comes into use. Of each connection up to a fifth is subtracted at random. Default
	// 10m; negative is no limit.
	MaxAge time.Duration `yaml:"maxAge"`
}

// withDefaults returns o with the defaults of fields that are zero.
func (o Source) withDefaults() Source {
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.DeadlineHeader.Format = cmp.Or(o.DeadlineHeader.Format, defaultDeadlineFormat)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, DefaultConnectTimeout)
	o.MaxResponse = cmp.Or(o.MaxResponse, DefaultMaxResponse)
	o.Pool.MaxIdle = cmp.Or(o.Pool.MaxIdle, DefaultMaxIdle)
	o.Pool.MaxConns = max(cmp.Or(o.Pool.MaxConns, DefaultMaxConns), 0) // here 0 is no limit
	o.Pool.IdleTimeout = cmp.Or(o.Pool.IdleTimeout, DefaultIdleTimeout)
	o.Pool.MaxAge = max(cmp.Or(o.Pool.MaxAge, DefaultMaxAge), 0)
	o.Protocol = cmp.Or(o.Protocol, protocolAuto)
	o.Discovery = o.Discovery.WithDefaults()
	if o.ProxyFromEnvironment {
		o.Discovery.Type = discovery.Static // the proxy resolves names
	}
	return o
}

// validate returns the mistakes in everything except URLs. No error shows the
// value of a header, which may be a secret.
func (o Source) validate() error {
	return errors.Join(o.validateHeaders(), o.validateForward(), o.validateNoVary(), o.validateResponseHeaders(), o.validateConfig(), o.validateDeadlineHeader(),
		o.Retry.Validate(), o.Hedge.Validate(), o.Breaker.Validate(), o.Concurrency.Validate(),
		withBlock("balance", o.Balance.Validate()),
		withBlock("health.check", o.Health.Check.Validate()),
		withBlock("health.eject", o.Health.Eject.Validate()),
		validateNotNegative("timeout", o.Timeout),
		validateNotNegative("attemptTimeout", o.AttemptTimeout),
		validateNotNegative("connectTimeout", o.ConnectTimeout),
		validateNotNegative("maxResponse", o.MaxResponse),
		validateNotNegative("pool.maxIdle", o.Pool.MaxIdle),
		validateNotNegative("pool.idleTimeout", o.Pool.IdleTimeout),
		validateNotNegative("stale.maxEntries", o.Stale.MaxEntries),
		validateNotNegative("stale.maxBytes", o.Stale.MaxBytes),
		o.validateProtocol(), o.validateDiscovery(), o.TLS.validate(),
	)
}

func validateNotNegative[N int | int64 | time.Duration](name string, n N) error {
	if n < 0 {
		return fmt.Errorf("%s is negative: leave it out to get the default", name)
	}
	return nil
}

// The values of Source.Protocol.
const (
	protocolAuto  = "auto"
	protocolHTTP1 = "http1"
	protocolH2    = "h2"
	protocolH2C   = "h2c"
)

func (o Source) validateProtocol() error {
	switch o.Protocol {
	case "", protocolAuto, protocolHTTP1, protocolH2, protocolH2C:
		return nil
	}
	return fmt.Errorf("protocol: unknown protocol %q: write auto, http1, h2 or h2c", o.Protocol)
}

func (o Source) validateDiscovery() error {
	var errs []error
	if err := o.Discovery.Validate(); err != nil {
		errs = append(errs, withPrefix("discovery.", err))
	}
	if t := o.Discovery.Type; o.ProxyFromEnvironment && t != "" && t != discovery.Static {
		errs = append(errs, fmt.Errorf("discovery.type: %s cannot be used with proxyFromEnvironment, since the proxy resolves names: remove one of them", t))
	}
	return errors.Join(errs...)
}

// withPrefix returns the errors that err joins, each with a prefix.
func withPrefix(prefix string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s%w", prefix, err)
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		errs = append(errs, withPrefix(prefix, err))
	}
	return errors.Join(errs...)
}

// origins returns the parsed URLs.
func (o Source) origins() ([]discovery.Origin, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New(`urls is empty: list at least one, like "http://localhost:4001"`)
	}
	var (
		parsed []discovery.Origin
		errs   []error
	)
	for i, replica := range o.URLs {
		origin, err := parseOrigin(replica.URL)
		switch {
		case err != nil:
		case slices.ContainsFunc(o.URLs[:i], func(other URL) bool { return other.URL == replica.URL }):
			err = errors.New("is listed twice: remove one")
		case replica.Weight < 0:
			err = errors.New("has a negative weight: leave it out to get the default")
		default:
			err = errors.Join(o.Discovery.ValidateOrigin(origin), o.validateScheme(origin))
		}
		if err != nil {
			// The index and not the text, which may hold a password.
			errs = append(errs, withPrefix(fmt.Sprintf("urls[%d] ", i), err))
			continue
		}
		origin.Weight, origin.Zone = max(replica.Weight, 1), replica.Zone
		parsed = append(parsed, origin)
	}
	return parsed, errors.Join(errs...)
}

// validateScheme returns an error if the protocol cannot be spoken with the origin.
func (o Source) validateScheme(origin discovery.Origin) error {
	switch {
	case o.Protocol == protocolH2 && origin.URL.Scheme != "https":
		return errors.New("is without TLS, and protocol h2 is over TLS: write h2c, or https://")
	case o.Protocol == protocolH2C && origin.URL.Scheme == "https":
		return errors.New("is with TLS, and protocol h2c is without: write h2, or http://")
	}
	return nil
}

// socketScheme begins the URL of a Unix socket, as that of Docker and gRPC do.
const socketScheme = "unix:"

func parseOrigin(text string) (discovery.Origin, error) {
	if strings.HasPrefix(text, socketScheme) {
		return parseSocket(text)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return discovery.Origin{}, errors.New(`is not a URL: write it like "http://localhost:4001"`)
	case u.Scheme != "http" && u.Scheme != "https":
		return discovery.Origin{}, errors.New("must begin with http://, https:// or unix://")
	case u.Hostname() == "":
		return discovery.Origin{}, errors.New("has no host")
	case u.User != nil:
		return discovery.Origin{}, errors.New("has user information: send it as a header instead, under headers")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return discovery.Origin{}, errors.New("has a query or fragment: write only scheme, host and path")
	}
	return discovery.Origin{URL: u}, nil
}

// parseSocket parses unix:///run/users.sock or unix:///run/users.sock:/api/v1. What follows a colon
// and a slash is the path of requests, as in nginx. Requests name localhost in their Host header.
func parseSocket(text string) (discovery.Origin, error) {
	socket := strings.TrimPrefix(strings.TrimPrefix(text, socketScheme), "//")
	socket, base, hasBase := strings.Cut(socket, ":/")
	if !strings.HasPrefix(socket, "/") || socket == "/" {
		return discovery.Origin{}, errors.New(`has no absolute path of a socket: write it like "unix:///run/users.sock"`)
	}
	if strings.ContainsAny(base, "?#") {
		return discovery.Origin{}, errors.New("has a query or fragment: write only the socket, and a path behind a colon")
	}
	u, err := url.Parse("http://localhost/" + base)
	if err != nil {
		return discovery.Origin{}, errors.New(`is not a URL: write it like "unix:///run/users.sock:/api"`)
	}
	if !hasBase {
		u.Path = ""
	}
	return discovery.Origin{URL: u, Socket: socket}, nil
}

func (o Source) validateHeaders() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		switch {
		case !rest.ValidHeaderName(name):
			errs = append(errs, fmt.Errorf("headers: %q is not a header name", name))
		case rest.ReservedHeader(name):
			errs = append(errs, fmt.Errorf("headers: %s belongs to the connection and cannot be set", name))
		case !rest.ValidHeaderValue(o.Headers[name]):
			errs = append(errs, fmt.Errorf("headers: the value of %s has control characters", name))
		}
	}
	return errors.Join(errs...)
}

func (o Source) validateForward() error {
	var errs []error
	for _, name := range o.Forward {
		if reason := ForwardError(name); reason != "" {
			errs = append(errs, fmt.Errorf("forward: %q %s: remove it", name, reason))
		}
	}
	return errors.Join(errs...)
}

// deadlineFormats are the values of DeadlineHeader.Format.
var deadlineFormats = map[string]func(time.Duration) string{
	defaultDeadlineFormat: rest.Milliseconds, "seconds": rest.Seconds, "grpc": rest.GRPC,
}

const defaultDeadlineFormat = "milliseconds"

func (o Source) validateDeadlineHeader() error {
	h := o.DeadlineHeader
	_, known := deadlineFormats[h.Format]
	switch {
	case h.Format != "" && !known:
		return fmt.Errorf("deadlineHeader.format: %q is not a format: write milliseconds, seconds or grpc", h.Format)
	case h.Name == "" && h.Format != "":
		return errors.New("deadlineHeader has a format and no name: write the name of the header, or remove deadlineHeader")
	case h.Name == "":
		return nil
	case !rest.ValidHeaderName(h.Name):
		return fmt.Errorf("deadlineHeader.name: %q is not a header name", h.Name)
	case rest.ReservedHeader(h.Name):
		return fmt.Errorf("deadlineHeader.name: %s belongs to the connection and cannot be set", h.Name)
	case hasName(maps.Keys(o.Headers), h.Name):
		return fmt.Errorf("deadlineHeader.name: %s is listed under headers too: remove one of them", h.Name)
	}
	return nil
}

// deadlineHeader returns the header that tells the service how long an attempt may take.
func (o Source) deadlineHeader() rest.DeadlineHeader {
	return rest.DeadlineHeader{Name: http.CanonicalHeaderKey(o.DeadlineHeader.Name), Format: deadlineFormats[o.DeadlineHeader.Format]}
}

// hasName reports whether names has the name of a header, in any case.
func hasName(names iter.Seq[string], name string) bool {
	for n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

var configName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// validateConfig checks the names alone. Which values are valid depends on their place in a
// call: rest.Call refuses those that do not fit.
func (o Source) validateConfig() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.Config)) {
		if !configName.MatchString(name) {
			errs = append(errs, fmt.Errorf("config: %q is not a name that a binding can use: write letters, digits and _, not beginning with a digit", name))
		}
	}
	return errors.Join(errs...)
}
