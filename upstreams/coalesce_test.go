package upstreams_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// asker returns the context of a client's operation.
func asker(t *testing.T, o engine.Options, header ...string) context.Context {
	h := http.Header{}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return engine.WithOperation(upstreams.WithClientHeaders(t.Context(), h, h.Get("X-Request-Id")), o)
}

// held is a service that counts its calls and responds to none until let is closed.
type held struct {
	calls atomic.Int32
	let   chan struct{}
	serve http.HandlerFunc
}

func (s *held) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	select {
	case <-s.let:
	case <-r.Context().Done():
		return
	}
	if s.serve != nil {
		s.serve(w, r)
		return
	}
	fmt.Fprintf(w, "%s %s", r.URL, r.Header.Get("X-Tenant"))
}

func (s *held) services(t *testing.T, o upstreams.Source) *upstreams.Services {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	o.URLs = upstreams.URLs(server.URL)
	services, err := upstreams.New(upstreams.Options{"s": o}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	return services
}

type got struct {
	body string
	err  error
}

// together makes two concurrent calls, each in an operation of its own. The service responds
// when it has received the expected number, and as many callers wait as may share calls.
func together(t *testing.T, s *held, o upstreams.Source, calls [2]*rest.Call, in [2]context.Context, waiting int, want int32) [2]got {
	t.Helper()
	s.let = make(chan struct{})
	services := s.services(t, o)
	var answers [2]got
	var all sync.WaitGroup
	for i, call := range calls {
		all.Go(func() {
			answer, err := services.Do(in[i], "s", call)
			if answers[i].err = err; err == nil {
				answers[i].body = string(answer.Body)
				answer.Release()
			}
		})
	}
	coalescetest.Await(t, waiting, func() bool { return s.calls.Load() == want })
	close(s.let)
	all.Wait()
	if n := s.calls.Load(); n != want {
		t.Errorf("%d calls, want %d", n, want)
	}
	return answers
}

var on = engine.Options{Coalesce: true}

// Calls with equal URL, headers and identity are made once.
func TestCoalescedCalls(t *testing.T) {
	get := func() *rest.Call { return rest.New("GET", "/a").Query("q", 1) }
	forwarding := upstreams.Source{Forward: []string{"X-Tenant"}}
	tracing := upstreams.Source{
		Forward: []string{"traceparent", "tracestate", "X-B3-TraceId", "baggage", "X-Correlation-ID"},
		NoVary:  []string{"x-correlation-id"},
	}
	for name, c := range map[string]struct {
		source upstreams.Source
		calls  [2]*rest.Call
		in     [2]context.Context
		shares int // how many of the calls may be shared, if there is an equal one
		want   int32
	}{
		"equal":              {forwarding, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "X-Tenant: a", "X-Request-Id: 1", "X-Other: 1"), asker(t, on, "X-Tenant: a", "X-Request-Id: 2", "X-Other: 2")}, 2, 1},
		"off":                {forwarding, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, engine.Options{}), asker(t, engine.Options{})}, 0, 2},
		"one off":            {forwarding, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on), asker(t, engine.Options{})}, 1, 2},
		"no client":          {forwarding, [2]*rest.Call{get(), get()}, [2]context.Context{engine.WithOperation(t.Context(), on), engine.WithOperation(t.Context(), on)}, 0, 2},
		"identities":         {upstreams.Source{}, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "Authorization: a"), asker(t, on, "Authorization: b")}, 2, 2},
		"anonymous":          {upstreams.Source{}, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "Authorization: a"), asker(t, on)}, 2, 2},
		"forwarded header":   {forwarding, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "X-Tenant: a"), asker(t, on, "X-Tenant: b")}, 2, 2},
		"forwarded by one":   {forwarding, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "X-Tenant: a"), asker(t, on)}, 2, 2},
		"header of the call": {upstreams.Source{}, [2]*rest.Call{get().Header("X-A", "1"), get().Header("X-A", "2")}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 2},
		"forwarded name":     {upstreams.Source{Forward: []string{"X-Request-ID"}}, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "X-Request-Id: 1"), asker(t, on, "X-Request-Id: 2")}, 2, 2},
		"name of the call's": {upstreams.Source{}, [2]*rest.Call{get().Header("X-Request-Id", "1"), get().Header("X-Request-Id", "2")}, [2]context.Context{asker(t, on, "X-Request-Id: 1"), asker(t, on, "X-Request-Id: 2")}, 2, 2},
		"path":               {upstreams.Source{}, [2]*rest.Call{get(), rest.New("GET", "/b").Query("q", 1)}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 2},
		"slash in a value":   {upstreams.Source{}, [2]*rest.Call{rest.New("GET", "/a/b"), rest.New("GET", "/").Segment("a/b")}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 2},
		"query":              {upstreams.Source{}, [2]*rest.Call{get(), rest.New("GET", "/a").Query("q", 2)}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 2},
		"of the request":     {upstreams.Source{}, [2]*rest.Call{get().RequestScoped(), get().RequestScoped()}, [2]context.Context{asker(t, on), asker(t, on)}, 0, 2},
		"traces":             {tracing, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "Traceparent: a", "Tracestate: a"), asker(t, on, "Traceparent: b", "X-B3-Traceid: b")}, 2, 1},
		"no vary":            {tracing, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "X-Correlation-Id: a"), asker(t, on, "X-Correlation-Id: b")}, 2, 1},
		"baggage":            {tracing, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "Baggage: a=1"), asker(t, on, "Baggage: a=2")}, 2, 2},
		"trace of the call":  {tracing, [2]*rest.Call{get().Header("traceparent", "1"), get().Header("traceparent", "2")}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 2},
		"trace of one call":  {tracing, [2]*rest.Call{get().Header("traceparent", "1"), get()}, [2]context.Context{asker(t, on), asker(t, on, "Traceparent: 1")}, 2, 2},
		"id in no vary":      {upstreams.Source{Forward: []string{"X-Request-ID"}, NoVary: []string{"X-Request-ID"}}, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on, "X-Request-Id: 1"), asker(t, on, "X-Request-Id: 2")}, 2, 1},
		"deadline header":    {upstreams.Source{DeadlineHeader: upstreams.DeadlineHeader{Name: "X-Request-Timeout-Ms"}}, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 1},
		"timeout":            {upstreams.Source{}, [2]*rest.Call{get(), get().Timeout(time.Minute)}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 2},
		"equal timeouts":     {upstreams.Source{}, [2]*rest.Call{get().Timeout(time.Minute), get().Timeout(time.Minute)}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 1},
		"another method":     {upstreams.Source{}, [2]*rest.Call{rest.New("PUT", "/a"), rest.New("PUT", "/a")}, [2]context.Context{asker(t, on), asker(t, on)}, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			for i, a := range together(t, &held{}, c.source, c.calls, c.in, c.shares, c.want) {
				if a.err != nil || a.body == "" {
					t.Errorf("caller %d: %q %v", i, a.body, a.err)
				}
				if n := engine.CallCount(c.in[i]); n != 1 {
					t.Errorf("caller %d has made %d calls by its budget", i, n)
				}
			}
		})
	}
}

// Each caller that shares a failure receives an error of its own, which it may change.
func TestCoalescedFailures(t *testing.T) {
	get := func() *rest.Call { return rest.New("GET", "/a").NonIdempotent() } // one attempt
	for name, serve := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "short")
		},
		"broken": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "short")
		},
		"too large": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 2000)) },
		"longer than it is": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			io.WriteString(w, strings.Repeat("x", 2000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			answers := together(t, &held{serve: serve}, upstreams.Source{MaxResponse: 1000}, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, on), asker(t, on)}, 2, 1)
			alone := together(t, &held{serve: serve}, upstreams.Source{MaxResponse: 1000}, [2]*rest.Call{get(), get()}, [2]context.Context{asker(t, engine.Options{}), asker(t, engine.Options{})}, 0, 2)
			if fmt.Sprint(answers[0].err) != fmt.Sprint(alone[0].err) || fmt.Sprint(answers[1].err) != fmt.Sprint(alone[0].err) || alone[0].err == nil {
				t.Errorf("shared: %v, %v; alone: %v", answers[0].err, answers[1].err, alone[0].err)
			}
			first, ok := errors.AsType[*rest.StatusError](answers[0].err)
			second, _ := errors.AsType[*rest.StatusError](answers[1].err)
			if ok && (first.Response == second.Response || string(first.Response.Body) != "short" || string(second.Response.Body) != "short") {
				t.Errorf("%+v and %+v", first.Response, second.Response)
			}
		})
	}
}

// The first caller may leave without ending the call. When all have left, it is cancelled.
func TestCoalescedCallers(t *testing.T) {
	cancelled := make(chan struct{})
	s := &held{let: make(chan struct{})}
	s.serve = func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "answer")
	}
	services := s.services(t, upstreams.Source{})
	ask := func() (leave context.CancelFunc, answer chan got) {
		ctx, cancel := context.WithCancel(t.Context())
		ctx = engine.WithOperation(upstreams.WithClientHeaders(ctx, http.Header{}, ""), on)
		answer = make(chan got, 1)
		go func() {
			a, err := services.Do(ctx, "s", rest.New("GET", "/"))
			if err != nil {
				answer <- got{"", err}
				return
			}
			answer <- got{string(a.Body), nil}
		}()
		return cancel, answer
	}
	leave, first := ask()
	coalescetest.Await(t, 1, func() bool { return s.calls.Load() == 1 })
	stay, second := ask()
	defer stay()
	coalescetest.Await(t, 2, func() bool { return s.calls.Load() == 1 })
	leave()
	if a := <-first; !errors.Is(a.err, context.Canceled) {
		t.Errorf("who left has %v", a.err)
	}
	s.let <- struct{}{}
	if a := <-second; a.err != nil || a.body != "answer" || s.calls.Load() != 1 {
		t.Errorf("who stayed has %q %v after %d calls", a.body, a.err, s.calls.Load())
	}

	var gone atomic.Int32
	endless := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		gone.Add(1)
		<-r.Context().Done()
		close(cancelled)
	}))
	defer endless.Close()
	services, err := upstreams.New(upstreams.Options{"s": {URLs: upstreams.URLs(endless.URL)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	leave, first = ask()
	coalescetest.Await(t, 1, func() bool { return gone.Load() == 1 })
	leave()
	<-first
	<-cancelled
}

// With many callers of different identities, and bodies of many sizes whose memory is
// reused, no caller sees a byte of another's response.
func TestCoalescedBodies(t *testing.T) {
	s := &held{let: make(chan struct{})}
	close(s.let)
	s.serve = func(w http.ResponseWriter, r *http.Request) {
		who := r.Header.Get("Authorization")
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		io.WriteString(w, strings.Repeat(who, n))
	}
	services := s.services(t, upstreams.Source{Forward: []string{"Authorization"}})
	const callers, rounds = 100, 30
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range rounds {
				who, n := fmt.Sprintf("<%d>", i%10), rand.IntN(5)*1000
				answer, err := services.Do(asker(t, on, "Authorization: "+who), "s", rest.New("GET", "/").Query("n", n))
				if err != nil {
					t.Error(err)
					return
				}
				if string(answer.Body) != strings.Repeat(who, n) {
					t.Errorf("%s of %d has %d bytes: %.100q", who, n, len(answer.Body), answer.Body)
				}
				answer.Release()
			}
		})
	}
	all.Wait()
	if n := s.calls.Load(); n >= callers*rounds {
		t.Errorf("%d calls: nothing was shared", n)
	}
}

// Each caller may change the headers of its response, even if the response was shared.
func TestCoalescedHeaders(t *testing.T) {
	s := &held{let: make(chan struct{}), serve: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Of", "service") }}
	services := s.services(t, upstreams.Source{})
	var answers [2]*rest.Response
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			var err error
			if answers[i], err = services.Do(asker(t, on), "s", rest.New("GET", "/")); err != nil {
				t.Error(err)
				return
			}
			answers[i].Header.Set("X-Of", strconv.Itoa(i))
		})
	}
	coalescetest.Await(t, 2, func() bool { return s.calls.Load() == 1 })
	close(s.let)
	all.Wait()
	for i, a := range answers {
		if got := a.Header.Get("X-Of"); got != strconv.Itoa(i) {
			t.Errorf("caller %d reads what %s has written", i, got)
		}
	}
}

// The service receives the headers of the first caller.
func TestCoalescedTraces(t *testing.T) {
	s := &held{let: make(chan struct{}), serve: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("Traceparent"))
	}}
	services := s.services(t, upstreams.Source{Forward: []string{"Traceparent"}})
	answers := make(chan string, 2)
	for i, trace := range []string{"first", "second"} {
		go func() {
			answer, err := services.Do(asker(t, on, "Traceparent: "+trace), "s", rest.New("GET", "/"))
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- string(answer.Body)
		}()
		coalescetest.Await(t, i+1, func() bool { return s.calls.Load() == 1 })
	}
	close(s.let)
	if first, second := <-answers, <-answers; first != "first" || second != "first" {
		t.Errorf("%q and %q", first, second)
	}
}

// Headers are left out of what is compared only if no source that is forwarded them varies by them.
func TestNoVaryHeaders(t *testing.T) {
	url := []string{"http://localhost"}
	services, err := upstreams.New(upstreams.Options{
		"a": {URLs: upstreams.URLs(url...), Forward: []string{"traceparent", "X-A", "X-Both", "X-Request-Id", "X-Tenant"}, NoVary: []string{"x-a", "x-both"}},
		"b": {URLs: upstreams.URLs(url...), Forward: []string{"X-B3-TraceId", "X-Both"}},
		"c": {URLs: upstreams.URLs(url...)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	got := services.Sources().NoVaryHeaders()
	slices.Sort(got)
	if want := "[Traceparent X-A X-B3-Traceid]"; fmt.Sprint(got) != want {
		t.Errorf("%s, not %s", got, want)
	}
}

// A response that is not a 2xx is read no further than rest.MaxErrorBody.
func TestCoalescedErrorBody(t *testing.T) {
	served := make(chan struct{})
	defer close(served)
	s := &held{let: make(chan struct{}), serve: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, strings.Repeat("x", 100<<10))
		w.(http.Flusher).Flush()
		<-served
	}}
	close(s.let)
	services := s.services(t, upstreams.Source{Timeout: 3 * time.Second})
	_, err := services.Do(asker(t, on), "s", rest.New("GET", "/"))
	if refused, ok := errors.AsType[*rest.StatusError](err); !ok || refused.Response.Status != http.StatusTeapot || len(refused.Response.Body) != rest.MaxErrorBody {
		t.Errorf("%v", err)
	}
}

// A coalesced call has its own timeout, which may be longer than that of its source.
func TestCoalescedTimeout(t *testing.T) {
	s := &held{let: make(chan struct{}), serve: func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(200 * time.Millisecond)
		io.WriteString(w, "answer")
	}}
	close(s.let)
	services := s.services(t, upstreams.Source{Timeout: 50 * time.Millisecond})
	for timeout, want := range map[time.Duration]fault.Code{0: fault.GatewayTimeout, 10 * time.Millisecond: fault.GatewayTimeout, time.Minute: ""} {
		if _, err := services.Do(asker(t, on), "s", rest.New("GET", "/").Timeout(timeout)); fault.CodeOf(err) != want {
			t.Errorf("with a timeout of %s: %v", timeout, err)
		}
	}
}
