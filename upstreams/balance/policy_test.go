package balance

import (
	"net/url"
	"strings"
	"sync"
	"testing"
)

// newEndpoints returns an endpoint for each letter.
func newEndpoints(letters string) map[string]*Endpoint {
	endpoints := map[string]*Endpoint{}
	for letter := range strings.SplitSeq(letters, "") {
		endpoints[letter] = newEndpoint(Target{URL: &url.URL{Scheme: "http", Host: letter}})
	}
	return endpoints
}

func TestRoundRobin(t *testing.T) {
	for _, test := range []struct {
		name       string
		candidates string // those of one choice after another
		want       string
	}{
		{"one", "a a a", "aaa"},
		{"in turn", "abc abc abc abc abc abc", "abcabc"},
		{"order of candidates does not matter", "abc cba bca", "acb"},
		{"dead b, its calls repeated", "abc abc ac abc abc ac", "abcabc"},
		{"b absent", "ac ac ac ac", "acac"},
		{"b back: no catching up", "abc ac ac ac ac abc abc abc abc abc abc", "acacabcabca"},
		{"newcomer takes its turn, no more", "ab ab ab ab abc abc abc abc abc abc", "ababcabcab"},
	} {
		endpoints, policy := newEndpoints("abc"), RoundRobin()
		var got strings.Builder
		for candidates := range strings.FieldsSeq(test.candidates) {
			var list []*Endpoint
			for letter := range strings.SplitSeq(candidates, "") {
				list = append(list, endpoints[letter])
			}
			got.WriteString(policy(list).String())
		}
		if got.String() != test.want {
			t.Errorf("%s: %s, want %s", test.name, got.String(), test.want)
		}
	}
}

// A dead endpoint's calls are repeated elsewhere, and the rest still share evenly.
func TestRoundRobinWithDeadEndpoint(t *testing.T) {
	endpoints, policy := newEndpoints("abcd"), RoundRobin()
	all := []*Endpoint{endpoints["a"], endpoints["b"], endpoints["c"], endpoints["d"]}
	served := map[*Endpoint]int{}
	for range 300 {
		e := policy(all)
		if e == endpoints["b"] {
			e = policy(untried(all, []*Endpoint{e}))
		}
		served[e]++
	}
	for _, name := range []string{"a", "c", "d"} {
		if n := served[endpoints[name]]; n != 100 {
			t.Errorf("%s served %d of 300, want 100", name, n)
		}
	}
}

func TestRoundRobinIsConcurrentlyExact(t *testing.T) {
	endpoints, policy := newEndpoints("abc"), RoundRobin()
	all := []*Endpoint{endpoints["a"], endpoints["b"], endpoints["c"]}
	var (
		mu     sync.Mutex
		chosen = map[string]int{}
		wg     sync.WaitGroup
	)
	for range 30 {
		wg.Go(func() {
			for range 10 {
				e := policy(all)
				mu.Lock()
				chosen[e.String()]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for name, n := range chosen {
		if n != 100 {
			t.Errorf("%s: %d of 300, want 100", name, n)
		}
	}
}

func TestNewPolicy(t *testing.T) {
	for _, name := range append(PolicyNames(), "") {
		if policy, err := NewPolicy(name); err != nil || policy == nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := NewPolicy("roundrobin"); err == nil || !strings.Contains(err.Error(), "roundRobin") {
		t.Errorf("%v does not name the policies", err)
	}
}
