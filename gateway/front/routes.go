package front

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/httperror"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

const endpoint = "/graphql" // the path of GraphQL requests

// The paths of health checks.
const (
	healthPath    = "/healthz"
	readinessPath = "/readyz"
)

// SchemaPath is the path of the schema's SDL, which is served while introspection is on.
const SchemaPath = "/schema.graphql"

// RoutePaths are the paths for which Options.Networks may have lists: those that routes serves, and "/",
// which has the playground.
func RoutePaths() []string {
	return []string{"/", endpoint, healthPath, "/metrics", "/playground", readinessPath, SchemaPath, "/services"}
}

// routes returns the handler of all routes, with the middleware in the order in which it runs.
func (v *version) routes(d Deps, cors, csrf middleware.Middleware) http.Handler {
	operations := middleware.Chain(http.HandlerFunc(v.serveOperation),
		v.accessLog(d.Log),                            // around all that may refuse a request, so that refusals are logged
		middleware.CountRefusals(d.OnRefused),         // around all that may refuse a request
		middleware.CountCosts(d.OnCost),               // around the rule that says what an operation costs
		middleware.Recover(v.errors),                  // inside the log: the line of a panic has its status 500
		cors,                                          // before all that may refuse a request: without its headers a page cannot read why, and preflights have no token
		v.redirectToPlayground,                        // before csrf: links of other pages may open the playground
		csrf,                                          // before all that takes time or memory: the page's user did not want the request
		middleware.Deadline(v.options.Deadline),       // before the body is read
		middleware.RefuseContentEncoding(v.errors),    // before the body is read
		middleware.Authenticate(d.Verify, v.errors),   // before the body is read: that of a refused caller need not be
		middleware.Identify(v.callers),                // after authentication, which says whose token it is
		middleware.ShareMemory(v.memory),              // before the body is read, which takes memory
		middleware.ClientHeaders(d.WithClientHeaders), // last, since it keeps the headers for the services
	)

	mux := http.NewServeMux()
	mux.Handle(endpoint, operations)
	mux.Handle(endpoint+"/{$}", operations) // some clients end every URL so
	mux.HandleFunc("GET "+healthPath, v.serveHealth)
	mux.HandleFunc("GET "+readinessPath, v.serveReadiness)
	if v.options.Documents.UsesIDs() {
		mux.Handle(endpoint+"/{"+request.PathID+"}", operations)
	}
	if d.Metrics != nil {
		mux.Handle("GET /metrics", d.Metrics)
	}
	if v.options.Introspection {
		mux.Handle("GET "+SchemaPath, newSchemaFile(d.Schema.Schema(), v.options.Compression))
	}
	if v.options.Playground && d.Playground != nil {
		mux.Handle("GET /{$}", d.Playground)
		mux.Handle("GET /playground/", d.Playground)
	}
	if d.Services != nil {
		mux.Handle("GET /services", d.Services)
		mux.Handle("GET /services/", d.Services)
	}
	mux.HandleFunc("/", serveNotFound)

	return middleware.Chain(mux,
		middleware.SecurityHeaders(v.options.HSTS),                         // around all that writes a response
		middleware.RequestID,                                               // before the rest, so that all that follows knows the request by this id
		middleware.LimitBody(v.options.BodyBytes, v.options.bodyTimeout()), // on all routes, since a body that no handler reads must not hold a connection either
		v.writeDeadline(),
		v.compression(),
		v.drain.Middleware, // after LimitBody, whose read deadline it shortens when the server stops
		middleware.ClientAddress(v.callers),
		middleware.PermitNetworks(v.networks, v.refusedNetwork(d)), // before all that costs more: CORS, the token and the body
	)
}

// accessLog returns the middleware that logs operations.
func (v *version) accessLog(log *slog.Logger) middleware.Middleware {
	return middleware.AccessLog(log, middleware.AccessLogOptions{
		ClientAddress: v.options.LogClientAddress, Class: len(v.options.Callers.Classes) > 0,
	})
}

// writeDeadline returns the middleware that bounds the time for a response, where the server has another
// bound.
func (v *version) writeDeadline() middleware.Middleware {
	if v.options.requestTimeout() == v.serverTimeout {
		return middleware.None
	}
	return middleware.WriteDeadline(v.options.requestTimeout())
}

// compression returns the middleware that says whether responses are compressed.
func (v *version) compression() middleware.Middleware {
	if v.options.Compression == CompressionNone {
		return middleware.Uncompressed
	}
	return middleware.None
}

// serveOperation has the first transport that supports the request serve it.
func (v *version) serveOperation(w http.ResponseWriter, r *http.Request) {
	if v.executor.HasExtensions() { // they may report when the operation began
		var c *request.Context
		r, c = request.Attach(r)
		c.Context = graphql.StartOperationTrace(c.Context)
	}
	if isSocket(r) {
		v.errors.Write(w, r, httperror.New(http.StatusBadRequest, fault.BadRequest,
			"there is no WebSocket here, since subscriptions are not supported; send queries and mutations by POST"))
		return
	}
	for _, t := range v.transports {
		if t.Supports(r) {
			t.Do(w, r, v.executor)
			return
		}
	}
	v.errors.Write(w, r, unsupported(r.Method))
}

// redirectToPlayground redirects a browser that opens the endpoint as a page.
func (v *version) redirectToPlayground(next http.Handler) http.Handler {
	if !v.options.Playground {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isNavigation(r) {
			request.LogEntryOf(r.Context()).SetResponse(http.StatusSeeOther, nil)
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isNavigation reports whether a browser opens the endpoint as a page, instead of a client that
// sends an operation.
func isNavigation(r *http.Request) bool {
	return isSafe(r) && strings.TrimSuffix(r.URL.Path, "/") == endpoint && !hasOperation(r) && strings.HasPrefix(r.Header.Get("Accept"), "text/html")
}

// isSocket reports whether a client wants to open a WebSocket. A request with an operation is
// executed, whatever it offers to upgrade to.
func isSocket(r *http.Request) bool {
	if r.Method != http.MethodGet || hasOperation(r) {
		return false
	}
	for protocol := range strings.SplitSeq(strings.Join(r.Header["Upgrade"], ","), ",") {
		if strings.EqualFold(strings.TrimSpace(protocol), "websocket") {
			return true
		}
	}
	return false
}

func isSafe(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// hasOperation reports whether the URL has a query, or says by its hash or id which one is meant.
func hasOperation(r *http.Request) bool {
	values := r.URL.Query()
	return values.Has("query") || values.Has("extensions") || request.HasDocumentID(r, values)
}

// unsupported returns the error of a request that no transport supports.
func unsupported(method string) *httperror.Error {
	e := httperror.New(http.StatusMethodNotAllowed, fault.BadRequest, "use POST, or GET for queries")
	e.Header = http.Header{"Allow": {"GET, HEAD, POST, OPTIONS"}}
	if method == http.MethodOptions {
		e.Status = http.StatusNoContent
	}
	return e
}
