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

	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
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

// Options are the services by the names that bindings call them.
type Options map[string]Source

// Source says where one service is and how it is called. Only URLs has no default.
type Source struct {
	// URLs are the service's replicas, all of which answer alike: http or https, with a
	// path that is put before that of each call, if any ("https://host/api/v1").
	URLs []string `yaml:"urls"`
	// Balance is how a replica is chosen. Default "roundRobin", the only one so far.
	Balance string `yaml:"balance"`
	// Timeout bounds each call, all its attempts included, from first connection to
	// last byte. Default 10s. The operation's own deadline may be earlier.
	Timeout time.Duration `yaml:"timeout"`
	// ConnectTimeout bounds the connecting to one replica, so that one which does not
	// even refuse leaves time to try another. Default 2s.
	ConnectTimeout time.Duration `yaml:"connectTimeout"`
	// MaxResponse is how many bytes an answer may have, counted after decompression.
	// Default 10 MiB.
	MaxResponse int64 `yaml:"maxResponse"`
	// Headers are sent with every call, an API key for example. Nothing that a client
	// or a binding says overrides them. Default none.
	Headers map[string]string `yaml:"headers"`
	// Forward names the headers of the client's request that the service gets too.
	// Default none, so that Authorization must be named where it is wanted.
	Forward []string `yaml:"forward"`
	// Config are values of this service that bindings use as $config.name: the name of a
	// tenant, a version, a key that is no header. They are treated as secrets. The gateway
	// does not start without those that the graph uses. Default none.
	Config map[string]string `yaml:"config"`
	// Pool tunes the connections.
	Pool Pool `yaml:"pool"`
	// TLS is for services whose certificates no public authority has signed.
	TLS TLS `yaml:"tls"`
	// ProxyFromEnvironment makes HTTP_PROXY, HTTPS_PROXY and NO_PROXY count. Default
	// false: a service is called directly.
	ProxyFromEnvironment bool `yaml:"proxyFromEnvironment"`
}

// Pool is how many connections to each replica are kept, and for how long.
type Pool struct {
	// MaxIdle is how many wait for the next call. Default 64.
	MaxIdle int `yaml:"maxIdle"`
	// MaxConns is how many there may be; further calls wait, while their time runs.
	// Default 512; negative is without limit.
	MaxConns int `yaml:"maxConns"`
	// MaxCalls is how many calls may run at the same time, on all replicas together; further
	// ones wait for their turn, as long as their operation lasts. Calls that share a response
	// count once. Default 1,000; negative is without limit.
	MaxCalls int `yaml:"maxCalls"`
	// IdleTimeout is how long one waits before it is closed. Default 90s. It should be
	// shorter than the service's own.
	IdleTimeout time.Duration `yaml:"idleTimeout"`
}

// TLS is what to trust.
type TLS struct {
	// CAFile has PEM certificates of authorities that are trusted besides those of the
	// system. Default none.
	CAFile string `yaml:"caFile"`
}

// withDefaults fills in what was not said.
func (o Source) withDefaults() Source {
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, DefaultConnectTimeout)
	o.MaxResponse = cmp.Or(o.MaxResponse, DefaultMaxResponse)
	o.Pool.MaxIdle = cmp.Or(o.Pool.MaxIdle, DefaultMaxIdle)
	o.Pool.MaxConns = max(cmp.Or(o.Pool.MaxConns, DefaultMaxConns), 0) // where 0 is no limit
	o.Pool.MaxCalls = max(cmp.Or(o.Pool.MaxCalls, DefaultMaxCalls), 0)
	o.Pool.IdleTimeout = cmp.Or(o.Pool.IdleTimeout, DefaultIdleTimeout)
	return o
}

// check finds the mistakes in what needs no parsing. No error shows the value of a
// header, which may be a secret.
func (o Source) check() error {
	return errors.Join(o.checkHeaders(), o.checkForward(), o.checkConfig(),
		notNegative("timeout", o.Timeout),
		notNegative("connectTimeout", o.ConnectTimeout),
		notNegative("maxResponse", o.MaxResponse),
		notNegative("pool.maxIdle", o.Pool.MaxIdle),
		notNegative("pool.idleTimeout", o.Pool.IdleTimeout),
	)
}

func notNegative[N int | int64 | time.Duration](name string, n N) error {
	if n < 0 {
		return fmt.Errorf("%s is negative: leave it out to get the default", name)
	}
	return nil
}

// endpoints are the parsed URLs.
func (o Source) endpoints() ([]*url.URL, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New(`urls is empty: list at least one, like "http://localhost:4001"`)
	}
	var (
		parsed []*url.URL
		errs   []error
	)
	for i, text := range o.URLs {
		u, err := endpoint(text)
		if err == nil && slices.Contains(o.URLs[:i], text) {
			err = errors.New("is listed twice: remove one")
		}
		if err != nil {
			// Its number and not its text, which may hold a password.
			errs = append(errs, fmt.Errorf("urls[%d] %w", i, err))
			continue
		}
		parsed = append(parsed, u)
	}
	return parsed, errors.Join(errs...)
}

func endpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New(`is no URL: write it like "http://localhost:4001"`)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must begin with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("has no host")
	case u.User != nil:
		return nil, errors.New("has user information: send it as a header instead, under headers")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("has a query or fragment: only scheme, host and path may be given")
	}
	return u, nil
}

func (o Source) checkHeaders() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		switch {
		case !rest.ValidHeaderName(name):
			errs = append(errs, fmt.Errorf("headers: %q is no header name", name))
		case rest.Reserved(name):
			errs = append(errs, fmt.Errorf("headers: %s belongs to the connection and cannot be set", name))
		case !rest.ValidHeaderValue(o.Headers[name]):
			errs = append(errs, fmt.Errorf("headers: the value of %s has control characters", name))
		}
	}
	return errors.Join(errs...)
}

func (o Source) checkForward() error {
	var errs []error
	for _, name := range o.Forward {
		if why := ForwardError(name); why != "" {
			errs = append(errs, fmt.Errorf("forward: %q %s: remove it", name, why))
		}
	}
	return errors.Join(errs...)
}

var configName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkConfig looks at the names alone: what a value may be depends on its place in a
// call, which refuses what does not fit.
func (o Source) checkConfig() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.Config)) {
		if !configName.MatchString(name) {
			errs = append(errs, fmt.Errorf("config: %q is no name that a binding can use: write letters, digits and _, beginning with no digit", name))
		}
	}
	return errors.Join(errs...)
}
