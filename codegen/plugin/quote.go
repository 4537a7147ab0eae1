package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"text/template"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/plain"
)

// templateFuncs is how templates write a text that is not theirs: quote in code, comment in a
// comment. Texts of schemas and of services' documents stand in generated code in no other
// way, unless they are names of GraphQL, which are names everywhere.
var templateFuncs = template.FuncMap{"quote": quote, "comment": plain.Line}

// quote writes a text as a string of Go.
func quote(text string) string { return strconv.Quote(text) }

// sanitizeDescriptions makes comments of the descriptions in a definition, of which gqlgen makes
// comments of Go. Those that clients read come from the sources.
func sanitizeDescriptions(def *ast.Definition) {
	lines := func(text *string) {
		all := strings.Split(*text, "\n")
		for i, line := range all {
			all[i] = plain.Line(line)
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

// newTemplate parses the template of a file, and others that it includes.
func newTemplate(name, text string, included ...string) *template.Template {
	t := template.Must(template.New(name).Funcs(templateFuncs).Parse(text))
	for _, text := range included {
		template.Must(t.Parse(text))
	}
	return t
}

// quotedList writes texts as strings of Go, one behind the other.
func quotedList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return strings.Join(quoted, ", ")
}

// goStrings writes texts as a []string of Go.
func goStrings(texts []string) string {
	if len(texts) == 0 {
		return "nil"
	}
	return fmt.Sprintf("[]string{%s}", quotedList(texts))
}
