package bindingtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// services stand in for all services: each has its own path at one server. They give
// the canned answers, and note which calls were not as expected.
type services struct {
	server *httptest.Server
	calls  []*call

	mu       sync.Mutex
	made     []bool     // by call; guarded by mu
	problems []problems // by call, of those that were made; guarded by mu
	stray    []string   // guarded by mu
}

// problems are how a call that was made differs.
type problems struct {
	sent  *sent
	lines []string
}

func newServices(calls []*call) *services {
	s := &services{calls: calls, made: make([]bool, len(calls)), problems: make([]problems, len(calls))}
	s.server = httptest.NewServer(s)
	return s
}

// options are the settings of sources that lead here. known is what the tests say of some.
func (s *services) options(sources []string, known map[string]upstreams.Source) upstreams.Options {
	o := upstreams.Options{}
	for _, name := range sources {
		source := known[name]
		source.URLs = []string{s.server.URL + "/" + name}
		o[name] = source
	}
	return o
}

// ServeHTTP answers one call.
func (s *services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.answer(received(r))
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.body != "" && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // a gateway that has gone is none of ours
}

// received takes the service's name off the path.
func received(r *http.Request) *sent {
	body, _ := io.ReadAll(r.Body) // what breaks off differs
	source, rest, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "/"), "/")
	t, _ := parseTarget("/" + rest) // which is a target
	return &sent{source: source, method: r.Method, url: "/" + rest, target: t, header: r.Header, body: string(body)}
}

// answer finds the call that is meant.
func (s *services) answer(got *sent) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.match(got)
	if i < 0 {
		s.stray = append(s.stray, got.String())
		return answer{status: http.StatusNotImplemented}
	}
	s.made[i] = true
	if want := s.calls[i].want; want != nil {
		s.problems[i] = problems{got, want.differences(got)}
	}
	return s.calls[i].answer
}

// match gives the place of the call that got is: the one that fits and says most of it,
// else one that says nothing, else one that is nearly the same; -1 for none. Each call is
// made once.
func (s *services) match(got *sent) int {
	best, score := -1, -1
	for i, c := range s.calls {
		if s.made[i] {
			continue
		}
		if n := c.fits(got); n > score {
			best, score = i, n
		}
	}
	return best
}

// fits says how well a call fits, -1 when it cannot be meant.
func (c *call) fits(got *sent) int {
	switch {
	case c.want == nil:
		return 1
	case len(c.want.differences(got)) == 0:
		return 2 + c.want.details()
	case c.want.sameCall(got):
		return 0
	}
	return -1
}

// details counts what a request says.
func (r *request) details() int {
	n := len(r.headers)
	for _, said := range []bool{r.source != "", r.method != "", r.target != nil, r.body != nil} {
		if said {
			n++
		}
	}
	return n
}

// report tells which calls were not as expected. No call is made any more.
func (s *services) report() []string {
	var lines []string
	for i, c := range s.calls {
		if !s.made[i] {
			lines = append(lines, fmt.Sprintf("the call of line %d was not made", c.line))
		}
		for _, line := range s.problems[i].lines {
			lines = append(lines, fmt.Sprintf("%s %s: %s", s.problems[i].sent.method, s.problems[i].sent.url, line))
		}
	}
	slices.Sort(s.stray)
	for _, text := range s.stray {
		lines = append(lines, "no test expects the call "+text)
	}
	return lines
}
