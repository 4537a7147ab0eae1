package middleware

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
)

// newCSRF returns a handler of status 418 behind the middleware.
func newCSRF(t testing.TB, o CSRF, c CORS) http.Handler {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	m, err := o.Middleware(c, log, response.NewErrorWriter(presenter.New(log)))
	if err != nil {
		t.Fatal(err)
	}
	return m(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
}

// clients are requests of clients that are not browsers, by POST and by GET.
func clients() map[string]*http.Request {
	post := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	get := httptest.NewRequest(http.MethodGet, "/graphql?query={n}", nil)
	for _, r := range []*http.Request{post, get} {
		for name, value := range map[string]string{
			"User-Agent": "okhttp/5.1.0", "Accept": "application/json", "Content-Type": "application/json", "Authorization": "Bearer x", "X-Request-Id": "1",
		} {
			r.Header.Set(name, value)
		}
	}
	return map[string]*http.Request{"POST": post, "GET": get}
}

// Clients that are not browsers pay nothing for the rules of browsers.
func TestClientsDoNotPayForCSRF(t *testing.T) {
	h, w := newCSRF(t, CSRF{}, CORS{Origins: []string{"https://*.shop.example"}}), &discard{}
	for method, r := range clients() {
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n != 0 {
			t.Errorf("%s: %v allocations", method, n)
		}
	}
}

// Headers that all responses share do not change when a handler adds values to them.
func TestSecurityHeadersAreNotShared(t *testing.T) {
	h := SecurityHeaders(HSTS{})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("X-Content-Type-Options", "other")
	}))
	for range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if got := w.Header()["X-Content-Type-Options"]; len(got) != 2 || got[0] != "nosniff" {
			t.Errorf("got %q", got)
		}
	}
}

func BenchmarkCSRF(b *testing.B) {
	browser := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	browser.Header.Set("Sec-Fetch-Site", "same-origin")
	browser.Header.Set("Origin", "http://example.com")
	page := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	page.Header.Set("Sec-Fetch-Site", "cross-site")
	page.Header.Set("Origin", "https://a.shop.example")
	requests := clients()
	requests["page of the gateway"], requests["page of CORS"] = browser, page
	h, w := newCSRF(b, CSRF{}, CORS{Origins: []string{"https://*.shop.example"}}), &discard{}
	for name, r := range requests {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}

// Patterns that are accepted can be used, and match nothing but the hosts that they name.
func FuzzOrigins(f *testing.F) {
	for _, pattern := range []string{
		"*", "null", "https://shop.example", "https://*.shop.example:*", "http://localhost:*", "http://[::1]:9090", "https://*.com", "https://*.",
		"https://", "://", "a://b", "https://*.github.io.", "https://xn--xample-9ua.com", "https://shop.example:443", "file://x", "https://*.lan:8443",
	} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		for _, credentials := range []bool{false, true} {
			c := CORS{Origins: []string{pattern}, Credentials: credentials}
			if c.Validate() != nil {
				continue
			}
			if _, err := c.Middleware(nil, nil, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatalf("%q is accepted, but cannot be used: %v", pattern, err)
			}
			o, err := newOrigins(c.Origins)
			if err != nil || o.has("null") != (pattern == "*") || o.has("https://evil.invalid") != (pattern == "*") && pattern != "https://evil.invalid" {
				t.Fatalf("%q: %v", pattern, err)
			}
		}
	})
}
