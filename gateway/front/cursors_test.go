package front_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

const cursorSecret = "a secret of thirty-two bytes, ok"

var pagedSchema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { n: Int pageInfo: PageInfo }
	type PageInfo { hasNextPage: Boolean! }
`})

// pagedService is a service whose schema has Relay connections.
type pagedService struct{ service }

func (*pagedService) Schema() *ast.Schema { return pagedSchema }

// endCursor responds with the cursor of a page's end, and stores the cursor that the request has.
func endCursor(after **string) func(context.Context) *graphql.Response {
	return func(ctx context.Context) *graphql.Response {
		conn, err := page.Load(ctx, page.Request{Field: "Query.n", After: *after}, func(context.Context, page.Range) (page.Response[int], error) {
			return page.Response[int]{Items: []int{1}}, nil
		})
		if err != nil {
			return graphql.ErrorResponse(ctx, "%s", err)
		}
		data, _ := json.Marshal(map[string]string{"n": *conn.End})
		return &graphql.Response{Data: data}
	}
}

// A cursor is valid in all replicas with one secret, and otherwise only in the one that made it.
func TestCursorsAmongReplicas(t *testing.T) {
	for secret, holds := range map[string]bool{cursorSecret: true, "": false} {
		var after *string
		o := front.Options{Cursors: page.Options{Secret: secret}}
		one, two := newGateway(t, o, endCursor(&after)), newGateway(t, o, endCursor(&after))
		var found struct{ N string }
		if err := json.Unmarshal(*one.ask(t, "{n}").body.Data, &found); err != nil {
			t.Fatal(err)
		}
		after = &found.N
		if r := one.ask(t, "{n}"); len(r.body.Errors) > 0 {
			t.Error("its own:", r.text)
		}
		if r := two.ask(t, "{n}"); (len(r.body.Errors) == 0) != holds {
			t.Errorf("another's, of the secret %q: %s", secret, r.text)
		}
	}
}

// The log warns of a random key once, if the schema has cursors.
func TestRandomCursorKeyIsWarnedOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		schema graphql.ExecutableSchema
		secret string
		lines  int
	}{
		{"connections", &pagedService{}, "", 1},
		{"connections with a secret", &pagedService{}, cursorSecret, 0},
		{"no connections", &service{}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, log := newFront(t, front.Options{Cursors: page.Options{Secret: c.secret}}, nil, func(d *front.Deps) { d.Schema = c.schema })
			if text := log.String(); strings.Count(text, "\n") != c.lines || c.lines > 0 && !strings.Contains(text, "GATEWAY_CURSORS_SECRET") {
				t.Error(text)
			}
		})
	}
}

func TestShortCursorSecret(t *testing.T) {
	_, err := front.New(front.Options{Cursors: page.Options{Secret: "swordfish"}}, front.Deps{Schema: &service{}})
	if err == nil || !strings.Contains(err.Error(), "cursors: secret has 9 bytes") || strings.Contains(err.Error(), "swordfish") {
		t.Error(err)
	}
}
