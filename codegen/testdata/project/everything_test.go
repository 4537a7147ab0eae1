package everything

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/go-cmp/cmp"

	"example.com/everything/graph"
	"example.com/everything/resolvers"
	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
)

// service responds by path, and records requests.
type service struct {
	answers map[string]string // by path; null for others

	mu       sync.Mutex
	requests []string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var b strings.Builder
	b.WriteString(r.Method + " " + r.RequestURI)
	for _, name := range []string{"Content-Type", "X-Tag", "X-Mixed", "X-Mode", "X-Fixed", "X-Who", "X-One"} {
		if values, ok := r.Header[name]; ok {
			b.WriteString("\n" + name + ": " + strings.Join(values, "|"))
		}
	}
	if len(body) > 0 {
		b.WriteString("\n" + string(body))
	}
	s.mu.Lock()
	s.requests = append(s.requests, b.String())
	s.mu.Unlock()
	answer, ok := s.answers[r.URL.Path]
	if !ok {
		answer = "null"
	}
	if answer == "500" {
		w.WriteHeader(http.StatusInternalServerError)
	}
	io.WriteString(w, answer)
}

// runOperation executes an operation over one service that stands for all sources.
func runOperation(t *testing.T, s *service, identity *auth.Identity, query, variables string) string {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	response := execute(t, graph.NewSchema(&resolvers.Resolver{Services: servicesAt(t, server.URL)}), identity, query, variables)
	text, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.requests)
	return string(text)
}

func execute(t *testing.T, schema graphql.ExecutableSchema, identity *auth.Identity, query, variables string) *graphql.Response {
	t.Helper()
	params := &graphql.RawParams{Query: query}
	if variables != "" {
		numbers := json.NewDecoder(strings.NewReader(variables))
		numbers.UseNumber()
		if err := numbers.Decode(&params.Variables); err != nil {
			t.Fatal(err)
		}
	}
	gateway := executor.New(schema)
	ctx := graphql.StartOperationTrace(engine.WithOperation(auth.NewContext(t.Context(), identity), engine.Options{}))
	op, errs := gateway.CreateOperationContext(ctx, params)
	if errs != nil {
		return gateway.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	}
	op.DisableIntrospection = false
	if os.Getenv("GATEWAY_EXECUTION_ENGINE") != engine.EngineGqlgen {
		ctx := graphql.WithResponseContext(graphql.WithOperationContext(ctx, op), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
		result, err := schema.(engine.Executor).Execute(ctx, op, nil)
		if err != nil {
			t.Fatal(err)
		}
		if result.Response != nil {
			result.Response.Errors = append(result.Response.Errors, graphql.GetErrors(ctx)...)
			return result.Response
		}
	}
	next, ctx := gateway.DispatchOperation(ctx, op)
	return next(ctx)
}

var caller = &auth.Identity{
	Subject: "u/1",
	Claims: map[string]any{
		"sub": "u/1", "org": map[string]any{"id": json.Number("7")}, "groups": []any{"a,b", "c"},
	},
}

// call is an operation with the requests that it makes.
type call struct {
	query, variables string
	requests         []string
	errors           string // a part of the expected errors; "" for none
}

const everything = `{
	"id": 5, "text": "é\"", "n": 4, "f": 1e6, "b": false, "at": "2026-01-31T12:00:00.5+01:00", "d": 1.10,
	"j": {"b": [1, null], "a": "<"}, "must": [], "mode": "FAST", "modes": ["_1", "true_"], "list": ["x", null], "lists": [[1], []],
	"inner": {"name": "i", "deep": {"sure": {"name": "deep"}}}, "inners": [], "maybeInners": [null, {"name": "m", "level": null}],
	"renamed": null, "apiKey": "k"
}`

const encoded = `{"id":"5","text":"é\"","n":4,"f":1000000,"b":false,"at":"2026-01-31T12:00:00.5+01:00","d":"1.10",` +
	`"j":{"a":"\u003c","b":[1,null]},"must":[],"mode":"fast-mode","modes":["_1","true_"],"list":["x",null],"lists":[[1],[]],` +
	`"inner":{"name":"i","deep":{"sure":{"name":"deep"}}},"inners":[],"maybeInners":[null,{"name":"m","level":null}],` +
	`"the-name":null,"apiKey":"k"}`

func TestCalls(t *testing.T) {
	for _, c := range []call{
		{query: `{get}`, requests: []string{"GET /get"}},
		{
			query:    `{path(id: "a/b", n: -3, f: 1000000.5, b: true, at: "2026-01-31T12:00:00Z", d: "1.10", mode: FAST)}`,
			requests: []string{"GET /a/a%2Fb/b--3.json/1000000.5/true/2026-01-31T12%3A00%3A00Z/1.10/fast-mode/tail/"},
		},
		{query: `{path(id: "..", n: 1, f: 1, b: true, at: "2026-01-31T12:00:00Z", d: 1, mode: SLOW)}`, errors: "segments"},
		{query: `{adjacent(x: "?a=b", y: "#é")}`, requests: []string{"GET /%3Fa%3Db%23%C3%A9/%C3%A9%20/%3Fa%3Db"}},
		{query: `{scalars}`, requests: []string{"GET /scalars?mode=fast-mode&fixed=a%20b&empty="}},
		{
			query:    `{scalars(id: 7, string: "a&b=c", int: -1, float: 1e21, bool: false, at: "2026-01-31T12:00:00+02:00", decimal: 0.10, mode: _1)}`,
			requests: []string{"GET /scalars?id=7&string=a%26b%3Dc&int=-1&float=1e%2B21&bool=false&at=2026-01-31T12%3A00%3A00%2B02%3A00&decimal=0.1&mode=_1&fixed=a%20b&empty="},
		},
		{query: `{scalars(id: null, string: "", mode: null)}`, requests: []string{"GET /scalars?string=&fixed=a%20b&empty="}},
		{query: `{lists(ints: [])}`, requests: []string{"GET /lists"}},
		{
			query:    `{lists(ids: ["a,b", "c"], each: ["x", null, "y&"], ints: [1, 2], modes: [FAST, true_], eachMode: [SLOW, null], times: ["2026-01-31T12:00:00Z"], decimals: [1.5, null, "2.50"])}`,
			requests: []string{"GET /lists?ids=a%2Cb,c&each=x&each=y%26&ints=1&ints=2&modes=fast-mode,true_&eachMode=SLOW&times=2026-01-31T12%3A00%3A00Z&decimals=1.5&decimals=2.50"},
		},
		{query: `{nested(must: {sure: {name: "s"}})}`, requests: []string{"GET /nested/s"}},
		{query: `{nested(must: {})}`, requests: []string{"GET /nested/default"}},
		{
			query: `query($must: Filter!) {nested(must: $must, filter: {sure: {name: "a"}, maybe: {name: "b", level: 3}})}`,
			variables: `{"must": {"sure": {"name": "s", "levels": ["FAST", "_1"], "deep": {"sure": {"name": "", "level": 9}}},
				"maybe": {"name": "", "levels": ["SLOW", "FAST"]}, "at": "2026-01-31T12:00:00Z"}}`,
			requests: []string{"GET /nested/s?a=a&b=b&c=3&d=SLOW,fast-mode&e=fast-mode&e=_1&f=9&g=2026-01-31T12%3A00%3A00Z"},
		},
		{query: `{nested(must: {maybe: null, at: null}, filter: {maybe: {name: "b"}})}`, requests: []string{"GET /nested/default?a=default&b=b"}},
		{
			query:    `{mixed(name: "x y", n: 3, f: 1e6, at: "2026-01-31T12:00:00Z", mode: FAST, d: "1.10")}`,
			requests: []string{"GET /mixed?who=me-x%20y!&all=3/1000000/2026-01-31T12%3A00%3A00Z/fast-mode/1.10"},
		},
		{
			query:    `{mixed(n: 3, f: 0.25, at: "2026-01-31T12:00:00Z", mode: SLOW, d: 1)}`,
			requests: []string{"GET /mixed?all=3/0.25/2026-01-31T12%3A00%3A00Z/SLOW/1"},
		},
		{query: `{headers(mode: SLOW)}`, requests: []string{"GET /headers\nX-Mode: SLOW\nX-Fixed: a, b\nX-Who: 7"}},
		{query: `{headers(tag: "t", n: 4, mode: FAST)}`, requests: []string{"GET /headers\nX-Tag: t\nX-Mixed: n=4\nX-Mode: fast-mode\nX-Fixed: a, b\nX-Who: 7"}},
		{query: `{headers(tag: "a\r\nX-One: 1", mode: SLOW)}`, errors: "control characters"},
		{query: `{oneHeader}`, requests: []string{"GET /oneHeader\nX-One: 1"}},
		{query: `{claims}`, requests: []string{"GET /claims/u%2F1?who=user:7&groups=a%2Cb,c&group=a%2Cb&group=c"}},
		{query: `{byHand(a: 1, ctx: "c", r: FAST)}`},
		{
			query:    `{collisions(call: "1", keys: "2", ctx: "3", type: "4", in: {in: "5"}, string: "6", range: "7", foo_bar: "8", fooBar: "9", encode: 10, graph: FAST)}`,
			requests: []string{"GET /collisions?call=1&keys=2&ctx=3&type=4&in=5&string=6&range=7&fooBar=9&foo_bar=8&encode=10&graph=fast-mode"},
		},
		{
			query: `mutation($in: Everything!) {post(input: $in)}`, variables: `{"in": ` + everything + `}`,
			requests: []string{"POST /post\nContent-Type: application/json\n" + encoded},
		},
		{
			query: `mutation {post(input: {id: "x", must: {a: [1.50, null, $j]}})}`, errors: "j",
		},
		{
			query:    `mutation {post(input: {id: "x", must: {a: [1.5, null, true]}})}`,
			requests: []string{"POST /post\nContent-Type: application/json\n" + `{"id":"x","n":3,"must":{"a":[1.5,null,true]}}`},
		},
		{query: `mutation {put(id: "7", input: {id: "x", must: 1})}`, requests: []string{"PUT /put/7\nContent-Type: application/json\n" + `{"id":"x","n":3,"must":1}`}},
		{query: `mutation {put(id: "7")}`, requests: []string{"PUT /put/7"}},
		{
			query:    `mutation {patch(input: {name: null, list: [], inner: {name: "x", level: null}})}`,
			requests: []string{"PATCH /patch\nContent-Type: application/merge-patch+json\n" + `{"name":null,"list":[],"inner":{"name":"x","level":null}}`},
		},
		{query: `mutation {patch(input: {})}`, requests: []string{"PATCH /patch\nContent-Type: application/merge-patch+json\n{}"}},
		{query: `mutation {delete(id: "7")}`, requests: []string{"DELETE /delete/7"}},
		{query: `mutation {done}`, requests: []string{"POST /done"}},
		{query: `mutation {whether deep}`, requests: []string{"POST /whether", "POST /whether"}},
		{
			query:    `mutation {form(input: {text: "a b&c", n: 3, list: [FAST, SLOW], at: "2026-01-31T12:00:00Z", d: 1.5})}`,
			requests: []string{"POST /form\nContent-Type: application/x-www-form-urlencoded\ntext=a%20b%26c&n=3&list=fast-mode&list=SLOW&at=2026-01-31T12%3A00%3A00Z&d=1.5"},
		},
		{query: `mutation {form(input: {text: "", n: null})}`, requests: []string{"POST /form\nContent-Type: application/x-www-form-urlencoded\ntext="}},
		{query: `mutation {maybeForm}`, requests: []string{"POST /form\nContent-Type: application/x-www-form-urlencoded"}},
		{
			query:    `mutation {listBody(list: [{id: 1, must: "m"}, {id: 2, must: false}])}`,
			requests: []string{"POST /list\nContent-Type: application/json\n" + `[{"id":"1","n":3,"must":"m"},{"id":"2","n":3,"must":false}]`},
		},
		{query: `mutation {nestedListBody(list: [[1, null], [], null])}`, requests: []string{"POST /list\nContent-Type: application/json\n[[1,null],[],null]"}},
		{query: `mutation {textBody(text: "a\"b")}`, requests: []string{"POST /text\nContent-Type: application/json\n" + `"a\"b"`}},
		{query: `mutation {numberBody(n: 3)}`, requests: []string{"POST /number\nContent-Type: application/json\n3"}},
		{query: `mutation {enumBody(mode: FAST)}`, requests: []string{"POST /enum\nContent-Type: application/json\n" + `"fast-mode"`}},
		{query: `mutation {jsonBody(j: {a: [1]})}`, requests: []string{"POST /json\nContent-Type: application/json\n" + `{"a":[1]}`}},
		{ // numbers and texts as the document has them
			query:    `mutation {pay(input: {amount: "1.10", text: "2.50", big: 9007199254740993, whole: "7", lines: [{price: 1e2, ids: [1, 2]}, {price: null}]})}`,
			requests: []string{"POST /pay\nContent-Type: application/json\n" + `{"amount":1.10,"text":"2.50","big":"9007199254740993","whole":7,"the-lines":[{"price":100,"ids":["1","2"]},{"price":null}]}`},
		},
		{
			query:    `mutation {payByHTTP(input: {amount: "1.10", big: 1})}`,
			requests: []string{"POST /pay\nContent-Type: application/json\n" + `{"amount":1.10,"big":"1"}`},
		},
		{
			query:    `mutation {payMade(amount: "007", lines: [{price: "2.50"}, {}])}`,
			requests: []string{"POST /pay\nContent-Type: application/json\n" + `{"amount":"007","text":"007","the-lines":[{"price":2.50},{}]}`},
		},
		{ // what is null is left out of what is made, unless it is written
			query:    `mutation {madeBody(part: {text: "t", level: null})}`,
			requests: []string{"POST /made\nContent-Type: application/json\n" + `{"kind":"x","none":null,"part":{"name":"t","level":null}}`},
		},
		{
			query:    `mutation {madeBody(n: 2, part: {level: 3})}`,
			requests: []string{"POST /made\nContent-Type: application/json\n" + `{"kind":"x","n":2,"none":null,"part":{"level":3}}`},
		},
		{
			query:    `mutation {innerBody(filter: {maybe: {name: "x", levels: [SLOW]}})}`,
			requests: []string{"POST /inner\nContent-Type: application/json\n" + `{"name":"x","levels":["SLOW"]}`},
		},
	} {
		s := &service{answers: map[string]string{"/delete/7": "", "/done": ""}}
		answer := runOperation(t, s, caller, c.query, c.variables)
		if failed := strings.Contains(answer, `"errors"`); failed != (c.errors != "") || !strings.Contains(answer, c.errors) {
			t.Errorf("%s\nanswers %s", c.query, answer)
		}
		if diff := cmp.Diff(c.requests, s.requests); diff != "" {
			t.Errorf("%s\n-want +sent\n%s", c.query, diff)
		}
	}
}

const thing = `{"id": 9007199254740993, "the-text": "t", "mustText": "é", "n": 3.0, "mustN": 4, "f": 1.5, "b": true,
	"at": "2026-01-31T12:00:00Z", "mustAt": "2026-01-31T12:00:00.5+01:00", "d": "1.10", "j": {"x": [1, 2.50]}, "mode": "_1", "mustMode": "fast-mode",
	"modes": ["SLOW"], "maybeModes": [null, "true_"], "list": [null, "l"], "lists": [[1], null, []], "thing": null,
	"mustMoney": {"amount": 1.10, "currency": "EUR", "unknown": {"a": [1]}}, "things": [], "maybeThings": [null], "new-name": 3, "more": 1}`

const thingFields = `{id text mustText n mustN f b at mustAt d j mode mustMode modes maybeModes list lists thing {id} mustMoney {amount currency} things {id} maybeThings {id} renamed}`

const thingAnswer = `{"id":"9007199254740993","text":"t","mustText":"é","n":3,"mustN":4,"f":1.5,"b":true,` +
	`"at":"2026-01-31T12:00:00Z","mustAt":"2026-01-31T12:00:00.5+01:00","d":"1.10","j":{"x":[1,2.50]},"mode":"_1","mustMode":"FAST",` +
	`"modes":["SLOW"],"maybeModes":[null,"true_"],"list":[null,"l"],"lists":[[1],null,[]],"thing":null,` +
	`"mustMoney":{"amount":"1.10","currency":"EUR"},"things":[],"maybeThings":[null],"renamed":3}`

const least = `{"id": "1", "mustText": "", "mustN": 0, "mustAt": "2026-01-31T12:00:00Z", "mustMode": "SLOW", "mustMoney": {"amount": 0, "currency": ""}}`

// answer is an operation with the responses of the services, and the response that the client gets.
type answer struct {
	query   string
	answers map[string]string
	want    string // the data, or part of the errors
}

func TestAnswers(t *testing.T) {
	many := strings.Repeat(`"f": 1, `, 3) + `"f1": 1`
	for i := 2; i <= 70; i++ {
		many += `, "f` + formatInt(i) + `": ` + formatInt(i)
	}
	for _, a := range []answer{
		{`{object ` + thingFields + `}`, map[string]string{"/object": thing}, `{"object":` + thingAnswer + `}`},
		{`{object {id n things {id}}}`, map[string]string{"/object": least}, `{"object":{"id":"1","n":null,"things":null}}`},
		{`{object {id}}`, nil, `{"object":null}`},
		{`{object {id}}`, map[string]string{"/object": `{"id": 1}`}, `does not fit`},
		{`{object {id}}`, map[string]string{"/object": `[]`}, `does not fit`},
		{`{mustObject {id}}`, map[string]string{"/object": `{"a": ` + least + `}`}, `{"mustObject":{"id":"1"}}`},
		{`{mustObject {id}}`, map[string]string{"/object": `{}`}, `does not fit`},
		{`{objects {id}}`, map[string]string{"/object": `{"a": {"b": [` + least + `, null]}}`}, `{"objects":[{"id":"1"},null]}`},
		{`{objects {id}}`, map[string]string{"/object": `{"a": null}`}, `{"objects":null}`},
		{`{mustObjects {id}}`, map[string]string{"/object": `{"a": {"b": {"c-d": [` + least + `]}}}`}, `{"mustObjects":[{"id":"1"}]}`},
		{`{mustObjects {id}}`, map[string]string{"/object": `{"a": {"b": {"c-d": [null]}}}`}, `does not fit`},
		{`{whole {id}}`, map[string]string{"/object": `[]`}, `{"whole":[]}`},
		{`{int float boolean id time decimal json mode}`, nil, `must not be null|does not fit`},
		{
			`{int float boolean id time decimal json mustJson mode mustMode}`,
			map[string]string{
				"/int": "-7", "/float": "1e3", "/boolean": "false", "/id": `"x"`, "/time": `"2026-01-31T12:00:00Z"`,
				"/decimal": "12.50", "/json": `{"a": null}`, "/mode": `"fast-mode"`,
			},
			`{"int":-7,"float":1000,"boolean":false,"id":"x","time":"2026-01-31T12:00:00Z","decimal":"12.50","json":{"a":null},"mustJson":{"a":null},"mode":"FAST","mustMode":"FAST"}`,
		},
		{`{float boolean id time decimal json mode}`, nil, `{"float":null,"boolean":null,"id":null,"time":null,"decimal":null,"json":null,"mode":null}`},
		{`{mode}`, map[string]string{"/mode": `"FAST"`}, `does not fit`},
		{`{modes maybeModes}`, map[string]string{"/modes": `["fast-mode", "_1"]`}, `{"modes":["FAST","_1"],"maybeModes":["FAST","_1"]}`},
		{`{maybeModes}`, map[string]string{"/modes": `["SLOW", null]`}, `{"maybeModes":["SLOW",null]}`},
		{`{maybeModes texts intLists thingLists {id}}`, nil, `{"maybeModes":null,"texts":null,"intLists":null,"thingLists":null}`},
		{`{texts}`, map[string]string{"/texts": `["a", null]`}, `{"texts":["a",null]}`},
		{`{intLists}`, map[string]string{"/lists": `[[1, null], null, []]`}, `{"intLists":[[1,null],null,[]]}`},
		{`{mustLists}`, map[string]string{"/lists": `[[1], []]`}, `{"mustLists":[[1],[]]}`},
		{`{thingLists {id}}`, map[string]string{"/thingLists": `[[` + least + `, null], []]`}, `{"thingLists":[[{"id":"1"},null],[]]}`},
		{`{many {f1 f70}}`, map[string]string{"/many": `{` + many + `}`}, `{"many":{"f1":1,"f70":70}}`},
		{`{many {f1 f70}}`, map[string]string{"/many": `{` + strings.TrimSuffix(many, `, "f70": 70`) + `}`}, `does not fit`},
		{`{page {items {id} next}}`, map[string]string{"/page": `{"data": [` + least + `]}`}, `{"page":{"items":[{"id":"1"}],"next":null}}`},
		{`mutation {delete(id: 1) done}`, map[string]string{"/delete/1": "", "/done": "false"}, `{"delete":true,"done":false}`},
		{`mutation {done}`, map[string]string{"/done": "not JSON"}, `"done":null`},
		{`mutation {done}`, map[string]string{"/done": " "}, `{"done":true}`},
		{`mutation {pay(input: {})}`, map[string]string{"/pay": ""}, `{"pay":true}`},
		{`mutation {confirm judgedBoolean judged}`, map[string]string{"/confirm": "false", "/judged": `{"ok":true}`}, `{"confirm":false,"judgedBoolean":false,"judged":true}`},
		{`mutation {judged}`, map[string]string{"/judged": `{"ok":false}`}, `"judged":null`},
		{
			`{member {id profile {name}} memberProfile {name} given(a_b: "1", aB: "2") {one two} taken(decodeQueryMember: "3", shapeQueryMember: "4") {id profile {name}}}`,
			map[string]string{"/member": `{"id":"m","inner":{"text":"t"}}`, "/memberProfile": `{"other":"o"}`, "/given": `{}`, "/taken": `{"profile":{"name":"n"}}`},
			`{"member":{"id":"m","profile":{"name":"t"}},"memberProfile":{"name":"o"},"given":{"one":"1","two":"2"},"taken":{"id":"4","profile":{"name":"n"}}}`,
		},
		{`mutation {done}`, map[string]string{"/done": `{"ok":false}`}, `"done":null`},
		{`mutation {done}`, map[string]string{"/done": "500"}, `"done":null`},
		{`mutation {whether deep}`, map[string]string{"/whether": "false"}, `does not fit`},
		{`mutation {deep}`, map[string]string{"/whether": `{"ok": false}`}, `{"deep":false}`},
		{`mutation {whether}`, map[string]string{"/whether": `false`}, `{"whether":false}`},
		{`{byHand(a: 1, ctx: "c", r: SLOW)}`, nil, `{"byHand":"1cSLOW"}`},
		{
			`{url {apiKey id_url URL {apiKey} httpCode owner(keys: 1, objs: 2) {name}}}`,
			map[string]string{"/url": `{"apiKey": "c1", "id_url": "i", "URL": {"apiKey": "x"}, "httpCode": 200}`, "/children": `{"items": [{"id": "c1", "number": 1, "parent": 1, "name": "n"}]}`},
			`{"url":{"apiKey":"c1","id_url":"i","URL":{"apiKey":"x"},"httpCode":200,"owner":{"name":"n"}}}`,
		},
		{
			`{odd {some_field _private class} lower {type range {type} func} resolvers {resolver name} resolver services {sources services resolver} queries {query Query} config {decoder}}`,
			map[string]string{
				"/odd": `{"some_field": "s", "_private": 1}`, "/class/s": `"c"`, "/lower": `{"type": "t", "range": [{}]}`, "/func/t": `5`,
				"/nothing": `7`, "/resolver": `{"resolver": "r", "n": 8}`, "/name": `"n"`, "/sources": `[{"sources": 1}, {}]`, "/services": `2`,
				"/queries": `{"query": "q", "q2": 2}`, "/config": `{"decoder": "snake_case"}`,
			},
			`{"odd":{"some_field":"s","_private":1,"class":"c"},"lower":{"type":"t","range":[{"type":null}],"func":5},"resolvers":{"resolver":"r","name":"n"},"resolver":7,` +
				`"services":[{"sources":1,"services":2,"resolver":8},{"sources":null,"services":2,"resolver":8}],"queries":{"query":"q","Query":2},"config":{"decoder":"snake_case"}}`,
		},
	} {
		a.check(t, caller)
	}
}

func (a answer) check(t *testing.T, identity *auth.Identity, requests ...string) {
	t.Helper()
	s := &service{answers: a.answers}
	got := runOperation(t, s, identity, a.query, "")
	if strings.HasPrefix(a.want, "{") {
		if diff := cmp.Diff(`{"data":`+a.want+`}`, got); diff != "" {
			t.Errorf("%s\n-want +got\n%s", a.query, diff)
		}
	} else if !slices.ContainsFunc(strings.Split(a.want, "|"), func(part string) bool { return strings.Contains(got, part) }) || !strings.Contains(got, `"errors"`) {
		t.Errorf("%s\nwant %s in\n%s", a.query, a.want, got)
	}
	if requests != nil {
		if diff := cmp.Diff(requests, s.requests); diff != "" {
			t.Errorf("%s\n-want +sent\n%s", a.query, diff)
		}
	}
}

func formatInt(i int) string {
	b, _ := json.Marshal(i)
	return string(b)
}

const parents = `[
	{"id": "p1", "n": 1, "maybeN": 1, "maybeId": "c1", "childIds": ["c2", "x", "c1"], "maybeChildIds": ["c1", null, "x"], "numbers": [2, 1], "maybeNumbers": [null, 1],
		"flag": true, "mode": "fast-mode", "at": "2026-01-31T12:00:00Z", "price": 1.10, "rate": 1e6},
	null,
	{"id": "p2", "n": 2, "childIds": [], "at": "2026-01-31T12:00:00Z"},
	{"id": "p3", "n": 1, "maybeN": 5, "maybeId": "c1", "childIds": ["c1"], "maybeChildIds": [], "numbers": [], "flag": true, "mode": "fast-mode", "at": "2026-01-31T12:00:00Z", "price": 1.10, "rate": 1e6}
]`

const children = `[{"id": "c1", "number": 1, "parent": "p1", "name": "one"}, {"id": "c2", "number": 2, "parent": "p1", "name": "two"}, {"id": "not asked", "number": 9, "parent": "p9"}]`

func TestJoins(t *testing.T) {
	for _, j := range []struct {
		field, path, answer string
		want                string // of the parents p1, p2, p3
		requests            []string
	}{
		{
			"one {name}", "/children", `{"items": [{"id": "p3", "number": 3, "parent": ""}, {"id": "p1", "number": 1, "parent": "", "name": "x"}]}`,
			`{"name":"x"} null {"name":null}`,
			[]string{"GET /children?ids=p1,p2", "GET /children?ids=p3"},
		},
		{"oneMaybe {name}", "/children", `{"items": ` + children + `}`, `{"name":"one"} null {"name":"one"}`, []string{"GET /children?ids=c1"}},
		{"byNumber {name}", "/byNumber", children, `{"name":"one"} {"name":"two"} {"name":"one"}`, []string{"GET /byNumber?n=1&n=2"}},
		{"byMaybeNumber {name}", "/byNumber", children, `{"name":"one"} null null`, []string{"GET /byNumber?n=1&n=5"}},
		{"group(first: 3, mode: FAST) {name}", "/children", children, `[{"name":"one"},{"name":"two"}] [] []`, []string{"GET /children?parents=p1,p2,p3&first=3&mode=fast-mode"}},
		{"mustGroup {name}", "/children", `[]`, `[] [] []`, []string{"GET /children?parents=p1,p2,p3"}},
		{"otherRoot {name}", "/children", `{"old": ` + children + `}`, `[{"name":"one"},{"name":"two"}] [] []`, []string{"GET /children?parents=p1,p2,p3"}},
		{"hand(limit: 1) {name}", "/children", children, `[{"name":"one"},{"name":"two"}] [] []`, []string{"GET /children?parents=p1,p2,p3&first=1"}},
		{"mapScalar", "/stock", `{"p1": 3, "p2": null, "other": 1}`, `3 null null`, []string{"GET /stock?ids=p1,p2,p3"}},
		{"mapObject {name}", "/childMap", `{"map": {"p2": {"id": 1, "number": 1, "parent": 1, "name": "m"}, "p1": null}}`, `null {"name":"m"} null`, []string{"GET /childMap?ids=p1,p2,p3"}},
		{"mapObjects {name}", "/childrenMap", `{"p1": ` + children + `, "p2": []}`, `[{"name":"one"},{"name":"two"},{"name":null}] [] []`, []string{"GET /childrenMap?ids=p1,p2,p3"}},
		{"mapMode", "/modeMap", `{"p1": "fast-mode"}`, `"FAST" null null`, []string{"GET /modeMap?ids=p1,p2,p3"}},
		{"mapModes", "/modesMap", `{"p1": ["fast-mode", null], "p2": null}`, `["FAST",null] null []`, []string{"GET /modesMap?ids=p1,p2,p3"}},
		{"mapNumber", "/prices", `{"1": 1.10, "2": "2.00"}`, `"1.10" "2.00" "1.10"`, []string{"GET /prices?n=1,2"}},
		{"wholeMap", "/wholeStock", `{"p1": 3, "zz": 4}`, `3 null null`, []string{"GET /wholeStock"}},
		{"wholeList {number}", "/wholeChildren", `[{"id": "p3", "number": 3, "parent": ""}]`, `null null {"number":3}`, []string{"GET /wholeChildren"}},
		{"children {name}", "/children", `{"items": ` + children + `}`, `[{"name":"two"},{"name":"one"}] [] [{"name":"one"}]`, []string{"GET /children?ids=c2,x,c1"}},
		{"maybeChildren {name}", "/children", `{"items": ` + children + `}`, `[{"name":"one"},null] null []`, []string{"GET /children?ids=c1,x"}},
		{"numbered {name}", "/byNumber", children, `[{"name":"two"},{"name":"one"}] null []`, []string{"GET /byNumber?n=2&n=1"}},
		{"maybeNumbered {name}", "/byNumber", children, `[{"name":"one"}] null null`, []string{"GET /byNumber?n=1"}},
		{"listOfMap", "/stock", `{"c1": 1, "c2": 2}`, `[2,null,1] [] [1]`, []string{"GET /stock?ids=c2,x,c1"}},
		{"none", "/config", `{"motto": "m"}`, `"m" "m" "m"`, []string{"GET /config"}},
		{"singleMaybe {name}", "/child/c1", `{"id": "c1", "number": 1, "parent": 1, "name": "s"}`, `{"name":"s"} null {"name":"s"}`, []string{"GET /child/c1"}},
		{"singleNumber", "/stock/1", `{"a": 5}`, `5 null 5`, []string{"GET /stock/1", "GET /stock/2"}},
		{"two", "/two/p1", `"t"`, `"t" null null`, []string{"GET /two/p1?n=1&id=p1", "GET /two/p3?n=5&id=p3"}},
		{"several", "/several", `"s"`, `"s" null "s"`, []string{"GET /several?flag=true&mode=fast-mode&at=2026-01-31T12%3A00%3A00Z&price=1.10&rate=1000000"}},
	} {
		s := &service{answers: map[string]string{"/parents": parents, j.path: j.answer}}
		got := runOperation(t, s, caller, `{parents {x: `+j.field+`}}`, "")
		p := splitValues(j.want)
		want := `{"data":{"parents":[{"x":` + p[0] + `},null,{"x":` + p[1] + `},{"x":` + p[2] + `}]}}`
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n-want +got\n%s", j.field, diff)
		}
		requests := slices.DeleteFunc(s.requests, func(line string) bool { return line == "GET /parents" })
		if diff := cmp.Diff(inAnyOrderOfKeys(j.requests), inAnyOrderOfKeys(requests)); diff != "" {
			t.Errorf("%s\n-want +sent\n%s", j.field, diff)
		}
	}
}

// splitValues splits JSON values, which contain no spaces, at spaces.
func splitValues(s string) []string { return strings.Split(s, " ") }

// inAnyOrderOfKeys sorts the values within a call: the order of the parents is not specified.
func inAnyOrderOfKeys(calls []string) []string {
	var sorted []string
	for _, call := range calls {
		path, query, _ := strings.Cut(call, "?")
		pairs := strings.Split(query, "&")
		for i, pair := range pairs {
			name, list, _ := strings.Cut(pair, "=")
			keys := strings.Split(list, ",")
			slices.Sort(keys)
			pairs[i] = name + "=" + strings.Join(keys, ",")
		}
		slices.Sort(pairs)
		sorted = append(sorted, path+"?"+strings.Join(pairs, "&"))
	}
	return sorted
}

// Fields that make the same call share it, and each reads the response by its own binding.
func TestSharing(t *testing.T) {
	answer{
		`{parents {one {name} must {name} oneMaybe {name} maybeChildren {name}}}`,
		map[string]string{"/parents": `[{"id": "c1", "n": 1, "maybeId": "c1", "childIds": ["c1"], "maybeChildIds": ["c1"], "at": "2026-01-31T12:00:00Z"}]`, "/children": `{"items": ` + children + `}`},
		`{"parents":[{"one":{"name":"one"},"must":{"name":"one"},"oneMaybe":{"name":"one"},"maybeChildren":[{"name":"one"}]}]}`,
	}.check(t, caller, "GET /children?ids=c1", "GET /parents") // one has another maxSize, but the same keys
	answer{
		`{parents {mustGroup {name} otherRoot {name}}}`,
		map[string]string{"/parents": `[{"id": "p1", "n": 1, "childIds": [], "at": "2026-01-31T12:00:00Z"}]`, "/children": `[]`},
		`does not fit`,
	}.check(t, caller, "GET /children?parents=p1", "GET /parents")
	answer{
		`{parents {a: words(words: ["x", "y"]) {id first all} b: words(words: ["z"]) {first}}}`,
		map[string]string{"/parents": `[{"id": "p1", "n": 1, "childIds": [], "at": "2026-01-31T12:00:00Z"}]`, "/child/p1": `{}`},
		`{"parents":[{"a":{"id":"p1","first":"x","all":["x","y"]},"b":{"first":"z"}}]}`,
	}.check(t, caller, "GET /child/p1", "GET /parents")
}

// The failure of a call is an error of the parents that need it only.
func TestFailuresStay(t *testing.T) {
	answer{
		`{parents {id single(first: 2) {name}}}`,
		map[string]string{"/parents": parents, "/child/p1": `{"id": "c1", "number": 1, "parent": 1}`, "/child/p2": "500"},
		`"single":{"name":null}`,
	}.check(t, caller, "GET /child/p1?first=2", "GET /child/p2?first=2", "GET /child/p3?first=2", "GET /parents")
}

func TestGuards(t *testing.T) {
	withMembers := func(scopes ...string) *auth.Identity { return &auth.Identity{Subject: "u", Scopes: scopes} }
	secret := map[string]string{"/secret": `{"word": "w", "twice": "t"}`, "/onlyAdmins": `"a"`, "/friends": `{"n": [{"name": "f"}]}`}
	for _, g := range []struct {
		identity    *auth.Identity
		query, want string
		requests    []string
	}{
		{nil, `{secret {word}}`, "signed-in", []string{}},
		{withMembers(), `{secret {word}}`, "lacks a scope", []string{}},
		{withMembers("secrets"), `{secret {word}}`, `{"secret":{"word":"w"}}`, []string{"GET /secret"}},
		{withMembers("secrets"), `{secret {twice}}`, "lacks a scope", []string{"GET /secret"}},
		{withMembers("secrets", "twice"), `{secret {twice}}`, `{"secret":{"twice":"t"}}`, []string{"GET /secret"}},
		{withMembers("secrets"), `{any {... on Secret {word}}}`, `{"any":{"word":"w"}}`, []string{"GET /secret"}},
		{withMembers(), `{any {... on Secret {word}}}`, "lacks a scope", nil},
		{nil, `{named(id: "n") {name}}`, "signed-in", []string{}},
		{withMembers(), `{named(id: "n") {name}}`, `{"named":{"name":"n"}}`, []string{}},
		{withMembers(), `{named(id: "n") {email}}`, "lacks a scope", []string{}},
		{withMembers("mail"), `{named(id: "n") {... on Person {email friends {name}}}}`, `{"named":{"email":null,"friends":[{"name":"f"}]}}`, []string{"GET /friends?names=n"}},
		{withMembers("a"), `{onlyAdmins}`, "lacks a scope", []string{}},
		{withMembers("b", "a"), `{onlyAdmins}`, `{"onlyAdmins":"a"}`, []string{"GET /onlyAdmins"}},
		{nil, `mutation {doneGuarded}`, "signed-in", []string{}},
	} {
		answers := answer{query: g.query, answers: secret, want: g.want}
		if len(g.requests) == 0 && g.requests != nil {
			s := &service{answers: secret}
			runOperation(t, s, g.identity, g.query, "")
			if len(s.requests) > 0 {
				t.Errorf("%s calls %v", g.query, s.requests)
			}
			g.requests = nil
		}
		answers.check(t, g.identity, g.requests...)
	}
}

// Introspection and errors do not show where fields come from.
func TestHidden(t *testing.T) {
	var got struct {
		Data struct {
			Schema struct {
				Directives, Types []struct{ Name string }
			} `json:"__schema"`
		}
	}
	if err := json.Unmarshal([]byte(runOperation(t, &service{}, nil, `{__schema {directives {name} types {name}}}`, "")), &got); err != nil {
		t.Fatal(err)
	}
	var directives []string
	for _, d := range got.Data.Schema.Directives {
		directives = append(directives, d.Name)
	}
	slices.Sort(directives)
	if diff := cmp.Diff([]string{"deprecated", "include", "oneOf", "skip", "specifiedBy"}, directives); diff != "" {
		t.Errorf("directives: -want +got\n%s", diff)
	}
	for _, typ := range got.Data.Schema.Types {
		if strings.HasPrefix(typ.Name, "Connect") {
			t.Errorf("introspection shows %s", typ.Name)
		}
	}
	if len(got.Data.Schema.Types) < 30 {
		t.Errorf("introspection shows %v", got.Data.Schema.Types)
	}
}

// Scalars keep their exact values: 64 bits, days, identifiers, URLs.
func TestExactScalars(t *testing.T) {
	s := &service{answers: map[string]string{
		"/exact/9007199254740993": `{"big":9007199254740993,"day":"2026-01-31","id":null,"link":"https://example.com/?a=\"b\""}`,
		"/exact":                  `{"big":"-1","day":"2026-02-31"}`,
	}}
	got := runOperation(t, s, caller, `query($big: Int64!) {exact(big: $big, days: ["2026-01-31", "2026-02-01"], id: "018f4b6e-7c3a-7000-8000-2f1e5d3c9a10", link: "/a") {big day id link}}`, `{"big": "9007199254740993"}`)
	if want := `{"data":{"exact":{"big":"9007199254740993","day":"2026-01-31","id":null,"link":"https://example.com/?a=\"b\""}}}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = runOperation(t, s, caller, `mutation {exact(in: {big: 9007199254740993, day: null, links: ["/a", null]}) {big day}}`, "")
	if !strings.Contains(got, "does not fit the graph") {
		t.Errorf("a day that is none was read: %s", got)
	}
	want := []string{
		"GET /exact/9007199254740993?days=2026-01-31&days=2026-02-01&id=018f4b6e-7c3a-7000-8000-2f1e5d3c9a10\nX-One: /a",
		"POST /exact\nContent-Type: application/json\n" + `{"big":9007199254740993,"day":null,"links":["/a",null]}`,
	}
	if diff := cmp.Diff(want, s.requests); diff != "" {
		t.Errorf("-want +sent\n%s", diff)
	}
}
