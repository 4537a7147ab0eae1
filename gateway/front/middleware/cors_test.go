package middleware

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What is unsafe is refused before the gateway serves, with what to write instead.
func TestUnsafeCORSIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		cors CORS
		want string // in the error; "" for settings that are accepted
	}{
		"nothing":                             {CORS{}, ""},
		"all origins":                         {CORS{Origins: []string{"*"}}, ""},
		"all origins with credentials":        {CORS{Origins: []string{"*"}, Credentials: true}, `credentials: cannot be true while all origins ("*") are allowed; list the origins`},
		"null":                                {CORS{Origins: []string{"null"}}, `origins[0]: "null" is the origin of sandboxed frames and local files`},
		"null with credentials":               {CORS{Origins: []string{"https://shop.example", "null"}, Credentials: true}, `origins[1]: "null" is the origin of sandboxed frames`},
		"http":                                {CORS{Origins: []string{"http://shop.example"}}, ""},
		"http with credentials":               {CORS{Origins: []string{"http://shop.example"}, Credentials: true}, "is not https, so the network could use the caller's credentials; write https"},
		"subdomains by http with credentials": {CORS{Origins: []string{"http://*.shop.example"}, Credentials: true}, "is not https"},
		"this machine with credentials":       {CORS{Origins: []string{"http://localhost:*", "http://127.0.0.1:3000"}, Credentials: true}, ""},
		"a top-level domain":                  {CORS{Origins: []string{"https://*.com"}}, `allows sites of strangers, who can register names below this host; name your site, as https://*.shop.example.com`},
		"a top-level domain with credentials": {CORS{Origins: []string{"https://*.com"}, Credentials: true}, "allows sites of strangers"},
		"a suffix of two labels":              {CORS{Origins: []string{"https://*.co.uk:*"}}, "allows sites of strangers"},
		"a host of pages":                     {CORS{Origins: []string{"https://*.github.io"}}, "allows sites of strangers"},
		"a host of pages with credentials":    {CORS{Origins: []string{"https://*.github.io"}, Credentials: true}, "allows sites of strangers"},
		"one page of that host":               {CORS{Origins: []string{"https://shop.github.io", "https://*.shop.github.io"}, Credentials: true}, ""},
		"names of a private network":          {CORS{Origins: []string{"http://*.lan", "https://*.corp:8443"}}, ""},
		"subdomains":                          {CORS{Origins: []string{"https://*.shop.example:*"}, Credentials: true}, ""},
		"a path":                              {CORS{Origins: []string{"https://shop.example/"}}, "has a path, which origins have not; write scheme and host"},
		"a star in a label":                   {CORS{Origins: []string{"https://shop-*.example"}}, "has a * in a place where it cannot stand"},
		"a star for the scheme":               {CORS{Origins: []string{"*://shop.example"}}, "is not an origin as browsers write it"},
		"no scheme":                           {CORS{Origins: []string{"shop.example"}}, "has no scheme"},
		"the default port":                    {CORS{Origins: []string{"http://shop.example:80"}}, "has the port that http has by default"},
		"files":                               {CORS{Origins: []string{"file://"}}, "is not an origin as browsers write it"},
		"other letters":                       {CORS{Origins: []string{"https://schön.example"}}, "is not an origin as browsers write it"},
		"a header that browsers do not let a page send": {CORS{Origins: []string{"*"}, Headers: []string{"X-Tenant", "Cookie"}}, `headers[1]: "Cookie" cannot be allowed`},
		"preflights for ever":                           {CORS{Origins: []string{"*"}, MaxAge: 25 * time.Hour}, "maxAge: must be at most 24h"},
	} {
		_, err := test.cors.Middleware(nil, nil, slog.New(slog.DiscardHandler))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

// newCORS returns a handler of status 418 behind the middleware.
func newCORS(t *testing.T, c CORS) http.Handler {
	t.Helper()
	m, err := c.Middleware(nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return m(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
}

// Which origins a page may have, and that a cache keeps the responses to them apart.
func TestCORSOrigins(t *testing.T) {
	some := CORS{Origins: []string{"https://shop.example", "https://*.shop.example", "http://localhost:*"}}
	for _, test := range []struct {
		cors          CORS
		origin, allow string
		vary          string
	}{
		{some, "https://shop.example", "https://shop.example", "Origin"},
		{some, "https://a.shop.example", "https://a.shop.example", "Origin"},
		{some, "http://localhost:3000", "http://localhost:3000", "Origin"},
		{some, "", "", "Origin"},
		{some, "http://shop.example", "", "Origin"},
		{some, "https://shop.example:8443", "", "Origin"},
		{some, "https://shop.example.evil.example", "", "Origin"},
		{some, "https://evilshop.example", "", "Origin"},
		{some, "https://shop.example@evil.example", "", "Origin"},
		{some, "http://localhost.evil.example", "", "Origin"},
		{some, "null", "", "Origin"},
		{CORS{Origins: []string{"*"}}, "https://evil.example", "*", ""},
		{CORS{}, "https://evil.example", "", ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		w := httptest.NewRecorder()
		newCORS(t, test.cors).ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != test.allow || w.Header().Get("Vary") != test.vary || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%q of %v: %v", test.origin, test.cors.Origins, w.Header())
		}
	}
}

// A page of the public network gets no access to a gateway of a private one: no preflight is answered
// with Access-Control-Allow-Private-Network (Private Network Access, WICG).
func TestPrivateNetworkAccessIsNotGranted(t *testing.T) {
	for _, c := range []CORS{{Origins: []string{"*"}}, {Origins: []string{"https://shop.example"}, Credentials: true}} {
		r := httptest.NewRequest(http.MethodOptions, "/graphql", nil)
		for name, value := range map[string]string{
			"Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
			"Access-Control-Request-Headers": "content-type", "Access-Control-Request-Private-Network": "true",
		} {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		newCORS(t, c).ServeHTTP(w, r)
		if w.Code >= 300 || w.Header().Get("Access-Control-Allow-Origin") == "" {
			t.Fatalf("the preflight is refused: %d %v", w.Code, w.Header())
		}
		for name := range w.Header() {
			if strings.Contains(strings.ToLower(name), "network") {
				t.Errorf("%s: %s", name, w.Header().Get(name))
			}
		}
	}
}
