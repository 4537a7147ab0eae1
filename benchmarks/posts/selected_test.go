package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// odd returns a gateway by each executor, over services whose objects have parts that do not
// fit the graph.
func odd(t *testing.T) map[string]http.Handler {
	t.Helper()
	answers := map[string]string{
		"/posts":   `[{"id":1,"userId":7,"title":"one","body":[]},{"id":2,"userId":7,"title":"two"}]`,
		"/posts/1": `{"id":[],"userId":7,"title":"one","body":"b"}`,
		"/users":   `[{"id":7,"name":"Ada","username":1,"email":"a@b","phone":{},"website":"w"}]`,
		"/users/7": `{"id":7,"name":"Ada","username":1,"email":"a@b","phone":{},"website":"w"}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	return map[string]http.Handler{
		engine.EnginePlan:   newGateway(t, server.URL),
		engine.EngineGqlgen: newGateway(t, server.URL, engine.Options{Engine: engine.EngineGqlgen}),
	}
}

// shown is the data of a response, and the paths of its errors.
func shown(t *testing.T, body []byte) string {
	t.Helper()
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Path []any }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	paths := make([]string, len(answer.Errors))
	for i, e := range answer.Errors {
		paths[i] = fmt.Sprint(e.Path)
	}
	slices.Sort(paths)
	return string(answer.Data) + strings.Join(paths, "")
}

// Only selected members are decoded, besides the keys of joins, and errors are those of
// selected members. gqlgen's executor, for which everything is decoded, responds equally.
func TestSelected(t *testing.T) {
	gateways := odd(t)
	for query, want := range map[string]string{
		`{posts {title}}`: `{"posts":[{"title":"one"},{"title":"two"}]}`,
		// Neither key is selected: Post.userId, by which users are fetched, and User.id, by
		// which they are matched.
		`{posts {user {name}}}`: `{"posts":[{"user":{"name":"Ada"}},{"user":{"name":"Ada"}}]}`,
		// One user at two places with different selections.
		`{a: posts {user {name}} b: posts {title user {email website}}}`: `{"a":[{"user":{"name":"Ada"}},{"user":{"name":"Ada"}}],` +
			`"b":[{"title":"one","user":{"email":"a@b","website":"w"}},{"title":"two","user":{"email":"a@b","website":"w"}}]}`,
		`{post(id: 1) {title user {email}}}`: `{"post":{"title":"one","user":{"email":"a@b"}}}`,
		`{post(id: 1) {body id}}`:            `{"post":null}[post id]`,
		`{posts {id user {phone}}}`:          `{"posts":[{"id":1,"user":{"phone":null}},{"id":2,"user":{"phone":null}}]}[posts 0 user phone][posts 1 user phone]`,
		`{posts {id body}}`:                  `{"posts":[null,null]}[posts 0 body][posts 1 body]`,
	} {
		body, _ := json.Marshal(map[string]string{"query": query})
		for how, gateway := range gateways {
			if got := shown(t, ask(gateway, body).Body.Bytes()); got != want {
				t.Errorf("%s by %s: got\n%s, want\n%s", query, how, got, want)
			}
		}
	}
}
