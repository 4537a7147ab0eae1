package everything

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// registry is a service that returns the entities of the requested keys. It records its calls, with
// the keys of each sorted.
type registry struct {
	fixed    map[string]string // answers by path, "500" for a failure
	mu       sync.Mutex
	requests []string
}

func (g *registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var keys []string
	for _, values := range r.URL.Query() {
		keys = strings.Split(values[0], ",")
	}
	slices.Sort(keys)
	g.mu.Lock()
	g.requests = append(g.requests, strings.TrimSpace(r.URL.Path+" "+strings.Join(keys, ",")))
	g.mu.Unlock()
	answer, ok := g.fixed[r.URL.Path]
	switch {
	case answer == "500":
		w.WriteHeader(http.StatusInternalServerError)
		return
	case answer == "404":
		w.WriteHeader(http.StatusNotFound)
		return
	case !ok && r.URL.Path == "/accounts":
		answer = accounts(keys)
	case !ok:
		_, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		answer = fmt.Sprintf(`{"id": %[1]q, "sku": %[1]q, "name": "name of %[1]s"}`, id)
	}
	io.WriteString(w, answer)
}

// accounts returns the accounts of keys. It has none for a key that starts with x, a name of the
// wrong type for w, and a wrong key for k.
func accounts(keys []string) string {
	var items []string
	for _, key := range keys {
		switch key[0] {
		case 'x':
		case 'w':
			items = append(items, fmt.Sprintf(`{"id": %q, "name": 5}`, key))
		case 'k':
			items = append(items, `{"id": true}`)
		default:
			items = append(items, fmt.Sprintf(`{"id": %q, "name": "name of %s", "email": "at %s"}`, key, key, key))
		}
	}
	return `{"items": [` + strings.Join(items, ",") + `]}`
}

// order returns an order with partial objects in all its fields.
func order(id, buyer, gadget, team string, watchers ...string) string {
	stubs := make([]string, len(watchers))
	for i, w := range watchers {
		if stubs[i] = `{"id": "` + w + `"}`; w == "null" || w == "5" {
			stubs[i] = w
		}
	}
	list := strings.Join(stubs, ",")
	return fmt.Sprintf(`{"id": %q, "buyer": {"id": %q}, "gadget": {"sku": %q}, "team": {"id": %q}, "watchers": [%s], "mustWatchers": [%s]}`, id, buyer, gadget, team, list, list)
}

func TestEntities(t *testing.T) {
	two := "[" + order("o1", "a1", "g1", "t1", "a1", "a2") + "," + order("o2", "a2", "g1", "t2", "a3", "a1") + "]"
	const orders = "/orders"
	for _, e := range []struct {
		query    string
		fixed    map[string]string
		want     string
		paths    []string
		requests []string
	}{
		// A field that is sent needs no call, whatever way it is selected.
		{
			`{orders {buyer {id __typename} x: gadget {y: sku} team {...T} watchers {... on Account {id}} mustWatchers {id}}} fragment T on Team {... {id}}`,
			map[string]string{orders: "[" + order("o1", "a1", "g1", "t1", "a2") + "]"},
			`{"orders":[{"buyer":{"id":"a1","__typename":"Account"},"x":{"y":"g1"},"team":{"id":"t1"},"watchers":[{"id":"a2"}],"mustWatchers":[{"id":"a2"}]}]}`, nil,
			[]string{"/orders"},
		},
		{
			`query($no: Boolean = false) {orders {buyer {id name @include(if: $no)}}}`,
			map[string]string{orders: two},
			`{"orders":[{"buyer":{"id":"a1"}},{"buyer":{"id":"a2"}}]}`, nil,
			[]string{"/orders"},
		},
		// Other fields are fetched in chunks.
		{
			`{orders {gadget {name} team {name}}}`,
			map[string]string{orders: two},
			`{"orders":[{"gadget":{"name":"name of g1"},"team":{"name":"name of t1"}},{"gadget":{"name":"name of g1"},"team":{"name":"name of t2"}}]}`, nil,
			[]string{"/gadgets/g1", "/orders", "/teams/t1", "/teams/t2"},
		},
		// Two aliases, one of which selects more.
		{
			`{orders {a: buyer {id} b: buyer {id name}}}`,
			map[string]string{orders: "[" + order("o1", "a1", "g1", "t1") + "]"},
			`{"orders":[{"a":{"id":"a1"},"b":{"id":"a1","name":"name of a1"}}]}`, nil,
			[]string{"/accounts a1", "/orders"},
		},
		// One root field has the partial object of the other, and those of a join.
		{`{owned {id}}`, map[string]string{"/owned": `{"sub": "a1"}`}, `{"owned":{"id":"a1"}}`, nil, []string{"/owned"}},
		{`{owned {id name}}`, map[string]string{"/owned": `{"sub": "a1"}`}, `{"owned":{"id":"a1","name":"name of a1"}}`, nil, []string{"/accounts a1", "/owned"}},
		{`{owned {name}}`, map[string]string{"/owned": `null`}, `{"owned":null}`, nil, []string{"/owned"}},
		{`{ownedList {name}}`, map[string]string{"/ownedList": `[{"id": "a1"}, null, {"id": "x"}]`}, `{"ownedList":[{"name":"name of a1"},null,null]}`, nil, []string{"/accounts a1,x", "/ownedList"}},
		{`{ownedList {name}}`, map[string]string{"/ownedList": `null`}, `{"ownedList":null}`, nil, []string{"/ownedList"}},
		{
			`{orders {agents {name boss {email}}}}`,
			map[string]string{orders: "[" + order("o1", "a1", "g1", "t1") + "]", "/agents": `{"o1": [{"id": "a4"}, null]}`, "/bosses": `{"a4": {"id": "a5"}}`},
			`{"orders":[{"agents":[{"name":"name of a4","boss":{"email":"at a5"}},null]}]}`, nil,
			[]string{"/accounts a4", "/accounts a5", "/agents o1", "/bosses a4", "/orders"},
		},
		{
			`{orders {agents {boss {id}}}}`,
			map[string]string{orders: "[" + order("o1", "a1", "g1", "t1") + "]", "/agents": `{"o1": [{"id": "a4"}]}`, "/bosses": `{"a4": {"id": "a5"}}`},
			`{"orders":[{"agents":[{"boss":{"id":"a5"}}]}]}`, nil,
			[]string{"/agents o1", "/bosses a4", "/orders"},
		},
		// An unknown entity is null.
		{
			`{orders {buyer {name} watchers {name}}}`,
			map[string]string{orders: "[" + order("o1", "x", "g1", "t1", "x", "a1") + "]"},
			`{"orders":[{"buyer":null,"watchers":[null,{"name":"name of a1"}]}]}`, nil,
			[]string{"/accounts a1,x", "/orders"},
		},
		{`{gadget(sku: "g1") {name}}`, nil, `{"gadget":{"name":"name of g1"}}`, nil, []string{"/gadgets/g1"}},
		// A value that does not fit is an error at its own path.
		{
			`{orders {id buyer {name} watchers {name}}}`,
			map[string]string{orders: "[" + order("o1", "w", "g1", "t1", "w", "a1") + "]"},
			`{"orders":[{"id":"o1","buyer":{"name":null},"watchers":[{"name":null},{"name":"name of a1"}]}]}`,
			[]string{"orders.0.buyer.name", "orders.0.watchers.0.name"},
			nil,
		},
		{
			`{orders {watchers {name} mustWatchers {name}}}`,
			map[string]string{orders: "[" + order("o1", "a1", "g1", "t1", "a1", "k") + "]"},
			`{"orders":[{"watchers":[{"name":"name of a1"},null],"mustWatchers":null}]}`,
			[]string{"orders.0.mustWatchers.1", "orders.0.watchers.1"},
			nil,
		},
		{
			`{orders {watchers {name} mustWatchers {id}}}`,
			map[string]string{orders: "[" + order("o1", "a1", "g1", "t1", "a1", "5") + "]"},
			`{"orders":[{"watchers":[{"name":"name of a1"},null],"mustWatchers":null}]}`,
			[]string{"orders.0.mustWatchers.1", "orders.0.watchers.1"},
			nil,
		},
		{
			`{orders {watchers {id} buyer {name}}}`,
			map[string]string{orders: strings.Replace("["+order("o1", "a1", "g1", "t1", "a1", "5")+"]", `{"id": "a1"}`, "7", 1)},
			`{"orders":[{"watchers":[{"id":"a1"},null],"buyer":null}]}`,
			[]string{"orders.0.buyer", "orders.0.watchers.1"},
			nil,
		},
		{`{ownedList {name}}`, map[string]string{"/ownedList": `[{"id": "a1"}, 5, {"id": "k"}]`}, `{"ownedList":[{"name":"name of a1"},null,null]}`, []string{"ownedList.1", "ownedList.2"}, nil},
		{`{mustOwnedList {name}}`, map[string]string{"/ownedList": `[{"id": "a1"}, {"id": "k"}]`}, `{"mustOwnedList":null}`, []string{"mustOwnedList.1"}, nil},
		{`{orders {agents {name}}}`, map[string]string{orders: "[" + order("o1", "a1", "g1", "t1") + "]", "/agents": `{"o1": [{"id": "k"}, {}, {"id": "a1"}]}`}, `{"orders":[{"agents":[null,null,{"name":"name of a1"}]}]}`, []string{"orders.0.agents.0", "orders.0.agents.1"}, nil},
	} {
		g := &registry{fixed: e.fixed}
		data, paths := queryFaults(t, g, e.query)
		if data != e.want || !slices.Equal(paths, e.paths) {
			t.Errorf("%s\n got %s %v\nwant %s %v", e.query, data, paths, e.want, e.paths)
		}
		slices.Sort(g.requests)
		if diff := cmp.Diff(e.requests, g.requests); e.requests != nil && diff != "" {
			t.Errorf("%s: -want +sent\n%s", e.query, diff)
		}
	}
}

// A service that fails makes what it should complete null, with errors there.
func TestFailingEntities(t *testing.T) {
	two := "[" + order("o1", "a1", "g1", "t1", "a1", "a2") + "," + order("o2", "a2", "g2", "t2") + "]"
	for _, e := range []struct {
		query, path, answer, want string
		paths                     []string
	}{
		{`{orders {id buyer {id name}}}`, "/accounts", "500", `{"orders":[{"id":"o1","buyer":null},{"id":"o2","buyer":null}]}`, []string{`["orders",0,"buyer"]`, `["orders",1,"buyer"]`}},
		{`{orders {id watchers {name}}}`, "/accounts", "500", `{"orders":[{"id":"o1","watchers":null},{"id":"o2","watchers":[]}]}`, []string{`["orders",0,"watchers"]`}},
		{`{orders {id buyer {id}}}`, "/accounts", "500", `{"orders":[{"id":"o1","buyer":{"id":"a1"}},{"id":"o2","buyer":{"id":"a2"}}]}`, nil},
		{`{ownedList {name}}`, "/accounts", "500", `{"ownedList":null}`, []string{`["ownedList"]`}},
		{`{orders {gadget {name}}}`, "/gadgets/g1", "404", `{"orders":[{"gadget":null},{"gadget":{"name":"name of g2"}}]}`, []string{`["orders",0,"gadget"]`}},
		{`{orders {gadget {name}}}`, "/gadgets/g1", "500", `{"orders":[{"gadget":null},{"gadget":{"name":"name of g2"}}]}`, []string{`["orders",0,"gadget"]`}},
		{`{orders {team {name}}}`, "/teams/t2", "500", `{"orders":null}`, []string{`["orders",1,"team"]`}},
		{`{orders {team {name}}}`, "/teams/t2", "null", `{"orders":null}`, []string{`["orders",1,"team"]`}},
		{`{orders {mustWatchers {name}}}`, "/accounts", `{"items": [{"id": "a1"}]}`, `{"orders":[{"mustWatchers":null},{"mustWatchers":[]}]}`, []string{`["orders",0,"mustWatchers",1]`}},
	} {
		g := &registry{fixed: map[string]string{"/orders": two, "/ownedList": `[{"id": "a1"}]`, e.path: e.answer}}
		text := string(post(t, startGateway(t, g, caller), map[string]any{"query": e.query}))
		paths := strings.Count(text, `"path":`)
		if !strings.Contains(text, `"data":`+e.want) || paths != len(e.paths) {
			t.Errorf("%s\n got %s\nwant %s %v", e.query, text, e.want, e.paths)
		}
		for _, path := range e.paths {
			if !strings.Contains(text, `"path":`+path) {
				t.Errorf("%s: no error at %s in %s", e.query, path, text)
			}
		}
	}
}

// Places of an operation fetch each key once. How many calls that takes depends on how close in time they
// come.
func TestKeysOfSeveralPlaces(t *testing.T) {
	g := &registry{fixed: map[string]string{"/orders": "[" + order("o1", "a1", "g1", "t1", "a1", "a2") + "," + order("o2", "a2", "g2", "t2", "a3", "a1") + "]"}}
	data, paths := queryFaults(t, g, `{orders {buyer {...N} watchers {...N}}} fragment N on Account {n: name}`)
	const want = `{"orders":[{"buyer":{"n":"name of a1"},"watchers":[{"n":"name of a1"},{"n":"name of a2"}]},{"buyer":{"n":"name of a2"},"watchers":[{"n":"name of a3"},{"n":"name of a1"}]}]}`
	if data != want || len(paths) > 0 {
		t.Errorf("got %s %v\nwant %s", data, paths, want)
	}
	wantKeys(t, g.requests, "/accounts a1", "/accounts a2", "/accounts a3", "/orders")

	l := &library{fixed: libraryAnswers()}
	got := string(post(t, startGateway(t, l, reader), map[string]any{"query": `{shelves {best {... on Titled {title}} inner {best {... on Titled {title}}}}}`}))
	if want := `{"data":{"shelves":[{"best":{"title":"Film 7"},"inner":{"best":{"title":"Book A"}}},{"best":{"title":"Book A"},"inner":{"best":{"title":"Film 8"}}}]}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	wantKeys(t, l.requests, "/books/A", "/films 7", "/films 8", "/shelves")
}

// wantKeys compares requests as if each key had been fetched alone.
func wantKeys(t *testing.T, requests []string, want ...string) {
	t.Helper()
	var got []string
	for _, r := range requests {
		path, keys, isBatch := strings.Cut(r, " ")
		if !isBatch {
			got = append(got, r)
			continue
		}
		for key := range strings.SplitSeq(keys, ",") {
			got = append(got, path+" "+key)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +sent\n%s", diff)
	}
}
