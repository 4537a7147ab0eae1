// Package checks compares the bindings of a graph with the OpenAPI documents of its services: a
// call exists, gets what it requires, and returns what the fields of the graph need. It checks
// nothing that a document does not describe.
package checks

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
)

// CompareDocuments compares the bindings of a graph with the documents of its sources. The error holds
// every mistake as binding.Faults. Each fault names the line of the schema and, where there is one,
// the line of the document. The warnings name the parts of documents that cannot be read, and so
// are not checked; security schemes that nothing in the schema fills; and calls at other servers than
// those of their source.
func CompareDocuments(schema *ast.Schema, graph *binding.Graph) (warnings []string, err error) {
	c := &checker{schema: schema, graph: graph, seen: map[visit]bool{}}
	for _, s := range graph.Sources {
		if s.Document != nil {
			warnings = append(warnings, s.Document.Warnings...)
			warnings = append(warnings, c.checkSecurity(s)...)
			warnings = append(warnings, c.checkServers(s)...)
		}
	}
	for _, f := range graph.Bindings() {
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

// visit is a type that was compared with a schema of a document. Both can be recursive, so each
// pair is compared once.
type visit struct {
	typeName string
	schema   *openapi.Schema
}

// checkBinding checks one binding.
func (c *checker) checkBinding(f *binding.Field, doc *openapi.Document) {
	op := c.graph.Operation(f)
	if op == nil {
		called := f.Call.Method + " " + f.Call.PathTemplate()
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

// suggestCall suggests the operation that is most similar to a call. The names of path parameters
// do not count.
func suggestCall(called string, doc *openapi.Document) string {
	var names, calls []string
	for _, op := range doc.Operations {
		names = append(names, op.Method+" "+op.Path)
		calls = append(calls, op.Method+" "+pathParameters.ReplaceAllLiteralString(op.Path, "{}"))
	}
	if i := suggest.Nearest(called, calls); i >= 0 {
		return fmt.Sprintf("; did you mean %q?", names[i])
	}
	return suggest.DidYouMean(called, names)
}

var pathParameters = regexp.MustCompile(`\{[^{}]*\}`)

// jsonType returns the type of a literal in JSON.
func jsonType(literal string) string {
	switch {
	case strings.HasPrefix(literal, `"`):
		return "string"
	case literal == "true" || literal == "false":
		return "boolean"
	case strings.ContainsAny(literal, "."):
		return "number"
	}
	return "integer"
}

// openapiType returns the type of the JSON that stands for a value of a GraphQL type.
func (c *checker) openapiType(t *ast.Type) openapi.Type {
	if t.Elem != nil {
		element := c.openapiType(t.Elem)
		return openapi.Type{NonNull: t.NonNull, Elem: &element}
	}
	def := c.schema.Types[t.NamedType]
	named := openapi.Type{Name: c.graph.Resolve(t).NamedType, NonNull: t.NonNull, Object: def.Kind != ast.Scalar && def.Kind != ast.Enum}
	for _, v := range def.EnumValues {
		named.Values = append(named.Values, c.graph.WireName(def.Name, v.Name))
		named.AddKind(jsonType(c.graph.WireLiteral(def.Name, v.Name)))
	}
	return named
}
