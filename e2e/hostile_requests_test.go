package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
	"github.com/gatehouse-graphql/gatehouse/graph"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
)

const (
	// sane is far more than any refusal takes on a busy machine, and far less than the attacks take
	// without limits.
	sane = 5 * time.Second
	// small is the largest response to a refused request, in bytes.
	small = 4 << 10
)

// repeatNumbered repeats a text with # replaced by its number and @ by the next one.
func repeatNumbered(count int, text string) string {
	var b strings.Builder
	for i := range count {
		b.WriteString(strings.NewReplacer("#", fmt.Sprint(i), "@", fmt.Sprint(i+1)).Replace(text))
	}
	return b.String()
}

// nested puts inner into count levels of open.
func nested(count int, open, inner, end string) string {
	return strings.Repeat(open, count) + inner + strings.Repeat(end, count)
}

// fanOut returns a document in which each fragment spreads the next one twice.
func fanOut(levels int) string {
	return "{...f0}" + repeatNumbered(levels, "fragment f# on Query{...f@ ...f@}") + fmt.Sprintf("fragment f%d on Query{__typename}", levels)
}

// requestBody returns the body of a request with a query.
func requestBody(query string) string {
	body, _ := json.Marshal(map[string]string{"query": query})
	return string(body)
}

// wantRefusal fails unless the response is a short error and no service was called.
func wantRefusal(t *testing.T, g *gatewayUnderTest, a *response, status int, code string, most int) {
	t.Helper()
	if a.Status != status || len(a.Errors) == 0 || a.Errors[0].Extensions.Code != code || a.Data != nil {
		t.Errorf("got %d %s %.300s, want %d %s", a.Status, a.codes(), a.Body, status, code)
	}
	if len(a.Body) > most {
		t.Errorf("the answer has %d bytes", len(a.Body))
	}
	g.wantCalls(t, map[string]int{})
}

// wantServing fails unless the gateway still serves other requests.
func wantServing(t *testing.T, g *gatewayUnderTest) {
	t.Helper()
	wantData(t, g.query(t, "", `{ product(sku: "B-100") { name } }`, nil), `{"product":{"name":"The Lighthouse Ledger"}}`)
	g.Shop.ResetCalls()
}

// hostileQuery is a query that is refused with the status 400.
type hostileQuery struct {
	name, query, code string
	most              int // bytes of the response
}

// hostileQueries returns queries that are too expensive or invalid.
func hostileQueries() []hostileQuery {
	const (
		parse, invalid = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"
		depth, aliases = "MAX_DEPTH_LIMIT", "MAX_ALIASES_LIMIT"
		roots, many    = "MAX_ROOT_FIELDS_LIMIT", "MAX_SELECTIONS_LIMIT"
		directives     = "MAX_DIRECTIVES_LIMIT"
	)
	return []hostileQuery{
		{"fragments that double, 24 levels", fanOut(24), many, small},
		{"fragments that double, 60 levels", fanOut(60), many, small},
		{"fragments that double, unused", "{__typename}" + strings.TrimPrefix(fanOut(24), "{...f0}"), many, small},
		{"fragments that double, in the other operation", "query A{__typename} query B" + fanOut(24), many, small},
		{"fragments that double, in introspection", "{__schema{types{...f0}}}" + repeatNumbered(24, "fragment f# on __Type{...f@ ...f@}") + "fragment f24 on __Type{name}", many, small},
		{"a field 5,000 times", "{" + strings.Repeat("id ", 5_000) + "}", parse, small},
		{"a field 50,000 times", "{" + strings.Repeat("id ", 50_000) + "}", parse, small},
		{"depth 16", "{product(sku:1){category{" + nested(13, "parent{", "id", "}") + "}}}", depth, small},
		{"depth 16 by fragments", "{product(sku:1){category{...f0}}}" + repeatNumbered(13, "fragment f# on Category{parent{...f@}}") + "fragment f13 on Category{id}", depth, small},
		{"depth 5,000", nested(5_000, "{a", "", "}"), depth, small},
		{"depth 5,000, never closed", strings.Repeat("{a", 5_000), depth, small},
		{"inline fragments 5,000 deep", nested(5_000, "{...", "{a}", "}"), depth, small},
		{"lists 5,000 deep", "{a(x:" + nested(5_000, "[", "", "]") + ")}", depth, small},
		{"objects 5,000 deep", "{a(x:" + nested(5_000, "{a:", "1", "}") + ")}", depth, small},
		{"types 5,000 deep", "query($a:" + nested(5_000, "[", "Int", "]") + "){a}", depth, small},
		{"brackets that never close", strings.Repeat("(", 100_000), depth, small},
		{"100,000 directives", "{__typename " + strings.Repeat("@a", 100_000) + "}", directives, small},
		{"51 directives", "{__typename " + strings.Repeat("@skip(if:false)", 51) + "}", directives, small},
		{"directives by fragments", "{...f0}" + strings.ReplaceAll(repeatNumbered(6, "fragment f# on Query{...f@ %skip(if:false) ...f@ %skip(if:false)}"), "%", "@") + "fragment f6 on Query{__typename}", directives, small},
		{"inline fragments 100 x 50", "{" + repeatNumbered(100, "...{"+strings.Repeat("a ", 50)+"} ") + "}", parse, small},
		{"2,000 conflicting fields", "{" + repeatNumbered(2_000, "a:f# ") + "}", aliases, small},
		{"2,000 conflicting arguments", "{" + repeatNumbered(2_000, "product(sku:#){sku} ") + "}", parse, small},
		{"200 conflicting arguments", "{" + repeatNumbered(200, "product(sku:#){sku} ") + "}", invalid, 16 << 10},
		{"1,900 unknown fields", "{" + repeatNumbered(1_900, "unknown# ") + "}", "MAX_ROOT_FIELDS_LIMIT", small},
		{"1,900 unknown fields of 200 letters", "{" + repeatNumbered(1_900, strings.Repeat("x", 200)+"# ") + "}", "MAX_ROOT_FIELDS_LIMIT", small},
		{"1,900 unknown fields below one", "{products(first: 1){" + repeatNumbered(1_900, "unknown# ") + "}}", invalid, 16 << 10},
		{"a cycle of 500", "{...f0}" + repeatNumbered(499, "fragment f# on Query{...f@}") + "fragment f499 on Query{...f0}", parse, small},
		{"a cycle of 150", "{...f0}" + repeatNumbered(149, "fragment f# on Query{...f@}") + "fragment f149 on Query{...f0}", invalid, small},
		{"a cycle of one, unused", "{__typename} fragment f on Query{...f}", invalid, small},
		{"introspection 50 times", "{" + repeatNumbered(50, "a#:__schema{types{name}}") + "}", roots, small},
		{"introspection in circles", "{__schema{types{" + nested(6, "fields{type{", "name", "}}") + "}}}", invalid, small},
		{"101 aliases", "{product(sku:1){" + repeatNumbered(101, "a#:sku ") + "}}", aliases, small},
		{"aliases by fragments", "{product(sku:1){...f0}}" + repeatNumbered(8, "fragment f# on Product{...f@ ...f@}") + "fragment f8 on Product{x:sku}", aliases, small},
		{"31 roots", "{" + repeatNumbered(31, "a#:__typename ") + "}", roots, small},
		{"a name of 50,000 letters", "{" + strings.Repeat("a", 50_000) + "}", parse, small},
		{"a string of 50,000 letters for a number", `{products(first:"` + strings.Repeat("a", 50_000) + `"){totalCount}}`, invalid, small},
		{"a number of 50,000 digits", "{products(first:" + strings.Repeat("9", 50_000) + "){totalCount}}", invalid, small},
		{"an integer of 65 bits", "{products(first:99999999999999999999){totalCount}}", invalid, small},
		{"an unknown enum value of 50,000 letters", `{products(sort:"` + strings.Repeat("a", 50_000) + `"){totalCount}}`, invalid, small},
		{"a string that never ends", `{product(sku:"` + strings.Repeat("a", 50_000), parse, small},
		{"a block string that never ends", `{product(sku:"""` + strings.Repeat("a\n", 20_000), parse, small},
		{"only comments", strings.Repeat("#\n", 20_000), parse, small},
		{"null bytes", "{__type\x00name}", parse, small},
		{"control characters", "{\x01\x02\x07}", parse, small},
		{"an escape that is none", `{product(sku:"\u00"){sku}}`, parse, small},
		{"emoji for names", "{😀}", parse, small},
		{"a definition of a type", "type A{a:Int}", parse, small},
		{"an empty selection", "{}", parse, small},
		{"blanks", "  \n ", parse, small},
		{"300 operations", repeatNumbered(300, "query A#{__typename} "), "OPERATION_RESOLUTION_FAILURE", small},
		{"the same operation twice", "query A{__typename} query A{__typename}", invalid, small},
	}
}

// Hostile queries are refused in the same way by POST and, if they fit into a URL, by GET.
// TestHostileQueriesOverEachTransport has the other ways to send them.
func TestHostileQueries(t *testing.T) {
	g := newGateway(t)
	for _, c := range hostileQueries() {
		t.Run(c.name, func(t *testing.T) {
			started := time.Now()
			a := g.query(t, "", c.query, nil)
			wantRefusal(t, g, a, http.StatusBadRequest, c.code, c.most)
			if path := "/graphql?query=" + url.QueryEscape(c.query); len(path) < 60_000 {
				a = g.send(t, http.MethodGet, path, "", "Accept: application/graphql-response+json")
				wantRefusal(t, g, a, http.StatusBadRequest, c.code, c.most)
			}
			if took := time.Since(started); took > sane {
				t.Errorf("it took %s", took)
			}
			wantServing(t, g)
		})
	}
}

func gzipped(size int64) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.CopyN(w, endless("a"), size)
	_ = w.Close()
	return b.String()
}

// endless is a reader that repeats a text forever.
type endless string

func (e endless) Read(p []byte) (int, error) {
	for n := copy(p, e); n < len(p); {
		n += copy(p[n:], p[:n])
	}
	return len(p), nil
}

// Malformed bodies never reach a resolver.
func TestHostileBodies(t *testing.T) {
	g := newGateway(t)
	const canary = `{"query":"{product(sku:\"B-100\"){sku}}"}`
	multipart := "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + canary +
		"\r\n--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"0\":[\"variables.f.999999999\"]}\r\n--x--\r\n"
	for _, c := range []struct {
		name, header, body string
		status             int
		code               string
	}{
		{"a list of operations", "", "[" + canary + "]", 400, "BAD_REQUEST"},
		{"1,000 operations", "", "[" + strings.Repeat(canary+",", 999) + canary + "]", 400, "BAD_REQUEST"},
		{"an empty list", "", "[]", 400, "BAD_REQUEST"},
		{"nothing", "", "", 400, "BAD_REQUEST"},
		{"no query", "", "{}", 400, "BAD_REQUEST"},
		{"null", "", "null", 400, "BAD_REQUEST"},
		{"a query that is null", "", `{"query":null}`, 400, "BAD_REQUEST"},
		{"a query that is a list", "", `{"query":["{__typename}"]}`, 400, "BAD_REQUEST"},
		{"a query twice", "", `{"query":"{__typename}","query":"{__typename}"}`, 400, "BAD_REQUEST"},
		{"a query by another case", "", `{"Query":"{__typename}"}`, 400, "BAD_REQUEST"},
		{"a variable twice", "", `{"query":"query($s:ID!){product(sku:$s){sku}}","variables":{"s":"B-100","s":"B-101"}}`, 400, "BAD_REQUEST"},
		{"half a surrogate pair", "", `{"query":"{__typename}","variables":{"s":"\ud800"}}`, 400, "BAD_REQUEST"},
		{"half a surrogate pair in a literal", "", `{"query":"{product(sku:\"\\ud800\"){sku}}"}`, 400, "GRAPHQL_PARSE_FAILED"},
		{"a number that goes on as a name", "", `{"query":"{products(first: 10after: \"x\"){totalCount}}"}`, 400, "GRAPHQL_PARSE_FAILED"},
		{"variables that are a list", "", `{"query":"{__typename}","variables":[]}`, 400, "BAD_REQUEST"},
		{"extensions that are a text", "", `{"query":"{__typename}","extensions":"x"}`, 400, "BAD_REQUEST"},
		{"an operation's name that is a number", "", `{"query":"{__typename}","operationName":1}`, 400, "BAD_REQUEST"},
		{"an operation's name of 500,000 letters", "", `{"query":"{__typename}","operationName":"` + strings.Repeat("a", 500_000) + `"}`, 400, "OPERATION_RESOLUTION_FAILURE"},
		{"something after the end", "", canary + canary, 400, "BAD_REQUEST"},
		{"an end that is missing", "", canary[:len(canary)-1], 400, "BAD_REQUEST"},
		{"junk", "", strings.Repeat("\xff", 100_000), 400, "BAD_REQUEST"},
		{"null bytes", "", strings.Repeat("\x00", 100_000), 400, "BAD_REQUEST"},
		{"bad UTF-8 in the query", "", "{\"query\":\"{__typename}#\xff\"}", 400, "BAD_REQUEST"},
		{"a byte order mark", "", "\ufeff" + canary, 400, "BAD_REQUEST"},
		{"JSON 900,000 deep", "", strings.Repeat("[", 900_000), 400, "BAD_REQUEST"},
		{"variables 100,000 deep", "", `{"query":"query($j:[Int]){__typename}","variables":{"j":` + nested(100_000, "[", "", "]") + `}}`, 400, "BAD_REQUEST"},
		{"variables 9,000 deep", "", `{"query":"query($s:[OrderStatus!]){orders(status:$s){nodes{id}}}","variables":{"s":` + nested(9_000, "[", "", "]") + `}}`, 400, "BAD_REQUEST"},
		{"an integer of 400 digits", "", `{"query":"query($n:Int){products(first:$n){totalCount}}","variables":{"n":` + strings.Repeat("9", 400) + `}}`, 400, "BAD_USER_INPUT"},
		{"an exponent of 400", "", `{"query":"query($n:Int){products(first:$n){totalCount}}","variables":{"n":1e400}}`, 400, "BAD_USER_INPUT"},
		{"an exponent of 9 digits", "", `{"query":"query($n:Int){products(first:$n){totalCount}}","variables":{"n":1e999999999}}`, 400, "BAD_USER_INPUT"},
		{"a number that is not an integer", "", `{"query":"query($n:Int){products(first:$n){totalCount}}","variables":{"n":1.5}}`, 400, "BAD_USER_INPUT"},
		{"490,000 letters for a number", "", `{"query":"query($n:Int){products(first:$n){totalCount}}","variables":{"n":"` + strings.Repeat("9", 490_000) + `"}}`, 400, "BAD_USER_INPUT"},
		{"variables of 900,000 letters", "", `{"query":"query($n:Int){products(first:$n){totalCount}}","variables":{"n":"` + strings.Repeat("9", 900_000) + `"}}`, 400, "BAD_REQUEST"},
		{"100,000 wrong values", "", `{"query":"query($s:[OrderStatus!]){orders(status:$s){nodes{id}}}","variables":{"s":[` + strings.Repeat(`"x",`, 99_999) + `"x"]}}`, 400, "BAD_USER_INPUT"},
		{"unknown members of an input", "", `{"query":"mutation($i:NewUser!){createUser(input:$i){id}}","variables":{"i":{"__proto__":{"role":"ADMIN"},"constructor":1}}}`, 400, "BAD_USER_INPUT"},
		{"UTF-16", "Content-Type: application/json; charset=utf-16", canary, 415, "BAD_REQUEST"},
		{"Latin-1", "Content-Type: application/json; charset=iso-8859-1", canary, 415, "BAD_REQUEST"},
		{"UTF-7", "Content-Type: application/json; charset=utf-7", canary, 415, "BAD_REQUEST"},
		{"text", "Content-Type: text/plain", canary, 415, "BAD_REQUEST"},
		{"a form", "Content-Type: application/x-www-form-urlencoded", "query=%7B__typename%7D", 415, "BAD_REQUEST"},
		{"multipart", "Content-Type: multipart/form-data; boundary=x", multipart, 415, "BAD_REQUEST"},
		{"multipart without boundary", "Content-Type: multipart/form-data", multipart, 415, "BAD_REQUEST"},
		{"multipart, cut off", "Content-Type: multipart/form-data; boundary=x", multipart[:40], 415, "BAD_REQUEST"},
		{"the query as a body", "Content-Type: application/graphql", "{__typename}", 415, "BAD_REQUEST"},
		{"a type that is none", "Content-Type: ;;;", canary, 415, "BAD_REQUEST"},
		{"a gzip bomb", "Content-Encoding: gzip", gzipped(16 << 20), 415, "BAD_REQUEST"},
		{"an encoding twice", "Content-Encoding: gzip, gzip", gzipped(1 << 10), 415, "BAD_REQUEST"},
		{"an unknown encoding", "Content-Encoding: aes128gcm", canary, 415, "BAD_REQUEST"},
		{"a byte more than 1 MB", "", `{"query":"{__typename}"` + strings.Repeat(" ", 1_000_001-24) + "}", 413, "BAD_REQUEST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			started := time.Now()
			header := []string{"Accept: application/graphql-response+json"}
			if !strings.HasPrefix(c.header, "Content-Type") {
				header = append(header, "Content-Type: application/json")
			}
			if c.header != "" {
				header = append(header, c.header)
			}
			wantRefusal(t, g, g.send(t, http.MethodPost, "/graphql", c.body, header...), c.status, c.code, small)
			if took := time.Since(started); took > sane {
				t.Errorf("it took %s", took)
			}
			wantServing(t, g)
		})
	}
}

// A body of 64 MB is refused without reading it, with and without a Content-Length.
func TestHugeBody(t *testing.T) {
	g := newGateway(t)
	for name, length := range map[string]int64{"announced": 64 << 20, "in chunks": -1} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			request, err := http.NewRequest(http.MethodPost, g.URL+"/graphql", io.LimitReader(endless(`{"query":"`), 64<<20))
			if err != nil {
				t.Fatal(err)
			}
			request.ContentLength = length
			request.Header.Set("Content-Type", "application/json")
			wantRefusal(t, g, roundTrip(t, request), http.StatusRequestEntityTooLarge, "BAD_REQUEST", small)
			runtime.ReadMemStats(&after)
			if took := time.Since(started); took > sane {
				t.Errorf("it took %s", took)
			}
			if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 32 {
				t.Errorf("it took %d MB of memory", grown)
			}
			wantServing(t, g)
		})
	}
}

// A value that fits into a request to the gateway may be too long for a request to a service.
func TestValuesTooLongForAService(t *testing.T) {
	g := newGateway(t)
	admin := g.token(t, services.Admin)
	for _, query := range []string{
		`query($s: ID!) { product(sku: $s) { sku } }`,
		`query($s: ID!) { user(id: $s) { id } }`,
		`query($s: String!) { products(q: $s) { totalCount } }`,
		`query($s: String!) { search(text: $s) { __typename } }`,
		`mutation($s: String!) { createOrder(input: {userId: "u1", lines: [{productId: "B-100"}]}, idempotencyKey: $s) { id } }`,
	} {
		g.Shop.ResetCalls()
		a := g.query(t, admin, query, map[string]any{"s": strings.Repeat("a", 70_000)})
		if a.Status != http.StatusOK || a.codes() != "BAD_USER_INPUT" || a.Errors[0].Extensions.HTTP.Status != 0 || len(a.Body) > small {
			t.Errorf("%s: got %d %.300s", query, a.Status, a.Body)
		}
		if !strings.Contains(query, "search") { // which makes another call, without the text, at the same time
			g.wantCalls(t, map[string]int{})
		}
	}
	a := g.query(t, admin, `mutation($s: String!) { createUser(input: {email: $s, name: $s, password: $s}) { id } }`, map[string]any{"s": strings.Repeat("a", 400_000)})
	if a.codes() != "BAD_USER_INPUT" || a.Errors[0].Extensions.HTTP.Status != http.StatusRequestEntityTooLarge || len(a.Body) > small {
		t.Errorf("got %.300s", a.Body)
	}
}

// Unusual but valid requests are executed.
func TestUnusualButValidRequests(t *testing.T) {
	g := newGateway(t)
	for _, c := range []struct{ name, body, want string }{
		{
			"names of JavaScript's", requestBody(`{ __proto__: __typename constructor: __typename toString: __typename hasOwnProperty: __typename }`),
			`{"__proto__":"Query","constructor":"Query","toString":"Query","hasOwnProperty":"Query"}`,
		},
		{"unknown members", `{"query":"{__typename}","__proto__":{"query":"{a}"},"persistedQuery":1}`, `{"__typename":"Query"}`},
		{"unused variables", `{"query":"{__typename}","variables":{"a":"` + strings.Repeat("a", 490_000) + `"}}`, `{"__typename":"Query"}`},
		{"a comment of 900,000 letters", requestBody("{__typename} #" + strings.Repeat("a", 900_000)), `{"__typename":"Query"}`},
		{"900,000 commas", requestBody("{__typename" + strings.Repeat(",", 900_000) + "}"), `{"__typename":"Query"}`},
		{"1,900 times the same", requestBody("{" + strings.Repeat("__typename ", 1_900) + "}"), `{"__typename":"Query"}`},
		{"exactly 1 MB", `{"query":"{__typename}"` + strings.Repeat(" ", 1_000_000-24) + "}", `{"__typename":"Query"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g.Shop.ResetCalls()
			wantData(t, g.post(t, "", strings.NewReader(c.body)), c.want)
		})
	}
}

// Malformed HTTP requests are refused without an effect.
func TestHostileRequests(t *testing.T) {
	g := newGateway(t)
	admin := "Authorization: Bearer " + g.token(t, services.Admin)
	const remove = `mutation { deleteUser(id: "u2") }`
	for _, c := range []struct {
		name, method, path, body, header string
		status                           int
	}{
		{"a mutation by GET", "GET", "/graphql?query=" + url.QueryEscape(remove), "", admin, 405},
		{"a mutation by HEAD", "HEAD", "/graphql?query=" + url.QueryEscape(remove), "", admin, 405},
		{"a mutation by PUT", "PUT", "/graphql", requestBody(remove), admin, 405},
		{"a mutation in the URL of a POST", "POST", "/graphql?query=" + url.QueryEscape(remove), "", admin, 400},
		{"another method in a header", "GET", "/graphql?query=" + url.QueryEscape(remove), "", "X-HTTP-Method-Override: POST", 405},
		{"a URL without a query", "GET", "/graphql?query=%zz", "", "", 400},
		{"variables in the URL that are no JSON", "GET", "/graphql?query={__typename}&variables={", "", "", 400},
		{"an answer that cannot be", "POST", "/graphql", requestBody("{__typename}"), "Accept: image/png", 406},
		{"a path within the playground", "GET", "/playground/..%2f..%2f..%2fetc%2fpasswd", "", "", 404},
		{"another path", "POST", "/admin", requestBody(remove), admin, 404},
		{"a header of 100 KB", "POST", "/graphql", requestBody("{__typename}"), "X-Long: " + strings.Repeat("a", 100<<10), 431},
		{"a URL of 100 KB", "GET", "/graphql?query=" + strings.Repeat("a", 100<<10), "", "", 431},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := []string{"Content-Type: application/json"}
			if c.header != "" {
				header = append(header, c.header)
			}
			a := g.send(t, c.method, c.path, c.body, header...)
			if a.Status != c.status || len(a.Body) > small || a.Data != nil {
				t.Errorf("got %d %.300s, want %d", a.Status, a.Body, c.status)
			}
			g.wantCalls(t, map[string]int{})
			wantServing(t, g)
		})
	}
}

// raw writes to a new connection and returns what it receives until the connection is closed.
func (g *gatewayUnderTest) raw(t *testing.T, text string) (answer string, took time.Duration) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // only reached if the gateway hangs
	started := time.Now()
	_, _ = io.WriteString(conn, text)
	all, _ := io.ReadAll(bufio.NewReader(conn))
	return string(all), time.Since(started)
}

// A slow request, or two smuggled as one, holds no resources for long.
func TestSlowAndSmuggledRequests(t *testing.T) {
	t.Parallel() // it waits
	g := newGateway(t, func(c *config.Config) { c.Execution.Deadline = time.Second })
	const post = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	var clients sync.WaitGroup
	for _, c := range []struct{ name, text, want string }{
		{"slow headers", "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ", ""},
		{"a slow body", post + "Content-Length: 100\r\n\r\n{", " 400 "},
		{"a slow body elsewhere", "POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", " 404 "},
		{"slow chunks", post + "Transfer-Encoding: chunked\r\n\r\n5\r\n{", " 400 "},
		{"two lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}", " 400 "},
		{"a negative length", post + "Content-Length: -1\r\n\r\n{}", " 400 "},
		{"an unknown coding", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", " 501 "},
		{"a chunk's size that overflows", post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", " 400 "},
		{"no host", "GET /healthz HTTP/1.1\r\n\r\n", " 400 "},
		{"a null byte in a header", "GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", " 400 "},
		{"another protocol", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", " 400 "},
	} {
		clients.Go(func() {
			got, took := g.raw(t, c.text)
			if line, _, _ := strings.Cut(got, "\r\n"); !strings.Contains(line, c.want) || c.want == "" && got != "" || len(got) > small {
				t.Errorf("%s: got %.200q", c.name, got)
			}
			if took > 20*time.Second {
				t.Errorf("%s: it took %s", c.name, took)
			}
		})
	}
	clients.Wait()
	g.wantCalls(t, map[string]int{})
	wantServing(t, g)
}

// expensive returns queries within the limits that are costly to validate or to execute.
func expensive() map[string]string {
	return map[string]string{
		"a field 1,990 times":              "{" + strings.Repeat("__typename ", 1_990) + "}",
		"a chain of fragments":             "{...f0}" + repeatNumbered(199, " fragment f# on Query{__typename ...f@}") + " fragment f199 on Query{__typename}",
		"a chain with a fan at its end":    "{...f0}" + repeatNumbered(180, " fragment f# on Query{...f@}") + " fragment f180 on Query{...g0}" + repeatNumbered(11, " fragment g# on Query{...g@ ...g@}") + " fragment g11 on Query{product(sku:1){sku}}",
		"10,000 selections":                "{products(first:200){nodes{...g0}}}" + repeatNumbered(11, " fragment g# on Product{...g@ ...g@}") + " fragment g11 on Product{sku name}",
		"160 operations":                   repeatNumbered(160, "query A#{...f} ") + " fragment f on Query{" + strings.Repeat("__typename ", 60) + "}",
		"types apart":                      "{search(text:\"aa\"){" + repeatNumbered(55, "...on Product{category{name id}} ...on Category{parent{name id}} ") + "}}",
		"introspection, as deep as it may": "{" + repeatNumbered(28, "a#:__schema{types{name fields{name args{name type{name}} type{name ofType{name}}} enumValues{name}}}") + "}",
		"unknown fields of 200 letters":    "{" + repeatNumbered(1_900, strings.Repeat("x", 200)+"# ") + "}",
	}
}

// A gateway under many of the worst queries still serves others.
func TestManyWorstQueriesAtOnce(t *testing.T) {
	g := newGateway(t)
	queries := expensive()
	var clients sync.WaitGroup
	for range 2 {
		for name, query := range queries {
			clients.Go(func() {
				if a := g.query(t, "", query, nil); a.Status >= 500 || len(a.Body) > 512<<10 {
					t.Errorf("%s: got %d, %d bytes", name, a.Status, len(a.Body))
				}
			})
		}
	}
	wantServing(t, g)
	clients.Wait()
	wantServing(t, g)
}

func BenchmarkExpensiveValidation(b *testing.B) {
	schema := graph.NewSchema(&resolvers.Resolver{}).Schema()
	for name, query := range expensive() {
		b.Run(name, func(b *testing.B) {
			store := document.NewStore(schema, document.Options{Size: -1, Suggestions: true})
			for b.Loop() {
				store.Get(b.Context(), query)
			}
		})
	}
}
