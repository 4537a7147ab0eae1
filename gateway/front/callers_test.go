package front_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
)

// trusted are proxies on this machine, where the tests' connections come from, and in 10.0.0.0/8.
var trusted = caller.Proxies{Trusted: []string{"127.0.0.1", "::1", "10.0.0.0/8"}}

// scopesOf returns the caller whose token is a list of scopes.
func scopesOf(_ context.Context, authorization string) (*auth.Identity, error) {
	if authorization == "" {
		return nil, nil
	}
	return auth.NewIdentity(map[string]any{"sub": "u1", "scope": authorization}, ""), nil
}

// An operation knows who has sent it, whatever else the client says.
func TestCallers(t *testing.T) {
	classes := caller.Options{Classes: []caller.Class{
		{Name: "partner", Scopes: []string{"partner"}}, {Name: "office", Networks: []string{"192.0.2.0/24"}}, {Name: "app", Clients: []string{"ios"}},
	}}
	for name, c := range map[string]struct {
		options front.Options
		headers []string
		want    string // address, class, client and version
	}{
		"by default":                {front.Options{}, []string{"X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1"}, "127.0.0.1 anonymous  "},
		"with a token":              {front.Options{}, []string{"Authorization: a"}, "127.0.0.1 authenticated  "},
		"what a client states":      {front.Options{}, []string{"graphql-client-name: ios", "graphql-client-version: 3"}, "127.0.0.1 anonymous ios 3"},
		"behind a proxy":            {front.Options{Proxies: trusted}, []string{"X-Forwarded-For: 198.51.100.1, 192.0.2.1, 10.1.1.1"}, "192.0.2.1 anonymous  "},
		"of two headers":            {front.Options{Proxies: trusted}, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=198.51.100.2"}, "192.0.2.1 anonymous  "},
		"by the standard's header":  {front.Options{Proxies: caller.Proxies{Trusted: trusted.Trusted, Header: "Forwarded"}}, []string{`Forwarded: for=192.0.2.1;x=", for="[2001:db8::1]:80"`, "X-Forwarded-For: 198.51.100.1"}, "2001:db8::1 anonymous  "},
		"of a class":                {front.Options{Callers: classes}, []string{"Authorization: a partner"}, "127.0.0.1 partner  "},
		"of a network":              {front.Options{Callers: classes, Proxies: trusted}, []string{"X-Forwarded-For: 192.0.2.1", "Authorization: a"}, "192.0.2.1 office  "},
		"of a network, by its word": {front.Options{Callers: classes}, []string{"X-Forwarded-For: 192.0.2.1", "Authorization: a"}, "127.0.0.1 authenticated  "},
		"of a client":               {front.Options{Callers: classes}, []string{"graphql-client-name: ios"}, "127.0.0.1 app ios "},
		"of no class":               {front.Options{Callers: classes}, []string{"graphql-client-name: web"}, "127.0.0.1 anonymous web "},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			g := newGateway(t, c.options, func(ctx context.Context) *graphql.Response {
				caller := request.CallerOf(ctx)
				got = fmt.Sprint(caller.IP, " ", caller.Class, " ", caller.Client, " ", caller.ClientVersion)
				return &graphql.Response{Data: []byte(`{"n":1}`)}
			}, func(d *front.Deps) { d.Verify = scopesOf })
			if reply := g.ask(t, "{n}", c.headers...); reply.status != http.StatusOK || got != c.want {
				t.Errorf("%d, %q, want %q", reply.status, got, c.want)
			}
		})
	}
}

// The log has the address of a client only where the settings say so.
func TestLogOfCallers(t *testing.T) {
	for _, logs := range []bool{false, true} {
		o := front.Options{Proxies: trusted, LogClientAddress: logs}
		if logs {
			o.Callers.Classes = []caller.Class{{Name: "partner", Scopes: []string{"partner"}}}
			o.Networks.Deny = []string{"203.0.113.0/24"}
		}
		g := newGateway(t, o, nil, func(d *front.Deps) { d.Verify = scopesOf })
		g.ask(t, "{n}", "X-Forwarded-For: 192.0.2.1", "graphql-client-name: ios", "graphql-client-version: 3", "Authorization: partner")
		line := g.log.lines(t, "operation")[0]
		if line["client"] != "ios" || line["client_version"] != "3" || (line["client_ip"] == "192.0.2.1") != logs || (line["class"] == "partner") != logs {
			t.Errorf("%v: %v", logs, line)
		}
		if !logs {
			if strings.Contains(g.log.String(), "192.0.2.1") {
				t.Errorf("the address is logged: %s", g.log)
			}
			continue
		}
		g.ask(t, "{n}", "X-Forwarded-For: 203.0.113.9")
		if line := g.log.lines(t, "operation")[1]; line["status"] != 403.0 || line["refused"] != "network" || line["client_ip"] != "203.0.113.9" || line["codes"] != "FORBIDDEN" {
			t.Errorf("%v", line)
		}
	}
}

// A page of another origin may send the headers in which clients state what they are.
func TestCORSOfClientHeaders(t *testing.T) {
	g := newGateway(t, front.Options{
		CORS: middleware.CORS{Origins: []string{"https://shop.example"}}, Callers: caller.Options{ClientNameHeaders: []string{"X-App"}},
	}, nil)
	got := g.do(t, g.request(t, "OPTIONS", "/graphql", "", "Origin: https://shop.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-app"))
	if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Headers") == "" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

// A client that may not come is refused before anything else is done: no token is verified, no body is read, no
// preflight answered and no operation executed.
func TestNetworks(t *testing.T) {
	verified, refusals := 0, 0
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") })
	g := newGateway(t, front.Options{
		Proxies: trusted, Playground: true, Introspection: true, CORS: middleware.CORS{Origins: []string{"https://shop.example"}},
		Networks: network.Options{
			Lists:  network.Lists{Allow: []string{"192.0.2.0/24", "2001:db8::/32"}, Deny: []string{"192.0.2.66"}},
			Routes: map[string]network.Lists{"/metrics": {Allow: []string{"172.16.0.0/12"}}, "/graphql": {Deny: []string{"192.0.2.77"}}, "/readyz": {Allow: []string{"172.16.0.0/12"}}},
		},
	}, nil, func(d *front.Deps) {
		d.Playground, d.Metrics = page, page
		d.Verify = func(ctx context.Context, authorization string) (*auth.Identity, error) {
			verified++
			return scopesOf(ctx, authorization)
		}
		d.OnRefused = func(reason string) {
			if reason == "network" {
				refusals++
			}
		}
	})
	const accepted, denied, deniedHere, other, inside = "192.0.2.1", "192.0.2.66", "192.0.2.77", "203.0.113.1", "172.16.1.1"
	for path, want := range map[string]string{
		"/graphql?query={n}":            accepted,
		"/graphql/?query={n}":           accepted,
		"/":                             accepted + " " + deniedHere,
		"/playground/x.js":              accepted + " " + deniedHere,
		"/schema.graphql":               accepted + " " + deniedHere,
		"/nothing":                      accepted + " " + deniedHere,
		"/metrics":                      inside,
		"/readyz":                       inside,
		"/healthz":                      accepted + " " + denied + " " + deniedHere + " " + other + " " + inside,
		"/%67raphql?query={n}":          accepted,
		"/%6detrics":                    inside,
		"/x/../graphql?query={n}":       accepted,
		"//graphql?query={n}":           accepted,
		"/healthz/../graphql?query={n}": accepted,
	} {
		var got []string
		for _, ip := range []string{accepted, denied, deniedHere, other, inside} {
			if reply := g.do(t, g.request(t, "GET", path, "", "X-Forwarded-For: 198.51.100.1, "+ip)); reply.status != http.StatusForbidden {
				got = append(got, ip)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}

	asked := g.service.asked.Load()
	verified, refusals = 0, 0
	body := &countingReader{Reader: strings.NewReader(strings.Repeat("x", 1<<20))}
	r := httptest.NewRequest("POST", "/graphql", body)
	r.RemoteAddr = "203.0.113.1:4711"
	r.Header.Set("Content-Type", typeJSON)
	r.Header.Set("Authorization", "wrong")
	w := httptest.NewRecorder()
	g.front.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || body.n > 0 || verified > 0 || refusals != 1 || g.service.asked.Load() > asked {
		t.Errorf("%d, %d bytes are read, %d tokens are verified, %d refusals", w.Code, body.n, verified, refusals)
	}
	got := g.ask(t, "{n}", "X-Forwarded-For: 203.0.113.1", "Origin: https://shop.example")
	if got.status != http.StatusForbidden || got.code() != "FORBIDDEN" || got.header.Get("Content-Type") != typeGraphQL+"; charset=utf-8" || got.header.Get("Access-Control-Allow-Origin") != "" || got.header.Get("X-Request-Id") == "" {
		t.Errorf("%d %v %s", got.status, got.header, got.text)
	}
	preflight := g.do(t, g.request(t, "OPTIONS", "/graphql", "", "X-Forwarded-For: 203.0.113.1", "Origin: https://shop.example", "Access-Control-Request-Method: POST"))
	if preflight.status != http.StatusForbidden || preflight.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", preflight.status, preflight.header)
	}
	plain := g.do(t, g.request(t, "GET", "/metrics", "", "X-Forwarded-For: 203.0.113.1"))
	if plain.text != "requests from this address are not allowed here\n" || plain.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%v %s", plain.header, plain.text)
	}
}

type countingReader struct {
	io.Reader
	n int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += n
	return n, err
}

// A changed list counts for the next request of a connection that is there.
func TestNetworksOnAConnection(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	deny := front.Options{Networks: network.Options{Lists: network.Lists{Deny: []string{"127.0.0.0/8", "::1"}}}}
	for i, step := range []struct {
		options front.Options
		status  int
	}{{front.Options{}, http.StatusOK}, {deny, http.StatusForbidden}, {front.Options{}, http.StatusOK}, {deny, http.StatusForbidden}} {
		g.prepare(t, step.options)()
		reused := false
		r := g.request(t, "POST", "/graphql", `{"query":"{n}"}`, "Content-Type: "+typeJSON)
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }}))
		if got := g.do(t, r); got.status != step.status || reused != (i > 0) {
			t.Errorf("%d: %d, on the same connection: %t", i, got.status, reused)
		}
	}
	if _, err := g.front.Prepare(front.Options{Networks: network.Options{Lists: network.Lists{Deny: []string{"x"}}}}, front.Deps{Schema: g.service}); err == nil || !strings.HasPrefix(err.Error(), "networks: deny[0]") {
		t.Error(err)
	}
	if _, err := g.front.Prepare(front.Options{Proxies: caller.Proxies{Trusted: []string{"x"}}}, front.Deps{Schema: g.service}); err == nil || !strings.HasPrefix(err.Error(), "callers: trusted[0]") {
		t.Error(err)
	}
}
