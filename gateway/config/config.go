// Package config owns the settings of a running gateway: it gathers the file, the
// environment and the flags into each part's own Options, which live beside the code
// that reads them.
//
// It promises that nothing is ignored and nothing guessed: an unknown key, a wrong type
// or a rule of a part that is broken is an error with its place in the file and what to
// do, all of them told at once. What is secret appears in no message, no excerpt and no
// printed Config. Later sources win: defaults, file, environment, flags.
//
// A variable's name is the setting's, mechanically: GATEWAY_LIMITS_ROOT_FIELDS is
// limits.rootFields, GATEWAY_SOURCES_USERS_URLS is sources.users.urls (lists are
// separated by commas) and GATEWAY_AUTH_ISSUERS_0_SECRET the first issuer's secret.
// PORT, LOG_LEVEL and LOG_FORMAT are known too.
package config

import (
	_ "embed"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Config is the settings file. Each part's block is that part's Options; a value left
// out stands at zero here and gets its default where it is read. A Config prints as
// JSON without secrets, whichever way it is printed. It is not safe for concurrent
// change.
type Config struct {
	// Listen is the address to serve on, host:port; without a host, on all of the
	// machine's. Default ":8080".
	Listen string `yaml:"listen"`
	// Log is what the log tells, and how.
	Log Log `yaml:"log"`
	// Shutdown is how the gateway stops.
	Shutdown Shutdown `yaml:"shutdown"`
	// Playground serves GraphiQL at "/". Default false; --dev and --demo switch it on.
	Playground bool `yaml:"playground"`
	// Introspection lets anybody ask for the schema. Default false; --dev and --demo
	// switch it on.
	Introspection bool `yaml:"introspection"`
	// Metrics say who may read what the gateway counts. Default nobody.
	Metrics Metrics `yaml:"metrics"`
	// CORS says which web pages may call the gateway. Default none but its own.
	CORS front.CORS `yaml:"cors"`
	// Limits are what one request may ask. They count before anything is executed.
	Limits Limits `yaml:"limits"`
	// Execution is how one operation is answered, and what that may cost.
	Execution Execution `yaml:"execution"`
	// Cursors say how the cursors of paged fields are sealed.
	Cursors Cursors `yaml:"cursors"`
	// Auth says whose tokens are accepted. Default nobody's: every caller is anonymous.
	Auth Auth `yaml:"auth"`
	// Sources are the services behind the graph, by the names that its bindings use.
	Sources Sources `yaml:"sources"`

	// Warnings are what is odd in the settings but no mistake. For the log.
	Warnings []string `yaml:"-"`
}

// Log is what the log tells, and how.
type Log struct {
	// Level is the least that is told: debug, info, warn or error. Default info.
	Level slog.Level `yaml:"level"`
	// Format is json, text, or auto: text for people on a terminal and json
	// elsewhere. Default auto.
	Format string `yaml:"format"`
}

// The values of Log.Format.
const (
	LogAuto = "auto"
	LogJSON = "json"
	LogText = "text"
)

// Shutdown is how the gateway stops: it says it is no longer ready, waits Delay, accepts
// no more, and gives what runs Grace to finish.
type Shutdown struct {
	// Delay leaves load balancers the time to look elsewhere. Default 0s.
	Delay time.Duration `yaml:"delay"`
	// Grace is the longest that running requests are waited for. Default 30s.
	Grace time.Duration `yaml:"grace"`
}

// Metrics say who may read what the gateway counts, in Prometheus' format. Nothing is
// counted where nobody may.
type Metrics struct {
	// Listen is an address of its own for /metrics, host:port, for those alone who reach
	// it. Default none.
	Listen string `yaml:"listen"`
	// Public serves /metrics beside /graphql too, for everybody. Default false; --dev and
	// --demo switch it on.
	Public bool `yaml:"public"`
}

// Limits are what one request may ask.
type Limits struct {
	// Body is the size of a request's body, which may not be compressed. Default 1MB.
	Body int64 `yaml:"body"`

	limit.Options `yaml:",inline"`
}

// Execution is how one operation is answered, and what that may cost.
type Execution struct {
	// Deadline is the longest that an operation may take, all its calls included.
	// Default 30s.
	Deadline time.Duration `yaml:"deadline"`

	// DocumentCache is how many parsed and validated documents are remembered, as long
	// as they take less than 16 KB each on average. Those stay that are asked for most often
	// in relation to their size. Default 1,000; negative remembers none.
	DocumentCache int `yaml:"documentCache"`

	engine.Options `yaml:",inline"`
}

// Front gathers what the settings say to the front.
func (c *Config) Front() front.Options {
	return front.Options{
		Limits:        c.Limits.Options,
		BodyBytes:     c.Limits.Body,
		Deadline:      c.Execution.Deadline,
		CORS:          c.CORS,
		Introspection: c.Introspection,
		Playground:    c.Playground,
		DocumentCache: c.Execution.DocumentCache,
		Execution:     c.Execution.Options,
		Cursors:       page.Options(c.Cursors),
	}
}

// Cursors are page.Options that print without their secret.
type Cursors page.Options

// Auth is auth.Options that prints without its secrets.
type Auth auth.Options

// Sources are upstreams.Options that print without their headers' values.
type Sources upstreams.Options

//go:embed schema.json
var schema []byte

// Schema gives the JSON Schema (draft 2020-12) of the settings file, for editors.
func Schema() []byte { return slices.Clone(schema) }

func defaults() *Config {
	return &Config{
		Listen:   ":8080",
		Log:      Log{Format: LogAuto},
		Shutdown: Shutdown{Grace: 30 * time.Second},
	}
}

// resolvePaths makes the files that the settings file names relative to its own folder, so
// that it means the same from wherever the gateway is started. Those that the
// environment names stay relative to the process.
func (c *Config) resolvePaths(folder string, root *node) {
	anchor := func(p yaml.Path, file string) string {
		if _, at := root.find(p); file == "" || filepath.IsAbs(file) || !at.isInFile() {
			return file
		}
		return filepath.Join(folder, file)
	}
	for i := range c.Auth.Issuers {
		c.Auth.Issuers[i].KeyFile = anchor(issuerPath(i).Key("keyFile"), c.Auth.Issuers[i].KeyFile)
	}
	for name, source := range c.Sources {
		source.TLS.CAFile = anchor(sourcePath(name).Key("tls").Key("caFile"), source.TLS.CAFile)
		c.Sources[name] = source
	}
}

func issuerPath(i int) yaml.Path { return parsePath("auth.issuers").Item(i) }

func sourcePath(name string) yaml.Path { return yaml.Path(nil).Key("sources").Key(name) }
