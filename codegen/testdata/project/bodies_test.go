package everything

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Expressions compute a body. A value that the client left out is absent, and null is null.
func TestBodyExpressions(t *testing.T) {
	for _, b := range []struct{ field, want string }{
		{`pick(input: {name: "n", mode: FAST, list: [1], inner: {name: "i", level: 3}})`, `{"name":"n","mode":"fast-mode","inner":{"level":3}}`},
		{`pick(input: {})`, `{}`},
		{`pick(input: {name: null, inner: {name: "i"}})`, `{"name":null,"inner":{}}`},
		{`pick(input: {mode: null, inner: null})`, `{"mode":null,"inner":null}`},
		{`pickMaybe(input: {list: []})`, `{}`},
		{`pickMaybe(input: null)`, ``},
		{`pickMaybe`, ``},
		{
			`made(n: 2, tags: ["a", "b"], input: {name: "n", mode: FAST, inner: {name: "i", level: 3, levels: [SLOW, FAST]}})`,
			`{"name":"n","n":2,"level":3,"inner":{"name":"i","levels":["SLOW","fast-mode"]},"tags":"a, b","firstTag":"a","lastTag":"b","kind":"x",` +
				`"fixed":{"one":1,"list":[1,true,null],"none":null},"who":7,"mode":"F","slow":false}`,
		},
		{
			`made(n: null, tags: [], input: {inner: {name: "i"}, mode: SLOW})`,
			`{"n":null,"inner":{"name":"i"},"tags":"","firstTag":null,"lastTag":null,"kind":"x","fixed":{"one":1,"list":[1,true,null],"none":null},"who":7,"mode":"other","slow":true}`,
		},
		{
			`made(tags: null, input: {name: null, inner: null})`,
			`{"name":null,"inner":null,"tags":null,"firstTag":null,"lastTag":null,"kind":"x","fixed":{"one":1,"list":[1,true,null],"none":null},"who":7,"mode":"none","slow":false}`,
		},
		{
			`eachOf(list: [{name: "a", mode: FAST}, {}, {name: null}], maybe: [{name: "m"}, null])`,
			`{"items":[{"called":"a","mode":"fast-mode"},{},{"called":null}],"names":["a",null,null],"maybe":[{"name":"m"},null]}`,
		},
		{`eachOf(list: [])`, `{"items":[],"names":[]}`},
		{`eachOf(list: [], maybe: null)`, `{"items":[],"names":[],"maybe":null}`},
		{`entriesOf(j: {a: 1, b: [2]})`, `{"all":[{"key":"a","value":1},{"key":"b","value":[2]}]}`},
		{`entriesOf(j: 5)`, `{"all":null}`},
		{`renamed(input: {id: 1, must: 1, renamed: "r", inners: [{name: "i"}]})`, `{"the-name":"r","inners":[{"name":"i"}]}`},
		{`formOf(text: "a b", modes: [FAST, SLOW])`, `text=a%20b&mode=fast-mode&mode=SLOW&all=fast-mode%7CSLOW`},
		{`formOf(modes: [])`, `all=`},
	} {
		s := &service{}
		answer := runOperation(t, s, caller, `mutation {`+b.field+`}`, "")
		if len(s.requests) != 1 || strings.Contains(answer, "errors") {
			t.Errorf("%s sends %v and answers %s", b.field, s.requests, answer)
			continue
		}
		lines := strings.Split(s.requests[0], "\n")
		if body := lines[len(lines)-1]; body != b.want && !(b.want == "" && len(lines) == 1) {
			t.Errorf("%s\nsends %s\nwant  %s", b.field, body, b.want)
		}
	}
}

// keyed responds to batches with an item or a member for each requested key. It records the keys of
// each call, sorted.
type keyed struct {
	mu       sync.Mutex
	requests []string
}

const holders = `[
	{"id": "h1", "n": 1, "big": 9007199254740993, "uuid": "018f4b6e-7c3a-7000-8000-2f1e5d3c9a11", "bigs": [9007199254740993, 2]},
	{"id": "h2", "n": 2, "big": 2, "uuid": "018f4b6e-7c3a-7000-8000-2f1e5d3c9a12"},
	{"id": "h3", "n": 3, "big": -3, "uuid": null, "bigs": []},
	{"id": "h1", "n": 1, "big": 9007199254740993, "uuid": "018f4b6e-7c3a-7000-8000-2f1e5d3c9a11", "bigs": [-3]}
]`

func (k *keyed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/holders" {
		io.WriteString(w, holders)
		return
	}
	body, _ := io.ReadAll(r.Body)
	keys, rest := keysOf(r, body)
	k.mu.Lock()
	k.requests = append(k.requests, strings.TrimSpace(r.URL.Path+" "+strings.Join(keys, " ")+" "+rest))
	k.mu.Unlock()
	if r.URL.Path == "/single" {
		io.WriteString(w, `"s"`)
		return
	}
	var items, members []string
	for _, key := range keys {
		text := strings.Trim(key, `"`)
		number := "0"
		if json.Valid([]byte(text)) {
			number = text
		}
		items = append(items, `{"id": "`+text+`", "n": `+number+`, "big": `+number+`, "uuid": "`+text+`", "name": "of `+text+`"}`)
		members = append(members, `"`+text+`": 5`)
	}
	switch list := "[" + strings.Join(items, ",") + "]"; r.URL.Path {
	case "/byId":
		io.WriteString(w, `{"items": `+list+`}`)
	case "/ofN", "/ofBig":
		io.WriteString(w, "{"+strings.Join(members, ",")+"}")
	default:
		io.WriteString(w, list)
	}
}

// keysOf returns the keys of a call as they are written, and the rest of the call.
func keysOf(r *http.Request, body []byte) (keys []string, rest string) {
	var list []json.RawMessage
	switch r.Header.Get("Content-Type") {
	case "application/json":
		object := map[string]json.RawMessage{}
		if json.Unmarshal(body, &list) != nil {
			json.Unmarshal(body, &object)
			for _, name := range []string{"ids", "ns", "keys"} {
				json.Unmarshal(object[name], &list)
				delete(object, name)
			}
			others, _ := json.Marshal(object)
			rest = string(others)
		}
		for _, key := range list {
			keys = append(keys, string(key))
		}
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(body))
		keys = form["ns"]
	default:
		for _, values := range r.URL.Query() {
			for _, value := range values {
				keys = append(keys, strings.Split(value, ",")...)
			}
		}
	}
	slices.Sort(keys)
	return keys, rest
}

// The keys of batches are written by their type, so numbers are JSON numbers. Each key is sent
// once, and no call has more keys than maxSize.
func TestKeysOfBatches(t *testing.T) {
	const big = "9007199254740993"
	const u1, u2 = "018f4b6e-7c3a-7000-8000-2f1e5d3c9a11", "018f4b6e-7c3a-7000-8000-2f1e5d3c9a12"
	named := func(names ...string) string {
		values := make([]string, len(names))
		for i, name := range names {
			if values[i] = `{"name":"of ` + name + `"}`; name == "" {
				values[i] = "null"
			}
		}
		return strings.Join(values, " ")
	}
	for _, b := range []struct {
		field    string
		want     string // of the four holders
		requests []string
	}{
		{"byId {name}", named("h1", "h2", "h3", "h1"), []string{`/byId "h1" "h2" {"mode":"x"}`, `/byId "h3" {"mode":"x"}`}},
		{"byN {name}", named("1", "2", "3", "1"), []string{`/byN 1 2 3 {}`}},
		{"byBig {name}", named(big, "2", "-3", big), []string{`/byBig -3 2 ` + big}},
		{"byBigs {name}", `[{"name":"of#` + big + `"},{"name":"of#2"}] null [] [{"name":"of#-3"}]`, []string{`/byBig -3 2 ` + big}},
		{"byBigEach {name}", named(big, "2", "-3", big), []string{"/byBigEach -3", "/byBigEach 2 " + big}},
		{"byUuid {name}", named(u1, u2, "", u1), []string{"/byUuid " + u1 + " " + u2}},
		{"byForm {name}", named("1", "2", "3", "1"), []string{"/byForm 1 2 3"}},
		{"ofN", "5 5 5 5", []string{`/ofN 1 2 {}`, `/ofN 3 {}`}},
		{`ofBig(unit: "u")`, "5 5 5 5", []string{`/ofBig -3 2 ` + big + ` {"unit":"u"}`}},
		{`ofBig`, "5 5 5 5", []string{`/ofBig -3 2 ` + big + ` {}`}},
		{"single", `"s" "s" "s" "s"`, []string{
			`/single  {"big":-3,"id":"h3","n":3}`, `/single  {"big":2,"id":"h2","n":2}`, `/single  {"big":` + big + `,"id":"h1","n":1}`,
		}},
	} {
		k := &keyed{}
		answer := string(post(t, startGateway(t, k, caller), map[string]any{"query": `{holders {x: ` + b.field + `}}`}))
		var values []string
		for _, value := range strings.Split(strings.ReplaceAll(b.want, "of ", "of#"), " ") {
			values = append(values, `{"x":`+strings.ReplaceAll(value, "#", " ")+`}`)
		}
		if want := `{"data":{"holders":[` + strings.Join(values, ",") + `]}}`; answer != want {
			t.Errorf("%s\n got %s\nwant %s", b.field, answer, want)
		}
		slices.Sort(k.requests)
		if diff := cmp.Diff(chunked(b.requests), chunked(k.requests)); diff != "" {
			t.Errorf("%s: -want +sent\n%s", b.field, diff)
		}
	}
	// Two bodies are two batches, even with the same keys.
	k := &keyed{}
	post(t, startGateway(t, k, caller), map[string]any{"query": `{holders {a: ofBig(unit: "a") b: ofBig(unit: "b") c: ofBig(unit: "a")}}`})
	if len(k.requests) != 2 {
		t.Errorf("two bodies are sent as %q", k.requests)
	}
}

// chunked returns how often there is a call with a number of keys. Which keys share a call depends
// on the order in which fields ask for them.
func chunked(calls []string) map[string]int {
	found := map[string]int{}
	for _, call := range calls {
		parts := strings.Fields(call)
		found[parts[0]+strings.Repeat(" key", len(parts)-1)]++
		for _, key := range parts[1:] {
			found[parts[0]+" "+key]++
		}
	}
	return found
}
