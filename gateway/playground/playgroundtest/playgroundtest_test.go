package playgroundtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Each thing that a page may do wrong must be noticed, or the tests that use
// this package could not fail.
func TestProblemsAreNoticed(t *testing.T) {
	for _, c := range []struct{ name, page, want string }{
		{"console", `<script>console.error('broken', 7)</script>`, "console.error: broken 7"},
		{"exception", `<script>throw new Error('lost')</script>`, "Error: lost"},
		{"other server", `<img src="http://example.org/a.png">`, "a request to http://example.org/a.png"},
		{"other port", `<img src="http://127.0.0.1:1/a.png">`, "a request to http://127.0.0.1:1/a.png"},
		{"policy", `<meta http-equiv="Content-Security-Policy" content="img-src 'none'"><img src="/a.png">`, "Content Security Policy"},
		{"missing file", `<img src="/missing.png">`, "404"},
		{"nothing", `<img src="/a.png"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(visit(t, c.page), "\n")
			if !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("noticed %q, want %q", got, c.want)
			}
		})
	}
}

// visit opens a page with this body and returns what was noticed.
func visit(t *testing.T, body string) []string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			_, _ = fmt.Fprintf(w, "<!doctype html><link rel=icon href='data:,'>%s", body)
		case "/a.png":
			w.Header().Set("Content-Type", "image/png")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p := &Page{t: t, ctx: browser(t, server.URL), problems: &problems{origin: server.URL}}
	if err := chromedp.Listen(p.ctx, p.problems.note); err != nil {
		t.Fatal(err)
	}
	p.do("open", chromedp.Navigate(server.URL))
	return p.problems.all()
}

func TestNoChromium(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for ci, want := range map[string]string{"true": "failed", "": "skipped"} {
		t.Setenv("CI", ci)
		if got := fate(func(t testing.TB) { chromium(t) }); got != want {
			t.Errorf("CI=%q: the test %s, want %s", ci, got, want)
		}
	}
}

// fate is how a test ended.
func fate(test func(testing.TB)) string {
	r := &recorder{fate: "passed"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(r)
	}()
	<-done
	return r.fate
}

// recorder is a testing.TB that notes how the test ended instead of ending one.
type recorder struct {
	testing.TB
	fate string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(string, ...any) { r.end("failed") }

func (r *recorder) Skipf(string, ...any) { r.end("skipped") }

func (r *recorder) end(fate string) {
	r.fate = fate
	runtime.Goexit()
}
