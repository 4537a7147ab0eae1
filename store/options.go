package store

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The defaults of Redis.
const (
	DefaultTimeout = 5 * time.Millisecond
	DefaultPrefix  = "gatehouse:"
	// DefaultPoolPerProcessor is the default of PoolSize for each processor (GOMAXPROCS).
	DefaultPoolPerProcessor = 8
)

// Options are the settings of the state that replicas share.
type Options struct {
	// Redis is the Redis that has the state. Default none: each replica has its own, in memory.
	Redis Redis `yaml:"redis"`
}

// Redis is a server, or a cluster, that speaks the protocol of Redis 6 or later.
type Redis struct {
	// URLs are the address of Redis, redis://host:6379/0, or rediss://host:6380/0 for TLS. The number of the
	// database, and a user name with a password, may be in it. Several addresses are nodes of a
	// cluster, or Sentinels. Default none.
	URLs []string `yaml:"urls"`
	// Cluster is whether the addresses are those of a Redis Cluster, whose other nodes are found through
	// them. Default false.
	Cluster bool `yaml:"cluster"`
	// Master is the name of the master for which the Sentinels at the addresses are asked. Default none:
	// the addresses are not those of Sentinels.
	Master string `yaml:"master"`
	// Username is the ACL user. Default that of the first URL.
	Username string `yaml:"username"`
	// Password is the password of the user. Default that of the first URL.
	Password string `yaml:"password"`
	// SentinelPassword is the password of the Sentinels. Default none.
	SentinelPassword string `yaml:"sentinelPassword"`
	// TLS are the certificates of connections to rediss URLs.
	TLS TLS `yaml:"tls"`
	// PoolSize is the number of connections, to each node of a cluster. They are made beforehand. Default
	// 8 for each processor (GOMAXPROCS).
	PoolSize int `yaml:"poolSize"`
	// Timeout is how long a request waits for Redis at most. When Redis takes longer, or fails, the
	// parts that use it go on as their settings say. Default 5ms.
	Timeout time.Duration `yaml:"timeout"`
	// Prefix is the beginning of the name of each key, so that others can use the same Redis. Gateways with the
	// same prefix share their state. Default "gatehouse:".
	Prefix string `yaml:"prefix"`
}

// TLS configures connections to rediss URLs. At least TLS 1.2 is spoken.
type TLS struct {
	// CAFile is a file with PEM certificates of authorities that are trusted in addition to those of
	// the system. Default none.
	CAFile string `yaml:"caFile"`
	// ServerName is the name that the certificate of Redis must have. Default the host of the URL.
	ServerName string `yaml:"serverName"`
	// CertFile is a file with the PEM certificate that the gateway shows to Redis, followed by those of
	// intermediate authorities. It is read for each connection. Default none.
	CertFile string `yaml:"certFile"`
	// KeyFile is a file with the PEM private key of CertFile. Default none.
	KeyFile string `yaml:"keyFile"`
}

func (o Redis) configured() bool         { return len(o.URLs) > 0 }
func (o Redis) timeout() time.Duration   { return cmp.Or(o.Timeout, DefaultTimeout) }
func (o Redis) prefix() string           { return cmp.Or(o.Prefix, DefaultPrefix) }
func (o Redis) equal(another Redis) bool { return reflect.DeepEqual(o, another) }
func (o Redis) poolSize() int {
	return cmp.Or(o.PoolSize, DefaultPoolPerProcessor*runtime.GOMAXPROCS(0))
}

// Validate returns what is wrong with the options, as errors that begin with the setting. It does not
// connect.
func (o Options) Validate() error {
	_, err := o.Redis.connect()
	return err
}

// maxTimeout bounds Timeout: a request should not wait longer for a counter than for a service.
const maxTimeout = time.Second

// connect returns the options of go-redis.
func (o Redis) connect() (*redis.UniversalOptions, error) {
	var wrong []error
	mistake := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !o.configured() {
		if !o.equal(Redis{}) {
			mistake(`redis.urls is missing: write the address of Redis, as [redis://redis:6379]`)
		}
		return nil, errors.Join(wrong...)
	}
	switch {
	case o.Cluster && o.Master != "":
		mistake("redis.master is set together with redis.cluster: leave out the one that does not fit; a cluster has no Sentinels")
	case len(o.URLs) > 1 && !o.Cluster && o.Master == "":
		mistake("redis.urls has %d addresses: set redis.cluster for the nodes of a cluster, or redis.master for Sentinels", len(o.URLs))
	}
	switch {
	case o.Timeout < 0:
		mistake("redis.timeout is negative; leave it out to get the default, %s", DefaultTimeout)
	case o.Timeout > maxTimeout:
		mistake("redis.timeout is longer than %s: requests would wait so long for Redis", maxTimeout)
	}
	if o.PoolSize < 0 {
		mistake("redis.poolSize is negative; leave it out to get the default")
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		mistake(`redis.prefix has a brace, with which the keys of a cluster would be placed wrongly; write one as "gatehouse:"`)
	}
	parsed := make([]address, len(o.URLs))
	for i, text := range o.URLs {
		var err error
		if parsed[i], err = parseAddress(text); err != nil {
			mistake("redis.urls[%d] %w", i, err)
		}
	}
	for i, a := range parsed[1:] {
		if a.host != "" && parsed[0].host != "" && (a.tls != parsed[0].tls || a.database != parsed[0].database) {
			mistake("redis.urls[%d] differs from the first one in its scheme or database: all nodes have the same", i+1)
		}
	}
	if o.Cluster && parsed[0].database != 0 {
		mistake("redis.urls[0] has a database number, but a cluster has the database 0 alone; leave it out")
	}
	if (o.TLS != TLS{}) && !parsed[0].tls && len(wrong) == 0 {
		mistake("redis.tls is set, but the URL is not a rediss:// URL; write rediss://, or leave tls out")
	}
	config, err := o.TLS.config(parsed[0])
	if err != nil {
		wrong = append(wrong, err)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	u := &redis.UniversalOptions{
		DB:               parsed[0].database,
		Username:         cmp.Or(o.Username, parsed[0].username),
		Password:         cmp.Or(o.Password, parsed[0].password),
		SentinelPassword: o.SentinelPassword,
		MasterName:       o.Master,
		IsClusterMode:    o.Cluster,
		TLSConfig:        config,

		// The circuit of this package retries, and operations have no time to.
		MaxRetries:    -1,
		DialerRetries: 1,
		DialTimeout:   max(minIOTimeout, 20*o.timeout()),
		ReadTimeout:   max(minIOTimeout, 20*o.timeout()),
		WriteTimeout:  max(minIOTimeout, 20*o.timeout()),
		PoolTimeout:   o.timeout(), // an operation that has waited so long is not awaited any more

		ContextTimeoutEnabled: true,
		PoolSize:              o.poolSize(),
		MaxActiveConns:        o.poolSize(),
		MinIdleConns:          o.poolSize(), // a handshake with TLS may take longer than an operation
		PipelinePoolSize:      -1,           // nothing is pipelined
		ReadBufferSize:        4096,
		WriteBufferSize:       4096,
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled, // a service of Redis Cloud, which asks DNS for each connection
		},
	}
	u.Dialer = guardedDialer(&redis.Options{DialTimeout: u.DialTimeout, TLSConfig: config})
	for _, a := range parsed {
		u.Addrs = append(u.Addrs, a.host)
	}
	return u, nil
}

// address is what a URL of Redis says.
type address struct {
	host               string // with the port
	tls                bool
	username, password string
	database           int
}

// parseAddress returns what a URL says. No error has its text, which may contain a password.
func parseAddress(text string) (address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return address{}, errors.New("is not a URL of Redis; write one as redis://host:6379 or rediss://host:6379/0")
	}
	if !slices.Contains([]string{"redis", "rediss"}, u.Scheme) {
		return address{}, errors.New("is not a redis:// or rediss:// URL, as redis://host:6379")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return address{}, errors.New("has parameters after ? or #; write them as settings beside urls")
	}
	if u.Hostname() == "" {
		return address{}, errors.New("has no host; write one as redis://host:6379")
	}
	a := address{host: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "6379")), tls: u.Scheme == "rediss", username: u.User.Username()}
	a.password, _ = u.User.Password()
	if path := strings.Trim(u.Path, "/"); path != "" {
		if a.database, err = strconv.Atoi(path); err != nil || a.database < 0 {
			return address{}, errors.New("has a path that is not the number of a database, as redis://host:6379/0")
		}
	}
	return a, nil
}

// config returns the configuration of connections to an address; nil for those without TLS.
func (o TLS) config(to address) (*tls.Config, error) {
	if !to.tls {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(to.host)
	if err != nil {
		return nil, fmt.Errorf("redis.urls[0] has a host that cannot be read: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cmp.Or(o.ServerName, host), ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("redis.tls.caFile cannot be read: %w", err)
		}
		if c.RootCAs, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("redis.tls.caFile cannot be added to the authorities of the system: %w", err)
		}
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("redis.tls.caFile has no PEM certificate: %s", o.CAFile)
		}
	}
	switch {
	case o.CertFile != "" && o.KeyFile == "":
		return nil, errors.New("redis.tls.keyFile is missing: redis.tls.certFile needs the private key of its certificate")
	case o.KeyFile != "" && o.CertFile == "":
		return nil, errors.New("redis.tls.certFile is missing: redis.tls.keyFile needs the certificate of its private key")
	case o.CertFile != "":
		load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			certificate, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
			return &certificate, err
		}
		if _, err := load(nil); err != nil {
			return nil, fmt.Errorf("redis.tls.certFile cannot be used with redis.tls.keyFile: %w", err)
		}
		c.GetClientCertificate = load
	}
	return c, nil
}
