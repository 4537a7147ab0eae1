package bindingtest

import (
	"os"
	"path/filepath"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// connectorIDs returns the fields whose bindings have an id, as Type.field by id. It reads them from the
// schema files beside the tests, since the schema that the gateway serves has no @connect.
func (r *suiteReader) connectorIDs() map[string]string {
	if r.ids != nil {
		return r.ids
	}
	r.ids = map[string]string{}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(r.mistakes.file), "*.graphqls")) // the pattern is valid
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		doc, err := parser.ParseSchema(&ast.Source{Name: file, Input: string(text)})
		if err != nil {
			continue // gatehouse check reports it
		}
		for _, def := range append(doc.Definitions, doc.Extensions...) {
			r.addIDs(def)
		}
	}
	return r.ids
}

// addIDs adds the ids of the bindings of a type.
func (r *suiteReader) addIDs(def *ast.Definition) {
	for _, f := range def.Fields {
		connect := f.Directives.ForName("connect")
		if connect == nil {
			continue
		}
		if id := connect.Arguments.ForName("id"); id != nil {
			r.ids[id.Value.Raw] = def.Name + "." + f.Name
		}
	}
}
