package everything

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/everything/graph"
	"example.com/everything/resolvers"
	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// A field whose call, or whose source's headers, take a value of the client's request is executed
// for each client separately, even if the values are equal.
func TestCoalesce(t *testing.T) {
	for _, c := range []struct {
		query              string
		calls              int32 // of those that come first, which are held
		operations, called int   // who waits for an execution, and for a call
		all                int32 // calls
	}{
		{`{plainErrors}`, 1, 2, 1, 1},
		{`{ruled}`, 2, 0, 0, 2},
		{`{ownHeader}`, 1, 2, 1, 1},
		{`{plainErrors ruled}`, 3, 0, 2, 3},
		{`{tagged {name}}`, 1, 0, 2, 3},
		{`{tagHolder {one {name}}}`, 1, 0, 2, 3},
		{`{tagHolder {id}}`, 1, 2, 1, 1},
		{`{tagGiven {tag}}`, 2, 0, 0, 2},
	} {
		var calls atomic.Int32
		startGateway := make(chan struct{})
		backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			<-startGateway
			io.WriteString(w, `{"ok": true, "v": "x", "id": "1", "one": {"id": "1"}, "name": "n"}`)
		}))
		services := servicesAt(t, backend.URL)
		f, err := front.New(front.Options{Execution: engine.Options{Coalesce: true}}, front.Deps{
			Schema:    graph.NewSchema(&resolvers.Resolver{Services: services}),
			Verify:    func(context.Context, string) (*auth.Identity, error) { return caller, nil },
			Forwarded: services.ForwardedHeaders(),
			NoVary:    services.Sources().NoVaryHeaders(),
			Log:       slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		gateway := httptest.NewServer(f.Handler())
		var all sync.WaitGroup
		var answers [2]string
		for i := range answers {
			all.Go(func() {
				answers[i] = string(post(t, gateway.URL, map[string]any{"query": c.query}, "X-Tag: same"))
			})
		}
		coalescetest.Await(t, c.operations+c.called, func() bool { return calls.Load() == c.calls })
		close(startGateway)
		all.Wait()
		if answers[0] != answers[1] || calls.Load() != c.all {
			t.Errorf("%s: %d calls, %q and %q", c.query, calls.Load(), answers[0], answers[1])
		}
		gateway.Close()
		backend.Close()
	}
}
