package upstreams_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Calls of a shared group are made once in an epoch if they send the same request for the same
// client, at once and one after the other.
func TestSharedCalls(t *testing.T) {
	users := newReplica(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `"`+r.URL.Path+r.Header.Get("X-Tenant")+strings.Repeat(".", 1000)+`"`)
	})
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL), Forward: []string{"X-Tenant"}})
	shared := func(path string) *rest.Call { return rest.New("GET", path).Shared("users GET /users/{}") }
	tenant := func(ctx context.Context) context.Context {
		return upstreams.WithClientHeaders(ctx, http.Header{"X-Tenant": {"t"}}, "id")
	}
	same := func(ctx context.Context) context.Context { return ctx }
	for name, test := range map[string]struct {
		calls *engine.SharedCalls
		limit int64
		first *rest.Call
		later *rest.Call
		in    func(context.Context) context.Context
		want  int64
	}{
		"equal":                        {&engine.SharedCalls{All: true}, 0, shared("/users/1"), shared("/users/1"), same, 1},
		"of the group":                 {&engine.SharedCalls{Groups: map[string]bool{"users GET /users/{}": true}}, 0, shared("/users/1"), shared("/users/1"), same, 1},
		"of another group":             {&engine.SharedCalls{Groups: map[string]bool{"users GET /users": true}}, 0, shared("/users/1"), shared("/users/1"), same, 2},
		"of an operation without":      {nil, 0, shared("/users/1"), shared("/users/1"), same, 2},
		"of handwritten code":          {&engine.SharedCalls{All: true}, 0, rest.New("GET", "/users/1"), rest.New("GET", "/users/1"), same, 2},
		"another path":                 {&engine.SharedCalls{All: true}, 0, shared("/users/1"), shared("/users/2"), same, 2},
		"another header":               {&engine.SharedCalls{All: true}, 0, shared("/users/1"), shared("/users/1").Header("X", "y"), same, 2},
		"parameters in another order":  {&engine.SharedCalls{All: true}, 0, shared("/users").Query("a", 1).Query("b", 2), shared("/users").Query("b", 2).Query("a", 1), same, 1},
		"another epoch":                {&engine.SharedCalls{All: true}, 0, shared("/users/1"), shared("/users/1"), engine.WithEpoch, 2},
		"another client":               {&engine.SharedCalls{All: true}, 0, shared("/users/1"), shared("/users/1"), tenant, 2},
		"more than an operation keeps": {&engine.SharedCalls{All: true}, 500, shared("/users/1"), shared("/users/1"), same, 5},
	} {
		t.Run(name, func(t *testing.T) {
			users.calls.Store(0)
			ctx := engine.WithOperation(t.Context(), engine.Options{MaxBytes: test.limit})
			engine.SetSharedCalls(ctx, test.calls)
			fetch := func(ctx context.Context, c *rest.Call) string {
				text, err := upstreams.Fetch(ctx, services, "users", c, (*decode.Decoder).String)
				if err != nil {
					t.Error(err)
				}
				return text
			}
			first := fetch(ctx, test.first)
			other := test.in(ctx)
			texts := make([]string, 4)
			var places sync.WaitGroup
			for i := range texts {
				if i == 0 || test.want != 2 {
					places.Go(func() { texts[i] = fetch(other, test.later) })
				}
			}
			places.Wait()
			if n := users.calls.Load(); n != test.want || engine.CallCount(ctx) != int(n) {
				t.Errorf("%d calls, %d counted, want %d", n, engine.CallCount(ctx), test.want)
			}
			if test.want == 1 && (texts[0] != first || texts[3] != first) {
				t.Errorf("the places have %q and %q", first, texts)
			}
			if name == "another client" && !strings.HasPrefix(texts[0], "/users/1t") {
				t.Errorf("the service received no header of the other client: %.20s", texts[0])
			}
		})
	}
}

// Each place that gets a shared response reserves memory for what it decodes, and all of it is
// returned with the request.
func TestSharedCallsReserveMemory(t *testing.T) {
	const size, places = 100_000, 10
	users := newReplica(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `"`+strings.Repeat(".", size)+`"`)
	})
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL)})
	memory := engine.NewMemory(1<<30, time.Second)
	share := &engine.MemoryShare{Memory: memory}
	ctx := engine.WithOperation(context.WithValue(t.Context(), engine.MemoryShareKey{}, share), engine.Options{})
	engine.SetSharedCalls(ctx, &engine.SharedCalls{All: true})
	for range places {
		if _, err := upstreams.Fetch(ctx, services, "users", get().Shared("g"), (*decode.Decoder).String); err != nil {
			t.Fatal(err)
		}
	}
	if n, used := users.calls.Load(), memory.Stats().Used; n != 1 || used < (places+1)*size || used > (places+3)*size {
		t.Errorf("%d calls, %d bytes", n, used)
	}
	share.Release()
	if used := memory.Stats().Used; used != 0 {
		t.Errorf("%d bytes are not returned", used)
	}

	// An operation that needs more than there is gets an error instead.
	ctx = engine.WithOperation(context.WithValue(t.Context(), engine.MemoryShareKey{}, &engine.MemoryShare{Memory: engine.NewMemory(3*size, time.Millisecond)}), engine.Options{})
	engine.SetSharedCalls(ctx, &engine.SharedCalls{All: true})
	var err error
	for range places {
		if err == nil {
			_, err = upstreams.Fetch(ctx, services, "users", get().Shared("g"), (*decode.Decoder).String)
		}
	}
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.Overloaded {
		t.Errorf("got %v", err)
	}
}

// A failure is shared as well, and each place applies its own rules to it.
func TestSharedFailure(t *testing.T) {
	users := newReplica(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"is": "gone"}`)
	})
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL)})
	ctx := engine.WithOperation(t.Context(), engine.Options{})
	engine.SetSharedCalls(ctx, &engine.SharedCalls{All: true})
	for _, test := range []struct {
		rules *upstreams.Rules
		want  string
	}{
		{nil, "no such thing"},
		{&upstreams.Rules{Message: func(*upstreams.Response) any { return "no such user" }}, "no such user"},
		{&upstreams.Rules{Success: func(r *upstreams.Response) bool { return r.Status == 404 }}, ""},
	} {
		_, err := upstreams.Fetch(ctx, services, "users", get().Shared("g"), decode.Member("is", (*decode.Decoder).String), test.rules)
		if text := errorText(err); !strings.Contains(text, test.want) || (test.want == "") != (err == nil) {
			t.Errorf("got %q, want %q", text, test.want)
		}
	}
	if n := users.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
