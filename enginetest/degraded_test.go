package enginetest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// fragileService sends fixed objects. Where refuse returns a status, it sends that with a text that no
// client must see.
type fragileService struct {
	refuse atomic.Value // of func(path string) int
	calls  atomic.Int64
}

const backendText = `{"error": {"code": "BACKEND_CODE", "text": "backend text"}}`

func (s *fragileService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	path := strings.TrimPrefix(r.URL.Path, "/fragile/")
	if status := s.refuse.Load().(func(string) int)(path); status != 0 {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(backendText))
		return
	}
	if body, ok := r.URL.Query()["ids"]; ok && strings.HasSuffix(path, "s") {
		_ = json.NewEncoder(w).Encode(items(body, path))
		return
	}
	kind, id, _ := strings.Cut(path, "/")
	one := func(id int) object {
		return object{
			"id": id, "name": fmt.Sprint("fragile ", id), "partIds": []int{id, id + 1},
			"owner": object{"id": id}, "owners": []any{object{"id": id}, object{"id": 9}},
			"keeper": object{"id": id}, "keepers": []any{object{"id": id}}, "guardian": object{"id": id}, "guardians": []any{object{"id": id}},
		}
	}
	var v any
	switch kind {
	case "many":
		v = []any{one(1), one(2), one(3)}
	case "parts":
		v = items(append(append(r.URL.Query()["null"], r.URL.Query()["default"]...), r.URL.Query()["stale"]...), "part")
	case "part":
		v = object{"id": number(id), "label": "part " + id}
	case "stock":
		v = object{"all": object{"1": 10, "2": 20}}
	case "guardians":
		v = object{"id": number(id), "name": "guardian " + id}
	case "nullpages", "defaultpages", "stalepages":
		v = object{"items": []any{one(5), one(6)}}
	case "name":
		v = object{"name": "a name"}
	case "flag":
		v = true
	case "defaults":
		v = []any{one(7)}
	case "stale":
		v = one(number(id))
	default:
		v = one(1)
	}
	_ = json.NewEncoder(w).Encode(v)
}

// items returns an item for each id.
func items(ids []string, label string) []any {
	list := []any{}
	for _, id := range ids {
		list = append(list, object{"id": number(id), "label": label + " " + id, "name": label + " " + id})
	}
	return list
}

func allUp(string) int { return 0 }

// down returns a refuse function for paths that begin with one of some prefixes, and for all paths
// without any.
func down(status int, prefixes ...string) func(string) int {
	return func(path string) int {
		for _, prefix := range prefixes {
			if strings.HasPrefix(path, prefix) {
				return status
			}
		}
		if len(prefixes) == 0 {
			return status
		}
		return 0
	}
}

// newFragile returns the schema over a fragile service.
func newFragile(t *testing.T) (graphql.ExecutableSchema, *fragileService) {
	t.Helper()
	service := &fragileService{}
	service.refuse.Store(allUp)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	services, err := upstreams.New(upstreams.Options{"answers": {URLs: upstreams.URLs(server.URL)}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	return graph.NewSchema(&resolvers.Resolver{Services: services}), service
}

// byBothExecutors runs a test with each executor.
func byBothExecutors(t *testing.T, test func(t *testing.T, executor string)) {
	for _, executor := range []string{engine.EngineGqlgen, engine.EnginePlan} {
		t.Run(executor, func(t *testing.T) { test(t, executor) })
	}
}

// step is one operation of a test, and what it returns.
type step struct {
	refuse   func(string) int
	query    string
	data     string
	degraded string // extensions.degraded as JSON; "" for no extensions
	errors   string // path and code of each error
}

// run executes steps one after another, and returns the log.
func (s step) run(t *testing.T, name string, post func(body []byte) response) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"query": s.query})
	got := post(body)
	var errs []string
	for _, e := range got.Errors {
		errs = append(errs, fmt.Sprint(e.Path, " ", e.Extensions["code"]))
	}
	shown := ""
	if got.Extensions != nil {
		text, _ := json.Marshal(got.Extensions["degraded"])
		shown = string(text)
	}
	if string(got.Data) != s.data || shown != s.degraded || strings.Join(errs, ", ") != s.errors {
		t.Errorf("%s: %s\ngot  %s\n     degraded %s\n     errors %s\nwant %s\n     degraded %s\n     errors %s",
			name, s.query, got.Data, shown, strings.Join(errs, ", "), s.data, s.degraded, s.errors)
	}
}

// entry returns an entry of extensions.degraded.
func entry(mode, path string) string {
	age := ""
	if mode == "STALE" {
		age = `"age":0,`
	}
	return `{` + age + `"code":"DOWNSTREAM_SERVICE_ERROR","mode":"` + mode + `","path":[` + path + `],"service":"answers"}`
}

func entries(all ...string) string { return "[" + strings.Join(all, ",") + "]" }

// Each mode has its value at each kind of place, and its entry in extensions.degraded.
func TestDegraded(t *testing.T) {
	for name, steps := range map[string][]step{
		"null": {
			{refuse: allUp, query: `{nullFragile {id} nullFlag}`, data: `{"nullFragile":{"id":1},"nullFlag":true}`},
			{refuse: down(503), query: `{nullFragile {id} a: nullFlag}`, data: `{"nullFragile":null,"a":null}`, degraded: entries(entry("NULL", `"a"`), entry("NULL", `"nullFragile"`))},
			{
				refuse: down(500, "parts", "part/2", "stock"),
				query:  `{fragiles {nullPart {label} nullEach {id} nullStock}}`,
				data:   `{"fragiles":[{"nullPart":null,"nullEach":{"id":1},"nullStock":null},{"nullPart":null,"nullEach":null,"nullStock":null},{"nullPart":null,"nullEach":{"id":3},"nullStock":null}]}`,
				degraded: entries(entry("NULL", `"fragiles",0,"nullPart"`), entry("NULL", `"fragiles",0,"nullStock"`),
					entry("NULL", `"fragiles",1,"nullEach"`), entry("NULL", `"fragiles",1,"nullPart"`), entry("NULL", `"fragiles",1,"nullStock"`),
					entry("NULL", `"fragiles",2,"nullPart"`), entry("NULL", `"fragiles",2,"nullStock"`)),
			},
			{
				refuse: down(503, "nullpages"), query: `{nullPages {nodes {id}} fragile {nullPages {nodes {id}}}}`, data: `{"nullPages":null,"fragile":{"nullPages":null}}`,
				degraded: entries(entry("NULL", `"fragile","nullPages"`), entry("NULL", `"nullPages"`)),
			},
		},
		"default": {
			{refuse: allUp, query: `{defaultFragile {id} defaultFragiles {id} defaultName defaultPages {nodes {id}}}`, data: `{"defaultFragile":{"id":1},"defaultFragiles":[{"id":7}],"defaultName":"a name","defaultPages":{"nodes":[{"id":5},{"id":6}]}}`},
			{
				refuse: down(503),
				query: `{defaultFragile {id name kind kinds price at big any ratio flag partIds part {id label size} parts {id label} spot {__typename ... on Part {label}} keeper {id name age} owner {id}}
					defaultFragiles {id} defaultName defaultPages {nodes {id} pageInfo {hasNextPage endCursor}}}`,
				data: `{"defaultFragile":{"id":0,"name":"none","kind":"ODD","kinds":["LARGE","SMALL"],"price":"1.50","at":"2026-01-31T12:00:00Z","big":"9007199254740993","any":{"a":[1,null,"x"]},"ratio":2,"flag":true,` +
					`"partIds":[],"part":{"id":1,"label":"default","size":null},"parts":[{"id":2,"label":"a"},null],"spot":{"__typename":"Part","label":"spot"},"keeper":{"id":1,"name":"unknown","age":null},"owner":null},` +
					`"defaultFragiles":[],"defaultName":"no\t\"name\"","defaultPages":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}}`,
				degraded: entries(entry("DEFAULT", `"defaultFragile"`), entry("DEFAULT", `"defaultFragile","keeper"`), entry("DEFAULT", `"defaultFragiles"`), entry("DEFAULT", `"defaultName"`), entry("DEFAULT", `"defaultPages"`)),
			},
			{
				refuse: down(503, "parts"), query: `{fragile {p: defaultPart {id label}}}`, data: `{"fragile":{"p":{"id":0,"label":"default"}}}`,
				degraded: entries(entry("DEFAULT", `"fragile","p"`)),
			},
		},
		"entities": {
			{refuse: allUp, query: `{fragile {owner {name} owners {name} keeper {id name} keepers {name} guardian {name} guardians {name}}}`, data: `{"fragile":{"owner":{"name":"owners 1"},"owners":[{"name":"owners 1"},{"name":"owners 9"}],"keeper":{"id":1,"name":"keepers 1"},"keepers":[{"name":"keepers 1"}],"guardian":{"name":"guardian 1"},"guardians":[{"name":"guardian 1"}]}}`},
			{
				refuse: down(503, "owners", "keepers", "guardians"),
				query:  `{fragiles {owner {name} owners {id name} keeper {id name} keepers {id name}} fragile {guardian {id name} guardians {name}}}`,
				data: `{"fragiles":[{"owner":null,"owners":[null,null],"keeper":{"id":1,"name":"unknown"},"keepers":[{"id":1,"name":"unknown"}]},` +
					`{"owner":null,"owners":[null,null],"keeper":{"id":2,"name":"unknown"},"keepers":[{"id":2,"name":"unknown"}]},` +
					`{"owner":null,"owners":[null,null],"keeper":{"id":3,"name":"unknown"},"keepers":[{"id":3,"name":"unknown"}]}],"fragile":{"guardian":{"id":1,"name":"guardian 1"},"guardians":[{"name":"guardian 1"}]}}`,
				degraded: entries(entry("STALE", `"fragile","guardian"`), entry("STALE", `"fragile","guardians",0`),
					entry("DEFAULT", `"fragiles",0,"keeper"`), entry("DEFAULT", `"fragiles",0,"keepers",0`), entry("NULL", `"fragiles",0,"owner"`), entry("NULL", `"fragiles",0,"owners",0`), entry("NULL", `"fragiles",0,"owners",1`),
					entry("DEFAULT", `"fragiles",1,"keeper"`), entry("DEFAULT", `"fragiles",1,"keepers",0`), entry("NULL", `"fragiles",1,"owner"`), entry("NULL", `"fragiles",1,"owners",0`), entry("NULL", `"fragiles",1,"owners",1`),
					entry("DEFAULT", `"fragiles",2,"keeper"`), entry("DEFAULT", `"fragiles",2,"keepers",0`), entry("NULL", `"fragiles",2,"owner"`), entry("NULL", `"fragiles",2,"owners",0`), entry("NULL", `"fragiles",2,"owners",1`)),
			},
		},
		"stale": {
			{refuse: down(503), query: `{staleFragile(id: 3) {id}}`, data: `{"staleFragile":null}`, errors: "[staleFragile] DOWNSTREAM_SERVICE_ERROR"},
			{refuse: allUp, query: `{staleFragile(id: 3) {id}}`, data: `{"staleFragile":{"id":3}}`},
			{refuse: down(503, "stale"), query: `{staleFragile(id: 3) {id name stalePart {label}}}`, data: `{"staleFragile":{"id":3,"name":"fragile 3","stalePart":{"label":"part 3"}}}`, degraded: entries(entry("STALE", `"staleFragile"`))},
			{refuse: down(503), query: `{staleFragile(id: 4) {id}}`, data: `{"staleFragile":null}`, errors: "[staleFragile] DOWNSTREAM_SERVICE_ERROR"},
			{refuse: down(404), query: `{staleFragile(id: 3) {id}}`, data: `{"staleFragile":null}`, errors: "[staleFragile] NOT_FOUND"},
			{refuse: down(503), query: `{staleFragile(id: 3) {id}}`, data: `{"staleFragile":null}`, errors: "[staleFragile] DOWNSTREAM_SERVICE_ERROR"},
			{refuse: down(404), query: `{staleOrNone {id}}`, data: `{"staleOrNone":null}`},
			{refuse: down(503), query: `{staleOrNone {id}}`, data: `{"staleOrNone":null}`, degraded: entries(entry("STALE", `"staleOrNone"`))},
		},
		"stale batches": {
			{refuse: allUp, query: `{staleFragile(id: 2) {stalePart {id} staleEach {id} staleStock stalePages {nodes {id}}} stalePages(first: 2) {nodes {id}}}`, data: `{"staleFragile":{"stalePart":{"id":2},"staleEach":{"id":2},"staleStock":20,"stalePages":{"nodes":[{"id":5},{"id":6}]}},"stalePages":{"nodes":[{"id":5},{"id":6}]}}`},
			{
				refuse: down(503, "parts", "part/", "stock", "stalepages"),
				query:  `{fragiles {id stalePart {label} staleEach {label} staleStock stalePages {nodes {name}}} stalePages(first: 2) {nodes {name}}}`,
				data: `{"fragiles":[{"id":1,"stalePart":null,"staleEach":null,"staleStock":10,"stalePages":null},` +
					`{"id":2,"stalePart":{"label":"part 2"},"staleEach":{"label":"part 2"},"staleStock":20,"stalePages":{"nodes":[{"name":"fragile 5"},{"name":"fragile 6"}]}},` +
					`{"id":3,"stalePart":null,"staleEach":null,"staleStock":null,"stalePages":null}],"stalePages":{"nodes":[{"name":"fragile 5"},{"name":"fragile 6"}]}}`,
				degraded: entries(entry("STALE", `"fragiles",0,"staleStock"`), entry("STALE", `"fragiles",1,"staleEach"`), entry("STALE", `"fragiles",1,"stalePages"`), entry("STALE", `"fragiles",1,"stalePart"`),
					entry("STALE", `"fragiles",1,"staleStock"`), entry("STALE", `"fragiles",2,"staleStock"`), entry("STALE", `"stalePages"`)),
				errors: "[fragiles 0 staleEach] DOWNSTREAM_SERVICE_ERROR, [fragiles 0 stalePages] DOWNSTREAM_SERVICE_ERROR, [fragiles 0 stalePart] DOWNSTREAM_SERVICE_ERROR, " +
					"[fragiles 2 staleEach] DOWNSTREAM_SERVICE_ERROR, [fragiles 2 stalePages] DOWNSTREAM_SERVICE_ERROR, [fragiles 2 stalePart] DOWNSTREAM_SERVICE_ERROR",
			},
			// Parts 2 and 3 are known from different calls, which makes the list of fragile 2 complete.
			{refuse: allUp, query: `{staleFragile(id: 3) {stalePart {id}}}`, data: `{"staleFragile":{"stalePart":{"id":3}}}`},
			{
				refuse: down(503, "parts"), query: `{fragiles {staleParts {label}}}`,
				data:     `{"fragiles":[{"staleParts":null},{"staleParts":[{"label":"part 2"},{"label":"part 3"}]},{"staleParts":null}]}`,
				degraded: entries(entry("STALE", `"fragiles",1,"staleParts"`)),
				errors:   "[fragiles 0 staleParts] DOWNSTREAM_SERVICE_ERROR, [fragiles 2 staleParts] DOWNSTREAM_SERVICE_ERROR",
			},
		},
		"refusals": {
			{refuse: down(404), query: `{nullFragile {id}}`, data: `{"nullFragile":null}`, errors: "[nullFragile] NOT_FOUND"},
			{refuse: down(400), query: `{nullFragile {id}}`, data: `{"nullFragile":null}`, errors: "[nullFragile] BAD_USER_INPUT"},
			{refuse: down(409), query: `{nullFragile {id}}`, data: `{"nullFragile":null}`, errors: "[nullFragile] CONFLICT"},
			{refuse: down(404), query: `{defaultName}`, data: `null`, errors: "[defaultName] NOT_FOUND"},
			{refuse: down(404, "owners"), query: `{fragile {owner {name}}}`, data: `{"fragile":{"owner":null}}`, errors: "[fragile owner] NOT_FOUND"},
			{refuse: down(503), query: `{fragile {id}}`, data: `{"fragile":null}`, errors: "[fragile] DOWNSTREAM_SERVICE_ERROR"},
			{refuse: down(503), query: `mutation {breakFragile {id}}`, data: `{"breakFragile":null}`, errors: "[breakFragile] DOWNSTREAM_SERVICE_ERROR"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			byBothExecutors(t, func(t *testing.T, executor string) {
				schema, service := newFragile(t)
				f, _ := newGateway(t, executor, nil, schema)
				for i, s := range steps {
					service.refuse.Store(s.refuse)
					s.run(t, fmt.Sprint(name, " ", i), func(body []byte) response {
						r := post(t, f, body)
						r.sortErrors()
						return r
					})
				}
			})
		})
	}
}

// A failure is logged once as a warning, with its cause and the request's id, however many fields it
// degrades. No text of the service reaches a client. The fields are counted, and the first hundred
// listed.
func TestDegradedIsLoggedAndCounted(t *testing.T) {
	byBothExecutors(t, func(t *testing.T, executor string) {
		schema, service := newFragile(t)
		counts := map[engine.DegradedBy]int{}
		f, log := newObservedGateway(t, executor, nil, schema, func(by engine.DegradedBy, n int) { counts[by] += n })
		service.refuse.Store(down(500, "parts"))
		var aliases strings.Builder
		for i := range 50 {
			fmt.Fprintf(&aliases, "a%d: nullPart {label} ", i)
		}
		got := post(t, f, []byte(`{"query": "{fragiles {`+aliases.String()+`}}"}`))
		shown, _ := got.Extensions["degraded"].([]any)
		if len(shown) != 100 || got.Extensions["degradedNotShown"] != 50.0 || len(got.Errors) != 0 {
			t.Errorf("%d are listed, %v are not, %v", len(shown), got.Extensions["degradedNotShown"], got.Errors)
		}
		if n := counts[engine.DegradedBy{Service: "answers", Mode: engine.DegradedToNull}]; n != 150 || len(counts) != 1 {
			t.Errorf("counted %v", counts)
		}
		if text := fmt.Sprint(got.Extensions, got.Errors); strings.Contains(text, "backend") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("a client sees %s", text)
		}
		warnings := 0
		for line := range strings.Lines(log.String()) {
			if !strings.Contains(line, `"level":"WARN"`) {
				continue
			}
			warnings++
			for _, part := range []string{`"request_id":"`, `"service":"answers"`, `"service_status":500`, `"degraded":"NULL"`, "backend text", `"path":"fragiles[0].a`} {
				if !strings.Contains(line, part) {
					t.Errorf("the log has no %s: %s", part, line)
				}
			}
		}
		if warnings != 1 {
			t.Errorf("%d warnings:\n%s", warnings, log)
		}
	})
}

// The rules of a binding decide: what they call a failure degrades, unless they give it the code of a
// refusal.
func TestDegradedByRules(t *testing.T) {
	byBothExecutors(t, func(t *testing.T, executor string) {
		body := &atomic.Value{}
		status := &atomic.Int64{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(int(status.Load()))
			_, _ = w.Write([]byte(body.Load().(string)))
		}))
		defer server.Close()
		services, err := upstreams.New(upstreams.Options{"answers": {URLs: upstreams.URLs(server.URL)}}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer services.Close()
		f, _ := newGateway(t, executor, nil, graph.NewSchema(&resolvers.Resolver{Services: services}))
		for i, s := range []struct {
			status int64
			body   string
			step
		}{
			{200, `{"id": 1}`, step{data: `{"ruled":{"id":1}}`}},
			{202, backendText, step{data: `{"ruled":{"id":1}}`, degraded: entries(entry("STALE", `"ruled"`))}},
			{503, `{"error": {"code": "GATEWAY_TIMEOUT"}}`, step{data: `{"ruled":{"id":1}}`, degraded: strings.Replace(entries(entry("STALE", `"ruled"`)), "DOWNSTREAM_SERVICE_ERROR", "GATEWAY_TIMEOUT", 1)}},
			{202, `{"error": {"code": "FORBIDDEN"}}`, step{data: `{"ruled":null}`, errors: "[ruled] FORBIDDEN"}},
			{503, backendText, step{data: `{"ruled":null}`, errors: "[ruled] BACKEND_CODE"}},
		} {
			status.Store(s.status)
			body.Store(s.body)
			s.query = "{ruled {id}}"
			s.run(t, fmt.Sprint("rules ", i), func(body []byte) response { return post(t, f, body) })
		}
	})
}
