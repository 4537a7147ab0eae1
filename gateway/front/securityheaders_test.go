package front_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
)

// No response, whatever its route and status, is read by a browser as another media type than its own.
func TestEveryResponseHasSecurityHeaders(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	g := newGateway(t, front.Options{Playground: true, Introspection: true, HSTS: middleware.HSTS{MaxAge: time.Hour}}, nil, func(d *front.Deps) {
		d.Playground, d.Metrics, d.Services = ok, ok, ok
	})
	g.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, test := range []struct {
		method, path, body string
		headers            []string
		status             int
	}{
		{"POST", "/graphql", `{"query":"{n}"}`, []string{asJSON}, 200},
		{"GET", "/graphql?query={n}", "", nil, 200},
		{"GET", "/graphql?query={nope}", "", []string{"Accept: " + typeGraphQL}, 400},
		{"GET", "/graphql", "", []string{"Accept: text/html"}, 303},
		{"GET", "/graphql?query={n}", "", []string{cross}, 403},
		{"GET", "/graphql?query={n}", "", []string{"Accept: image/png"}, 406},
		{"POST", "/graphql", "x", []string{"Content-Type: text/plain"}, 415},
		{"DELETE", "/graphql", "", nil, 405},
		{"OPTIONS", "/graphql", "", nil, 204},
		{"POST", "/graphql", strings.Repeat(" ", front.DefaultBodyBytes+1), []string{asJSON}, 413},
		{"GET", "/healthz", "", nil, 200},
		{"GET", "/readyz", "", nil, 200},
		{"GET", "/schema.graphql", "", nil, 200},
		{"GET", "/metrics", "", nil, 200},
		{"GET", "/services", "", nil, 200},
		{"GET", "/", "", nil, 200},
		{"GET", "//graphql", "", nil, 307},
		{"GET", "/nothing", "", nil, 404},
		{"POST", "/healthz", "", nil, 404},
	} {
		got := g.do(t, g.request(t, test.method, test.path, test.body, test.headers...))
		if got.status != test.status || strings.Join(got.header["X-Content-Type-Options"], ",") != "nosniff" {
			t.Errorf("%s %s: %d %v", test.method, test.path, got.status, got.header)
		}
		if sent := got.header.Get("Strict-Transport-Security"); sent != "" {
			t.Errorf("%s %s without TLS: Strict-Transport-Security: %s", test.method, test.path, sent)
		}
	}
}

// Browsers are told to use TLS alone by responses over TLS, and only if the settings say so (RFC 6797,
// section 7.2).
func TestHSTS(t *testing.T) {
	for _, test := range []struct {
		hsts middleware.HSTS
		want string
	}{
		{middleware.HSTS{}, ""},
		{middleware.HSTS{MaxAge: 5 * time.Minute}, "max-age=300"},
		{middleware.HSTS{MaxAge: 8760 * time.Hour, IncludeSubdomains: true}, "max-age=31536000; includeSubDomains"},
		{middleware.HSTS{MaxAge: 2 * 8760 * time.Hour, IncludeSubdomains: true, Preload: true}, "max-age=63072000; includeSubDomains; preload"},
	} {
		f, _ := newFront(t, front.Options{HSTS: test.hsts}, &service{})
		for _, secure := range []bool{true, false} {
			server := httptest.NewUnstartedServer(f.Handler())
			if secure {
				server.StartTLS()
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			for _, path := range []string{"/graphql?query={n}", "/healthz", "/nothing"} {
				r, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
				r.Header.Set("X-Forwarded-Proto", "https") // which says nothing about this connection
				response, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				want := ""
				if secure {
					want = test.want
				}
				if got := response.Header.Get("Strict-Transport-Security"); got != want {
					t.Errorf("%+v, TLS %t, %s: %q, want %q", test.hsts, secure, path, got, want)
				}
			}
		}
	}
}

// Settings for pages of other origins are taken up while the gateway runs.
func TestCSRFIsReloaded(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	send := func() int {
		return g.do(t, g.request(t, "POST", "/graphql", `{"query":"{n}"}`, asJSON, chrome, cross, shop)).status
	}
	if status := send(); status != 403 {
		t.Fatalf("before: %d", status)
	}
	for _, test := range []struct {
		options front.Options
		status  int
	}{
		{front.Options{CSRF: middleware.CSRF{TrustedOrigins: []string{"https://shop.example"}}}, 200},
		{front.Options{}, 403},
		{front.Options{CORS: middleware.CORS{Origins: []string{"https://shop.example"}}}, 200},
		{front.Options{CSRF: middleware.CSRF{Mode: middleware.CSRFOff}}, 200},
	} {
		apply, err := g.front.Prepare(test.options, front.Deps{Schema: g.service})
		if err != nil {
			t.Fatal(err)
		}
		apply()
		if status := send(); status != test.status {
			t.Errorf("%+v: %d", test.options, status)
		}
	}
	for name, o := range map[string]front.Options{
		"csrf: ": {CSRF: middleware.CSRF{Mode: "x"}}, "hsts: ": {HSTS: middleware.HSTS{Preload: true}},
	} {
		if _, err := g.front.Prepare(o, front.Deps{Schema: g.service}); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
