package front_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
)

// What a client offers or wants besides the operation does not keep it from being executed; what
// is not there is refused with a message that says so.
func TestOffersOfClients(t *testing.T) {
	persisted := `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}`
	hash := url.QueryEscape(strings.TrimPrefix(persisted, `"extensions":`))
	const urql = "Accept: application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
	const n = `{"query":"{n}"}`
	for name, test := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		message            string // of the error; "" for an executed operation
		code               string
	}{
		"h2c, as Java's HttpClient": {"POST", "/graphql", n, []string{"Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"}, 200, "", ""},
		"h2c by GET":                {"GET", "/graphql?query={n}", "", []string{"Upgrade: h2c", "Connection: Upgrade"}, 200, "", ""},
		"TLS/1.0":                   {"POST", "/graphql", n, []string{"Upgrade: TLS/1.0", "Connection: Upgrade"}, 200, "", ""},
		"two protocols":             {"POST", "/graphql", n, []string{"Upgrade: foo/2, h2c", "Connection: Upgrade"}, 200, "", ""},
		"a socket by POST":          {"POST", "/graphql", n, []string{"Upgrade: websocket", "Connection: Upgrade"}, 200, "", ""},
		"a socket with a query":     {"GET", "/graphql?query={n}", "", []string{"Upgrade: websocket", "Connection: Upgrade"}, 200, "", ""},
		"a socket":                  {"GET", "/graphql", "", []string{"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Protocol: graphql-transport-ws"}, 400, "there is no WebSocket here", "BAD_REQUEST"},
		"a socket or h2c":           {"GET", "/graphql", "", []string{"Upgrade: h2c, websocket", "Connection: Upgrade"}, 400, "there is no WebSocket here", "BAD_REQUEST"},
		"a socket in a second line": {"GET", "/graphql", "", []string{"Upgrade: h2c", "Upgrade: websocket", "Connection: Upgrade"}, 400, "there is no WebSocket here", "BAD_REQUEST"},
		"a socket, other case":      {"GET", "/graphql/", "", []string{"Upgrade: WebSocket", "Connection: Upgrade"}, 400, "there is no WebSocket here", "BAD_REQUEST"},
		"urql":                      {"POST", "/graphql", n, []string{urql}, 200, "", ""},
		"an event stream":           {"POST", "/graphql", n, []string{"Accept: text/event-stream"}, 406, "there is no text/event-stream", "BAD_REQUEST"},
		"an event stream by GET":    {"GET", "/graphql?query={n}", "", []string{"Accept: text/event-stream"}, 406, "there is no text/event-stream", "BAD_REQUEST"},
		"a multipart subscription":  {"POST", "/graphql", n, []string{`Accept: multipart/mixed;boundary="graphql";subscriptionSpec=1.0`}, 406, "there is no multipart/mixed", "BAD_REQUEST"},
		"multipart, or JSON":        {"POST", "/graphql", n, []string{`Accept: multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json`}, 200, "", ""},
		"a batch":                   {"POST", "/graphql", "[" + n + "]", nil, 400, "batches are not supported: send one operation in each request", "BAD_REQUEST"},
		"an empty batch":            {"POST", "/graphql", "[]", nil, 400, "batches are not supported", "BAD_REQUEST"},
		"a slash at the end":        {"POST", "/graphql/", n, nil, 200, "", ""},
		"a slash, by GET":           {"GET", "/graphql/?query={n}", "", nil, 200, "", ""},
		"a path below":              {"POST", "/graphql/v1", n, nil, 404, "GraphQL is at /graphql", "NOT_FOUND"},
		"the root":                  {"POST", "/", n, nil, 404, "GraphQL is at /graphql", "NOT_FOUND"},

		"a hash":              {"POST", "/graphql", "{" + persisted + "}", nil, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"a hash, new type":    {"POST", "/graphql", `{"operationName":"A","variables":{},` + persisted + "}", []string{"Accept: " + typeGraphQL}, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"a hash, empty query": {"POST", "/graphql", `{"query":"",` + persisted + "}", nil, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"a hash by GET":       {"GET", "/graphql?extensions=" + hash, "", nil, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"an id":               {"POST", "/graphql", `{"documentId":"sha256:ab"}`, nil, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"an id, new type":     {"POST", "/graphql", `{"query":null,"documentId":"ab","variables":{}}`, []string{"Accept: " + typeGraphQL}, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"an id of Relay":      {"POST", "/graphql", `{"id":"ab","variables":{}}`, nil, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"an older id":         {"POST", "/graphql", `{"doc_id":5}`, nil, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"an id by GET":        {"GET", "/graphql?documentId=ab", "", nil, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"an id by navigation": {"GET", "/graphql?documentId=ab", "", []string{"Accept: text/html,*/*"}, 200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"},
		"an id and a query":   {"POST", "/graphql", `{"query":"{n}","documentId":"ab"}`, nil, 200, "", ""},
		"an id of null":       {"POST", "/graphql", `{"documentId":null}`, nil, 400, `the request has no "query"`, "BAD_REQUEST"},
		"a hash and a query":  {"POST", "/graphql", `{"query":"{n}",` + persisted + "}", nil, 200, "", ""},
		"a hash of null":      {"POST", "/graphql", `{"extensions":{"persistedQuery":null}}`, nil, 400, `the request has no "query"`, "BAD_REQUEST"},
		"another extension":   {"POST", "/graphql", `{"extensions":{"other":{}}}`, nil, 400, `the request has no "query"`, "BAD_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, front.Options{Playground: true}, nil, func(d *front.Deps) { d.Playground = http.NotFoundHandler() })
			headers := test.headers
			if test.method == "POST" {
				headers = append([]string{"Content-Type: " + typeJSON}, headers...)
			}
			got := g.do(t, g.request(t, test.method, test.path, test.body, headers...))
			message := ""
			if len(got.body.Errors) > 0 {
				message = got.body.Errors[0].Message
			}
			if got.status != test.status || got.code() != test.code || !strings.Contains(message, test.message) || strings.Contains(message, "\n") {
				t.Errorf("got %d %s", got.status, got.text)
			}
			if executed := g.service.asked.Load() == 1; executed != (test.message == "") {
				t.Errorf("executed: %v", executed)
			}
		})
	}
}

// HEAD is answered as GET is, without the body (RFC 9110, section 9.3.2).
func TestHEAD(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") })
	g := newGateway(t, front.Options{Playground: true, Introspection: true}, nil, func(d *front.Deps) { d.Playground, d.Metrics = page, page })
	g.Client().Transport.(*http.Transport).DisableCompression = true
	g.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{"/", "/playground/x.js", "/healthz", "/readyz", "/metrics", "/schema.graphql", "/nothing", "/graphql?query={n}", "/graphql?query={nope}", "/graphql"} {
		get, head := g.do(t, g.request(t, "GET", path, "")), g.do(t, g.request(t, "HEAD", path, ""))
		for _, h := range []http.Header{get.header, head.header} {
			h.Del("Date")
			h.Del("X-Request-Id")
		}
		if get.status != head.status || head.text != "" || get.text == "" || fmt.Sprint(get.header) != fmt.Sprint(head.header) {
			t.Errorf("%s: GET %d %v, HEAD %d %v %q", path, get.status, get.header, head.status, head.header, head.text)
		}
	}
	if got := g.do(t, g.request(t, "HEAD", "/graphql?query="+url.QueryEscape("mutation{set(n:1)}"), "")); got.status != 405 {
		t.Errorf("a mutation by HEAD: %d", got.status)
	}
}

// Responses of 4 KB and more are compressed for clients that accept gzip, by either executor, alone
// and shared, with data and with errors; the bytes are the same after decompression.
func TestCompression(t *testing.T) {
	for name, test := range map[string]struct {
		options  front.Options
		size     int
		accept   string // "" for no header
		gzip     bool
		varies   bool
		variants func(*front.Deps)
	}{
		"large":                          {front.Options{}, 20_000, "gzip, deflate, br", true, true, nil},
		"shared":                         {coalescing, 20_000, "gzip", true, true, shareable},
		"just large enough":              {front.Options{}, 4096, "gzip", true, true, nil},
		"small":                          {front.Options{}, 4095, "gzip", false, false, nil},
		"not wanted":                     {front.Options{}, 20_000, "", false, true, nil},
		"refused":                        {front.Options{}, 20_000, "gzip;q=0, br", false, true, nil},
		"anything":                       {front.Options{}, 20_000, "*", true, true, nil},
		"identity rather":                {front.Options{}, 20_000, "gzip;q=0.5, identity", false, true, nil},
		"small, but identity is refused": {front.Options{}, 100, "gzip, identity;q=0", true, true, nil},
		"switched off":                   {front.Options{Compression: front.CompressionNone}, 20_000, "gzip", false, false, nil},
		"switched off, shared":           {func() front.Options { o := coalescing; o.Compression = front.CompressionNone; return o }(), 20_000, "gzip", false, false, shareable},
	} {
		t.Run(name, func(t *testing.T) {
			const around = len(`{"data":{"s":""}}`)
			data := `{"s":"` + strings.Repeat("x", test.size-around) + `"}`
			edits := []func(*front.Deps){planned(func(*graphql.OperationContext, []byte) engine.Result { return written([]byte(data)) })}
			if test.variants != nil {
				edits = append(edits, test.variants)
			}
			g := newGateway(t, test.options, nil, edits...)
			for range 2 {
				r := g.request(t, "POST", "/graphql", `{"query":"{s}"}`, "Content-Type: "+typeJSON)
				g.Client().Transport.(*http.Transport).DisableCompression = true
				if test.accept != "" {
					r.Header.Set("Accept-Encoding", test.accept)
				}
				checkCompressed(t, g, r, test.gzip, test.varies, `{"data":`+data+`}`)
			}
		})
	}
}

// shareable makes all operations shareable.
func shareable(d *front.Deps) {
	d.Schema, d.Forwarded = coalescingPlanner{d.Schema.(planner)}, []string{}
}

// checkCompressed sends a request and checks the coding of the response.
func checkCompressed(t *testing.T, g *gateway, r *http.Request, zipped, varies bool, want string) {
	t.Helper()
	resp, err := g.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.ContentLength != int64(len(body)) {
		t.Fatalf("%d bytes of %d, %v", len(body), resp.ContentLength, err)
	}
	if coding := resp.Header.Get("Content-Encoding"); (coding == "gzip") != zipped || (coding != "") != zipped {
		t.Errorf("the coding is %q", coding)
	}
	if got := strings.Join(resp.Header["Vary"], ","); strings.Contains(got, "Accept-Encoding") != varies {
		t.Errorf("Vary: %q", got)
	}
	if resp.Header.Get("ETag") != "" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", resp.Header)
	}
	if zipped {
		if len(want) > 4096 && len(body) > len(want)/10 {
			t.Errorf("%d bytes compressed are %d", len(want), len(body))
		}
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	if string(body) != want {
		t.Errorf("got %d bytes, want %d", len(body), len(want))
	}
}

// Errors are compressed like data, and Vary has both reasons.
func TestCompressionOfErrors(t *testing.T) {
	g := newGateway(t, front.Options{CORS: middleware.CORS{Origins: []string{"https://shop.example"}}}, nil)
	g.Client().Transport.(*http.Transport).DisableCompression = true
	unknown := "{"
	for i := range 20 {
		unknown += fmt.Sprintf("%s%d ", strings.Repeat("x", 230), i)
	}
	unknown += "}"
	got := g.ask(t, unknown, "Accept-Encoding: identity", "Origin: https://shop.example")
	if len(got.text) < 4096 {
		t.Fatalf("the response has %d bytes: %s", len(got.text), got.text)
	}
	r := g.request(t, "POST", "/graphql", envelope(t, unknown, ""), "Content-Type: "+typeJSON, "Accept: "+typeGraphQL, "Accept-Encoding: gzip", "Origin: https://shop.example")
	checkCompressed(t, g, r, true, true, got.text)
	if vary := fmt.Sprint(got.header["Vary"]); vary != "[Origin Accept-Encoding]" {
		t.Errorf("Vary: %s", vary)
	}
}

// The SDL is served where introspection is on, to the byte what is printed offline.
func TestSchemaFile(t *testing.T) {
	for name, o := range map[string]front.Options{"off": {}, "off, with the playground": {Playground: true}} {
		g := newGateway(t, o, nil, func(d *front.Deps) { d.Playground = http.NotFoundHandler() })
		if got := g.do(t, g.request(t, "GET", "/schema.graphql", "")); got.status != 404 || got.code() != "NOT_FOUND" {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	g := newGateway(t, front.Options{Introspection: true}, nil)
	g.Client().Transport.(*http.Transport).DisableCompression = true
	plain := g.do(t, g.request(t, "GET", "/schema.graphql", ""))
	if plain.status != 200 || !strings.Contains(plain.text, "type Query {\n  n: Int\n") || plain.header.Get("Content-Type") != "text/plain; charset=utf-8" || plain.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v %s", plain.status, plain.header, plain.text)
	}
	zipped := g.do(t, g.request(t, "GET", "/schema.graphql", "", "Accept-Encoding: gzip"))
	z, err := gzip.NewReader(strings.NewReader(zipped.text))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || string(text) != plain.text || zipped.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v %v", err, zipped.header)
	}
	if plain.header.Get("ETag") == zipped.header.Get("ETag") || plain.header.Get("Vary") != "Accept-Encoding" || zipped.header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v %v", plain.header, zipped.header)
	}
	for coding, tag := range map[string]string{"identity": plain.header.Get("ETag"), "gzip": zipped.header.Get("ETag")} {
		if got := g.do(t, g.request(t, "GET", "/schema.graphql", "", "Accept-Encoding: "+coding, "If-None-Match: "+tag)); got.status != 304 || got.text != "" {
			t.Errorf("%s: %d", coding, got.status)
		}
	}
	if got := g.do(t, g.request(t, "POST", "/schema.graphql", "")); got.status != 404 {
		t.Errorf("POST: %d", got.status)
	}
}

// Pages of other origins may send the headers of tracing, those that are configured and those that
// a source forwards. What is refused is in the log, once.
func TestCORSHeaders(t *testing.T) {
	g := newGateway(t, front.Options{CORS: middleware.CORS{Origins: []string{"https://shop.example"}, Headers: []string{"X-Tenant"}}}, nil,
		func(d *front.Deps) { d.Forwarded = []string{"X-Flag", "Accept-Language", "Cookie"} })
	for _, test := range []struct {
		origin, method, headers string
		refused, value          string
	}{
		{"https://shop.example", "POST", "baggage,content-type,sentry-trace,traceparent,tracestate", "", ""},
		{"https://shop.example", "POST", "x-apollo-operation-name", "", ""},
		{"https://shop.example", "GET", "accept-language,x-flag,x-tenant", "", ""},
		{"https://shop.example", "POST", "", "", ""},
		{"https://shop.example", "POST", "content-type,x-datadog-trace-id,x-other", "header", "x-datadog-trace-id, x-other"},
		{"https://evil.example", "POST", "content-type", "origin", "https://evil.example"},
		{"https://shop.example", "DELETE", "content-type", "method", "DELETE"},
		{"https://shop.example", "POST", strings.Repeat("x", 1000), "header", strings.Repeat("x", 200)},
	} {
		before := len(g.log.lines(t, "a web page was refused by CORS; this is logged once"))
		for range 2 {
			headers := []string{"Origin: " + test.origin, "Access-Control-Request-Method: " + test.method}
			if test.headers != "" {
				headers = append(headers, "Access-Control-Request-Headers: "+test.headers)
			}
			got := g.do(t, g.request(t, "OPTIONS", "/graphql", "", headers...))
			if allowed := got.header.Get("Access-Control-Allow-Origin") != ""; allowed != (test.refused == "") || allowed != (got.status < 300) {
				t.Errorf("%+v: %d %v", test, got.status, got.header)
			}
		}
		lines := g.log.lines(t, "a web page was refused by CORS; this is logged once")[before:]
		if test.refused == "" && len(lines) > 0 || test.refused != "" &&
			(len(lines) != 1 || lines[0]["refused"] != test.refused || lines[0]["value"] != test.value || lines[0]["origin"] != test.origin || lines[0]["level"] != "WARN") {
			t.Errorf("%+v: %v", test, lines)
		}
	}
}

// HTTP/2 without TLS, by prior knowledge, is served as HTTP/1 is, several requests on one connection,
// and loses no request when the server stops.
func TestUnencryptedHTTP2(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	s := newStopping(t, front.ServeOptions{Grace: 5 * time.Second}, func(ctx context.Context) *graphql.Response {
		if graphql.GetOperationContext(ctx).OperationName == "Slow" {
			close(started)
			<-finish
		}
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	})
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	send := func(body string) string {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", typeJSON)
		response, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return fmt.Sprint(response.Proto, " ", response.StatusCode, " ", string(text), err)
	}
	const want = `HTTP/2.0 200 {"data":{"n":1}}<nil>`
	slow := make(chan string, 1)
	go func() { slow <- send(`{"query":"query Slow {n}","operationName":"Slow"}`) }()
	<-started
	if got := send(`{"query":"{n}"}`); got != want {
		t.Error(got)
	}
	s.stop()
	time.AfterFunc(200*time.Millisecond, func() { close(finish) })
	if got := <-slow; got != want {
		t.Errorf("while the server stops: %s", got)
	}
	s.wantStopped(t, 3*time.Second)
}
