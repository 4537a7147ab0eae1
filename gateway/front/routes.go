package front

import (
	"io"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// endpoint is where GraphQL is.
const endpoint = "/graphql"

// step is one thing that happens to a request, around what comes after it.
type step func(next http.Handler) http.Handler

// chain puts steps around last in the order they are listed.
func chain(last http.Handler, steps ...step) http.Handler {
	for i := len(steps) - 1; i >= 0; i-- {
		last = steps[i](last)
	}
	return last
}

// build lays out the way of a request. The order of the steps is the order they run in.
func (f *Front) build(playground, metrics http.Handler) http.Handler {
	operations := chain(http.HandlerFunc(f.serveOperation),
		f.logAccess,      // around everything that can refuse, so that refusals are logged too
		f.recoverPanic,   // inside the log: a panic's line shows the 500 it became
		f.crossOrigin,    // before all that refuse: without its headers a page cannot read why, and preflights carry no token
		f.limitTime,      // before the first byte of the body is waited for
		f.refuseEncoding, // the size of a body is that of its content, so compressed ones stay out
		f.identify,       // before the body: who may not ask need not be read
		f.rememberClient, // last, as it keeps headers for the services behind
	)

	routes := http.NewServeMux()
	routes.Handle(endpoint, operations)
	routes.HandleFunc("GET /healthz", f.serveHealth)
	routes.HandleFunc("GET /readyz", f.serveReadiness)
	if metrics != nil {
		routes.Handle("GET /metrics", metrics)
	}
	if !f.options.Playground || playground == nil {
		playground = http.HandlerFunc(serveNothing)
	}
	routes.Handle("/", playground)

	return chain(routes,
		f.nameRequest, // first: everything below speaks of the request by this name
		f.limitBody,   // on each route: what nobody reads must not hold a connection either
	)
}

// serveOperation hands the request to the first transport that speaks its language.
func (f *Front) serveOperation(w http.ResponseWriter, r *http.Request) {
	if f.executor.hooks.some { // which may want to know when the operation began
		c := contextOf(r)
		c.Context = graphql.StartOperationTrace(c.Context)
	}
	if f.options.Playground && browses(r) {
		recordOf(r.Context()).end(http.StatusSeeOther, nil)
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	for _, way := range f.ways {
		if way.Supports(r) {
			way.Do(w, r, f.executor)
			return
		}
	}
	f.refuse(w, r, unsupported(r.Method))
}

// browses tells a person who opens the endpoint in a browser from a client that asks.
func browses(r *http.Request) bool {
	return r.Method == http.MethodGet && !r.URL.Query().Has("query") && r.Header.Get("Upgrade") == "" &&
		strings.HasPrefix(r.Header.Get("Accept"), "text/html")
}

// unsupported is the refusal of a request that no transport took.
func unsupported(method string) *refusal {
	no := newRefusal(http.StatusMethodNotAllowed, fault.BadRequest, "use POST, or GET for queries")
	no.header = http.Header{"Allow": {"GET, POST, OPTIONS"}}
	if method == http.MethodOptions {
		no.status = http.StatusNoContent
	}
	return no
}

func (f *Front) serveHealth(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, `{"status":"up"}`)
}

func (f *Front) serveReadiness(w http.ResponseWriter, _ *http.Request) {
	if f.draining.Load() {
		plain(w, http.StatusServiceUnavailable, `{"status":"draining"}`)
		return
	}
	plain(w, http.StatusOK, `{"status":"ready"}`)
}

func serveNothing(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusNotFound, `{"errors":[{"message":"nothing is here; GraphQL is at `+endpoint+`","extensions":{"code":"NOT_FOUND"}}]}`)
}

func plain(w http.ResponseWriter, status int, json string) {
	w.Header().Set("Content-Type", typeJSON+"; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, json+"\n")
}
