package playground_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground/playgroundtest"
)

type object = map[string]any

// servicesState is a state that changes with each reading: a second passes, the endpoint a:1 gets ten
// requests that take under 5 ms, and b:1 two that fail.
type servicesState struct {
	mu       sync.Mutex
	readings int
	start    time.Time
	failing  bool // guarded by mu
	gone     bool // guarded by mu: b:1 has left
}

func (s *servicesState) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing {
		http.Error(w, "no", http.StatusBadGateway)
		return
	}
	s.readings++
	n, now := s.readings, s.start.Add(time.Duration(s.readings)*time.Second)
	buckets := func(first int) object { return object{"buckets": []int{first, 0, 0}, "sum": 0.1} }
	endpoints := []object{{
		"endpoint": "a:1", "state": "healthy", "attempts": object{"success": 10 * n}, "durations": buckets(10 * n), "lastError": nil,
	}}
	if !s.gone {
		endpoints = append(endpoints, object{
			"endpoint": "b:1", "state": "ejected", "ejectedUntil": now.Add(7 * time.Second), "attempts": object{"success": 0, "server_error": 2 * n},
			"durations": buckets(2 * n), "lastError": object{"time": now.Add(-3 * time.Second), "outcome": "server_error", "status": 500},
		})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object{
		"time": now, "notice": "Chaos: <b>b</b> has a fault", "bounds": []float64{0.005, 0.01},
		"sources": []object{
			{"source": "products", "running": 3, "calls": object{"success": 10 * n}, "retries": 2 * n, "hedges": 0, "durations": buckets(10 * n), "endpoints": endpoints},
			{"source": "users", "running": 0, "calls": object{"success": 0}, "retries": 0, "hedges": 0, "durations": object{"buckets": nil, "sum": 0}, "endpoints": []object{
				{"endpoint": "u:1", "state": "healthy", "attempts": object{"success": 0}, "durations": object{"buckets": nil, "sum": 0}, "lastError": nil},
			}},
		},
	})
}

func serveServices(t *testing.T, prefix string) (*servicesState, string) {
	state := &servicesState{start: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(http.StripPrefix(prefix, playground.ServicesHandler(state)))
	t.Cleanup(server.Close)
	return state, server.URL + prefix + "/services"
}

// The page shows rates, states and the time until an endpoint is back, and follows what changes.
func TestServicesPage(t *testing.T) {
	state, url := serveServices(t, "/shop") // behind a proxy that adds a prefix
	page := playgroundtest.OpenServices(t, url)
	page.Await("Chaos: <b>b</b> has a fault")
	page.Await("calls/s 10")
	for _, text := range []string{"products", "succeeded 100%", "p95 4.8 ms", "in flight 3", "retries/s 2.0", "users"} {
		mention(t, "the page", page.Text(), text)
	}
	if got, want := page.Endpoint("a:1"), []string{"a:1", "healthy", "", "10", "0%", "4.8 ms", "–", ""}; !slices.Equal(got, want) {
		t.Errorf("a:1 is %q, want %q", got, want)
	}
	if got, want := page.Endpoint("b:1"), []string{"b:1", "ejected back in 7 s", "", "2.0", "100%", "4.8 ms", "–", "server error 500, 3 s ago"}; !slices.Equal(got, want) {
		t.Errorf("b:1 is %q, want %q", got, want)
	}
	if got := page.Endpoint("u:1"); got[4] != "–" || got[5] != "–" {
		t.Errorf("an endpoint without requests is %q", got)
	}
	page.Screenshot("services-light")
	state.mu.Lock()
	state.gone = true
	state.mu.Unlock()
	page.Await("In flight Last error a:1 healthy 10 0% 4.8 ms – users")
}

// The page stays as it is while the gateway does not answer, and says so.
func TestServicesPageWithoutGateway(t *testing.T) {
	state, url := serveServices(t, "")
	page := playgroundtest.OpenServices(t, url, playgroundtest.Expecting("502"))
	page.Await("live")
	state.mu.Lock()
	state.failing = true
	state.mu.Unlock()
	page.Await("the gateway does not answer: 502 Bad Gateway")
	mention(t, "the page", page.Text(), "a:1", "ejected")
	state.mu.Lock()
	state.failing = false
	state.mu.Unlock()
	page.Await("Services live")
}

// The page fits a telephone, and a dark theme.
func TestServicesPageNarrowAndDark(t *testing.T) {
	_, url := serveServices(t, "")
	page := playgroundtest.OpenServices(t, url, playgroundtest.Narrow(), playgroundtest.Dark())
	page.Await("calls/s 10")
	if overflow := page.Overflow(); overflow != "0" {
		t.Errorf("the page is %s pixels wider than the screen", overflow)
	}
	page.Screenshot("services-narrow-dark")
}

// All files have the policy of the playground, and nothing else is served.
func TestServicesFiles(t *testing.T) {
	handler := playground.ServicesHandler(&servicesState{})
	for path, want := range map[string]string{
		"/services": "text/html", "/services/services.js": "text/javascript", "/services/services.css": "text/css",
		"/services/state": "application/json", "/services/other": "404", "/": "404",
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if want == "404" {
			if w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", path, w.Code)
			}
			continue
		}
		h := w.Header()
		if w.Code != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), want) || !strings.Contains(h.Get("Content-Security-Policy"), "style-src 'self';") {
			t.Errorf("%s: %d %v", path, w.Code, h)
		}
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
	}
}
