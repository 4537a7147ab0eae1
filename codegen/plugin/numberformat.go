package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

// numberFormats are the places in a JSON body where the OpenAPI document has a number in another
// form than the encoder of its type writes: a Decimal as a number, an Int64 as a string. A place
// is a path of members, such as "lines/price". Lists on the way are not part of the path.
type numberFormats struct {
	schema           *ast.Schema
	graph            *binding.Graph
	numbers, strings []string
	inside           []string // the inputs around, of which none is entered again
}

// numberFormats returns the places in the body of the binding, none without a document.
func (w *callWriter) numberFormats() *numberFormats {
	n := &numberFormats{schema: w.g.data.Config.Schema, graph: w.g.graph}
	op := w.g.graph.Operation(w.binding)
	if op == nil || op.Body == nil || op.Body.JSON() == nil {
		return n
	}
	n.value(w.binding.Call.Body, op.Body.JSON().Schema, "")
	return n
}

// wrap writes the conversion of a body's numbers around its expression.
func (n *numberFormats) wrap(f *goFile, value string) string {
	for _, form := range []struct {
		function string
		paths    []string
	}{{"NumbersAt", n.numbers}, {"StringsAt", n.strings}} {
		if len(form.paths) > 0 {
			value = fmt.Sprintf("%s%s(%s, %s)", f.use(encodePkg), form.function, value, quotedList(form.paths))
		}
	}
	return value
}

// value visits the value of a binding's body: the members of an object that the binding makes, or
// the type of a value that it passes on.
func (n *numberFormats) value(v *binding.Value, s *openapi.Schema, path string) {
	if fields, made := v.ObjectFields(); made {
		for _, f := range fields {
			if p := s.Property(f.Name); p != nil {
				n.value(f.Value, p.Schema, join(path, f.Name))
			}
		}
		return
	}
	if len(v.Transforms) > 0 && v.Transforms[len(v.Transforms)-1].Op == binding.Map && s.Items != nil {
		n.value(v.Transforms[len(v.Transforms)-1].Inner, s.Items, path)
		return
	}
	if v.Type != nil {
		n.typed(v.Type, s, path)
	}
}

// join appends a member to a path.
func join(path, name string) string { return strings.TrimPrefix(path+"/"+name, "/") }

// typed visits a type.
func (n *numberFormats) typed(t *ast.Type, s *openapi.Schema, path string) {
	for ; t.Elem != nil && s.Items != nil; t = t.Elem {
		s = s.Items
	}
	def := n.schema.Types[t.NamedType]
	switch {
	case def == nil:
	case def.Kind == ast.InputObject:
		n.input(def, s, path)
	case def.Kind == ast.Scalar:
		n.scalar(n.graph.Scalar(def.Name), s, path)
	}
}

// scalar records the path of a scalar for which the document has another JSON type than its
// encoder writes.
func (n *numberFormats) scalar(scalar *scalars.Scalar, s *openapi.Schema, path string) {
	isNumber := s.AllowsType("number") || s.AllowsType("integer")
	switch {
	case scalar == nil:
	case scalar.EncodedAs() == "string" && scalar.WritesType("number") && isNumber && !s.AllowsType("string"):
		n.numbers = append(n.numbers, path)
	case scalar.EncodedAs() == "integer" && scalar.WritesType("string") && s.AllowsType("string") && !isNumber:
		n.strings = append(n.strings, path)
	}
}

// input visits the fields of an input. An input that contains itself has infinitely many paths;
// only those without a repetition are found.
func (n *numberFormats) input(def *ast.Definition, s *openapi.Schema, path string) {
	if slices.Contains(n.inside, def.Name) {
		return
	}
	n.inside = append(n.inside, def.Name)
	for _, f := range def.Fields {
		wire := n.graph.WireName(def.Name, f.Name)
		if p := s.Property(wire); p != nil {
			n.typed(f.Type, p.Schema, join(path, wire))
		}
	}
	n.inside = n.inside[:len(n.inside)-1]
}
