// Package playground serves GraphiQL from the program itself. It promises that
// a page opened in it loads nothing from any other machine: every file is
// embedded, and the content security policy lets the browser ask only the
// server that the page came from.
//
// The files are built by web/ (make playground) and committed in dist/, gzipped,
// so that nobody needs Node to build the gateway.
package playground

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
)

// Options says what the page opens with. The zero value is a playground of the
// graph at /graphql without examples.
type Options struct {
	// Endpoint is the path of the graph on the same server; "/graphql" when
	// empty. Below a reverse proxy's prefix it moves with the page.
	Endpoint string
	// Title names the page and stands in its corner; "Gatehouse" when empty.
	Title string
	// Headers is what the headers pane of a new tab holds, JSON that may have
	// comments. When empty it shows, as a comment, where a token goes.
	Headers string
	// Examples are the tabs of a first visit, in this order. Whoever has been
	// here before finds the tabs as they were left.
	Examples []Example
}

// Example is an operation ready to be run.
type Example struct {
	// Name says what the operation shows. It becomes the comment above a Query
	// that does not begin with one.
	Name string
	// Query is the document. The name of its operation is the tab's title.
	Query string
	// Variables is a JSON object, or empty.
	Variables string
	// Headers is a JSON object; Options.Headers when empty.
	Headers string
}

// Handler serves the page at "/" and what it needs below "/playground/": the
// assets, config.json, and THIRD_PARTY_LICENSES.txt. It answers GET and HEAD;
// other methods get 405, other paths 404. It is safe for concurrent use and
// keeps no reference to o.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	for path, a := range embeddedAssets() {
		mux.Handle("GET "+path, a)
	}
	mux.Handle("GET /playground/config.json", newAsset("config.json", compress(o.config())))
	return withSecurityHeaders(mux)
}

const headersHint = `{
  // "Authorization": "Bearer <token>"
}`

// config is what the page asks for first: /playground/config.json.
type config struct {
	Title    string `json:"title"`
	Endpoint string `json:"endpoint"` // relative to the page
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
		Endpoint: "./" + strings.TrimLeft(cmp.Or(o.Endpoint, "/graphql"), "/"),
		Headers:  cmp.Or(o.Headers, headersHint),
		Examples: make([]tab, 0, len(o.Examples)),
	}
	for _, e := range o.Examples {
		c.Examples = append(c.Examples, e.tab())
	}
	text, _ := json.Marshal(c) // strings only: cannot fail
	return text
}

func (e Example) tab() tab {
	query := strings.TrimSpace(e.Query) + "\n"
	if e.Name != "" && !strings.HasPrefix(query, "#") {
		query = "# " + strings.ReplaceAll(e.Name, "\n", "\n# ") + "\n" + query
	}
	return tab{Query: query, Variables: strings.TrimSpace(e.Variables), Headers: strings.TrimSpace(e.Headers)}
}

// contentSecurityPolicy lets the page load from its own server only. Styles may stand in the
// page because Monaco computes them there; scripts may not. Pictures may be
// data: because Monaco's sheet has its small ones inside. The policy is sent
// with every file since a worker obeys the one its own script came with.
const contentSecurityPolicy = "default-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
