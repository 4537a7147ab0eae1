package codegen_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	graphql "github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

//go:generate go test . -run ^TestPageOfChecks$ -update

// subjects are the headings of the page, each with its first code.
var subjects = []struct {
	from  binding.Code
	title string
}{
	{"GH001", "The schema itself"},
	{"GH010", "Sources, and the places of bindings"},
	{"GH020", "The call"},
	{"GH040", "Values"},
	{"GH050", "Batches"},
	{"GH060", "Selections"},
	{"GH070", "Guards"},
	{"GH080", "Names and types"},
	{"GH090", "How calls are made"},
	{"GH100", "Requests, compared with the service's document"},
	{"GH120", "Responses, compared with the service's document"},
	{"GH140", "Connections"},
	{"GH150", "Interfaces and unions"},
	{"GH160", "Errors of services"},
	{"GH170", "Entities"},
	{"GH180", "Sizes of lists"},
	{"GH190", "Ignored checks"},
}

// docs/checks.md is generated from codegen/binding/explanations.
func TestPageOfChecks(t *testing.T) {
	path := filepath.Join("..", "docs", "checks.md")
	page := pageOfChecks(t)
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, path)), page); diff != "" {
		t.Errorf("docs/checks.md, -update writes it: -want +got\n%s", diff)
	}
}

func pageOfChecks(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	base := string(read(t, filepath.Join(codes, "base.graphqls")))
	fmt.Fprintf(&b, preface, message(t, base), table(), directiveTable(t), base, read(t, filepath.Join(codes, "books.yaml")))
	next := 0
	for _, c := range binding.Checks() {
		for ; next < len(subjects) && c.Code >= subjects[next].from; next++ {
			fmt.Fprintf(&b, "\n## %s\n", subjects[next].title)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", c.Code, wrap("**"+c.Title+".** "+c.Text))
		fmt.Fprintf(&b, "Wrong:\n\n```graphql\n%s\n```\n\nRight:\n\n```graphql\n%s\n```\n", strings.TrimSpace(c.Wrong), strings.TrimSpace(c.Right))
	}
	return b.String()
}

// message returns the report of a mistake in the schema that the page shows.
func message(t *testing.T, base string) string {
	t.Helper()
	wrong := strings.Replace(base, "{$args.id}", "{$args.idd}", 1)
	schema, err := binding.Load(&graphql.Source{Name: "schema/books.graphqls", Input: wrong})
	if err != nil {
		t.Fatal(err)
	}
	_, err = binding.Compile(schema, binding.CompileOptions{})
	faults, _ := errors.AsType[binding.Faults](err)
	i := slices.IndexFunc(faults, func(f binding.Fault) bool { return f.Code == binding.UnknownValue })
	if i < 0 {
		t.Fatal("the mistake of the page is not reported")
	}
	return faults[i].Error()
}

// table lists the codes, each with a link to its explanation.
func table() string {
	var b strings.Builder
	b.WriteString("| Code | What is wrong |\n|---|---|\n")
	for _, c := range binding.Checks() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", c.Code, strings.ToLower(string(c.Code)), c.Title)
	}
	return b.String()
}

// kinds has the words for the kinds of directives.
var kinds = map[binding.DirectiveKind]string{binding.Private: "private", binding.Guard: "guard", binding.Published: "published"}

// directiveTable lists the directives, each with its places and its own checks.
func directiveTable(t *testing.T) string {
	t.Helper()
	vocabulary, err := parser.ParseSchemas(binding.DirectiveSources()...)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| Directive | Kind | Stands on | Checks of its own |\n|---|---|---|---|\n")
	for _, d := range binding.Directives {
		var places, codes []string
		for _, place := range vocabulary.Directives.ForName(d.Name).Locations {
			places = append(places, "`"+string(place)+"`")
		}
		for _, code := range d.Codes {
			codes = append(codes, fmt.Sprintf("[%s](#%s)", code, strings.ToLower(string(code))))
		}
		fmt.Fprintf(&b, "| [`@%s`](bindings.md#%s) | %s | %s | %s |\n", d.Name, anchor(d.Docs), kinds[d.Kind], strings.Join(places, ", "), strings.Join(codes, ", "))
	}
	return b.String()
}

// anchor returns the fragment by which a link reaches a heading.
func anchor(heading string) string { return strings.ToLower(strings.ReplaceAll(heading, " ", "-")) }

// wrap breaks a paragraph into lines of 120 characters, as in the other documents.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > 120:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

const preface = `<!-- Generated from codegen/binding/explanations by go generate ./codegen. Do not edit it here. -->

# Checks

` + "`make generate` and `make check`" + ` find these mistakes before they write anything, and report all of them at once. Only
text that GraphQL itself rejects (GH001 to GH006) hides the others. Each message ends with a code, which identifies the
check whatever the message says:

` + "```text" + `
%s
` + "```" + `

A code keeps its meaning, and is never given to another check. ` + "`go run ./cmd/gatehouse check --json`" + ` prints it as
` + "`code`, beside `file`, `line`, `column` and `message`" + `.

%s
## Directives

Each directive has its own declaration, which limits where it may stand. A private directive is for the generator alone,
and a guard runs before a field is resolved; clients see neither of them in the schema.

%s
## The schema of the examples

Each example below is a schema together with this one. A test ensures that the wrong example has its mistake and no
other, and that the right example has none.

` + "```graphql" + `
%s` + "```" + `

The codes from GH100 to GH125, and some of the later ones, compare bindings with the service's own document. In the
examples this is the document of the source ` + "`books`" + `. The source ` + "`people`" + ` has no document, so its bindings are not compared.

` + "```yaml" + `
%s` + "```" + `
`
