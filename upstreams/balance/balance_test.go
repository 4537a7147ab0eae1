package balance

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// targets returns a target for each letter.
func targets(hosts string) (list []Target) {
	for host := range strings.SplitSeq(hosts, "") {
		list = append(list, Target{URL: &url.URL{Scheme: "http", Host: host}})
	}
	return list
}

// newBalancer returns a Balancer that is closed at the end of the test.
func newBalancer(t *testing.T, hosts string, o Options) *Balancer {
	t.Helper()
	b := New(targets(hosts), o)
	t.Cleanup(b.Close)
	return b
}

func pick(t *testing.T, b *Balancer, c Choice) Lease {
	t.Helper()
	lease, err := b.Pick(c)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

func TestTriedEndpoints(t *testing.T) {
	for _, policy := range Policies() {
		b := newBalancer(t, "abc", Options{Settings: Settings{Policy: policy}})
		all := b.Endpoints()
		for range 10 {
			lease := pick(t, b, Choice{Tried: []*Endpoint{all[0], all[2]}, Key: 1, HasKey: true})
			lease.Done(t.Context(), attempt.Success, nil)
			if lease.Endpoint != all[1] {
				t.Errorf("%s chose %s, want the only one that was not tried", policy, lease.Endpoint)
			}
			lease = pick(t, b, Choice{Tried: all, Key: 1, HasKey: true}) // has a choice
			lease.Done(t.Context(), attempt.Success, nil)
		}
	}
}

// A call without a key is sent to the endpoints in turn.
func TestCallsWithoutKey(t *testing.T) {
	b := newBalancer(t, "abc", Options{Settings: Settings{Policy: "ring_hash", Key: "$claims.sub"}})
	if got := sendMany(t, b, nil, 6); got != "abcabc" {
		t.Errorf("sent to %s", got)
	}
}

func TestSetEndpoints(t *testing.T) {
	b := newBalancer(t, "ab", Options{})
	before := b.Endpoints()
	sendMany(t, b, outcomes{"b": attempt.Unreachable}, 2)
	changed := targets("bc")
	changed[0].Weight = 7
	b.SetEndpoints(changed)
	after := b.Endpoints()
	if after[0] != before[1] || after[0].Available() {
		t.Error("an endpoint of both lists has lost its state")
	}
	if s := b.Status(); s[0].Weight != 7 || s[1].Weight != 1 {
		t.Errorf("weights %d and %d", s[0].Weight, s[1].Weight)
	}
	if got := sendMany(t, b, nil, 4); got != "cccc" {
		t.Errorf("sent to %s", got)
	}
	other := targets("bc")
	other[0].Address, other[1].Address = "10.0.0.1:80", "10.0.0.2:80"
	b.SetEndpoints(other)
	if s := b.Endpoints(); s[0] == after[0] || s[0].Address() != "10.0.0.1:80" || s[0].String() != "b (10.0.0.1:80)" {
		t.Errorf("%s is not an endpoint of its own", s[0])
	}
}

// An endpoint that was removed is reported when its last attempt has ended, and not before.
func TestRemovedEndpoints(t *testing.T) {
	var removed []string
	b := newBalancer(t, "ab", Options{OnRemoved: func(e *Endpoint) { removed = append(removed, e.String()) }})
	first, second := pick(t, b, Choice{}), pick(t, b, Choice{}) // a and b
	third := pick(t, b, Choice{})                               // a
	b.SetEndpoints(targets("c"))
	if len(removed) != 0 {
		t.Errorf("%v were reported while they were used", removed)
	}
	if got := states(b); got != "c:healthy a:draining b:draining" {
		t.Errorf("states %s", got)
	}
	second.Done(t.Context(), attempt.ServerError, nil)
	first.Done(t.Context(), attempt.Success, nil)
	if got := states(b); got != "c:healthy a:draining" || !slices.Equal(removed, []string{"b"}) {
		t.Errorf("states %s, reported %v", got, removed)
	}
	third.Done(t.Context(), attempt.Unreachable, errors.New("refused"))
	if got := states(b); got != "c:healthy" || !slices.Equal(removed, []string{"b", "a"}) {
		t.Errorf("states %s, reported %v", got, removed)
	}
	b.SetEndpoints(targets("d"))
	if !slices.Equal(removed, []string{"b", "a", "c"}) {
		t.Errorf("reported %v, want c at once", removed)
	}
}

// states returns the endpoints and their states.
func states(b *Balancer) string {
	var list []string
	for _, s := range b.Status() {
		list = append(list, strings.TrimPrefix(s.URL, "http://")+":"+s.State.String())
	}
	return strings.Join(list, " ")
}

func TestStatus(t *testing.T) {
	target := Target{URL: &url.URL{Scheme: "https", Host: "h:1", Path: "/api/"}, Address: "10.0.0.1:443", Weight: 3, Zone: "z", Priority: 2}
	b := New([]Target{target}, Options{})
	lease := pick(t, b, Choice{})
	running := pick(t, b, Choice{})
	lease.Done(t.Context(), attempt.Unjudged, nil)
	lease.Judge(attempt.Malformed)
	s := b.Status()[0]
	if s.URL != "https://h:1/api" || s.Address != "10.0.0.1:443" || s.Weight != 3 || s.Zone != "z" || s.Priority != 2 {
		t.Errorf("target: %+v", s)
	}
	if s.State != Healthy || s.InFlight != 1 || s.EWMA <= 0 || s.Calls[attempt.Unjudged] != 1 || s.Calls[attempt.Malformed] != 1 || s.Ejections != 0 {
		t.Errorf("state: %+v", s)
	}
	if f := s.LastFailure; f == nil || f.Outcome != attempt.Malformed || f.Err == nil || f.Time.IsZero() {
		t.Errorf("last failure: %+v", f)
	}
	running.Done(t.Context(), attempt.Unreachable, errors.New("refused"))
	if s := b.Status()[0]; s.State != Ejected || s.EjectedUntil.IsZero() || s.Ejections != 1 || s.LastFailure.Err.Error() != "refused" {
		t.Errorf("ejected: %+v", s)
	}
}

func TestDirect(t *testing.T) {
	for _, test := range []struct{ endpoint, request, want string }{
		{"http://h:1", "http://service/a", "http://h:1/a"},
		{"https://h", "http://service/a?q=1", "https://h/a?q=1"},
		{"http://h/", "http://service/a", "http://h/a"},
		{"http://h/api/v1", "http://service/a/b", "http://h/api/v1/a/b"},
		{"http://h/api/v1/", "http://service/a%2Fb?q=%2F", "http://h/api/v1/a%2Fb?q=%2F"},
		{"http://h/a%2Fb", "http://service/c%20d", "http://h/a%2Fb/c%20d"},
		{"http://h/api", "http://service/x%21'()", "http://h/api/x%21'()"},
		{"http://h", "http://user:password@service/a", "http://h/a"},
	} {
		endpoint, err := url.Parse(test.endpoint)
		if err != nil {
			t.Fatal(err)
		}
		got, err := url.Parse(test.request)
		if err != nil {
			t.Fatal(err)
		}
		newEndpoint(Target{URL: endpoint}).Direct(got)
		if got.String() != test.want {
			t.Errorf("%s on %s: %s, want %s", test.request, test.endpoint, got, test.want)
		}
	}
}

func TestNoEndpoints(t *testing.T) {
	b := New(nil, Options{Settings: Settings{Policy: "ring_hash"}})
	if _, err := b.Pick(Choice{HasKey: true}); !errors.Is(err, ErrNoEndpoints) {
		t.Errorf("got %v", err)
	}
	b.SetEndpoints(targets("a"))
	pick(t, b, Choice{HasKey: true})
	b.SetEndpoints(nil)
	if _, err := b.Pick(Choice{HasKey: true}); !errors.Is(err, ErrNoEndpoints) {
		t.Errorf("got %v after the last one left", err)
	}
}
