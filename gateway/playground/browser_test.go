package playground_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground/playgroundtest"
)

var examples = []playground.Example{
	{
		Name:      "One product by its id, from the variables below.",
		Query:     "query OneProduct($id: ID!) {\n  product(id: $id) {\n    name\n    price\n  }\n}",
		Variables: "{\n  \"id\": \"1\"\n}",
	},
	{
		Name:    "What the caller's headers say.",
		Query:   "query Products {\n  products(limit: 2) {\n    name\n    inStock\n  }\n}",
		Headers: "{\n  \"X-Tenant\": \"north\"\n}",
	},
}

// graph stands in for the gateway: it knows the schema's introspection by
// heart and answers every other operation with what it was asked.
func graph(t *testing.T) http.Handler {
	schema, err := os.ReadFile("testdata/introspection.json")
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Query     string
			Variables map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "request-7")
		if strings.Contains(request.Query, "__schema") {
			_, _ = w.Write(schema)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{
			"asked": request.Query, "id": request.Variables["id"],
			"tenant": r.Header.Get("X-Tenant"), "authorization": r.Header.Get("Authorization"),
		}})
	})
}

// serve puts the playground and its graph on an address of this machine, below
// a prefix such as a reverse proxy adds.
func serve(t *testing.T, prefix string, o playground.Options) string {
	mux := http.NewServeMux()
	mux.Handle(prefix+"/graphql", graph(t))
	mux.Handle(prefix+"/", http.StripPrefix(prefix, playground.Handler(o)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + prefix + "/"
}

// A first visit: the examples are there, and run; docs, explorer and history
// open; what was done is found again after a reload.
func TestVisit(t *testing.T) {
	page := playgroundtest.Open(t, serve(t, "", playground.Options{Examples: examples}))

	if got := page.Title(); got != "Gatehouse" {
		t.Errorf("the title is %q", got)
	}
	if diff := cmp.Diff([]string{"OneProduct", "Products"}, page.Tabs()); diff != "" {
		t.Errorf("tabs: %s", diff)
	}
	if want := "# One product by its id, from the variables below.\n"; !strings.HasPrefix(page.Query(), want) {
		t.Errorf("the example does not say what it shows:\n%s", page.Query())
	}
	page.Run()
	mention(t, "the first example's answer", page.Answer(), `"id": "1"`, "query OneProduct")
	mention(t, "the docs", page.Docs("Product"), "Something the shop sells.", "inStock: Boolean!", "Whether it can be sent today.")
	page.Screenshot("light-docs")
	mention(t, "the explorer", page.Explorer(), "product", "products", "inStock")
	page.Screenshot("light-explorer")
	mention(t, "the history", page.History(), "OneProduct")
}

// Before the first answer the pane says how to get one; below an answer stand its figures, which belong
// to its tab.
func TestAnswer(t *testing.T) {
	page := playgroundtest.Open(t, serve(t, "/shop", playground.Options{Schema: "/schema.graphql", Examples: examples}))
	mention(t, "the empty pane", page.Hint(), "Ctrl-Enter", "run the operation")
	page.Run()
	if figures := page.Figures(); !regexp.MustCompile(`^200\s+\d+ ms\s+\d+ B\s+request request-7$`).MatchString(figures) {
		t.Errorf("the figures are %q", figures)
	}
	page.OpenTab("Products")
	mention(t, "the empty pane of the next tab", page.Hint(), "run the operation")
	page.OpenTab("OneProduct")
	mention(t, "the figures of the first tab", page.Figures(), "request-7")
	if link := page.SchemaLink(); !strings.HasSuffix(link, "/shop/schema.graphql") {
		t.Errorf("the schema's link is %s", link)
	}
}

// A visitor who has changed an example, or closed its tab, can open it again.
func TestExamplesAgain(t *testing.T) {
	page := playgroundtest.Open(t, serve(t, "", playground.Options{Examples: examples}))
	if link := page.SchemaLink(); link != "none" {
		t.Errorf("a server without a schema offers %s", link)
	}
	page.SetQuery("{ broken }")
	page.Reload()
	page.OpenExample("OneProduct")
	mention(t, "the example", page.Query(), "# One product by its id", "query OneProduct")
	mention(t, "its variables", page.Variables(), `"id": "1"`)
	page.OpenExample("Products")
	mention(t, "the headers of the other example", page.Headers(), `"X-Tenant": "north"`)
	page.Run()
	mention(t, "its answer", page.Answer(), `"tenant": "north"`)
}

// On a telephone the panes stand below each other, each as wide as the screen, and long lines wrap.
func TestNarrow(t *testing.T) {
	comment := "What the shop sells, with a name that is much longer than a telephone is wide: the end."
	page := playgroundtest.Open(t, serve(t, "", playground.Options{Examples: []playground.Example{
		{Name: comment, Query: "query Products {\n  products(limit: 2) {\n    name\n  }\n}"},
	}}), playgroundtest.Narrow())
	page.Run()
	page.Screenshot("narrow")
	const width, height = 390, 844
	for _, selector := range []string{".graphiql-query-editor", ".graphiql-execute-button", ".result-window", ".gatehouse-figures", ".graphiql-sidebar"} {
		box := page.Place(selector)
		if box.Left < 0 || box.Right > width || box.Top < 0 || box.Bottom > height {
			t.Errorf("%s is not on the screen: %+v", selector, box)
		}
	}
	for _, selector := range []string{".graphiql-query-editor", ".result-window"} {
		if box := page.Place(selector); box.Right-box.Left < 0.8*width || box.Bottom-box.Top < 150 {
			t.Errorf("%s is too small: %+v", selector, box)
		}
	}
	mention(t, "the lines of the editor on the screen", page.VisibleQuery(), "the end.")
	page.Docs("Product")
	if box := page.Place(".graphiql-plugin"); box.Right-box.Left < 0.8*width || box.Bottom-box.Top < 150 {
		t.Errorf("the docs are too small: %+v", box)
	}
}

func TestTabs(t *testing.T) {
	page := playgroundtest.Open(t, serve(t, "", playground.Options{Examples: examples}))
	if page.Headers() != "{\n  // \"Authorization\": \"Bearer <token>\"\n}" {
		t.Errorf("the headers of an example that names none: %s", page.Headers())
	}
	page.OpenTab("Products")
	page.Run()
	mention(t, "the second example's answer", page.Answer(), `"tenant": "north"`)
}

// After a reload the tabs have their variables, but no headers: those
// hold tokens, and are kept only when the visitor asks for it.
func TestReturn(t *testing.T) {
	page := playgroundtest.Open(t, serve(t, "", playground.Options{Examples: examples}))
	page.SetHeaders(`{"Authorization": "Bearer secret"}`)
	page.Run()
	mention(t, "the answer", page.Answer(), `"authorization": "Bearer secret"`)
	page.Reload()
	if diff := cmp.Diff([]string{"OneProduct", "Products"}, page.Tabs()); diff != "" {
		t.Errorf("tabs: %s", diff)
	}
	mention(t, "the variables", page.Variables(), `"id": "1"`)
	if kept := page.Storage(); strings.Contains(kept, "secret") || strings.Contains(page.Headers(), "secret") {
		t.Errorf("the token was kept: %s, %s", page.Headers(), kept)
	}
}

func TestPersistHeaders(t *testing.T) {
	page := playgroundtest.Open(t, serve(t, "", playground.Options{Examples: examples}))
	page.PersistHeaders(true)
	page.SetHeaders(`{"Authorization": "Bearer secret"}`)
	page.Stored(`Bearer secret`)
	page.Run()
	page.Reload()
	mention(t, "the headers", page.Headers(), "Bearer secret")
	page.PersistHeaders(false)
	if kept := page.Storage(); strings.Contains(kept, "secret") {
		t.Errorf("the token is still kept: %s", kept)
	}
}

func TestPrettify(t *testing.T) {
	page := playgroundtest.Open(t, serve(t, "", playground.Options{}))
	page.SetQuery("{products{name}}")
	page.Prettify("{\n  products {\n    name\n  }\n}\n")
}

func TestBelowAPrefix(t *testing.T) {
	page := playgroundtest.Open(t, serve(t, "/shop", playground.Options{Title: "Shop & more", Examples: examples}), playgroundtest.Dark())
	if got := page.Title(); got != "Shop & more" {
		t.Errorf("the title is %q", got)
	}
	page.Run()
	mention(t, "the answer", page.Answer(), `"id": "1"`)
	page.Docs("Product")
	page.Screenshot("dark-docs")
}

func mention(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s lacks %q:\n%s", what, word, text)
		}
	}
}
