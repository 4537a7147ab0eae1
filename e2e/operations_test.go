package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// long is a timeout that only a broken gateway reaches.
const long = 20 * time.Second

// replaceSource returns a change of the settings that replaces a source by a handler, which ends
// with the test even if it hangs.
func replaceSource(t testing.TB, source string, timeout time.Duration, handler http.HandlerFunc) func(*config.Config) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.CloseClientConnections)
	return func(c *config.Config) {
		t.Cleanup(server.Close) // after the gateway has ended, which a hanging handler waits for
		s := c.Sources[source]
		s.URLs, s.Timeout = upstreams.URLs(server.URL+"/s3cret-base"), timeout
		c.Sources[source] = s
	}
}

// neverRespond waits until the caller cancels the request.
func neverRespond(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// respond responds with a status and a text.
func respond(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// respondSlowly writes a text repeatedly until the caller closes the connection.
func respondSlowly(text string, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
			if pause > 0 {
				_ = http.NewResponseController(w).Flush()
				time.Sleep(pause)
			}
		}
	}
}

// dropConnection hijacks the connection, writes a text and closes it.
func dropConnection(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

func respondWithBomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	_, _ = io.CopyN(packed, endless(`{"name":"`), 512<<20)
}

// A misbehaving service makes its own fields null, with an error that has its name but neither its
// address nor its text. The rest of the response stays.
func TestMisbehavingServices(t *testing.T) {
	const (
		down, late, input = "DOWNSTREAM_SERVICE_ERROR", "GATEWAY_TIMEOUT", "BAD_USER_INPUT"
		short             = 100 * time.Millisecond
		badText           = "bad UTF-8"
		good              = `{"id":"u1","name":"s3cret","role":"customer","createdAt":"2025-01-10T09:30:00Z"}`
	)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	redirect := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/s3cret", http.StatusTemporaryRedirect)
	}
	for _, c := range []struct {
		name    string
		timeout time.Duration // of the source; 0 means long
		handler http.HandlerFunc
		code    string
		status  int
	}{
		{"400", 0, respond(400, `{"detail":"s3cret"}`), input, 400},
		{"401", 0, respond(401, "s3cret"), "UNAUTHENTICATED", 401},
		{"403", 0, respond(403, "s3cret"), "FORBIDDEN", 403},
		{"404", 0, respond(404, "s3cret"), "NOT_FOUND", 404},
		{"409", 0, respond(409, "s3cret"), "CONFLICT", 409},
		{"422", 0, respond(422, "s3cret"), input, 422},
		{"429", 0, respond(429, "s3cret"), down, 429},
		{"500", 0, respond(500, "panic: s3cret"), down, 500},
		{"502 in HTML", 0, respond(502, "<html><h1>s3cret nginx</h1></html>"), down, 502},
		{"503", 0, respond(503, "s3cret"), down, 503},
		{"504", 0, respond(504, "s3cret"), down, 504},
		{"an endless 500", 0, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			respondSlowly("s3cret", 0)(w, r)
		}, down, 500},
		{"a redirect to another host", 0, redirect, down, 307},
		{"hangs", short, neverRespond, late, 0},
		{"hangs after its headers", short, func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			neverRespond(w, r)
		}, late, 0},
		{"drips", short, respondSlowly(" ", 10*time.Millisecond), late, 0},
		{"an endless body", 0, respondSlowly(`{"name":"s3cret`, 0), down, 0},
		{"11 MB", 0, respond(200, `{"name":"`+strings.Repeat("a", 11<<20)+`"}`), down, 0},
		{"a gzip bomb", 0, respondWithBomb, down, 0},
		{"gzip that is none", 0, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, good)
		}, down, 0},
		{"an encoding that was not requested", 0, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, good)
		}, down, 0},
		{"headers of 1 MB", 0, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("s3cret", 180_000))
		}, down, 0},
		{"hangs up", 0, dropConnection(""), down, 0},
		{"hangs up in its body", 0, dropConnection("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"name\":\"s3cret"), down, 0},
		{"speaks something else", 0, dropConnection("220 s3cret ESMTP\r\n"), down, 0},
		{"a status that is none", 0, dropConnection("HTTP/1.1 s3cret\r\n\r\n"), down, 0},
		{"HTML", 0, respond(200, "<html>s3cret</html>"), down, 0},
		{"half of it", 0, respond(200, good[:len(good)/2]), down, 0},
		{"more than one", 0, respond(200, good+good), down, 0},
		{"a text", 0, respond(200, `"s3cret"`), down, 0},
		{"a list", 0, respond(200, "["+good+"]"), down, 0},
		{"100,000 deep", 0, respond(200, `{"x":`+strings.Repeat("[", 100_000)), down, 0},
		{badText, 0, respond(200, strings.Replace(good, "s3cret", "s3cret\xff", 1)), down, 0},
		{"100,000 deep and well-formed", 0, respond(200, `{"x":`+nested(100_000, "[", "", "]")+`,`+good[1:]), down, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // they wait for timeouts
			if c.timeout == 0 {
				c.timeout = 2 * long
			}
			g := newGateway(t, replaceSource(t, "users", c.timeout, c.handler))
			started := time.Now()
			a := g.query(t, g.token(t, services.Admin), `{ user(id: "u1") { id name role createdAt } product(sku: "B-100") { sku } }`, nil)
			if took := time.Since(started); took > long {
				t.Errorf("it took %s", took)
			}
			if string(a.Data) != `{"user":null,"product":{"sku":"B-100"}}` || a.Status != http.StatusOK || len(a.Errors) != 1 {
				t.Fatalf("got %d %.500s", a.Status, a.Body)
			}
			path := "[user]"
			if c.name == badText { // which fails its own field, whose null reaches the user
				path = "[user name]"
			}
			if e := a.Errors[0]; e.Extensions.Code != c.code || e.Extensions.Service != "users" || e.Extensions.HTTP.Status != c.status || fmt.Sprint(e.Path) != path {
				t.Errorf("got %s", a.Body)
			}
			wantNoneOf(t, "the answer", a.Body, "s3cret", "127.0.0.1", "http://", "dial", "EOF", "json:", "invalid character", "goroutine")
		})
	}
}

// A part of a response that does not fit the graph is an error of that field, and only for
// operations that select the field.
func TestPartlyMalformedResponses(t *testing.T) {
	const good = `{"id":"u1","name":"Ada","role":"customer","createdAt":"2025-01-10T09:30:00Z"}`
	for _, c := range []struct{ name, from, to, data, paths string }{
		{"a number for a name", `"Ada"`, "5", "null", "[[user name]]"},
		{"an object for a name", `"Ada"`, `{"s3cret":1}`, "null", "[[user name]]"},
		{"no name", `"Ada"`, "null", "null", "[[user name]]"},
		{"an unknown role", `"customer"`, `"s3cret"`, `{"id":"u1","name":"Ada","role":null}`, "[[user role]]"},
		{"an invalid date that is not selected", "2025-01-10", "s3cret", `{"id":"u1","name":"Ada","role":"CUSTOMER"}`, "[]"},
		{"an empty object", good, "{}", "null", "[[user id] [user name]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGateway(t, replaceSource(t, "users", time.Second, respond(200, strings.Replace(good, c.from, c.to, 1))))
			a := g.query(t, g.token(t, services.Admin), `{ user(id: "u1") { id name role } }`, nil)
			paths := [][]any{}
			for _, e := range a.Errors {
				paths = append(paths, e.Path)
				if e.Extensions.Code != "DOWNSTREAM_SERVICE_ERROR" || e.Extensions.Service != "users" {
					t.Errorf("got %s", a.Body)
				}
			}
			if string(a.Data) != `{"user":`+c.data+`}` || fmt.Sprint(paths) != c.paths {
				t.Errorf("got %s", a.Body)
			}
			wantNoneOf(t, "the answer", a.Body, "s3cret")
		})
	}
}

func wantNoneOf(t testing.TB, what, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if strings.Contains(text, word) {
			t.Errorf("%s tells %q: %.500s", what, word, text)
		}
	}
}

// A join ignores items that it did not request.
func TestResponseForAnotherCaller(t *testing.T) {
	person := func(id string) string {
		return fmt.Sprintf(`{"id":%q,"name":"the name of %[1]s","createdAt":"2025-01-10T09:30:00Z"}`, id)
	}
	for name, c := range map[string]struct{ items, want string }{
		"another":          {person("u2"), `null`},
		"others as well":   {person("u2") + "," + person("u3") + "," + person("u4"), `{"name":"the name of u3"}`},
		"another spelling": {person("U3") + "," + person(" u3"), `null`},
		"no user":          {"", `null`},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, replaceSource(t, "users", long, respond(200, `{"items":[`+c.items+`]}`)))
			wantData(t, g.query(t, g.token(t, services.Admin), `{ order(id: "9007199254740000") { userId customer { name } } }`, nil),
				`{"order":{"userId":"u3","customer":`+c.want+`}}`)
		})
	}
}

// A sum that cannot be computed for one user is null for that user only.
func TestSumOfTwoCurrencies(t *testing.T) {
	order := func(amount, currency string) string {
		return fmt.Sprintf(`{"id":1,"userId":"u","status":"paid","lines":[],"total":{"amount":%q,"currency":%q},"placedAt":"2025-01-10T09:30:00Z"}`, amount, currency)
	}
	g := newGateway(t, replaceSource(t, "orders", long, respond(200,
		`{"u1":[`+order("1.50", "EUR")+","+order("2.00", "EUR")+`],"u2":[`+order("1.00", "EUR")+","+order("1.00", "USD")+`]}`)))
	a := g.query(t, g.token(t, services.Admin), `{ users(first: 3) { nodes { lifetimeValue { amount } } } }`, nil)
	if string(a.Data) != `{"users":{"nodes":[{"lifetimeValue":{"amount":"3.50"}},{"lifetimeValue":null},{"lifetimeValue":null}]}}` || a.codes() != "INTERNAL_SERVER_ERROR" {
		t.Errorf("got %s", a.Body)
	}
}

// An empty response means null for an object, and an empty page for a page.
func TestEmptyResponses(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{"204": respond(204, ""), "200": respond(200, ""), "null": respond(200, "null")} {
		users, products := []string{}, []string{}
		want := `{"product":null,"inventory":null,"products":{"totalCount":null},"search":[]}`
		if name == "200" { // which promises content
			users = []string{"me DOWNSTREAM_SERVICE_ERROR", "other DOWNSTREAM_SERVICE_ERROR", "person DOWNSTREAM_SERVICE_ERROR", "user DOWNSTREAM_SERVICE_ERROR"}
			products = []string{"inventory DOWNSTREAM_SERVICE_ERROR", "product DOWNSTREAM_SERVICE_ERROR", "products DOWNSTREAM_SERVICE_ERROR", "search DOWNSTREAM_SERVICE_ERROR"}
			want = `{"product":null,"inventory":null,"products":null,"search":null}`
		}
		g := newGateway(t, replaceSource(t, "users", long, handler))
		a := g.query(t, g.token(t, services.Admin), `{ me { id } user(id: "u1") { id } person(id: "u8") { id } other: person(id: "u1") { id } }`, nil)
		if diff := cmp.Diff(users, a.refusals()); diff != "" || string(a.Data) != `{"me":null,"user":null,"person":null,"other":null}` {
			t.Errorf("%s: got %s", name, a.Body)
		}
		g = newGateway(t, replaceSource(t, "products", long, handler))
		a = g.query(t, "", `{ product(sku: "B-100") { sku } inventory { left } products { totalCount } search(text: "linen") { __typename } }`, nil)
		if diff := cmp.Diff(products, a.refusals()); diff != "" || string(a.Data) != want {
			t.Errorf("%s: got %s", name, a.Body)
		}
	}
}

// Compressed bombs and unselected members take little memory.
func TestBombsTakeLittleMemory(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{"endless": respondSlowly(strings.Repeat("a", 1<<20), 0), "bomb": respondWithBomb} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, replaceSource(t, "products", long, handler))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if a := g.query(t, "", `{ product(sku: "B-100") { sku } }`, nil); a.codes() != "DOWNSTREAM_SERVICE_ERROR" {
				t.Error(a.Body)
			}
			runtime.ReadMemStats(&after)
			if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 128 {
				t.Errorf("it took %d MB of memory", grown)
			}
		})
	}
}

// The operation has a deadline that is independent of the sources' timeouts.
func TestOperationDeadline(t *testing.T) {
	g := newGateway(t, replaceSource(t, "users", 2*long, neverRespond), func(c *config.Config) { c.Execution.Deadline = 200 * time.Millisecond })
	a := g.query(t, g.token(t, services.Admin), `{ user(id: "u1") { id } __typename }`, nil)
	if string(a.Data) != `{"user":null,"__typename":"Query"}` || a.codes() != "GATEWAY_TIMEOUT" {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

// When a client disconnects, its calls are cancelled.
func TestClientThatLeaves(t *testing.T) {
	called, ended := make(chan struct{}), make(chan struct{})
	g := newGateway(t, replaceSource(t, "users", 2*long, func(_ http.ResponseWriter, r *http.Request) {
		close(called)
		<-r.Context().Done()
		close(ended)
	}))
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/graphql", strings.NewReader(requestBody(`{ user(id: "u1") { id } }`)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+g.token(t, services.Admin))
	left := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		left <- err
	}()
	await(t, "the call to the service", called)
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the client got %v", err)
	}
	await(t, "the end of the call", ended)
}

func await(t testing.TB, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(long):
		t.Fatalf("%s did not come", what)
	}
}

// An operation over its budget of calls gets the data of the calls within it.
func TestBudgetOfCalls(t *testing.T) {
	g := newGateway(t, func(c *config.Config) { c.Execution.MaxCalls = 3 })
	a := g.query(t, "", "{"+repeatNumbered(6, `a#: product(sku: "B-10#") { sku } `)+"}", nil)
	if a.codes() != "BAD_REQUEST BAD_REQUEST BAD_REQUEST" || strings.Count(string(a.Data), "null") != 3 {
		t.Errorf("got %s", a.Body)
	}
	g.wantCalls(t, map[string]int{"getProduct": 3})
	wantServing(t, g)
}

// Circular joins multiply the values of a few calls; the budget of joined values ends that.
func TestBudgetOfItems(t *testing.T) {
	g := newGateway(t)
	query := strings.Repeat("customer { orders(limit: 50) { ", 6) + "id" + strings.Repeat(" } }", 6)
	a := g.query(t, g.token(t, services.Admin), "{ orders { nodes { "+query+" } } }", nil)
	if !strings.Contains(a.codes(), "BAD_REQUEST") || !strings.Contains(a.Body, "joins more than 50000 values") {
		t.Errorf("%.300s", a.Body)
	}
	if len(a.Body) > 4<<20 {
		t.Errorf("the answer has %d bytes", len(a.Body))
	}
}

// The log has one line per operation, without tokens, variables and query texts.
func TestAccessLog(t *testing.T) {
	g := newGateway(t)
	admin := g.token(t, services.Admin)
	person := map[string]any{"in": map[string]any{"email": "private@example.com", "name": "Private Name", "password": "pr1vate password"}}
	ids := map[string]string{} // request id -> codes that the log must have
	for _, a := range []*response{
		g.query(t, admin, `mutation Join($in: NewUser!) { createUser(input: $in) { id } }`, person),
		g.query(t, admin, `mutation Join($in: NewUser!) { createUser(input: $in) { id } }`, person), // a conflict, because the person exists now
		g.query(t, admin, `query($in: NewUser!) { user(id: "private-id") { id } }`, person),
		g.query(t, admin, `{ user(id: "private-id") { id } product(sku: "private-sku") { sku } }`, nil),
		g.query(t, admin+"x", `{ me { id } }`, nil),
		g.query(t, "", `{ private_field }`, nil),
		g.query(t, "", `{ order(id: "private-id") { id } `, nil),
		g.send(t, http.MethodPost, "/graphql", "private junk", "Content-Type: application/json"),
		g.send(t, http.MethodPost, "/graphql", "private junk", "Content-Type: text/private"),
		g.get(t, admin, `query Get { user(id: "private-id") { id } }`, person),
	} {
		codes := map[string]bool{}
		for _, e := range a.Errors {
			codes[e.Extensions.Code] = true
		}
		ids[a.Header.Get("X-Request-Id")] = fmt.Sprint(codes)
	}
	if len(ids) != 10 {
		t.Fatalf("the requests are called %v", ids)
	}
	for id, codes := range g.operations(t) {
		if want, known := ids[id]; !known || want != codes {
			t.Errorf("the log has %q with %s, want %s", id, codes, want)
		}
		delete(ids, id)
	}
	if len(ids) != 0 {
		t.Errorf("the log lacks %v", ids)
	}
	wantNoneOf(t, "the log", g.Log.String(), "private", "pr1vate", "Private", admin, admin[strings.LastIndexByte(admin, '.'):], "Bearer", secret)
}

// operations returns the codes in the access log by request id.
func (g *gatewayUnderTest) operations(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(g.Log.String()) {
		var entry struct {
			Msg   string
			ID    string `json:"request_id"`
			Codes string
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if entry.Msg != "operation" {
			continue
		}
		if _, twice := found[entry.ID]; twice {
			t.Errorf("%s has two lines", entry.ID)
		}
		codes := map[string]bool{}
		for code := range strings.SplitSeq(entry.Codes, ",") {
			if code != "" {
				codes[code] = true
			}
		}
		found[entry.ID] = fmt.Sprint(codes)
	}
	return found
}

// asked sends a query that a service holds, and returns a channel with its status and body.
func asked(t *testing.T, g *gatewayUnderTest) <-chan string {
	body := requestBody(`{ product(sku: "B-100") { sku } }`)
	answered := make(chan string, 1)
	go func() {
		response, err := http.Post(g.URL+"/graphql", "application/json", strings.NewReader(body))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		answered <- fmt.Sprintf("%d %s", response.StatusCode, text)
	}()
	return answered
}

// A stopping gateway is not ready first, serves for a while, finishes running requests, and ends.
func TestGracefulStop(t *testing.T) {
	called, release := make(chan struct{}), make(chan struct{})
	g, stop, stopped := startGateway(t, func(c *config.Config) { c.Shutdown.Delay, c.Shutdown.Grace = time.Second, long },
		replaceSource(t, "products", long, func(w http.ResponseWriter, r *http.Request) {
			close(called)
			<-release
			respond(200, `{"sku":"B-100","name":"n","price":1,"currency":"EUR"}`)(w, r)
		}))
	answered := asked(t, g)
	await(t, "the call to the service", called)
	if a := g.send(t, http.MethodGet, "/readyz", ""); a.Status != http.StatusOK {
		t.Errorf("/readyz says %d %s", a.Status, a.Body)
	}
	stop()
	for status := 0; status != http.StatusServiceUnavailable; {
		status = g.send(t, http.MethodGet, "/readyz", "").Status // until the delay ends and connections are refused
	}
	if a := g.send(t, http.MethodGet, "/healthz", ""); a.Status != http.StatusOK {
		t.Errorf("/healthz says %d %s", a.Status, a.Body)
	}
	wantData(t, g.query(t, "", `{ __typename }`, nil), `{"__typename":"Query"}`)
	select {
	case err := <-stopped:
		t.Fatalf("it did not wait for what runs: %v", err)
	case <-time.After(1500 * time.Millisecond): // past the delay
	}
	if _, err := http.Get(g.URL + "/healthz"); err == nil {
		t.Error("it takes new requests after the delay")
	}
	close(release)
	if got := <-answered; got != `200 {"data":{"product":{"sku":"B-100"}}}` {
		t.Errorf("what ran got %s", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// Stopping does not wait longer than the grace period for requests.
func TestStopIsBounded(t *testing.T) {
	called := make(chan struct{})
	ended := make(chan struct{})
	g, stop, stopped := startGateway(t, func(c *config.Config) { c.Shutdown.Grace = 100 * time.Millisecond },
		replaceSource(t, "products", 2*long, func(_ http.ResponseWriter, r *http.Request) {
			close(called)
			<-r.Context().Done()
			close(ended)
		}))
	answered := asked(t, g)
	await(t, "the call to the service", called)
	stop()
	select {
	case err := <-stopped:
		if err == nil || !strings.Contains(err.Error(), "still running") {
			t.Errorf("it stopped with %v", err)
		}
	case <-time.After(long):
		t.Fatal("it does not stop")
	}
	await(t, "the end of the call", ended)
	<-answered
}

// Health checks need no token and disclose nothing.
func TestHealth(t *testing.T) {
	g := newGateway(t)
	for path, want := range map[string]string{"/healthz": `{"status":"up"}`, "/readyz": `{"status":"ready"}`} {
		a := g.send(t, http.MethodGet, path, "", "Authorization: Bearer garbage")
		if a.Status != http.StatusOK || strings.TrimSpace(a.Body) != want || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %s", path, a.Status, a.Body)
		}
	}
	g.wantCalls(t, map[string]int{})
}

// binary is the installed gateway.
type binary struct{ path, folder string }

// buildGateway compiles the gateway as `make build` does.
func buildGateway(t *testing.T) binary {
	t.Helper()
	p := binary{folder: t.TempDir()}
	p.path = filepath.Join(p.folder, "gateway")
	compile := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", p.path, ".")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return p
}

// command returns an invocation in an empty directory, without this machine's environment.
func (p binary) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir, cmd.Env = p.folder, append([]string{"HOME=" + p.folder, "PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}

// run returns the output and the exit code of an invocation.
func (p binary) run(t *testing.T, env []string, args ...string) (out, problems string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	cmd := p.command(ctx, env, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// The program's flags, commands and errors as an operator sees them.
func TestProgram(t *testing.T) {
	p := buildGateway(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, text := range map[string]string{
		"typo.yaml":   "listen: :8080\nlimits:\n  deph: 3\n",
		"broken.yaml": "listen: [\n",
		"type.yaml":   "limits:\n  depth: deep\n",
		"bare.yaml":   "listen: 127.0.0.1:0\nsources:\n  users: {urls: [http://localhost:1]}\n",
		"secret.yaml": "auth:\n  issuers:\n    - {issuer: i, audiences: [a], algorithms: [HS256], secret: too-short-s3cret}\n",
		"good.yaml":   "listen: 127.0.0.1:0\ncursors: {secret: " + strings.Repeat("k", 32) + "}\nsources:\n  users: {urls: [http://localhost:1]}\n  orders: {urls: [http://localhost:1]}\n  products: {urls: [http://localhost:1]}\n",
	} {
		if err := os.WriteFile(filepath.Join(p.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := "GATEWAY_DEMO_SECRET=" + secret
	for _, c := range []struct {
		name  string
		env   []string
		args  []string
		code  int
		out   string   // a pattern
		words []string // of the error message
	}{
		{"its version", nil, []string{"--version"}, 0, `^gateway \S+ \(commit .*go1\.`, nil},
		{"its help", nil, []string{"--help"}, 0, `(?s)--demo.*--listen`, nil},
		{"the schema of its settings", nil, []string{"config", "schema"}, 0, `(?s)^\{.*"rootFields"`, nil},
		{"a token", []string{key}, []string{"token", "--subject", "u3"}, 0, `^[\w-]+\.[\w-]+\.[\w-]+\n$`, nil},
		{"a token without a key", nil, []string{"token"}, 1, `^$`, []string{"GATEWAY_DEMO_SECRET", "openssl rand -hex 32"}},
		{"good settings", nil, []string{"config", "validate", "--config", "good.yaml"}, 0, `good\.yaml is valid`, nil},
		{"a typo", nil, []string{"--config", "typo.yaml"}, 1, `^$`, []string{"typo.yaml:3", "deph", `did you mean "depth"`}},
		{"a typo, checked", nil, []string{"config", "validate", "-c", "typo.yaml"}, 1, `^$`, []string{"typo.yaml:3", "deph"}},
		{"settings that are no YAML", nil, []string{"--config", "broken.yaml"}, 1, `^$`, []string{"broken.yaml:"}},
		{"a word for a number", nil, []string{"--config", "type.yaml"}, 1, `^$`, []string{"type.yaml:2", "depth"}},
		{"a short secret", nil, []string{"--config", "secret.yaml"}, 1, `^$`, []string{"secret.yaml:", "32"}},
		{"a source that is missing", nil, []string{"--config", "bare.yaml"}, 1, ``, []string{"orders", "products", "sources"}},
		{"no such file", nil, []string{"--config", "nowhere.yaml"}, 1, `^$`, []string{"nowhere.yaml"}},
		{"no settings at all", nil, nil, 1, ``, []string{"sources"}},
		{"a bad variable", []string{"GATEWAY_LIMITS_DEPTH=deep"}, []string{"--config", "good.yaml"}, 1, `^$`, []string{"GATEWAY_LIMITS_DEPTH"}},
		{"a port that is taken", nil, []string{"--config", "good.yaml", "--listen", taken.Addr().String()}, 1, ``, []string{taken.Addr().String(), "in use", "--listen"}},
		{"a demo on a port that is taken", nil, []string{"--demo", "--listen", taken.Addr().String()}, 1, ``, []string{"in use", "--listen"}},
		{"a demo with a short key", []string{"GATEWAY_DEMO_SECRET=s3cret"}, []string{"--demo"}, 1, ``, []string{"GATEWAY_DEMO_SECRET", "32"}},
		{"an unknown flag", nil, []string{"--dmeo"}, 2, `^$`, []string{"--dmeo", "--help"}},
		{"an unknown command", nil, []string{"confg"}, 2, `^$`, []string{`did you mean "config"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, problems, code := p.run(t, c.env, c.args...)
			if code != c.code || !regexp.MustCompile(c.out).MatchString(out) {
				t.Errorf("exit %d with %q", code, out)
			}
			for _, word := range c.words {
				if !strings.Contains(problems, word) {
					t.Errorf("it does not say %q:\n%s", word, problems)
				}
			}
			wantNoneOf(t, "the complaint", problems, "s3cret", "goroutine", "panic")
			if c.code == 0 && problems != "" {
				t.Errorf("it complains: %s", problems)
			}
		})
	}
	t.Run("the demo", func(t *testing.T) { testDemo(t, p) })
	t.Run("a token of its own", func(t *testing.T) {
		out, _, _ := p.run(t, []string{key}, "token", "--subject", "u3", "--scope", "users:read")
		g := newGateway(t)
		wantData(t, g.query(t, strings.TrimSpace(out), `{ me { id } user(id: "u1") { email } }`, nil), `{"me":{"id":"u3"},"user":{"email":"ada.lindqvist@example.com"}}`)
	})
}

// runningProgram is a running demo.
type runningProgram struct {
	cmd    *exec.Cmd
	text   string // up to the line that says how to stop it
	rest   <-chan string
	shouts *bytes.Buffer
}

func startProgram(t *testing.T, p binary, env []string, args ...string) *runningProgram {
	t.Helper()
	s := &runningProgram{cmd: p.command(t.Context(), env, args...), shouts: &bytes.Buffer{}}
	s.cmd.Stderr = s.shouts
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	timer := time.AfterFunc(long, func() { _ = s.cmd.Process.Kill() })
	defer timer.Stop()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
		s.text += lines.Text() + "\n"
	}
	rest := make(chan string, 1)
	go func() {
		var b strings.Builder
		for lines.Scan() {
			b.WriteString(lines.Text() + "\n")
		}
		rest <- b.String()
	}()
	s.rest = rest
	return s
}

// end sends a signal and returns the exit code and the remaining output.
func (s *runningProgram) end(t *testing.T, signal os.Signal) (code int, said string) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(long, func() { _ = s.cmd.Process.Kill() })
	defer timer.Stop()
	said = <-s.rest
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode(), said + s.shouts.String()
}

var (
	playgroundURL = regexp.MustCompile(`Playground +(http://\S+)/\n`)
	replicaURL    = regexp.MustCompile(`products, replica \d +(http://127\.0\.0\.1:\d+)\n`)
	bearerToken   = regexp.MustCompile(`\n  export TOKEN=(ey\S+\.\S+\.\S+)\n`)
)

// testDemo does what a new user does: start the demo, open the playground, query, stop.
func testDemo(t *testing.T, p binary) {
	s := startProgram(t, p, []string{"GATEWAY_DEMO_SECRET=" + secret}, "--demo", "--listen", "127.0.0.1:0")
	at, replicas, tokens := playgroundURL.FindStringSubmatch(s.text), replicaURL.FindAllString(s.text, -1), bearerToken.FindAllStringSubmatch(s.text, -1)
	if at == nil || len(replicas) != services.Replicas || len(tokens) != 2 {
		t.Fatalf("it says: %s%s", s.text, s.shouts)
	}
	g := &gatewayUnderTest{URL: at[1]}
	if page := g.send(t, http.MethodGet, "/", "", "Accept: text/html"); page.Status != http.StatusOK || !strings.Contains(page.Body, "<html") {
		t.Errorf("the playground is %d %.100s", page.Status, page.Body)
	}
	for i, who := range services.Identities() {
		wantData(t, g.query(t, tokens[i][1], `{ me { id } }`, nil), fmt.Sprintf(`{"me":{"id":%q}}`, who.Subject))
	}
	own, err := services.New(services.Options{Secret: []byte(secret)}).Token(services.Admin)
	if err != nil {
		t.Fatal(err)
	}
	if a := g.query(t, own, `{ orders { nodes { customer { name } lines { product { name } } } } }`, nil); len(a.Errors) > 0 {
		t.Errorf("a token made with the same key: %s", a.Body)
	}
	begun := time.Now()
	code, said := s.end(t, syscall.SIGTERM)
	if took := time.Since(begun); code != 0 || took > 10*time.Second {
		t.Errorf("it ended with %d after %s: %s", code, took, said)
	}
	wantNoneOf(t, "the log", said, own, tokens[0][1], tokens[1][1], secret)
}

// Requests do not wait for each other: a hanging service does not delay requests without it.
func TestHangingServiceBlocksNoOtherRequest(t *testing.T) {
	const many = 100
	waiting := make(chan struct{}, many)
	g := newGateway(t, replaceSource(t, "users", 2*long, func(_ http.ResponseWriter, r *http.Request) {
		waiting <- struct{}{}
		<-r.Context().Done()
	}))
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	token := g.token(t, services.Admin)
	gone := make(chan struct{}, many)
	for range many {
		go func() {
			defer func() { gone <- struct{}{} }()
			request, _ := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/graphql", strings.NewReader(requestBody(`{ user(id: "u1") { id } }`)))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", "Bearer "+token)
			if response, err := http.DefaultClient.Do(request); err == nil {
				_ = response.Body.Close()
			}
		}()
	}
	for range many {
		await(t, "one of the calls", waiting)
	}
	wantServing(t, g)
	leave()
	for range many {
		<-gone
	}
}
