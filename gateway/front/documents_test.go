package front_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
	"github.com/gatehouse-graphql/gatehouse/store"
)

// manifest returns the entry of a client whose manifest has documents by ids.
func manifest(t *testing.T, client string, texts map[string]string) documents.Manifest {
	t.Helper()
	file := filepath.Join(t.TempDir(), "m.json")
	writeManifest(t, file, texts)
	return documents.Manifest{Client: client, Files: []string{file}}
}

func writeManifest(t *testing.T, file string, texts map[string]string) {
	t.Helper()
	text, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// byID are all ways to send the id of a document, with variables.
var byID = map[string]func(t *testing.T, g *gateway, id, variables string) *http.Request{
	"POST documentId": postID("documentId"),
	"POST doc_id":     postID("doc_id"),
	"POST id":         postID("id"),
	"POST extension": func(t *testing.T, g *gateway, id, variables string) *http.Request {
		return g.request(t, "POST", "/graphql", `{"extensions":`+extension(id)+`,"variables":`+variables+`}`, "Content-Type: "+typeJSON, "Accept: "+typeGraphQL)
	},
	"POST path": func(t *testing.T, g *gateway, id, variables string) *http.Request {
		return g.request(t, "POST", "/graphql/"+url.PathEscape(id), `{"variables":`+variables+`}`, "Content-Type: "+typeJSON, "Accept: "+typeGraphQL)
	},
	"GET documentId": getID("documentId"),
	"GET doc_id":     getID("doc_id"),
	"GET id":         getID("id"),
	"GET extension": func(t *testing.T, g *gateway, id, variables string) *http.Request {
		return g.request(t, "GET", "/graphql?extensions="+url.QueryEscape(extension(id))+"&variables="+url.QueryEscape(variables), "", "Accept: "+typeGraphQL)
	},
	"GET path": func(t *testing.T, g *gateway, id, variables string) *http.Request {
		return g.request(t, "GET", "/graphql/"+url.PathEscape(id)+"?variables="+url.QueryEscape(variables), "", "Accept: "+typeGraphQL)
	},
}

func postID(member string) func(*testing.T, *gateway, string, string) *http.Request {
	return func(t *testing.T, g *gateway, id, variables string) *http.Request {
		body := fmt.Sprintf(`{%q:%q,"variables":%s}`, member, id, variables)
		return g.request(t, "POST", "/graphql", body, "Content-Type: "+typeJSON, "Accept: "+typeGraphQL)
	}
}

func getID(member string) func(*testing.T, *gateway, string, string) *http.Request {
	return func(t *testing.T, g *gateway, id, variables string) *http.Request {
		return g.request(t, "GET", "/graphql?"+member+"="+url.QueryEscape(id)+"&variables="+url.QueryEscape(variables), "", "Accept: "+typeGraphQL)
	}
}

func extension(hash string) string {
	return fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":%q}}`, hash)
}

// byText are the ways to send a text.
var byText = map[string]func(t *testing.T, g *gateway, text, variables string) *http.Request{
	"POST text": func(t *testing.T, g *gateway, text, variables string) *http.Request {
		body := fmt.Sprintf(`{"query":%q,"variables":%s}`, text, variables)
		return g.request(t, "POST", "/graphql", body, "Content-Type: "+typeJSON, "Accept: "+typeGraphQL)
	},
	"POST text and a known id": func(t *testing.T, g *gateway, text, variables string) *http.Request {
		body := fmt.Sprintf(`{"query":%q,"documentId":"custom","variables":%s}`, text, variables)
		return g.request(t, "POST", "/graphql", body, "Content-Type: "+typeJSON, "Accept: "+typeGraphQL)
	},
	"POST text to the path of a known id": func(t *testing.T, g *gateway, text, variables string) *http.Request {
		body := fmt.Sprintf(`{"query":%q,"variables":%s}`, text, variables)
		return g.request(t, "POST", "/graphql/custom", body, "Content-Type: "+typeJSON, "Accept: "+typeGraphQL)
	},
	"GET text": func(t *testing.T, g *gateway, text, variables string) *http.Request {
		return g.request(t, "GET", "/graphql?query="+url.QueryEscape(text)+"&variables="+url.QueryEscape(variables), "", "Accept: "+typeGraphQL)
	},
}

// tokens accepts the token "good".
func tokens(d *front.Deps) {
	d.Verify = func(_ context.Context, authorization string) (*auth.Identity, error) {
		if authorization == "Bearer good" {
			return &auth.Identity{Subject: "u1"}, nil
		}
		return nil, nil
	}
}

const (
	listed   = "query Trusted { n }"
	outside  = "query Outside { n s }"
	executed = "200 "
)

// Each mode, with each kind of caller, by each way: what a manifest has is executed, and what it does not
// have is executed or refused as the mode says.
func TestModes(t *testing.T) {
	const (
		notSupported = "200 PERSISTED_QUERY_NOT_SUPPORTED"
		notFound     = "200 PERSISTED_QUERY_NOT_FOUND"
		unknown      = "404 PERSISTED_QUERY_NOT_FOUND"
		notListed    = "403 QUERY_NOT_IN_SAFELIST"
		idRequired   = "400 PERSISTED_QUERY_ID_REQUIRED"
		noPath       = "404 NOT_FOUND"
	)
	type want struct{ known, unknown, listed, unlisted string }
	free := want{executed, notFound, executed, executed}
	enforced := want{executed, unknown, executed, notListed}
	for name, test := range map[string]struct {
		options                  documents.Options
		anonymous, authenticated want
	}{
		"off":               {documents.Options{}, want{notSupported, notSupported, executed, executed}, want{notSupported, notSupported, executed, executed}},
		"log":               {documents.Options{Mode: documents.Log}, free, free},
		"enforce":           {documents.Options{Mode: documents.Enforce}, enforced, enforced},
		"enforce-anonymous": {documents.Options{Mode: documents.EnforceAnonymous}, enforced, free},
		"enforce, by id": {
			documents.Options{Mode: documents.Enforce, RequireID: true},
			want{executed, unknown, idRequired, notListed},
			want{executed, unknown, idRequired, notListed},
		},
		"enforce, with APQ": {documents.Options{Mode: documents.Enforce, APQ: documents.APQ{Enabled: true}}, enforced, enforced},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.options
			o.Manifests = []documents.Manifest{manifest(t, "", map[string]string{"custom": listed})}
			g := newGateway(t, front.Options{Documents: o}, nil, tokens)
			check := func(way string, r *http.Request, want string) {
				t.Helper()
				before := g.service.asked.Load()
				got := g.do(t, r)
				if now := fmt.Sprint(got.status, " ", got.code()); now != want || got.status == 404 && strings.Contains(got.text, "data") {
					t.Errorf("%s: got %s %s, want %s", way, now, got.text, want)
				}
				if n := g.service.asked.Load() - before; n == 1 != (want == executed) || n > 1 {
					t.Errorf("%s: executed %d times", way, n)
				}
			}
			for token, want := range map[string]want{"Bearer good": test.authenticated, "": test.anonymous} {
				with := func(r *http.Request) *http.Request {
					if token != "" {
						r.Header.Set("Authorization", token)
					}
					return r
				}
				for way, send := range byID {
					for id, want := range map[string]string{
						"custom": want.known, documents.Hash(listed): want.known, "sha256:" + documents.Hash(listed): want.known,
						"other": want.unknown, documents.Hash(outside): want.unknown, "sha256:custom": want.unknown,
					} {
						if strings.HasSuffix(way, "path") && name == "off" {
							want = noPath
						}
						check(fmt.Sprintf("%q by %s, id %s", token, way, id), with(send(t, g, id, "{}")), want)
					}
				}
				for way, send := range byText {
					if strings.HasSuffix(way, "known id") && strings.Contains(way, "path") && name == "off" {
						continue
					}
					check(fmt.Sprintf("%q by %s, listed", token, way), with(send(t, g, listed, "{}")), want.listed)
					check(fmt.Sprintf("%q by %s, listed, with white space", token, way), with(send(t, g, "query Trusted{n}# the same", "{}")), want.listed)
					check(fmt.Sprintf("%q by %s, unlisted", token, way), with(send(t, g, outside, "{}")), want.unlisted)
				}
			}
			for _, cache := range []string{"GET path", "GET documentId"} {
				if got := g.do(t, byID[cache](t, g, "custom", "{}")); got.header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s: %v", cache, got.header)
				}
			}
		})
	}
}

// A text that is refused is not parsed, so that its errors show nothing of the schema, nor is an
// introspection executed that no manifest has.
func TestEnforceHidesTheSchema(t *testing.T) {
	o := front.Options{Introspection: true, Documents: documents.Options{Mode: documents.Enforce, Manifests: []documents.Manifest{manifest(t, "", map[string]string{"1": listed})}}}
	g := newGateway(t, o, nil)
	for _, text := range []string{"{nn}", "{", "{__schema{types{name}}}", "{__typename}", "query Trusted { n } query Outside { n }", "query Trusted { n ...f } fragment f on Query { s }"} {
		if got := g.ask(t, text); got.status != 403 || got.code() != "QUERY_NOT_IN_SAFELIST" || strings.Contains(got.text, "mean") {
			t.Errorf("%s: %d %s", text, got.status, got.text)
		}
	}
	if n := g.service.asked.Load(); n != 0 {
		t.Errorf("%d were executed", n)
	}
}

// Every limit holds for a document that came by its id, as for its text.
func TestLimitsHoldByID(t *testing.T) {
	deep := "{" + strings.Repeat("q{", 20) + "n" + strings.Repeat("}", 21)
	many := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, test := range map[string]struct {
		text, variables string
		options         front.Options
		status          int // by POST
		code            string
	}{
		"depth":           {deep, "{}", front.Options{}, 400, "MAX_DEPTH_LIMIT"},
		"tokens":          {"{" + strings.Repeat("n ", 3000) + "}", "{}", front.Options{}, 400, "GRAPHQL_PARSE_FAILED"},
		"aliases":         {"{q{" + many("a%d: n ", 101) + "}}", "{}", front.Options{}, 400, "MAX_ALIASES_LIMIT"},
		"root fields":     {"{" + many("a%d: n ", 31) + "}", "{}", front.Options{}, 400, "MAX_ROOT_FIELDS_LIMIT"},
		"directives":      {"{n " + strings.Repeat("@skip(if:false)", 51) + "}", "{}", front.Options{}, 400, "MAX_DIRECTIVES_LIMIT"},
		"selections":      {"{n s}", "{}", front.Options{Limits: limit.Options{Selections: 1}}, 400, "MAX_SELECTIONS_LIMIT"},
		"several":         {"query A{n} query B" + deep, "{}", front.Options{}, 400, "OPERATION_RESOLUTION_FAILURE"},
		"not valid":       {"{nope}", "{}", front.Options{}, 400, "GRAPHQL_VALIDATION_FAILED"},
		"not GraphQL":     {"{", "{}", front.Options{}, 400, "GRAPHQL_PARSE_FAILED"},
		"introspection":   {"{__schema{description}}", "{}", front.Options{}, 400, "INTROSPECTION_DISABLED"},
		"a variable":      {"query($n: Int!){s(first:$n)}", `{"n":"x"}`, front.Options{}, 400, "BAD_USER_INPUT"},
		"no variable":     {"query($n: Int!){s(first:$n)}", `{}`, front.Options{}, 400, "BAD_USER_INPUT"},
		"JSON two names":  {"query($n: Int!){s(first:$n)}", `{"n":1,"n":2}`, front.Options{}, 400, "BAD_REQUEST"},
		"a subscription":  {"subscription{ticks}", "{}", front.Options{}, 400, "BAD_REQUEST"},
		"mutation by GET": {"mutation{set(n:1)}", "{}", front.Options{}, 405, "BAD_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.options
			o.Documents = documents.Options{Mode: documents.Log, Manifests: []documents.Manifest{manifest(t, "", map[string]string{"1": test.text})}}
			g := newGateway(t, o, nil)
			for way, send := range byID {
				if strings.HasPrefix(way, "POST") && test.status == 405 {
					continue
				}
				got := g.do(t, send(t, g, "1", test.variables))
				if got.status != test.status || got.code() != test.code {
					t.Errorf("%s: %d %s", way, got.status, got.text)
				}
				if test.code == "MAX_DEPTH_LIMIT" && !strings.Contains(got.text, "the limit is 15") {
					t.Errorf("%s: %s", way, got.text)
				}
			}
			if n := g.service.asked.Load(); n != 0 {
				t.Errorf("executed %d times", n)
			}
		})
	}
}

// What a page of another origin can send without a preflight is refused by the path of an id as well, and
// so are large bodies and other methods.
func TestHTTPHoldsByID(t *testing.T) {
	o := front.Options{BodyBytes: 100, Documents: documents.Options{Mode: documents.Enforce, Manifests: []documents.Manifest{manifest(t, "", map[string]string{"1": listed, "m": "mutation{set(n:1)}"})}}}
	g := newGateway(t, o, nil)
	for name, test := range map[string]struct {
		request *http.Request
		status  int
	}{
		"a form":           {g.request(t, "POST", "/graphql/m", "a=b", "Content-Type: application/x-www-form-urlencoded"), 415},
		"text":             {g.request(t, "POST", "/graphql/m", "{}", "Content-Type: text/plain"), 415},
		"no type":          {g.request(t, "POST", "/graphql/m", "{}"), 415},
		"no body":          {g.request(t, "POST", "/graphql/m", "", "Content-Type: "+typeJSON), 400},
		"a mutation":       {g.request(t, "GET", "/graphql/m", ""), 405},
		"by HEAD":          {g.request(t, "HEAD", "/graphql/m", ""), 405},
		"a large body":     {g.request(t, "POST", "/graphql/1", strings.Repeat(" ", 101)+"{}", "Content-Type: "+typeJSON), 413},
		"another method":   {g.request(t, "DELETE", "/graphql/1", ""), 405},
		"a longer path":    {g.request(t, "GET", "/graphql/1/2", ""), 404},
		"two ids":          {g.request(t, "GET", "/graphql/1?documentId=m", ""), 400},
		"a wrong encoding": {g.request(t, "POST", "/graphql/1", "{}", "Content-Type: "+typeJSON, "Content-Encoding: gzip"), 415},
	} {
		if got := g.do(t, test.request); got.status != test.status {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	if n := g.service.asked.Load(); n != 0 {
		t.Errorf("executed %d times", n)
	}
	for name, r := range map[string]*http.Request{
		"by GET":           g.request(t, "GET", "/graphql/1", ""),
		"by HEAD":          g.request(t, "HEAD", "/graphql/1", ""),
		"a mutation":       g.request(t, "POST", "/graphql/m", "{}", "Content-Type: "+typeJSON),
		"with a preflight": g.request(t, "POST", "/graphql/1", "{}", "Content-Type: "+typeJSON+"; charset=utf-8"),
	} {
		if got := g.do(t, r); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	if n := g.service.asked.Load(); n != 4 {
		t.Errorf("%d of 4 were executed", n)
	}
}

// Clients with manifests of their own have ids of their own.
func TestClientsHaveTheirOwnManifests(t *testing.T) {
	o := front.Options{Documents: documents.Options{Mode: documents.Enforce, Manifests: []documents.Manifest{
		manifest(t, "web", map[string]string{"1": listed}), manifest(t, "ios", map[string]string{"1": "{s}"}),
	}}}
	g := newGateway(t, o, nil)
	for _, test := range []struct{ header, id, text, want string }{
		{"Graphql-Client-Name: web", "1", listed, executed},
		{"Apollographql-Client-Name: ios", "1", "{s}", executed},
		{"X: y", "1", "", "404 PERSISTED_QUERY_NOT_FOUND"},
		{"Graphql-Client-Name: other", "1", "", "404 PERSISTED_QUERY_NOT_FOUND"},
		{"Graphql-Client-Name: other", documents.Hash("{s}"), "{s}", executed},
		{"Graphql-Client-Name: web", documents.Hash("{s}"), "", "404 PERSISTED_QUERY_NOT_FOUND"},
	} {
		r := byID["GET path"](t, g, test.id, "{}")
		name, value, _ := strings.Cut(test.header, ": ")
		r.Header.Set(name, value)
		if got := g.do(t, r); fmt.Sprint(got.status, " ", got.code()) != test.want {
			t.Errorf("%+v: %d %s", test, got.status, got.text)
		}
	}
}

// In the mode log, each text that no manifest has is logged once, with its operation and its hash. With
// enforce, refused ones are.
func TestUnlistedDocumentsAreLogged(t *testing.T) {
	var mu sync.Mutex
	counted := map[documents.Outcome]int{}
	counts := func(d *front.Deps) {
		d.OnDocument = func(o documents.Outcome) { mu.Lock(); counted[o]++; mu.Unlock() }
	}
	o := documents.Options{Mode: documents.Log, Manifests: []documents.Manifest{manifest(t, "", map[string]string{"1": listed})}}
	g := newGateway(t, front.Options{Documents: o}, nil, counts)
	for range 3 {
		g.ask(t, outside, "Graphql-Client-Name: web")
		g.ask(t, listed)
		g.do(t, byID["GET path"](t, g, "1", "{}"))
		g.do(t, byID["GET path"](t, g, "2", "{}"))
	}
	lines := g.log.lines(t, "a document that no manifest has is executed")
	if len(lines) != 1 || lines[0]["operation"] != "Outside" || lines[0]["document"] != documents.Hash(outside) || lines[0]["request_id"] == "" || lines[0]["client"] != "web" {
		t.Errorf("%v", lines)
	}
	if want := map[documents.Outcome]int{documents.Unlisted: 3, documents.Listed: 3, documents.Known: 3, documents.Unknown: 3}; fmt.Sprint(counted) != fmt.Sprint(want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
	for i := range 1200 {
		g.ask(t, fmt.Sprintf("{n%d:n}", i))
	}
	if n := len(g.log.lines(t, "a document that no manifest has is executed")); n != 1000 {
		t.Errorf("%d lines", n)
	}
	if n := len(g.log.lines(t, "there are many documents that no manifest has; more of them are not logged for an hour")); n != 1 {
		t.Errorf("%d lines that say so", n)
	}

	clear(counted)
	o.Mode = documents.Enforce
	g = newGateway(t, front.Options{Documents: o}, nil, counts)
	for range 3 {
		g.ask(t, outside)
	}
	lines = g.log.lines(t, "a document that no manifest has was refused")
	if len(lines) != 1 || lines[0]["document"] != documents.Hash(outside) || lines[0]["operation"] != nil {
		t.Errorf("%v", lines)
	}
	if counted[documents.Refused] != 3 || len(counted) != 1 {
		t.Errorf("counted %v", counted)
	}
}

// What cannot be executed of a manifest is told when it is read, with its name, and keeps nothing else
// from being served.
func TestWrongDocumentsAreTold(t *testing.T) {
	texts := map[string]string{"good": listed, "wrong": "query Old { gone }", "deep": "{" + strings.Repeat("q{", 20) + "n" + strings.Repeat("}", 21), "schema": "{__schema{description}}"}
	o := documents.Options{Mode: documents.Enforce, Manifests: []documents.Manifest{manifest(t, "", texts)}}
	g := newGateway(t, front.Options{Documents: o}, nil)
	told := map[any]any{}
	for _, line := range g.log.lines(t, "a document of a manifest cannot be executed") {
		told[line["id"]] = line["code"]
		if line["file"] != o.Manifests[0].Files[0] || line["error"] == "" || line["level"] != "WARN" {
			t.Errorf("%v", line)
		}
	}
	if want := "map[deep:MAX_DEPTH_LIMIT schema:INTROSPECTION_DISABLED wrong:GRAPHQL_VALIDATION_FAILED]"; fmt.Sprint(told) != want {
		t.Errorf("told %v, want %s", told, want)
	}
	lines := g.log.lines(t, "the documents of the manifests are planned")
	if len(lines) != 1 || lines[0]["documents"] != 4.0 || lines[0]["wrong"] != 3.0 || lines[0]["bytes"].(float64) < 1000 {
		t.Errorf("%v", lines)
	}
	if got := g.do(t, byID["GET path"](t, g, "good", "{}")); got.status != 200 {
		t.Errorf("%d %s", got.status, got.text)
	}

	many := map[string]string{}
	for i := range 100 {
		many[fmt.Sprint(i)] = fmt.Sprintf("{gone%d}", i)
	}
	o.Manifests = []documents.Manifest{manifest(t, "", many)}
	g = newGateway(t, front.Options{Documents: o}, nil)
	if n := len(g.log.lines(t, "a document of a manifest cannot be executed")); n != 20 {
		t.Errorf("%d lines", n)
	}
}

// pinningPlanner counts the operations that are pinned.
type pinningPlanner struct {
	planner
	mu     *sync.Mutex
	pinned map[string]int // by the text of the document
}

func (p pinningPlanner) Pin(op *graphql.OperationContext) (int, func()) {
	text := op.Operation.Position.Src.Input
	p.mu.Lock()
	p.pinned[text]++
	p.mu.Unlock()
	return 1, func() {
		p.mu.Lock()
		p.pinned[text]--
		p.mu.Unlock()
	}
}

func (p pinningPlanner) count(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pinned[text]
}

// The documents of manifests are planned before the gateway serves. A reload plans those that are new,
// and lets go of those that are gone; without a change nothing is planned again.
func TestDocumentsArePlannedAhead(t *testing.T) {
	p := pinningPlanner{planner{&service{}, func(*graphql.OperationContext, []byte) engine.Result { return written([]byte(`{"n":1}`)) }}, &sync.Mutex{}, map[string]int{}}
	entry := manifest(t, "", map[string]string{"1": listed, "2": "{n}"})
	o := front.Options{Documents: documents.Options{Mode: documents.Enforce, Manifests: []documents.Manifest{entry}}}
	var deps front.Deps
	f, log := newFront(t, o, p.service, func(d *front.Deps) { d.Schema = p; deps = *d })
	if p.count(listed) != 1 || p.count("{n}") != 1 {
		t.Fatalf("%v", p.pinned)
	}
	reload := func() {
		t.Helper()
		apply, err := f.Prepare(o, deps)
		if err != nil {
			t.Fatal(err)
		}
		apply()
	}
	reload()
	if n := len(log.lines(t, "the documents of the manifests are planned")); n != 1 || p.count(listed) != 1 {
		t.Errorf("without a change they were planned %d times", n)
	}
	writeManifest(t, entry.Files[0], map[string]string{"1": listed, "3": "{s}"})
	reload()
	if p.count("{s}") != 1 || p.count(listed) < 1 {
		t.Errorf("after a change: %v", p.pinned)
	}
	writeManifest(t, entry.Files[0], map[string]string{"1": ""})
	if _, err := f.Prepare(o, deps); err == nil || !strings.Contains(err.Error(), entry.Files[0]+`:1:2: the document "1" is empty`) {
		t.Errorf("a wrong manifest: %v", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for ; p.count("{n}") > 0 || p.count(listed) > 1; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatalf("what is gone stays planned: %v", p.pinned)
		}
	}
	runtime.KeepAlive(f)
	if p.count(listed) != 1 || p.count("{s}") != 1 {
		t.Errorf("%v", p.pinned)
	}
}

// Requests find their documents, by the old ids or by the new ones, while manifests are exchanged.
func TestManifestsAreExchangedUnderLoad(t *testing.T) {
	entry := manifest(t, "", map[string]string{"0": "{n0:n}", "stays": listed})
	o := front.Options{Documents: documents.Options{Mode: documents.Enforce, Manifests: []documents.Manifest{entry}}}
	var deps front.Deps
	g := newGateway(t, o, nil, func(d *front.Deps) { deps = *d })
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if got := g.do(t, byID["POST documentId"](t, g, "stays", "{}")); got.status != 200 {
					t.Errorf("%d %s", got.status, got.text)
					return
				}
			}
		})
	}
	for i := range 50 {
		writeManifest(t, entry.Files[0], map[string]string{fmt.Sprint(i): fmt.Sprintf("{n%d:n}", i), "stays": listed})
		apply, err := g.front.Prepare(o, deps)
		if err != nil {
			t.Fatal(err)
		}
		apply()
		if got := g.do(t, byID["GET path"](t, g, fmt.Sprint(i), "{}")); got.status != 200 {
			t.Errorf("the new one: %d %s", got.status, got.text)
		}
		if got := g.do(t, byID["GET path"](t, g, fmt.Sprint(i-1), "{}")); i > 0 && got.status != 404 {
			t.Errorf("the old one: %d %s", got.status, got.text)
		}
	}
	stop()
	clients.Wait()
}

// register sends a text with a hash, as clients do for automatic persisted queries.
func register(t *testing.T, g *gateway, text, hash string, headers ...string) *reply {
	t.Helper()
	body := fmt.Sprintf(`{"query":%q,"extensions":%s}`, text, extension(hash))
	return g.do(t, g.request(t, "POST", "/graphql", body, append([]string{"Content-Type: " + typeJSON, "Accept: " + typeGraphQL}, headers...)...))
}

// A text that a client has registered is executed by its hash. It is registered only if it has that hash,
// is valid, within the limits and was executed.
func TestAPQ(t *testing.T) {
	apq := front.Options{Documents: documents.Options{APQ: documents.APQ{Enabled: true}}}
	g := newGateway(t, apq, nil)
	for way, send := range byID {
		if got := g.do(t, send(t, g, documents.Hash(listed), "{}")); got.status != 200 || got.code() != "PERSISTED_QUERY_NOT_FOUND" || got.body.Errors[0].Message != "PersistedQueryNotFound" || len(got.body.Errors) != 1 {
			t.Errorf("%s before: %d %s", way, got.status, got.text)
		}
	}
	for name, test := range map[string]struct{ text, hash, code string }{
		"another hash": {listed, documents.Hash(outside), "PERSISTED_QUERY_HASH_MISMATCH"},
		"upper case":   {listed, strings.ToUpper(documents.Hash(listed)), "PERSISTED_QUERY_HASH_MISMATCH"},
		"not a hash":   {listed, "x", "PERSISTED_QUERY_HASH_MISMATCH"},
		"no hash":      {listed, "", "BAD_REQUEST"},
		"not valid":    {"{nope}", documents.Hash("{nope}"), "GRAPHQL_VALIDATION_FAILED"},
		"not GraphQL":  {"{", documents.Hash("{"), "GRAPHQL_PARSE_FAILED"},
		"too deep":     {"{" + strings.Repeat("q{", 20) + "n" + strings.Repeat("}", 21), documents.Hash("{" + strings.Repeat("q{", 20) + "n" + strings.Repeat("}", 21)), "MAX_DEPTH_LIMIT"},
	} {
		if got := register(t, g, test.text, test.hash); got.status != 400 || got.code() != test.code {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
		if got := g.do(t, byID["POST extension"](t, g, documents.Hash(test.text), "{}")); got.code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("%s was registered: %s", name, got.text)
		}
	}
	for _, wrong := range []string{`1`, `{}`, `{"sha256Hash":1}`, `{"version":2,"sha256Hash":"a"}`, `[]`} {
		body := `{"query":"{n}","extensions":{"persistedQuery":` + wrong + `}}`
		if got := g.do(t, g.request(t, "POST", "/graphql", body, "Content-Type: "+typeJSON)); got.status != 400 || got.code() != "BAD_REQUEST" {
			t.Errorf("%s: %d %s", wrong, got.status, got.text)
		}
	}
	if n := g.service.asked.Load(); n != 0 {
		t.Errorf("executed %d times", n)
	}
	if got := register(t, g, listed, documents.Hash(listed)); got.status != 200 || got.code() != "" {
		t.Fatalf("registering: %d %s", got.status, got.text)
	}
	for way, send := range byID {
		for _, id := range []string{documents.Hash(listed), "sha256:" + documents.Hash(listed)} {
			if got := g.do(t, send(t, g, id, "{}")); got.status != 200 || got.code() != "" {
				t.Errorf("%s %s: %d %s", way, id, got.status, got.text)
			}
		}
	}
	mutation := "mutation{set(n:1)}"
	register(t, g, mutation, documents.Hash(mutation))
	if got := g.do(t, byID["GET extension"](t, g, documents.Hash(mutation), "{}")); got.status != 405 {
		t.Errorf("a mutation by GET: %d %s", got.status, got.text)
	}
	byGET := "/graphql?query=" + url.QueryEscape("{s}") + "&extensions=" + url.QueryEscape(extension(documents.Hash("{s}")))
	g.do(t, g.request(t, "GET", byGET, ""))
	if got := g.do(t, byID["GET extension"](t, g, documents.Hash("{s}"), "{}")); got.code() != "" {
		t.Errorf("registered by GET: %s", got.text)
	}
}

// Where anonymous callers may execute what a manifest has alone, they cannot execute what others have
// registered, nor register anything.
func TestAPQDoesNotPassTheManifest(t *testing.T) {
	o := documents.Options{Mode: documents.EnforceAnonymous, APQ: documents.APQ{Enabled: true}, Manifests: []documents.Manifest{manifest(t, "", map[string]string{"1": listed})}}
	g := newGateway(t, front.Options{Documents: o}, nil, tokens)
	if got := register(t, g, outside, documents.Hash(outside)); got.status != 403 || got.code() != "QUERY_NOT_IN_SAFELIST" {
		t.Errorf("an anonymous caller registers: %d %s", got.status, got.text)
	}
	if got := register(t, g, outside, documents.Hash(outside), "Authorization: Bearer good"); got.code() != "" {
		t.Fatalf("another caller registers: %s", got.text)
	}
	for way, send := range byID {
		if got := g.do(t, send(t, g, documents.Hash(outside), "{}")); got.status != 404 || got.code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("%s, anonymous: %d %s", way, got.status, got.text)
		}
		r := send(t, g, documents.Hash(outside), "{}")
		r.Header.Set("Authorization", "Bearer good")
		if got := g.do(t, r); got.status != 200 || got.code() != "" {
			t.Errorf("%s, with a token: %d %s", way, got.status, got.text)
		}
	}
	g = newGateway(t, front.Options{Documents: documents.Options{Mode: documents.Enforce, APQ: o.APQ, Manifests: o.Manifests}}, nil, tokens)
	if got := register(t, g, outside, documents.Hash(outside), "Authorization: Bearer good"); got.status != 403 {
		t.Errorf("with enforce: %d %s", got.status, got.text)
	}
}

// A reload keeps what clients have registered, unless the bounds change.
func TestAPQStaysOverReloads(t *testing.T) {
	o := front.Options{Documents: documents.Options{APQ: documents.APQ{Enabled: true}}}
	var deps front.Deps
	g := newGateway(t, o, nil, func(d *front.Deps) { deps = *d })
	register(t, g, listed, documents.Hash(listed))
	for _, test := range []struct {
		edit func()
		code string
	}{
		{func() { o.Deadline = time.Minute }, ""},
		{func() { o.Documents.APQ.MaxDocuments = 5 }, "PERSISTED_QUERY_NOT_FOUND"},
		{func() { o.Documents.APQ.Enabled = false }, "PERSISTED_QUERY_NOT_SUPPORTED"},
	} {
		test.edit()
		apply, err := g.front.Prepare(o, deps)
		if err != nil {
			t.Fatal(err)
		}
		apply()
		if got := g.do(t, byID["POST extension"](t, g, documents.Hash(listed), "{}")); got.code() != test.code {
			t.Errorf("got %s", got.text)
		}
	}
}

// While what replicas share is down, each of them knows what it has registered.
func TestAPQWithoutItsStore(t *testing.T) {
	o := front.Options{Documents: documents.Options{APQ: documents.APQ{Enabled: true, Store: documents.StoreRedis}}}
	down, err := store.New(store.Options{Redis: store.Redis{URLs: []string{"redis://127.0.0.1:1"}}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer down.Close()
	g := newGateway(t, o, nil, func(d *front.Deps) { d.Store = down })
	for _, want := range []string{"PERSISTED_QUERY_NOT_FOUND", ""} {
		if got := g.do(t, byID["POST extension"](t, g, documents.Hash(listed), "{}")); got.code() != want {
			t.Errorf("got %s", got.text)
		}
		register(t, g, listed, documents.Hash(listed))
	}
}

// Equal requests share an execution, whether they have the id or the text.
func TestIDsAndTextsCoalesce(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	var executions sync.WaitGroup
	executions.Add(1)
	o := coalescing
	o.Documents = documents.Options{Mode: documents.Enforce, Manifests: []documents.Manifest{manifest(t, "", map[string]string{"1": listed})}}
	g := newGateway(t, o, nil, planned(func(*graphql.OperationContext, []byte) engine.Result {
		started <- struct{}{}
		<-finish
		return written([]byte(`{"n":1}`))
	}), shareable)
	send := []func() *http.Request{
		func() *http.Request { return byID["POST documentId"](t, g, "1", "{}") },
		func() *http.Request { return byText["POST text"](t, g, listed, "{}") },
		func() *http.Request { return byID["GET path"](t, g, "sha256:"+documents.Hash(listed), "{}") },
	}
	replies := make(chan *reply, len(send))
	go func() { replies <- g.do(t, send[0]()) }()
	<-started
	for _, r := range send[1:] {
		go func() { replies <- g.do(t, r()) }()
	}
	time.AfterFunc(300*time.Millisecond, func() { close(finish) })
	for range send {
		if got := <-replies; got.text != `{"data":{"n":1}}` {
			t.Errorf("%d %s", got.status, got.text)
		}
	}
	joined := slices.DeleteFunc(g.log.lines(t, "operation"), func(line map[string]any) bool { return line["coalesced"] == nil })
	if len(joined) != 2 {
		t.Errorf("%d of the requests joined", len(joined))
	}
}

// BenchmarkDocuments compares a request by its text with one by an id, with and without manifests.
func BenchmarkDocuments(b *testing.B) {
	text := "query Long { " + strings.Repeat("n ", 500) + "}"
	file := filepath.Join(b.TempDir(), "m.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, `{"1": %q}`, text), 0o600); err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]struct {
		mode documents.Mode
		body string
	}{
		"text, off":     {documents.Off, fmt.Sprintf(`{"query":%q}`, text)},
		"text, enforce": {documents.Enforce, fmt.Sprintf(`{"query":%q}`, text)},
		"id, enforce":   {documents.Enforce, `{"documentId":"1"}`},
	} {
		b.Run(name, func(b *testing.B) {
			o := front.Options{Documents: documents.Options{Mode: c.mode, Manifests: []documents.Manifest{{Files: []string{file}}}}}
			p := planner{&service{}, func(*graphql.OperationContext, []byte) engine.Result { return written([]byte(`{"n":1}`)) }}
			f, err := front.New(o, front.Deps{Schema: p, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			handler := f.Handler()
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/graphql", strings.NewReader(c.body))
				r.Header.Set("Content-Type", typeJSON)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

// A mutation by GET is refused before it counts for a limit, and before its text is registered.
func TestMutationByGETHasNoEffect(t *testing.T) {
	const mutation = "mutation{set(n:1)}"
	g := newGateway(t, front.Options{
		Documents:  documents.Options{APQ: documents.APQ{Enabled: true}},
		RateLimits: ratelimit.Options{Rules: []ratelimit.Rule{{Name: "one", By: []string{"everyone"}, Limits: []string{"1/day"}}}},
	}, nil)
	extension := `{"persistedQuery":{"version":1,"sha256Hash":"` + documents.Hash(mutation) + `"}}`
	for range 2 {
		got := g.do(t, g.request(t, "GET", "/graphql?query="+url.QueryEscape(mutation)+"&extensions="+url.QueryEscape(extension), ""))
		if got.status != 405 || got.code() != "BAD_REQUEST" || got.header.Get("Allow") != "POST" {
			t.Errorf("by GET: %d %v %s", got.status, got.header, got.text)
		}
	}
	if got := g.do(t, byID["POST extension"](t, g, documents.Hash(mutation), "{}")); got.code() != "PERSISTED_QUERY_NOT_FOUND" {
		t.Errorf("it was registered: %s", got.text)
	}
	if got := g.ask(t, "{n}"); got.status != 200 || got.code() != "" {
		t.Errorf("it was counted: %d %s", got.status, got.text)
	}
	if got := g.ask(t, "{n}"); got.status != 429 {
		t.Errorf("the limit has no effect: %d %s", got.status, got.text)
	}
}
