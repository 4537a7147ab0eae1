package enginetest

import (
	"context"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
)

// callRecorder records the resolvers that one operation calls.
type callRecorder struct {
	mu    sync.Mutex
	nodes map[string][]int // by node of the plan: the number of parents of each call
}

// record records a call under its node of the plan, which is the path of fields with their types.
func (c *callRecorder) record(ctx context.Context, parents int) {
	var node []string
	for fc := graphql.GetFieldContext(ctx); fc != nil; fc = fc.Parent {
		if fc.Field.Field != nil {
			node = append(node, fc.Object+"."+fc.Field.Alias)
		}
	}
	slices.Reverse(node)
	name := strings.Join(node, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes == nil {
		c.nodes = map[string][]int{}
	}
	c.nodes[name] = append(c.nodes[name], parents)
}

// resolvers returns the nodes whose resolvers were called, sorted.
func (c *callRecorder) resolvers() []string { return slices.Sorted(maps.Keys(c.nodes)) }

// repeated returns the nodes that were called more than once. Below models written by hand
// gqlgen's executor runs, which calls list by list.
func (c *callRecorder) repeated() (nodes []string) {
	for node, calls := range c.nodes {
		if len(calls) > 1 && !strings.Contains(node, "far") {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func query(t *testing.T, r *resolvers.Resolver, ctx context.Context, query string) response {
	t.Helper()
	f, log := newGateway(t, engine.EnginePlan, nil, graph.NewSchema(r))
	body, _ := json.Marshal(map[string]string{"query": query})
	w := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(ctx, "POST", "/graphql", strings.NewReader(string(body)))
	request.Header.Set("Content-Type", "application/json")
	f.Handler().ServeHTTP(w, request)
	if strings.Contains(log.String(), `"fallback"`) {
		t.Errorf("the operation fell back to gqlgen: %s", log)
	}
	var got response
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return got
}

// All parents of a node are in one call, whichever lists they come from.
func TestResolverIsCalledOnce(t *testing.T) {
	var c callRecorder
	got := query(t, &resolvers.Resolver{OnCall: c.record}, t.Context(), `{posts(n: 7) {user {id}} more: posts(n: 2) {again: user {id} user {id}}}`)
	if len(got.Errors) > 0 {
		t.Error(got.Errors)
	}
	for node, want := range map[string]int{"Query.posts Post.user": 7, "Query.more Post.again": 2, "Query.more Post.user": 2} {
		if !slices.Equal(c.nodes[node], []int{want}) {
			t.Errorf("%s is called with %v parents, want %d once", node, c.nodes[node], want)
		}
	}
}

// No resolver is called after the client has gone.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var c callRecorder
	r := &resolvers.Resolver{OnCall: func(in context.Context, parents int) {
		c.record(in, parents)
		cancel()
		<-in.Done()
	}}
	got := query(t, r, ctx, `{posts(n: 3) {user {id}}}`)
	if c.nodes["Query.posts Post.user"] != nil || c.nodes["Query.posts"] == nil {
		t.Errorf("called are %v", c.nodes)
	}
	if string(got.Data) != `{"posts":[{"user":null},{"user":null},{"user":null}]}` || len(got.Errors) != 3 || got.Errors[2].Extensions["code"] != "SERVICE_UNAVAILABLE" {
		t.Errorf("got %s with %v", got.Data, got.Errors)
	}
}
