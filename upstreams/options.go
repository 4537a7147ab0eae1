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
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// The defaults of a Source.
const (
	DefaultTimeout        = 10 * time.Second
	DefaultConnectTimeout = 2 * time.Second
	DefaultMaxResponse    = rest.DefaultMaxResponse
	DefaultMaxIdle        = 64
	DefaultMaxConns       = 512
	DefaultIdleTimeout    = 90 * time.Second
)

// Options are the services by name: the names of @source in the schema.
type Options map[string]Source

// Source configures one service. Only URLs is required.
type Source struct {
	// URLs are the service's replicas, which are interchangeable. Each is an http or https
	// URL; its path, if any, is put before that of each call ("https://host/api/v1").
	URLs []string `yaml:"urls"`
	// Balance is the policy by which a replica is chosen. Default round_robin.
	Balance string `yaml:"balance"`
	// Timeout bounds each call from first connection to last byte, all attempts included.
	// Default 10s. The operation's own deadline may be earlier.
	Timeout time.Duration `yaml:"timeout"`
	// AttemptTimeout bounds each attempt of a call. One that takes longer is given up, and retried if
	// the call may be repeated. Default none: hedges are faster, and a service may be slow.
	AttemptTimeout time.Duration `yaml:"attemptTimeout"`
	// DeadlineHeader tells the service how long the gateway waits for the response to each attempt:
	// what remains of the call's timeout or of the operation's deadline, whichever ends first.
	DeadlineHeader DeadlineHeader `yaml:"deadlineHeader"`
	// ConnectTimeout bounds connecting to one replica, so that time remains to try another
	// one when a replica does not respond at all. Default 2s.
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
	// Config are values that bindings use as $config.name: a tenant, a version, a key that
	// is not sent as a header. They are treated as secrets. The gateway does not start
	// without those that the graph uses. Default none.
	Config map[string]string `yaml:"config"`
	// Pool configures the connections.
	Pool Pool `yaml:"pool"`
	// TLS is for services whose certificates are not signed by a public authority.
	TLS TLS `yaml:"tls"`
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
}

// TLS configures which certificates are trusted.
type TLS struct {
	// CAFile is a file with PEM certificates of authorities that are trusted in addition to
	// those of the system. Default none.
	CAFile string `yaml:"caFile"`
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
	return o
}

// validate returns the mistakes in everything except URLs and Balance. No error shows the
// value of a header, which may be a secret.
func (o Source) validate() error {
	return errors.Join(o.validateHeaders(), o.validateForward(), o.validateNoVary(), o.validateConfig(), o.validateDeadlineHeader(),
		o.Retry.Validate(), o.Hedge.Validate(), o.Breaker.Validate(), o.Concurrency.Validate(),
		validateNotNegative("timeout", o.Timeout),
		validateNotNegative("attemptTimeout", o.AttemptTimeout),
		validateNotNegative("connectTimeout", o.ConnectTimeout),
		validateNotNegative("maxResponse", o.MaxResponse),
		validateNotNegative("pool.maxIdle", o.Pool.MaxIdle),
		validateNotNegative("pool.idleTimeout", o.Pool.IdleTimeout),
	)
}

func validateNotNegative[N int | int64 | time.Duration](name string, n N) error {
	if n < 0 {
		return fmt.Errorf("%s is negative: leave it out to get the default", name)
	}
	return nil
}

// targets returns the endpoints of URLs.
func (o Source) targets() ([]balance.Target, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New(`urls is empty: list at least one, like "http://localhost:4001"`)
	}
	var (
		targets []balance.Target
		errs    []error
	)
	for i, text := range o.URLs {
		u, err := parseEndpoint(text)
		if err == nil && slices.Contains(o.URLs[:i], text) {
			err = errors.New("is listed twice: remove one")
		}
		if err != nil {
			// The index and not the text, which may hold a password.
			errs = append(errs, fmt.Errorf("urls[%d] %w", i, err))
			continue
		}
		targets = append(targets, balance.Target{URL: u})
	}
	return targets, errors.Join(errs...)
}

func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New(`is not a URL: write it like "http://localhost:4001"`)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must begin with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("has no host")
	case u.User != nil:
		return nil, errors.New("has user information: send it as a header instead, under headers")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("has a query or fragment: write only scheme, host and path")
	}
	return u, nil
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
