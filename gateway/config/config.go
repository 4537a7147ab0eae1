// Package config owns the settings of a running gateway. It reads the file, the environment and the
// flags into the Options of each part, which are declared beside the code that uses them.
//
// It promises that nothing is ignored and nothing is guessed: an unknown key, a wrong type or a
// value that a part refuses is an error with its place in the file and what to write instead, and
// all errors are reported at once. No message, excerpt or printed Config contains a secret.
// Precedence grows from the defaults over the file and the environment to the flags.
//
// The name of a variable of the environment follows from the path of its setting:
// GATEWAY_LIMITS_ROOT_FIELDS is limits.rootFields, GATEWAY_SOURCES_USERS_URLS is
// sources.users.urls (with commas between the elements of a list), and
// GATEWAY_AUTH_ISSUERS_0_SECRET is the secret of the first issuer. PORT, LOG_LEVEL and LOG_FORMAT
// set listen, log.level and log.format. docs/settings.md lists all settings.
package config

import (
	"crypto/sha256"
	_ "embed"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/gateway/admin"
	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
	"github.com/gatehouse-graphql/gatehouse/gateway/listen"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
	"github.com/gatehouse-graphql/gatehouse/store"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Config are the settings of a gateway. The block of a part has that part's Options. A setting that
// is left out is zero here, and the part replaces it by its default. A Config prints as JSON
// without secrets, with any verb, logger or encoder. It is not safe for concurrent use while it is
// changed.
type Config struct {
	// Listen is the address to serve on, host:port. Without a host it is every address of the
	// machine. Default ":8080".
	Listen string `yaml:"listen"`
	// TLS serves HTTPS at listen. Default plain HTTP.
	TLS listen.TLS `yaml:"tls"`
	// ProxyProtocol believes the addresses of clients that TCP load balancers send.
	ProxyProtocol listen.ProxyProtocol `yaml:"proxyProtocol"`
	// HTTP bounds the connections of clients.
	HTTP front.HTTP `yaml:"http"`
	// Log is the level and the format of the log.
	Log Log `yaml:"log"`
	// Shutdown is how long the gateway takes to stop.
	Shutdown Shutdown `yaml:"shutdown"`
	// Playground serves GraphiQL at "/". Default false; --dev and --demo switch it on.
	Playground bool `yaml:"playground"`
	// Introspection allows introspection queries by any client. Default false; --dev and --demo
	// switch it on.
	Introspection bool `yaml:"introspection"`
	// Metrics is where the metrics are served. Default nowhere.
	Metrics Metrics `yaml:"metrics"`
	// Admin is where operators see the state of services. Default nowhere.
	Admin admin.Options `yaml:"admin"`
	// CORS has the origins whose web pages may call the gateway. Default only its own.
	CORS middleware.CORS `yaml:"cors"`
	// CSRF says which requests of pages of other origins are refused. Default all, but for those of
	// cors.origins.
	CSRF middleware.CSRF `yaml:"csrf"`
	// HSTS says how browsers are told to use TLS alone. Default not at all.
	HSTS middleware.HSTS `yaml:"hsts"`
	// Compression is gzip or none. By gzip, responses of 4 KB and more are compressed for clients
	// that accept it. Default gzip.
	Compression string `yaml:"compression"`
	// Limits bound the size of one request. They are checked before anything is executed.
	Limits Limits `yaml:"limits"`
	// Documents are those to which clients refer by an id: trusted documents, and automatic persisted
	// queries.
	Documents documents.Options `yaml:"documents"`
	// Execution is how one operation is executed, and the bounds of that.
	Execution Execution `yaml:"execution"`
	// Cost limits what one operation may cost, by @cost and @listSize in the schema. Default no limit.
	Cost costlimit.Options `yaml:"cost"`
	// Admission bounds what all operations do at the same time.
	Admission admission.Options `yaml:"admission"`
	// Blocked lists operations that are refused before they are executed: those that fulfil all conditions
	// of an entry. Default none.
	Blocked []blocklist.Entry `yaml:"blocked"`
	// RateLimits are the bounds on how often callers send operations.
	RateLimits ratelimit.Options `yaml:"rateLimits"`
	// Store is the state that replicas of the gateway share. Default none: each has its own.
	Store Store `yaml:"store"`
	// Cursors has the key that encrypts the cursors of paged fields.
	Cursors Cursors `yaml:"cursors"`
	// Auth has the issuers whose tokens are accepted. Default none: every caller is anonymous.
	Auth Auth `yaml:"auth"`
	// Proxies are the proxies whose word is believed about the addresses of clients. Default none.
	Proxies caller.Proxies `yaml:"proxies"`
	// Callers are the clients as limits tell them apart: by what they state, and by class.
	Callers caller.Options `yaml:"callers"`
	// Networks are the networks from which the gateway may be used. They do not hold for metrics.listen
	// and admin.listen. Default all.
	Networks network.Options `yaml:"networks"`
	// Sources are the services behind the graph, by the names that its bindings use.
	Sources Sources `yaml:"sources"`

	// Warnings are about what is unusual in the settings but not wrong. The program logs them.
	Warnings []string `yaml:"-"`
	// Manifests are the documents of the files of Documents, nil if they are not used.
	Manifests *documents.Set `yaml:"-"`
	// Digest is that of the file's text, by which a later change of the file is recognized.
	Digest Digest `yaml:"-"`
}

// Digest identifies a text, as SHA-256. The zero Digest is that of a file that does not exist.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a text.
func DigestOf(text []byte) Digest { return sha256.Sum256(text) }

// Log is the level and the format of the log.
type Log struct {
	// Level is the lowest level that is logged: debug, info, warn or error. Default info.
	Level slog.Level `yaml:"level"`
	// Format is json, text, or auto, which is text on a terminal and json elsewhere. Default auto.
	Format string `yaml:"format"`
	// ClientAddress adds the address of the client, client_ip, to the line of each operation. It is personal
	// data. Default false.
	ClientAddress bool `yaml:"clientAddress"`
}

// The values of Log.Format.
const (
	LogAuto = "auto"
	LogJSON = "json"
	LogText = "text"
)

// Shutdown is how long the gateway takes to stop: it reports that it is not ready, serves for
// Delay, accepts no more connections, and lets running requests finish within Grace.
type Shutdown struct {
	// Delay is the time that load balancers have to take the gateway out. Default 0s.
	Delay time.Duration `yaml:"delay"`
	// Grace is the time after which running requests are cancelled. Default 30s.
	Grace time.Duration `yaml:"grace"`
}

// Metrics is where the metrics are served, in the text format of Prometheus. Without any such place
// nothing is counted.
type Metrics struct {
	// Listen is an address for /metrics alone, host:port, which can be unreachable for clients.
	// Default none.
	Listen string `yaml:"listen"`
	// Public serves /metrics beside /graphql, to any client. Default false; --dev and --demo
	// switch it on.
	Public bool `yaml:"public"`
}

// Limits bound the size of one request.
type Limits struct {
	// Body is the largest body of a request, which must not be compressed. Default 1MB.
	Body int64 `yaml:"body"`

	// Request are the limits of the parameters of a request.
	Request request.Limits `yaml:",inline"`

	limit.Options `yaml:",inline"`
}

// Execution is how one operation is executed, and the bounds of that.
type Execution struct {
	// Deadline is the longest time that an operation may take, with all of its calls. Default 30s.
	Deadline time.Duration `yaml:"deadline"`

	// DocumentCache is the number of parsed and validated documents that are cached, provided that
	// they take less than 16 KB each on average. The cache keeps those that are used most often in
	// relation to their size. Default 1,000; negative caches none.
	DocumentCache int `yaml:"documentCache"`

	engine.Options `yaml:",inline"`
}

// Front returns the options of gateway/front.
func (c *Config) Front() front.Options {
	return front.Options{
		Limits:        c.Limits.Options,
		BodyBytes:     c.Limits.Body,
		Request:       c.Limits.Request,
		Deadline:      c.Execution.Deadline,
		CORS:          c.CORS,
		HTTP:          c.HTTP,
		CSRF:          c.CSRF,
		HSTS:          c.HSTS,
		Compression:   c.Compression,
		Introspection: c.Introspection,
		Playground:    c.Playground,
		Documents:     c.Documents,
		Manifests:     c.Manifests,
		DocumentCache: c.Execution.DocumentCache,
		Execution:     c.Execution.Options,
		Admission:     c.Admission,
		Blocked:       c.Blocked,
		RateLimits:    c.RateLimits,
		Cursors:       page.Options(c.Cursors),
		Proxies:       c.Proxies,
		Callers:       c.Callers,
		Networks:      c.Networks,

		LogClientAddress: c.Log.ClientAddress,
		Cost:             c.Cost,
	}
}

// Cursors are page.Options that print without their secret.
type Cursors page.Options

// Store is store.Options that prints without its secrets.
type Store store.Options

// Auth is auth.Options that prints without its secrets.
type Auth auth.Options

// Sources are upstreams.Options that print without their headers' values.
type Sources upstreams.Options

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of the settings file, for editors.
func Schema() []byte { return slices.Clone(schema) }

// defaults returns the defaults that no part has.
func defaults() *Config {
	return &Config{
		Listen:   ":8080",
		Log:      Log{Format: LogAuto},
		Shutdown: Shutdown{Grace: 30 * time.Second},
	}
}

// resolvePaths resolves the relative paths in the settings file against the folder of that file, so
// that it means the same in whichever directory the gateway is started. A path in the environment
// stays relative to the working directory.
func (c *Config) resolvePaths(folder string, root *node) {
	resolve := func(p yaml.Path, file string) string {
		if _, at := root.find(p); file == "" || filepath.IsAbs(file) || !at.isInFile() {
			return file
		}
		return filepath.Join(folder, file)
	}
	for i, m := range c.Documents.Manifests {
		for j, file := range m.Files {
			m.Files[j] = resolve(parsePath("documents.manifests").Item(i).Key("files").Item(j), file)
		}
	}
	redis := parsePath("store.redis.tls")
	c.Store.Redis.TLS.CAFile = resolve(redis.Key("caFile"), c.Store.Redis.TLS.CAFile)
	c.Store.Redis.TLS.CertFile = resolve(redis.Key("certFile"), c.Store.Redis.TLS.CertFile)
	c.Store.Redis.TLS.KeyFile = resolve(redis.Key("keyFile"), c.Store.Redis.TLS.KeyFile)
	for i := range c.Auth.Issuers {
		c.Auth.Issuers[i].KeyFile = resolve(issuerPath(i).Key("keyFile"), c.Auth.Issuers[i].KeyFile)
	}
	tls := parsePath("tls")
	for i := range c.TLS.Certificates {
		pair, at := &c.TLS.Certificates[i], tls.Key("certificates").Item(i)
		pair.CertFile = resolve(at.Key("certFile"), pair.CertFile)
		pair.KeyFile = resolve(at.Key("keyFile"), pair.KeyFile)
	}
	c.TLS.ClientCA = resolve(tls.Key("clientCA"), c.TLS.ClientCA)
	c.TLS.ACME.CacheDir = resolve(tls.Key("acme").Key("cacheDir"), c.TLS.ACME.CacheDir)
	c.TLS.ACME.CAFile = resolve(tls.Key("acme").Key("caFile"), c.TLS.ACME.CAFile)
	for name, source := range c.Sources {
		t, at := &source.TLS, sourcePath(name).Key("tls")
		t.CAFile = resolve(at.Key("caFile"), t.CAFile)
		t.CertFile = resolve(at.Key("certFile"), t.CertFile)
		t.KeyFile = resolve(at.Key("keyFile"), t.KeyFile)
		c.Sources[name] = source
	}
	c.eachNetworkLists(func(p yaml.Path, l *network.Lists) {
		l.AllowFile = resolve(p.Key("allowFile"), l.AllowFile)
		l.DenyFile = resolve(p.Key("denyFile"), l.DenyFile)
	})
}

// DocumentFiles returns the names and patterns of the files that Documents use.
func (c *Config) DocumentFiles() (names []string) {
	if !c.Documents.UsesManifests() {
		return nil
	}
	for _, m := range c.Documents.Manifests {
		names = append(names, m.Files...)
	}
	return names
}

func issuerPath(i int) yaml.Path { return parsePath("auth.issuers").Item(i) }

func sourcePath(name string) yaml.Path { return yaml.Path(nil).Key("sources").Key(name) }
