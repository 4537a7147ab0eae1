package plugin

import (
	"path/filepath"
	"slices"

	"github.com/99designs/gqlgen/codegen"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// stripSources removes our directives, except published ones, from the sources that are compiled
// into the gateway. Introspection and the SDL of a subgraph come from these sources, and the
// skip_runtime of gqlgen does not hide a directive there: the paths of services would be visible.
//
// The sources must not be embedded as files, which would be the original ones.
func stripSources(data *codegen.Data) error {
	kept := data.AugmentedSources[:0]
	for _, s := range data.AugmentedSources {
		if d := binding.DeclaredIn(filepath.ToSlash(s.RelativePath)); d != nil && d.Kind != binding.Published {
			continue
		}
		if !s.BuiltIn {
			text, err := published(s.RelativePath, s.Source)
			if err != nil {
				return err
			}
			s.Source = text
			s.Embeddable = false
		}
		kept = append(kept, s)
	}
	data.AugmentedSources = kept
	return nil
}

// published returns the text of a source without directives that clients must not see.
func published(name, source string) (string, error) {
	doc, err := parser.ParseSchema(&ast.Source{Name: name, Input: source})
	if err != nil {
		return "", err
	}
	keep := func(use *ast.Directive) bool {
		d := binding.DirectiveByName(use.Name)
		return d == nil || d.Kind == binding.Published
	}
	for _, def := range slices.Concat(doc.Definitions, doc.Extensions) {
		stripDefinition(def, keep)
	}
	for _, d := range doc.Directives {
		for _, a := range d.Arguments {
			a.Directives = filter(a.Directives, keep)
		}
	}
	doc.Schema = stripSchemas(doc.Schema, keep)
	doc.SchemaExtension = stripSchemas(doc.SchemaExtension, keep)
	return sdl(doc), nil
}

// stripSchemas removes directives from schema definitions, and the definitions that are empty
// then.
func stripSchemas(list ast.SchemaDefinitionList, keep func(*ast.Directive) bool) ast.SchemaDefinitionList {
	var kept ast.SchemaDefinitionList
	for _, s := range list {
		s.Directives = filter(s.Directives, keep)
		if len(s.Directives) > 0 || len(s.OperationTypes) > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// stripDefinition removes directives from a type and everything in it.
func stripDefinition(def *ast.Definition, keep func(*ast.Directive) bool) {
	def.Directives = filter(def.Directives, keep)
	for _, f := range def.Fields {
		f.Directives = filter(f.Directives, keep)
		for _, a := range f.Arguments {
			a.Directives = filter(a.Directives, keep)
		}
	}
	for _, v := range def.EnumValues {
		v.Directives = filter(v.Directives, keep)
	}
}

// filter returns the directives that keep reports true for.
func filter(list ast.DirectiveList, keep func(*ast.Directive) bool) ast.DirectiveList {
	var kept ast.DirectiveList
	for _, d := range list {
		if keep(d) {
			kept = append(kept, d)
		}
	}
	return kept
}
