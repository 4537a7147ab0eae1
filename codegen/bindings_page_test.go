package codegen_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	graphql "github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// pageOfBindings has the fenced blocks of docs/bindings.md. The word behind the language in the
// first line of a block says what the block is.
type pageOfBindings struct {
	text     string
	schema   string // all blocks marked schema, which are one schema
	document string
	tests    []string
	files    map[string]string // by the path that the block names
}

var fencedBlock = regexp.MustCompile("(?ms)^```(\\w+ \\w+)(?:=\"([^\"]*)\")?\n(.*?)^```$")

func readPageOfBindings(t *testing.T) *pageOfBindings {
	t.Helper()
	page := &pageOfBindings{text: string(read(t, filepath.Join("..", "docs", "bindings.md"))), files: map[string]string{}}
	for _, m := range fencedBlock.FindAllStringSubmatch(page.text, -1) {
		switch m[1] {
		case "graphql schema":
			page.schema += m[3]
		case "yaml document":
			page.document += m[3]
		case "yaml test":
			page.tests = append(page.tests, m[3])
		case "go file":
			page.files[m[2]] = m[3]
		default:
			t.Errorf("docs/bindings.md has a block marked %q, which nothing tests", m[1])
		}
	}
	return page
}

// The schema of docs/bindings.md is generated as a project of its own, and passes the tests of the
// page.
func TestPageOfBindings(t *testing.T) {
	page, dir := readPageOfBindings(t), t.TempDir()
	page.files["schema/page.graphqls"], page.files["schema/openapi/books.yaml"] = page.schema, page.document
	for i, text := range page.tests {
		page.files[fmt.Sprintf("schema/%02d.test.yaml", i+1)] = text
	}
	for _, name := range []string{"gqlgen.yml", "resolvers/resolver.go"} {
		page.files[name] = string(read(t, filepath.Join("testdata", "project", name)))
	}
	for name, text := range page.files {
		writeFile(t, filepath.Join(dir, name), text)
	}
	writeModule(t, repository(t), dir)
	t.Chdir(dir)
	t.Setenv("LIBRARY_REGION", "north")
	generate(t)
	files, err := filepath.Glob("schema/*.test.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("the page has %d blocks of tests: %v", len(files), err)
	}
	var out strings.Builder
	if passed, err := new(codegen.Project).Test(t.Context(), &out, "", files); err != nil || !passed {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// Every argument of our directives, every variable and every method is used in an example of
// docs/bindings.md and named in its text.
func TestPageOfBindingsHasAll(t *testing.T) {
	page := readPageOfBindings(t)
	vocabulary, err := parser.ParseSchemas(binding.DirectiveSources()...)
	if err != nil {
		t.Fatal(err)
	}
	example, err := parser.ParseSchema(&graphql.Source{Name: "docs/bindings.md", Input: page.schema})
	if err != nil {
		t.Fatal(err)
	}
	used, prose := usesIn(vocabulary, example), fencedBlock.ReplaceAllString(page.text, "")
	for _, name := range words(vocabulary) {
		_, short, _ := strings.Cut(name, ".")
		if short == "" {
			short = name
		}
		if !used[name] {
			t.Errorf("no example uses %s", name)
		}
		if !regexp.MustCompile("`[^`\n]*" + short + "\\b[^`\n]*`").MatchString(prose) {
			t.Errorf("the text does not tell of %s", name)
		}
	}
	for _, word := range binding.Keywords() {
		if !strings.Contains(page.schema, word) || !strings.Contains(prose, word) {
			t.Errorf("%s has no example, or the text does not tell of it", word)
		}
	}
}

// gqlgenOwn are arguments that we declare and gqlgen explains.
var gqlgenOwn = []string{"goField.batch", "goField.name", "goField.type", "goField.omittable"}

// words returns all names of a vocabulary: directive, directive.argument, input.field, enum.value.
func words(doc *graphql.SchemaDocument) []string {
	var all []string
	for _, d := range doc.Directives {
		all = append(all, "@"+d.Name)
		for _, a := range d.Arguments {
			all = append(all, d.Name+"."+a.Name)
		}
	}
	for _, def := range doc.Definitions {
		for _, f := range def.Fields {
			all = append(all, def.Name+"."+f.Name)
		}
		for _, v := range def.EnumValues {
			all = append(all, def.Name+"."+v.Name)
		}
	}
	return slices.DeleteFunc(all, func(name string) bool { return slices.Contains(gqlgenOwn, name) })
}

// uses collects the names of a vocabulary that a schema uses.
type uses struct {
	vocabulary *graphql.SchemaDocument
	used       map[string]bool
}

func usesIn(vocabulary, schema *graphql.SchemaDocument) map[string]bool {
	u := &uses{vocabulary, map[string]bool{}}
	for _, s := range slices.Concat(schema.Schema, schema.SchemaExtension) {
		u.directives(s.Directives)
	}
	for _, def := range slices.Concat(schema.Definitions, schema.Extensions) {
		u.directives(def.Directives)
		for _, f := range def.Fields {
			u.directives(f.Directives)
		}
		for _, v := range def.EnumValues {
			u.directives(v.Directives)
		}
	}
	return u.used
}

func (u *uses) directives(list graphql.DirectiveList) {
	for _, d := range list {
		def := u.vocabulary.Directives.ForName(d.Name)
		u.used["@"+d.Name] = true
		for _, a := range d.Arguments {
			u.used[d.Name+"."+a.Name] = true
			u.value(def.Arguments.ForName(a.Name).Type, a.Value)
		}
	}
}

// value follows an argument's value by its type.
func (u *uses) value(t *graphql.Type, v *graphql.Value) {
	def := u.vocabulary.Definitions.ForName(t.Name())
	switch {
	case v.Kind == graphql.ListValue:
		for _, child := range v.Children {
			u.value(t, child.Value)
		}
	case def == nil:
	case v.Kind == graphql.EnumValue:
		u.used[def.Name+"."+v.Raw] = true
	case def.Kind == graphql.InputObject:
		for _, child := range v.Children {
			u.used[def.Name+"."+child.Name] = true
			u.value(def.Fields.ForName(child.Name).Type, child.Value)
		}
	}
}
