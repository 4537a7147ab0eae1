package everything

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/everything/resolvers"
	"github.com/gatehouse-graphql/gatehouse/auth"
)

// postQuery runs the whole gateway over one service that stands for all sources, and returns its
// response to a query of identity.
func postQuery(t *testing.T, s http.Handler, identity *auth.Identity, query string) []byte {
	t.Helper()
	return post(t, startGateway(t, s, identity), map[string]any{"query": query})
}

// queryFaults returns the data of a response and the paths of its errors in order. It checks that
// every error says that the service's response does not fit, and no more.
func queryFaults(t *testing.T, s http.Handler, query string) (data string, paths []string) {
	t.Helper()
	text := postQuery(t, s, caller, query)
	var got struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Path       []any
			Extensions map[string]any
			Locations  []any
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, e := range got.Errors {
		service := slices.Contains(resolvers.Requirements.Sources, fmt.Sprint(e.Extensions["service"]))
		// An answer that is not JSON cannot be read at all.
		isMessage := e.Message == "the service's answer does not fit the graph" || e.Message == "the service's answer cannot be read"
		if !isMessage || e.Extensions["code"] != "DOWNSTREAM_SERVICE_ERROR" || !service || len(e.Extensions) != 2 || len(e.Locations) != 1 {
			t.Errorf("%s\ngives the error %+v", query, e)
		}
		paths = append(paths, strings.Trim(strings.ReplaceAll(fmt.Sprint(e.Path), " ", "."), "[]"))
	}
	slices.Sort(paths)
	return string(got.Data), paths
}

// withMembers returns an object with further members, which override those before.
func withMembers(object string, members ...string) string {
	return strings.TrimSuffix(object, "}") + ", " + strings.Join(members, ", ") + "}"
}

// A value that does not fit is null, with an error at its own path, if the operation selects it.
func TestFaults(t *testing.T) {
	object := func(body string) map[string]string { return map[string]string{"/object": body} }
	list := func(items string) string { return `{"a": {"b": [` + items + `]}}` }
	for _, f := range []struct {
		query   string
		answers map[string]string
		want    string
		paths   []string
	}{
		// A field that may be null, and one that may not.
		{`{object {id n f}}`, object(withMembers(least, `"n": "1"`, `"f": 1.5`)), `{"object":{"id":"1","n":null,"f":1.5}}`, []string{"object.n"}},
		{`{x: object {id y: n z: n}}`, object(withMembers(least, `"n": 1.5`)), `{"x":{"id":"1","y":null,"z":null}}`, []string{"x.y", "x.z"}},
		{`{object {id}}`, object(withMembers(least, `"n": []`, `"mode": "no such"`, `"mustN": "x"`)), `{"object":{"id":"1"}}`, nil},
		{`{object {id mustN}}`, object(withMembers(least, `"mustN": "4"`)), `{"object":null}`, []string{"object.mustN"}},
		{`{object {mustN}}`, object(`{"id": 1}`), `{"object":null}`, []string{"object.mustN"}},
		{`{object {id}}`, object(`{"id": 1}`), `{"object":{"id":"1"}}`, nil},
		{`{mustObject {mustN} int}`, map[string]string{"/object": `{"a": {"id": 1}}`, "/int": "3"}, `null`, []string{"mustObject.mustN"}},
		{
			`{object {text mode d at j b}}`, object(withMembers(least, `"the-text": 5`, `"mode": "FAST"`, `"d": "x"`, `"at": "yesterday"`, `"j": {"a":[1]}`, `"b": "true"`)),
			`{"object":{"text":null,"mode":null,"d":null,"at":null,"j":{"a":[1]},"b":null}}`,
			[]string{"object.at", "object.b", "object.d", "object.mode", "object.text"},
		},
		// A whole response.
		{`{object {id}}`, object(`[]`), `{"object":null}`, []string{"object"}},
		{`{object {id}}`, object(withMembers(least, `"x": nul`)), `{"object":null}`, []string{"object"}},
		{`{object {id}}`, object(least + "x"), `{"object":null}`, []string{"object"}},
		{`{mustObject {id}}`, object(`{"a": null}`), `null`, []string{"mustObject"}},
		{`{mode float}`, map[string]string{"/mode": `"FAST"`, "/float": `"1"`}, `{"mode":null,"float":null}`, []string{"float", "mode"}},
		// Objects in objects.
		{`{object {mustMoney {currency}}}`, object(withMembers(least, `"mustMoney": {"amount": "x", "currency": "EUR"}`)), `{"object":{"mustMoney":{"currency":"EUR"}}}`, nil},
		{`{object {mustMoney {amount}}}`, object(withMembers(least, `"mustMoney": {"amount": "x", "currency": "EUR"}`)), `{"object":null}`, []string{"object.mustMoney.amount"}},
		{`{object {id mustMoney {amount}}}`, object(withMembers(least, `"mustMoney": 5`)), `{"object":null}`, []string{"object.mustMoney"}},
		{`{object {id thing {id thing {n}}}}`, object(withMembers(least, `"thing": {"id": 1, "thing": {"n": true}}`)), `{"object":{"id":"1","thing":{"id":"1","thing":{"n":null}}}}`, []string{"object.thing.thing.n"}},
		// Lists in an object: of elements that may be null, that may not, and of lists.
		{`{object {list}}`, object(withMembers(least, `"list": ["a", 1, null, {}]`)), `{"object":{"list":["a",null,null,null]}}`, []string{"object.list.1", "object.list.3"}},
		{`{object {maybeModes}}`, object(withMembers(least, `"maybeModes": ["SLOW", "no such"]`)), `{"object":{"maybeModes":["SLOW",null]}}`, []string{"object.maybeModes.1"}},
		{`{object {id modes}}`, object(withMembers(least, `"modes": ["SLOW", "no such", 3]`)), `{"object":{"id":"1","modes":null}}`, []string{"object.modes.1"}},
		{`{object {lists}}`, object(withMembers(least, `"lists": [[1], [2, "x", "y"], 3, null, []]`)), `{"object":{"lists":[[1],null,null,null,[]]}}`, []string{"object.lists.1.1", "object.lists.2"}},
		{`{object {list}}`, object(withMembers(least, `"list": {"a": 1}`)), `{"object":{"list":null}}`, []string{"object.list"}},
		{
			`{object {maybeThings {id n}}}`, object(withMembers(least, `"maybeThings": [{"id": 1}, 5, {"id": 2, "n": "x"}, {"n": 3}]`)),
			`{"object":{"maybeThings":[{"id":"1","n":null},null,{"id":"2","n":null},null]}}`,
			[]string{"object.maybeThings.1", "object.maybeThings.2.n", "object.maybeThings.3.id"},
		},
		{`{object {id things {id}}}`, object(withMembers(least, `"things": [{"id": 1}, {}]`)), `{"object":{"id":"1","things":null}}`, []string{"object.things.1.id"}},
		{`{object {id things {id}}}`, object(withMembers(least, `"things": [{"id": 1}, null, {}]`)), `{"object":{"id":"1","things":null}}`, []string{"object.things.1"}},
		// Lists that are the whole response.
		{`{texts}`, map[string]string{"/texts": `["a", 5, null]`}, `{"texts":["a",null,null]}`, []string{"texts.1"}},
		{`{a: texts b: texts}`, map[string]string{"/texts": `[5]`}, `{"a":[null],"b":[null]}`, []string{"a.0", "b.0"}},
		{`{modes}`, map[string]string{"/modes": `["fast-mode", "x"]`}, `null`, []string{"modes.1"}},
		{`{intLists}`, map[string]string{"/lists": `[[1, "x"], 5, [null]]`}, `{"intLists":[[1,null],null,[null]]}`, []string{"intLists.0.1", "intLists.1"}},
		{`{mustLists}`, map[string]string{"/lists": `[[1], [2, 3.5]]`}, `null`, []string{"mustLists.1.1"}},
		{`{objects {id n}}`, object(list(least + `, 5, {"id": 2, "n": "x"}`)), `{"objects":[{"id":"1","n":null},null,{"id":"2","n":null}]}`, []string{"objects.1", "objects.2.n"}},
		{`{mustObjects {id}}`, object(`{"a": {"b": {"c-d": [` + least + `, {}]}}}`), `null`, []string{"mustObjects.1.id"}},
		{`{whole {id}}`, object(`[` + least + `, true]`), `{"whole":null}`, []string{"whole.1"}},
		{`{thingLists {id}}`, map[string]string{"/thingLists": `[[` + least + `, {}, 3], []]`}, `{"thingLists":[[{"id":"1"},null,null],[]]}`, []string{"thingLists.0.1.id", "thingLists.0.2"}},
		{`{page {items {id} next}}`, map[string]string{"/page": `{"data": [{}], "next": 5}`}, `{"page":null}`, []string{"page.items.0.id", "page.next"}},
		// The later of two members of the same name counts.
		{`{object {n f}}`, object(withMembers(least, `"n": "x"`, `"n": 5`, `"f": 1`, `"f": "x"`)), `{"object":{"n":5,"f":null}}`, []string{"object.f"}},
	} {
		data, paths := queryFaults(t, &service{answers: f.answers}, f.query)
		if data != f.want || !slices.Equal(paths, f.paths) {
			t.Errorf("%s over %v\n got %s %v\nwant %s %v", f.query, f.answers, data, paths, f.want, f.paths)
		}
	}
}

// A fault in the response to a batch belongs to its key.
func TestFaultsInJoins(t *testing.T) {
	parent := func(members ...string) string {
		return withMembers(`{"n": 1, "maybeN": 1, "childIds": [], "at": "2026-01-31T12:00:00Z"}`, members...)
	}
	two := `[` + parent(`"id": "p1"`, `"maybeId": "c1"`, `"childIds": ["c1", "c2"]`, `"maybeChildIds": ["c1", "c2"]`) + `, ` + parent(`"id": "p2"`, `"maybeId": "c2"`) + `]`
	for _, f := range []struct {
		field, path, answer string
		want                string // of the parents p1 and p2
		paths               []string
	}{
		// Items of a list.
		{"oneMaybe {name}", "/children", `{"items": [{"id": "c1", "name": "one"}, {"id": "c2", "name": 2}]}`, `{"name":"one"} {"name":null}`, []string{"parents.1.x.name"}},
		{"oneMaybe {name}", "/children", `{"items": [{"id": "c1", "name": "one"}, {"id": true}]}`, `{"name":"one"} null`, []string{"parents.1.x"}},
		{"oneMaybe {name}", "/children", `{"items": [{"name": "whose"}, {"id": "c2", "name": "two"}]}`, `null {"name":"two"}`, []string{"parents.0.x"}},
		{"oneMaybe {name}", "/children", `{"items": [7, {"id": "c1"}]}`, `{"name":null} null`, []string{"parents.1.x"}},
		{"oneMaybe {name}", "/children", `{"items": 7}`, `null null`, []string{"parents.0.x", "parents.1.x"}},
		{"group {name}", "/children", `[{"id": 1, "parent": "p1", "name": "one"}, {"id": 2, "parent": []}]`, `[{"name":"one"}] null`, []string{"parents.1.x"}},
		{"mustGroup {name}", "/children", `[{"id": 1, "parent": "p1", "name": "one"}, 5]`, `[{"name":"one"}] !`, []string{"parents.1.x"}},
		// Members of an object.
		{"mapScalar", "/stock", `{"p1": "3", "p2": 4}`, `null 4`, []string{"parents.0.x"}},
		{"mapObject {name}", "/childMap", `{"map": {"p1": [], "p2": {"name": "m"}}}`, `null {"name":"m"}`, []string{"parents.0.x"}},
		{"mapModes", "/modesMap", `{"p1": ["SLOW", "x", null], "p2": ["x"]}`, `["SLOW",null,null] [null]`, []string{"parents.0.x.1", "parents.1.x.0"}},
		{"mapObjects {name}", "/childrenMap", `{"p1": [{"name": 1}], "p2": [{}, 1]}`, `[{"name":null}] !`, []string{"parents.0.x.0.name", "parents.1.x.1"}},
		{"mapObjects {id}", "/childrenMap", `{"p1": [{"id": 1}], "p2": [{"id": 2}, {}]}`, `[{"id":"1"}] !`, []string{"parents.1.x.1.id"}},
		{"mapScalar", "/stock", `[]`, `null null`, []string{"parents.0.x", "parents.1.x"}},
		// One response for all.
		{"wholeMap", "/wholeStock", `{"p1": "3", "p2": 4}`, `null 4`, []string{"parents.0.x"}},
		{"wholeList {number}", "/wholeChildren", `[{"id": "p2", "number": 2}, {}]`, `null {"number":2}`, []string{"parents.0.x"}},
		// Lists of keys.
		{"maybeChildren {name}", "/children", `{"items": [{"id": "c1", "name": "one"}, 5]}`, `[{"name":"one"},null] null`, []string{"parents.0.x.1"}},
		{"children {name}", "/children", `{"items": [{"id": "c1", "name": "one"}, 5]}`, `! []`, []string{"parents.0.x.1"}},
		{"listOfMap", "/stock", `{"c1": 1.5, "c2": 2}`, `[null,2] []`, []string{"parents.0.x.0"}},
		// A call for each.
		{"singleMaybe {name}", "/child/c1", `{"name": 5}`, `{"name":null} null`, []string{"parents.0.x.name"}},
		{"singleMaybe {name}", "/child/c1", `5`, `null null`, []string{"parents.0.x"}},
	} {
		s := &service{answers: map[string]string{"/parents": two, f.path: f.answer}}
		data, paths := queryFaults(t, s, `{parents {x: `+f.field+`}}`)
		values := splitValues(f.want)
		for i, v := range values {
			if values[i] = `{"x":` + v + `}`; v == "!" {
				values[i] = "null"
			}
		}
		want := `{"parents":[` + strings.Join(values, ",") + `]}`
		if data != want || !slices.Equal(paths, f.paths) {
			t.Errorf("%s over %s\n got %s %v\nwant %s %v", f.field, f.answer, data, paths, want, f.paths)
		}
	}
}

// No call is made for a key that does not fit: the field that needs it has the error of the key.
func TestFaultyKeys(t *testing.T) {
	good := `{"id": "p1", "n": 1, "maybeId": "c1", "maybeN": 1, "childIds": ["c1"], "maybeChildIds": ["c1"], "flag": true, "mode": "SLOW", "at": "2026-01-31T12:00:00Z", "price": 1, "rate": 1}`
	bad := `{"id": true, "n": "x", "maybeId": 1.5, "maybeN": [], "childIds": ["c1", {}], "maybeChildIds": [{}], "flag": 1, "mode": "SLOW", "at": "2026-01-31T12:00:00Z", "price": 1, "rate": 1}`
	child := `{"id": "c1", "number": 1, "parent": "p1", "name": "one"}`
	for _, f := range []struct{ field, path, answer, want, requests string }{
		{"oneMaybe {name}", "/children", `{"items": [` + child + `]}`, `{"name":"one"}`, "GET /children?ids=c1"},
		{"byNumber {name}", "/byNumber", `[` + child + `]`, `{"name":"one"}`, "GET /byNumber?n=1"},
		{"group {name}", "/children", `[` + child + `]`, `[{"name":"one"}]`, "GET /children?parents=p1"},
		{"mapScalar", "/stock", `{"p1": 3}`, `3`, "GET /stock?ids=p1"},
		{"wholeMap", "/wholeStock", `{"p1": 3}`, `3`, "GET /wholeStock"},
		{"maybeChildren {name}", "/children", `{"items": [` + child + `]}`, `[{"name":"one"}]`, "GET /children?ids=c1"},
		{"listOfMap", "/stock", `{"c1": 3}`, `[3]`, "GET /stock?ids=c1"},
		{"singleMaybe {name}", "/child/c1", child, `{"name":"one"}`, "GET /child/c1"},
		{"singleNumber", "/stock/1", `{"a": 5}`, `5`, "GET /stock/1"},
		{"two", "/two/p1", `"t"`, `"t"`, "GET /two/p1?n=1&id=p1"},
		{"several", "/several", `"s"`, `"s"`, "GET /several?flag=true&mode=SLOW&at=2026-01-31T12%3A00%3A00Z&price=1&rate=1"},
	} {
		s := &service{answers: map[string]string{"/parents": "[" + good + ", " + bad + "]", f.path: f.answer}}
		data, paths := queryFaults(t, s, `{parents {x: `+f.field+`}}`)
		if want := `{"parents":[{"x":` + f.want + `},{"x":null}]}`; data != want || !slices.Equal(paths, []string{"parents.1.x"}) {
			t.Errorf("%s\n got %s %v\nwant %s", f.field, data, paths, want)
		}
		if diff := cmp.Diff([]string{"GET /parents", f.requests}, s.requests); diff != "" {
			t.Errorf("%s\n-want +sent\n%s", f.field, diff)
		}
	}
}

// A fault of a field is reported unless the guard of the field refuses the caller.
func TestFaultsBehindGuards(t *testing.T) {
	answers := map[string]string{"/secret": `{"word": "w", "twice": 5}`}
	for _, g := range []struct {
		scopes      []string
		query, want string
	}{
		{[]string{"secrets"}, `{x: secret {word twice}}`, "lacks a scope"},
		{[]string{"secrets", "twice"}, `{x: secret {word twice}}`, "does not fit"},
		{[]string{"secrets", "twice"}, `{x: any {... on Secret {word twice}}}`, "does not fit"},
	} {
		got := string(postQuery(t, &service{answers: answers}, &auth.Identity{Subject: "u", Scopes: g.scopes}, g.query))
		if strings.Count(got, "message") != 1 || !strings.Contains(got, g.want) || !strings.Contains(got, `{"x":{"word":"w","twice":null}}`) {
			t.Errorf("%s with %v: %s", g.query, g.scopes, got)
		}
	}
}
