// Package front serves GraphQL over HTTP: New puts its parts together, each of which is a package
// of its own, and routes.go lists the routes and the middleware in their order.
//
// It promises that every operation passes the same limits, whichever transport brought it; that
// the status and the media type of a response follow the GraphQL-over-HTTP specification; that no
// error shows a client what was not written for clients; and that everything that is read, kept
// or logged is bounded. It knows no service.
package front

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/buffer"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/coalesce"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/drain"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/transport"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
	"github.com/gatehouse-graphql/gatehouse/gateway/listen"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
	"github.com/gatehouse-graphql/gatehouse/store"
)

// The values of Options.Compression.
const (
	CompressionGzip = "gzip"
	CompressionNone = "none"
)

// The defaults of Options.
const (
	DefaultBodyBytes = 1_000_000
	DefaultDeadline  = 30 * time.Second
)

// Options are the settings of the front. The zero value serves with all limits on, for pages of
// the same origin, without playground and introspection.
type Options struct {
	// Limits bound each document.
	Limits limit.Options
	// BodyBytes is the size of the largest body of a request, in bytes. Default 1,000,000.
	BodyBytes int64
	// Request bounds the parameters of a request.
	Request request.Limits
	// Deadline is the longest that a request may take, from its headers to the end of its
	// execution. Writing the response may take 30 seconds more. Default 30s.
	Deadline time.Duration
	// CORS says which pages of other origins may call the gateway. Default none.
	CORS middleware.CORS
	// CSRF says which requests of pages of other origins are refused. Default all, but for those of CORS.
	CSRF middleware.CSRF
	// HSTS says how browsers are told to use TLS alone. Default not at all.
	HSTS middleware.HSTS
	// HTTP bounds the connections of clients.
	HTTP HTTP
	// Compression is CompressionGzip or CompressionNone. By gzip, responses of 4 KB and more are
	// compressed for clients that accept it. Default CompressionGzip.
	Compression string
	// Introspection lets every client read the schema, and adds "Did you mean ...?" to
	// validation errors. Default false.
	Introspection bool
	// Playground serves Deps.Playground at "/". Default false.
	Playground bool
	// DocumentCache is how many parsed and validated documents are remembered, if they take
	// less than 16 KB each on average; large documents evict others. Default 1,000; a negative
	// number remembers none.
	DocumentCache int
	// Documents are those to which clients refer by an id.
	Documents documents.Options
	// Manifests are the documents that documents.Load has read by Documents. Nil has New and Prepare
	// read them.
	Manifests *documents.Set
	// Execution bounds the execution of each operation.
	Execution engine.Options
	// Admission bounds what all operations do at the same time.
	Admission admission.Options
	// Blocked are the operations that are refused. Default none.
	Blocked []blocklist.Entry
	// RateLimits bound how often callers send operations.
	RateLimits ratelimit.Options
	// Cursors say how the cursors of paged fields are sealed.
	Cursors page.Options
	// Proxies are the proxies that say from which address a request comes. Default none.
	Proxies caller.Proxies
	// Callers say how callers are told apart.
	Callers caller.Options
	// Networks say from which addresses the routes may be requested. Default all.
	Networks network.Options
	// LogClientAddress adds the address of the client to the line of each operation in the log.
	// Default false.
	LogClientAddress bool
	// Cost limits what one operation may cost.
	Cost costlimit.Options
}

func (o Options) withDefaults() Options {
	if o.BodyBytes <= 0 {
		o.BodyBytes = DefaultBodyBytes
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultDeadline
	}
	o.HTTP = o.HTTP.withDefaults()
	return o
}

// Deps are the parts that the front needs.
type Deps struct {
	// Schema executes operations. It executes them by plans if it is an engine.Executor, and
	// coalesces them if it is an engine.Coalescer, as generated schemas are. Required.
	Schema graphql.ExecutableSchema
	// Verify returns the caller who sends a value of the Authorization header; nil without an
	// error for anonymous callers, who send "". Its error refuses the whole request. By default
	// all callers are anonymous.
	Verify func(ctx context.Context, authorization string) (*auth.Identity, error)
	// Forwarded are the names of the headers that any service is forwarded, in the form of
	// http.Header: upstreams.Sources.ForwardedHeaders. Requests with different values of them are
	// not coalesced. Nil means that the names are not known, and then nothing is coalesced.
	Forwarded []string
	// NoVary are those of Forwarded on which no response depends: upstreams.Sources.NoVaryHeaders.
	// Requests with different values of them may be coalesced.
	NoVary []string
	// ResponseHeaders are the names of the headers of services that clients receive, which CORS lets
	// pages read: upstreams.Sources.ResponseHeaders.
	ResponseHeaders []string
	// WithClientHeaders keeps the client's headers for the calls of a request. Default
	// upstreams.WithClientHeaders.
	WithClientHeaders middleware.WithClientHeaders
	// Log gets a line for each operation, and one for each error with a cause that clients are
	// not shown. Default slog.Default().
	Log *slog.Logger
	// Store has the counts of rate limits and the registered documents that replicas share. Nil is none.
	Store *store.Store
	// Playground is served at "/" and below if Options.Playground is set.
	Playground http.Handler
	// Metrics is served at "/metrics". Nil serves nothing there.
	Metrics http.Handler
	// Services is served at "/services" and below. Nil serves nothing there.
	Services http.Handler
	// OnOperation is called for each operation that was executed: by gqlgen's executor if
	// fallback has the reason, by a plan if it is empty. It must be safe for concurrent use.
	// Default none.
	OnOperation func(kind ast.Operation, fallback engine.FallbackReason)
	// OnDegraded is called for each response in which fields have another value in the place of one
	// that a service failed to send, with the numbers of those fields by service and mode. It must be
	// safe for concurrent use. Default none.
	OnDegraded func(by engine.DegradedBy, n int)
	// OnRefused is called for each request that was refused by one of the gateway's rules, with the
	// reason, which is one of request.Refusals. It must be safe for concurrent use. Default none.
	OnRefused func(reason string)
	// OnDocument is called for each request by the id of a document, and for each text that is compared
	// with the manifests. It must be safe for concurrent use. Default none.
	OnDocument func(documents.Outcome)
	// OnCost is called for each request with an operation whose cost is known, after it has ended. It must
	// be safe for concurrent use. Default none.
	OnCost func(request.Cost)
}

func (d Deps) withDefaults() Deps {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Verify == nil {
		d.Verify = func(context.Context, string) (*auth.Identity, error) { return nil, nil }
	}
	if d.OnOperation == nil {
		d.OnOperation = func(ast.Operation, engine.FallbackReason) {}
	}
	if d.OnDegraded == nil {
		d.OnDegraded = func(engine.DegradedBy, int) {}
	}
	if d.OnRefused == nil {
		d.OnRefused = func(string) {}
	}
	return d
}

// Front serves GraphQL over HTTP. It is safe for concurrent use, except for Use.
type Front struct {
	log     *slog.Logger
	present *presenter.Presenter
	errors  *response.ErrorWriter
	buffers *buffer.Pool
	cursors *page.Key
	limiter *admission.Limiter
	memory  *engine.Memory
	costs   *costlimit.Models
	drain   drain.Drain

	current  atomic.Pointer[version]
	shutdown atomic.Pointer[ServeOptions] // of the drain; nil before Serve
	http     HTTP                         // of New: http.Server cannot change its own while it serves
	// serverTimeout is the time by which http.Server bounds a request, see Options.requestTimeout.
	serverTimeout time.Duration
}

// version is what the front does with a request by one version of the settings. It does not change,
// so that a request ends as it began.
type version struct {
	*Front
	options    Options
	rateLimits *ratelimit.Limiter
	executor   *execute.Executor
	coalescer  *coalesce.Coalescer
	callers    *caller.Rules
	networks   *network.Rules // nil if they refuse no address
	documents  execute.Documents
	transports []graphql.Transport // the first one that supports a request serves it
	handler    http.Handler
}

// New returns a front. The error says which setting is wrong.
func New(o Options, d Deps) (*Front, error) {
	o, d = o.withDefaults(), d.withDefaults()
	key, err := d.cursorKey(o.Cursors)
	if err != nil {
		return nil, fmt.Errorf("cursors: %w", err)
	}
	present := presenter.New(d.Log)
	f := &Front{
		log:           d.Log,
		present:       present,
		errors:        response.NewErrorWriter(present),
		buffers:       &buffer.Pool{},
		cursors:       key,
		limiter:       admission.New(o.Admission, d.Log),
		memory:        o.Admission.NewMemory(),
		http:          o.HTTP,
		serverTimeout: o.requestTimeout(),
		costs:         costlimit.NewModels(d.Schema),
	}
	f.drain.HeaderTimeout = o.HTTP.HeaderTimeout
	f.drain.MaxResets = o.HTTP.HTTP2.MaxResets
	refusals := listen.NewRefusals(d.Log, "connections are refused, since http.maxConnections are open and all of them are in use")
	f.drain.OnRefused = func(s drain.Stats) { refusals.Add("max", s.Max) }
	f.drain.SetMaxConns(o.HTTP.MaxConnections)
	first, err := f.version(o, d)
	if err != nil {
		return nil, err
	}
	f.current.Store(first)
	return f, nil
}

// Prepare returns a function that has the front serve by other options from then on, or an error
// that says which setting is wrong. Requests that are being served end by the options with which they
// began. Cursors stay those of New, and so do of d all but Verify, Forwarded, NoVary, ResponseHeaders,
// WithClientHeaders and Playground. What is remembered of documents is kept if their limits are the same. Of several
// functions, the one that is called must be that of the last Prepare.
func (f *Front) Prepare(o Options, d Deps) (apply func(), err error) {
	o = o.withDefaults()
	next, err := f.version(o, d.withDefaults())
	if err != nil {
		return nil, err
	}
	return func() {
		f.limiter.SetOptions(o.Admission)
		o.Admission.SetMemory(f.memory)
		f.drain.SetMaxConns(o.HTTP.MaxConnections)
		next.rateLimits.Use()
		f.current.Store(next)
	}, nil
}

// version returns a version that follows the current one, if there is one.
func (f *Front) version(o Options, d Deps) (*version, error) {
	sent := slices.Concat(d.Forwarded, o.Callers.Headers(), o.CSRF.Headers)
	cors, err := o.CORS.Middleware(sent, d.ResponseHeaders, d.Log)
	if err != nil {
		return nil, fmt.Errorf("cors: %w", err)
	}
	csrf, err := o.CSRF.Middleware(o.CORS, d.Log, f.errors)
	if err != nil {
		return nil, fmt.Errorf("csrf: %w", err)
	}
	if err := o.HSTS.Validate(); err != nil {
		return nil, fmt.Errorf("hsts: %w", err)
	}
	before := f.current.Load()
	v := &version{Front: f, options: o}
	if v.rateLimits, err = newRateLimits(before, o, d); err != nil {
		return nil, err
	}
	rules, err := f.rules(o, d, v.rateLimits)
	if err != nil {
		return nil, err
	}
	if v.callers, err = caller.NewRules(o.Proxies, o.Callers); err != nil {
		return nil, fmt.Errorf("callers: %w", err)
	}
	if v.networks, err = network.NewRules(o.Networks, healthPath, readinessPath); err != nil {
		return nil, fmt.Errorf("networks: %w", err)
	}
	if err := v.loadDocuments(before, d); err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	executorOptions := execute.Options{
		Limits:        o.Limits,
		DocumentCache: o.DocumentCache,
		Documents:     v.documents,
		Introspection: o.Introspection,
		Execution:     o.Execution,
		Admission:     f.limiter,
		Cursors:       f.cursors,
		Rules:         rules,
		EstimateCost:  costlimit.Estimator(o.Cost, f.costs),
		Presenter:     f.present,
		Log:           d.Log,
		OnOperation:   d.OnOperation,
		OnDegraded:    d.OnDegraded,
	}
	if before == nil {
		v.executor, err = execute.New(d.Schema, executorOptions)
	} else {
		v.executor, err = before.executor.With(executorOptions)
	}
	if err != nil {
		return nil, err
	}
	coalescerOptions := coalesce.Options{
		Schema:      d.coalescerOf(o.Execution),
		Varying:     without(d.Forwarded, d.NoVary),
		Deadline:    o.Deadline,
		Memory:      f.memory,
		Executor:    v.executor,
		Buffers:     f.buffers,
		OnOperation: d.OnOperation,
	}
	if before == nil {
		v.coalescer = coalesce.New(coalescerOptions)
	} else {
		v.coalescer = before.coalescer.With(coalescerOptions)
	}
	v.transports = transports(transport.Options{
		Executor: v.executor, Coalescer: v.coalescer, Buffers: f.buffers, Errors: f.errors, BodyBytes: o.BodyBytes, Limits: o.Request,
	})
	v.handler = v.routes(d, cors, csrf)
	return v, nil
}

// cursorKey returns the key that seals cursors. It warns if the key is random and the schema has
// Relay connections, whose specification demands the type PageInfo.
func (d Deps) cursorKey(o page.Options) (*page.Key, error) {
	if o.Secret == "" && d.Schema.Schema().Types["PageInfo"] != nil {
		d.Log.Warn("cursors are valid only in this process, until it ends; set cursors.secret in gateway.yaml, or GATEWAY_CURSORS_SECRET, " +
			"to a text of at least 32 bytes, the same in all replicas; try: openssl rand -hex 32")
	}
	return page.NewKey(o)
}

// without returns the names that are not among others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// coalescerOf returns the schema if its operations are to be coalesced; nil if the settings do
// not say so, or if it is not known which operations may be and which headers services get.
func (d Deps) coalescerOf(o engine.Options) engine.Coalescer {
	if !o.Coalesce || d.Forwarded == nil {
		return nil
	}
	c, _ := d.Schema.(engine.Coalescer)
	return c
}

// RequestID returns the id of the request that ctx belongs to, "" outside of requests.
func RequestID(ctx context.Context) string { return request.ID(ctx) }

// Use adds an extension of gqlgen. It must not be called once requests are served, nor after Prepare.
func (f *Front) Use(extension graphql.HandlerExtension) { f.current.Load().executor.Use(extension) }

// Handler returns the handler of all routes.
func (f *Front) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.current.Load().handler.ServeHTTP(w, r)
	})
}

// Load is what the gateway does at a moment, and what it has refused since it started.
type Load struct {
	Operations  admission.Stats
	Classes     map[string]admission.ClassStats // by class of callers
	Memory      engine.MemoryStats
	Connections drain.Stats
}

// Load returns the present load.
func (f *Front) Load() Load {
	return Load{f.limiter.Stats(), f.limiter.ClassStats(), f.memory.Stats(), f.drain.Stats()}
}

// Drain makes /readyz answer 503, so that load balancers send no new clients, and has each
// response end its connection, so that the clients open their next one to another gateway.
// Requests whose bodies have not arrived at bodyDeadline fail. Everything else goes on.
func (f *Front) Drain(bodyDeadline time.Time) { f.drain.Begin(bodyDeadline) }
