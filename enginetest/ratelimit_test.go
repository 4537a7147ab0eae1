package enginetest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// limitedService is a service of limited fields, which notes its calls.
type limitedService struct {
	mu    sync.Mutex
	calls []string
}

// ServeHTTP implements http.Handler.
func (s *limitedService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls = append(s.calls, r.URL.RequestURI())
	s.mu.Unlock()
	switch path, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); path {
	case "limited":
		fmt.Fprint(w, `{"id": "1", "leaf": "l", "must": "m"}`)
	case "limits":
		fmt.Fprint(w, `[{"kind": "limited", "id": "1", "leaf": "l1", "must": "m"}, {"kind": "free", "id": "2", "leaf": "l2"}, {"kind": "limited", "id": "3", "leaf": "l3", "must": "m"}]`)
	case "limitedById":
		var items []string
		for _, id := range strings.Split(r.URL.Query().Get("ids"), ",") {
			items = append(items, fmt.Sprintf(`{"id": %q, "leaf": "l", "must": "m", "whole": "w", "secret": "s"}`, id))
		}
		fmt.Fprint(w, "["+strings.Join(items, ",")+"]")
	case "call":
		fmt.Fprintf(w, `{"text": "called %s"}`, id)
	case "login":
		fmt.Fprint(w, `{"token": "t"}`)
	}
}

// take returns the calls since the last one, in the order of their texts.
func (s *limitedService) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	slices.Sort(calls)
	return strings.Join(calls, " ")
}

// TestFieldRateLimits selects fields with limits of their own, by both executors: a place that is refused
// has the error RATE_LIMITED at its path, the others have their values, and no call is made for it.
func TestFieldRateLimits(t *testing.T) {
	const refusedTwice = `RATE_LIMITED "the field Mutation.login is requested too often: its limit is 2/15m0s; try again in 900 s" 900`
	type step struct {
		query     string
		variables map[string]any
		want      string // the data
		errors    string // path, code and so on of each
		calls     string
	}
	tests := map[string][]step{
		"places are counted, and refused ones call nothing": {
			{
				`mutation {a: login(email: "a") b: login(email: "a") c: login(email: "a") d: login(email: "b")}`, nil,
				`{"a":"t","b":"t","c":null,"d":"t"}`, `[c] ` + refusedTwice, "/login?email=a /login?email=a /login?email=b",
			},
			{
				`mutation {login(email: "c")}`, nil, `{"login":null}`,
				`[login] RATE_LIMITED "the field Mutation.login is requested too often: its limit is 3/day; try again in 86400 s" 86400`, "",
			},
		},
		"@skip and @include": {
			{
				`mutation($no: Boolean!) {a: login(email: "a") @include(if: $no) b: login(email: "a") @skip(if: true) ... @include(if: $no) {c: login(email: "a")} d: login(email: "a") e: login(email: "a")}`,
				map[string]any{"no": false},
				`{"d":"t","e":"t"}`, "", "/login?email=a /login?email=a",
			},
		},
		"one place selected twice": {
			{`mutation {login(email: "a") ...F ... on Mutation {login(email: "a")}} fragment F on Mutation {login(email: "a")}`, nil, `{"login":"t"}`, "", "/login?email=a"},
			{`mutation {login(email: "a")}`, nil, `{"login":"t"}`, "", "/login?email=a"},
			{`mutation {login(email: "a")}`, nil, `{"login":null}`, "[login] " + refusedTwice, ""},
		},
		"by an argument, from a variable and a literal": {
			{
				`query($e: String) {a: limited(email: $e) {id} b: limited(email: "x") {id} c: limited(email: "x") {id} d: limited {id}}`,
				map[string]any{"e": "x"},
				`{"a":{"id":"1"},"b":{"id":"1"},"c":null,"d":{"id":"1"}}`,
				`[c] RATE_LIMITED "the field Query.limited is requested too often: its limit is 2/day; try again in 86400 s" 86400`, "/limited /limited?email=x",
			},
		},
		"leaves of a list are one place": {
			{`{limits {... on Limited {leaf} ... on Free {leaf}}}`, nil, `{"limits":[{"leaf":"l"},{"leaf":"l2"},{"leaf":"l"}]}`, "", "/limitedById?ids=1,3 /limits"},
			{
				`{limits {... on Limited {leaf x: leaf y: leaf} ... on Free {leaf}}}`, nil,
				`{"limits":[{"leaf":"l","x":"l","y":null},{"leaf":"l2"},{"leaf":"l","x":"l","y":null}]}`,
				`[limits 0 y] RATE_LIMITED "the field Limited.leaf is requested too often: its limit is 3/day; try again in 86400 s" 86400, [limits 2 y] RATE_LIMITED "the field Limited.leaf is requested too often: its limit is 3/day; try again in 86400 s" 86400`, "/limitedById?ids=1,3 /limits",
			},
		},
		"null propagates": {
			{`{limited {a: must b: must c: must}}`, nil, `{"limited":{"a":"m","b":"m","c":"m"}}`, "", "/limited"},
			{
				`{limited {id must}}`, nil, `{"limited":null}`,
				`[limited must] RATE_LIMITED "the field Limited.must is requested too often: its limit is 3/day; try again in 86400 s" 86400`, "/limited",
			},
		},
		"the call of a field": {
			{`{limits {... on Limited {call}}}`, nil, `{"limits":[{"call":"called 1"},{},{"call":"called 3"}]}`, "", "/call/1 /call/3 /limits"},
			{
				`{limits {... on Limited {id call}}}`, nil, `{"limits":[{"id":"1","call":null},{},{"id":"3","call":null}]}`,
				`[limits 0 call] RATE_LIMITED "the field Limited.call is requested too often: its limit is 2/day burst 1; try again in 43200 s" 43200, [limits 2 call] RATE_LIMITED "the field Limited.call is requested too often: its limit is 2/day burst 1; try again in 43200 s" 43200`, "/limits",
			},
		},
		"other guards come first": {
			{
				`{a: limited {secret} b: limited(email: "b") {secret}}`, nil, `{"a":{"secret":null},"b":{"secret":null}}`,
				`[a secret] UNAUTHENTICATED "this needs a signed-in caller: send a bearer token" <nil>, [b secret] UNAUTHENTICATED "this needs a signed-in caller: send a bearer token" <nil>`, "/limited /limited?email=b",
			},
		},
	}
	for name, steps := range tests {
		for _, executor := range []string{engine.EngineGqlgen, engine.EnginePlan} {
			t.Run(name+" by "+executor, func(t *testing.T) {
				service := &limitedService{}
				f := limitedGateway(t, executor, service)
				for _, s := range steps {
					body, _ := json.Marshal(map[string]any{"query": s.query, "variables": s.variables})
					got := post(t, f, body)
					var errs []string
					for _, e := range got.Errors {
						errs = append(errs, fmt.Sprintf("%v %v %q %v", e.Path, e.Extensions["code"], e.Message, e.Extensions["retryAfter"]))
					}
					slices.Sort(errs)
					if string(got.Data) != s.want {
						t.Errorf("%s\ngot  %s\nwant %s", s.query, got.Data, s.want)
					}
					if all := strings.Join(errs, ", "); all != s.errors {
						t.Errorf("%s: errors\ngot  %s\nwant %s", s.query, all, s.errors)
					}
					if calls := service.take(); calls != s.calls {
						t.Errorf("%s: calls\ngot  %s\nwant %s", s.query, calls, s.calls)
					}
				}
			})
		}
	}
}

// limitedGateway returns a gateway before a service of limited fields.
func limitedGateway(t *testing.T, executor string, service http.Handler, change ...func(*front.Options)) *front.Front {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	services, err := upstreams.New(upstreams.Options{"answers": {URLs: upstreams.URLs(server.URL)}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	f, _ := newGateway(t, executor, nil, graph.NewSchema(&resolvers.Resolver{Services: services}), change...)
	return f
}

// TestRefusedRequestChargesNoField refuses whole requests by a rule, which then count for no field.
func TestRefusedRequestChargesNoField(t *testing.T) {
	service := &limitedService{}
	f := limitedGateway(t, engine.EnginePlan, service, func(o *front.Options) {
		o.RateLimits = ratelimit.Options{Rules: []ratelimit.Rule{{Name: "mutations", Limits: []string{"1/day"}, Match: ratelimit.Match{Kinds: []string{"mutation"}}}}}
	})
	login := []byte(`{"query": "mutation {login(email: \"a\")}"}`)
	for i := range 5 {
		if got := post(t, f, login); (string(got.Data) == `{"login":"t"}`) != (i == 0) {
			t.Errorf("request %d: %s, %v", i, got.Data, got.Errors)
		}
	}
	if calls := service.take(); calls != "/login?email=a" {
		t.Error("calls: ", calls)
	}
	stats := f.RateLimits().Limits
	want := "[{Limited.call 0 0} {Limited.leaf 0 0} {Limited.must 0 0} {Limited.secret 0 0} {Limited.whole 0 0} {Mutation.login 1 0} {Query.limited 0 0} {mutations 1 4}]"
	if fmt.Sprint(stats) != want {
		t.Errorf("%v", stats)
	}
}

// TestCoalescedCallersAreCharged has callers with equal requests at the same time: each is charged, and one with
// a refused field does not share the response of the others.
func TestCoalescedCallersAreCharged(t *testing.T) {
	service := &limitedService{}
	arrived, finish := make(chan struct{}, 10), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/limits" {
			arrived <- struct{}{}
			<-finish
		}
		service.ServeHTTP(w, r)
	})
	f := limitedGateway(t, engine.EnginePlan, slow, func(o *front.Options) { o.Execution.Coalesce = true })
	query := []byte(`{"query": "{limits {... on Limited {leaf}}}"}`) // 3 a day for all together
	responses := make(chan string, 5)
	send := func() {
		go func() {
			got := post(t, f, query)
			responses <- fmt.Sprintf("%s %d", got.Data, len(got.Errors))
		}()
	}
	send()
	<-arrived
	for range 4 {
		send()
	}
	for begin := time.Now(); ; time.Sleep(time.Millisecond) { // until all are charged
		i := slices.IndexFunc(f.RateLimits().Limits, func(l ratelimit.LimitStats) bool { return l.Name == "Limited.leaf" })
		if l := f.RateLimits().Limits[i]; l.Passed+l.Refused == 5 {
			break
		} else if time.Since(begin) > 10*time.Second {
			t.Errorf("%+v", l)
			break
		}
	}
	close(finish)
	count := map[string]int{}
	for range 5 {
		count[<-responses]++
	}
	if count[`{"limits":[{"leaf":"l"},{},{"leaf":"l"}]} 0`] != 3 || count[`{"limits":[{"leaf":null},{},{"leaf":null}]} 2`] != 2 {
		t.Error(count)
	}
}

// TestCompletionOfRefusedField selects of a partial object a field alone that is refused: the whole object is not
// fetched.
func TestCompletionOfRefusedField(t *testing.T) {
	for _, executor := range []string{engine.EngineGqlgen, engine.EnginePlan} {
		service := &limitedService{}
		f := limitedGateway(t, executor, service)
		query := []byte(`{"query": "{limits {... on Limited {whole}}}"}`)
		for i, want := range []string{"/limitedById?ids=1,3 /limits", "/limitedById?ids=1,3 /limits", "/limits"} {
			got := post(t, f, query)
			if calls := service.take(); calls != want {
				t.Errorf("%s, request %d: %s %v, calls %s, want %s", executor, i, got.Data, got.Errors, calls, want)
			}
		}
	}
}
