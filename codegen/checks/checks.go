// Package checks holds a graph's bindings against what the services' OpenAPI documents
// say: that there is such a call, that it gets what it requires, and that its answer
// brings what the graph's fields promise. What a document does not say is not checked.
package checks

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// Documents checks the bindings of a graph against the documents that its sources name. The
// error holds every mistake as binding.Faults; each names the line of the schema and, where
// there is one, the line of the document. The warnings tell what of the documents cannot be
// read, and so is not checked.
func Documents(schema *ast.Schema, graph *binding.Graph) (warnings []string, err error) {
	c := &checker{schema: schema, graph: graph, seen: map[visit]bool{}}
	for _, s := range graph.Sources {
		if s.Document != nil {
			warnings = append(warnings, s.Document.Warnings...)
		}
	}
	for _, f := range graph.All() {
		if s := graph.Source(f.Source); s != nil && s.Document != nil {
			c.checkBinding(f, s.Document)
		}
	}
	return warnings, c.faults.Err()
}

type checker struct {
	schema *ast.Schema
	graph  *binding.Graph
	seen   map[visit]bool
	faults binding.Faults
}

// visit is a type that was held against a schema: types recur, and so do schemas.
type visit struct {
	typeName string
	schema   *openapi.Schema
}

// checkBinding checks one binding.
func (c *checker) checkBinding(f *binding.Field, doc *openapi.Document) {
	op := f.Call.Operation
	if op == nil {
		op = doc.Find(f.Call.Method, pathTemplate(f.Call.Path))
	}
	if op == nil {
		called := f.Call.Method + " " + pathTemplate(f.Call.Path)
		c.faults.Add(binding.UnknownCall, f.Call.Position, "%s has no %s%s", doc.File, called, suggestCall(called, doc))
		return
	}
	r := &requestCheck{checker: c, field: f, op: op, filled: map[*openapi.Parameter]bool{}}
	r.checkPath()
	r.checkQuery()
	r.checkHeaders()
	r.checkRequired()
	r.checkBody()
	c.checkResponse(f, op)
}

// pathTemplate writes a path as documents do, with {} for each value.
func pathTemplate(parts []binding.Part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.Value != nil {
			p.Literal = "{}"
		}
		b.WriteString(p.Literal)
	}
	return b.String()
}

// suggestCall suggests the operation whose call is most like one, whatever its parameters are
// called.
func suggestCall(called string, doc *openapi.Document) string {
	var names, calls []string
	for _, op := range doc.Operations {
		names = append(names, op.Method+" "+op.Path)
		calls = append(calls, op.Method+" "+pathParameters.ReplaceAllLiteralString(op.Path, "{}"))
	}
	if i := binding.Nearest(called, calls); i >= 0 {
		return fmt.Sprintf("; did you mean %q?", names[i])
	}
	return binding.DidYouMean(called, names)
}

var pathParameters = regexp.MustCompile(`\{[^{}]*\}`)

// openapiType is a GraphQL type as the services see its values.
func (c *checker) openapiType(t *ast.Type) openapi.Type {
	if t.Elem != nil {
		element := c.openapiType(t.Elem)
		return openapi.Type{NonNull: t.NonNull, Elem: &element}
	}
	def := c.schema.Types[t.NamedType]
	named := openapi.Type{Name: t.NamedType, NonNull: t.NonNull, Object: def.Kind != ast.Scalar && def.Kind != ast.Enum}
	for _, v := range def.EnumValues {
		named.Values = append(named.Values, c.graph.WireName(def.Name, v.Name))
	}
	return named
}
