package plugin

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"

	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
)

// hostileTexts are what texts of a schema may hold that SDL, or Go, reads otherwise.
var hostileTexts = []string{
	"", " ", "plain", "two\nlines", `a """ b`, `"""`, `""""`, `ends with "`, `ends with \`, `\"""`, "\\", "\r\n", "a\r\nb", "a\rb", "  indented", "a\n  b", "\n\na\n\n", "\tx",
	"\x00", "\x07", "\x0b", "\x1b[31m", "\x7f", "\u0085", "\u2028", "\u202e", "\ufeff", "\U0001f600", "\U000e0001", "`", "${x}", "%description 0%", "*/", "//", "#", "é",
}

func text() *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostileTexts), rapid.StringN(0, 5, -1)), 0, 4), func(parts []string) string {
		return strings.ToValidUTF8(strings.Join(parts, ""), "?")
	})
}

// written is a text as a string of GraphQL, by JSON's rules, which are GraphQL's too.
func written(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

const holder = `
@D schema { query: Query }
@D directive @note(@D text: String = @V, list: [String] = [@V]) repeatable on FIELD_DEFINITION | OBJECT | ENUM_VALUE | SCHEMA
@D interface Named { @D name: String }
@D type Query implements Named @note(text: @V) {
  @D name(@D text: String = @V @deprecated(reason: @V), in: In = {text: @V, list: [@V, @V]}): String @deprecated(reason: @V) @note(list: [@V])
}
@D enum Kind { @D A @deprecated(reason: @V) B }
@D input In { @D text: String = @V list: [String!] = [@V] }
@D union U = Query
@D scalar S @specifiedBy(url: @V)
extend schema @note(text: @V)
extend type Query { @D more: Int @deprecated(reason: @V) }
`

var asRead = cmp.Options{
	cmpopts.IgnoreTypes(&ast.Position{}, &ast.CommentGroup{}), cmpopts.IgnoreFields(ast.Value{}, "Kind"),
	cmpopts.IgnoreFields(ast.Definition{}, "TypePositions"), cmpopts.IgnoreUnexported(ast.Type{}), cmpopts.EquateEmpty(),
}

// Whatever the texts of a schema are, what is published reads as the schema does.
func TestPublishedSchemaReadsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := holder
		for _, mark := range []string{"@D ", "@V"} {
			for strings.Contains(source, mark) {
				source = strings.Replace(source, mark, written(text().Draw(t, "text")), 1)
			}
		}
		read := func(text string) *ast.SchemaDocument {
			doc, err := parser.ParseSchema(&ast.Source{Input: text})
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			return doc
		}
		published := sdl(read(source))
		if diff := cmp.Diff(read(source), read(published), asRead); diff != "" {
			t.Fatalf("%s\n%s\n-schema +published\n%s", source, published, diff)
		}
		if strings.ContainsFunc(published, func(r rune) bool { return r != '\n' && r != '\t' && escape.IsInvisible(r) }) {
			t.Fatalf("%q has characters that Go does not take", published)
		}
	})
}
