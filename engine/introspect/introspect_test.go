package introspect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/gatehouse-graphql/gatehouse/engine/introspect"
)

func load(t *testing.T, sdl string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "test.graphqls", Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return introspect.Publish(schema)
}

// What the gateway does not do is neither published nor valid.
func TestPublish(t *testing.T) {
	schema := load(t, `
		type Query { a: String }
		type Subscription implements Node { id: ID, a: String }
		interface Node { id: ID }
		directive @defer(if: Boolean, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT`)
	s, err := introspect.SchemaOf(schema, false)
	if err != nil || s.SubscriptionType() != nil {
		t.Errorf("%v, %v", s.SubscriptionType(), err)
	}
	for _, d := range s.Directives() {
		if d.Name() == "defer" || strings.Contains(strings.Join(d.Locations(), " "), "DIRECTIVE_DEFINITION") {
			t.Errorf("@%s on %v", d.Name(), d.Locations())
		}
	}
	for _, typ := range s.Types() {
		if *typ.Name() == "Subscription" || *typ.Name() == "Node" && len(typ.PossibleTypes()) > 0 {
			t.Errorf("%s, %v", *typ.Name(), typ.PossibleTypes())
		}
	}
	if sdl := introspect.Print(schema); strings.Contains(sdl, "Subscription") || strings.Contains(sdl, "defer") {
		t.Error(sdl)
	}
	for query, want := range map[string]string{
		"{ ... @defer { a } }":                      `Unknown directive "@defer".`,
		"{ ...a @defer } fragment a on Query { a }": `Unknown directive "@defer".`,
		"subscription { a }":                        `Schema does not support operation type "subscription"`,
	} {
		_, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
		if len(errs) != 1 || errs[0].Message != want {
			t.Errorf("%s: %v", query, errs)
		}
	}
}

// With introspection switched off the resolvers answer nothing.
func TestDisabled(t *testing.T) {
	schema := load(t, "type Query { a: String }")
	if s, err := introspect.SchemaOf(schema, true); s != nil || err == nil {
		t.Errorf("%v %v", s, err)
	}
	if s, err := introspect.TypeOf(schema, "Query", true); s != nil || err == nil {
		t.Errorf("%v %v", s, err)
	}
}

// Each form of a definition is printed as it is written here, in this order, and what every schema
// has is not printed.
func TestPrint(t *testing.T) {
	for name, sdl := range map[string]string{
		"names": `"""
The shop.
"""
schema {
  query: Root
  mutation: Change
}

directive @limit(
  """
  Units.
  """
  units: [Int!]! = [1, 2]
  soft: Boolean = false
) repeatable on FIELD_DEFINITION | OBJECT

directive @mark on FIELD

union Any = Change | Root

type Change implements Named & Node {
  id: ID!
  name: String
}

input Choice @oneOf {
  a: String
  b: Int
}

"text in one line: \u202E"
enum Color {
  RED @deprecated
  """
  It has lines

    and """` + "`" + `indented ones.
  """
  GREEN @deprecated(reason: "say \"blue\"")
}

input Filter {
  text: String! = "a \"b\"\n"
  choice: Choice = {a: "x"}
  old: Int @deprecated
}

interface Named implements Node {
  id: ID!
  name: String
}

interface Node {
  id: ID!
}

type Root {
  a(x: Int = 1, y: Filter @deprecated): [Any!]! @deprecated
  b(
    """
    What.
    """
    x: Color = RED
  ): Node
}

scalar Stamp @specifiedBy(url: "https://example.com")
`,
		"usual":                           "type Mutation {\n  a: String\n}\n\ntype Query {\n  a: String\n}\n",
		"another type has the usual name": "schema {\n  query: Query\n}\n\ntype Mutation {\n  a: String\n}\n\ntype Query {\n  a: Mutation\n}\n",
	} {
		sdl = strings.Replace(sdl, "\"\"\"`", `\"""`, 1)
		if diff := cmp.Diff(sdl, introspect.Print(load(t, sdl))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// A description is read from the printed SDL as it was.
func FuzzDescription(f *testing.F) {
	for _, text := range []string{"a", "  a\n b", `"""`, `\"""`, `a\`, `a"`, "\n a", "a\n\n b ", "\t\u0001\u2028", "\\u0041"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		schema := load(t, "type Query { a: String }")
		text = strings.ToValidUTF8(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "")
		schema.Query.Description = text
		schema.Query.Fields[0].Description = text
		printed := introspect.Print(schema)
		again := load(t, printed).Query
		if again.Description != text || again.Fields[0].Description != text {
			t.Errorf("%q is printed as\n%s\nand read as %q and %q", text, printed, again.Description, again.Fields[0].Description)
		}
	})
}
