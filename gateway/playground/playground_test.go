package playground_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
)

// get asks for a path with header lines like "Accept-Encoding: gzip".
func get(t *testing.T, o playground.Options, path string, lines ...string) *http.Response {
	t.Helper()
	return ask(t, o, http.MethodGet, path, lines...)
}

func ask(t *testing.T, o playground.Options, method, path string, lines ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	playground.Handler(o).ServeHTTP(w, r)
	return w.Result()
}

// body reads an answer, unpacking it if it is gzipped.
func body(t *testing.T, answer *http.Response) string {
	t.Helper()
	var from io.Reader = answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		from = z
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRoutes(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/playground/config.json", 200, "application/json"},
		{"GET", "/playground/icon.svg", 200, "image/svg+xml"},
		{"GET", "/playground/THIRD_PARTY_LICENSES.txt", 200, "text/plain; charset=utf-8"},
		{"GET", "/index.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/playground/", 404, "text/plain; charset=utf-8"},
		{"GET", "/playground/assets/", 404, "text/plain; charset=utf-8"},
		{"GET", "/playground/assets/missing.js", 404, "text/plain; charset=utf-8"},
		{"GET", "/graphql", 404, "text/plain; charset=utf-8"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
		{"DELETE", "/playground/config.json", 405, "text/plain; charset=utf-8"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			answer := ask(t, playground.Options{}, c.method, c.path)
			if answer.StatusCode != c.status || answer.Header.Get("Content-Type") != c.contentType {
				t.Errorf("got %d %q, want %d %q", answer.StatusCode, answer.Header.Get("Content-Type"), c.status, c.contentType)
			}
			if c.status == 405 && answer.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow: %q", answer.Header.Get("Allow"))
			}
			if c.method == "HEAD" && body(t, answer) != "" {
				t.Error("HEAD was answered with a body")
			}
		})
	}
}

// Every response, refusals included, holds the browser to this server, and allows no script in the page.
func TestSecurityHeaders(t *testing.T) {
	for _, page := range []struct {
		handler      http.Handler
		paths        []string
		inlineStyles bool // are allowed
	}{
		{playground.Handler(playground.Options{}), append(assetPaths(t), "/", "/playground/config.json", "/missing"), true},
		{playground.ServicesHandler(http.NotFoundHandler()), []string{"/services", "/services/services.js", "/services/services.css", "/services/state", "/missing"}, false},
	} {
		for _, path := range page.paths {
			w := httptest.NewRecorder()
			page.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			directives := map[string]string{}
			for directive := range strings.SplitSeq(w.Header().Get("Content-Security-Policy"), "; ") {
				name, value, _ := strings.Cut(directive, " ")
				directives[name] = value
			}
			for name, want := range map[string]string{
				"default-src": "'none'", "script-src": "'self'", "connect-src": "'self'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
			} {
				if directives[name] != want {
					t.Errorf("%s: %s is %q, want %s", path, name, directives[name], want)
				}
			}
			for name, value := range directives {
				if regexp.MustCompile(`unsafe-eval|https?:|\*|blob:`).MatchString(value) || strings.Contains(value, "unsafe-inline") && (!page.inlineStyles || name != "style-src") {
					t.Errorf("%s: the policy allows too much: %s %s", path, name, value)
				}
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %s is %q, want %s", path, name, got, want)
				}
			}
			for _, feature := range []string{"camera=()", "geolocation=()", "microphone=()", "payment=()", "usb=()"} {
				if !strings.Contains(w.Header().Get("Permissions-Policy"), feature) {
					t.Errorf("%s: the page may have %s", path, feature)
				}
			}
		}
	}
}

func TestCompression(t *testing.T) {
	plain := body(t, get(t, playground.Options{}, "/"))
	for _, c := range []struct {
		accept, encoding string
	}{
		{"gzip", "gzip"},
		{"br, GZIP;q=0.8", "gzip"},
		{"deflate, *", "gzip"},
		{"gzip; q=1.0", "gzip"},
		{"gzip;q=0", ""},
		{"gzip;q=0, *", ""},
		{"*;q=0", ""},
		{"identity", ""},
		{"br", ""},
		{"gzip;q=oops", ""},
		{"", ""},
	} {
		answer := get(t, playground.Options{}, "/", "Accept-Encoding: "+c.accept)
		if got := answer.Header.Get("Content-Encoding"); got != c.encoding {
			t.Errorf("Accept-Encoding %q: got %q, want %q", c.accept, got, c.encoding)
		}
		if answer.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary is %q", c.accept, answer.Header.Get("Vary"))
		}
		if body(t, answer) != plain {
			t.Errorf("Accept-Encoding %q: another page than the plain one", c.accept)
		}
	}
}

func TestCaching(t *testing.T) {
	for _, c := range []struct{ path, cache string }{
		{"/", "no-cache"},
		{"/playground/config.json", "no-cache"},
		{assetPaths(t)[0], "public, max-age=31536000, immutable"},
	} {
		packed := get(t, playground.Options{}, c.path, "Accept-Encoding: gzip").Header
		plain := get(t, playground.Options{}, c.path).Header
		if packed.Get("Cache-Control") != c.cache {
			t.Errorf("%s: Cache-Control %q, want %q", c.path, packed.Get("Cache-Control"), c.cache)
		}
		if packed.Get("ETag") == plain.Get("ETag") || strings.HasPrefix(plain.Get("ETag"), "W/") {
			t.Errorf("%s: tags %s and %s are not strong and apart", c.path, packed.Get("ETag"), plain.Get("ETag"))
		}
		for tag, status := range map[string]int{packed.Get("ETag"): 304, plain.Get("ETag"): 200, `"other"`: 200} {
			answer := get(t, playground.Options{}, c.path, "Accept-Encoding: gzip", "If-None-Match: "+tag)
			if answer.StatusCode != status {
				t.Errorf("%s: If-None-Match %s: got %d, want %d", c.path, tag, answer.StatusCode, status)
			}
		}
	}
}

// The tag of the configuration must change with it, or browsers keep old examples.
func TestConfigTag(t *testing.T) {
	one := get(t, playground.Options{}, "/playground/config.json").Header.Get("ETag")
	two := get(t, playground.Options{Title: "Shop"}, "/playground/config.json").Header.Get("ETag")
	if one == two {
		t.Errorf("both configurations have the tag %s", one)
	}
}

// What the page loads, it loads from this server by a relative address, and no
// script stands in it.
func TestPageLoadsFromHereOnly(t *testing.T) {
	page := body(t, get(t, playground.Options{}, "/"))
	addresses := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(addresses) < 3 {
		t.Fatalf("only %d addresses in the page:\n%s", len(addresses), page)
	}
	for _, address := range addresses {
		path, ours := strings.CutPrefix(address[1], "./playground/")
		if !ours {
			t.Errorf("%s is not below ./playground/", address[1])
			continue
		}
		if answer := get(t, playground.Options{}, "/playground/"+path); answer.StatusCode != 200 {
			t.Errorf("%s: %s", address[1], answer.Status)
		}
	}
	if regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(page) {
		t.Errorf("a script stands in the page:\n%s", page)
	}
	if strings.Contains(page, "://") {
		t.Errorf("an absolute address stands in the page:\n%s", page)
	}
}

// Style sheets load fonts and pictures without being asked twice.
func TestStylesLoadFromHereOnly(t *testing.T) {
	for _, path := range assetPaths(t) {
		if !strings.HasSuffix(path, ".css") {
			continue
		}
		sheet := body(t, get(t, playground.Options{}, path))
		if found := regexp.MustCompile(`(?:url\(|@import\s)["']?(?:https?:)?//[^)"']*`).FindString(sheet); found != "" {
			t.Errorf("%s: %s", path, found)
		}
	}
}

func TestNoSourceMaps(t *testing.T) {
	for _, path := range assetPaths(t) {
		if strings.HasSuffix(path, ".map") || strings.Contains(body(t, get(t, playground.Options{}, path)), "//# sourceMappingURL=") {
			t.Errorf("%s is or names a source map", path)
		}
	}
}

func TestLicences(t *testing.T) {
	served := body(t, get(t, playground.Options{}, "/playground/THIRD_PARTY_LICENSES.txt"))
	readable, err := os.ReadFile("THIRD_PARTY_LICENSES.txt")
	if err != nil {
		t.Fatal(err)
	}
	if served != string(readable) {
		t.Error("the licences served are not those of THIRD_PARTY_LICENSES.txt: run make playground")
	}
	for _, name := range []string{"graphiql", "react", "react-dom", "monaco-editor", "graphiql-explorer", "prettier", "graphql"} {
		if !regexp.MustCompile(`(?m)^` + name + ` \d+\.\d+\.\d+ \(MIT\)$`).MatchString(served) {
			t.Errorf("no licence of %s", name)
		}
	}
}

func TestConfig(t *testing.T) {
	type tab struct{ Query, Variables, Headers string }
	type config struct {
		Title, Endpoint, Schema, Headers string
		Examples                         []tab
	}
	const hint = "{\n  // \"Authorization\": \"Bearer <token>\"\n}"
	for _, c := range []struct {
		name    string
		options playground.Options
		want    config
	}{
		{"zero", playground.Options{}, config{"Gatehouse", "./graphql", "", hint, []tab{}}},
		{
			"all said",
			playground.Options{
				Endpoint: "/api/graph", Schema: "/schema.graphql", Title: "Shop", Headers: `{"X-Tenant":"a"}`,
				Examples: []playground.Example{{Name: "One order", Query: "query Order { order }", Variables: `{"id":1}`, Headers: `{"X-Tenant":"b"}`}},
			},
			config{"Shop", "./api/graph", "./schema.graphql", `{"X-Tenant":"a"}`, []tab{{"# One order\nquery Order { order }\n", `{"id":1}`, `{"X-Tenant":"b"}`}}},
		},
		{
			"a query with a comment keeps it",
			playground.Options{Examples: []playground.Example{{Name: "One", Query: "\n# What it shows\n{ a }\n"}, {Query: "{ b }"}}},
			config{"Gatehouse", "./graphql", "", hint, []tab{{"# What it shows\n{ a }\n", "", ""}, {"{ b }\n", "", ""}}},
		},
		{
			"a name of two lines stays a comment",
			playground.Options{Examples: []playground.Example{{Name: "One\ntwo", Query: "{ a }"}}},
			config{"Gatehouse", "./graphql", "", hint, []tab{{"# One\n# two\n{ a }\n", "", ""}}},
		},
		{
			"an endpoint cannot name another server",
			playground.Options{Endpoint: "//example.org/graphql"},
			config{"Gatehouse", "./example.org/graphql", "", hint, []tab{}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got config
			decoder := json.NewDecoder(bytes.NewBufferString(body(t, get(t, c.options, "/playground/config.json"))))
			if err := decoder.Decode(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// assetPaths lists the built files by the paths they are served at.
func assetPaths(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("dist/playground/assets")
	if err != nil || len(entries) == 0 {
		t.Fatalf("no built files: run make playground (%v)", err)
	}
	var paths []string
	for _, entry := range entries {
		paths = append(paths, "/playground/assets/"+strings.TrimSuffix(entry.Name(), ".gz"))
	}
	return paths
}
