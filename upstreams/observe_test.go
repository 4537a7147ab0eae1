package upstreams_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// recorder is an observer that writes down what it hears, one line for each event.
type recorder struct {
	mu    sync.Mutex
	lines []string
	calls int
}

type (
	recordedCall struct {
		r    *recorder
		name string
	}
	recordedAttempt struct {
		c      recordedCall
		number int
	}
)

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) StartCall(_ context.Context, c observe.CallInfo) observe.Call {
	r.mu.Lock()
	r.calls++
	name := fmt.Sprintf("call %d", r.calls)
	r.mu.Unlock()
	r.note("%s: %s %s %s", name, c.Source, c.Request.Method(), c.Request.Template())
	return recordedCall{r, name}
}

func (c recordedCall) StartAttempt(_ context.Context, a observe.AttemptInfo) observe.Attempt {
	a.Request.Header = a.Request.Header.Clone()
	a.Request.Header.Set("traceparent", fmt.Sprintf("%s.%d", c.name, a.Number))
	return recordedAttempt{c, a.Number}
}

func (c recordedCall) Join(how observe.Sharing, with observe.Call) {
	if with == nil {
		c.r.note("%s: %v with a failed one", c.name, how)
		return
	}
	c.r.note("%s: %v with %s", c.name, how, with.(recordedCall).name)
}

func (c recordedCall) End(r observe.CallResult) {
	if r.Start.IsZero() || r.Duration <= 0 || r.Duration > time.Minute {
		c.r.note("%s has no times: %+v", c.name, r)
	}
	if r.Err != nil {
		c.r.note("%s: %s", c.name, fault.CodeOf(r.Err))
		return
	}
	c.r.note("%s: success", c.name)
}

func (a recordedAttempt) End(r observe.AttemptResult) {
	if r.Start.IsZero() || r.Duration <= 0 || r.Duration > time.Minute {
		a.c.r.note("%s has an attempt without times: %+v", a.c.name, r)
	}
	a.c.r.note("%s, attempt %d: %v %d", a.c.name, a.number, r.Outcome, r.Status)
}

// text returns the lines, in the order of the calls if several ran at the same time.
func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

func observedServices(t testing.TB, o upstreams.Source, observers ...observe.Observer) *upstreams.Services {
	t.Helper()
	services, err := upstreams.New(upstreams.Options{"users": o}, nil, observers...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	return services
}

// An observer hears of calls and attempts, and of each end once. It may add headers.
func TestObserver(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		call   *rest.Call
		want   string
	}{
		"a success": {
			answer(200, `"x"`), rest.New("GET", "/users/").Segment("secret"),
			"call 1: users GET /users/{}\ncall 1, attempt 1: success 200\ncall 1: success",
		},
		"a call that cannot be made": {
			answer(200, `"x"`), rest.New("GET", "/users/").Segment(".."),
			"call 1: users GET /users/\ncall 1: BAD_USER_INPUT",
		},
		"a status for the client": {
			answer(404, ""), rest.New("GET", "/users"),
			"call 1: users GET /users\ncall 1, attempt 1: success 404\ncall 1: NOT_FOUND",
		},
		"a failure that is not repeated": {
			answer(500, ""), rest.New("POST", "/users"),
			"call 1: users POST /users\ncall 1, attempt 1: server_error 500\ncall 1: DOWNSTREAM_SERVICE_ERROR",
		},
		"a response that is not JSON": {
			answer(200, "<html>"), rest.New("POST", "/users"),
			"call 1: users POST /users\ncall 1, attempt 1: malformed 200\ncall 1: DOWNSTREAM_SERVICE_ERROR",
		},
		"a failure, and then a success": {
			func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.Header.Get("traceparent"), ".1") {
					io.WriteString(w, `"x`)
					return
				}
				io.WriteString(w, `"x"`)
			}, rest.New("GET", "/users"),
			"call 1: users GET /users\ncall 1, attempt 1: malformed 200\ncall 1, attempt 2: success 200\ncall 1: success",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, users := &recorder{}, newReplica(t, test.answer)
			services := observedServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL)}, r)
			upstreams.Fetch(t.Context(), services, "users", test.call, (*decode.Decoder).String)
			if got := r.text(); got != test.want {
				t.Errorf("heard\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// A call that the operation made before is a call that joins it.
func TestObserverOfEqualCalls(t *testing.T) {
	r := &recorder{}
	services := observedServices(t, upstreams.Source{URLs: upstreams.URLs(newReplica(t, nil).URL)}, r)
	ctx := engine.WithOperation(t.Context(), engine.Options{})
	engine.SetSharedCalls(ctx, &engine.SharedCalls{All: true})
	for range 2 {
		call := rest.New("GET", "/users").Shared("users GET /users")
		if _, err := upstreams.Fetch(ctx, services, "users", call, (*decode.Decoder).JSON); err != nil {
			t.Fatal(err)
		}
	}
	const want = "call 1: users GET /users\ncall 1, attempt 1: success 200\ncall 1: success\n" +
		"call 2: users GET /users\ncall 2: once with call 1\ncall 2: success"
	if got := r.text(); got != want {
		t.Errorf("heard\n%s\nwant\n%s", got, want)
	}
}

// A call that shares the response of another operation's is a call that joins it, and both end.
func TestObserverOfCoalescedCalls(t *testing.T) {
	r, s := &recorder{}, &held{let: make(chan struct{})}
	users := newReplica(t, s.ServeHTTP)
	services := observedServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL)}, r, r) // both hear everything
	var callers sync.WaitGroup
	for range 2 {
		callers.Go(func() {
			ctx := asker(t, engine.Options{Coalesce: true})
			if _, err := services.Do(ctx, "users", get()); err != nil {
				t.Error(err)
			}
		})
	}
	coalescetest.Await(t, 2, func() bool { return s.calls.Load() == 1 })
	close(s.let)
	callers.Wait()
	lines := strings.Split(r.text(), "\n")
	count := func(part string) (n int) {
		for _, line := range lines {
			if strings.Contains(line, part) {
				n++
			}
		}
		return n
	}
	slices.Sort(lines)
	if count("attempt 1: success 200") != 2 || count("coalesced with call") != 2 || count(": success") != 6 {
		t.Errorf("two observers of a call and one that joins it heard\n%s", strings.Join(lines, "\n"))
	}
}

// Stats counts a call without memory of its own.
func TestStatsAllocateNothing(t *testing.T) {
	var stats observe.Stats
	info := observe.CallInfo{Source: "users", Request: get()}
	if n := testing.AllocsPerRun(100, func() {
		c := stats.StartCall(t.Context(), info)
		c.StartAttempt(t.Context(), observe.AttemptInfo{Endpoint: "a:1", Number: 1}).End(observe.AttemptResult{Duration: time.Millisecond})
		c.End(observe.CallResult{Duration: time.Millisecond})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkObserved is BenchmarkDo with and without an observer.
func BenchmarkObserved(b *testing.B) {
	users := newReplica(b, nil)
	for name, observers := range map[string][]observe.Observer{"none": nil, "stats": {&observe.Stats{}}} {
		b.Run(name, func(b *testing.B) {
			services := observedServices(b, upstreams.Source{URLs: upstreams.URLs(users.URL)}, observers...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := services.Do(b.Context(), "users", get()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
