package bindingtest

import (
	"os"
	"path/filepath"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// bindings are the fields whose bindings have ids, as Type.field by id. They stand in the
// schema beside the tests: the one that is served says nothing of bindings.
func (r *reader) bindings() map[string]string {
	if r.ids != nil {
		return r.ids
	}
	r.ids = map[string]string{}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(r.mistakes.file), "*.graphqls")) // a folder's name is no bad pattern
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		doc, err := parser.ParseSchema(&ast.Source{Name: file, Input: string(text)})
		if err != nil {
			continue // which is for gatehouse check to tell
		}
		for _, def := range append(doc.Definitions, doc.Extensions...) {
			r.idsOf(def)
		}
	}
	return r.ids
}

func (r *reader) idsOf(def *ast.Definition) {
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
