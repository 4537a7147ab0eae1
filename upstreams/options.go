package upstreams

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"time"

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
	DefaultMaxCalls       = 1000
	DefaultIdleTimeout    = 90 * time.Second
)

// Options are the services by name: the names of @source in the schema.
type Options map[string]Source

// Source configures one service. Only URLs is required.
type Source struct {
	// URLs are the service's replicas, which are interchangeable. Each is an http or https
	// URL; its path, if any, is put before that of each call ("https://host/api/v1").
	URLs []string `yaml:"urls"`
	// Balance is the policy by which a replica is chosen. Default "roundRobin", the only
	// one so far.
	Balance string `yaml:"balance"`
	// Timeout bounds each call from first connection to last byte, all attempts included.
	// Default 10s. The operation's own deadline may be earlier.
	Timeout time.Duration `yaml:"timeout"`
	// AttemptTimeout bounds each attempt of a call. One that takes longer is given up, and retried if
	// the call may be repeated. Default none: hedges are faster, and a service may be slow.
	AttemptTimeout time.Duration `yaml:"attemptTimeout"`
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
	// MaxResponse is how many bytes a response may have, counted after decompression.
	// Default 10 MiB.
	MaxResponse int64 `yaml:"maxResponse"`
	// Headers are sent with every call, such as an API key. Neither a client nor a binding
	// can override them. Default none.
	Headers map[string]string `yaml:"headers"`
	// Forward lists the headers of the client's request that are sent to the service.
	// Default none: Authorization, too, is sent only where it is listed.
	Forward []string `yaml:"forward"`
	// Config are values that bindings use as $config.name: a tenant, a version, a key that
	// is not sent as a header. They are treated as secrets. The gateway does not start
	// without those that the graph uses. Default none.
	Config map[string]string `yaml:"config"`
	// Pool configures the connections.
	Pool Pool `yaml:"pool"`
	// TLS is for services whose certificates are not signed by a public authority.
	TLS TLS `yaml:"tls"`
	// Stale bounds the last good responses that are kept for bindings with onError: STALE. Without
	// such a binding nothing is kept.
	Stale stale.Options `yaml:"stale"`
	// ProxyFromEnvironment has HTTP_PROXY, HTTPS_PROXY and NO_PROXY obeyed. Default false:
	// the service is called directly.
	ProxyFromEnvironment bool `yaml:"proxyFromEnvironment"`
}

// Pool bounds the connections to each replica, and the calls to the service.
type Pool struct {
	// MaxIdle is how many idle connections are kept. Default 64.
	MaxIdle int `yaml:"maxIdle"`
	// MaxConns is how many connections there may be. Further calls wait, and their timeout
	// runs. Default 512; negative is no limit.
	MaxConns int `yaml:"maxConns"`
	// MaxCalls is how many calls may run at the same time, on all replicas together. Further
	// calls wait, until their operation ends. Calls that share a response count once.
	// Default 1,000; negative is no limit.
	MaxCalls int `yaml:"maxCalls"`
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
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, DefaultConnectTimeout)
	o.MaxResponse = cmp.Or(o.MaxResponse, DefaultMaxResponse)
	o.Pool.MaxIdle = cmp.Or(o.Pool.MaxIdle, DefaultMaxIdle)
	o.Pool.MaxConns = max(cmp.Or(o.Pool.MaxConns, DefaultMaxConns), 0) // here 0 is no limit
	o.Pool.MaxCalls = max(cmp.Or(o.Pool.MaxCalls, DefaultMaxCalls), 0)
	o.Pool.IdleTimeout = cmp.Or(o.Pool.IdleTimeout, DefaultIdleTimeout)
	return o
}

// validate returns the mistakes in everything except URLs and Balance. No error shows the
// value of a header, which may be a secret.
func (o Source) validate() error {
	return errors.Join(o.validateHeaders(), o.validateForward(), o.validateConfig(),
		o.Retry.Validate(), o.Hedge.Validate(), o.Breaker.Validate(),
		validateNotNegative("timeout", o.Timeout),
		validateNotNegative("attemptTimeout", o.AttemptTimeout),
		validateNotNegative("connectTimeout", o.ConnectTimeout),
		validateNotNegative("maxResponse", o.MaxResponse),
		validateNotNegative("pool.maxIdle", o.Pool.MaxIdle),
		validateNotNegative("pool.idleTimeout", o.Pool.IdleTimeout),
		validateNotNegative("stale.maxEntries", o.Stale.MaxEntries),
		validateNotNegative("stale.maxBytes", o.Stale.MaxBytes),
	)
}

func validateNotNegative[N int | int64 | time.Duration](name string, n N) error {
	if n < 0 {
		return fmt.Errorf("%s is negative: leave it out to get the default", name)
	}
	return nil
}

// endpoints returns the parsed URLs.
func (o Source) endpoints() ([]*url.URL, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New(`urls is empty: list at least one, like "http://localhost:4001"`)
	}
	var (
		parsed []*url.URL
		errs   []error
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
		parsed = append(parsed, u)
	}
	return parsed, errors.Join(errs...)
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
