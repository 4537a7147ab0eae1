package playground_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground/playgroundtest"
)

// attack are texts that set the global variable attacked where a page takes them for HTML, Markdown or a
// script.
const attack = `<img src=x onerror="attacked=1"> <script>attacked=1</script> <svg onload="attacked=1"></svg> ` +
	`<iframe srcdoc="<script>parent.attacked=1</script>"></iframe> '"></textarea><img src=x onerror=attacked=1> ` +
	`[click](javascript:attacked=1) ![image](javascript:attacked=1) <a href="javascript:attacked=1">click</a> <javascript:attacked=1> {{constructor.constructor("attacked=1")()}}`

// traces finds the elements that the attack makes in a page that takes it for HTML. The policy of the page
// keeps their scripts from running, so that a global variable alone would not show them.
const traces = `img[src="x"], script:not([src]), svg[onload], iframe[srcdoc], a[href^="javascript:" i], img[src^="javascript:" i]`

// introspection returns the schema of the tests with changes.
func introspection(t *testing.T, change func(text string, isName bool) string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/introspection.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			for key, member := range v {
				if text, ok := member.(string); ok && (key == "name" || key == "description") {
					v[key] = change(text, key == "name")
				}
				walk(member)
			}
		}
	}
	walk(schema)
	text, err = json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// serveSchema serves the playground of a gateway with a schema, which answers each operation with the attack.
func serveSchema(t *testing.T, schema []byte, o playground.Options) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Query string }
		_ = json.NewDecoder(r.Body).Decode(&request)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "<img src=x onerror=attacked=1>")
		if strings.Contains(request.Query, "__schema") {
			_, _ = w.Write(schema)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"data":   map[string]any{attack: attack, "asked": request.Query},
			"errors": []any{map[string]any{"message": attack}},
		})
	})
	mux.Handle("/", playground.Handler(o))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/"
}

func wantNoAttack(t *testing.T, page *playgroundtest.Page, where string) {
	t.Helper()
	if n := page.Count(traces); n != 0 {
		t.Errorf("%s: %d elements of the attack are in the page", where, n)
	}
	if got := page.Global("attacked"); got != "undefined" {
		t.Errorf("%s: the attack has run", where)
	}
}

// CVE-2021-41249 (GraphQL Playground) and CVE-2021-41248 (GraphiQL): texts of a hostile schema ran as
// scripts in the docs and the suggestions. No text of the schema, of a response, of the settings or of the
// URL does.
func TestCVE202141249HostileTexts(t *testing.T) {
	schema := introspection(t, func(text string, isName bool) string {
		if isName {
			return text
		}
		return text + " " + attack
	})
	variables, _ := json.Marshal(map[string]string{"text": attack})
	address := serveSchema(t, schema, playground.Options{
		Title: attack, Endpoint: "/graphql", Schema: `/"><img src=x onerror=attacked=1>`,
		Examples: []playground.Example{{Name: attack, Query: "query OneProduct { prod }", Variables: string(variables), Headers: "{}"}},
	})
	page := playgroundtest.Open(t, address+"?query="+url.QueryEscape(attack)+"&variables="+url.QueryEscape(attack)+"&operationName="+url.QueryEscape(attack)+"#"+url.QueryEscape(attack))
	wantNoAttack(t, page, "the start")
	mention(t, "the docs", page.Docs("Product"), "Something the shop sells. <img src=x onerror=", "<script>attacked=1</script>")
	wantNoAttack(t, page, "the docs")
	page.Explorer()
	wantNoAttack(t, page, "the explorer")
	mention(t, "the suggestions", page.Suggestions("prod"), "product")
	wantNoAttack(t, page, "the suggestions")
	page.SetQuery("query A { product(id: \"1\") { name } } # " + attack)
	page.SetHeaders("{}")
	page.Run()
	mention(t, "the answer", page.Answer(), "<script>attacked=1</script>")
	wantNoAttack(t, page, "the answer")
	page.History()
	wantNoAttack(t, page, "the history")
	page.Reload()
	wantNoAttack(t, page, "the return")
}

// CVE-2021-41249, with names: a schema whose names are HTML is not valid, and none of them gets into the page.
func TestCVE202141249HostileNames(t *testing.T) {
	schema := introspection(t, func(text string, isName bool) string {
		if isName && text != "Query" {
			return text + "<img src=x onerror=attacked=1>"
		}
		return text
	})
	page := playgroundtest.Open(t, serveSchema(t, schema, playground.Options{Examples: []playground.Example{{Query: "query A { prod }"}}}),
		playgroundtest.Expecting("Name"))
	page.Run()
	mention(t, "the answer", page.Answer(), "attacked")
	wantNoAttack(t, page, "the page")
}
