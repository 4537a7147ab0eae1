// Package checks compares the bindings of a graph with the OpenAPI documents of its services: a
// call exists, gets what it requires, and returns what the fields of the graph need. It checks
// nothing that a document does not describe.
package checks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
)

// Report is the result of a comparison, without the mistakes.
type Report struct {
	// Warnings name the parts of documents that cannot be read, and so are not checked; security
	// schemes that nothing in the schema fills; and calls at other servers than those of their source.
	Warnings []string
	Ignored  []Ignored // the findings that are ignored, in the order of the bindings
}

// Ignored is a finding that is not reported.
type Ignored struct {
	Ignore  *binding.Ignore
	Finding binding.Fault
}

// String returns the finding and the reason for ignoring it.
func (i Ignored) String() string {
	return escape.Line(fmt.Sprintf("%v, because %s", i.Finding, i.Ignore.Reason))
}

// CompareDocuments compares the bindings of a graph with the documents of its sources. The error holds
// every mistake as binding.Faults. Each fault names the line of the schema and, where there is one,
// the line of the document.
func CompareDocuments(schema *ast.Schema, graph *binding.Graph) (Report, error) {
	c := &checker{schema: schema, graph: graph, seen: map[visit]bool{}}
	var report Report
	var faults binding.Faults
	used := map[*binding.Ignore]bool{}
	for _, f := range graph.Bindings() {
		s := graph.Source(f.Source)
		if s == nil || s.Document == nil {
			continue
		}
		if c.hasIgnores() { // else a finding would belong to the first binding that reaches it
			c.seen = map[visit]bool{}
		}
		c.faults = nil
		c.checkBinding(f, s.Document)
		for _, fault := range c.faults {
			if i := ignoring(fault, f, s); i != nil {
				used[i] = true
				if found := (Ignored{i, fault}); !slices.Contains(report.Ignored, found) {
					report.Ignored = append(report.Ignored, found)
				}
				continue
			}
			faults = append(faults, fault)
		}
	}
	for _, i := range c.unusedIgnores(used) {
		faults.Add(binding.UnusedIgnore, i.Position, "%s finds nothing here that could be ignored; remove it", i.Code)
	}
	for _, s := range graph.Sources {
		if s.Document != nil {
			report.Warnings = slices.Concat(report.Warnings, s.Document.Warnings(), c.checkSecurity(s), c.checkServers(s))
		}
	}
	return report, faults.Err()
}

// ignoring returns the ignore that silences a fault: one of the binding, else one of its source, else nil.
func ignoring(fault binding.Fault, f *binding.Field, s *binding.Source) *binding.Ignore {
	all := slices.Concat(f.Ignores, s.Ignores)
	if i := slices.IndexFunc(all, func(i *binding.Ignore) bool { return i.Silences(fault) }); i >= 0 {
		return all[i]
	}
	return nil
}

func (c *checker) hasIgnores() bool {
	return slices.ContainsFunc(c.graph.Sources, func(s *binding.Source) bool { return len(s.Ignores) > 0 }) ||
		slices.ContainsFunc(c.graph.Bindings(), func(f *binding.Field) bool { return len(f.Ignores) > 0 })
}

// unusedIgnores returns the ignores that silence nothing. The ignores of a source are left out while
// bindings have mistakes or the document cannot be read, because the findings may be missing only for
// that reason.
func (c *checker) unusedIgnores(used map[*binding.Ignore]bool) []*binding.Ignore {
	var all []*binding.Ignore
	for _, f := range c.graph.Bindings() {
		if s := c.graph.Source(f.Source); s != nil && (s.Document != nil || s.OpenAPI == "") {
			all = append(all, f.Ignores...)
		}
	}
	for _, s := range c.graph.Sources {
		if !c.graph.IsIncomplete() && (s.Document != nil || s.OpenAPI == "") {
			all = append(all, s.Ignores...)
		}
	}
	return slices.DeleteFunc(all, func(i *binding.Ignore) bool { return used[i] })
}

type checker struct {
	schema *ast.Schema
	graph  *binding.Graph
	seen   map[visit]bool
	faults binding.Faults

	selected string // the selection that leads to the object that is checked; "" inside of it
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
