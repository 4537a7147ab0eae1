package bindingtest

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// mockServices is one HTTP server in the place of all services, each of which has its own path. It sends
// the canned responses and records which calls were not as expected.
//
// Each expected call is matched at most once. A call that matches none is recorded as unexpected and
// gets 501, so that it cannot pass as a response of a service.
type mockServices struct {
	server *httptest.Server
	calls  []*call

	mu         sync.Mutex
	sources    map[string]bool // that were called; guarded by mu
	called     []bool          // by index of calls; guarded by mu
	mismatches []mismatch      // by index of calls, zero for those that were not made; guarded by mu
	unexpected []string        // guarded by mu
}

// mismatch is how a call that was made differs from the expected one.
type mismatch struct {
	sent  *sentRequest
	lines []string
}

func newMockServices(calls []*call) *mockServices {
	s := &mockServices{calls: calls, called: make([]bool, len(calls)), mismatches: make([]mismatch, len(calls)), sources: map[string]bool{}}
	s.server = httptest.NewServer(s)
	return s
}

// sourceOptions returns the settings of the sources that are required or known, with this server as
// their only replica. known has other settings that the tests give.
func (s *mockServices) sourceOptions(required []string, known config.Sources) upstreams.Options {
	o := upstreams.Options{}
	for _, name := range slices.Concat(required, slices.Collect(maps.Keys(known))) {
		source := known[name]
		source.URLs = upstreams.URLs(s.server.URL + "/" + name)
		source.Retry.MaxAttempts = 1 // a test expects each call once, whatever its response is
		o[name] = source
	}
	return o
}

// ServeHTTP sends the canned response of a call.
func (s *mockServices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.respond(newSentRequest(r))
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.body != "" && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // it fails if the gateway has cancelled the call
}

// newSentRequest returns a request as the service would see it, without its path at this server.
func newSentRequest(r *http.Request) *sentRequest {
	body, _ := io.ReadAll(r.Body) // a body that breaks off differs from the expected one
	source, rest, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "/"), "/")
	t, _ := parseTarget("/" + rest) // a path is always a target
	return &sentRequest{source: source, method: r.Method, url: "/" + rest, target: t, header: r.Header, body: string(body)}
}

// respond records a call and returns its canned response.
func (s *mockServices) respond(got *sentRequest) cannedResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[got.source] = true
	i := s.match(got)
	if i < 0 {
		s.unexpected = append(s.unexpected, got.String())
		return cannedResponse{status: http.StatusNotImplemented}
	}
	s.called[i] = true
	if want := s.calls[i].want; want != nil {
		s.mismatches[i] = mismatch{got, want.differences(got)}
	}
	return s.calls[i].response
}

// match returns the index of the expected call that got is, or -1. Calls arrive in any order, so that the
// one with the highest score is taken: a request that fits, the more specific the better; then one that
// accepts anything; then one to the same endpoint, whose differences are reported.
func (s *mockServices) match(got *sentRequest) int {
	best, score := -1, -1
	for i, c := range s.calls {
		if s.called[i] {
			continue
		}
		if n := c.score(got); n > score {
			best, score = i, n
		}
	}
	return best
}

// score returns how well an expected call fits, or -1 if it does not. See match.
func (c *call) score(got *sentRequest) int {
	switch {
	case c.want == nil:
		return 1
	case len(c.want.differences(got)) == 0:
		return 2 + c.want.specificity()
	case c.want.isSameEndpoint(got):
		return 0
	}
	return -1
}

// specificity returns how many properties of a request are compared.
func (r *expectedRequest) specificity() int {
	n := len(r.headers)
	for _, set := range []bool{r.source != "", r.method != "", r.target != nil, r.body != nil} {
		if set {
			n++
		}
	}
	return n
}

// calledConfig returns the part of the required config that belongs to sources which were called. It must be
// called after the last call has ended.
func (s *mockServices) calledConfig(required map[string][]string) map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	config := maps.Clone(required)
	maps.DeleteFunc(config, func(source string, _ []string) bool { return !s.sources[source] })
	return config
}

// failures returns what was wrong with the calls. It must be called after the last call has ended.
func (s *mockServices) failures() []string {
	var lines []string
	for i, c := range s.calls {
		if !s.called[i] {
			lines = append(lines, fmt.Sprintf("the call of line %d was not made", c.line))
		}
		for _, line := range s.mismatches[i].lines {
			lines = append(lines, fmt.Sprintf("%s %s: %s", s.mismatches[i].sent.method, s.mismatches[i].sent.url, line))
		}
	}
	slices.Sort(s.unexpected)
	for _, text := range s.unexpected {
		lines = append(lines, "the test does not expect the call "+text)
	}
	return lines
}
