package plugin

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
)

// sdl writes a document of type definitions so that parsing it results in the same document. The
// formatter alone writes descriptions and strings as they are, or with the escapes of Go, where
// GraphQL has others. sdl changes doc, which must not be used afterwards.
func sdl(doc *ast.SchemaDocument) string {
	t := &sdlTexts{}
	t.document(doc)
	var b bytes.Buffer
	formatter.NewFormatter(&b).FormatSchemaDocument(doc)
	return placeholder.ReplaceAllStringFunc(b.String(), func(found string) string {
		i, _ := strconv.Atoi(placeholder.FindStringSubmatch(found)[1])
		return t.descriptions[i]
	})
}

// placeholder is a description that a block string cannot contain, as the formatter writes it. No
// other text has a line break after three quotes.
var placeholder = regexp.MustCompile(`"""\n\s*%description ([0-9]+)%\n\s*"""`)

// sdlTexts replaces the texts of a document by others that the formatter writes correctly.
type sdlTexts struct{ descriptions []string }

func (t *sdlTexts) document(doc *ast.SchemaDocument) {
	for _, s := range slices.Concat(doc.Schema, doc.SchemaExtension) {
		t.description(&s.Description)
		t.directives(s.Directives)
	}
	for _, d := range doc.Directives {
		t.description(&d.Description)
		t.arguments(d.Arguments)
	}
	for _, def := range slices.Concat(doc.Definitions, doc.Extensions) {
		t.definition(def)
	}
}

func (t *sdlTexts) definition(def *ast.Definition) {
	t.description(&def.Description)
	t.directives(def.Directives)
	for _, f := range def.Fields {
		t.description(&f.Description)
		t.arguments(f.Arguments)
		t.value(f.DefaultValue)
		t.directives(f.Directives)
	}
	for _, v := range def.EnumValues {
		t.description(&v.Description)
		t.directives(v.Directives)
	}
}

func (t *sdlTexts) arguments(args ast.ArgumentDefinitionList) {
	for _, a := range args {
		t.description(&a.Description)
		t.value(a.DefaultValue)
		t.directives(a.Directives)
	}
}

func (t *sdlTexts) directives(list ast.DirectiveList) {
	for _, d := range list {
		for _, a := range d.Arguments {
			t.value(a.Value)
		}
	}
}

// value converts a string to an enum value whose name is the literal: the formatter writes names
// as they are.
func (t *sdlTexts) value(v *ast.Value) {
	if v == nil {
		return
	}
	if v.Kind == ast.StringValue || v.Kind == ast.BlockValue {
		v.Kind, v.Raw = ast.EnumValue, graphqlString(v.Raw)
	}
	for _, c := range v.Children {
		t.value(c.Value)
	}
}

// description replaces a text by a placeholder unless a block string can contain it.
func (t *sdlTexts) description(text *string) {
	if *text == "" || blockHolds(*text) {
		return
	}
	t.descriptions = append(t.descriptions, graphqlString(*text))
	*text = fmt.Sprintf("%%description %d%%", len(t.descriptions)-1)
}

// blockHolds reports whether a text can be a block string. Parsing removes white space around it
// and the common indentation of its lines, and three quotes end it.
func blockHolds(text string) bool {
	blank := text != strings.TrimSpace(text) || strings.Contains(text, "\n\t") || strings.Contains(text, "\n ")
	odd := strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && escape.IsInvisible(r) })
	return !blank && !odd && !strings.Contains(text, `"""`) && !strings.HasPrefix(text, "%")
}

// graphqlString writes a string literal of GraphQL on one line.
func graphqlString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case escape.IsInvisible(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
