// Package playground serves GraphiQL from the program itself. It promises that the page loads nothing
// from another machine: every file is embedded, and the content security policy restricts the
// browser to the server of the page.
//
// web/ builds the files (make playground). They are committed in dist/, gzipped, so that the build of
// the gateway does not need Node.
package playground

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/gateway/compress"
)

// Options are the contents of the page. The zero value is a playground for /graphql without examples.
type Options struct {
	// Endpoint is the path of the GraphQL endpoint on the same server. Default "/graphql". It is
	// relative to the page, so that a reverse proxy may add a prefix.
	Endpoint string
	// Schema is the path of the graph's SDL on the same server, which the page offers for download. It is
	// relative to the page like Endpoint. Default none.
	Schema string
	// Title is the title of the page. Default "Gatehouse".
	Title string
	// Headers is the text in the headers pane of a new tab: JSON, which may have comments. Default a
	// comment that shows an Authorization header.
	Headers string
	// Examples are the tabs of a first visit, in this order. A browser that has been here before
	// keeps its own tabs.
	Examples []Example
}

// Example is an operation in a tab.
type Example struct {
	// Name describes the operation. It becomes a comment above a Query that does not begin with
	// one.
	Name string
	// Query is the document. The name of its operation becomes the title of the tab.
	Query string
	// Variables is a JSON object, or empty.
	Variables string
	// Headers is a JSON object. Default Options.Headers.
	Headers string
}

// Handler returns a handler that serves the page at "/" and its files below "/playground/": the assets,
// config.json, and THIRD_PARTY_LICENSES.txt. It answers GET and HEAD; other methods get 405, other
// paths 404. It is safe for concurrent use and keeps no reference to o.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	for path, a := range embeddedAssets() {
		mux.Handle("GET "+path, a)
	}
	mux.Handle("GET /playground/config.json", newAsset("config.json", compress.Gzip(o.config())))
	return withSecurityHeaders(graphiqlPolicy, mux)
}

const headersHint = `{
  // "Authorization": "Bearer <token>"
}`

// config is the content of /playground/config.json, which the page fetches first.
type config struct {
	Title    string `json:"title"`
	Endpoint string `json:"endpoint"` // relative to the page
	Schema   string `json:"schema"`   // relative to the page, or empty
	Headers  string `json:"headers"`
	Examples []tab  `json:"examples"`
}

type tab struct {
	Query     string `json:"query"`
	Variables string `json:"variables"`
	Headers   string `json:"headers"`
}

func (o Options) config() []byte {
	c := config{
		Title:    cmp.Or(o.Title, "Gatehouse"),
		Endpoint: relative(cmp.Or(o.Endpoint, "/graphql")),
		Headers:  cmp.Or(o.Headers, headersHint),
		Examples: make([]tab, 0, len(o.Examples)),
	}
	if o.Schema != "" {
		c.Schema = relative(o.Schema)
	}
	for _, e := range o.Examples {
		c.Examples = append(c.Examples, e.tab())
	}
	text, _ := json.Marshal(c) // strings only: cannot fail
	return text
}

// relative returns a path of this server relative to the page. A path that begins with two slashes
// would name another server.
func relative(path string) string { return "./" + strings.TrimLeft(path, "/") }

func (e Example) tab() tab {
	query := strings.TrimSpace(e.Query) + "\n"
	if e.Name != "" && !strings.HasPrefix(query, "#") {
		query = "# " + strings.ReplaceAll(e.Name, "\n", "\n# ") + "\n" + query
	}
	return tab{Query: query, Variables: strings.TrimSpace(e.Variables), Headers: strings.TrimSpace(e.Headers)}
}

// The content security policies restrict the pages to their own server. They allow no inline script and no
// eval. Every file has the policy of its page, since a worker obeys that of its own script.
const (
	servicesPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " + policyOfAll
	// graphiqlPolicy allows inline styles, which Monaco computes, and data: for the small pictures in the
	// style sheet of Monaco. A style cannot send anything to another server, since it can load nothing there.
	graphiqlPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; " +
		"connect-src 'self'; img-src 'self' data:; " + policyOfAll
	policyOfAll = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// permissionsPolicy switches off what no page needs of the browser (https://www.w3.org/TR/permissions-policy/).
const permissionsPolicy = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()"

// withSecurityHeaders adds a policy and related headers to every response.
func withSecurityHeaders(policy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "DENY") // frame-ancestors for old browsers
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // so that other servers do not see the URL, and the gateway knows its own page
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", permissionsPolicy)
		next.ServeHTTP(w, r)
	})
}
