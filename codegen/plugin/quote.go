package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"text/template"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
)

// templateFuncs are the functions by which templates write foreign text: quote in code, comment in
// a comment. Text of schemas and of OpenAPI documents may contain anything, so it is never written
// without one of them. Names of GraphQL need none.
var templateFuncs = template.FuncMap{"quote": quote, "comment": escape.Line}

// quote writes a string literal of Go.
func quote(text string) string { return strconv.Quote(text) }

// sanitizeDescriptions removes from the descriptions in a definition what a comment of Go cannot
// contain: gqlgen writes them as comments. Clients read the descriptions in the sources, which are
// not changed.
func sanitizeDescriptions(def *ast.Definition) {
	lines := func(text *string) {
		all := strings.Split(*text, "\n")
		for i, line := range all {
			if all[i] = escape.Line(line); strings.HasPrefix(strings.TrimSpace(all[i]), "+build") {
				all[i] = `\` + strings.TrimSpace(all[i]) // gofmt would take it for a build constraint and move it to the head of the file
			}
		}
		*text = strings.Join(all, "\n")
	}
	lines(&def.Description)
	for _, f := range def.Fields {
		lines(&f.Description)
	}
	for _, v := range def.EnumValues {
		lines(&v.Description)
	}
}

// newTemplate parses the template of a file and the templates that it includes.
func newTemplate(name, text string, included ...string) *template.Template {
	t := template.Must(template.New(name).Funcs(templateFuncs).Parse(text))
	for _, text := range included {
		template.Must(t.Parse(text))
	}
	return t
}

// quotedList writes strings as literals of Go, separated by commas.
func quotedList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return strings.Join(quoted, ", ")
}

// goStrings writes strings as a []string of Go.
func goStrings(texts []string) string {
	if len(texts) == 0 {
		return "nil"
	}
	return fmt.Sprintf("[]string{%s}", quotedList(texts))
}
