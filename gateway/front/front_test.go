package front_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
)

// Each way to send an operation has its status and media type.
func TestResponses(t *testing.T) {
	post := func(body string, headers ...string) []string {
		return append([]string{"POST", "/graphql", body, "Content-Type: application/json"}, headers...)
	}
	get := func(query string, headers ...string) []string {
		return append([]string{"GET", "/graphql?" + query, ""}, headers...)
	}
	q := url.QueryEscape
	new, old := "Accept: "+typeGraphQL, "Accept: "+typeJSON
	for name, test := range map[string]struct {
		ask    []string // method, path, body, headers
		status int
		media  string
		code   string
		data   bool
	}{
		"POST":                         {post(`{"query":"{n}"}`), 200, typeJSON, "", true},
		"POST, new type":               {post(`{"query":"{n}"}`, new), 200, typeGraphQL, "", true},
		"POST, members that are null":  {post(`{"query":"{n}","variables":null,"operationName":null,"extensions":null}`), 200, typeJSON, "", true},
		"POST, members not known":      {post(`{"query":"{n}","more":[1]}`), 200, typeJSON, "", true},
		"POST, space before":           {post(" \r\n\t{\"query\":\"{n}\"}\n"), 200, typeJSON, "", true},
		"POST, charset":                {[]string{"POST", "/graphql", `{"query":"{n}"}`, "Content-Type: application/json; charset=UTF-8"}, 200, typeJSON, "", true},
		"POST, a mutation":             {post(`{"query":"mutation{set(n:1)}"}`), 200, typeJSON, "", true},
		"POST, variables":              {post(`{"query":"query($i:Int){s(first:$i)}","variables":{"i":3}}`), 200, typeJSON, "", true},
		"a condition by its default":   {post(`{"query":"query($b:Boolean=true){n@skip(if:$b)}"}`), 200, typeJSON, "", true},
		"a null as a condition":        {post(`{"query":"query($b:Boolean=true,$i:Int=1){n@skip(if:$b) s(first:$i)}","variables":{"i":null}}`), 200, typeJSON, "", true},
		"GET":                          {get("query={n}"), 200, typeJSON, "", true},
		"GET, new type":                {get("query={n}", new), 200, typeGraphQL, "", true},
		"GET, variables":               {get("query=" + q("query($i:Int){s(first:$i)}") + "&variables=" + q(`{"i":1}`)), 200, typeJSON, "", true},
		"GET, operation":               {get("operationName=B&query=" + q("query A{n} query B{n}")), 200, typeJSON, "", true},
		"accepts anything":             {post(`{"query":"{n}"}`, "Accept: */*"), 200, typeJSON, "", true},
		"accepts any application":      {post(`{"query":"{n}"}`, "Accept: application/*"), 200, typeJSON, "", true},
		"accepts both":                 {post(`{"query":"{n}"}`, "Accept: application/json, application/graphql-response+json"), 200, typeGraphQL, "", true},
		"accepts both, the old rather": {post(`{"query":"{n}"}`, "Accept: application/graphql-response+json;q=0.5, application/json"), 200, typeJSON, "", true},
		"accepts, as Apollo Client":    {post(`{"query":"{n}"}`, "Accept: application/graphql-response+json,application/json;q=0.9"), 200, typeGraphQL, "", true},
		"accepts neither":              {post(`{"query":"{n}"}`, "Accept: text/html"), 406, typeJSON, "BAD_REQUEST", false},
		"accepts all but ours":         {post(`{"query":"{n}"}`, "Accept: application/json;q=0, image/*"), 406, typeJSON, "BAD_REQUEST", false},

		"@skip of null":      {post(`{"query":"query($b:Boolean=true){n@skip(if:$b)}","variables":{"b":null}}`, new), 400, typeGraphQL, "BAD_USER_INPUT", false},
		"@include of null":   {post(`{"query":"query($b:Boolean=true){n...on Query@include(if:$b){n}}","variables":{"b":null}}`, new), 400, typeGraphQL, "BAD_USER_INPUT", false},
		"null in a fragment": {post(`{"query":"query($b:Boolean=true){...F ...F}fragment F on Query{q{n@include(if:$b)}}","variables":{"b":null}}`, new), 400, typeGraphQL, "BAD_USER_INPUT", false},

		"no type":             {[]string{"POST", "/graphql", `{"query":"{n}"}`}, 415, typeJSON, "BAD_REQUEST", false},
		"text/plain":          {[]string{"POST", "/graphql", `{"query":"mutation{set(n:1)}"}`, "Content-Type: text/plain"}, 415, typeJSON, "BAD_REQUEST", false},
		"a form":              {[]string{"POST", "/graphql", "query=mutation{set(n:1)}", "Content-Type: application/x-www-form-urlencoded"}, 415, typeJSON, "BAD_REQUEST", false},
		"multipart":           {[]string{"POST", "/graphql", "--x", "Content-Type: multipart/form-data; boundary=x"}, 415, typeJSON, "BAD_REQUEST", false},
		"two types":           {post(`{"query":"{n}"}`, "Content-Type: text/plain"), 415, typeJSON, "BAD_REQUEST", false},
		"utf-16":              {[]string{"POST", "/graphql", `{"query":"{n}"}`, "Content-Type: application/json; charset=utf-16"}, 415, typeJSON, "BAD_REQUEST", false},
		"gzip":                {post("\x1f\x8b", "Content-Encoding: gzip"), 415, typeJSON, "BAD_REQUEST", false},
		"GET, a mutation":     {get("query=" + q("mutation{set(n:1)}")), 405, typeJSON, "BAD_REQUEST", false},
		"PUT":                 {[]string{"PUT", "/graphql", `{"query":"{n}"}`, "Content-Type: application/json"}, 405, typeJSON, "BAD_REQUEST", false},
		"a subscription":      {post(`{"query":"subscription{ticks}"}`), 400, typeJSON, "BAD_REQUEST", false},
		"nothing":             {post(""), 400, typeJSON, "BAD_REQUEST", false},
		"no JSON":             {post("{n}"), 400, typeJSON, "BAD_REQUEST", false},
		"JSON and more":       {post(`{"query":"{n}"}{}`), 400, typeJSON, "BAD_REQUEST", false},
		"a string":            {post(`"{n}"`), 400, typeJSON, "BAD_REQUEST", false},
		"a batch":             {post(`[{"query":"{n}"},{"query":"{n}"}]`), 400, typeJSON, "BAD_REQUEST", false},
		"not UTF-8":           {post("{\"query\":\"{n}\xff\"}"), 400, typeJSON, "BAD_REQUEST", false},
		"no query":            {post(`{}`), 400, typeJSON, "BAD_REQUEST", false},
		"query null":          {post(`{"query":null}`, new), 400, typeGraphQL, "BAD_REQUEST", false},
		"query a number":      {post(`{"query":1}`), 400, typeJSON, "BAD_REQUEST", false},
		"operationName wrong": {post(`{"query":"{n}","operationName":{}}`), 400, typeJSON, "BAD_REQUEST", false},
		"variables a list":    {post(`{"query":"{n}","variables":[]}`), 400, typeJSON, "BAD_REQUEST", false},
		"variables a string":  {post(`{"query":"{n}","variables":"{}"}`), 400, typeJSON, "BAD_REQUEST", false},
		"extensions a number": {post(`{"query":"{n}","extensions":0}`), 400, typeJSON, "BAD_REQUEST", false},
		"GET, no query":       {get(""), 400, typeJSON, "BAD_REQUEST", false},
		"GET, bad variables":  {get("query={n}&variables={"), 400, typeJSON, "BAD_REQUEST", false},
		"GET, variables, etc": {get("query={n}&variables=" + q("{} {}")), 400, typeJSON, "BAD_REQUEST", false},
		"GET, bad extensions": {get("query={n}&extensions=1"), 400, typeJSON, "BAD_REQUEST", false},
		"GET, bad escape":     {get("query=%zz"), 400, typeJSON, "BAD_REQUEST", false},
		"GET, not UTF-8":      {get("query={n}%ff"), 400, typeJSON, "BAD_REQUEST", false},

		"syntax, old type":         {post(`{"query":"{"}`, old), 200, typeJSON, "GRAPHQL_PARSE_FAILED", false},
		"syntax, new type":         {post(`{"query":"{"}`, new), 400, typeGraphQL, "GRAPHQL_PARSE_FAILED", false},
		"invalid, old type":        {post(`{"query":"{nope}"}`, old), 200, typeJSON, "GRAPHQL_VALIDATION_FAILED", false},
		"invalid, new type":        {post(`{"query":"{nope}"}`, new), 400, typeGraphQL, "GRAPHQL_VALIDATION_FAILED", false},
		"invalid by GET":           {get("query={nope}", new), 400, typeGraphQL, "GRAPHQL_VALIDATION_FAILED", false},
		"variable missing":         {post(`{"query":"mutation($i:Int!){set(n:$i)}"}`, new), 400, typeGraphQL, "BAD_USER_INPUT", false},
		"variable wrong, old type": {post(`{"query":"query($i:Int){s(first:$i)}","variables":{"i":"x"}}`, old), 200, typeJSON, "BAD_USER_INPUT", false},
		"variable wrong, new type": {post(`{"query":"query($i:Int){s(first:$i)}","variables":{"i":[]}}`, new), 400, typeGraphQL, "BAD_USER_INPUT", false},
		"which operation":          {post(`{"query":"query A{n} query B{n}"}`, new), 400, typeGraphQL, "OPERATION_RESOLUTION_FAILURE", false},
		"no such operation":        {post(`{"query":"query A{n}","operationName":"B"}`, old), 200, typeJSON, "OPERATION_RESOLUTION_FAILURE", false},
		"introspection is off":     {post(`{"query":"{__schema{types{name}}}"}`, new), 400, typeGraphQL, "INTROSPECTION_DISABLED", false},
		"typename stays":           {post(`{"query":"{__typename}"}`, new), 200, typeGraphQL, "", true},
		"a broken limit, old type": {post(`{"query":"{q{q{q{q{q{q{q{q{q{q{q{q{q{q{q{n}}}}}}}}}}}}}}}}"}`, old), 200, typeJSON, "MAX_DEPTH_LIMIT", false},
		"a broken limit, new type": {post(`{"query":"{q{q{q{q{q{q{q{q{q{q{q{q{q{q{q{n}}}}}}}}}}}}}}}}"}`, new), 400, typeGraphQL, "MAX_DEPTH_LIMIT", false},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, front.Options{}, nil)
			got := g.do(t, g.request(t, test.ask[0], test.ask[1], test.ask[2], test.ask[3:]...))
			if got.status != test.status || got.code() != test.code || (got.body.Data != nil) != test.data {
				t.Errorf("got %d %s, want %d %s", got.status, got.text, test.status, test.code)
			}
			if want := test.media + "; charset=utf-8"; got.header.Get("Content-Type") != want {
				t.Errorf("got type %s, want %s", got.header.Get("Content-Type"), want)
			}
			if executed := g.service.asked.Load() == 1; executed != test.data {
				t.Errorf("executed: %v", executed)
			}
		})
	}
}

func TestUnsupportedMethods(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	for method, want := range map[string][2]string{
		"OPTIONS": {"204", "GET, HEAD, POST, OPTIONS"}, "DELETE": {"405", "GET, HEAD, POST, OPTIONS"}, "PUT": {"405", "GET, HEAD, POST, OPTIONS"},
	} {
		got := g.do(t, g.request(t, method, "/graphql", ""))
		if fmt.Sprint(got.status) != want[0] || got.header.Get("Allow") != want[1] {
			t.Errorf("%s: got %d, Allow %q", method, got.status, got.header.Get("Allow"))
		}
	}
	got := g.do(t, g.request(t, "GET", "/graphql?query="+url.QueryEscape("mutation{set(n:1)}"), ""))
	if got.header.Get("Allow") != "POST" {
		t.Errorf("Allow %q for a mutation by GET", got.header.Get("Allow"))
	}
}

// A response never repeats what the client sent.
func TestBodiesAreNotEchoed(t *testing.T) {
	const secret = "s3cr3t-in-the-body"
	for _, body := range []string{secret, `{"query":"{n}","variables":"` + secret + `"}`, `{"query":["` + secret + `"]}`, `["` + secret + `"]`, `{"` + secret} {
		g := newGateway(t, front.Options{}, nil)
		got := g.do(t, g.request(t, "POST", "/graphql", body, "Content-Type: application/json"))
		if strings.Contains(got.text, secret) || strings.Contains(g.log.String(), secret) {
			t.Errorf("%s: came back in %s or the log %s", body, got.text, g.log)
		}
	}
}

// Hostile requests are refused with a short response and the right code, and nothing is executed.
func TestHostileRequests(t *testing.T) {
	numbered := func(count int, format string) string {
		var b strings.Builder
		for i := range count {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	var fanOut, cycle strings.Builder
	for i := range 24 {
		fmt.Fprintf(&fanOut, "fragment f%d on Query{...f%d ...f%d}", i, i+1, i+1)
	}
	for i := range 500 {
		fmt.Fprintf(&cycle, "fragment f%d on Query{...f%d}", i, (i+1)%500)
	}
	for name, test := range map[string]struct{ query, code string }{
		"nested fragments, 901 bytes":  {"{...f0}" + fanOut.String() + "fragment f24 on Query{n}", "MAX_SELECTIONS_LIMIT"},
		"fragments under __schema":     {"{__schema{...f0}}" + strings.ReplaceAll(fanOut.String(), "on Query", "on __Schema") + "fragment f24 on __Schema{types{name}}", "MAX_SELECTIONS_LIMIT"},
		"a field 50,000 times":         {"{" + strings.Repeat("n ", 50_000) + "}", "GRAPHQL_PARSE_FAILED"},
		"inline fragments 200 x 100":   {"{" + strings.Repeat("...{"+strings.Repeat("n ", 100)+"}", 200) + "}", "GRAPHQL_PARSE_FAILED"},
		"2,000 conflicting fields":     {"{" + numbered(2_000, "s(first:%d) ") + "}", "GRAPHQL_PARSE_FAILED"},
		"250 conflicting fields":       {"{" + numbered(250, "s(first:%d) ") + "}", "GRAPHQL_VALIDATION_FAILED"},
		"100,000 directives":           {"{n " + strings.Repeat("@x", 100_000) + "}", "MAX_DIRECTIVES_LIMIT"},
		"a cycle of 500":               {"{...f0}" + cycle.String(), "GRAPHQL_PARSE_FAILED"},
		"a cycle of 5":                 {"{...a}fragment a on Query{...b}fragment b on Query{...c}fragment c on Query{...d}fragment d on Query{...a}", "GRAPHQL_VALIDATION_FAILED"},
		"a cycle that kills gqlparser": {"{pet{owner{...o} ...p}} fragment o on Person{name} fragment p on Pet{owner{name} ...d} fragment d on Pet{owner{name} ...p}", "GRAPHQL_VALIDATION_FAILED"},
		"depth 5,000":                  {strings.Repeat("{q", 5_000) + "{n}" + strings.Repeat("}", 5_000), "MAX_DEPTH_LIMIT"},
		"depth 30":                     {strings.Repeat("{q", 30) + "{n}" + strings.Repeat("}", 30), "MAX_DEPTH_LIMIT"},
		"50 introspections":            {"{" + numbered(50, "a%d:__schema{types{name}} ") + "}", "MAX_ROOT_FIELDS_LIMIT"},
		"1,000 aliases":                {"{" + numbered(1_000, "a%d:n ") + "}", "MAX_ALIASES_LIMIT"},
		"lists 100,000 deep":           {"{s(first:" + strings.Repeat("[", 100_000), "MAX_DEPTH_LIMIT"},
		"a name of 500 kB":             {"{" + strings.Repeat("n", 500_000) + "}", "GRAPHQL_PARSE_FAILED"},
		"a string of 500 kB":           {`{n "` + strings.Repeat("x", 500_000) + `"}`, "GRAPHQL_PARSE_FAILED"},
		"a value of 500 kB":            {`{s(first:"` + strings.Repeat("x", 500_000) + `")}`, "GRAPHQL_VALIDATION_FAILED"},
		"comments":                     {strings.Repeat("#\n", 200_000) + "{n}", "GRAPHQL_PARSE_FAILED"},
		"1,900 unknown fields":         {"{" + numbered(1_900, "x%d ") + "}", "MAX_ROOT_FIELDS_LIMIT"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, front.Options{Introspection: true}, nil)
			got := g.ask(t, test.query)
			if got.status != 400 || got.code() != test.code {
				t.Errorf("got %d %.300s, want %s", got.status, got.text, test.code)
			}
			if len(got.text) > 8_000 {
				t.Errorf("the answer has %d bytes", len(got.text))
			}
			if g.service.asked.Load() != 0 {
				t.Error("it was executed")
			}
		})
	}
}

// endless is a body without end, which counts the bytes that were read.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.read.Add(int64(len(p))) > 64<<20 {
		return 0, io.EOF
	}
	return len(p), nil
}

func TestLargeBodyIsNotReadToItsEnd(t *testing.T) {
	for name, stated := range map[string]int64{"its length stated": 64 << 20, "in chunks": -1} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, front.Options{}, nil)
			body := &endless{}
			r := g.request(t, "POST", "/graphql", "", "Content-Type: application/json")
			r.Body, r.ContentLength = io.NopCloser(body), stated
			response, err := g.Client().Transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			if response.StatusCode != 413 || !strings.Contains(string(text), `"BAD_REQUEST"`) || len(text) > 500 {
				t.Errorf("got %d %s", response.StatusCode, text)
			}
			if body.read.Load() > 32<<20 { // what fits into the buffers of two sockets, and more
				t.Errorf("%d bytes were taken", body.read.Load())
			}
		})
	}
}

func TestBodyLimitIsExact(t *testing.T) {
	g := newGateway(t, front.Options{BodyBytes: 30}, nil)
	for size, want := range map[int]int{30: 200, 31: 413} {
		body := `{"query":"{n}"` + strings.Repeat(" ", size-15) + "}"
		for _, stated := range []int64{int64(size), -1} {
			r := g.request(t, "POST", "/graphql", "", "Content-Type: application/json")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), stated
			if got := g.do(t, r); got.status != want {
				t.Errorf("%d bytes, stated as %d: got %d", size, stated, got.status)
			}
		}
	}
}

func TestIntrospection(t *testing.T) {
	allowed := false
	g := newGateway(t, front.Options{Introspection: true}, func(ctx context.Context) *graphql.Response {
		allowed = !graphql.GetOperationContext(ctx).DisableIntrospection
		return &graphql.Response{Data: []byte("{}")}
	})
	if got := g.ask(t, "{__schema{types{name}}}"); got.status != 200 || !allowed {
		t.Errorf("got %d %s, allowed to gqlgen: %v", got.status, got.text, allowed)
	}
}

func TestDataMayBeNull(t *testing.T) {
	g := newGateway(t, front.Options{}, func(ctx context.Context) *graphql.Response {
		graphql.AddError(ctx, fault.New(fault.NotFound, "no such thing"))
		graphql.RegisterExtension(ctx, "cost", 3)
		return &graphql.Response{}
	})
	got := g.ask(t, "{n}")
	if want := `{"errors":[{"message":"no such thing","extensions":{"code":"NOT_FOUND"}}],"data":null,"extensions":{"cost":3}}`; got.status != 200 || got.text != want {
		t.Errorf("got %d %s", got.status, got.text)
	}
}

func TestAuthenticate(t *testing.T) {
	caller := &auth.Identity{Subject: "u1"}
	verify := func(d *front.Deps) {
		d.Verify = func(_ context.Context, authorization string) (*auth.Identity, error) {
			switch authorization {
			case "":
				return nil, nil
			case "Bearer good":
				return caller, nil
			case "Bearer keys-are-gone":
				return nil, fault.New(fault.ServiceUnavailable, "the issuer's keys cannot be had").WithCause(errors.New("dial 10.0.0.1"))
			case "Bearer bug":
				return nil, errors.New("something inside")
			}
			return nil, fault.New(fault.Unauthenticated, "the token is not accepted")
		}
	}
	for name, test := range map[string]struct {
		headers   []string
		status    int
		code      string
		challenge string
		caller    *auth.Identity
	}{
		"no token":   {nil, 200, "", "", nil},
		"good token": {[]string{"Authorization: Bearer good"}, 200, "", "", caller},
		"bad token":  {[]string{"Authorization: Bearer forged"}, 401, "UNAUTHENTICATED", `Bearer error="invalid_token"`, nil},
		"two tokens": {[]string{"Authorization: Bearer good", "Authorization: Bearer good"}, 401, "UNAUTHENTICATED", `Bearer error="invalid_token"`, nil},
		"no keys":    {[]string{"Authorization: Bearer keys-are-gone"}, 503, "SERVICE_UNAVAILABLE", "", nil},
		"a bug":      {[]string{"Authorization: Bearer bug"}, 500, "INTERNAL_SERVER_ERROR", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var seen *auth.Identity
			g := newGateway(t, front.Options{}, func(ctx context.Context) *graphql.Response {
				seen = auth.FromContext(ctx)
				return &graphql.Response{Data: []byte("{}")}
			}, verify)
			got := g.ask(t, "{n}", test.headers...)
			if got.status != test.status || got.code() != test.code || got.header.Get("WWW-Authenticate") != test.challenge {
				t.Errorf("got %d %s %q", got.status, got.text, got.header.Get("WWW-Authenticate"))
			}
			if seen != test.caller {
				t.Errorf("the caller is %v", seen)
			}
			if strings.Contains(got.text, "10.0.0.1") || strings.Contains(got.text, "something inside") {
				t.Errorf("the client is shown too much: %s", got.text)
			}
		})
	}
}

func TestCORS(t *testing.T) {
	preflight := []string{
		"Origin: https://shop.example", "Access-Control-Request-Method: POST",
		"Access-Control-Request-Headers: apollographql-client-name,authorization,content-type,x-request-id",
	}
	closed := newGateway(t, front.Options{}, nil)
	got := closed.do(t, closed.request(t, "OPTIONS", "/graphql", "", preflight...))
	if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed != "" {
		t.Errorf("by default %q may call", allowed)
	}

	verify := func(d *front.Deps) {
		d.Verify = func(context.Context, string) (*auth.Identity, error) {
			return nil, fault.New(fault.Unauthenticated, "no")
		}
	}
	open := newGateway(t, front.Options{CORS: middleware.CORS{Origins: []string{"https://shop.example"}}}, nil, verify)
	got = open.do(t, open.request(t, "OPTIONS", "/graphql", "", preflight...))
	if got.status >= 300 || got.header.Get("Access-Control-Allow-Origin") != "https://shop.example" ||
		!strings.Contains(got.header.Get("Access-Control-Allow-Headers"), "authorization") {
		t.Errorf("preflight: got %d %v", got.status, got.header)
	}
	got = open.ask(t, "{n}", "Origin: https://shop.example")
	if got.status != 401 || got.header.Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Errorf("a page cannot read the refusal: %d %v", got.status, got.header)
	}
	got = open.do(t, open.request(t, "OPTIONS", "/graphql", "", append(preflight[1:], "Origin: https://evil.example")...))
	if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed != "" {
		t.Errorf("%q may call", allowed)
	}
}

func TestInvalidOptions(t *testing.T) {
	for name, o := range map[string]front.Options{
		"no origin":                    {CORS: middleware.CORS{Origins: []string{"shop.example"}}},
		"all origins with credentials": {CORS: middleware.CORS{Origins: []string{"*"}, Credentials: true}},
	} {
		if _, err := front.New(o, front.Deps{Schema: &service{}}); err == nil || !strings.HasPrefix(err.Error(), "cors: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRequestID(t *testing.T) {
	inside := ""
	g := newGateway(t, front.Options{}, func(ctx context.Context) *graphql.Response {
		inside = front.RequestID(ctx)
		return &graphql.Response{Data: []byte("{}")}
	})
	for sent, kept := range map[string]bool{
		"abc-1.2_3": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a\"b": false, "ä": false, "a/b": false,
	} {
		got := g.ask(t, "{n}", "X-Request-ID: "+sent)
		answered := got.header.Get("X-Request-ID")
		if (answered == sent) != kept || answered == "" || answered != inside {
			t.Errorf("sent %q, answered %q, inside %q", sent, answered, inside)
		}
	}
	if id := g.do(t, g.request(t, "GET", "/healthz", "")).header.Get("X-Request-ID"); id == "" {
		t.Error("other routes have no request id")
	}
	if id := front.RequestID(context.Background()); id != "" {
		t.Errorf("outside of requests it is %q", id)
	}
}

func TestAccessLog(t *testing.T) {
	const token, variable = "eyJhbGciOi-token", "4711-variable"
	g := newGateway(t, front.Options{}, func(ctx context.Context) *graphql.Response {
		for range 3 {
			if err := engine.SpendCall(ctx); err != nil {
				t.Error(err)
			}
		}
		graphql.AddError(ctx, fault.New(fault.NotFound, "x"))
		graphql.AddError(ctx, fault.New(fault.Conflict, "y"))
		graphql.AddError(ctx, fault.New(fault.NotFound, "z"))
		return &graphql.Response{Data: []byte("{}")}
	})
	g.do(t, g.request(t, "POST", "/graphql",
		`{"query":"query Look($a: String){n # secret text\n}","variables":{"a":"`+variable+`"}}`,
		"Content-Type: application/json", "Authorization: Bearer "+token))
	g.do(t, g.request(t, "POST", "/graphql",
		`{"query":"query Look($f: Filter){find(filter:$f)}","operationName":"Look","variables":{"f":{"name":"`+variable+`"}}}`,
		"Content-Type: application/json", "X-Request-ID: r1", "Authorization: Bearer "+token))

	lines := g.log.lines(t, "operation")
	if len(lines) != 2 {
		t.Fatalf("got %d lines:\n%s", len(lines), g.log)
	}
	for name, want := range map[string]any{
		"request_id": "r1", "operation": "Look", "type": "query", "status": 200.0,
		"errors": 3.0, "codes": "CONFLICT,NOT_FOUND", "backend_calls": 3.0,
	} {
		if got := lines[1][name]; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if took, ok := lines[1]["duration_ms"].(float64); !ok || took < 0 {
		t.Errorf("duration_ms is %v", lines[1]["duration_ms"])
	}
	for _, secret := range []string{token, variable, "secret text", "find"} {
		if strings.Contains(g.log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, g.log)
		}
	}
}

func TestAccessLogOfRefusals(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	g.do(t, g.request(t, "POST", "/graphql", `{"query":"{n}","operationName":"evil\nname"}`, "Content-Type: application/json"))
	g.do(t, g.request(t, "POST", "/graphql", "junk", "Content-Type: application/json"))
	g.ask(t, "query "+strings.Repeat("N", 200)+"{n}")
	lines := g.log.lines(t, "operation")
	if len(lines) != 3 {
		t.Fatalf("got %d lines", len(lines))
	}
	if lines[0]["operation"] != "" || lines[0]["codes"] != "OPERATION_RESOLUTION_FAILURE" {
		t.Errorf("got %v", lines[0])
	}
	if lines[1]["status"] != 400.0 || lines[1]["codes"] != "BAD_REQUEST" {
		t.Errorf("got %v", lines[1])
	}
	if lines[2]["operation"] != strings.Repeat("N", 100) {
		t.Errorf("the name is not cut: %v", lines[2])
	}
}

// A query that an extension puts in the place of another one, as persisted operations do, has the
// same limits.
func TestExtensionReplacesQuery(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	g.front.Use(replace{})
	if got := g.ask(t, "stored:{n}"); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.text)
	}
	if got := g.ask(t, "stored:"+strings.Repeat("{q", 40)+"{n}"+strings.Repeat("}", 40)); got.code() != "MAX_DEPTH_LIMIT" {
		t.Errorf("got %d %s", got.status, got.text)
	}
	if got := g.ask(t, "unknown"); got.code() != "PERSISTED_QUERY_NOT_FOUND" {
		t.Errorf("got %d %s", got.status, got.text)
	}
}

type replace struct{}

func (replace) ExtensionName() string                   { return "replace" }
func (replace) Validate(graphql.ExecutableSchema) error { return nil }
func (replace) MutateOperationParameters(_ context.Context, p *graphql.RawParams) *gqlerror.Error {
	text, known := strings.CutPrefix(p.Query, "stored:")
	if !known {
		return gqlerror.Wrap(fault.New("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"))
	}
	p.Query = text
	return nil
}

func TestRoutes(t *testing.T) {
	play := func(d *front.Deps) {
		d.Playground = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
	}
	off, on := newGateway(t, front.Options{}, nil, play), newGateway(t, front.Options{Playground: true}, nil, play)
	for _, test := range []struct {
		g            *gateway
		method, path string
		status       int
		text         string
	}{
		{off, "GET", "/", 404, "nothing at this path"},
		{off, "GET", "/nope", 404, "NOT_FOUND"},
		{off, "GET", "/healthz", 200, "up"},
		{off, "GET", "/readyz", 200, "ready"},
		{on, "GET", "/", 200, "<html>"},
		{on, "GET", "/playground/app.js", 200, "<html>"},
		{on, "GET", "/healthz", 200, "up"},
	} {
		got := test.g.do(t, test.g.request(t, test.method, test.path, ""))
		if got.status != test.status || !strings.Contains(got.text, test.text) {
			t.Errorf("%s: got %d %s", test.path, got.status, got.text)
		}
	}
	browser := on.request(t, "GET", "/graphql", "", "Accept: text/html,application/xhtml+xml,*/*;q=0.8")
	if got := on.do(t, browser); got.text != "<html>" {
		t.Errorf("a browser at the endpoint is not shown the playground: %d %s", got.status, got.text)
	}
	if got := off.do(t, off.request(t, "GET", "/graphql", "", "Accept: text/html,*/*;q=0.8")); got.status != 400 {
		t.Errorf("got %d", got.status)
	}
}

func TestReadiness(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	g.front.Drain(time.Now().Add(time.Minute))
	if got := g.do(t, g.request(t, "GET", "/readyz", "")); got.status != 503 || !strings.Contains(got.text, "draining") {
		t.Errorf("got %d %s", got.status, got.text)
	}
	if got := g.ask(t, "{n}"); got.status != 200 {
		t.Errorf("operations go on until the end, got %d", got.status)
	}
}

// A Verify function may keep its context and use it while the request goes on.
func TestVerifyKeepsContext(t *testing.T) {
	var running sync.WaitGroup
	var name string
	g := newGateway(t, front.Options{}, nil, func(d *front.Deps) {
		d.Verify = func(ctx context.Context, _ string) (*auth.Identity, error) {
			name = front.RequestID(ctx)
			running.Go(func() {
				for ctx.Err() == nil {
					if auth.FromContext(ctx) != nil {
						t.Error("the context has changed")
					}
				}
			})
			return &auth.Identity{}, nil
		}
	})
	if got := g.ask(t, "{n}"); got.status != 200 || name == "" || got.header.Get("X-Request-Id") != name {
		t.Errorf("%d, the request is %q to who verifies, %q to the client", got.status, name, got.header.Get("X-Request-Id"))
	}
	running.Wait() // the server ends the context
}

// Deadlines apply to the streams of HTTP/2 as to the connections of HTTP/1.
func TestHTTP2(t *testing.T) {
	f, _ := newFront(t, front.Options{Deadline: 100 * time.Millisecond}, &service{})
	server := httptest.NewUnstartedServer(f.Handler())
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	g := &gateway{Server: server}
	for range 2 {
		if got := g.ask(t, "{n}"); got.status != 200 || got.text != `{"data":{"n":1}}` {
			t.Errorf("%d %s", got.status, got.text)
		}
	}
	body, end := io.Pipe()
	defer end.Close()
	r := g.request(t, "POST", "/graphql", "", "Content-Type: application/json")
	r.Body, r.ContentLength = body, 100
	if got := g.do(t, r); got.status != 400 || !strings.HasPrefix(got.text, `{"errors":`) {
		t.Errorf("a body that does not arrive: %d %s", got.status, got.text)
	}
}
