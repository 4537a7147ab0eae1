// Package front owns HTTP in and out: the routes, the order of what happens to a
// request, how an operation is read from it, and how answers and errors look.
//
// It promises that every operation passes the same limits whichever transport brought
// it; that an answer's status and media type follow the GraphQL-over-HTTP
// specification; that no error tells a client what was not meant for clients; and that
// nothing read, kept or logged is without a bound. It knows no service.
package front

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jub0bs/cors"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

// What holds when nothing is said.
const (
	DefaultBodyBytes = 1_000_000
	DefaultDeadline  = 30 * time.Second
)

// Options are the settings of the front. The zero value serves with all limits on,
// for callers of the same origin, without playground and introspection.
type Options struct {
	// Limits bound what an operation may ask.
	Limits limit.Options
	// BodyBytes is the size of a request's body. Default 1 MB.
	BodyBytes int64
	// Deadline is the longest that an operation may take, from the first byte of its
	// body to the last of its answer. Default 30s.
	Deadline time.Duration
	// CORS says which web pages may call the gateway. Default none but its own.
	CORS CORS
	// Introspection lets anybody ask for the schema, and adds "Did you mean ...?" to
	// validation errors. Default false.
	Introspection bool
	// Playground serves Deps.Playground at "/". Default false.
	Playground bool
	// DocumentCache is how many parsed and validated documents are remembered, as long
	// as they take less than 16 KB each on average; large ones push others out. Default
	// 1,000; negative remembers none.
	DocumentCache int
	// Execution bounds the answering of one operation.
	Execution engine.Options
	// Cursors say how the cursors of paged fields are sealed.
	Cursors page.Options
}

func (o Options) withDefaults() Options {
	if o.BodyBytes <= 0 {
		o.BodyBytes = DefaultBodyBytes
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultDeadline
	}
	return o
}

// Deps are the parts that the front stands on.
type Deps struct {
	// Schema answers operations. Required.
	Schema graphql.ExecutableSchema
	// Verify tells who sends the value of an Authorization header; nil, nil for "" and
	// other anonymous callers. Its error refuses the whole request. Default: everybody
	// is anonymous.
	Verify func(ctx context.Context, authorization string) (*auth.Identity, error)
	// Forwarded are the headers of requests that any service gets, in the form of
	// http.Header: upstreams.Services.Forwarded. Callers whose values differ share nothing.
	// Nil says that they are not known, and then no operations are coalesced.
	Forwarded []string
	// Log gets a line for each operation and one for each error not shown to clients.
	// Default slog.Default().
	Log *slog.Logger
	// Playground is served at "/" and below when Options.Playground is on.
	Playground http.Handler
	// Metrics is served at "/metrics". Default nothing is.
	Metrics http.Handler
	// Executed is called for each operation that was executed: by gqlgen's executor if
	// fallback has the reason, by a plan if it is empty. Default none.
	Executed func(kind ast.Operation, fallback engine.FallbackReason)
}

// Front serves GraphQL over HTTP. It is safe for concurrent use.
type Front struct {
	options    Options
	verify     func(ctx context.Context, authorization string) (*auth.Identity, error)
	log        *slog.Logger
	cors       *cors.Middleware // nil when no other origin may call
	executor   *executor
	buffers    buffers
	coalescing *coalescing
	ways       []graphql.Transport // the first that supports a request gets it
	handler    http.Handler
	draining   atomic.Bool
}

// New builds a front. Its error says which setting is wrong.
func New(o Options, d Deps) (*Front, error) {
	o = o.withDefaults()
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Verify == nil {
		d.Verify = anonymous
	}
	if d.Executed == nil {
		d.Executed = func(ast.Operation, engine.FallbackReason) {}
	}
	crossOrigin, err := o.CORS.middleware()
	if err != nil {
		return nil, fmt.Errorf("cors: %w", err)
	}
	key, err := d.cursors(o.Cursors)
	if err != nil {
		return nil, fmt.Errorf("cursors: %w", err)
	}
	f := &Front{options: o, verify: d.Verify, log: d.Log, cors: crossOrigin}
	f.coalescing = newCoalescing(o, d, &f.buffers)
	if f.executor, err = newExecutor(d.Schema, o, key, &presenter{log: d.Log}); err != nil {
		return nil, err
	}
	f.executor.executed = d.Executed
	f.ways = []graphql.Transport{
		single{front: f, method: http.MethodPost, read: readPOST},
		single{front: f, method: http.MethodGet, read: readGET, safe: true},
	}
	f.handler = f.build(d.Playground, d.Metrics)
	return f, nil
}

// cursors makes the key to cursors, and warns of a random one where the graph has Relay
// connections: their specification names the type PageInfo.
func (d Deps) cursors(o page.Options) (*page.Key, error) {
	if o.Secret == "" && d.Schema.Schema().Types["PageInfo"] != nil {
		d.Log.Warn("cursors hold in this process only, until it ends; set cursors.secret in gateway.yaml, or GATEWAY_CURSORS_SECRET, " +
			"to a text of at least 32 bytes, the same in all replicas; try: openssl rand -hex 32")
	}
	return page.NewKey(o)
}

func anonymous(context.Context, string) (*auth.Identity, error) { return nil, nil }

// Use adds an extension of gqlgen's. Not to be called once requests are served.
func (f *Front) Use(extension graphql.HandlerExtension) { f.executor.Use(extension) }

// Handler serves all routes.
func (f *Front) Handler() http.Handler { return f.handler }

// Drain makes /readyz answer 503, so that no new clients are sent here.
// Everything else goes on.
func (f *Front) Drain() { f.draining.Store(true) }
