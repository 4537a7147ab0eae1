package upstreams

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// callerContext is the context of a field of the client's operation.
func callerContext(t *testing.T) context.Context {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { order(id: ID!, note: String, size: Int = 7, flag: Boolean, ids: [ID!], input: Input): Int }
		input Input { id: ID, inner: Input }`})
	doc, errs := gqlparser.LoadQueryWithRules(schema, `query($v: Input) { order(id: "o1", flag: true, ids: ["a"], input: $v) }`, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	op := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: map[string]any{
		"v": map[string]any{"inner": map[string]any{"id": json.Number("5")}},
	}}
	ctx := engine.WithOperation(t.Context(), engine.Options{})
	ctx = WithClientHeaders(ctx, http.Header{"X-Session": {"s1"}, "X-Empty": {""}}, "id")
	ctx = auth.NewContext(ctx, auth.NewIdentity(map[string]any{
		"sub": "u1", "tenant": json.Number("42"), "admin": false, "none": nil, "empty": "",
		"realm": map[string]any{"name": "r"}, "https://shop.example/team": "t", "roles": []any{"a"},
	}, ""))
	ctx = graphql.WithOperationContext(ctx, op)
	field := doc.Operations[0].SelectionSet[0].(*ast.Field)
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: graphql.CollectedField{Field: field}})
}

// Each template has the same hash as a text, or none.
func TestHashKey(t *testing.T) {
	ctx := callerContext(t)
	call := rest.New("GET", "/orders/").Segment("a/b").Query("q", 1)
	for template, want := range map[string]string{
		"$claims.sub":                       "u1",
		"{$claims.sub}":                     "u1",
		"$claims.tenant":                    "42",
		"$claims.admin":                     "false",
		"$claims.realm.name":                "r",
		"$claims.https://shop.example/team": "t",
		"$claims.none":                      "",
		"$claims.empty":                     "",
		"$claims.realm":                     "",
		"$claims.roles":                     "",
		"$claims.missing":                   "",
		"$args.id":                          "o1",
		"$args.size":                        "7",
		"$args.flag":                        "true",
		"$args.note":                        "",
		"$args.ids":                         "",
		"$args.missing":                     "",
		"$args.input.inner.id":              "5",
		"$args.input.id":                    "",
		"$args.id.more":                     "",
		"$request.headers.x-session":        "s1",
		"$request.headers.X-Empty":          "",
		"$request.headers.x-missing":        "",
		"$call.path":                        "/orders/a%2Fb",
		"{$claims.tenant}/{$args.id}":       `"42"/"o1"`,
		"a{$claims.sub}":                    `a"u1"`,
		"{$claims.sub}/{$claims.missing}":   "",
	} {
		key, err := parseHashKey(template)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		got, ok := key.of(ctx, call)
		if ok != (want != "") || ok && got != balance.HashKey(want) {
			t.Errorf("%s: %x %t, want that of %q", template, got, ok, want)
		}
	}
	key, _ := parseHashKey("$args.id")
	if _, ok := key.of(t.Context(), call); ok {
		t.Error("an argument outside of an operation")
	}
	// A batch belongs to the field that opened it, also if it makes a call within.
	got, err := engine.CallOnce(ctx, engine.Identity{Request: "outer"}, func(ctx context.Context) (uint64, error) {
		return engine.CallOnce(ctx, engine.Identity{Request: "inner"}, func(ctx context.Context) (uint64, error) {
			hash, _ := key.of(ctx, call)
			return hash, nil
		})
	})
	if err != nil || got != balance.HashKey("o1") {
		t.Errorf("in a batch: %x %v", got, err)
	}
}

func TestHashKeyMistakes(t *testing.T) {
	for template, want := range map[string]string{
		"users":                    "has no variable",
		"{$claims.sub":             "is a { without its }",
		"a}":                       "is a } without its {",
		"{}":                       `"" is not a variable: write $claims.name`,
		"{{$claims.sub}}":          `"{$claims.sub" is not a variable`,
		"$claims":                  "names no claim",
		"$claims.":                 "names no claim",
		"$claims.a.":               "names no claim",
		"$args":                    "names no argument",
		"$args.a-b":                "names no argument",
		"$args.a..b":               "names no argument",
		"$request.x":               "is not a header",
		"$request.headers.":        "is not a header name",
		"$request.headers.cookie":  "holds what a browser sends",
		"$request.headers.x-user-": "identifies a user to services",
		"$call.url":                "write $call.path",
		"$this.id":                 "may be for several parents",
		"$batch.id":                "may be for several parents",
		"$config.tenant":           "is the same for all calls",
		"$env.HOME":                "is the same for all calls",
		"$claim.sub":               `"$claim.sub" is not a variable`,
	} {
		if _, err := parseHashKey(template); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", template, err, want)
		}
	}
	if key, err := parseHashKey(""); key != nil || err != nil {
		t.Errorf("%v %v", key, err)
	}
}

// Values at other places are other keys.
func TestHashKeyKeepsValuesApart(t *testing.T) {
	key, err := parseHashKey("{$claims.a}/{$claims.b}")
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[uint64]bool{}
	for _, values := range [][2]string{{"x/y", "z"}, {"x", "y/z"}, {`x"/"y`, "z"}, {"x", `y"/"z`}} {
		ctx := auth.NewContext(t.Context(), auth.NewIdentity(map[string]any{"a": values[0], "b": values[1]}, ""))
		hash, _ := key.of(ctx, nil)
		hashes[hash] = true
	}
	if len(hashes) != 4 {
		t.Errorf("%d hashes", len(hashes))
	}
}

// Whatever the text is, it is a template with a variable, or a mistake, and evaluating it never panics.
func FuzzHashKey(f *testing.F) {
	for _, seed := range []string{"$claims.sub", "{$args.id}-{$call.path}", "{", "}", "$request.headers.a", "a{$claims.x}b}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := parseHashKey(text)
		if (err != nil || text == "") != (key == nil) {
			t.Fatalf("%q: %v %v", text, key, err)
		}
		if key != nil {
			key.of(auth.NewContext(t.Context(), auth.NewIdentity(map[string]any{"sub": "a"}, "")), rest.New("GET", "/"))
		}
	})
}
