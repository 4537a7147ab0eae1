package codegen_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	graphql "github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

//go:generate go test . -run ^TestPageOfChecks$ -update

// subjects are the page's headings, each with the code at which it begins.
var subjects = []struct {
	from  binding.Code
	title string
}{
	{"GH001", "The schema itself"},
	{"GH010", "Sources, and where a binding may stand"},
	{"GH020", "The call"},
	{"GH040", "Values"},
	{"GH050", "Batches"},
	{"GH060", "Selections and answers"},
	{"GH070", "Guards"},
	{"GH080", "Names and types"},
	{"GH100", "Requests, against the service's document"},
	{"GH120", "Answers, against the service's document"},
	{"GH140", "Connections"},
	{"GH150", "Interfaces and unions"},
	{"GH160", "What a service's errors mean"},
	{"GH170", "Types that are completed by their key"},
	{"GH180", "Sizes of lists"},
}

// docs/checks.md is made of binding.Checks.
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
	fmt.Fprintf(&b, preface, message(t, base), table(), base, read(t, filepath.Join(codes, "books.yaml")))
	next := 0
	for _, c := range binding.Checks {
		for ; next < len(subjects) && c.Code >= subjects[next].from; next++ {
			fmt.Fprintf(&b, "\n## %s\n", subjects[next].title)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", c.Code, wrap("**"+sentence(c.Title)+".** "+c.Text))
		fmt.Fprintf(&b, "Wrong:\n\n```graphql\n%s\n```\n\nRight:\n\n```graphql\n%s\n```\n", strings.TrimSpace(c.Wrong), strings.TrimSpace(c.Right))
	}
	return b.String()
}

// message is what is told of a mistake in the schema that the page shows.
func message(t *testing.T, base string) string {
	t.Helper()
	wrong := strings.Replace(base, "{$args.id}", "{$args.idd}", 1)
	schema, err := binding.Load(&graphql.Source{Name: "schema/books.graphqls", Input: wrong})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = binding.Compile(schema, binding.CompileOptions{}); err == nil {
		t.Fatal("the page's mistake is none")
	}
	return err.Error()
}

// table lists the codes, each with a link to its explanation.
func table() string {
	var b strings.Builder
	b.WriteString("| Code | What is wrong |\n|---|---|\n")
	for _, c := range binding.Checks {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", c.Code, strings.ToLower(string(c.Code)), sentence(c.Title))
	}
	return b.String()
}

// wrap breaks a paragraph into lines of 120 characters, as the other documents have.
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

func sentence(title string) string { return strings.ToUpper(title[:1]) + title[1:] }

const preface = `<!-- Made from codegen/binding/codes.go by go generate ./codegen. Do not edit it here. -->

# Checks

` + "`make generate` and `make check`" + ` find these mistakes before anything is written, and tell all of them at once; only a
text that GraphQL itself refuses (GH001 to GH006) hides the others. Each message ends with a code, which names the check,
whatever the message says:

` + "```text" + `
%s
` + "```" + `

A code keeps its meaning, and no other check ever gets it. ` + "`go run ./cmd/gatehouse check --json`" + ` gives it as
` + "`code`, beside `file`, `line`, `column` and `message`" + `.

%s
## What the examples add to

Each example below is a schema together with this one. A test holds that the wrong one has its mistake and no other, and
that the right one has none.

` + "```graphql" + `
%s` + "```" + `

The codes from GH100 to GH125, and some of the later ones, hold bindings against what a service says of itself. Here
that is this document of the source ` + "`books`" + `; the source ` + "`people`" + ` has none, so nothing is held against it.

` + "```yaml" + `
%s` + "```" + `
`
