package enginetest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// newLibrary returns services that send a writer for each id except "none", and bodies for other
// paths.
func newLibrary(t testing.TB, bodies map[string]string) *upstreams.Services {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/library/writersById" {
			_, _ = w.Write([]byte(bodies[strings.TrimPrefix(r.URL.Path, "/library")]))
			return
		}
		writers := []object{}
		for _, id := range strings.Split(strings.Join(r.URL.Query()["ids"], ","), ",") {
			if id != "none" {
				writers = append(writers, object{"id": id, "name": "writer of " + id})
			}
		}
		_ = json.NewEncoder(w).Encode(writers)
	}))
	t.Cleanup(server.Close)
	services, err := upstreams.New(upstreams.Options{"answers": {URLs: upstreams.URLs(server.URL)}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	return services
}

// Joined data stays with its object: an object that was fetched but does not appear in the
// response does not shift the data of those after it.
func TestJoinsFollowObjects(t *testing.T) {
	services := newLibrary(t, map[string]string{
		"/writers":      `[{"id": "w1"}, {"id": "w2"}]`,
		"/of/w1/offset": `{"items": [{"id": "s1"}, 5]}`,
		"/of/w2/offset": `{"items": [{"id": "s3"}, {"id": "s4"}]}`,
		"/of/w1/number": `{"items": [{"id": "s1"}, {}, {"id": "s2"}]}`,
		"/of/w2/number": `{"items": [{"id": "s3"}]}`,
		"/of/w1/cursor": `{"items": [{"id": "s1"}, null, {}]}`,
		"/of/w2/cursor": `{"items": [{"id": "s3"}]}`,
		"/shelves":      `[[{"id": "s1"}, 5], [], null, [{"id": "s3"}, {"id": "s4"}]]`,
	})
	for _, test := range []struct{ query, want, path string }{
		{
			`{writers {id stories {nodes {id writer {name}}}}}`,
			`{"writers":[{"id":"w1","stories":null},{"id":"w2","stories":{"nodes":[{"id":"s3","writer":{"name":"writer of s3"}},{"id":"s4","writer":{"name":"writer of s4"}}]}}]}`,
			"[[writers 0 stories nodes 1]]",
		},
		{
			`{writers {id looseStories {edges {node {id writer {name}}} nodes {id writer {name}}}}}`,
			`{"writers":[{"id":"w1","looseStories":{"edges":[{"node":{"id":"s1","writer":{"name":"writer of s1"}}},{"node":null},{"node":null}],"nodes":[{"id":"s1","writer":{"name":"writer of s1"}},null,null]}},` +
				`{"id":"w2","looseStories":{"edges":[{"node":{"id":"s3","writer":{"name":"writer of s3"}}}],"nodes":[{"id":"s3","writer":{"name":"writer of s3"}}]}}]}`,
			"[[writers 0 looseStories edges 2 node id] [writers 0 looseStories edges 2 node writer] [writers 0 looseStories nodes 2 id] [writers 0 looseStories nodes 2 writer]]",
		},
		{
			`{shelves {id writer {name}}}`,
			`{"shelves":[null,[],null,[{"id":"s3","writer":{"name":"writer of s3"}},{"id":"s4","writer":{"name":"writer of s4"}}]]}`,
			"[[shelves 0 1]]",
		},
		{
			`{writers {mustStories {nodes {id writer {name}}}}}`,
			`{"writers":[{"mustStories":{"nodes":null}},{"mustStories":{"nodes":[{"id":"s3","writer":{"name":"writer of s3"}}]}}]}`,
			"[[writers 0 mustStories nodes 1 id] [writers 0 mustStories nodes 1 writer]]",
		},
	} {
		for _, executor := range []string{engine.EngineGqlgen, engine.EnginePlan} {
			f, _ := newGateway(t, executor, nil, graph.NewSchema(&resolvers.Resolver{Services: services}))
			body, _ := json.Marshal(map[string]string{"query": test.query})
			got := post(t, f, body)
			paths := [][]any{}
			for _, e := range got.Errors {
				paths = append(paths, e.Path)
			}
			if string(got.Data) != test.want || fmt.Sprint(paths) != test.path {
				t.Errorf("%s by %s: got %s with errors at %v, want %s with errors at %s", test.query, executor, got.Data, paths, test.want, test.path)
			}
		}
	}
}
