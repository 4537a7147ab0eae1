package admin_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/gateway/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPages() *admin.Pages {
	p := admin.New()
	p.HandleJSON("GET /sources", "the sources", func() any { return map[string]string{"state": "healthy"} })
	p.Handle("POST /reload", "reads the settings again", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	return p
}

func TestPages(t *testing.T) {
	p := newPages()
	for _, test := range []struct {
		method, path string
		status       int
		body         string // part of it
	}{
		{"GET", "/", 200, "GET /sources             the sources\nPOST /reload             reads"},
		{"GET", "/sources", 200, `"state": "healthy"`},
		{"POST", "/sources", 405, ""},
		{"POST", "/reload", 204, ""},
		{"GET", "/reload", 405, ""},
		{"GET", "/debug/pprof/", 200, "goroutine"},
		{"GET", "/debug/pprof/goroutine?debug=1", 200, "goroutine profile"},
		{"GET", "/debug/pprof/cmdline", 404, ""},
		{"GET", "/graphql", 404, ""},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(test.method, "http://127.0.0.1:9901"+test.path, nil)
		p.ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("%s %s: %d %.200s", test.method, test.path, w.Code, w.Body)
		}
	}
}

// A web page can neither read the state nor change anything, whatever it has pointed its name to.
func TestWebPagesAreRefused(t *testing.T) {
	p := newPages()
	loopback, network := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7)}
	for name, test := range map[string]struct {
		host   string
		header http.Header
		at     net.Addr
		want   int
	}{
		"a program":                    {"127.0.0.1:9901", nil, loopback, 200},
		"a program by name":            {"localhost:9901", nil, loopback, 200},
		"a program over IPv6":          {"[::1]:9901", nil, loopback, 200},
		"without a port":               {"[::1]", nil, loopback, 200},
		"a browser's address bar":      {"localhost:9901", http.Header{"Sec-Fetch-Site": {"none"}}, loopback, 200},
		"its own page":                 {"localhost:9901", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://localhost:9901"}}, loopback, 200},
		"a page of another site":       {"localhost:9901", http.Header{"Sec-Fetch-Site": {"cross-site"}}, loopback, 403},
		"a page of another port":       {"localhost:9901", http.Header{"Sec-Fetch-Site": {"same-site"}}, loopback, 403},
		"a page of another origin":     {"localhost:9901", http.Header{"Origin": {"https://evil.example"}}, loopback, 403},
		"a page without an origin":     {"localhost:9901", http.Header{"Origin": {"null"}}, loopback, 403},
		"a name that points here":      {"evil.example:9901", nil, loopback, 403},
		"a name that ends in an IP":    {"127.0.0.1.evil.example", nil, loopback, 403},
		"a name that looks like ours":  {"localhost.evil.example", nil, loopback, 403},
		"a name, the address unknown":  {"evil.example:9901", nil, nil, 403},
		"a name, over the network":     {"gateway-admin:9901", nil, network, 200},
		"another page, over a network": {"gateway-admin:9901", http.Header{"Origin": {"https://evil.example"}}, network, 403},
	} {
		t.Run(name, func(t *testing.T) {
			for _, request := range []string{"GET /sources", "POST /reload"} {
				method, path, _ := strings.Cut(request, " ")
				r := httptest.NewRequest(method, path, nil)
				r.Host = test.host
				for key, values := range test.header {
					r.Header[key] = values
				}
				if test.at != nil {
					r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, test.at))
				}
				w := httptest.NewRecorder()
				p.ServeHTTP(w, r)
				if (w.Code == 403) != (test.want == 403) {
					t.Errorf("%s: %d %s", request, w.Code, w.Body)
				}
				if w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
					t.Errorf("%s: headers %v", request, w.Header())
				}
			}
		})
	}
}

func TestServer(t *testing.T) {
	var log strings.Builder
	server := admin.Server{Name: "the admin listener", Setting: "admin.listen", Address: "127.0.0.1:0", Handler: newPages()}
	stop, err := server.Start(slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(strings.TrimSpace(log.String()), "address=")
	response, err := http.Get("http://" + address + "/sources")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != 200 || !json.Valid(text) || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", response.StatusCode, response.Header, text)
	}
	server.Address = address
	if _, err := server.Start(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "admin.listen") {
		t.Errorf("a second server on %s: %v", address, err)
	}
	stop()
	if _, err := http.Get("http://" + address + "/sources"); err == nil {
		t.Error("it serves after it was stopped")
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
